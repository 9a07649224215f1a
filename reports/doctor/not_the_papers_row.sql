/*
title: not the paper's row
advice: >-
  The run is in no table of the paper: it must name a row as the paper does, and its data must be
  the whole official set (pxr-data verify).
*/
SELECT run, misfit AS found
FROM claim
WHERE run IN (SELECT id FROM examined) AND misfit IS NOT NULL;
