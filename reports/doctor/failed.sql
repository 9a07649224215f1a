/*
title: failed
advice: >-
  See its message and the event of that time (pxr-report show RUN).
*/
SELECT id AS run, coalesce(message, 'no message') AS found
FROM examined
WHERE status = 'failed';
