/*
title: Tags and note
arguments: {run: run}
columns:
  run: {heading: Run, show: always}
  name: {heading: Name, show: always}
  tags: Tags
  note: Note
  archived_at: Archived
*/
SELECT run, name, tags, note, archived_at
FROM run_summary
WHERE run = :run;
