/*
title: Sweeps
description: Every sweep, and how far it has come.
empty: 'There are no sweeps: pxr-sweep runs one.'
columns:
  sweep: Sweep
  search: Search
  jobs: Jobs
  finished: Finished
  failed: Failed
  running: Running
  interrupted: Interrupted
  killed: Killed
  waiting: Waiting
  seconds: {heading: Time of all runs, format: seconds}
  best_run: Best run
  valid_nats: {heading: Valid. nats/image, format: nll}
  valid_bits: {heading: Valid. bits/dim, format: nll}
*/
SELECT sweep.name AS sweep, search, count(job.id) AS jobs, nullif(sum(state = 'finished'), 0) AS finished,
  nullif(sum(state = 'failed'), 0) AS failed, nullif(sum(state = 'running'), 0) AS running,
  nullif(sum(state = 'interrupted'), 0) AS interrupted, nullif(sum(state = 'killed'), 0) AS killed,
  nullif(sum(state = 'waiting'), 0) AS waiting, sum(seconds) AS seconds, best.run AS best_run,
  best.nats_per_image AS valid_nats, best.bits_per_dimension AS valid_bits
FROM sweep
LEFT JOIN (
  SELECT job.id, job.sweep, 
    -- A job whose pxr-sweep is gone is in the state of its run, which may have been resumed by itself.
    CASE run_state(job.state, job.host, job.process_id, job.process_start)
      WHEN 'killed' THEN
        coalesce(run_state(run.status, run.host, run.process_id, run.process_start), 'killed')
      ELSE job.state
    END AS state, 
    -- What a job took is recorded when it ends; until then it is at least what its run took.
    CASE job.state WHEN 'running' THEN max(job.seconds, coalesce(run.wall_seconds, 0)) ELSE job.seconds END AS seconds
  FROM job LEFT JOIN run ON run.id = job.run
  WHERE job.listed) AS job ON job.sweep = sweep.id
LEFT JOIN (
  SELECT j.sweep, j.run, min(nll.nats_per_image) AS nats_per_image, nll.bits_per_dimension
  FROM job AS j
  JOIN nll ON nll.run = j.run AND nll.name = 'final_nll' AND nll.split = 'valid' AND nll.suspect IS NULL
  JOIN run ON run.id = j.run AND run.archived_at IS NULL
  WHERE j.listed
  GROUP BY j.sweep) AS best ON best.sweep = sweep.id
GROUP BY sweep.id;
