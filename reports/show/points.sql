/*
title: Learning curve
description: Every NLL along the way.
arguments: {runs: {type: text, help: 'their numbers as JSON, [3, 5]'}}
columns:
  run: Run
  split: Split
  step: Step
  epoch: {heading: Epoch, format: epoch}
  nll: {heading: NLL, format: nll}
  unit: Unit
*/
SELECT run, split, step, epoch, iif(bits, bits_per_dimension, nats_per_image) AS nll,
  iif(bits, 'bits/dim', 'nats/image') AS unit
FROM (
  SELECT nll.*, chosen.key AS place, coalesce(nullif(image_colours, 0) <> 1, dimensions % 3 = 0) AS bits
  FROM json_each(:runs) AS chosen JOIN run ON run.id = chosen.value
  CROSS JOIN nll ON nll.run = run.id AND nll.name = 'nll')
ORDER BY place, split = 'test', split, step;
