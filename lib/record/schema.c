/* SPDX-License-Identifier: MIT */
/*
 * schema.c - the run database's tables and views, version by version.
 *
 * A database of version n is brought up to date by the steps from n on. A step, once released, is
 * never changed: append.
 */
#include "record/schema.h"

#include <pxr/arena.h>

static const char version_1[] =
        "CREATE TABLE run (\n"
        "  id INTEGER PRIMARY KEY AUTOINCREMENT,\n"
        "  uid TEXT NOT NULL,        -- 8 random hexadecimal digits, part of its folder's name\n"
        "  name TEXT NOT NULL,\n"
        "  status TEXT NOT NULL CHECK (status IN ('running', 'interrupted', 'finished', "
        "'failed')),\n"
        "  message TEXT,             -- why it failed or was interrupted\n"
        "  spec TEXT NOT NULL,       -- resolved, YAML\n"
        "  spec_hash TEXT NOT NULL,  -- SHA-256 of spec\n"
        "  origins TEXT NOT NULL,    -- where every value came from\n"
        "  seed INTEGER NOT NULL,\n"
        "  program_version TEXT NOT NULL,\n"
        "  program_revision TEXT,    -- git revision pxr was built from\n"
        "  git_revision TEXT,        -- of the folder of the spec\n"
        "  git_difference TEXT,      -- not committed there\n"
        "  command_line TEXT,\n"
        "  host TEXT, processor TEXT, instruction_set TEXT, libraries TEXT,\n"
        "  threads INTEGER,\n"
        "  process_id INTEGER, process_start TEXT,\n"
        "  taken INTEGER NOT NULL DEFAULT 0, -- how often it was gone on with\n"
        "  started_at TEXT NOT NULL, finished_at TEXT,\n"
        "  wall_seconds REAL NOT NULL DEFAULT 0,\n"
        "  data_set TEXT NOT NULL,\n"
        "  data_identity TEXT NOT NULL,\n"
        "  data_transforms TEXT,\n"
        "  data_entropy REAL,        -- exact, nats per image, where known\n"
        "  given TEXT,               -- '32x32': NLLs are of images given their small versions\n"
        "  certificate TEXT NOT NULL, -- digest of the causality certificate\n"
        "  parameters INTEGER NOT NULL,\n"
        "  parameter_hash TEXT       -- SHA-256 of the parameters that final_nll is of\n"
        ");\n"
        "CREATE TABLE data_file (\n"
        "  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,\n"
        "  path TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,\n"
        "  PRIMARY KEY (run, path)\n"
        ") WITHOUT ROWID;\n"
        "CREATE TABLE plugin (\n"
        "  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,\n"
        "  name TEXT NOT NULL, version TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL,\n"
        "  PRIMARY KEY (run, name)\n"
        ") WITHOUT ROWID;\n"
        "CREATE TABLE layer (\n"
        "  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,\n"
        "  position INTEGER NOT NULL, path TEXT NOT NULL, kind TEXT NOT NULL,\n"
        "  rows INTEGER NOT NULL, cols INTEGER NOT NULL, channels INTEGER NOT NULL,\n"
        "  parameters INTEGER NOT NULL, multiply_adds REAL NOT NULL,\n"
        "  field_above INTEGER, field_left INTEGER, field_right INTEGER,\n"
        "  PRIMARY KEY (run, position)\n"
        ") WITHOUT ROWID;\n"
        "CREATE TABLE metric (\n"
        "  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,\n"
        "  step INTEGER NOT NULL, epoch REAL NOT NULL,\n"
        "  split TEXT NOT NULL, name TEXT NOT NULL,\n"
        "  value REAL,               -- NULL for an NLL, which is the four columns that follow\n"
        "  sum_nats REAL, sum_squares REAL, images INTEGER, dimensions INTEGER,\n"
        "  standard_error REAL,      -- of nats per image\n"
        "  suspect TEXT,\n"
        "  PRIMARY KEY (run, name, split, step)\n"
        ") WITHOUT ROWID;\n"
        "CREATE TABLE checkpoint (\n"
        "  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,\n"
        "  step INTEGER NOT NULL, epoch REAL NOT NULL,\n"
        "  path TEXT NOT NULL,       -- relative to the database's folder\n"
        "  sha256 TEXT NOT NULL, size INTEGER NOT NULL,\n"
        "  best INTEGER NOT NULL DEFAULT 0, -- 1: the best validation NLL so far\n"
        "  created_at TEXT NOT NULL,\n"
        "  PRIMARY KEY (run, step)\n"
        ") WITHOUT ROWID;\n"
        "CREATE TABLE sample (\n"
        "  id INTEGER PRIMARY KEY,\n"
        "  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,\n"
        "  step INTEGER NOT NULL, epoch REAL NOT NULL,\n"
        "  kind TEXT NOT NULL,       -- 'samples', 'receptive field'\n"
        "  seed INTEGER NOT NULL, count INTEGER NOT NULL,\n"
        "  png BLOB NOT NULL,\n"
        "  UNIQUE (run, kind, step, seed)\n"
        ");\n"
        "CREATE TABLE event (\n"
        "  id INTEGER PRIMARY KEY,\n"
        "  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,\n"
        "  at TEXT NOT NULL, step INTEGER NOT NULL, kind TEXT NOT NULL, message TEXT NOT NULL\n"
        ");\n"
        "CREATE INDEX event_of_run ON event (run);\n"
        "CREATE TABLE published (\n"
        "  \"table\" INTEGER NOT NULL, row TEXT NOT NULL, split TEXT NOT NULL,\n"
        "  value REAL NOT NULL, unit TEXT NOT NULL, source TEXT NOT NULL,\n"
        "  PRIMARY KEY (\"table\", row, split)\n"
        ") WITHOUT ROWID;\n"
        "CREATE VIEW nll AS\n"
        "  SELECT run, step, epoch, split, name,\n"
        "    sum_nats / images AS nats_per_image,\n"
        "    sum_nats / images / dimensions / 0.69314718055994530942 AS bits_per_dimension,\n"
        "    standard_error, images, dimensions, suspect\n"
        "  FROM metric WHERE images > 0;\n"
        "CREATE VIEW learning_curve AS\n"
        "  SELECT run, split, step, epoch, nats_per_image, bits_per_dimension, suspect\n"
        "  FROM nll WHERE name = 'nll' ORDER BY run, split, step;\n"
        "CREATE VIEW run_nll AS\n"
        "  SELECT run.id AS run, run.name, run.status, nll.split, nll.nats_per_image,\n"
        "    nll.bits_per_dimension, nll.standard_error, run.data_entropy, nll.images, nll.step,\n"
        "    nll.epoch, nll.suspect, run.data_set, run.data_identity, run.given\n"
        "  FROM run JOIN nll ON nll.run = run.id AND nll.name = 'final_nll';\n"
        "CREATE VIEW best_run AS\n"
        "  SELECT data_set, data_identity, given, split, run, name, min(nats_per_image) AS\n"
        "    nats_per_image, bits_per_dimension, standard_error\n"
        "  FROM run_nll WHERE suspect IS NULL GROUP BY data_identity, given, split;\n";

