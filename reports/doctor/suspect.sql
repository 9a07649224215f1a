/*
title: suspect
advice: >-
  An NLL that cannot be true: look for a leak, a wrong floor, or a training that diverged
  (pxr-report show RUN).
*/
SELECT run.id AS run, split || ' NLL of step ' || max(step) || ': ' || suspect
    || printf(' (%s nats/image)', nats_text(sum_nats / images)) AS found
FROM examined AS run
CROSS JOIN metric ON metric.run = run.id AND metric.name IN ('nll', 'final_nll')
WHERE suspect IS NOT NULL
GROUP BY run.id, split, suspect;
