/*
title: one spec, two models
advice: >-
  A layer was edited between the runs: their results are of two models and have no mean
  (pxr-report compare RUN RUN shows the layers' files).
*/
SELECT max(id) AS run, printf('runs %d and %d: the same spec, but layers that compute something else: '
    || 'a fixed image has from %.10g to %.10g nats, its gradient sums to from %.10g to %.10g, '
    || 'in single precision its first pixels have from %.7g to %.7g', lowest, highest,
    min(nll), max(nll), min(gradient), max(gradient), min(single), max(single)) AS found
FROM (
  SELECT run.id, recipe_hash, data_identity, fingerprint_version, fingerprint_nll AS nll,
    fingerprint_gradient AS gradient, fingerprint_single AS single,
    first_value(run.id) OVER alike AS lowest, last_value(run.id) OVER alike AS highest
  FROM run
  WHERE recipe_hash IN (SELECT recipe_hash FROM examined)
    AND (archived_at IS NULL OR run.id IN (SELECT id FROM examined))
    AND fingerprint_nll IS NOT NULL
  WINDOW alike AS (
    PARTITION BY recipe_hash, data_identity, fingerprint_version
    ORDER BY round(fingerprint_nll, 6), round(fingerprint_gradient, 6), fingerprint_single, run.id
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))
GROUP BY recipe_hash, data_identity, fingerprint_version
HAVING max(id IN (SELECT id FROM examined))
  AND (max(nll) - min(nll) > 1e-9 * max(abs(max(nll)), abs(min(nll)))
    OR max(gradient) - min(gradient) > 1e-9 * max(gradient)
    OR max(single) - min(single) > 1e-5 * max(abs(max(single)), abs(min(single))));
