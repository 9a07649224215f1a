/* SPDX-License-Identifier: MIT */
/*
 * doctor.c - known signs of a broken experiment, in runs of the database.
 *
 * A sign is a report of the folder doctor: its query finds runs among those of the view `examined`,
 * and gives their numbers and what was found. It can also read the views of paper.sql.
 */
#include <inttypes.h>
#include <string.h>

#include "base/number.h"
#include "record/run_state.h"
#include "report/report.h"
#include "report/report_file.h"

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

static void examine(struct pxr_arena *arena, struct pxr_store *store,
                    const struct pxr_report_file *sign, struct pxr_table *table,
                    struct pxr_diag *diag)
{
        const struct pxr_report_call all = { .programs = true };
        const struct pxr_table *found = pxr_report_file_table(arena, store, sign, &all, diag);

        if (!found || check_sign(sign, found, diag))
                return;
        for (size_t i = 0; i < found->rows && i < MOST_OF_A_SIGN; i++)
                add_finding(table, found->cell[2 * i].integer, sign,
                            pxr_cell_text(arena, &found->cell[2 * i + 1]));
        note_advice(table, sign, found->rows);
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

        return pxr_store_make_temporary(store, "DROP VIEW IF EXISTS temp.examined", NULL, diag) ||
                               pxr_store_make_temporary(store, view, NULL, diag)
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
        int count = 0;

        if (!table || (which && !(run = pxr_store_find_run(store, arena, which, diag))) ||
            pxr_report_files(arena, "doctor", &signs, diag) ||
            pxr_paper_views(paper, store, diag) || choose(arena, store, run ? run->id : 0, diag))
                return NULL;
        for (const struct pxr_report_file *sign = signs; sign; sign = sign->next, count++)
                examine(arena, store, sign, table, diag);
        if (table->rows == 0)
                pxr_table_note(table, NULL, "None of the %d known signs was found.", count);
        return pxr_table_finish(table, diag) ? NULL : table;
}
