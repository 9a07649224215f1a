/* SPDX-License-Identifier: MIT */
/*
 * doctor.c - known signs of a broken experiment, as questions to the database.
 *
 * A check is a query for the runs from ?1 to ?2 that show the sign: the number of each, and what
 * was found. New checks are new rows. Uses store/, paper.h, row_data.h.
 */
#include <string.h>

#include "report/report.h"
#include "report/row_data.h"
#include "report/rows.h"
#include "spec/options.h"
#include "spec/recipe.h"
#include "store/run_state.h"

struct check {
        const char *name, *look, *sql;
};

/* clang-format off */
/* Archived runs are not counted, but one that is named is examined. */
#define ASKED "run.id BETWEEN ?1 AND ?2 AND (archived_at IS NULL OR run.id = ?1)"

/* A number of a spec, which is on record in one form: two spaces, the key, its value. */
#define SETTING(key) \
        "(CASE WHEN instr(spec, char(10) || '  " key ": ') > 0 THEN CAST(substr(spec, " \
        "instr(spec, char(10) || '  " key ": ') + length('" key "') + 5, 24) AS REAL) END)"
#define AVERAGE SETTING("average")
#define CLIP SETTING("clip")

/* The result on a split, and the NLL there along the way that was last. CROSS JOIN: run by run, and
 * of each the few rows that are asked for; the other way round would go through all metrics. */
#define FINAL(split_) \
        "CROSS JOIN metric AS " split_ " ON " split_ ".run = run.id " \
        "AND " split_ ".name = 'final_nll' AND " split_ ".split = '" split_ "' " \
        "AND " split_ ".images > 0 "
#define LAST(split_) \
        "CROSS JOIN metric AS " split_ " ON " split_ ".run = run.id AND " split_ ".name = 'nll' " \
        "AND " split_ ".split = '" split_ "' AND " split_ ".images > 0 " \
        "AND " split_ ".step = (SELECT max(step) FROM metric AS m WHERE m.run = run.id " \
        "AND m.name = 'nll' AND m.split = '" split_ "') "

