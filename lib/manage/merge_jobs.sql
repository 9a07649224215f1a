-- merge_jobs.sql - copy the jobs of sweep ?1 of the source to sweep ?2, unless they went as far
-- here; returns for each whether it is new.
--
-- A new job keeps its number unless another job of the sweep has it. A job at work on this host is
-- not changed; one at work elsewhere becomes waiting.
INSERT INTO main.job (sweep, spec_hash, state, number, varied, rung, listed, failures, message,
  seconds, run)
SELECT ?2, there.spec_hash, iif(there.state = 'running', 'waiting', there.state),
  iif(there.number IN (SELECT number FROM main.job WHERE sweep = ?2),
    row_number() OVER (ORDER BY there.number) + (SELECT max(number) FROM (
      SELECT number FROM main.job WHERE sweep = ?2
      UNION ALL SELECT number FROM source.job WHERE sweep = ?1)),
    there.number),
  there.varied, there.rung, there.listed, there.failures, there.message, there.seconds,
  (SELECT copy.id FROM source.run AS run JOIN main.run AS copy USING (uid, started_at)
    WHERE run.id = there.run AND there.state <> 'running')
FROM source.job AS there LEFT JOIN main.job AS here ON here.sweep = ?2
  AND here.spec_hash = there.spec_hash
WHERE there.sweep = ?1 AND (here.id IS NULL OR (
  (there.state = 'finished' AND here.state <> 'finished'
    OR there.state = 'failed' AND here.state IN ('waiting', 'running'))
  AND NOT (here.state = 'running'
    AND process_lives(here.host, here.process_id, here.process_start))))
ORDER BY there.number
ON CONFLICT (sweep, spec_hash) DO UPDATE SET state = excluded.state, run = excluded.run,
  failures = excluded.failures, message = excluded.message, seconds = excluded.seconds,
  claims = claims + 1
RETURNING claims = 0
