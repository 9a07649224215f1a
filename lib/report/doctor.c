/* SPDX-License-Identifier: MIT */
/*
 * doctor.c - known signs of a broken experiment, as questions to the database.
 *
 * A check is a query for the runs from ?1 to ?2 that show the sign: the number of each, and what
 * was found. New checks are new rows.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "data/data.h"
#include "report/report.h"
#include "report/row_data.h"
#include "record/cursor.h"
#include "config/options.h"
#include "config/recipe.h"
#include "record/folder.h"
#include "record/run_state.h"

/* `look` ends as a sentence does. */
struct check {
        const char *name, *look, *sql;
};

#define FEW_IMAGES "16" /* so many have more orders than there are ever epochs */

/* clang-format off */
/* Archived runs are not counted, but one that is named is examined. */
#define ASKED "run.id BETWEEN ?1 AND ?2 AND (archived_at IS NULL OR run.id = ?1)"

/* A number of a spec, which is on record in one form: two spaces, the key, its value. */
#define SETTING(key) \
        "(CASE WHEN instr(spec, char(10) || '  " key ": ') > 0 THEN CAST(substr(spec, " \
        "instr(spec, char(10) || '  " key ": ') + length('" key "') + 5, 24) AS REAL) END)"
#define AVERAGE SETTING("average")
#define CLIP SETTING("clip")

/* The result on a split, and the last NLL there: the result, unless that is of an earlier step.
 * CROSS JOIN: run by run, and of each the few rows that are asked for; the other way round would go
 * through all metrics. */
#define FINAL(split_) \
        "CROSS JOIN metric AS " split_ " ON " split_ ".run = run.id " \
        "AND " split_ ".name = 'final_nll' AND " split_ ".split = '" split_ "' " \
        "AND " split_ ".images > 0 "
#define LAST(split_) \
        "CROSS JOIN metric AS " split_ " ON " split_ ".run = run.id " \
        "AND " split_ ".split = '" split_ "' AND " split_ ".images > 0 " \
        "AND (" split_ ".step, " split_ ".name) = (SELECT step, name FROM metric AS m " \
        "WHERE m.run = run.id AND m.name IN ('nll', 'final_nll') AND m.split = '" split_ "' " \
        "ORDER BY step DESC, name LIMIT 1) "

/* A run's layers as they were: hashes of their files, and what they computed. */
#define LAYERS \
        "(SELECT ifnull(group_concat(plugin.name || plugin.sha256), '') FROM plugin " \
        "WHERE plugin.run = run.id) || printf(' %.8g %.8g %.4g', fingerprint_nll, " \
        "fingerprint_gradient, fingerprint_single)"

#define WHOLE "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING" /* a window's frame */

/* The first NLL along the way, 0 where there is none. */
#define FIRST(split_) \
        "coalesce((SELECT f.sum_nats / f.images FROM metric AS f WHERE f.run = run.id " \
        "AND f.name = 'nll' AND f.split = '" split_ "' AND f.images > 0 ORDER BY f.step LIMIT 1), 0)"

