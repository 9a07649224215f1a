/* SPDX-License-Identifier: MIT */
/*
 * doctor.c - known signs of a broken experiment, in runs of the database.
 *
 * A sign is a report of the folder doctor: its query finds runs among those of the view `examined`,
 * and gives their numbers and what was found. One sign needs the paper's tables and is here.
 */
#include <inttypes.h>
#include <string.h>

#include "base/number.h"
#include "data/data.h"
#include "record/cursor.h"
#include "record/run_state.h"
#include "report/report.h"
#include "report/report_file.h"
#include "report/row_data.h"

enum { MOST_OF_A_SIGN = 20 };

enum { RUN, SIGN, FOUND, ADVICE, COLUMNS };

static const struct pxr_column columns[] = { [RUN] = { "run", "Run", PXR_IF_FILLED },
                                             [SIGN] = { "sign", "Sign", PXR_IF_FILLED },
                                             [FOUND] = { "found", "Found", PXR_IF_FILLED },
                                             [ADVICE] = { "advice", "Advice", PXR_TO_PROGRAMS } };

static void add_finding(struct pxr_table *table, int64_t run, const struct pxr_report_file *sign,
                        const char *found)
{
        struct pxr_cell *cell = pxr_table_row(table);

        cell[RUN] = pxr_integer_cell(run);
        cell[SIGN] = pxr_text_cell(table, sign->title);
        cell[FOUND] = pxr_text_cell(table, found);
        cell[ADVICE] = pxr_text_cell(table, sign->advice);
}

/* Print the advice once for each sign: a column of it would be too wide. */
static void note_advice(struct pxr_table *table, const struct pxr_report_file *sign, size_t found)
{
        if (found > 0)
                pxr_table_note(table, NULL, "%s: %s", sign->title, sign->advice);
        if (found > MOST_OF_A_SIGN)
                pxr_table_note(table, NULL, "%s: shown by %zu more run%s.", sign->title,
                               found - MOST_OF_A_SIGN, pxr_plural(found - MOST_OF_A_SIGN));
}

static int check_sign(const struct pxr_report_file *sign, const struct pxr_table *found,
                      struct pxr_diag *diag)
{
        if (found->columns == 2 && strcmp(found->column[0].name, "run") == 0 &&
            strcmp(found->column[1].name, "found") == 0 && sign->advice)
                return 0;
        return pxr_user_error(diag, "%s: a sign has an advice, and the columns run and found",
                              sign->path);
}

static int examine(struct pxr_arena *arena, struct pxr_store *store,
                   const struct pxr_report_file *sign, struct pxr_table *table,
                   struct pxr_diag *diag)
{
        const struct pxr_report_call all = { .programs = true };
        const struct pxr_table *found = pxr_report_file_table(arena, store, sign, &all, diag);

        if (!found || check_sign(sign, found, diag))
                return -1;
        for (size_t i = 0; i < found->rows && i < MOST_OF_A_SIGN; i++)
                add_finding(table, found->cell[2 * i].integer, sign,
                            pxr_cell_text(arena, &found->cell[2 * i + 1]));
        note_advice(table, sign, found->rows);
        return 0;
}

/* --- the paper's rows --------------------------------------------------------------------------
 */

static const struct pxr_report_file not_the_row = {
        .title = "not the paper's row",
        .advice = "The run is in no table of the paper: it must name a row as the paper does, and "
                  "its data must be the whole official set (pxr-data verify).",
};

/* Why a run whose spec names this row is not in the table; *reason is NULL if it may be. */
static int judge(struct pxr_arena *arena, struct pxr_store *store,
                 const struct pxr_paper_table *table, const char *name, struct pxr_row_data *data,
                 const char **reason, struct pxr_diag *diag)
{
        const struct pxr_paper_row *row = table ? pxr_paper_row(table, name) : NULL;
        const char *nearest = table ? pxr_paper_nearest(table, name) : NULL;

        if (row) {
                if (data->images == 0) /* no result yet */
                        data->images = table->images;
                return pxr_row_data_misfit(arena, store, table, row, data, reason, diag);
        }
        if (!table)
                *reason = "reproduces a table that is not known";
        else
                *reason = pxr_strf(arena, "table %d has no row '%s'%s%s%s", (int)table->table, name,
                                   nearest ? "; did you mean '" : "", nearest ? nearest : "",
                                   nearest ? "'?" : "");
        return 0;
}

