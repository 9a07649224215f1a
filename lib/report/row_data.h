/* SPDX-License-Identifier: MIT */
/*
 * row_data.h - are the data of a run those of a row of the paper?
 */
#ifndef PXR_REPORT_ROW_DATA_H
#define PXR_REPORT_ROW_DATA_H

#include "report/paper.h"
#include "record/database.h"

struct pxr_row_data {
        int64_t run;
        const char *set, *identity, *transforms;
        int64_t images; /* that its NLL is over */
};

/* A matter of this run alone, whatever others are on record. Returns 0 with *reason NULL if they
 * are, or what is wrong with them; or -1 after an error. */
int pxr_row_data_misfit(struct pxr_arena *arena, struct pxr_store *store,
                        const struct pxr_paper_table *table, const struct pxr_paper_row *row,
                        const struct pxr_row_data *data, const char **reason,
                        struct pxr_diag *diag);

#endif
