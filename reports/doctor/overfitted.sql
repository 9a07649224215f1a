/*
title: overfitted
advice: >-
  The model has learnt its training images by heart: use fewer parameters or epochs,
  train.patience, data.flip.
*/
SELECT run.id AS run, printf('train %s, valid %s nats/image in the end',
    nats_text(train.nats_per_image), nats_text(valid.nats_per_image)) AS found
FROM examined AS run
CROSS JOIN nll AS train ON train.run = run.id AND train.split = 'train'
  AND (train.step, train.name) = (
    SELECT step, name FROM metric AS m
    WHERE m.run = run.id AND m.name IN ('nll', 'final_nll') AND m.split = 'train'
    ORDER BY step DESC, name LIMIT 1)
CROSS JOIN nll AS valid ON valid.run = run.id AND valid.split = 'valid'
  AND (valid.step, valid.name) = (
    SELECT step, name FROM metric AS m
    WHERE m.run = run.id AND m.name IN ('nll', 'final_nll') AND m.split = 'valid'
    ORDER BY step DESC, name LIMIT 1)
WHERE valid.nats_per_image > train.nats_per_image * 1.1 + 5 * coalesce(valid.standard_error, 0);
