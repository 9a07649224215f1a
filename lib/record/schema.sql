-- The run database, except table `run` (run_columns.h). Version 1, of the first release: changes
-- after that release are steps in schema.c.

-- The data set's files as they were read.
CREATE TABLE data_file (
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  path TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,
  PRIMARY KEY (run, path)
) WITHOUT ROWID;

-- The plugins of the run's layers.
CREATE TABLE plugin (
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  name TEXT NOT NULL, version TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL,
  PRIMARY KEY (run, name)
) WITHOUT ROWID;

CREATE TABLE layer (
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  position INTEGER NOT NULL, path TEXT NOT NULL, kind TEXT NOT NULL,
  rows INTEGER NOT NULL, cols INTEGER NOT NULL, channels INTEGER NOT NULL,
  parameters INTEGER NOT NULL, multiply_adds REAL NOT NULL,
  field_above INTEGER, field_left INTEGER, field_right INTEGER, -- receptive field
  PRIMARY KEY (run, position)
) WITHOUT ROWID;

-- NLLs ("nll" during training, "final_nll" of the result) and other values by step. Of the training,
-- the split train, there is at the end of each epoch: nll (the mean over the epoch),
-- images_per_second, data_wait_share, gradient_norm, rate, order_digest; and every train.log steps:
--   step_nll                mean over the images since the row before
--   step_gradient_norm      mean over the steps since the row before, before train.clip
--   step_rate               learning rate of this step
--   step_images_per_second  of the steps since the row before, without evaluation and samples
--   step_seconds            wall time of the run up to this step
CREATE TABLE metric (
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  step INTEGER NOT NULL, epoch REAL NOT NULL,
  split TEXT NOT NULL, name TEXT NOT NULL,
  value REAL,               -- NULL for an NLL, which is the four columns that follow
  sum_nats REAL, sum_squares REAL, images INTEGER, dimensions INTEGER,
  standard_error REAL,      -- of nats per image
  suspect TEXT,             -- why the NLL is impossible or implausible
  PRIMARY KEY (run, name, split, step)
) WITHOUT ROWID;

-- Mean NLL of each value of an image, of the newest evaluation of a split; sums to nats per image.
CREATE TABLE nll_map (
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  split TEXT NOT NULL,
  step INTEGER NOT NULL, epoch REAL NOT NULL,
  images INTEGER NOT NULL,  -- that were evaluated
  rows INTEGER NOT NULL, cols INTEGER NOT NULL, colours INTEGER NOT NULL,
  nats BLOB NOT NULL,       -- [row][col][colour], float32, little-endian
  UNIQUE (run, split)
);

-- NLL of each image of valid and test, of the newest evaluation of all of them in float32: to
-- compare runs image by image.
CREATE TABLE image_nll (
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  split TEXT NOT NULL,
  step INTEGER NOT NULL,
  images INTEGER NOT NULL,
  nats BLOB NOT NULL,       -- [image], float32, little-endian, in the order of the split
  UNIQUE (run, split)
);

CREATE TABLE checkpoint (
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  step INTEGER NOT NULL, epoch REAL NOT NULL,
  path TEXT NOT NULL,       -- relative to the database's folder
  sha256 TEXT NOT NULL, size INTEGER NOT NULL,
  best INTEGER NOT NULL DEFAULT 0, -- 1: the best validation NLL so far
  created_at TEXT NOT NULL,
  PRIMARY KEY (run, step)
) WITHOUT ROWID;

-- Pictures. The columns from temperature on are NULL unless kind is 'samples'.
CREATE TABLE sample (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  step INTEGER NOT NULL, epoch REAL NOT NULL,
  kind TEXT NOT NULL,       -- 'samples', 'receptive field'
  seed INTEGER NOT NULL, count INTEGER NOT NULL,
  png BLOB NOT NULL,
  temperature REAL,
  parameter_hash TEXT,      -- SHA-256 of the parameters
  log_likelihood REAL,      -- nats per image, their mean
  nll REAL,                 -- of the model at that step, nats per image
  nll_split TEXT,           -- the split that nll is of
  UNIQUE (run, kind, step, seed)
);

CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  at TEXT NOT NULL, step INTEGER NOT NULL, kind TEXT NOT NULL, message TEXT NOT NULL
);

CREATE TABLE tag (
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  tag TEXT NOT NULL,        -- without a comma
  PRIMARY KEY (run, tag)
) WITHOUT ROWID;

CREATE TABLE sweep (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  definition TEXT NOT NULL, -- resolved, YAML, as it was read last
  search TEXT NOT NULL,     -- 'grid', 'random', 'halving'
  created_at TEXT NOT NULL
);

-- One job per run of a sweep.
CREATE TABLE job (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sweep INTEGER NOT NULL REFERENCES sweep ON DELETE CASCADE,
  number INTEGER NOT NULL,  -- in the sweep, from 1; never changes
  spec_hash TEXT NOT NULL,  -- run.spec_hash of its run
  varied TEXT NOT NULL,     -- JSON: the keys that set it apart, {key: value}
  rung INTEGER NOT NULL,    -- of successive halving; else 0
  listed INTEGER NOT NULL DEFAULT 1, -- 0: no longer in the sweep's file
  state TEXT NOT NULL DEFAULT 'waiting'
    CHECK (state IN ('waiting', 'running', 'finished', 'failed')),
  run INTEGER REFERENCES run ON DELETE SET NULL,
  failures INTEGER NOT NULL DEFAULT 0,
  message TEXT,             -- of the last failure
  seconds REAL NOT NULL DEFAULT 0, -- spent on it so far, including failures
  claims INTEGER NOT NULL DEFAULT 0, -- how often a process claimed it
  host TEXT, process_id INTEGER, process_start TEXT, -- the pxr-sweep that claimed it last
  seen_at TEXT,             -- last sign of life of that process
  task TEXT,                -- of a cluster: 'slurm 12_3'; NULL: none
  UNIQUE (sweep, number), UNIQUE (sweep, spec_hash)
);

-- Arrays of tasks submitted to a cluster.
CREATE TABLE task_array (
  sweep INTEGER NOT NULL REFERENCES sweep ON DELETE CASCADE,
  launcher TEXT NOT NULL,   -- 'slurm'
  id INTEGER NOT NULL,      -- the launcher's number of it
  tasks INTEGER NOT NULL,
  submitted_at TEXT NOT NULL,
  PRIMARY KEY (sweep, launcher, id)
) WITHOUT ROWID;

CREATE INDEX run_of_uid ON run (uid);
CREATE INDEX run_of_spec ON run (spec_hash);
CREATE INDEX run_of_recipe ON run (recipe_hash);
CREATE INDEX run_of_row ON run (reproduces_table, reproduces_row);
CREATE INDEX event_of_run ON event (run);
CREATE INDEX job_of_run ON job (run);

-- NLLs in the units they are reported in.
CREATE VIEW nll AS
  SELECT run, step, epoch, split, name,
    sum_nats / images AS nats_per_image,
    sum_nats / images / dimensions / 0.69314718055994530942 AS bits_per_dimension,
    standard_error, images, dimensions, suspect
  FROM metric WHERE images > 0;

CREATE VIEW learning_curve AS
  SELECT run, split, step, epoch, nats_per_image, bits_per_dimension, suspect
  FROM nll WHERE name = 'nll' ORDER BY run, split, step;

-- Results: one row per run and split.
CREATE VIEW run_nll AS
  SELECT run.id AS run, run.name, run.status, nll.split, nll.nats_per_image,
    nll.bits_per_dimension, nll.standard_error, run.data_entropy, nll.images, nll.step,
    nll.epoch, nll.suspect, run.data_set, run.data_identity, run.given
  FROM run JOIN nll ON nll.run = run.id AND nll.name = 'final_nll';