static const struct check checks[] = {
        { "suspect",
          "an NLL that cannot be true: look for a leak, a wrong floor, or a training that went "
          "astray (pxr-report show RUN)",
          "SELECT metric.run, split || ' NLL of step ' || max(step) || ': ' || suspect || "
          "printf(' (%.3f nats/image)', sum_nats / images) "
          "FROM run CROSS JOIN metric ON metric.run = run.id "
          "AND metric.name IN ('nll', 'final_nll') "
          "WHERE " ASKED " AND suspect IS NOT NULL GROUP BY metric.run, split, suspect" },
        { "not finite",
          "a rate too high, or a loss that overflows: lower train.optimizer's rate, set train.clip",
          "SELECT metric.run, metric.name || ' of ' || split || ' at step ' || min(step) "
          "FROM run CROSS JOIN metric ON metric.run = run.id "
          "AND metric.name IN ('nll', 'final_nll', 'gradient_norm') "
          "WHERE " ASKED " AND (abs(coalesce(value, sum_nats)) > 1e300 "
          "OR (value IS NULL AND sum_nats IS NULL)) GROUP BY metric.run" },
        { "no certificate",
          "the model was not proven causal, so its NLL proves nothing: train it anew",
          "SELECT run.id, 'there is no causality certificate' FROM run "
          "WHERE " ASKED " AND length(trim(certificate)) = 0" },
        { "no result",
          "a run that is said to be finished has a final NLL: it may be from a copy of the "
          "database, or have been changed by hand",
          "SELECT run.id, 'finished, and no final NLL is on record' FROM run "
          "WHERE " ASKED " AND status = 'finished' AND NOT EXISTS "
          "(SELECT 1 FROM metric WHERE metric.run = run.id AND name = 'final_nll')" },
        { "failed",
          "its message, and the event of that time (pxr-report show RUN)",
          "SELECT run.id, coalesce(message, 'no message') FROM run "
          "WHERE " ASKED " AND status = 'failed'" },
        { "interrupted",
          "pxr-run --resume RUN goes on with it",
          "SELECT run.id, coalesce(message, 'no message') FROM run "
          "WHERE " ASKED " AND status = 'interrupted'" },
        { "killed",
          "its process is gone and left no message, as after kill -9, for want of memory (dmesg "
          "tells) or when the machine was started anew: pxr-run --resume RUN goes on with it",
          "SELECT run.id, 'said to be running, as process ' || process_id || ' of this host, "
          "which is no more' FROM run WHERE " ASKED " AND " PXR_RUN_STATE " = 'killed'" },
        { "train worse than test",
          "a model knows what it was trained on: are the splits what they are called, is the "
          "training split mirrored or binarized anew?",
          "SELECT run.id, printf('train %.3f, test %.3f nats/image', "
          "train.sum_nats / train.images, test.sum_nats / test.images) "
          "FROM run " FINAL("test") FINAL("train")
          "WHERE " ASKED " AND train.sum_nats / train.images > "
          "test.sum_nats / test.images * 1.02 + 5 * coalesce(test.standard_error, 0)" },
        { "overfitted",
          "the model has learnt its training images by heart: fewer parameters or epochs, "
          "train.patience, data.flip",
          "SELECT run.id, printf('train %.3f, valid %.3f nats/image in the end', "
          "train.sum_nats / train.images, valid.sum_nats / valid.images) "
          "FROM run " LAST("train") LAST("valid")
          "WHERE " ASKED " AND valid.sum_nats / valid.images > "
          "train.sum_nats / train.images * 1.1 + 5 * coalesce(valid.standard_error, 0)" },
        { "best long before the end",
          "training went on after the best validation NLL: set train.patience, or fewer epochs",
          "SELECT run.id, printf('validation: best %.3f at epoch %.1f, %.3f at the end, epoch "
          "%.1f', best.sum_nats / best.images, best.epoch, valid.sum_nats / valid.images, "
          "valid.epoch) "
          "FROM run " LAST("valid")
          "CROSS JOIN metric AS best ON best.run = run.id AND best.name = 'nll' "
          "AND best.split = 'valid' AND best.step = (SELECT step FROM metric AS m "
          "WHERE m.run = run.id AND m.name = 'nll' AND m.split = 'valid' "
          "ORDER BY m.sum_nats / m.images LIMIT 1) "
          "WHERE " ASKED " AND best.epoch < 0.75 * valid.epoch AND valid.sum_nats / valid.images > "
          "best.sum_nats / best.images + 2 * coalesce(valid.standard_error, 0)" },
        { "learnt nothing",
          "the last validation NLL is no better than the first: is the rate too low or too high, "
          "is a layer cut off?",
          "SELECT run.id, printf('validation: %.3f nats/image at first, %.3f in the end', "
          "first.sum_nats / first.images, valid.sum_nats / valid.images) "
          "FROM run " LAST("valid")
          "CROSS JOIN metric AS first ON first.run = run.id AND first.name = 'nll' "
          "AND first.split = 'valid' AND first.step = (SELECT min(step) FROM metric AS m "
          "WHERE m.run = run.id AND m.name = 'nll' AND m.split = 'valid') "
          "WHERE " ASKED " AND valid.step > first.step "
          "AND valid.sum_nats / valid.images >= first.sum_nats / first.images" },
        { "training unstable",
          "the training NLL rose by more than a tenth from one epoch to the next: lower the rate, "
          "set train.clip or train.warm_up",
          "SELECT id, printf('train: from %.3f to %.3f nats/image at epoch %.1f', before, nats, "
          "epoch) "
          "FROM (SELECT run.id, epoch, sum_nats / images AS nats, "
          "lag(sum_nats / images) OVER (PARTITION BY run.id ORDER BY step) AS before "
          "FROM run CROSS JOIN metric ON metric.run = run.id AND metric.name = 'nll' "
          "AND metric.split = 'train' AND images > 0 WHERE " ASKED ") "
          "WHERE nats > before * 1.1 GROUP BY id" },
        { "average too slow",
          "the average of the parameters reaches further back than the training: what was "
          "evaluated is in part the untrained model; lower train.average",
          "SELECT run.id, printf('train.average %g remembers some %.0f steps, and there were %d', "
          AVERAGE ", 1 / (1 - " AVERAGE "), valid.step) "
          "FROM run " FINAL("valid")
          "WHERE " ASKED " AND " AVERAGE " > 0 AND valid.step > 0 "
          "AND valid.step * (1 - " AVERAGE ") < 3" },
        { "always clipped",
          "nearly every gradient was cut: the rate in effect is another than the one that was "
          "set; raise train.clip or lower the rate",
          "SELECT id, printf('%d of %d gradient norms on record are over train.clip %g', over, "
          "counted, clip) "
          "FROM (SELECT run.id, sum(value > " CLIP ") AS over, count(*) AS counted, "
          CLIP " AS clip FROM run CROSS JOIN metric ON metric.run = run.id "
          "AND metric.name = 'gradient_norm' WHERE " ASKED " AND " CLIP " > 0 GROUP BY run.id) "
          "WHERE counted > 4 AND over > 0.9 * counted" },
        { "cannot see all",
          "what is further above than the model sees cannot be taken into account: more layers or "
          "larger kernels (the receptive field is among the run's pictures)",
          "SELECT run.id, printf('sees %d rows above and %d columns to the left, of %d x %d', "
          "max(field_above), max(field_left), image_rows, image_cols) "
          "FROM run CROSS JOIN layer ON layer.run = run.id "
          "WHERE " ASKED " AND image_rows > 0 GROUP BY run.id "
          "HAVING max(field_above) > 0 AND max(field_above) < image_rows / 2" },
        { "not the same bits",
          "the same spec, seed, data, program and instruction set gave other numbers: memory at "
          "fault, another library, or a race",
          "SELECT max(run.id), printf('runs %d and %d should be the same to the bit: test %.9f "
          "and %.9f nats/image', min(run.id), max(run.id), min(sum_nats / images), "
          "max(sum_nats / images)) "
          "FROM run CROSS JOIN metric ON metric.run = run.id AND metric.name = 'final_nll' "
          "AND metric.split = 'test' "
          "WHERE spec_hash IN (SELECT spec_hash FROM run WHERE " ASKED ") "
          "AND (archived_at IS NULL OR run.id = ?1) "
          "AND images > 0 AND program_revision NOT LIKE '%dirty' "
          "GROUP BY spec_hash, data_identity, program_revision, instruction_set, libraries "
          "HAVING count(*) > 1 AND min(sum_nats) <> max(sum_nats) "
          "AND ?1 <= max(run.id) AND ?2 >= min(run.id)" },
        { "made of uncommitted code",
          "the program was built from a tree with changes that are in no revision: the run "
          "cannot be made again from the revision on record",
          "SELECT run.id, 'program revision ' || program_revision FROM run "
          "WHERE " ASKED " AND program_revision LIKE '%dirty'" },
};
/* clang-format on */