/* What people tell an NLL in: nats per image of grey images, bits per dimension of those in colour.
 */
#define DIMENSIONS "coalesce(test.dimensions, valid.dimensions)"
#define GREY "coalesce(nullif(image_colours, 0) = 1, " DIMENSIONS " % 3)"
#define NATS_OF_UNIT "CASE WHEN " GREY " THEN 1 ELSE " DIMENSIONS " * 0.69314718055994530942 END"

/* Sweeps and their jobs (jobs.h). sweep_result is for people and their reports: keep its columns.
 */
#define SWEEPS                                                                                    \
        "CREATE TABLE sweep (\n"                                                                  \
        "  id INTEGER PRIMARY KEY AUTOINCREMENT,\n"                                               \
        "  name TEXT NOT NULL UNIQUE,\n"                                                          \
        "  definition TEXT NOT NULL, -- resolved, YAML, as it was read last\n"                    \
        "  search TEXT NOT NULL,     -- 'grid', 'random', 'halving'\n"                            \
        "  created_at TEXT NOT NULL\n"                                                            \
        ");\n"                                                                                    \
        "CREATE TABLE job (\n"                                                                    \
        "  id INTEGER PRIMARY KEY AUTOINCREMENT,\n"                                               \
        "  sweep INTEGER NOT NULL REFERENCES sweep ON DELETE CASCADE,\n"                          \
        "  number INTEGER NOT NULL,  -- in the sweep, from 1; stays\n"                            \
        "  spec_hash TEXT NOT NULL,  -- run.spec_hash of its run\n"                               \
        "  varied TEXT NOT NULL,     -- JSON: what sets it apart, {key: value}\n"                 \
        "  rung INTEGER NOT NULL,    -- of successive halving; else 0\n"                          \
        "  wanted INTEGER NOT NULL DEFAULT 1, -- 0: no longer in the sweep's file\n"              \
        "  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', "         \
        "'finished', 'failed')),\n"                                                               \
        "  run INTEGER REFERENCES run ON DELETE SET NULL,\n"                                      \
        "  failures INTEGER NOT NULL DEFAULT 0,\n"                                                \
        "  message TEXT,             -- of the last failure\n"                                    \
        "  seconds REAL NOT NULL DEFAULT 0, -- that it has taken so far, failures and all\n"      \
        "  taken INTEGER NOT NULL DEFAULT 0, -- how often it was taken up\n"                      \
        "  host TEXT, process_id INTEGER, process_start TEXT, -- the pxr-sweep that has it\n"     \
        "  UNIQUE (sweep, number), UNIQUE (sweep, spec_hash)\n"                                   \
        ");\n"                                                                                    \
        "CREATE INDEX job_of_run ON job (run);\n"                                                 \
        "CREATE VIEW sweep_result AS\n"                                                           \
        "  SELECT sweep.name AS sweep, job.number AS job, job.rung, job.state, job.varied,\n"     \
        "    job.run, final.nats_per_image AS valid_nats,\n"                                      \
        "    final.bits_per_dimension AS valid_bits, final.standard_error, final.epoch,\n"        \
        "    (SELECT min(nats_per_image) FROM nll WHERE nll.run = job.run AND nll.name = 'nll'\n" \
        "      AND nll.split = 'valid') AS best_valid_nats,\n"                                    \
        "    final.suspect, job.failures, job.seconds, job.message\n"                             \
        "  FROM sweep JOIN job ON job.sweep = sweep.id AND job.wanted\n"                          \
        "  LEFT JOIN nll AS final ON final.run = job.run AND final.name = 'final_nll'\n"          \
        "    AND final.split = 'valid'\n"                                                         \
        "  ORDER BY sweep.id, job.number;\n"

