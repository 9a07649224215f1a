/*
title: Checkpoints
arguments: {run: run}
columns:
  step: Step
  epoch: {heading: Epoch, format: epoch}
  path: File
  size: Bytes
  best: Best
  created_at: Made (UTC)
  sha256: SHA-256
*/
SELECT step, epoch, path, size, CASE best WHEN 1 THEN 'best' END AS best, created_at, sha256
FROM checkpoint
WHERE run = :run
ORDER BY step;
