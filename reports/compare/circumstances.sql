/*
title: Differences in how the runs were made
arguments: {runs: text}
empty: No difference is on record.
*/
WITH it AS MATERIALIZED (
  SELECT chosen.key AS nr, run.* FROM json_each(:runs) AS chosen JOIN run ON run.id = chosen.value),
fact(what, run, value) AS (
SELECT 'data set', nr, data_set FROM it
UNION ALL SELECT 'data identity', nr, substr(data_identity, 1, 16) FROM it
UNION ALL SELECT 'data transforms', nr, data_transforms FROM it
UNION ALL SELECT 'images given', nr, given FROM it
UNION ALL SELECT 'program', nr, program_version FROM it
UNION ALL SELECT 'program revision', nr, program_revision FROM it
UNION ALL SELECT 'git revision of the spec', nr, git_revision FROM it
UNION ALL SELECT 'uncommitted changes', nr, CASE WHEN git_revision IS NULL THEN NULL
    WHEN git_difference IS NULL THEN 'not known' WHEN git_difference = '' THEN 'none'
    ELSE length(CAST(git_difference AS BLOB)) || ' bytes (show --part difference)' END FROM it
UNION ALL SELECT 'host', nr, host FROM it
UNION ALL SELECT 'processor', nr, processor FROM it
UNION ALL SELECT 'instruction set', nr, instruction_set FROM it
-- "SQLite 3.40.1; compiler GCC 12.2.0": a row each.
UNION ALL SELECT iif(library.value LIKE 'compiler %', '', 'library ')
      || substr(library.value, 1, instr(library.value || ' ', ' ') - 1), nr,
    substr(library.value, instr(library.value || ' ', ' ') + 1)
  FROM it, json_each('[' || replace(json_quote(CAST(libraries AS TEXT)), '; ', '","') || ']') AS library
  WHERE libraries IS NOT NULL
UNION ALL SELECT 'plugin ' || plugin.name, nr, version || ' ' || substr(sha256, 1, 8)
  FROM it JOIN plugin ON plugin.run = it.id
UNION ALL SELECT 'fingerprint: nats of a fixed image', nr, round(fingerprint_nll, 6) FROM it
UNION ALL SELECT 'fingerprint: sum of its gradient', nr, round(fingerprint_gradient, 4) FROM it
UNION ALL SELECT 'fingerprint: nats of its first pixels, in single precision', nr, round(fingerprint_single, 2) FROM it
UNION ALL SELECT 'threads', nr, threads FROM it
UNION ALL SELECT 'times resumed', nr, resumes FROM it)
SELECT what, run, value
FROM (
  SELECT *, min(place) OVER of_what AS first, min(value) OVER of_what <> max(value) OVER of_what
    OR count(value) OVER of_what BETWEEN 1 AND json_array_length(:runs) - 1 AS differs
  FROM (SELECT *, row_number() OVER () AS place FROM fact)
  WINDOW of_what AS (PARTITION BY what))
WHERE differs
ORDER BY first, run;
