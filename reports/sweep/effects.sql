/*
title: Effects of what varies, on the validation NLL
description: For each key of a sweep, the mean NLL of each value or, of a key drawn from a range, of each third.
arguments: {sweep: sweep}
empty: No run has a validation NLL yet.
columns:
  key: Key
  value: Value
  runs: {heading: Runs, show: always}
  diverged: Diverged
  mean_nll: {heading: Mean NLL, format: nll, show: always}
  deviation: {heading: Deviation, format: nll}
  best_nll: {heading: Best NLL, format: nll, show: always}
  best_job: Best job
  rank_correlation: {heading: Rank correlation, format: rounded}
  unit: {show: programs}
  title: {format: title}
  note: {format: note}
*/
WITH
it AS (SELECT search, yaml_json(definition) AS definition FROM sweep WHERE id = :sweep),
-- Jobs of the first rung; those of further rungs are only the better ones.
result AS MATERIALIZED (
  SELECT job.number AS job, job.varied, run.data_identity,
    coalesce(nullif(run.image_colours, 0) <> 1, valid.dimensions % 3 = 0) AS bits,
    valid.nats_per_image, valid.bits_per_dimension, valid.suspect IS NOT NULL AS diverged,
    coalesce(abs(valid.nats_per_image) < 9e999 AND run.archived_at IS NULL
      AND (valid.suspect IS NULL OR valid.suspect LIKE 'worse than %'), 0) AS counts
  FROM job
  LEFT JOIN run ON run.id = job.run
  LEFT JOIN nll AS valid ON valid.run = job.run AND valid.name = 'final_nll' AND valid.split = 'valid'
  WHERE job.sweep = :sweep AND job.listed AND job.rung = 0),
total AS MATERIALIZED (
  SELECT count(*) AS jobs, sum(counts) AS counted, sum(counts AND diverged) AS diverged,
    count(DISTINCT data_identity) AS identities, iif(max(bits), 4, 3) AS decimals,
    iif(max(bits), 'bits/dim', 'nats/image') AS unit
  FROM result),
-- A value of a key in a job, by job. A key is a range if it is drawn from one and has only numbers.
point AS MATERIALIZED (
  SELECT key, job, CASE type WHEN 'true' THEN type WHEN 'false' THEN type ELSE value END AS value, diverged,
    iif(bits, bits_per_dimension, nats_per_image) AS nll, count(*) OVER (PARTITION BY key) AS n,
    min(job * 1000 + varied.id) OVER (PARTITION BY key) AS key_position,
    min(type IN ('integer', 'real')) OVER (PARTITION BY key) AND coalesce((
      SELECT vary.type = 'object' AND (SELECT key FROM json_each(vary.value) LIMIT 1) <> 'cases'
      FROM it, json_each(definition, '$.vary') AS vary WHERE vary.key = varied.key), 0) AS is_range
  FROM result, json_each(result.varied) AS varied, it
  WHERE counts AND NOT (search = 'halving' AND key = 'train.epochs')),
-- In the order of the values, numbers before texts; `start` is where its value begins.
sorted AS MATERIALIZED (
  SELECT *, row_number() OVER (PARTITION BY key ORDER BY value, job) - 1 AS position,
    rank() OVER (PARTITION BY key ORDER BY value) - 1 AS start
  FROM point),
-- A range of at least six is cut in three, where the value changes nearest to an equal share.
cut AS (
  SELECT key, max(iif(i = 1, at, 0)) AS first, max(at) AS second
  FROM (
    SELECT key, i, iif(share - before < behind - share, before, behind) AS at
    FROM (
      SELECT key, i, n * i / 3 AS share, max(iif(start <= n * i / 3, start, 0)) AS before,
        min(iif(start >= n * i / 3, start, n)) AS behind
      FROM sorted, (SELECT 1 AS i UNION ALL SELECT 2)
      WHERE is_range AND n >= 6
      GROUP BY key, i))
  GROUP BY key),
part AS (
  SELECT *, start AS part FROM sorted WHERE NOT is_range
  UNION ALL
  SELECT *, -1 FROM sorted WHERE is_range
  UNION ALL
  SELECT sorted.*, (position >= first) + (position >= second) FROM sorted JOIN cut USING (key)),
