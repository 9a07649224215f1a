/* SPDX-License-Identifier: MIT */
/*
 * row_data.h - whether the data of a run are those of a row of the paper.
 */
#ifndef PXR_REPORT_ROW_DATA_H
#define PXR_REPORT_ROW_DATA_H

#include "report/paper.h"
#include "record/database.h"

struct pxr_row_data {
        int64_t run;
        const char *set, *identity, *transforms;
        int64_t images; /* over which its NLL is a mean */
};

/* Judge a run by itself, whatever other runs are on record. Returns 0 with *reason NULL if the data
 * are the row's, and else the reason in words; or -1 after an error. */
int pxr_row_data_misfit(struct pxr_arena *arena, struct pxr_store *store,
                        const struct pxr_paper_table *table, const struct pxr_paper_row *row,
                        const struct pxr_row_data *data, const char **reason,
                        struct pxr_diag *diag);

#endif
