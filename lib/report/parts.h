/* SPDX-License-Identifier: MIT */
/* parts.h - tables made straight from a query, for the files of report/. */
#ifndef PXR_REPORT_PARTS_H
#define PXR_REPORT_PARTS_H

#include "record/cursor.h"
#include "report/report.h"

/* A value of a query's row, as a column of that format has it. */
struct pxr_cell pxr_query_cell(struct pxr_cursor *rows, int i, enum pxr_column_format format);

struct pxr_part {
        const char *name, *title;
        const struct pxr_column *column;
        int columns;
        const char *sql; /* ?1 is the run */
};

/* NULL after an error. */
struct pxr_table *pxr_part_table(struct pxr_arena *arena, struct pxr_store *store,
                                 const struct pxr_part *part, int64_t run, struct pxr_diag *diag);

/* A list of tables in the making. */
struct pxr_table_list {
        struct pxr_table *first, **end;
};

/* `table` NULL is an error that is on record. Returns 0 or -1. */
int pxr_table_append(struct pxr_table_list *list, struct pxr_table *table);

/* The curves of several runs, a row a point: run, split, step, epoch, NLL. */
struct pxr_table *pxr_points_table(struct pxr_arena *arena, struct pxr_store *store,
                                   const struct pxr_run *const *run, size_t count,
                                   struct pxr_diag *diag);

/* The curves of several runs, a row a curve: from where, to where, and a line of characters. */
struct pxr_table *pxr_lines_table(struct pxr_arena *arena, struct pxr_store *store,
                                  const struct pxr_run *const *run, size_t count,
                                  struct pxr_diag *diag);

/* Is `part` one of those names (ended by NULL)? Returns 0, or -1 after an error. */
int pxr_check_part(const char *part, const char *const *names, struct pxr_diag *diag);

#endif
