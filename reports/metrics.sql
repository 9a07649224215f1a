/*
title: Metrics
description: >-
  All metrics of all runs, one value in a row. An NLL has two rows: nll in nats per image, and
  bits_per_dim.
arguments: {archived: {default: without, help: 'runs that are archived: with, without, or alone'}}
empty: No metrics are on record yet.
columns:
  run: Run
  name: Name
  step: Step
  epoch: {heading: Epoch, format: epoch}
  split: Split
  metric: Metric
  value: {heading: Value, format: rounded}
  standard_error: {heading: Std. error, format: rounded}
  sweep: {show: programs}
  tags: {show: programs}
  model: {show: programs}
  data_set: {show: programs}
  status: {show: programs}
*/
WITH point AS (
  SELECT run, step, epoch, split, name AS metric, value, NULL AS standard_error
  FROM metric WHERE images IS NULL
  UNION ALL
  SELECT run, step, epoch, split, name, sum_nats / images, standard_error FROM metric WHERE images > 0
  UNION ALL
  SELECT run, step, epoch, split, replace(name, 'nll', 'bits_per_dim'),
    sum_nats / images / dimensions / 0.69314718055994530942,
    standard_error / dimensions / 0.69314718055994530942
  FROM metric WHERE images > 0)
SELECT point.run, summary.name, step, epoch, point.split, metric, value, point.standard_error,
  summary.sweep, summary.tags, summary.model, summary.data_set,
  run_state(summary.status, host, process_id, process_start) AS status
FROM run_summary AS summary JOIN point USING (run)
WHERE CASE :archived WHEN 'without' THEN archived_at IS NULL WHEN 'alone' THEN archived_at IS NOT NULL ELSE 1 END
ORDER BY point.run, metric, point.split, step;
