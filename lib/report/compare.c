/* SPDX-License-Identifier: MIT */
/* compare.c - runs side by side: the reports of the folder compare, and the learning curves. */
#include <inttypes.h>
#include <string.h>

#include "report/query_table.h"
#include "report/report_file.h"

static const char *const names[] = { "spec", "results", "circumstances", "curve", NULL };

enum { MOST_RUNS = 32 }; /* more columns than anybody reads */

struct comparison {
        struct pxr_arena *arena;
        struct pxr_store *store;
        struct pxr_diag *diag;
        const struct pxr_run *run[MOST_RUNS];
        size_t count;
        const char *numbers;       /* "[3,5]" */
        struct pxr_column *column; /* what it is, then one for each run */
};

static int find_runs(struct comparison *c, const char *const *which)
{
        c->numbers = "[";
        c->column = pxr_alloc_array(c->arena, c->count + 1, sizeof(*c->column));
        if (!c->column)
                return -1;
        c->column[0] = (struct pxr_column) { "what", "", PXR_IF_FILLED };
        for (size_t i = 0; i < c->count; i++) {
                const struct pxr_run *run;

                run = c->run[i] = pxr_store_find_run(c->store, c->arena, which[i], c->diag);
                if (!run)
                        return -1;
                c->column[i + 1].name = pxr_strf(c->arena, "run_%" PRId64, run->id);
                c->column[i + 1].heading = pxr_strf(c->arena, "Run %" PRId64, run->id);
                c->numbers = pxr_strf(c->arena, "%s%s%" PRId64 "%s", c->numbers, i ? "," : "",
                                      run->id, i + 1 < c->count ? "" : "]");
                for (size_t k = 0; k < i; k++)
                        if (c->run[k]->id == run->id)
                                return pxr_user_error(c->diag, "run %" PRId64 " is named twice",
                                                      run->id);
        }
        return 0;
}

/* Columns of the reports: what, the position of the run, and values, of which one is filled. */
enum { WHAT, RUN, VALUES };

static bool same_cell(const struct pxr_cell *a, const struct pxr_cell *b)
{
        if (a->kind != b->kind)
                return false;
        if (a->kind == PXR_CELL_TEXT)
                return strcmp(a->text, b->text) == 0;
        return a->integer == b->integer && a->real == b->real;
}

/* Below an NLL, how far each is from that of the first run. */
static void add_differences(struct comparison *c, struct pxr_table *table)
{
        struct pxr_cell *cell = pxr_table_row(table);
        const struct pxr_cell *nll = cell - table->columns;

        if (pxr_arena_failed(c->arena)) /* the cells are not in the table */
                return;
        cell[0] = pxr_text_cell(table,
                                pxr_strf(c->arena, "  minus that of run %" PRId64, c->run[0]->id));
        for (size_t i = 2; i <= c->count; i++)
                if (nll[1].kind == PXR_CELL_REAL && nll[i].kind == PXR_CELL_REAL) {
                        cell[i] = pxr_real_cell(nll[i].real - nll[1].real, nll[i].decimals);
                        cell[i].sign = true;
                }
}

/* Put the rows of a report that have the same name, from row `from` on, into one row of the table.
 * Returns how many they are. `all` false: leave them out if they are the same for all runs. */
static size_t add_row(struct comparison *c, struct pxr_table *table, const struct pxr_table *report,
                      size_t from, bool all)
{
        struct pxr_cell found[1 + MOST_RUNS] = { 0 };
        const struct pxr_cell *first = report->cell + from * report->columns;
        bool is_nll = false;
        size_t rows = 0;

        for (; from + rows < report->rows; rows++) {
                const struct pxr_cell *cell = first + rows * report->columns;
                int value = VALUES;

                if (!same_cell(&cell[WHAT], &first[WHAT]))
                        break;
                while (value < report->columns - 1 && cell[value].kind == PXR_CELL_EMPTY)
                        value++;
                is_nll = strcmp(report->column[value].name, "nll") == 0;
                if (cell[RUN].integer >= 0 && cell[RUN].integer < (int64_t)c->count)
                        found[1 + cell[RUN].integer] = cell[value];
        }
        for (size_t i = 1; i <= c->count; i++)
                all |= !same_cell(&found[i], &found[1]);
        if (!all)
                return rows;
        found[0] = first[WHAT];
        memcpy(pxr_table_row(table), found, (c->count + 1) * sizeof(*found));
        if (is_nll)
                add_differences(c, table);
        return rows;
}

static struct pxr_table *compare(struct comparison *c, const char *name)
{
        const struct pxr_report_file *file =
                pxr_report_file_find(c->arena, "compare", name, NULL, c->diag);
        const struct pxr_report_call call = { &c->numbers, 1, .programs = true };
        struct pxr_table *table,
                *report = file ? pxr_report_file_table(c->arena, c->store, file, &call, c->diag)
                               : NULL;

        if (!report ||
            !(table = pxr_table_new(c->arena, name, report->title, c->column, (int)c->count + 1)))
                return NULL;
        for (size_t row = 0; row < report->rows;)
                row += add_row(c, table, report, row, strcmp(name, "results") == 0);
        for (const struct pxr_note *note = report->note; note; note = note->next)
                pxr_table_note(table, NULL, "%s", note->text);
        if (table->rows == 0 && !table->note && file->empty)
                pxr_table_note(table, NULL, "%s", file->empty);
        return pxr_table_finish(table, c->diag) ? NULL : table;
}

struct pxr_table *pxr_report_compare(struct pxr_arena *arena, struct pxr_store *store,
                                     const char *const *which, size_t count, const char *part,
                                     bool all_steps, struct pxr_diag *diag)
{
        struct comparison c = { arena, store, diag, .count = count };
        struct pxr_table_list list = { 0 };

        if (count > MOST_RUNS) {
                pxr_user_error(diag, "expected at most %d runs, got %zu", MOST_RUNS, count);
                return NULL;
        }
        if (pxr_check_part(part, names, diag) || find_runs(&c, which))
                return NULL;
        for (const char *const *name = names; *name; name++) {
                struct pxr_table *table;

                if (part && strcmp(part, *name) != 0)
                        continue;
                if (strcmp(*name, "curve") != 0)
                        table = compare(&c, *name);
                else
                        table = pxr_curve_table(arena, store, c.run, count, all_steps, diag);
                if (pxr_table_append(&list, table))
                        return NULL;
        }
        return list.first;
}
