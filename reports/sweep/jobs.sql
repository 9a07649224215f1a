/*
title: Jobs of a sweep
description: The jobs of a sweep with the values that vary, or the best of them by the validation NLL.
arguments:
  sweep: sweep
  best: {type: number, default: 0, help: 'show so many, the best; 0: all'}
columns:
  job: {heading: Job, show: always}
  run: Run
  rung: Rung
  state: {heading: State, show: always}
  varied: {format: keys}
  valid_nll: {heading: Valid. NLL, format: nll}
  standard_error: {heading: Std. error, format: nll, show: room}
  test_nll: {heading: Test NLL, format: nll}
  unit: Unit
  epochs: {heading: Epochs, format: epoch, show: room}
  seconds: {heading: Time, format: seconds, show: room}
  failures: Failures
  message: Error
  suspect: Suspect
  archived_at: {show: programs}
  title: {format: title}
  note: {format: note}
*/
WITH
it AS (SELECT name, search FROM sweep WHERE id = :sweep),
result AS (
  SELECT job.number AS job, job.run, job.rung, job.varied, job.failures, job.message, run.data_identity,
    run.archived_at, valid.epoch AS epochs, coalesce(valid.suspect, test.suspect) AS suspect,
    -- A job whose pxr-sweep is gone is in the state of its run, which may have been resumed by itself.
    CASE run_state(job.state, job.host, job.process_id, job.process_start)
      WHEN 'killed' THEN
        coalesce(run_state(run.status, run.host, run.process_id, run.process_start), 'killed')
      ELSE job.state
    END AS state,
    -- What a job took is recorded when it ends; until then it is at least what its run took.
    CASE job.state WHEN 'running' THEN max(job.seconds, coalesce(run.wall_seconds, 0)) ELSE job.seconds END
      AS seconds,
    coalesce(nullif(run.image_colours, 0) <> 1, coalesce(valid.dimensions, test.dimensions) % 3 = 0) AS bits,
    coalesce(valid.dimensions, test.dimensions) * 0.69314718055994530942 AS nats_of_bit,
    valid.nats_per_image AS valid_nats, valid.standard_error, test.nats_per_image AS test_nats
  FROM job
  LEFT JOIN run ON run.id = job.run
  LEFT JOIN nll AS valid ON valid.run = job.run AND valid.name = 'final_nll' AND valid.split = 'valid'
  LEFT JOIN nll AS test ON test.run = job.run AND test.name = 'final_nll' AND test.split = 'test'
  WHERE job.sweep = :sweep AND job.listed),
scored AS MATERIALIZED (
  SELECT *, valid_nats / iif(bits, nats_of_bit, 1) AS valid_nll, test_nats / iif(bits, nats_of_bit, 1) AS test_nll,
    standard_error / iif(bits, nats_of_bit, 1) AS error,
    abs(valid_nats) < 9e999 AND suspect IS NULL AND archived_at IS NULL AS ranks
  FROM result),
chosen AS MATERIALIZED (
  SELECT *, row_number() OVER (ORDER BY iif(:best > 0, valid_nll, job), job) AS position
  FROM scored
  WHERE :best = 0 OR ranks
  ORDER BY position LIMIT iif(:best > 0, :best, -1)),
counted AS (
  SELECT count(*) AS jobs, sum(state = 'finished') AS finished, sum(state = 'failed') AS failed,
    sum(state IN ('interrupted', 'killed')) AS stopped, count(DISTINCT data_identity) AS identities,
    sum(ranks) AS ranked
  FROM scored),
note AS (
  SELECT printf('%d of %d job%s finished%s.', finished, jobs, iif(jobs = 1, '', 's'),
      iif(failed, '; pxr-sweep --retry tries the failed ones again', '')) AS note
  FROM counted WHERE :best = 0
  UNION ALL
  SELECT printf('The pxr-sweep that ran %d job%s is gone; the same command continues %s.', stopped,
      iif(stopped = 1, '', 's'), iif(stopped = 1, 'it', 'them'))
  FROM counted WHERE :best = 0 AND stopped
  UNION ALL
  SELECT 'Not all runs have the same data: their NLLs cannot be compared.'
  FROM counted WHERE :best > 0 AND identities > 1
  UNION ALL
  SELECT 'No run has a validation NLL yet.'
  FROM counted WHERE :best > 0 AND identities <= 1 AND NOT coalesce(ranked, 0)
  UNION ALL
  SELECT 'The first two are closer to each other than the standard error of one of them.'
  FROM chosen AS first JOIN chosen AS second ON first.position = 1 AND second.position = 2
  WHERE :best > 0 AND second.valid_nll - first.valid_nll < first.error
  UNION ALL
  SELECT 'Chosen by the validation NLL, which makes the best of many runs look a little better than it is; '
    || 'its test NLL is not affected.'
  FROM counted WHERE :best > 0 AND ranked > 1)
SELECT job, run, iif((SELECT search FROM it) = 'halving', rung, NULL) AS rung, state, varied, valid_nll, error AS standard_error,
  test_nll, iif(coalesce(valid_nll, test_nll) IS NULL, NULL, iif(bits, 'bits/dim', 'nats/image')) AS unit,
  epochs, nullif(seconds, 0) AS seconds, nullif(failures, 0) AS failures, message, suspect, archived_at,
  NULL AS title, NULL AS note
FROM (SELECT * FROM chosen ORDER BY position)
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  printf('Sweep %s (%s): %s', name, search, iif(:best > 0, 'the best', 'jobs')), NULL
FROM it
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, note
FROM note;
