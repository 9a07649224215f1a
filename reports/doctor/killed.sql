/*
title: killed
advice: >-
  Its process is gone and left no message, as after kill -9, when memory ran out (dmesg shows
  that) or when the machine was restarted: pxr-run --resume RUN continues it.
*/
SELECT id AS run,
  'recorded as running in process ' || process_id || ' of this host, which does not exist' AS found
FROM examined
WHERE state = 'killed';