enum { CHECKS = sizeof(checks) / sizeof(checks[0]) };

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
                pxr_table_note(table, NULL, "%s: %s.", check, look);
        if (found > MOST_OF_A_CHECK)
                pxr_table_note(table, NULL, "%s: %zu more runs show it.", check,
                               found - MOST_OF_A_CHECK);
}

static int examine(struct pxr_arena *arena, struct pxr_store *store, const struct check *check,
                   struct range range, struct pxr_table *table, struct pxr_diag *diag)
{
        struct pxr_rows rows = { store, arena, diag,
                                 .statement = pxr_store_query(store, diag, check->sql, "ii",
                                                              range.first, range.last) };
        size_t found = 0;

        while (pxr_rows_next(&rows))
                if (found++ < MOST_OF_A_CHECK)
                        add_finding(table, pxr_rows_integer(&rows, 0), check->name,
                                    pxr_rows_text(&rows, 1), check->look);
        note_look(table, check->name, check->look, found);
        return pxr_rows_end(&rows);
}

/* --- the paper's rows --------------------------------------------------------------------------
 */

static const char row_look[] =
        "the run is in no table of the paper: a row is named as the paper names it, and its data "
        "are the whole official set (pxr-data verify)";

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

/* Claims that are alike are judged once: they come one after the other. */
static bool alike(const struct claim *a, const struct claim *b)
{
        return a->table == b->table && a->images == b->images && a->row && b->row &&
               strcmp(a->row, b->row) == 0 && strcmp(a->identity, b->identity) == 0;
}

static int examine_rows(struct pxr_arena *arena, struct pxr_store *store,
                        const struct pxr_paper *paper, struct range range, struct pxr_table *table,
                        struct pxr_diag *diag)
{
        struct pxr_rows rows = {
                store, arena, diag,
                .statement = pxr_store_query(
                        store, diag,
                        "SELECT run.id, reproduces_table, reproduces_row, data_set, data_identity, "
                        "data_transforms, coalesce((SELECT max(images) FROM metric WHERE "
                        "metric.run = run.id AND name = 'final_nll' AND split = CASE WHEN "
                        "reproduces_table IN (4, 5) THEN 'test' ELSE 'valid' END), 0) AS images "
                        "FROM run WHERE reproduces_table > 0 AND " ASKED " ORDER BY 2, 3, 5, 7, 1",
                        "ii", range.first, range.last)
        };
        struct claim last = { 0 };
        const char *reason = NULL;
        size_t found = 0;

        while (pxr_rows_next(&rows)) {
                struct claim claim = { pxr_rows_integer(&rows, 0), pxr_rows_integer(&rows, 1),
                                       pxr_rows_integer(&rows, 6), pxr_rows_text(&rows, 2),
                                       pxr_rows_text(&rows, 3),    pxr_rows_text(&rows, 4),
                                       pxr_rows_text(&rows, 5) };

                if (rows.short_of)
                        break;
                if (!alike(&claim, &last)) {
                        reason = NULL;
                        if (judge(arena, store, paper, &claim, &reason, diag)) {
                                sqlite3_finalize(rows.statement);
                                return -1;
                        }
                }
                last = claim;
                if (reason && found++ < MOST_OF_A_CHECK)
                        add_finding(table, claim.run, "not the paper's row", reason, row_look);
        }
        note_look(table, "not the paper's row", row_look, found);
        return pxr_rows_end(&rows);
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
        for (int i = 0; i < CHECKS; i++)
                if (examine(arena, store, &checks[i], range, table, diag))
                        return NULL;
        if (examine_rows(arena, store, paper, range, table, diag))
                return NULL;
        if (table->rows == 0)
                pxr_table_note(table, NULL, "None of the %d known signs was found.", CHECKS + 1);
        return pxr_table_finish(table, diag) ? NULL : table;
}