/* Where in the images the nats are: the mean of each value's over the images of the newest
 * evaluation of a split, in the end that of the result. The values add up to the nats per image. */
#define NLL_MAP                                                                       \
        "CREATE TABLE nll_map (\n"                                                    \
        "  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,\n"                  \
        "  split TEXT NOT NULL,\n"                                                    \
        "  step INTEGER NOT NULL, epoch REAL NOT NULL,\n"                             \
        "  images INTEGER NOT NULL,  -- that were evaluated\n"                        \
        "  rows INTEGER NOT NULL, cols INTEGER NOT NULL, colours INTEGER NOT NULL,\n" \
        "  nats BLOB NOT NULL,       -- [row][col][colour], float32, little-endian\n" \
        "  UNIQUE (run, split)\n"                                                     \
        ");\n"

/* A guess at a model's family by the names of its layers, as it was before it was on record: of the
 * layer it has beside convolutions, if any. */
#define MODEL_BY_NAMES                                                                           \
        "(SELECT CASE kind WHEN 'row_lstm' THEN 'row' WHEN 'diagonal_bilstm' THEN "              \
        "'diagonal'\n"                                                                           \
        "       WHEN 'conv' THEN 'pixelcnn' ELSE kind END FROM layer WHERE layer.run = run.id\n" \
        "       AND kind NOT IN ('multi_scale', 'relu', 'repeat', 'residual', 'sigmoid', "       \
        "'skip',\n"                                                                              \
        "         'skip_connections', 'softmax')\n"                                              \
        "       ORDER BY kind = 'conv', multiply_adds DESC, position LIMIT 1)"

