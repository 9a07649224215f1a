/*
title: average never used
advice: >-
  The result has the same parameters as without train.average: they were not averaged, or what was
  evaluated was not the average: was this program changed?
*/
SELECT id AS run, printf('train.average %g, and the parameters of the result are those of the last step',
    average) AS found
FROM (SELECT *, iif(json_valid(spec_json), spec_json ->> '$.train.average', NULL) AS average FROM examined)
WHERE status = 'finished' AND average > 0 AND parameters > 0 AND parameter_hash = raw_parameter_hash;
