/*
title: Layers
arguments: {run: run}
columns:
  position: Nr
  path: Layer
  rows: Rows
  cols: Cols
  channels: Channels
  parameters: Parameters
  multiply_adds: Multiply-adds
  field_above: Sees above
  field_left: left
  field_right: right
*/
SELECT position, path, rows, cols, channels, parameters,
  CAST(round(multiply_adds) AS INTEGER) AS multiply_adds, field_above, field_left, field_right
FROM layer
WHERE run = :run
ORDER BY position;
