/*
title: checkpoint gone
advice: >-
  Nothing can be drawn or coded with it: restore the file from a copy; pxr-sample and pxr-codec
  also take the run's other checkpoints (--checkpoint STEP).
*/
-- Compares sizes: hashing every file would take long.
SELECT id AS run, printf('%s: the %s checkpoint, of step %d, %s', path,
    CASE best WHEN 1 THEN 'best' ELSE 'last' END, max(step),
    CASE bytes WHEN -1 THEN 'is missing' ELSE printf('has %d bytes instead of %d', bytes, size) END) AS found
FROM (
  SELECT run.id, path, step, best, size, checkpoint_bytes(path) AS bytes
  FROM examined AS run
  CROSS JOIN checkpoint ON checkpoint.run = run.id
  WHERE state <> 'running'
    AND (best OR step = (SELECT max(step) FROM checkpoint AS c WHERE c.run = run.id)))
WHERE bytes <> size
GROUP BY id;