static const struct check checks[] = {
        { "suspect",
          "an NLL that cannot be true: look for a leak, a wrong floor, or a training that went "
          "astray (pxr-report show RUN).",
          "SELECT metric.run, split || ' NLL of step ' || max(step) || ': ' || suspect || "
          "printf(' (%s nats/image)', words(sum_nats / images)) "
          "FROM run CROSS JOIN metric ON metric.run = run.id "
          "AND metric.name IN ('nll', 'final_nll') "
          "WHERE " ASKED " AND suspect IS NOT NULL GROUP BY metric.run, split, suspect" },
        /* Computed anew from what is on record: somebody may have changed that. */
        { "worse than uniform",
          "a model that has learnt nothing would do better: is the rate too high, are the levels of "
          "the data what the spec says?",
          "SELECT run.id, printf('%s: %s nats/image, where all values alike have %s', split, "
          "words(sum_nats / images), words(dimensions * ln(image_levels))) "
          "FROM run CROSS JOIN metric ON metric.run = run.id AND metric.name = 'final_nll' "
          "WHERE " ASKED " AND suspect IS NULL AND images > 0 AND image_levels > 1 "
          "AND sum_nats / images > dimensions * ln(image_levels) * 1.000001 GROUP BY run.id" },
        { "better than the floor",
          "no model can have less than the entropy of the data: look for a leak, or for a record "
          "that was changed.",
          "SELECT run.id, printf('%s: %s nats/image, below the entropy of %s', split, "
          "words(sum_nats / images), words(data_entropy)) "
          "FROM run CROSS JOIN metric ON metric.run = run.id AND metric.name = 'final_nll' "
          "AND metric.split <> 'train' "
          "WHERE " ASKED " AND suspect IS NULL AND images > 0 AND given IS NULL "
          "AND sum_nats / images < data_entropy - coalesce(5 * standard_error, 0.05 * data_entropy) "
          "GROUP BY run.id" },
        { "not finite",
          "a rate too high, or a loss that overflows: lower train.optimizer's rate, set train.clip.",
          "SELECT metric.run, metric.name || ' of ' || split || ' at step ' || min(step) "
          "FROM run CROSS JOIN metric ON metric.run = run.id "
          "AND metric.name IN ('nll', 'final_nll', 'gradient_norm') "
          "WHERE " ASKED " AND (abs(coalesce(value, sum_nats)) > 1e300 "
          "OR (value IS NULL AND sum_nats IS NULL)) GROUP BY metric.run" },
        { "no certificate",
          "the model was not proven causal, so its NLL proves nothing: train it anew.",
          "SELECT run.id, 'there is no causality certificate' FROM run "
          "WHERE " ASKED " AND length(trim(certificate)) = 0" },
        { "no result",
          "a run that is said to be finished has a final NLL: it may be from a copy of the "
          "database, or have been changed by hand.",
          "SELECT run.id, 'finished, and no final NLL is on record' FROM run "
          "WHERE " ASKED " AND status = 'finished' AND NOT EXISTS "
          "(SELECT 1 FROM metric WHERE metric.run = run.id AND name = 'final_nll')" },
        { "failed",
          "its message, and the event of that time (pxr-report show RUN).",
          "SELECT run.id, coalesce(message, 'no message') FROM run "
          "WHERE " ASKED " AND status = 'failed'" },
        { "interrupted",
          "pxr-run --resume RUN goes on with it.",
          "SELECT run.id, coalesce(message, 'no message') FROM run "
          "WHERE " ASKED " AND status = 'interrupted'" },
        { "killed",
          "its process is gone and left no message, as after kill -9, for want of memory (dmesg "
          "tells) or when the machine was started anew: pxr-run --resume RUN goes on with it.",
          "SELECT run.id, 'said to be running, as process ' || process_id || ' of this host, "
          "which is no more' FROM run WHERE " ASKED " AND " PXR_RUN_STATE " = 'killed'" },
        { "checkpoint gone",
          "nothing can be drawn or coded with it: put the file back from a copy; pxr-sample and "
          "pxr-codec take the run's other checkpoints too (--checkpoint STEP).",
          /* Of the files there are and their sizes: to hash them all would take long. */
          "SELECT id, printf('%s: the %s checkpoint, of step %d, %s', path, "
          "CASE best WHEN 1 THEN 'best' ELSE 'last' END, max(step), CASE bytes WHEN -1 THEN "
          "'is missing' ELSE printf('has %d bytes instead of %d', bytes, size) END) "
          "FROM (SELECT run.id, path, step, best, size, checkpoint_bytes(path) AS bytes FROM run "
          "CROSS JOIN checkpoint ON checkpoint.run = run.id WHERE " ASKED
          " AND " PXR_RUN_STATE " <> 'running' AND (best OR step = "
          "(SELECT max(step) FROM checkpoint AS c WHERE c.run = run.id))) "
          "WHERE bytes <> size GROUP BY id" },
        { "train worse than test",
          "a model knows what it was trained on: are the splits what they are called, is the "
          "training split mirrored or binarized anew?",
          "SELECT run.id, printf('train %s, test %s nats/image', "
          "words(train.sum_nats / train.images), words(test.sum_nats / test.images)) "
          "FROM run " FINAL("test") FINAL("train")
          "WHERE " ASKED " AND train.sum_nats / train.images > "
          "test.sum_nats / test.images * 1.02 + 5 * coalesce(test.standard_error, 0)" },
        { "train worse than test",
          "a model knows what it was trained on, and in its last epoch nearly as well as in the "
          "end: are the splits what they are called, is the training split mirrored or binarized "
          "anew, was the test split among what it learnt from?",
          /* No model's NLL but the mean of those of an epoch, which got better by as much again as
           * since the epoch before; the average of parameters may be better than all of them. */
          "SELECT run.id, printf('train %s in epoch %.1f, test %s nats/image', "
          "words(train.sum_nats / train.images), train.epoch, "
          "words(test.sum_nats / test.images)) "
          "FROM run " FINAL("test") LAST("train")
          "CROSS JOIN metric AS before ON before.run = run.id AND before.name = 'nll' "
          "AND before.split = 'train' AND before.images > 0 "
          "AND before.step = (SELECT max(step) FROM metric AS m WHERE m.run = run.id "
          "AND m.name = 'nll' AND m.split = 'train' AND m.step < train.step) "
          "WHERE " ASKED " AND NOT EXISTS (SELECT 1 FROM metric AS m WHERE m.run = run.id "
          "AND m.name = 'final_nll' AND m.split = 'train') "
          "AND min(train.sum_nats / train.images, "
          "2 * train.sum_nats / train.images - before.sum_nats / before.images) > "
          "test.sum_nats / test.images * 1.05 + 5 * coalesce(test.standard_error, 0)" },
        { "G and B no cheaper than R",
          "the green of a pixel is told its red, and the blue both: where that is no help, does "
          "the model leave a colour out (the groups of channels, masks B), or are the colours of "
          "the data in another order?",
          "SELECT id, printf('%s: of what a uniform value costs, red takes %.1f %%, green %.1f %%, "
          "blue %.1f %%', split, 100 * red, 100 * green, 100 * blue) "
          "FROM (SELECT run.id, split, colour_share(nats, colours, 0, image_levels) AS red, "
          "colour_share(nats, colours, 1, image_levels) AS green, "
          "colour_share(nats, colours, 2, image_levels) AS blue "
          "FROM run CROSS JOIN nll_map ON nll_map.run = run.id "
          "WHERE " ASKED " AND colours = 3 AND split <> 'train') "
          /* A model that has learnt next to nothing tells nothing of its colours. */
          "WHERE red < 0.9 AND max(green, blue) >= red GROUP BY id" },
        { "epochs repeating one order",
          "each epoch has the images in an order of its own, drawn anew: batches that are always "
          "the same ones are learnt by heart: is the shuffling what it was in this program?",
          "SELECT id, printf('epochs %.0f and %.0f had their images in the same order', first, "
          "second) "
          "FROM (SELECT run.id, min(d.epoch) AS first, max(d.epoch) AS second "
          "FROM run CROSS JOIN metric AS d ON d.run = run.id AND d.name = 'order_digest' "
          "AND d.split = 'train' "
          "CROSS JOIN metric AS n ON n.run = run.id AND n.name = 'nll' AND n.split = 'train' "
          "AND n.step = d.step "
          "WHERE " ASKED " AND n.images >= " FEW_IMAGES " GROUP BY run.id, d.value "
          "HAVING count(*) > 1) GROUP BY id" },
        { "overfitted",
          "the model has learnt its training images by heart: fewer parameters or epochs, "
          "train.patience, data.flip.",
          "SELECT run.id, printf('train %s, valid %s nats/image in the end', "
          "words(train.sum_nats / train.images), words(valid.sum_nats / valid.images)) "
          "FROM run " LAST("train") LAST("valid")
          "WHERE " ASKED " AND valid.sum_nats / valid.images > "
          "train.sum_nats / train.images * 1.1 + 5 * coalesce(valid.standard_error, 0)" },
        { "best long before the end",
          "training went on after the best validation NLL: set train.patience, or fewer epochs.",
          "SELECT run.id, printf('validation: best %s at epoch %.1f, %s at the end, epoch "
          "%.1f', words(best.sum_nats / best.images), best.epoch, "
          "words(valid.sum_nats / valid.images), valid.epoch) "
          "FROM run " LAST("valid")
          "CROSS JOIN metric AS best ON best.run = run.id AND best.split = 'valid' "
          "AND (best.step, best.name) = (SELECT step, name FROM metric AS m "
          "WHERE m.run = run.id AND m.name IN ('nll', 'final_nll') AND m.split = 'valid' "
          "AND m.images > 0 ORDER BY m.sum_nats / m.images LIMIT 1) "
          "WHERE " ASKED " AND best.epoch < 0.75 * valid.epoch AND valid.sum_nats / valid.images > "
          "best.sum_nats / best.images + 2 * coalesce(valid.standard_error, 0)" },
        { "learnt nothing",
          "no validation NLL is better than the first ones by more than half a percent: is the "
          "rate too low or too high, is a layer cut off?",
          /* What is near the entropy had nothing left to learn. The mean of the first epoch's
           * training is of models from the untrained one on. */
          "SELECT id, printf('%s nats/image at first, validation %s at best', words(start), "
          "words(best)) "
          "FROM (SELECT run.id, data_entropy, count(DISTINCT m.step) AS counted, "
          "min(m.sum_nats / m.images) AS best, max(" FIRST("valid") ", " FIRST("train") ") AS start "
          "FROM run CROSS JOIN metric AS m ON m.run = run.id AND m.name IN ('nll', 'final_nll') "
          "AND m.split = 'valid' AND m.images > 0 WHERE " ASKED " GROUP BY run.id) "
          "WHERE counted > 1 AND best > 0.995 * start "
          "AND (data_entropy IS NULL OR best > 1.02 * data_entropy)" },
        { "training unstable",
          "the training NLL rose by more than a tenth from one epoch to the next: lower the rate, "
          "set train.clip or train.warm_up.",
          "SELECT id, printf('train: from %s to %s nats/image at epoch %.1f', words(before), "
          "words(nats), epoch) "
          "FROM (SELECT run.id, epoch, sum_nats / images AS nats, "
          "lag(sum_nats / images) OVER (PARTITION BY run.id ORDER BY step) AS before "
          "FROM run CROSS JOIN metric ON metric.run = run.id AND metric.name = 'nll' "
          "AND metric.split = 'train' AND images > 0 WHERE " ASKED ") "
          "WHERE nats > before * 1.1 GROUP BY id" },
        { "loss spike",
          "the batch of a step cost far more than those before it: the parameters jumped, and part of "
          "what was learnt was lost. Set train.clip to about twice the usual gradient norm, lower the "
          "rate, or raise train.warm_up.",
          "SELECT run.id, printf('%d on record; the first: %s', count(*), (SELECT message FROM event AS e "
          "WHERE e.run = run.id AND e.kind = 'spike' ORDER BY e.step LIMIT 1)) "
          "FROM run CROSS JOIN event ON event.run = run.id AND event.kind = 'spike' "
          "WHERE " ASKED " GROUP BY run.id" },
        { "average never used",
          "the result is of the same parameters as without train.average: they were not averaged, "
          "or what was evaluated was not the average: was this program changed?",
          "SELECT run.id, printf('train.average %g, and the parameters of the result are those of "
          "the last step', " AVERAGE ") FROM run "
          "WHERE " ASKED " AND status = 'finished' AND " AVERAGE " > 0 AND parameters > 0 "
          "AND parameter_hash = raw_parameter_hash" },
        { "average too slow",
          "the average of the parameters reaches further back than the training: what was "
          "evaluated is in part the untrained model; lower train.average.",
          "SELECT run.id, printf('train.average %g remembers some %.0f steps, and there were %d', "
          AVERAGE ", 1 / (1 - " AVERAGE "), valid.step) "
          "FROM run " FINAL("valid")
          "WHERE " ASKED " AND " AVERAGE " > 0 AND valid.step > 0 "
          "AND valid.step * (1 - " AVERAGE ") < 3" },
        { "always clipped",
          "nearly every gradient was cut: the rate in effect is another than the one that was "
          "set; raise train.clip or lower the rate.",
          "SELECT id, printf('%d of %d gradient norms on record are over train.clip %g', over, "
          "counted, clip) "
          "FROM (SELECT run.id, sum(value > " CLIP ") AS over, count(*) AS counted, "
          CLIP " AS clip FROM run CROSS JOIN metric ON metric.run = run.id "
          "AND metric.name = 'gradient_norm' WHERE " ASKED " AND " CLIP " > 0 GROUP BY run.id) "
          "WHERE counted > 4 AND over > 0.9 * counted" },
        { "cannot see all",
          "an LSTM, and the models of the paper, can take into account nearly all that is above a "
          "pixel: more layers or larger kernels (the receptive field is among the run's "
          "pictures).",
          /* Other models may be small because they are meant to be. */
          "SELECT run.id, printf('sees %d rows above and %d columns to the left, of %d x %d', "
          "max(field_above), max(field_left), image_rows, image_cols) "
          "FROM run CROSS JOIN layer ON layer.run = run.id "
          "WHERE " ASKED " AND image_rows > 0 AND given IS NULL GROUP BY run.id "
          "HAVING max(field_above) < image_rows / 2 "
          "AND (reproduces_table > 0 OR family IN ('row', 'diagonal'))" },
        { "not the same bits",
          "the same spec, seed, data, program, layers and instruction set gave other numbers: memory "
          "at fault, another library, or a race.",
          "SELECT max(id), printf('runs %d and %d should be the same to the bit: test %.15g and "
          "%.15g nats/image', lowest, highest, min(nats), max(nats)) "
          "FROM (SELECT run.id, sum_nats / images AS nats, first_value(run.id) OVER alike AS lowest, "
          "last_value(run.id) OVER alike AS highest, spec_hash, data_identity, program_revision, "
          "instruction_set, libraries, " LAYERS " AS layers "
          "FROM run CROSS JOIN metric ON metric.run = run.id AND metric.name = 'final_nll' "
          "AND metric.split = 'test' "
          "WHERE spec_hash IN (SELECT spec_hash FROM run WHERE " ASKED ") "
          "AND (archived_at IS NULL OR run.id = ?1) "
          "AND images > 0 AND program_revision NOT LIKE '%dirty' "
          "WINDOW alike AS (PARTITION BY spec_hash, data_identity, program_revision, "
          "instruction_set, libraries, " LAYERS " ORDER BY sum_nats / images, run.id " WHOLE ")) "
          "GROUP BY spec_hash, data_identity, program_revision, instruction_set, libraries, layers "
          "HAVING min(nats) <> max(nats) AND ?1 <= max(id) AND ?2 >= min(id)" },
        { "one spec, two models",
          "a layer was edited between the runs: their results are of two models and have no mean "
          "(pxr-report compare RUN RUN tells the layers' files).",
          "SELECT max(id), printf('runs %d and %d: the same spec, whose layers compute something "
          "else: a fixed image has from %.10g to %.10g nats, its gradient sums to from %.10g to "
          "%.10g, in single precision its first pixels have from %.7g to %.7g', lowest, highest, "
          "min(nll), max(nll), min(gradient), max(gradient), min(single), max(single)) "
          "FROM (SELECT run.id, recipe_hash, data_identity, fingerprint_version, "
          "fingerprint_nll AS nll, fingerprint_gradient AS gradient, fingerprint_single AS single, "
          "first_value(run.id) OVER alike AS lowest, last_value(run.id) OVER alike AS highest "
          "FROM run WHERE recipe_hash IN (SELECT recipe_hash FROM run WHERE " ASKED ") "
          "AND (archived_at IS NULL OR run.id = ?1) AND fingerprint_nll IS NOT NULL "
          "WINDOW alike AS (PARTITION BY recipe_hash, data_identity, fingerprint_version "
          "ORDER BY round(fingerprint_nll, 6), round(fingerprint_gradient, 6), fingerprint_single, "
          "run.id " WHOLE ")) GROUP BY recipe_hash, data_identity, fingerprint_version "
          "HAVING (max(nll) - min(nll) > 1e-9 * max(abs(max(nll)), abs(min(nll))) "
          "OR max(gradient) - min(gradient) > 1e-9 * max(gradient) "
          "OR max(single) - min(single) > 1e-5 * max(abs(max(single)), abs(min(single)))) "
          "AND ?1 <= max(id) AND ?2 >= min(id)" },
        { "made of uncommitted code",
          "the program was built from a tree with changes that are in no revision: the run "
          "cannot be made again from the revision on record.",
          "SELECT run.id, 'program revision ' || program_revision FROM run "
          "WHERE " ASKED " AND program_revision LIKE '%dirty'" },
};
/* clang-format on */

