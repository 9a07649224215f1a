-- nll_of_step.sql - the NLL on record of step ?2 of run ?1, and its split: of the result before one
-- along the way, of the test split before validation.
SELECT sum_nats / images AS nll, split FROM metric
WHERE run = ?1 AND step = ?2 AND images > 0 AND name IN ('nll', 'final_nll')
  AND split IN ('valid', 'test')
ORDER BY name = 'final_nll' DESC, split = 'test' DESC LIMIT 1
