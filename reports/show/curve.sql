/*
title: Learning curve
description: The course of the NLL of each split.
arguments: {runs: {type: text, help: 'their numbers as JSON, [3, 5]'}}
columns:
  run: Run
  split: Split
  epochs: {heading: Epochs, format: epoch}
  first: {heading: First, format: nll}
  best: {heading: Best, format: nll}
  best_epoch: {heading: at epoch, format: epoch}
  last: {heading: Last, format: nll}
  unit: Unit
  curve: From first to last
empty: No NLL is on record yet.
*/
WITH point AS (
  SELECT nll.*, chosen.key AS place, coalesce(nullif(image_colours, 0) <> 1, dimensions % 3 = 0) AS bits
  FROM json_each(:runs) AS chosen JOIN run ON run.id = chosen.value
  CROSS JOIN nll ON nll.run = run.id AND nll.name = 'nll'),
sorted AS (
  SELECT *, iif(bits, bits_per_dimension, nats_per_image) AS nll,
    last_value(epoch) OVER of_curve AS epochs,
    first_value(iif(bits, bits_per_dimension, nats_per_image)) OVER of_curve AS first,
    last_value(iif(bits, bits_per_dimension, nats_per_image)) OVER of_curve AS last
  FROM point
  WINDOW of_curve AS (
    PARTITION BY place, split ORDER BY step ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
  ORDER BY place, split, step)
SELECT run, split, epochs, first, min(nll) AS best, epoch AS best_epoch, last,
  iif(bits, 'bits/dim', 'nats/image') AS unit, sparkline(group_concat(coalesce(nll, 'nan'), ' ')) AS curve
FROM sorted
GROUP BY place, split
ORDER BY place, split = 'test', split;
