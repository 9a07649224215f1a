/*
title: always clipped
advice: >-
  Nearly every gradient was clipped, so the rate in effect is not the one that was set: raise
  train.clip or lower the rate.
*/
SELECT id AS run, printf('%d of %d gradient norms on record are over train.clip %g', over, counted, clip) AS found
FROM (
  SELECT run.id, sum(value > clip) AS over, count(*) AS counted, clip
  FROM (SELECT id, iif(json_valid(spec_json), spec_json ->> '$.train.clip', NULL) AS clip FROM examined) AS run
  CROSS JOIN metric ON metric.run = run.id AND metric.name = 'gradient_norm'
  WHERE clip > 0
  GROUP BY run.id)
WHERE counted > 4 AND over > 0.9 * counted;
