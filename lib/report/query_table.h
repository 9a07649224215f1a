/* SPDX-License-Identifier: MIT */
/* query_table.h - cells and tables of a query's rows. */
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

#endif
