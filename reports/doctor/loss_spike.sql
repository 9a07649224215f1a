/*
title: loss spike
advice: >-
  The batch of a step cost far more than those before it: the parameters jumped, and part of what
  was learnt was lost. Set train.clip to about twice the usual gradient norm, lower the rate, or
  raise train.warm_up.
*/
SELECT run.id AS run, printf('%d on record; the first: %s', count(*), (
    SELECT message FROM event AS e WHERE e.run = run.id AND e.kind = 'spike' ORDER BY e.step LIMIT 1)) AS found
FROM examined AS run
CROSS JOIN event ON event.run = run.id AND event.kind = 'spike'
GROUP BY run.id;
