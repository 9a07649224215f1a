/*
title: training unstable
advice: >-
  The training NLL rose by more than a tenth from one epoch to the next: lower the rate, set
  train.clip or train.warm_up.
*/
SELECT id AS run, printf('train: from %s to %s nats/image at epoch %.1f', nats_text(before),
    nats_text(nats), epoch) AS found
FROM (
  SELECT run.id, epoch, sum_nats / images AS nats,
    lag(sum_nats / images) OVER (PARTITION BY run.id ORDER BY step) AS before
  FROM examined AS run
  CROSS JOIN metric ON metric.run = run.id AND metric.name = 'nll' AND metric.split = 'train' AND images > 0)
WHERE nats > before * 1.1
GROUP BY id;
