/*
title: worse than uniform
advice: >-
  A model that has learnt nothing would do better: is the rate too high, are the levels of the
  data what the spec says?
*/
-- Computed again from the record, which somebody may have changed.
SELECT run.id AS run, printf('%s: %s nats/image, more than the %s of the uniform distribution', split,
    nats_text(nats_per_image), nats_text(dimensions * ln(image_levels))) AS found
FROM examined AS run
CROSS JOIN nll ON nll.run = run.id AND nll.name = 'final_nll'
WHERE suspect IS NULL AND image_levels > 1
  AND nats_per_image > dimensions * ln(image_levels) * 1.000001
GROUP BY run.id;
