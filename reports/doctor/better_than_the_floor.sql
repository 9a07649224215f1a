/*
title: better than the floor
advice: >-
  No model can have less than the entropy of the data: look for a leak, or for a record that was
  changed.
*/
SELECT run.id AS run, printf('%s: %s nats/image, below the entropy of %s', split,
    nats_text(nats_per_image), nats_text(data_entropy)) AS found
FROM examined AS run
CROSS JOIN nll ON nll.run = run.id AND nll.name = 'final_nll' AND nll.split <> 'train'
WHERE suspect IS NULL AND given IS NULL
  AND nats_per_image < data_entropy - coalesce(5 * standard_error, 0.05 * data_entropy)
GROUP BY run.id;
