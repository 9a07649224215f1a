/*
title: Results
arguments: {runs: text}
columns:
  nll: {format: nll}
  error: {format: nll}
  epochs: {format: epoch}
  seconds: {format: seconds}
  note: {format: note}
*/
WITH it AS MATERIALIZED (
  SELECT chosen.key AS nr, run.*, run_state(status, host, process_id, process_start) AS state
  FROM json_each(:runs) AS chosen JOIN run ON run.id = chosen.value),
final AS MATERIALIZED (SELECT nr, nll.* FROM it JOIN nll ON nll.run = it.id AND nll.name = 'final_nll')
SELECT 'name' AS what, nr AS run, name AS value, NULL AS nll, NULL AS error, NULL AS epochs, NULL AS seconds,
  NULL AS note FROM it
UNION ALL SELECT 'status', nr, state, NULL, NULL, NULL, NULL, NULL FROM it
UNION ALL SELECT 'test, nats/image', nr, NULL, nats_per_image, NULL, NULL, NULL, NULL FROM final WHERE split = 'test'
UNION ALL SELECT 'test, bits/dim', nr, NULL, bits_per_dimension, NULL, NULL, NULL, NULL FROM final WHERE split = 'test'
UNION ALL SELECT 'test, standard error, nats', nr, NULL, NULL, standard_error, NULL, NULL, NULL FROM final WHERE split = 'test'
UNION ALL SELECT 'validation, nats/image', nr, NULL, nats_per_image, NULL, NULL, NULL, NULL FROM final WHERE split = 'valid'
UNION ALL SELECT 'validation, bits/dim', nr, NULL, bits_per_dimension, NULL, NULL, NULL, NULL FROM final WHERE split = 'valid'
UNION ALL SELECT 'validation, standard error, nats', nr, NULL, NULL, standard_error, NULL, NULL, NULL FROM final WHERE split = 'valid'
UNION ALL SELECT 'train, nats/image', nr, NULL, nats_per_image, NULL, NULL, NULL, NULL FROM final WHERE split = 'train'
UNION ALL SELECT 'suspect', nr, group_concat(split || ': ' || suspect, '; '), NULL, NULL, NULL, NULL, NULL
  FROM final WHERE suspect IS NOT NULL GROUP BY nr
UNION ALL SELECT 'epochs', nr, NULL, NULL, NULL, epochs, NULL, NULL FROM it JOIN run_summary AS s ON s.run = it.id
UNION ALL SELECT 'parameters', nr, parameters, NULL, NULL, NULL, NULL, NULL FROM it
UNION ALL SELECT 'multiply-adds per image', nr, CAST(sum(multiply_adds) AS INTEGER), NULL, NULL, NULL, NULL, NULL
  FROM it JOIN layer ON layer.run = it.id AND kind NOT IN ('repeat', 'residual', 'skip_connections', 'multi_scale') GROUP BY nr
UNION ALL SELECT 'wall time', nr, NULL, NULL, NULL, NULL, wall_seconds, NULL FROM it
UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  'The runs do not all have the same data: their NLLs cannot be compared.'
  WHERE (SELECT count(DISTINCT data_identity) FROM it) > 1;
