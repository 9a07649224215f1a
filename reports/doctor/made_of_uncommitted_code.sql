/*
title: made of uncommitted code
advice: >-
  The program was built from a tree with changes that are in no revision: the run cannot be
  reproduced from the revision on record.
*/
SELECT id AS run, 'program revision ' || program_revision AS found
FROM examined
WHERE program_revision LIKE '%dirty';
