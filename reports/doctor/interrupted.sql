/*
title: interrupted
advice: >-
  pxr-run --resume RUN continues it.
*/
SELECT id AS run, coalesce(message, 'no message') AS found
FROM examined
WHERE status = 'interrupted';