-- The best run of each data set, chosen by its validation NLL: the same run for each split. Runs
-- without a validation split are chosen by their test NLL, after all others.
CREATE VIEW best_run AS
  WITH fit AS (
    SELECT * FROM run_nll WHERE suspect IS NULL
      AND run IN (SELECT id FROM run WHERE archived_at IS NULL)),
  chosen AS (
    SELECT run, row_number() OVER (PARTITION BY data_identity, given
      ORDER BY max(split = 'valid') DESC,
        min(CASE WHEN split = 'valid' THEN nats_per_image END), min(nats_per_image), run)
      AS place FROM fit WHERE split <> 'train' GROUP BY run)
  SELECT data_set, data_identity, given, split, run, name, nats_per_image,
    bits_per_dimension, standard_error
  FROM fit JOIN chosen USING (run) WHERE place = 1;

-- NLLs of chains of models: a model of small images, then one or more models that are each given
-- the next smaller version. run.given_identity is the data_identity of the small images as a data
-- set of their own, which links the parts.
--
-- Nats per image of the parts add up, and so do their errors, for the images are the same. The
-- small version's pixels are among the large one's and are counted twice: the sum is the length of
-- a code for the image, an upper bound of the NLL of what the chain draws. Bits per dimension
-- divide by the values of the large image alone.
--
-- The parts are chosen as in best_run, so that the test NLL chooses nothing; a run that was
-- evaluated on fewer splits comes after the others, as its chain would lack a split. The train
-- split is left out: its images may be mirrored or drawn anew in each run.
CREATE VIEW chain_nll AS
  WITH RECURSIVE part AS MATERIALIZED (
    SELECT n.*, image_rows * image_cols * image_colours AS dimensions,
      run.given_identity AS rest, 'run ' || n.run || ' of ' || image_rows ||
      'x' || image_cols || ifnull(' given ' || run.given, '') AS text
    FROM run_nll AS n JOIN run ON run.id = n.run
    WHERE n.status = 'finished' AND n.suspect IS NULL AND n.split <> 'train'
      AND (run.given IS NULL) = (run.given_identity IS NULL)
      AND run.archived_at IS NULL),
  chosen AS MATERIALIZED (
    SELECT run FROM (SELECT run, row_number() OVER (PARTITION BY data_identity, rest
        ORDER BY count(*) DESC, max(split = 'valid') DESC,
          min(CASE WHEN split = 'valid' THEN nats_per_image END), min(nats_per_image),
          run) AS place
      FROM part GROUP BY run)
    WHERE place = 1),
  best AS MATERIALIZED (SELECT part.* FROM part JOIN chosen USING (run)),
  chain AS (
    SELECT run, name, split, images, nats_per_image, standard_error, rest, text,
      1 / 0.69314718055994530942 / dimensions AS bits
    FROM part WHERE rest IS NOT NULL
    UNION ALL
    SELECT chain.run, chain.name, chain.split, chain.images,
      chain.nats_per_image + best.nats_per_image,
      chain.standard_error + best.standard_error, best.rest,
      chain.text || ' + ' || best.text, chain.bits
    FROM chain JOIN best ON best.data_identity = chain.rest
      AND best.split = chain.split AND best.images = chain.images)
  SELECT run, name, split, nats_per_image, nats_per_image * bits AS bits_per_dimension,
    standard_error, images, text AS counted
  FROM (SELECT *, first_value(text) OVER (PARTITION BY run ORDER BY split = 'valid' DESC,
      nats_per_image, text) AS way FROM chain WHERE rest IS NULL)
  WHERE text = way;

-- Jobs with their results, for people and their reports: keep the columns.
CREATE VIEW sweep_result AS
  SELECT sweep.name AS sweep, job.number AS job, job.rung, job.state, job.varied,
    job.run, final.nats_per_image AS valid_nats,
    final.bits_per_dimension AS valid_bits, final.standard_error, final.epoch,
    (SELECT min(nats_per_image) FROM nll WHERE nll.run = job.run AND nll.name = 'nll'
      AND nll.split = 'valid') AS best_valid_nats,
    final.suspect, job.failures, job.seconds, job.message
  FROM sweep JOIN job ON job.sweep = sweep.id AND job.listed
  LEFT JOIN nll AS final ON final.run = job.run AND final.name = 'final_nll'
    AND final.split = 'valid'
  ORDER BY sweep.id, job.number;