/* colour_share(nats, colours, colour, levels): of a map of nats, what a value of that colour has on
 * average, as a share of what it had if all levels were as likely as each other. */
static void colour_share(sqlite3_context *context, int count, sqlite3_value **value)
{
        const uint8_t *bytes = sqlite3_value_blob(value[0]);
        int values = sqlite3_value_bytes(value[0]) / 4, colours = sqlite3_value_int(value[1]);
        int levels = sqlite3_value_int(value[3]);
        double sum = 0;

        (void)count;
        if (!bytes || colours < 1 || values < colours || levels < 2)
                return; /* NULL */
        for (int i = sqlite3_value_int(value[2]); i < values; i += colours)
                sum += pxr_nll_map_value(bytes, i);
        sqlite3_result_double(context, sum / (values / colours) / log(levels));
}

/* words(nats): an NLL as people are shown it. */
static void words(sqlite3_context *context, int count, sqlite3_value **value)
{
        char text[PXR_NUMBER_TEXT];

        (void)count;
        if (sqlite3_value_type(value[0]) != SQLITE_NULL)
                sqlite3_result_text(context,
                                    pxr_number_text(sqlite3_value_double(value[0]), 3, text), -1,
                                    SQLITE_TRANSIENT);
}

/* checkpoint_bytes(path): of the file there is, -1 where it is missing. */
static void checkpoint_bytes(sqlite3_context *context, int count, sqlite3_value **value)
{
        const struct pxr_store *store = sqlite3_user_data(context);
        const char *path = (const char *)sqlite3_value_text(value[0]);

        (void)count;
        sqlite3_result_int64(context, path ? pxr_checkpoint_bytes(store->path, path) : -1);
}

