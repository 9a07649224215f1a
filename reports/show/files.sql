/*
title: Files of data
arguments: {run: run}
columns:
  path: File
  size: Bytes
  sha256: SHA-256
*/
SELECT path, size, sha256
FROM data_file
WHERE run = :run
ORDER BY path;