/* One row a run. The columns are for people's conditions: keep their names. */
#define RUN_SUMMARY(model_, more_)                                                               \
        "CREATE VIEW run_summary AS\n"                                                           \
        "  SELECT run.id AS run, run.name, run.status,\n"                                        \
        "    " model_ " AS model,\n"                                                             \
        "    data_set, given, reproduces_table AS paper_table, reproduces_row AS paper_row, "    \
        "seed,\n"                                                                                \
        "    coalesce(test.split, valid.split) AS split,\n"                                      \
        "    coalesce(test.epoch, valid.epoch, train.epoch) AS epochs,\n"                        \
        "    CASE WHEN " GREY " THEN 'nats' ELSE 'bits' END AS unit,\n"                          \
        "    coalesce(test.sum_nats / test.images, valid.sum_nats / valid.images)\n"             \
        "      / " NATS_OF_UNIT " AS nll,\n"                                                     \
        "    coalesce(test.standard_error, valid.standard_error)\n"                              \
        "      / " NATS_OF_UNIT " AS standard_error,\n"                                          \
        "    valid.sum_nats / valid.images AS valid_nats,\n"                                     \
        "    test.sum_nats / test.images AS test_nats,\n"                                        \
        "    valid.sum_nats / valid.images / valid.dimensions / 0.69314718055994530942\n"        \
        "      AS valid_bits,\n"                                                                 \
        "    test.sum_nats / test.images / test.dimensions / 0.69314718055994530942 AS "         \
        "test_bits,\n"                                                                           \
        "    coalesce(test.suspect, valid.suspect) AS suspect, parameters, wall_seconds,\n"      \
        "    threads, host, started_at, finished_at, program_version, message,\n"                \
        "    (SELECT group_concat(tag, ', ') FROM (SELECT tag FROM tag WHERE tag.run = run.id\n" \
        "      ORDER BY tag)) AS tags, note, archived_at, repeats" more_ "\n"                    \
        "  FROM run\n"                                                                           \
        "  LEFT JOIN metric AS test ON test.run = run.id AND test.name = 'final_nll'\n"          \
        "    AND test.split = 'test'\n"                                                          \
        "  LEFT JOIN metric AS valid ON valid.run = run.id AND valid.name = 'final_nll'\n"       \
        "    AND valid.split = 'valid'\n"                                                        \
        "  LEFT JOIN metric AS train ON train.run = run.id AND train.name = 'nll'\n"             \
        "    AND train.split = 'train' AND train.step = (SELECT max(step) FROM metric AS m\n"    \
        "      WHERE m.run = run.id AND m.name = 'nll' AND m.split = 'train');\n"

/* What the images of a run's model are like, what the run is to reproduce, and what tells runs that
 * differ in their seed alone from others; NULL in runs recorded before. */
static const char version_2[] =
        "ALTER TABLE run ADD COLUMN image_rows INTEGER;\n"
        "ALTER TABLE run ADD COLUMN image_cols INTEGER;\n"
        "ALTER TABLE run ADD COLUMN image_colours INTEGER;\n"
        "ALTER TABLE run ADD COLUMN image_levels INTEGER;\n"
        "ALTER TABLE run ADD COLUMN given_identity TEXT;\n"
        "CREATE VIEW chain_nll AS\n"
        "  WITH RECURSIVE part AS (\n"
        "    SELECT n.*, image_rows * image_cols * image_colours AS dimensions,\n"
        "      run.given_identity AS rest, 'run ' || n.run || ' of ' || image_rows ||\n"
        "      'x' || image_cols || ifnull(' given ' || run.given, '') AS words\n"
        "    FROM run_nll AS n JOIN run ON run.id = n.run\n"
        "    WHERE n.status = 'finished' AND n.suspect IS NULL AND n.split <> 'train'\n"
        "      AND (run.given IS NULL) = (run.given_identity IS NULL)),\n"
        "  chain AS (\n"
        "    SELECT run, name, split, images, nats_per_image, standard_error, rest, words,\n"
        "      1 / 0.69314718055994530942 / dimensions AS bits\n"
        "    FROM part WHERE rest IS NOT NULL\n"
        "    UNION ALL\n"
        "    SELECT chain.run, chain.name, chain.split, chain.images,\n"
        "      chain.nats_per_image + part.nats_per_image,\n"
        "      chain.standard_error + part.standard_error, part.rest,\n"
        "      chain.words || ' + ' || part.words, chain.bits\n"
        "    FROM chain JOIN part ON part.data_identity = chain.rest\n"
        "      AND part.split = chain.split AND part.images = chain.images)\n"
        "  SELECT run, name, split, min(nats_per_image) AS nats_per_image,\n"
        "    nats_per_image * bits AS bits_per_dimension, standard_error, images,\n"
        "    words AS counted\n"
        "  FROM chain WHERE rest IS NULL GROUP BY run, split;\n"
        "ALTER TABLE run ADD COLUMN reproduces_table INTEGER; -- 0: none\n"
        "ALTER TABLE run ADD COLUMN reproduces_row TEXT;\n"
        "ALTER TABLE run ADD COLUMN recipe_hash TEXT; -- SHA-256 of the spec without its seed\n"
        "CREATE INDEX run_of_row ON run (reproduces_table, reproduces_row);\n"
        "ALTER TABLE run ADD COLUMN folder TEXT; -- where it was started: of relative paths\n"
        "ALTER TABLE run ADD COLUMN repeats TEXT; -- uid of the run that it repeats\n"
        "ALTER TABLE run ADD COLUMN archived_at TEXT; -- NULL: it is listed and counted\n"
        "ALTER TABLE run ADD COLUMN note TEXT; -- by its user\n"
        "CREATE INDEX run_of_uid ON run (uid);\n"
        "CREATE TABLE tag (\n"
        "  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,\n"
        "  tag TEXT NOT NULL,        -- without a comma\n"
        "  PRIMARY KEY (run, tag)\n"
        ") WITHOUT ROWID;\n" RUN_SUMMARY(MODEL_BY_NAMES, "") SWEEPS NLL_MAP;