enum { CHECKS = PXR_COUNT(checks) };

enum { MOST_OF_A_CHECK = 20 };

/* Of the runs that are asked about. */
struct range {
        int64_t first, last;
};

static void add_finding(struct pxr_table *table, int64_t run, const char *check,
                        const char *finding, const char *look)
{
        struct pxr_cell *cell = pxr_table_row(table);

        cell[0] = pxr_integer_cell(run);
        cell[1] = pxr_text_cell(table, check);
        cell[2] = pxr_text_cell(table, finding);
        cell[3] = pxr_text_cell(table, look);
}

/* What to look at is said once a check: a column of it would be wider than any screen. */
static void note_look(struct pxr_table *table, const char *check, const char *look, size_t found)
{
        if (found > 0)
                pxr_table_note(table, NULL, "%s: %s", check, look);
        if (found > MOST_OF_A_CHECK)
                pxr_table_note(table, NULL, "%s: shown by %zu more run%s.", check,
                               found - MOST_OF_A_CHECK, found == MOST_OF_A_CHECK + 1 ? "" : "s");
}

static int examine(struct pxr_arena *arena, struct pxr_store *store, const struct check *check,
                   struct range range, struct pxr_table *table, struct pxr_diag *diag)
{
        struct pxr_cursor rows =
                pxr_query(store, arena, diag, check->sql, "ii", range.first, range.last);
        size_t found = 0;

