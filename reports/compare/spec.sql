/*
title: Differences between the specs
arguments: {runs: text}
empty: The specs are the same.
*/
WITH leaf AS (
  SELECT replace(replace(replace(substr(tree.fullkey, 3), '[', '.'), ']', ''), '"', '') AS path,
    chosen.key AS run, tree.id AS place,
    CASE tree.type WHEN 'text' THEN tree.atom WHEN 'object' THEN '(there)' WHEN 'array' THEN '(there)'
      ELSE spec_json -> tree.fullkey END AS value
  FROM json_each(:runs) AS chosen
  JOIN run ON run.id = chosen.value, json_tree(spec_json) AS tree
  WHERE tree.atom IS NOT NULL OR tree.value IS NULL OR tree.value IN ('{}', '[]')),
sorted AS (
  SELECT *, first_value(place) OVER (PARTITION BY path ORDER BY run) AS first,
    substr(path, 1, instr(path || '.', '.')) AS section,
    min(value) OVER of_path <> max(value) OVER of_path
      OR count(*) OVER of_path < json_array_length(:runs) AS differs
  FROM leaf
  WINDOW of_path AS (PARTITION BY path))
SELECT path AS what, run, value
FROM sorted
WHERE differs
ORDER BY min(place) OVER (PARTITION BY section), first, path, run;
