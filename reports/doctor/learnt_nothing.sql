/*
title: learnt nothing
advice: >-
  No validation NLL is better than the first ones by more than half a percent: is the rate too low
  or too high, does a layer cut the gradient off?
*/
-- What is near the entropy had nothing left to learn. The mean NLL of the first epoch's training is
-- over models from the untrained one on.
SELECT id AS run, printf('%s nats/image at first, validation %s at best', nats_text(start),
    nats_text(best)) AS found
FROM (
  SELECT run.id, data_entropy, count(DISTINCT m.step) AS counted, min(m.nats_per_image) AS best,
    max(
      coalesce((SELECT sum_nats / images FROM metric AS f WHERE f.run = run.id AND f.name = 'nll'
        AND f.split = 'valid' AND f.images > 0 ORDER BY f.step LIMIT 1), 0),
      coalesce((SELECT sum_nats / images FROM metric AS f WHERE f.run = run.id AND f.name = 'nll'
        AND f.split = 'train' AND f.images > 0 ORDER BY f.step LIMIT 1), 0)) AS start
  FROM examined AS run
  CROSS JOIN nll AS m ON m.run = run.id AND m.name IN ('nll', 'final_nll') AND m.split = 'valid'
  GROUP BY run.id)
WHERE counted > 1 AND best > 0.995 * start AND (data_entropy IS NULL OR best > 1.02 * data_entropy);
