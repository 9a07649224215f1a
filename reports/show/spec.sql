/*
title: Spec
arguments: {run: run}
columns:
  line: {heading: Spec, format: lines}
*/
SELECT spec AS line
FROM run
WHERE id = :run;
