/*
title: average too slow
advice: >-
  The average of the parameters reaches further back than the training: what was evaluated is in
  part the untrained model; lower train.average.
*/
SELECT run.id AS run, printf('train.average %g remembers some %.0f steps, and there were %d', average,
    1 / (1 - average), valid.step) AS found
FROM (SELECT id, iif(json_valid(spec_json), spec_json ->> '$.train.average', NULL) AS average FROM examined) AS run
CROSS JOIN nll AS valid ON valid.run = run.id AND valid.name = 'final_nll' AND valid.split = 'valid'
WHERE average > 0 AND valid.step > 0 AND valid.step * (1 - average) < 3;
