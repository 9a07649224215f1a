/*
title: 'Results with the small images: the sum of all runs'' nats, bits/dim of the large image'
arguments: {run: run}
columns:
  split: Split
  nats_per_image: {heading: Nats/image, format: nll}
  bits_per_dimension: {heading: Bits/dim, format: nll}
  standard_error: {heading: Std. error at most (nats), format: nll}
  images: Images
  counted: Runs added
  reason: {format: note}
*/
-- Standard errors are added as if all images erred alike: the true one can only be less.
WITH
sum AS MATERIALIZED (SELECT * FROM chain_nll WHERE run = :run),
-- The NLLs that a chain could use of a run.
result AS NOT MATERIALIZED (SELECT * FROM nll WHERE name = 'final_nll' AND split <> 'train'),
-- Why a run cannot be a part of a chain, whichever part; NULL: it can.
judged AS NOT MATERIALIZED (
  SELECT *, CASE
      WHEN run_state(status, host, process_id, process_start) <> 'finished'
        THEN 'is not finished (' || run_state(status, host, process_id, process_start) || ')'
      WHEN archived_at IS NOT NULL THEN 'is archived'
      WHEN NOT EXISTS (SELECT 1 FROM result WHERE result.run = run.id)
        THEN 'was evaluated on neither valid nor test'
      WHEN NOT EXISTS (SELECT 1 FROM result WHERE result.run = run.id AND suspect IS NULL)
        THEN 'has a suspect NLL'
    END AS fault
  FROM run),
large AS (
  SELECT *, coalesce(fault, iif(given_identity IS NULL, 'does not record which small images it was given',
    NULL)) AS own_fault
  FROM judged WHERE id = :run AND given IS NOT NULL),
-- Runs of the small images, or of others of that size, and why each is not used.
near AS (
  SELECT run.id, count(*) OVER () AS count, CASE
      WHEN run.data_identity IS NOT large.given_identity THEN 'has other data of that size'
      WHEN run.fault IS NOT NULL THEN run.fault
      WHEN NOT EXISTS (
          SELECT 1 FROM result JOIN result AS other USING (split, images)
          WHERE result.run = run.id AND result.suspect IS NULL AND other.run = large.id AND other.suspect IS NULL)
        THEN 'was evaluated on other splits or another number of images'
      WHEN run.given IS NOT NULL THEN 'has no sum itself'
      ELSE 'was evaluated on fewer splits than another'
    END AS fault
  FROM large
  JOIN judged AS run ON run.data_identity = large.given_identity
    OR (run.data_set = large.data_set AND run.image_rows || 'x' || run.image_cols = large.given)
  WHERE large.own_fault IS NULL
  ORDER BY run.data_identity IS NOT large.given_identity, run.id LIMIT 5)
SELECT split, nats_per_image, bits_per_dimension, standard_error, images, counted, NULL AS reason
FROM (SELECT * FROM sum ORDER BY split)
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, CASE
    WHEN own_fault IS NOT NULL THEN 'No sum: the run ' || own_fault || '.'
    ELSE 'No sum: no finished run of just these small images (' || given || ') is in the database'
      || coalesce((SELECT ' that fits: ' || group_concat('run ' || id || ' ' || fault, '; ')
        || iif(max(count) > count(*), printf('; and %d more', max(count) - count(*)), '') FROM near), '') || '.'
  END
FROM large
WHERE NOT EXISTS (SELECT 1 FROM sum);