        while (pxr_cursor_next(&rows))
                if (found++ < MOST_OF_A_CHECK)
                        add_finding(table, pxr_cursor_integer(&rows, 0), check->name,
                                    pxr_cursor_text(&rows, 1), check->look);
        note_look(table, check->name, check->look, found);
        return pxr_cursor_end(&rows);
}

/* --- the paper's rows --------------------------------------------------------------------------
 */

static const char row_look[] =
        "the run is in no table of the paper: a row is named as the paper names it, and its data "
        "are the whole official set (pxr-data verify).";

struct claim {
        int64_t run, table, images;
        const char *row, *set, *identity, *transforms;
};

/* Why a run that says it reproduces a row is not in the table; *reason NULL: it may be. */
static int judge(struct pxr_arena *arena, struct pxr_store *store, const struct pxr_paper *paper,
                 const struct claim *claim, const char **reason, struct pxr_diag *diag)
{
        const struct pxr_paper_table *table = pxr_paper_find(paper, claim->table, NULL);
        const struct pxr_paper_row *row = NULL;
        struct pxr_row_data data = { claim->run, claim->set, claim->identity, claim->transforms,
                                     claim->images };
        const char *nearest;

        if (table && claim->row)
                row = pxr_paper_row(table, claim->row);
        if (row) {
                if (claim->images == 0) /* no result yet */
                        data.images = table->images;
                return pxr_row_data_misfit(arena, store, table, row, &data, reason, diag);
        }
        nearest = table && claim->row ? pxr_paper_nearest(table, claim->row) : NULL;
        if (!table)
                *reason = pxr_strf(arena, "reproduces table %d, of which no rows are known",
                                   (int)claim->table);
        else if (nearest)
                *reason = pxr_strf(arena, "table %d has no row '%s'; did it mean '%s'?",
                                   (int)claim->table, claim->row, nearest);
        else
                *reason = pxr_strf(arena, "table %d has no row '%s'", (int)claim->table,
                                   claim->row ? claim->row : "");
        return *reason ? 0 : pxr_out_of_memory(diag);
}

