/*
title: last epoch worse than test
advice: >-
  A model knows what it was trained on, in its last epoch nearly as well as in the end: are the
  splits what they are called, is the training split mirrored or binarized at random, was the test
  split among what it was trained on?
*/
-- The training NLL of an epoch is a mean over all its models: where the epoch improved on the one
-- before, it is credited with as much again. An average of parameters may be better than all of them.
SELECT run.id AS run, printf('train %s in epoch %.1f, test %s nats/image',
    nats_text(train.nats_per_image), train.epoch, nats_text(test.nats_per_image)) AS found
FROM examined AS run
CROSS JOIN nll AS test ON test.run = run.id AND test.name = 'final_nll' AND test.split = 'test'
CROSS JOIN nll AS train ON train.run = run.id AND train.split = 'train'
  AND (train.step, train.name) = (
    SELECT step, name FROM metric AS m
    WHERE m.run = run.id AND m.name IN ('nll', 'final_nll') AND m.split = 'train'
    ORDER BY step DESC, name LIMIT 1)
CROSS JOIN nll AS before ON before.run = run.id AND before.name = 'nll' AND before.split = 'train'
  AND before.step = (
    SELECT max(step) FROM metric AS m
    WHERE m.run = run.id AND m.name = 'nll' AND m.split = 'train' AND m.step < train.step)
WHERE NOT EXISTS (
    SELECT 1 FROM metric AS m WHERE m.run = run.id AND m.name = 'final_nll' AND m.split = 'train')
  AND min(train.nats_per_image, 2 * train.nats_per_image - before.nats_per_image) >
    test.nats_per_image * 1.05 + 5 * coalesce(test.standard_error, 0);
