/* SPDX-License-Identifier: MIT */
/* runs.c - the list of runs: reports/runs.sql, the newest last. */
#include "report/report.h"
#include "report/report_file.h"

static void reverse(struct pxr_table *table)
{
        size_t columns = (size_t)table->columns;

        for (size_t low = 0, high = table->rows; low + 1 < high; low++) {
                high--;
                for (size_t i = 0; i < columns; i++) {
                        struct pxr_cell kept = table->cell[low * columns + i];

                        table->cell[low * columns + i] = table->cell[high * columns + i];
                        table->cell[high * columns + i] = kept;
                }
        }
}

struct pxr_table *pxr_report_runs(struct pxr_arena *arena, struct pxr_store *store,
                                  const struct pxr_runs_wanted *wanted, struct pxr_diag *diag)
{
        static const char *const archived[] = { [PXR_NOT_ARCHIVED] = "without",
                                                [PXR_ARCHIVED_TOO] = "with",
                                                [PXR_ARCHIVED_ALONE] = "alone" };
        const struct pxr_report_call call = { .argument = &archived[wanted->archived],
                                              .arguments = 1,
                                              .where = wanted->where,
                                              .sort = wanted->sort,
                                              .limit = wanted->limit,
                                              .programs = wanted->all };
        struct pxr_table *table = pxr_report_by_name(arena, store, "", "runs", &call, diag);

        if (table && !wanted->newest_first && !wanted->sort)
                reverse(table);
        return table;
}