/* "CASE reproduces_table WHEN 4 THEN 'test' ... END": the split that each table is of. */
static const char *split_of_table(struct pxr_arena *arena, const struct pxr_paper *paper)
{
        const char *text = "CASE reproduces_table WHEN 0 THEN ''";

        for (const struct pxr_paper_table *table = paper->table; table; table = table->next)
                text = pxr_strf(arena, "%s WHEN %" PRId64 " THEN '%s'", text, table->table,
                                pxr_split_names[table->split]);
        return pxr_strf(arena, "%s END", text);
}

static const char *claims_text(struct pxr_arena *arena, const struct pxr_paper *paper)
{
        return pxr_strf(arena,
                        "SELECT run.id, reproduces_table, reproduces_row, data_set, data_identity, "
                        "data_transforms, coalesce((SELECT max(images) FROM metric WHERE "
                        "metric.run = run.id AND name = 'final_nll' AND split = %s), 0) AS images "
                        "FROM examined AS run WHERE reproduces_table > 0 ORDER BY 2, 3, 5, 7, 1",
                        split_of_table(arena, paper));
}

static int examine_rows(struct pxr_arena *arena, struct pxr_store *store,
                        const struct pxr_paper *paper, struct pxr_table *table,
                        struct pxr_diag *diag)
{
        struct pxr_cursor rows = pxr_query(store, arena, diag, claims_text(arena, paper), "");
        int status = 0;
        size_t found = 0;

        while (!status && pxr_cursor_next(&rows)) {
                const struct pxr_paper_table *of =
                        pxr_paper_find(paper, pxr_cursor_integer(&rows, 1), NULL);
                struct pxr_row_data data = { pxr_cursor_integer(&rows, 0),
                                             pxr_cursor_optional(&rows, 3),
                                             pxr_cursor_optional(&rows, 4),
                                             pxr_cursor_optional(&rows, 5),
                                             pxr_cursor_integer(&rows, 6) };
                const char *reason = NULL;

                status = judge(arena, store, of, pxr_cursor_text(&rows, 2), &data, &reason, diag);
                if (!status && reason && found++ < MOST_OF_A_SIGN)
                        add_finding(table, data.run, &not_the_row, reason);
        }
        note_advice(table, &not_the_row, found);
        return pxr_cursor_end(&rows) || status ? -1 : 0;
}

/* Make the view `examined`: one run or, if `run` is 0, all that are not archived. */
static int choose(struct pxr_arena *arena, struct pxr_store *store, int64_t run,
                  struct pxr_diag *diag)
{
        const char *which = run ? pxr_strf(arena, "id = %" PRId64, run) : "archived_at IS NULL";
        const char *view = pxr_strf(arena,
                                    "CREATE TEMP VIEW examined AS SELECT *, " PXR_RUN_STATE
                                    " AS state FROM main.run WHERE %s",
                                    which);

        return pxr_store_make_temporary(store, "DROP VIEW IF EXISTS temp.examined", diag) ||
                               pxr_store_make_temporary(store, view, diag)
                       ? -1
                       : 0;
}

struct pxr_table *pxr_report_doctor(struct pxr_arena *arena, struct pxr_store *store,
                                    const struct pxr_paper *paper, const char *which,
                                    struct pxr_diag *diag)
{
        struct pxr_table *table =
                pxr_table_new(arena, "doctor", "Signs of trouble", columns, COLUMNS);
        const struct pxr_run *run = NULL;
        struct pxr_report_file *signs;
        int count = 1;

        if (!table || (which && !(run = pxr_store_find_run(store, arena, which, diag))) ||
            pxr_report_files(arena, "doctor", &signs, diag) ||
            choose(arena, store, run ? run->id : 0, diag))
                return NULL;
        for (const struct pxr_report_file *sign = signs; sign; sign = sign->next, count++)
                if (examine(arena, store, sign, table, diag))
                        return NULL;
        if (examine_rows(arena, store, paper, table, diag))
                return NULL;
        if (table->rows == 0)
                pxr_table_note(table, NULL, "None of the %d known signs was found.", count);
        return pxr_table_finish(table, diag) ? NULL : table;
}
