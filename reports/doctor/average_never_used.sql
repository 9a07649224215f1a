/*
title: average never used
advice: >-
  The result has the same parameters as without train.average: they were not averaged, or what was
  evaluated was not the average: was this program changed?
*/
SELECT id AS run, printf('train.average %g, and the parameters of the result are those of the last step',
    average) AS found
FROM (SELECT *, (CASE WHEN instr(spec, char(10) || '  average: ') > 0 THEN CAST(substr(spec, instr(spec, char(10) || '  average: ') + length('average') + 5, 24) AS REAL) END) AS average FROM examined)
WHERE status = 'finished' AND average > 0 AND parameters > 0 AND parameter_hash = raw_parameter_hash;