-- Runs that diverged are counted, but would leave nothing of a mean.
described AS (
  SELECT *, avg(iif(diverged, NULL, nll)) OVER (PARTITION BY key, part) AS mean,
    min(value) OVER (PARTITION BY key, part) AS low, max(value) OVER (PARTITION BY key, part) AS high
  FROM part),
summary AS MATERIALIZED (
  SELECT key, key_position, part, is_range, n, low, high, mean, count(*) AS runs, sum(diverged) AS diverged,
    sqrt(sum(iif(diverged, NULL, (nll - mean) * (nll - mean))) / (nullif(count(*) - sum(diverged), 0) - 1)) AS deviation,
    min(iif(diverged, NULL, nll)) AS best, job
  FROM described
  GROUP BY key, part
  HAVING NOT is_range OR part < 0 OR count(*) < n),
-- Spearman's rank correlation: equal values share their mean rank.
ranked AS (
  SELECT key, key_position, n, (n - 1) / 2.0 AS middle,
    start + (count(*) OVER (PARTITION BY key, value) - 1) / 2.0 AS x,
    rank() OVER (PARTITION BY key ORDER BY nll) - 1 + (count(*) OVER (PARTITION BY key, nll) - 1) / 2.0 AS y
  FROM sorted WHERE is_range AND n >= 6),
correlation AS MATERIALIZED (
  SELECT key, key_position, n, sum((x - middle) * (y - middle))
    / sqrt(sum((x - middle) * (x - middle)) * sum((y - middle) * (y - middle))) AS r
  FROM ranked GROUP BY key),
note AS (
  SELECT note FROM (
    SELECT key_position, printf('%s: the means of its %d values differ by %.*f.', key, count(mean), decimals,
        max(mean) - min(mean)) AS note
    FROM summary, total WHERE NOT is_range GROUP BY key HAVING count(mean) > 1
    UNION ALL
    -- By chance alone, r is beyond 2 / sqrt(n - 1) about once in twenty times.
    SELECT key_position, printf('%s: rank correlation with the NLL %+.2f over %d runs: %s.', key, r, n,
        CASE WHEN abs(r) * sqrt(n - 1) < 2 THEN 'no more than chance often gives'
          WHEN r < 0 THEN 'higher values went with lower (better) NLLs'
          ELSE 'lower values went with lower (better) NLLs' END)
    FROM correlation WHERE r IS NOT NULL
    ORDER BY key_position)
  UNION ALL
  SELECT 'Only the first, shortest trainings are counted: only the better ones were trained for longer.'
  FROM it WHERE search = 'halving'
  UNION ALL
  SELECT iif(search = 'grid', 'A mean is over all combinations with the other keys'' values' ||
      iif(counted < jobs, '; some of them are missing, so the means are over different runs.', '.'),
    'All keys were drawn together: a mean is over the runs that happen to have that value, and a correlation '
    || 'only sees what rises or falls throughout.')
  FROM it, total
  UNION ALL
  SELECT printf('%d of %d job%s diverged: their NLL is worse than that of the uniform distribution. They are left '
      || 'out of means and deviations, but not of correlations.', diverged, jobs, iif(jobs = 1, '', 's'))
  FROM total WHERE diverged
  UNION ALL
  SELECT printf('%d of %d job%s count: the others have no validation NLL, or an impossible one.', counted, jobs,
    iif(jobs = 1, '', 's'))
  FROM total WHERE counted < jobs
  UNION ALL
  SELECT 'Not all runs have the same data: their NLLs cannot be compared.'
  FROM total WHERE identities > 1)
SELECT key, iif(is_range AND low <> high, printf('%.15g to %.15g', low, high), low) AS value, runs,
  nullif(diverged, 0) AS diverged, mean AS mean_nll, deviation, best AS best_nll,
  iif(best IS NULL, NULL, job) AS best_job,
  iif(part < 0, (SELECT r FROM correlation WHERE correlation.key = summary.key), NULL) AS rank_correlation,
  (SELECT unit FROM total) AS unit, NULL AS title, NULL AS note
FROM (SELECT * FROM summary ORDER BY key_position, part) AS summary
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  'Effects of what varies, on the validation NLL in ' || unit, NULL
FROM total WHERE counted
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, note
FROM note WHERE EXISTS (SELECT 1 FROM summary);
