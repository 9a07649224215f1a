/* SPDX-License-Identifier: MIT */
/*
 * paper_table.c - a table of the paper, and which of our runs is shown beside each of its rows.
 *
 * paper.sql finds the runs that may be shown; whether a model is the row's is for paper_diff.c.
 */
#include <inttypes.h>
#include <string.h>

#include "config/yaml.h"
#include "record/cursor.h"
#include "report/paper_diff.h"
#include "report/report.h"

struct making {
        struct pxr_arena *arena;
        struct pxr_store *store;
        const struct pxr_paper_table *paper;
        struct pxr_diag *diag;
        struct pxr_table *table;
        int footnotes, left_out;
};

enum { MOST_LEFT_OUT = 8 };

static void leave_out(struct making *m, int64_t run, const char *row, const char *why)
{
        if (m->left_out++ < MOST_LEFT_OUT)
                pxr_table_note(m->table, NULL, "Not shown: run %" PRId64 " (%s): %s.", run, row,
                               why);
}

/* Make temp.candidate, which the views of paper.sql take the runs of a table from. */
static int judge_runs(struct making *m)
{
        const char *number = pxr_strf(m->arena, "%" PRId64, m->paper->table);

        return pxr_store_make_temporary(m->store, "DROP TABLE IF EXISTS temp.candidate", NULL,
                                        m->diag) ||
                               pxr_store_make_temporary(
                                       m->store,
                                       "CREATE TEMP TABLE candidate AS SELECT * FROM judged "
                                       "WHERE paper_table = CAST(?1 AS INTEGER)",
                                       number, m->diag)
                       ? -1
                       : 0;
}

/* Runs that name a row of this table and are not shown in it, and row names that it does not have.
 */
static int list_left_out(struct making *m)
{
        struct pxr_cursor rows = pxr_query(m->store, m->arena, m->diag,
                                           "SELECT run, row, reason FROM candidate "
                                           "WHERE reason IS NOT NULL ORDER BY run",
                                           "");

        while (pxr_cursor_next(&rows))
                leave_out(m, pxr_cursor_integer(&rows, 0), pxr_cursor_text(&rows, 1),
                          pxr_cursor_text(&rows, 2));
        if (pxr_cursor_end(&rows))
                return -1;
        rows = pxr_query(m->store, m->arena, m->diag,
                         "SELECT min(run), misfit FROM claim WHERE paper_table = ? "
                         "AND split IS NULL AND archived_at IS NULL GROUP BY row",
                         "i", m->paper->table);
        while (pxr_cursor_next(&rows))
                pxr_warn(m->diag, "run %" PRId64 " %s", pxr_cursor_integer(&rows, 0),
                         pxr_cursor_text(&rows, 1));
        return pxr_cursor_end(&rows);
}

/* --- rows --------------------------------------------------------------------------------------
 */

enum column {
        MODEL,
        ROW,
        SOURCE,
        PAPER,
        RELATION,
        PAPER_TRAIN,
        OURS,
        STANDARD_ERROR,
        DEVIATION,
        SEEDS,
        DIFFERENCE,
        OURS_TRAIN,
        RUN,
        EPOCHS,
        PARAMETERS,
        WALL,
        COLUMNS
};

static const struct pxr_column columns[COLUMNS] = {
        [MODEL] = { "model", "Model", PXR_ALWAYS },
        [ROW] = { "row", "Row", PXR_TO_PROGRAMS },
        [SOURCE] = { "source", "Source", PXR_TO_PROGRAMS },
        [PAPER] = { "paper", "Paper", PXR_ALWAYS },
        [RELATION] = { "paper_relation", "", PXR_TO_PROGRAMS },
        [PAPER_TRAIN] = { "paper_train", "(train)", PXR_IF_FILLED },
        [OURS] = { "ours", "Ours", PXR_ALWAYS },
        [STANDARD_ERROR] = { "standard_error", "Std. error", PXR_IF_FILLED },
        [DEVIATION] = { "deviation", "Deviation", PXR_IF_FILLED },
        [SEEDS] = { "seeds", "Seeds", PXR_TO_PROGRAMS },
        [DIFFERENCE] = { "difference", "Difference", PXR_ALWAYS },
        [OURS_TRAIN] = { "ours_train", "Ours (train)", PXR_IF_FILLED },
        [RUN] = { "run", "Run", PXR_ALWAYS },
        [EPOCHS] = { "epochs", "Epochs", PXR_IF_ROOM },
        [PARAMETERS] = { "parameters", "Parameters", PXR_IF_ROOM },
        [WALL] = { "wall_seconds", "Time", PXR_IF_ROOM },
};

