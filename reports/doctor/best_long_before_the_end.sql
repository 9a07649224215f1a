/*
title: best long before the end
advice: >-
  Training went on after the best validation NLL: set train.patience, or fewer epochs.
*/
SELECT run.id AS run, printf('validation: best %s at epoch %.1f, %s at the end, epoch %.1f',
    nats_text(best.nats_per_image), best.epoch, nats_text(valid.nats_per_image), valid.epoch) AS found
FROM examined AS run
CROSS JOIN nll AS valid ON valid.run = run.id AND valid.split = 'valid'
  AND (valid.step, valid.name) = (
    SELECT step, name FROM metric AS m
    WHERE m.run = run.id AND m.name IN ('nll', 'final_nll') AND m.split = 'valid'
    ORDER BY step DESC, name LIMIT 1)
CROSS JOIN nll AS best ON best.run = run.id AND best.split = 'valid'
  AND (best.step, best.name) = (
    SELECT step, name FROM metric AS m
    WHERE m.run = run.id AND m.name IN ('nll', 'final_nll') AND m.split = 'valid' AND m.images > 0
    ORDER BY m.sum_nats / m.images LIMIT 1)
WHERE best.epoch < 0.75 * valid.epoch
  AND valid.nats_per_image > best.nats_per_image + 2 * coalesce(valid.standard_error, 0);
