/*
title: cannot see all
advice: >-
  An LSTM, and the models of the paper, can take into account nearly everything above a pixel: use
  more layers or larger kernels (the receptive field is among the run's pictures).
*/
-- Other models may be small because they are meant to be.
SELECT run.id AS run, printf('sees %d rows above and %d columns to the left, of %d x %d',
    max(field_above), max(field_left), image_rows, image_cols) AS found
FROM examined AS run
CROSS JOIN layer ON layer.run = run.id
WHERE image_rows > 0 AND given_identity IS NULL
GROUP BY run.id
HAVING max(field_above) < image_rows / 2 AND (reproduces_table > 0 OR family IN ('row', 'diagonal'));