static void fill_published(struct making *m, const struct pxr_paper_row *row, struct pxr_cell *cell)
{
        static const char *const relations[][2] = {
                [PXR_EXACTLY] = { "exactly", NULL },
                [PXR_ABOUT] = { "about", "≈ " },
                [PXR_AT_MOST] = { "at most", "≤ " },
        };

        cell[MODEL] = pxr_text_cell(
                m->table,
                row->source ? pxr_strf(m->arena, "%s (%s)", row->row, row->source) : row->row);
        cell[ROW] = pxr_text_cell(m->table, row->row);
        cell[SOURCE] = pxr_text_cell(m->table, row->source);
        if (row->value > 0) {
                cell[PAPER] = pxr_real_cell(row->value, 2);
                cell[PAPER].before = relations[row->relation][1];
                cell[RELATION] = pxr_text_cell(m->table, relations[row->relation][0]);
        }
        if (row->train_value > 0)
                cell[PAPER_TRAIN] = pxr_real_cell(row->train_value, 2);
}

/* The rows of a table with the results of each, the best NLL on the validation split first. Those
 * without one come last, by the NLL that is shown: to choose by that flatters it. The first columns
 * are those of the table. A row that is not in the paper is there only if it has results. */
static const char results_sql[] =
        "SELECT nats / unit, standard_error / unit, deviation / unit, seeds, nats / unit - "
        "nullif(value, 0), "
        "train / unit, runs, epochs, parameters, wall_seconds, "
        "row, missing, valid IS NOT NULL, first_run, transforms, "
        "(SELECT name FROM run WHERE id = first_run) "
        "FROM (SELECT paper.rowid AS position, *, "
        "iif(?2, 0.69314718055994530942 * dimensions, 1) AS unit FROM paper_row AS paper "
        "LEFT JOIN spec_result USING (row) WHERE paper_table = ?1 AND (value > 0 OR first_run IS "
        "NOT NULL)) "
        "ORDER BY position, valid IS NULL, coalesce(valid, nats), first_run DESC";
enum { ROW_NAME = COLUMNS - OURS, MISSING, HAS_VALID, FIRST_RUN, TRANSFORMS, NAME };

/* A row in the making, and what it shows. */
struct shown {
        const struct pxr_paper_row *row;
        struct pxr_cell *cell;
        int64_t seeds, missing; /* seeds: 0 where there is no result */
        bool has_valid;
        const char *transforms, *chosen;
        struct pxr_paper_diff diff;
};

static void fill_measured(struct making *m, struct pxr_cursor *rows, struct pxr_cell *cell)
{
        static const enum pxr_column_format formats[COLUMNS] = {
                [OURS] = PXR_COLUMN_NLL,       [STANDARD_ERROR] = PXR_COLUMN_NLL,
                [DEVIATION] = PXR_COLUMN_NLL,  [DIFFERENCE] = PXR_COLUMN_DIFFERENCE,
                [OURS_TRAIN] = PXR_COLUMN_NLL, [EPOCHS] = PXR_COLUMN_EPOCH,
                [WALL] = PXR_COLUMN_SECONDS,
        };

        for (int i = OURS; i < COLUMNS; i++) {
                cell[i] = pxr_query_cell(rows, i - OURS, formats[i]);
                if (formats[i] == PXR_COLUMN_NLL || formats[i] == PXR_COLUMN_DIFFERENCE)
                        cell[i].decimals = m->paper->unit == PXR_BITS ? 3 : 2;
        }
}