/* Jobs at work elsewhere: when their holder was last heard of, and what a cluster calls it. */
static const char version_3[] =
        "ALTER TABLE job ADD COLUMN seen_at TEXT; -- when its holder last said that it is at work\n"
        "ALTER TABLE job ADD COLUMN task TEXT; -- that has or had it: 'slurm 12_3'; NULL: none\n"
        "CREATE TABLE task_array (\n"
        "  sweep INTEGER NOT NULL REFERENCES sweep ON DELETE CASCADE,\n"
        "  launcher TEXT NOT NULL,   -- 'slurm'\n"
        "  id INTEGER NOT NULL,      -- there\n"
        "  tasks INTEGER NOT NULL,\n"
        "  submitted_at TEXT NOT NULL,\n"
        "  PRIMARY KEY (sweep, launcher, id)\n"
        ") WITHOUT ROWID;\n";

/* Archived runs count nowhere; runs of the same spec are found without going through all.
 *
 * given_identity is the data_identity that the small images of a conditional model have as a set of
 * their own. A chain of such models describes an image by its small version, under a model of that,
 * and then by all its pixels, under a model that is given the small version: the NLLs of the parts,
 * in nats an image, add up. The small version's pixels are among the large one's and so are counted
 * twice, the second time by a model that has been told them. The sum is the length of a code for
 * the image, and an upper bound of the NLL of the distribution that the chain draws from. Bits per
 * dimension divide by the values of the large image alone. Errors add up too, for the images are
 * the same ones. Of several runs that fit the best is taken (of each part, for sums are least where
 * their parts are), and none that is suspect or archived. Not for train, whose images each run may
 * mirror or draw anew. */
static const char version_4[] =
        "CREATE INDEX run_of_spec ON run (spec_hash);\n"
        "DROP VIEW best_run;\n"
        "CREATE VIEW best_run AS\n"
        "  SELECT data_set, data_identity, given, split, run, name, min(nats_per_image) AS\n"
        "    nats_per_image, bits_per_dimension, standard_error\n"
        "  FROM run_nll WHERE suspect IS NULL\n"
        "    AND run IN (SELECT id FROM run WHERE archived_at IS NULL)\n"
        "  GROUP BY data_identity, given, split;\n"
        "DROP VIEW chain_nll;\n"
        "CREATE VIEW chain_nll AS\n"
        "  WITH RECURSIVE part AS (\n"
        "    SELECT n.*, image_rows * image_cols * image_colours AS dimensions,\n"
        "      run.given_identity AS rest, 'run ' || n.run || ' of ' || image_rows ||\n"
        "      'x' || image_cols || ifnull(' given ' || run.given, '') AS words\n"
        "    FROM run_nll AS n JOIN run ON run.id = n.run\n"
        "    WHERE n.status = 'finished' AND n.suspect IS NULL AND n.split <> 'train'\n"
        "      AND (run.given IS NULL) = (run.given_identity IS NULL)\n"
        "      AND run.archived_at IS NULL),\n"
        "  best AS (\n"
        "    SELECT data_identity, split, images, rest, min(nats_per_image) AS nats_per_image,\n"
        "      standard_error, words\n"
        "    FROM part GROUP BY data_identity, split, images, rest),\n"
        "  chain AS (\n"
        "    SELECT run, name, split, images, nats_per_image, standard_error, rest, words,\n"
        "      1 / 0.69314718055994530942 / dimensions AS bits\n"
        "    FROM part WHERE rest IS NOT NULL\n"
        "    UNION ALL\n"
        "    SELECT chain.run, chain.name, chain.split, chain.images,\n"
        "      chain.nats_per_image + best.nats_per_image,\n"
        "      chain.standard_error + best.standard_error, best.rest,\n"
        "      chain.words || ' + ' || best.words, chain.bits\n"
        "    FROM chain JOIN best ON best.data_identity = chain.rest\n"
        "      AND best.split = chain.split AND best.images = chain.images)\n"
        "  SELECT run, name, split, min(nats_per_image) AS nats_per_image,\n"
        "    nats_per_image * bits AS bits_per_dimension, standard_error, images,\n"
        "    words AS counted\n"
        "  FROM chain WHERE rest IS NULL GROUP BY run, split;\n";

