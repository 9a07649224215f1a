/*
title: no result
advice: >-
  A finished run has a final NLL: this one may be from a copy of the database, or have been
  changed by hand.
*/
SELECT id AS run, 'finished, but without a final NLL' AS found
FROM examined AS run
WHERE status = 'finished'
  AND NOT EXISTS (SELECT 1 FROM metric WHERE metric.run = run.id AND name = 'final_nll');
