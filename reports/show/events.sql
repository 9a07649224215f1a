/*
title: Events
arguments: {run: run}
columns:
  at: At (UTC)
  step: Step
  kind: Kind
  message: Message
*/
SELECT at, step, kind, message
FROM event
WHERE run = :run
ORDER BY id;
