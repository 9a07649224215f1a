/*
title: not finite
advice: >-
  The rate is too high, or a loss overflows: lower train.optimizer's rate, set train.clip.
*/
SELECT run.id AS run, metric.name || ' of ' || split || ' at step ' || min(step) AS found
FROM examined AS run
CROSS JOIN metric ON metric.run = run.id AND metric.name IN ('nll', 'final_nll', 'gradient_norm')
WHERE abs(coalesce(value, sum_nats)) > 1e300 OR (value IS NULL AND sum_nats IS NULL)
GROUP BY run.id;
