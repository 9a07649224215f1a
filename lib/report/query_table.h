/* SPDX-License-Identifier: MIT */
/* query_table.h - tables whose rows are those of a query, and lists of tables. */
#ifndef PXR_REPORT_QUERY_TABLE_H
#define PXR_REPORT_QUERY_TABLE_H

#include "record/cursor.h"
#include "report/report.h"

/* Column `i` of the current row, as a cell of that format. */
struct pxr_cell pxr_query_cell(struct pxr_cursor *rows, int i, enum pxr_column_format format);

struct pxr_table_query {
        const char *name, *title;
        const struct pxr_column *column;
        int columns;
        const char *sql; /* ?1 is the run */
};

/* NULL after an error. */
struct pxr_table *pxr_query_table(struct pxr_arena *arena, struct pxr_store *store,
                                  const struct pxr_table_query *query, int64_t run,
                                  struct pxr_diag *diag);

/* A list of tables being built. */
struct pxr_table_list {
        struct pxr_table *first, **end;
};

/* Returns 0, or -1 if `table` is NULL, which is an error that was recorded. */
int pxr_table_append(struct pxr_table_list *list, struct pxr_table *table);

/* The learning curves of runs: a row for each point or, without `all_steps`, one for each curve
 * with a sparkline. NULL after an error. */
struct pxr_table *pxr_curve_table(struct pxr_arena *arena, struct pxr_store *store,
                                  const struct pxr_run *const *run, size_t count, bool all_steps,
                                  struct pxr_diag *diag);

/* Check that `part` is NULL or one of `names`, which end with NULL. Returns 0 or -1. */
int pxr_check_part(const char *part, const char *const *names, struct pxr_diag *diag);

#endif