#define OF_A_SWEEP                                                                          \
        ",\n"                                                                               \
        "    (SELECT sweep.name FROM job JOIN sweep ON sweep.id = job.sweep\n"              \
        "      WHERE job.run = run.id ORDER BY job.id LIMIT 1) AS sweep,\n"                 \
        "    (SELECT number FROM job WHERE job.run = run.id ORDER BY id LIMIT 1) AS job,\n" \
        "    process_id, process_start"

#define WHAT_IT_VARIED                                                                          \
        ",\n"                                                                                   \
        "    (SELECT group_concat(substr(key, length(rtrim(key, replace(key, '.', ''))) + 1)\n" \
        "      || '=' || value, ' ') FROM json_each((SELECT varied FROM job\n"                  \
        "      WHERE job.run = run.id ORDER BY id LIMIT 1))) AS varied"

/* What run_summary lacked: the sweep and the job that a run is of, and whose process it is. And
 * what tells whether an average of the parameters was used. */
static const char version_5[] =
        "ALTER TABLE run ADD COLUMN raw_parameter_hash TEXT; -- that parameter_hash would be "
        "without train.average; NULL: there is none\n"
        "DROP VIEW run_summary;\n" RUN_SUMMARY(MODEL_BY_NAMES, OF_A_SWEEP);

/* What the texts of a picture of samples say, so that both tell where it comes from; NULL in
 * pictures recorded before, and in those of what is not drawn. */
static const char version_6[] =
        "ALTER TABLE sample ADD COLUMN temperature REAL;\n"
        "ALTER TABLE sample ADD COLUMN parameter_hash TEXT; -- SHA-256 of the parameters\n"
        "ALTER TABLE sample ADD COLUMN log_likelihood REAL; -- nats per image, their mean\n"
        "ALTER TABLE sample ADD COLUMN nll REAL; -- of the model then, nats per image\n"
        "ALTER TABLE sample ADD COLUMN nll_split TEXT; -- of which split that is\n";

/* run_summary tells what the sweep that a run is of varied, so that its runs can be told apart:
 * each key without what its path begins with.
 *
 * The parts of a chain are chosen by their NLL on the validation split, the same runs for each
 * split: what is chosen by the test NLL has none that can be trusted. Only where no run that fits
 * was evaluated on a validation split does the test NLL choose. One that was evaluated on fewer
 * splits than another is not chosen before it, for the chain would have no NLL on the rest. */
