/*
title: 'All metrics of a run: the metrics.csv of an export'
arguments: {run: run}
*/
SELECT step, epoch, split, name, value, sum_nats / images AS nats_per_image, standard_error,
  sum_nats / images / dimensions / 0.69314718055994530942 AS bits_per_dimension,
  sum_nats, sum_squares, images, dimensions, suspect
FROM metric
WHERE run = :run
ORDER BY step, name, split;