-- One row per run; the columns are for people's conditions: keep their names. NLLs of grey images
-- are in nats per image, those of colour images in bits per dimension. Of a run at work there are
-- also progress (the share of its steps that is done), seconds_left, and newest_nll (of the last training
-- images).
CREATE VIEW run_summary AS
  SELECT id AS run, name, status, family AS model, data_set, given,
    reproduces_table AS paper_table, reproduces_row AS paper_row, seed, split, epochs, unit,
    nats / nats_of_unit AS nll, error / nats_of_unit AS standard_error,
    valid_nats, test_nats, valid_bits, test_bits, suspect, parameters, wall_seconds,
    threads, host, started_at, finished_at, program_version, message,
    (SELECT group_concat(tag, ', ') FROM (SELECT tag FROM tag WHERE tag.run = result.id
      ORDER BY tag)) AS tags,
    note, archived_at, repeats,
    (SELECT sweep.name FROM job JOIN sweep ON sweep.id = job.sweep
      WHERE job.run = result.id ORDER BY job.id LIMIT 1) AS sweep,
    (SELECT number FROM job WHERE job.run = result.id ORDER BY job.id LIMIT 1) AS job,
    process_id, process_start,
    CASE status WHEN 'running' THEN 1.0 * steps_done / nullif(steps, 0) END AS progress,
    CASE status WHEN 'running' THEN max(0, seconds_left
      - 86400 * (julianday('now') - julianday(progress_at))) END AS seconds_left,
    CASE status WHEN 'running' THEN train_nats
      / CASE WHEN grey THEN 1
        ELSE image_rows * image_cols * image_colours * 0.69314718055994530942 END
      END AS newest_nll,
    (SELECT group_concat(substr(key, length(rtrim(key, replace(key, '.', ''))) + 1)
      || '=' || value, ' ') FROM json_each((SELECT varied FROM job
      WHERE job.run = result.id ORDER BY job.id LIMIT 1))) AS varied
  FROM (SELECT one.*,
      CASE WHEN grey THEN 'nats' ELSE 'bits' END AS unit,
      CASE WHEN grey THEN 1 ELSE dimensions * 0.69314718055994530942 END AS nats_of_unit
    FROM (SELECT run.*,
        coalesce(test.split, valid.split) AS split,
        coalesce(test.epoch, valid.epoch, train.epoch) AS epochs,
        coalesce(test.sum_nats / test.images, valid.sum_nats / valid.images) AS nats,
        coalesce(test.standard_error, valid.standard_error) AS error,
        coalesce(test.dimensions, valid.dimensions) AS dimensions,
        coalesce(nullif(image_colours, 0) = 1,
          coalesce(test.dimensions, valid.dimensions) % 3) AS grey,
        valid.sum_nats / valid.images AS valid_nats,
        test.sum_nats / test.images AS test_nats,
        valid.sum_nats / valid.images / valid.dimensions / 0.69314718055994530942 AS valid_bits,
        test.sum_nats / test.images / test.dimensions / 0.69314718055994530942 AS test_bits,
        coalesce(test.suspect, valid.suspect) AS suspect
      FROM run
      LEFT JOIN metric AS test ON test.run = run.id AND test.name = 'final_nll'
        AND test.split = 'test'
      LEFT JOIN metric AS valid ON valid.run = run.id AND valid.name = 'final_nll'
        AND valid.split = 'valid'
      LEFT JOIN metric AS train ON train.run = run.id AND train.name = 'nll'
        AND train.split = 'train' AND train.step = (SELECT max(step) FROM metric AS m
          WHERE m.run = run.id AND m.name = 'nll' AND m.split = 'train')) AS one) AS result;