/* a, b, ... z, aa, ab, ... */
static const char *next_footnote(struct making *m)
{
        int number = m->footnotes++;
        char first = (char)('a' + number / 26 - 1), last = (char)('a' + number % 26);

        return number < 26 ? pxr_strf(m->arena, "%c", last)
                           : pxr_strf(m->arena, "%c%c", first, last);
}

/* How the result came about. `chosen`: that it was chosen by the NLL shown; else "". */
static const char *result_note(struct making *m, const struct shown *shown)
{
        const char *text = "";

        if (shown->seeds > 1)
                text = pxr_strf(m->arena, "Mean and deviation of %" PRId64 " seeds. ",
                                shown->seeds);
        if (shown->missing > 0)
                text = pxr_strf(m->arena,
                                "%sLeft out: %" PRId64
                                " more of its seeds, whose NLL cannot be shown. ",
                                text, shown->missing);
        text = pxr_strf(m->arena, "%s%s", text, shown->chosen);
        if (shown->diff.precision)
                text = pxr_strf(m->arena, "%sTrained in %s, evaluated in float32. ", text,
                                strcmp(shown->diff.precision, "bf16") == 0 ? "bfloat16"
                                                                           : shown->diff.precision);
        if (m->paper->split == PXR_VALID && shown->diff.patience)
                text = pxr_strf(m->arena,
                                "%sThe validation NLL is the lowest of the run's evaluations "
                                "(train.patience %s), so it is too good. ",
                                text, shown->diff.patience);
        return text;
}

static void add_footnote(struct making *m, const struct shown *shown)
{
        const char *transforms = shown->transforms, *differences, *choices, *result;

        if (!shown->seeds)
                return;
        result = result_note(m, shown);
        differences = pxr_remarks(m->arena, shown->diff.difference);
        choices = pxr_remarks(m->arena, shown->diff.choice);
        shown->cell[MODEL].footnote = next_footnote(m);
        if (!shown->row->model->first)
                pxr_table_note(m->table, shown->cell[MODEL].footnote, "%s%s", result,
                               shown->row->value > 0
                                       ? "The paper does not describe this row's model."
                                       : "Not in the paper.");
        else
                pxr_table_note(m->table, shown->cell[MODEL].footnote, "%s%s%s.%s%s%s%s%s%s", result,
                               *differences            ? "Differs from the paper: "
                               : shown->diff.precision ? "Otherwise as the paper describes it"
                                                       : "As the paper describes it",
                               differences, *choices ? " The paper does not give: " : "", choices,
                               *choices ? "." : "", *transforms ? " Data: " : "", transforms,
                               *transforms ? "." : "");
}

/* How the spec of the first run of a result differs from the row. Returns 0 or -1. */
static int compare(struct making *m, const struct shown *shown, struct pxr_cursor *result,
                   struct pxr_paper_diff *diff)
{
        static struct pxr_remark unreadable = { .text = "its spec cannot be read" };
        struct pxr_cursor rows =
                pxr_query(m->store, m->arena, m->diag, "SELECT spec FROM run WHERE id = ?", "i",
                          pxr_cursor_integer(result, FIRST_RUN));
        const char *text = pxr_cursor_next(&rows) ? pxr_cursor_text(&rows, 0) : "";
        const struct pxr_yaml *spec = pxr_spec_recorded(m->arena, text, NULL);

        *diff = spec ? pxr_paper_diff(m->arena, shown->row, spec)
                     : (struct pxr_paper_diff) { .other = &unreadable };
        return pxr_cursor_end(&rows);
}

/* A result after the one that is shown. It may have been passed over for want of a validation NLL;
 * or else the one shown was chosen by the very NLL that is shown, if that alone speaks for it. */
