/*
title: Uncommitted changes
arguments: {run: run}
columns:
  line: {heading: Uncommitted changes, format: lines}
*/
SELECT git_difference AS line
FROM run
WHERE id = :run;
