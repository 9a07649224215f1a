-- many_runs.sql - a database of 10,000 runs and nearly three million metric rows, to measure reports with.
--
-- tests/bench/reports.sh runs it on a database with one run of a small spec that draws samples during
-- training. The run's data are changed to binarized MNIST, so that the runs appear in Table 4. Columns
-- are copied by name: add a new column of `run` here.
PRAGMA foreign_keys = ON;
PRAGMA synchronous = OFF;
BEGIN;
CREATE TEMP TABLE number AS
  WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) SELECT i FROM n;
CREATE TEMP TABLE point AS
  WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < 33) SELECT k FROM n;
DELETE FROM run WHERE id > 1;
UPDATE run SET data_set = 'binarized_mnist', data_transforms = 'static binarization',
  data_identity = '28ca2e01093bfcec5d74ed39b1be9424acfe25da2095c4b6dbca832835cda8e7';
INSERT INTO run (id, uid, name, status, message, spec, spec_hash, origins, seed, program_version,
    program_revision, git_revision, git_difference, command_line, host, processor, instruction_set,
    libraries, threads, process_id, process_start, resumes, started_at, finished_at, wall_seconds,
    data_set, data_identity, data_transforms, data_entropy, given, certificate, parameters,
    parameter_hash, image_rows, image_cols, image_colours, image_levels, reproduces_table,
    reproduces_row, recipe_hash, folder, archived_at, note, fingerprint_nll, fingerprint_gradient,
    fingerprint_single, fingerprint_version)
  SELECT i, printf('%08x', i), 'run_' || i, 'finished', message, spec, spec_hash || i, origins, i,
    program_version, program_revision, git_revision, git_difference, command_line, host, processor,
    instruction_set, libraries, threads, process_id, process_start, resumes, started_at, finished_at,
    wall_seconds, data_set, data_identity, data_transforms, data_entropy, given, certificate,
    parameters, parameter_hash, image_rows, image_cols, image_colours, image_levels, 4,
    CASE i % 4 WHEN 0 THEN 'NADE' WHEN 1 THEN 'Row LSTM' WHEN 2 THEN 'PixelCNN' ELSE 'Rwo LSTM' END,
    printf('%064x', i / 16), folder, CASE i % 100 WHEN 99 THEN started_at END,
    CASE i % 50 WHEN 0 THEN 'looked at' END, fingerprint_nll, fingerprint_gradient,
    fingerprint_single, fingerprint_version
  FROM run, number WHERE id = 1;
-- Three runs of ten are of a chain of conditional models.
UPDATE run SET given = '14x14', given_identity = 'small' WHERE id % 10 = 0;
UPDATE run SET given = '7x7', given_identity = 'smaller', data_identity = 'small' WHERE id % 10 = 5;
UPDATE run SET data_identity = 'smaller' WHERE id % 10 = 7;
INSERT INTO tag (run, tag) SELECT i, 'tag ' || (i % 7) FROM number WHERE i % 5 = 0;
INSERT INTO layer (run, position, path, kind, rows, cols, channels, parameters, multiply_adds,
    field_above, field_left, field_right)
  SELECT i, position, path, kind, rows, cols, channels, parameters, multiply_adds,
    field_above, field_left, field_right
  FROM layer, number WHERE run = 1;
WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < 40)
INSERT INTO layer (run, position, path, kind, rows, cols, channels, parameters, multiply_adds,
    field_above, field_left, field_right)
  SELECT i, 1000 + k, 'layers.' || k || '.conv', 'conv', 28, 28, 32, 1000, 1e6, 9, 9, 9
  FROM n, number;
INSERT INTO data_file (run, path, size, sha256)
  SELECT i, path, size, sha256 FROM data_file, number WHERE run = 1;
INSERT INTO plugin (run, name, version, path, sha256)
  SELECT i, name, version, path, sha256 FROM plugin, number WHERE run = 1;
INSERT INTO checkpoint (run, step, epoch, path, sha256, size, best, created_at)
  SELECT i, k, k, path, sha256, size, k = 3, created_at
  FROM checkpoint, number, point WHERE run = 1 AND k <= 3
    AND step = (SELECT max(step) FROM checkpoint WHERE run = 1);