/* "CASE reproduces_table WHEN 4 THEN 'test' ... END": the split that each table is of. NULL when
 * memory is out. */
static const char *split_of_table(struct pxr_arena *arena, const struct pxr_paper *paper)
{
        const char *text = "CASE reproduces_table WHEN 0 THEN ''";

        for (const struct pxr_paper_table *table = paper->table; text && table; table = table->next)
                text = pxr_strf(arena, "%s WHEN %" PRId64 " THEN '%s'", text, table->table,
                                pxr_split_names[table->split]);
        return text ? pxr_strf(arena, "%s END", text) : NULL;
}

static const char *claims_text(struct pxr_arena *arena, const struct pxr_paper *paper)
{
        const char *split = split_of_table(arena, paper);

        return split ? pxr_strf(arena,
                                "SELECT run.id, reproduces_table, reproduces_row, data_set, "
                                "data_identity, "
                                "data_transforms, coalesce((SELECT max(images) FROM metric WHERE "
                                "metric.run = run.id AND name = 'final_nll' AND split = %s), 0) AS "
                                "images "
                                "FROM run WHERE reproduces_table > 0 AND " ASKED
                                " ORDER BY 2, 3, 5, 7, 1",
                                split)
                     : NULL;
}

static int examine_rows(struct pxr_arena *arena, struct pxr_store *store,
                        const struct pxr_paper *paper, struct range range, struct pxr_table *table,
                        struct pxr_diag *diag)
{
        const char *claims = claims_text(arena, paper);
        struct pxr_cursor rows;
        size_t found = 0;

