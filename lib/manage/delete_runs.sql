-- delete_runs.sql - the runs of ?1, a JSON array of their numbers, with their checkpoints and with
-- what other records refer to them.
--
-- A run is part of a chain when no other could take its place.
WITH target AS (SELECT value AS id FROM json_each(?1)),
referrer (run, what) AS (
  SELECT job.run, 'job ' || number || ' of sweep ''' || sweep.name || ''''
  FROM job JOIN sweep ON sweep.id = job.sweep
  WHERE job.listed AND job.run IN target
  UNION ALL
  SELECT run.id, 'run ' || other.id || ', which repeats it'
  FROM run JOIN run AS other ON other.repeats = run.uid
  WHERE run.id IN target AND other.id NOT IN target
  UNION ALL
  SELECT run.id, 'run ' || other.id || ', which started from its step ' || substr(other.start_from, length(run.uid) + 2)
  FROM run JOIN run AS other ON substr(other.start_from, 1, length(run.uid) + 1) = run.uid || '@'
  WHERE run.id IN target AND other.id NOT IN target
  UNION ALL
  SELECT run.id, 'run ' || other.id || ', whose chain begins with it'
  FROM run JOIN run AS other ON other.given_identity = run.data_identity
  WHERE run.id IN target AND other.id NOT IN target AND NOT EXISTS (
    SELECT 1 FROM run AS third WHERE third.data_identity = run.data_identity
      AND third.id <> run.id AND third.status = 'finished' AND third.archived_at IS NULL))
SELECT id, name, run_state(status, host, process_id, process_start), wall_seconds, host, process_id,
  (SELECT count(*) FROM checkpoint WHERE checkpoint.run = run.id),
  (SELECT total(size) FROM checkpoint WHERE checkpoint.run = run.id),
  (SELECT count(*) FROM referrer WHERE referrer.run = run.id),
  (SELECT what FROM referrer WHERE referrer.run = run.id LIMIT 1),
  uid
FROM run WHERE id IN target ORDER BY id
