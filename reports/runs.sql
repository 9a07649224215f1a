/*
title: Runs
description: The runs, newest first, with the NLL of each on the test split (or validation, if there is none).
arguments: {archived: {default: without, help: 'runs that are archived: with, without, or alone'}}
empty: There are no runs.
columns:
  run: Run
  name: Name
  sweep: {heading: Sweep, show: room}
  varied: Varied
  tags: Tags
  status: Status
  nll: {heading: NLL, format: nll}
  unit: Unit
  progress: {heading: Done, format: percent}
  seconds_left: {heading: Left, format: seconds}
  newest_nll: {heading: Training NLL, format: nll}
  split: {heading: Split, show: room}
  standard_error: {heading: Std. error, format: nll, show: room}
  model: {heading: Model, show: room}
  data_set: {heading: Data, show: room}
  epochs: {heading: Epochs, format: epoch, show: room}
  parameters: {heading: Parameters, show: room}
  wall_seconds: {heading: Time, format: seconds, show: room}
  suspect: Suspect
  note: {heading: Note, format: short}
  archived_at: Archived
  given: {show: programs}
  paper_table: {show: programs}
  paper_row: {show: programs}
  seed: {show: programs}
  valid_nats: {format: nll, show: programs}
  test_nats: {format: nll, show: programs}
  valid_bits: {format: nll, show: programs}
  test_bits: {format: nll, show: programs}
  threads: {show: programs}
  host: {show: programs}
  started_at: {show: programs}
  finished_at: {show: programs}
  program_version: {show: programs}
  message: {show: programs}
  repeats: {show: programs}
  job: {show: programs}
  process_id: {show: programs}
  process_start: {show: programs}
  spec_json: {show: conditions}
*/
SELECT run, name, sweep, varied, tags, run_state(status, host, process_id, process_start) AS status, nll,
  unit, progress, iif(run_state(status, host, process_id, process_start) = 'running', seconds_left, NULL) AS seconds_left,
  newest_nll, split, standard_error, model, data_set, epochs, parameters, wall_seconds, suspect, note,
  archived_at, given, paper_table, paper_row, seed, valid_nats, test_nats, valid_bits, test_bits,
  threads, host, started_at, finished_at, program_version, message, repeats, job, process_id, process_start,
  (SELECT spec_json FROM run WHERE run.id = run_summary.run) AS spec_json
FROM run_summary
WHERE CASE :archived WHEN 'without' THEN archived_at IS NULL WHEN 'alone' THEN archived_at IS NOT NULL ELSE 1 END
ORDER BY run DESC;