        if (!claims)
                return pxr_out_of_memory(diag);
        rows = pxr_query(store, arena, diag, claims, "ii", range.first, range.last);
        while (pxr_cursor_next(&rows)) {
                struct claim claim = { pxr_cursor_integer(&rows, 0),  pxr_cursor_integer(&rows, 1),
                                       pxr_cursor_integer(&rows, 6),  pxr_cursor_optional(&rows, 2),
                                       pxr_cursor_optional(&rows, 3), pxr_cursor_optional(&rows, 4),
                                       pxr_cursor_optional(&rows, 5) };

                const char *reason = NULL;

                if (pxr_arena_failed(arena))
                        break;
                if (judge(arena, store, paper, &claim, &reason, diag)) {
                        pxr_cursor_end(&rows);
                        return -1;
                }
                if (reason && found++ < MOST_OF_A_CHECK)
                        add_finding(table, claim.run, "not the paper's row", reason, row_look);
        }
        note_look(table, "not the paper's row", row_look, found);
        return pxr_cursor_end(&rows);
}

struct pxr_table *pxr_report_doctor(struct pxr_arena *arena, struct pxr_store *store,
                                    const struct pxr_paper *paper, const char *which,
                                    struct pxr_diag *diag)
{
        static const struct pxr_column columns[] = { { "run", "Run", PXR_IF_FILLED },
                                                     { "check", "Check", PXR_IF_FILLED },
                                                     { "finding", "Found", PXR_IF_FILLED },
                                                     { "look", "Look at", PXR_TO_PROGRAMS } };
        struct pxr_table *table = pxr_table_new(arena, "doctor", "Signs of trouble", columns, 4);
        const struct pxr_run *run = NULL;
        struct range range = { 0, INT64_MAX };

        if (!table) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        if (which && !(run = pxr_store_find_run(store, arena, which, diag)))
                return NULL;
        if (run)
                range = (struct range) { run->id, run->id };
        sqlite3_create_function(store->handle, "colour_share", 4, SQLITE_UTF8, NULL, colour_share,
                                NULL, NULL);
        sqlite3_create_function(store->handle, "words", 1, SQLITE_UTF8, NULL, words, NULL, NULL);
        sqlite3_create_function(store->handle, "checkpoint_bytes", 1, SQLITE_UTF8, store,
                                checkpoint_bytes, NULL, NULL);
        for (int i = 0; i < CHECKS; i++)
                if (examine(arena, store, &checks[i], range, table, diag))
                        return NULL;
        if (examine_rows(arena, store, paper, range, table, diag))
                return NULL;
        if (table->rows == 0)
                pxr_table_note(table, NULL, "None of the %d known signs was found.", CHECKS + 1);
        return pxr_table_finish(table, diag) ? NULL : table;
}
