/* SPDX-License-Identifier: MIT */
/* compare.c - runs side by side: the rows of reports turned into columns, one for each run. */
#include <inttypes.h>
#include <string.h>

#include "report/report.h"
#include "report/report_file.h"

enum { MOST_RUNS = 32 }; /* more columns than anybody reads */

struct comparison {
        struct pxr_arena *arena;
        struct pxr_store *store;
        struct pxr_diag *diag;
        int64_t run[MOST_RUNS]; /* their numbers */
        size_t count;
        const char *numbers;       /* "[3,5]" */
        struct pxr_column *column; /* what it is, then one for each run */
};

static int find_runs(struct comparison *c, const char *const *which)
{
        c->numbers = "";
        c->column = pxr_alloc_array(c->arena, c->count + 1, sizeof(*c->column));
        if (!c->column)
                return -1;
        c->column[0] = (struct pxr_column) { "what", "", PXR_IF_FILLED };
        for (size_t i = 0; i < c->count; i++) {
                const struct pxr_run *run =
                        pxr_store_find_run(c->store, c->arena, which[i], c->diag);

                if (!run)
                        return -1;
                for (size_t k = 0; k < i; k++)
                        if (c->run[k] == run->id)
                                return pxr_user_error(c->diag, "run %" PRId64 " is named twice",
                                                      run->id);
                c->run[i] = run->id;
                c->column[i + 1].name = pxr_strf(c->arena, "run_%" PRId64, run->id);
                c->column[i + 1].heading = pxr_strf(c->arena, "Run %" PRId64, run->id);
                c->numbers = pxr_strf(c->arena, "%s%s%" PRId64, c->numbers, i ? "," : "", run->id);
        }
        c->numbers = pxr_strf(c->arena, "[%s]", c->numbers);
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

/* Put the rows of a report that have the same name, from row `from` on, into one row of the table.
 * Returns how many they are. */
static size_t add_row(struct comparison *c, struct pxr_table *table, const struct pxr_table *report,
                      size_t from)
{
        struct pxr_cell *to = pxr_table_row(table);
        const struct pxr_cell *first = report->cell + from * report->columns;
        size_t rows = 0;

        to[0] = first[WHAT];
        for (; from + rows < report->rows; rows++) {
                const struct pxr_cell *cell = first + rows * report->columns;
                int value = VALUES;

                if (!same_cell(&cell[WHAT], &first[WHAT]))
                        break;
                while (value < report->columns - 1 && cell[value].kind == PXR_CELL_EMPTY)
                        value++;
                if (cell[RUN].integer >= 0 && cell[RUN].integer < (int64_t)c->count)
                        to[1 + cell[RUN].integer] = cell[value];
        }
        return rows;
}

/* The table of a report with a column for each run. */
static struct pxr_table *pivot(struct comparison *c, const struct pxr_table *report)
{
        struct pxr_table *table =
                pxr_table_new(c->arena, report->name, report->title, c->column, (int)c->count + 1);

        if (!table)
                return NULL;
        for (size_t row = 0; row < report->rows;)
                row += add_row(c, table, report, row);
        table->note = report->note;
        table->next = report->next;
        return pxr_table_finish(table, c->diag) ? NULL : table;
}

struct pxr_table *pxr_report_compare(struct pxr_arena *arena, struct pxr_store *store,
                                     const char *const *which, size_t count, const char *wanted,
                                     bool all_steps, struct pxr_diag *diag)
{
        const struct pxr_report_part parts[] = { PXR_COMPARE_PARTS(PXR_PART) { 0 } };
        struct comparison c = { arena, store, diag, .count = count };
        struct pxr_table *list = NULL;

        if (count > MOST_RUNS)
                pxr_user_error(diag, "expected at most %d runs, got %zu", MOST_RUNS, count);
        else if (!find_runs(&c, which))
                list = pxr_report_parts(arena, store, parts, &c.numbers, wanted, diag);
        for (struct pxr_table **table = &list; *table; table = &(*table)->next)
                if (strcmp((*table)->name, "curve") != 0 && !(*table = pivot(&c, *table)))
                        return NULL;
        return list;
}
