/*
title: Facts
arguments: {run: run}
columns:
  fact: Fact
  value: Value
*/
WITH it AS MATERIALIZED (
  SELECT *, run_state(status, host, process_id, process_start) AS state,
    -- git_difference begins with the untracked files, each a line '?? NAME'; what git diff printed follows.
    instr(char(10) || git_difference, char(10) || 'diff ') AS diff_at
  FROM run WHERE id = :run),
-- How far it is, if it is at work.
now AS (SELECT * FROM run_summary WHERE run = (SELECT id FROM it WHERE state = 'running'))
SELECT fact, value
FROM (
  SELECT 'run' AS fact, id AS value FROM it
  UNION ALL SELECT 'name', name FROM it
  UNION ALL SELECT 'id', uid FROM it
  UNION ALL SELECT 'status', state FROM it
  UNION ALL SELECT 'message', message FROM it
  UNION ALL SELECT 'done, %', (SELECT round(100 * progress, 1) FROM now) FROM it
  UNION ALL SELECT 'doing', CASE WHEN state = 'running' THEN activity END FROM it
  UNION ALL SELECT 'time left, seconds', (SELECT round(seconds_left) FROM now) FROM it
  UNION ALL SELECT 'newest training NLL, ' || iif(image_colours = 1, 'nats/image', 'bits/dim'),
    (SELECT round(newest_nll, 4) FROM now) FROM it
  UNION ALL SELECT 'last sign of life', CASE WHEN status = 'running' THEN progress_at || ' UTC' END FROM it
  UNION ALL SELECT 'tags', (SELECT group_concat(tag, ', ') FROM (SELECT tag FROM tag WHERE tag.run = :run ORDER BY tag)) FROM it
  UNION ALL SELECT 'note', note FROM it
  UNION ALL SELECT 'archived', archived_at FROM it
  UNION ALL SELECT 'repeats', coalesce(
      (SELECT 'run ' || other.id || ' (' || other.uid || ')' FROM run AS other WHERE other.uid = it.repeats), repeats) FROM it
  UNION ALL SELECT 'initial parameters', coalesce((SELECT 'run ' || other.id || ' (' || it.start_from || ')'
      FROM run AS other WHERE other.uid = substr(it.start_from, 1, instr(it.start_from, '@') - 1)), start_from) FROM it
  UNION ALL SELECT 'data set', data_set FROM it
  UNION ALL SELECT 'data identity', data_identity FROM it
  UNION ALL SELECT 'data transforms', data_transforms FROM it
  UNION ALL SELECT 'exact entropy, nats per image', data_entropy FROM it
  UNION ALL SELECT 'NLLs of images given', given FROM it
  UNION ALL SELECT 'reproduces', 'table ' || nullif(reproduces_table, 0) || ', ' || reproduces_row FROM it
  UNION ALL SELECT 'parameters', parameters FROM it
  UNION ALL SELECT 'seed', CAST(seed AS TEXT) FROM it
  UNION ALL SELECT 'started', started_at || ' UTC' FROM it
  UNION ALL SELECT 'ended', finished_at || ' UTC' FROM it
  UNION ALL SELECT 'wall time, seconds', round(wall_seconds, 1) FROM it
  UNION ALL SELECT 'training, images a second', (
      SELECT round(avg(value), 1) FROM metric WHERE run = :run AND name = 'images_per_second') FROM it
  UNION ALL SELECT 'of it waiting for images, %', (
      SELECT round(100 * avg(value), 2) FROM metric WHERE run = :run AND name = 'data_wait_share') FROM it
  UNION ALL SELECT 'times resumed', nullif(resumes, 0) FROM it
  UNION ALL SELECT 'command line', command_line FROM it
  UNION ALL SELECT 'started in folder', folder FROM it
  UNION ALL SELECT 'program', program_version || coalesce(' ' || program_revision, '') FROM it
  UNION ALL SELECT 'git revision of the spec', git_revision FROM it
  UNION ALL SELECT 'uncommitted changes', CASE WHEN git_revision IS NULL THEN NULL
      WHEN git_difference IS NULL THEN 'not known'
      WHEN diff_at = 0 THEN 'none' ELSE 'yes (--part difference)' END FROM it
  UNION ALL SELECT 'untracked files', CASE WHEN git_difference LIKE '?? %' THEN replace(substr(git_difference, 4, iif(diff_at = 0, 500, min(500, diff_at - 5))),
      char(10) || '?? ', ', ') || iif(diff_at > 505 OR diff_at = 0 AND length(git_difference) > 503,
      ' ... (--part difference)', '') END FROM it
  UNION ALL SELECT 'host', host FROM it
  UNION ALL SELECT 'processor', processor FROM it
  UNION ALL SELECT 'instruction set', instruction_set FROM it
  UNION ALL SELECT 'libraries', libraries FROM it
  UNION ALL SELECT 'threads', threads FROM it
  UNION ALL SELECT 'causality certificate', certificate FROM it
  UNION ALL SELECT 'fingerprint: nats of a fixed image', fingerprint_nll FROM it
  UNION ALL SELECT 'fingerprint: sum of its gradient', fingerprint_gradient FROM it
  UNION ALL SELECT 'fingerprint: nats of its first pixels, in single precision', fingerprint_single FROM it
  UNION ALL SELECT 'SHA-256 of the spec', spec_hash FROM it
  UNION ALL SELECT 'SHA-256 of the recipe: the spec without seed, name, data.path', recipe_hash FROM it
  UNION ALL SELECT 'SHA-256 of the parameters', parameter_hash FROM it
)
WHERE value IS NOT NULL;