/* clang-format off */
static const char version_7[] =
        "DROP VIEW run_summary;\n"
        RUN_SUMMARY(MODEL_BY_NAMES, OF_A_SWEEP WHAT_IT_VARIED)
        "DROP VIEW chain_nll;\n"
        "CREATE VIEW chain_nll AS\n"
        "  WITH RECURSIVE part AS MATERIALIZED (\n"
        "    SELECT n.*, image_rows * image_cols * image_colours AS dimensions,\n"
        "      run.given_identity AS rest, 'run ' || n.run || ' of ' || image_rows ||\n"
        "      'x' || image_cols || ifnull(' given ' || run.given, '') AS words\n"
        "    FROM run_nll AS n JOIN run ON run.id = n.run\n"
        "    WHERE n.status = 'finished' AND n.suspect IS NULL AND n.split <> 'train'\n"
        "      AND (run.given IS NULL) = (run.given_identity IS NULL)\n"
        "      AND run.archived_at IS NULL),\n"
        "  chosen AS MATERIALIZED (\n"
        "    SELECT run FROM (SELECT run, row_number() OVER (PARTITION BY data_identity, rest\n"
        "        ORDER BY count(*) DESC, max(split = 'valid') DESC,\n"
        "          min(CASE WHEN split = 'valid' THEN nats_per_image END), min(nats_per_image),\n"
        "          run) AS place\n"
        "      FROM part GROUP BY run)\n"
        "    WHERE place = 1),\n"
        "  best AS MATERIALIZED (SELECT part.* FROM part JOIN chosen USING (run)),\n"
        "  chain AS (\n"
        "    SELECT run, name, split, images, nats_per_image, standard_error, rest, words,\n"
        "      1 / 0.69314718055994530942 / dimensions AS bits\n"
        "    FROM part WHERE rest IS NOT NULL\n"
        "    UNION ALL\n"
        "    SELECT chain.run, chain.name, chain.split, chain.images,\n"
        "      chain.nats_per_image + best.nats_per_image,\n"
        "      chain.standard_error + best.standard_error, best.rest,\n"
        "      chain.words || ' + ' || best.words, chain.bits\n"
        "    FROM chain JOIN best ON best.data_identity = chain.rest\n"
        "      AND best.split = chain.split AND best.images = chain.images)\n"
        "  SELECT run, name, split, nats_per_image, nats_per_image * bits AS bits_per_dimension,\n"
        "    standard_error, images, words AS counted\n"
        "  FROM (SELECT *, first_value(words) OVER (PARTITION BY run ORDER BY split = 'valid' DESC,\n"
        "      nats_per_image, words) AS way FROM chain WHERE rest IS NULL)\n"
        "  WHERE words = way;\n";
/* clang-format on */

/* What the model computed (model/fingerprint.h); NULL in runs recorded before. And the best run of
 * each data set is chosen by its validation NLL, the same for each split, as the parts of a chain
 * are. */
static const char version_8[] =
        "ALTER TABLE run ADD COLUMN fingerprint_nll REAL; -- of a fixed image, in nats\n"
        "ALTER TABLE run ADD COLUMN fingerprint_gradient REAL; -- magnitudes, a weighted sum\n"
        "ALTER TABLE run ADD COLUMN fingerprint_single REAL; -- of its first pixels, in floats\n"
        "ALTER TABLE run ADD COLUMN fingerprint_version INTEGER; -- of what these are of\n"
        "CREATE INDEX run_of_recipe ON run (recipe_hash);\n"
        "DROP VIEW best_run;\n"
        "CREATE VIEW best_run AS\n"
        "  WITH fit AS (\n"
        "    SELECT * FROM run_nll WHERE suspect IS NULL\n"
        "      AND run IN (SELECT id FROM run WHERE archived_at IS NULL)),\n"
        "  chosen AS (\n"
        "    SELECT run, row_number() OVER (PARTITION BY data_identity, given\n"
        "      ORDER BY max(split = 'valid') DESC,\n"
        "        min(CASE WHEN split = 'valid' THEN nats_per_image END), min(nats_per_image), "
        "run)\n"
        "      AS place FROM fit WHERE split <> 'train' GROUP BY run)\n"
        "  SELECT data_set, data_identity, given, split, run, name, nats_per_image,\n"
        "    bits_per_dimension, standard_error\n"
        "  FROM fit JOIN chosen USING (run) WHERE place = 1;\n";

/* What a model is called is on record with its run (model/model.h) rather than worked out from the
 * names of its layers, among which a layer of one's own in place of an activation changed it. */
static const char version_9[] =
        "ALTER TABLE run ADD COLUMN family TEXT; -- 'pixelcnn', 'row', 'diagonal', or a layer\n"
        "UPDATE run SET family = " MODEL_BY_NAMES ";\n"
        "DROP VIEW run_summary;\n" RUN_SUMMARY("run.family", OF_A_SWEEP WHAT_IT_VARIED);

const char *const pxr_schema_steps[] = { version_1, version_2, version_3, version_4, version_5,
                                         version_6, version_7, version_8, version_9 };

const int pxr_schema_version = PXR_COUNT(pxr_schema_steps);
