/*
title: train worse than test
advice: >-
  A model knows what it was trained on: are the splits what they are called, is the training split
  mirrored or binarized at random?
*/
SELECT run.id AS run, printf('train %s, test %s nats/image', nats_text(train.nats_per_image),
    nats_text(test.nats_per_image)) AS found
FROM examined AS run
CROSS JOIN nll AS test ON test.run = run.id AND test.name = 'final_nll' AND test.split = 'test'
CROSS JOIN nll AS train ON train.run = run.id AND train.name = 'final_nll' AND train.split = 'train'
WHERE train.nats_per_image > test.nats_per_image * 1.02 + 5 * coalesce(test.standard_error, 0);
