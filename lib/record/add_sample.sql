-- add_sample.sql - record a picture. One of what was drawn, at temperature ?7, also gets the NLL on
-- record of its step: of the result before one along the way, of the test split before validation.
INSERT INTO sample (run, step, epoch, kind, seed, count, temperature, parameter_hash,
  log_likelihood, png, nll, nll_split)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, nll, split
FROM (SELECT 1) LEFT JOIN (
  SELECT sum_nats / images AS nll, split FROM metric
  WHERE run = ?1 AND step = ?2 AND images > 0 AND name IN ('nll', 'final_nll')
    AND split IN ('valid', 'test') AND ?7 > 0
  ORDER BY name = 'final_nll' DESC, split = 'test' DESC LIMIT 1)
WHERE true
ON CONFLICT (run, kind, step, seed) DO UPDATE SET epoch = excluded.epoch, count = excluded.count,
  temperature = excluded.temperature, parameter_hash = excluded.parameter_hash,
  log_likelihood = excluded.log_likelihood, png = excluded.png, nll = excluded.nll,
  nll_split = excluded.nll_split
