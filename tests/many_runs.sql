-- many_runs.sql - a database of 10,000 runs, of 100 metrics each, to measure reports with.
--
-- Made of one recorded run of binarized MNIST:
--   pxr-run experiments/mnist_nade.yaml train.epochs=1 --db many.db
--   sqlite3 many.db <tests/many_runs.sql
-- Every column of `run` is copied by name, so that a new one is seen to be missing here.
PRAGMA foreign_keys = ON;
PRAGMA synchronous = OFF;
BEGIN;
CREATE TEMP TABLE number AS
  WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) SELECT i FROM n;
CREATE TEMP TABLE point AS
  WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < 33) SELECT k FROM n;
DELETE FROM run WHERE id > 1;
INSERT INTO run (id, uid, name, status, message, spec, spec_hash, origins, seed, program_version,
    program_revision, git_revision, git_difference, command_line, host, processor, instruction_set,
    libraries, threads, process_id, process_start, taken, started_at, finished_at, wall_seconds,
    data_set, data_identity, data_transforms, data_entropy, given, certificate, parameters,
    parameter_hash, image_rows, image_cols, image_colours, image_levels, reproduces_table,
    reproduces_row, recipe_hash, folder)
  SELECT i, printf('%08x', i), 'run_' || i, 'finished', message, spec, spec_hash || i, origins, i,
    program_version, program_revision, git_revision, git_difference, command_line, host, processor,
    instruction_set, libraries, threads, process_id, process_start, taken, started_at, finished_at,
    wall_seconds, data_set, data_identity, data_transforms, data_entropy, given, certificate,
    parameters, parameter_hash, image_rows, image_cols, image_colours, image_levels, 4,
    CASE i % 4 WHEN 0 THEN 'NADE' WHEN 1 THEN 'Row LSTM' WHEN 2 THEN 'PixelCNN' ELSE 'Rwo LSTM' END,
    printf('%064x', i / 16), folder
  FROM run, number WHERE id = 1;
INSERT INTO layer SELECT i, position, path, kind, rows, cols, channels, parameters, multiply_adds,
    field_above, field_left, field_right
  FROM layer, number WHERE run = 1;
WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < 40)
INSERT INTO layer SELECT i, 1000 + k, 'layers.' || k || '.conv', 'conv', 28, 28, 32, 1000, 1e6, 9, 9, 9
  FROM n, number;
INSERT INTO data_file SELECT i, path, size, sha256 FROM data_file, number WHERE run = 1;
INSERT INTO plugin SELECT i, name, version, path, sha256 FROM plugin, number WHERE run = 1;
INSERT INTO metric (run, step, epoch, split, name, sum_nats, sum_squares, images, dimensions,
    standard_error)
  SELECT i, k * 100, k, split, 'nll', 10000 * (80 + 60.0 / k + i % 97 / 50.0), 1, 10000, 784, 0.2
  FROM number, point, (SELECT 'train' AS split UNION ALL SELECT 'valid');
INSERT INTO metric (run, step, epoch, split, name, value)
  SELECT i, k * 100, k, 'train', 'gradient_norm', 0.1 FROM number, point;
INSERT INTO metric (run, step, epoch, split, name, sum_nats, sum_squares, images, dimensions,
    standard_error)
  SELECT i, 3300, 33, split, 'final_nll', 10000 * (82 + i % 97 / 50.0), 1, 10000, 784, 0.2
  FROM number, (SELECT 'test' AS split UNION ALL SELECT 'valid');
COMMIT;