INSERT INTO event (run, at, step, kind, message)
  SELECT i, started_at, k, 'resumed', 'once more' FROM run, number, point WHERE id = 1 AND k <= 2;
INSERT INTO sample (run, step, epoch, kind, seed, count, png)
  SELECT i, step, epoch, kind, seed, count, png FROM sample, number WHERE run = 1 AND i > 9800;
INSERT INTO nll_map (run, split, step, epoch, images, rows, cols, colours, nats)
  SELECT i, split, step, epoch, images, rows, cols, colours, nats
  FROM nll_map, number WHERE run = 1;
-- NLLs of each image: of a few for all runs, of 10,000 for the newest.
INSERT INTO image_nll (run, split, step, images, nats)
  SELECT i, split, 3300, 64, zeroblob(256) FROM number, (SELECT 'test' AS split UNION ALL SELECT 'valid')
  WHERE i <= 9900;
INSERT INTO image_nll (run, split, step, images, nats)
  SELECT i, split, 3300, 10000, CAST(zeroblob(20000) || randomblob(20000) AS BLOB)
  FROM number, (SELECT 'test' AS split UNION ALL SELECT 'valid') WHERE i > 9900;
-- What each epoch and, of the newest thousand runs, train.log records at 160 steps.
INSERT INTO metric (run, step, epoch, split, name, sum_nats, sum_squares, images, dimensions,
    standard_error)
  SELECT i, k * 100, k, split, 'nll', 10000 * (80 + 60.0 / k + i % 97 / 50.0), 1, 10000, 784, 0.2
  FROM number, point, (SELECT 'train' AS split UNION ALL SELECT 'valid');
INSERT INTO metric (run, step, epoch, split, name, value)
  SELECT i, k * 100, k, 'train', name, 0.1 FROM number,
    (SELECT 'gradient_norm' AS name UNION ALL SELECT 'rate' UNION ALL SELECT 'images_per_second'), point;
WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < 160)
INSERT INTO metric (run, step, epoch, split, name, sum_nats, sum_squares, images, dimensions,
    standard_error)
  SELECT i, k * 20, k / 5.0, 'train', 'step_nll', 320 * (80 + 60.0 / k + i % 97 / 50.0), 1, 320, 784, 1.2
  FROM number, n WHERE i > 9000;
WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < 160)
INSERT INTO metric (run, step, epoch, split, name, value)
  SELECT i, k * 20, k / 5.0, 'train', name, k * (1 + i % 97) FROM number,
    (SELECT 'step_gradient_norm' AS name UNION ALL SELECT 'step_rate' UNION ALL SELECT 'step_images_per_second'
      UNION ALL SELECT 'step_seconds'), n
  WHERE i > 9000;
INSERT INTO metric (run, step, epoch, split, name, sum_nats, sum_squares, images, dimensions,
    standard_error)
  SELECT i, 3300, 33, split, 'final_nll', 10000 * (82 + i % 97 / 50.0), 1, 10000, 784, 0.2
  FROM number, (SELECT 'test' AS split UNION ALL SELECT 'valid');
-- One sweep of a thousand runs, and a hundred of ten.
INSERT INTO sweep (name, definition, search, created_at)
  SELECT CASE k WHEN 0 THEN 'wide' ELSE 'sweep ' || k END, 'name: x', 'grid', started_at
  FROM run, (SELECT 0 AS k UNION ALL SELECT i - 1 FROM number WHERE i <= 101) WHERE id = 1;
INSERT INTO job (sweep, number, spec_hash, varied, rung, state, run, seconds, claims)
  SELECT CASE WHEN id <= 1000 THEN 1 ELSE 2 + (id - 1001) / 10 END,
    CASE WHEN id <= 1000 THEN id ELSE 1 + (id - 1001) % 10 END, spec_hash,
    json_object('train.seed', id, 'train.batch', 8 << id % 4, 'train.optimizer.adam.rate',
      0.001 * (1 + id % 5)), 0, 'finished', id, 10, 1
  FROM run WHERE id <= 2000;
COMMIT;