static int judge_choice(struct making *m, struct shown *shown, struct pxr_cursor *rows)
{
        bool by_shown = m->paper->split == PXR_VALID || !shown->has_valid;
        bool passed_over = shown->has_valid && !pxr_cursor_integer(rows, HAS_VALID);
        struct pxr_paper_diff diff;

        if (!passed_over && (!by_shown || *shown->chosen))
                return 0;
        if (compare(m, shown, rows, &diff))
                return -1;
        if (diff.other)
                return 0;
        if (passed_over)
                leave_out(m, pxr_cursor_integer(rows, FIRST_RUN), shown->row->row,
                          "it has no validation NLL, by which the run of a row is chosen");
        else if (m->paper->split == PXR_VALID)
                shown->chosen = "Chosen among several specs by the validation NLL that is shown, "
                                "so that NLL is too good. ";
        else
                shown->chosen = "Chosen among several specs by the test NLL that is shown, for "
                                "want of a validation NLL, so that NLL is too good. ";
        return 0;
}

/* Show a result, unless its model is another than the row's. Returns 0 or -1. */
static int show(struct making *m, struct shown *shown, struct pxr_cursor *rows)
{
        if (compare(m, shown, rows, &shown->diff))
                return -1;
        if (shown->diff.other) {
                leave_out(m, pxr_cursor_integer(rows, FIRST_RUN), shown->row->row,
                          pxr_strf(m->arena, "another model than the row's: %s",
                                   pxr_remarks(m->arena, shown->diff.other)));
                return 0;
        }
        shown->seeds = pxr_cursor_integer(rows, SEEDS - OURS);
        shown->missing = pxr_cursor_integer(rows, MISSING);
        shown->has_valid = pxr_cursor_integer(rows, HAS_VALID);
        shown->transforms = pxr_cursor_text(rows, TRANSFORMS);
        fill_measured(m, rows, shown->cell);
        if (!(shown->row->value > 0))
                shown->cell[MODEL] =
                        pxr_text_cell(m->table, pxr_strf(m->arena, "%s (%s)", shown->row->row,
                                                         pxr_cursor_text(rows, NAME)));
        return 0;
}

/* Returns 0 or -1. */
static int make_rows(struct making *m)
{
        struct pxr_cursor rows = pxr_query(m->store, m->arena, m->diag, results_sql, "ii",
                                           m->paper->table, (int64_t)(m->paper->unit == PXR_BITS));
        struct shown shown = { 0 };
        int status = 0;

        while (!status && pxr_cursor_next(&rows)) {
                const char *name = pxr_cursor_text(&rows, ROW_NAME);

                if (!shown.row || strcmp(shown.row->row, name) != 0) {
                        add_footnote(m, &shown);
                        shown = (struct shown) { .row = pxr_paper_row(m->paper, name),
                                                 .cell = pxr_table_row(m->table),
                                                 .chosen = "" };
                        fill_published(m, shown.row, shown.cell);
                }
                if (pxr_cursor_integer(&rows, FIRST_RUN))
                        status = shown.seeds ? judge_choice(m, &shown, &rows)
                                             : show(m, &shown, &rows);
        }
        add_footnote(m, &shown);
        return pxr_cursor_end(&rows) || status ? -1 : 0;
}

struct pxr_table *pxr_report_paper_table(struct pxr_arena *arena, struct pxr_store *store,
                                         const struct pxr_paper *paper, int64_t number,
                                         struct pxr_diag *diag)
{
        struct making m = { .arena = arena,
                            .store = store,
                            .paper = pxr_paper_find(paper, number, diag),
                            .diag = diag };
        const char *title;

        if (!m.paper)
                return NULL;
        title = pxr_strf(arena, "Table %d: %s, %s, %s", (int)number, m.paper->title,
                         m.paper->split == PXR_VALID ? "validation" : "test",
                         m.paper->unit == PXR_BITS ? "bits per dimension" : "nats per image");
        m.table = pxr_table_new(arena, pxr_strf(arena, "table%d", (int)number), title, columns,
                                COLUMNS);
        if (!m.table || pxr_paper_views(paper, store, diag) || judge_runs(&m) ||
            list_left_out(&m) || make_rows(&m))
                return NULL;
        if (m.left_out > MOST_LEFT_OUT)
                pxr_table_note(m.table, NULL,
                               "Not shown either: %d more runs that reproduce a row.",
                               m.left_out - MOST_LEFT_OUT);
        return pxr_table_finish(m.table, diag) ? NULL : m.table;
}
