/*
title: Results
arguments: {runs: text}
columns:
  nll: {format: nll}
  difference: {format: difference}
  error: {format: nll}
  epochs: {format: epoch}
  seconds: {format: seconds}
  note: {format: note}
*/
WITH it AS MATERIALIZED (
  SELECT chosen.key AS nr, run.*, run_state(status, host, process_id, process_start) AS state
  FROM json_each(:runs) AS chosen JOIN run ON run.id = chosen.value),
final AS MATERIALIZED (SELECT nr, nll.* FROM it JOIN nll ON nll.run = it.id AND nll.name = 'final_nll'),
-- How far each is from the first run, where both have the same data.
difference AS MATERIALIZED (
  SELECT '  minus that of run ' || first.id AS what, it.nr, split.value AS split,
    final.nats_per_image - one.nats_per_image AS nats, final.bits_per_dimension - one.bits_per_dimension AS bits
  FROM it AS first JOIN it ON first.nr = 0 AND it.nr > 0 AND it.data_identity = first.data_identity
    AND it.given IS first.given, json_each('["test", "valid", "train"]') AS split
  JOIN final ON final.nr = it.nr AND final.split = split.value
  LEFT JOIN final AS one ON one.nr = 0 AND one.split = split.value),
-- The standard error of that difference, image by image, where the NLLs of the same images are on record.
image AS MATERIALIZED (
  SELECT final.nr, final.split, image_nll.nats
  FROM it JOIN final USING (nr) JOIN image_nll ON image_nll.run = it.id AND image_nll.split = final.split
    AND image_nll.step = final.step AND image_nll.images = final.images),
paired AS MATERIALIZED (
  SELECT '  standard error of that, paired, nats' AS what, image.nr, image.split, paired_error(image.nats, one.nats) AS error
  FROM image JOIN difference USING (nr, split) JOIN image AS one ON one.nr = 0 AND one.split = image.split)
SELECT 'name' AS what, nr AS run, name AS value, NULL AS nll, NULL AS difference, NULL AS error, NULL AS epochs,
  NULL AS seconds, NULL AS note FROM it
UNION ALL SELECT 'status', nr, state, NULL, NULL, NULL, NULL, NULL, NULL FROM it
UNION ALL SELECT 'test, nats/image', nr, NULL, nats_per_image, NULL, NULL, NULL, NULL, NULL FROM final WHERE split = 'test'
UNION ALL SELECT what, nr, NULL, NULL, nats, NULL, NULL, NULL, NULL FROM difference WHERE split = 'test'
UNION ALL SELECT what, nr, NULL, NULL, NULL, error, NULL, NULL, NULL FROM paired WHERE split = 'test' AND error IS NOT NULL
UNION ALL SELECT 'test, bits/dim', nr, NULL, bits_per_dimension, NULL, NULL, NULL, NULL, NULL FROM final WHERE split = 'test'
UNION ALL SELECT what, nr, NULL, NULL, bits, NULL, NULL, NULL, NULL FROM difference WHERE split = 'test'
UNION ALL SELECT 'test, standard error, nats', nr, NULL, NULL, NULL, standard_error, NULL, NULL, NULL FROM final WHERE split = 'test'
UNION ALL SELECT 'validation, nats/image', nr, NULL, nats_per_image, NULL, NULL, NULL, NULL, NULL FROM final WHERE split = 'valid'
UNION ALL SELECT what, nr, NULL, NULL, nats, NULL, NULL, NULL, NULL FROM difference WHERE split = 'valid'
UNION ALL SELECT what, nr, NULL, NULL, NULL, error, NULL, NULL, NULL FROM paired WHERE split = 'valid' AND error IS NOT NULL
UNION ALL SELECT 'validation, bits/dim', nr, NULL, bits_per_dimension, NULL, NULL, NULL, NULL, NULL FROM final WHERE split = 'valid'
UNION ALL SELECT what, nr, NULL, NULL, bits, NULL, NULL, NULL, NULL FROM difference WHERE split = 'valid'
UNION ALL SELECT 'validation, standard error, nats', nr, NULL, NULL, NULL, standard_error, NULL, NULL, NULL FROM final WHERE split = 'valid'
UNION ALL SELECT 'train, nats/image', nr, NULL, nats_per_image, NULL, NULL, NULL, NULL, NULL FROM final WHERE split = 'train'
UNION ALL SELECT what, nr, NULL, NULL, nats, NULL, NULL, NULL, NULL FROM difference WHERE split = 'train'
UNION ALL SELECT 'suspect', nr, group_concat(split || ': ' || suspect, '; '), NULL, NULL, NULL, NULL, NULL, NULL
  FROM final WHERE suspect IS NOT NULL GROUP BY nr
UNION ALL SELECT 'epochs', nr, NULL, NULL, NULL, NULL, epochs, NULL, NULL FROM it JOIN run_summary AS s ON s.run = it.id
UNION ALL SELECT 'parameters', nr, parameters, NULL, NULL, NULL, NULL, NULL, NULL FROM it
UNION ALL SELECT 'multiply-adds per image', nr, CAST(sum(multiply_adds) AS INTEGER), NULL, NULL, NULL, NULL, NULL, NULL
  FROM it JOIN layer ON layer.run = it.id AND kind NOT IN ('repeat', 'residual', 'skip_connections', 'multi_scale') GROUP BY nr
UNION ALL SELECT 'wall time', nr, NULL, NULL, NULL, NULL, NULL, wall_seconds, NULL FROM it
UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  printf('%s: run %d is %s run %d by %.3f nats, %.1f standard errors of the paired difference%s.', paired.split, it.id,
    iif(nats < 0, 'better than', 'worse than'), (SELECT id FROM it WHERE nr = 0), abs(nats), abs(nats) / error,
    iif(abs(nats) < 2 * error, ': that may be chance', ''))
  FROM paired JOIN difference USING (nr, split) JOIN it USING (nr) WHERE error > 0
UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  'The paired error is that of the difference between these two sets of parameters on such images; another seed '
  || 'of the same spec can differ by more.'
  WHERE EXISTS (SELECT 1 FROM paired WHERE error > 0)
UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  'The runs do not all have the same data: their NLLs cannot be compared. Differences are those between runs on '
  || 'the data of run ' || (SELECT id FROM it WHERE nr = 0) || '.'
  WHERE (SELECT count(DISTINCT data_identity || ' given ' || ifnull(given, '')) FROM it) > 1;
