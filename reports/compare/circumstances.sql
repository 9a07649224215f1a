/*
title: Differences in how the runs were made
arguments: {runs: text}
empty: No difference is on record.
*/
WITH it AS MATERIALIZED (
  SELECT chosen.key AS nr, run.* FROM json_each(:runs) AS chosen JOIN run ON run.id = chosen.value)
SELECT 'data set' AS what, nr AS run, data_set AS value FROM it
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
UNION ALL SELECT 'libraries', nr, libraries FROM it
UNION ALL SELECT 'plugins', nr, (
    SELECT group_concat(name || ' ' || version || ' ' || substr(sha256, 1, 8), ', ')
    FROM (SELECT * FROM plugin WHERE plugin.run = it.id ORDER BY name)) FROM it
UNION ALL SELECT 'fingerprint: nats of a fixed image', nr, round(fingerprint_nll, 6) FROM it
UNION ALL SELECT 'fingerprint: sum of its gradient', nr, round(fingerprint_gradient, 4) FROM it
UNION ALL SELECT 'fingerprint: nats of its first pixels, in single precision', nr, round(fingerprint_single, 2) FROM it
UNION ALL SELECT 'threads', nr, threads FROM it
UNION ALL SELECT 'times resumed', nr, resumes FROM it;
