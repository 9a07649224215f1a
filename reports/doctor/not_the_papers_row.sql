/*
title: not the paper's row
advice: >-
  The run is in no table of the paper: it must name a row as the paper does, and its data must be
  the whole official set (pxr-data verify).
*/
WITH verdict AS MATERIALIZED (
  SELECT run, misfit FROM claim WHERE run IN (SELECT id FROM examined))
SELECT run, misfit AS found
FROM verdict
WHERE misfit IS NOT NULL
ORDER BY run;
