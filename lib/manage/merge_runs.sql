-- merge_runs.sql - all runs of the source with the record of each in the target: the numbers of
-- both, uid, name and status there, whether the record there goes further, and whether the run is
-- at work here.
--
-- A record goes further if it was extended (its spec is another, of more steps), or else if it is
-- finished, or else by its last step, or else if it has ended.
WITH ending (status, rank) AS (
  VALUES ('running', 0), ('interrupted', 1), ('failed', 1), ('finished', 2))
SELECT there.id, here.id, there.uid, there.name, there.status,
  here.id IS NULL OR iif(there.spec_hash <> here.spec_hash, there.steps > here.steps, b.rank < 2
    AND NOT (b.rank = 1 AND there.status = here.status AND there.resumes = here.resumes
      AND there.finished_at IS here.finished_at)
    AND (a.rank = 2
      OR ((SELECT ifnull(max(step), 0) FROM (
            SELECT step FROM source.metric WHERE run = there.id
            UNION ALL SELECT step FROM source.checkpoint WHERE run = there.id)), a.rank)
        > ((SELECT ifnull(max(step), 0) FROM (
            SELECT step FROM main.metric WHERE run = here.id
            UNION ALL SELECT step FROM main.checkpoint WHERE run = here.id)), b.rank))),
  ifnull(here.status = 'running'
    AND process_lives(here.host, here.process_id, here.process_start), 0)
FROM source.run AS there LEFT JOIN ending AS a USING (status)
LEFT JOIN main.run AS here ON here.uid = there.uid AND here.started_at = there.started_at
LEFT JOIN ending AS b ON b.status = here.status
ORDER BY there.id
