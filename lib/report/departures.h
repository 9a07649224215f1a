/* SPDX-License-Identifier: MIT */
/*
 * departures.h - in what a run's spec departs from a row of the paper.
 */
#ifndef PXR_REPORT_DEPARTURES_H
#define PXR_REPORT_DEPARTURES_H

#include "report/paper.h"
#include "config/yaml.h"

struct pxr_remark {
        const char *text;
        struct pxr_remark *next;
};

struct pxr_departures {
        struct pxr_remark *departure; /* "kernel of conv 2 in residual: 5, not 3" */
        struct pxr_remark *choice;    /* where the paper is silent: "clip 0.05" */
        struct pxr_remark *other;     /* why it is another model than the row's: "fewer features" */
        const char *patience;         /* train.patience; NULL: none */
};

/* Compare a resolved spec with what the paper says of a row. Returns 0, or -1 when memory is out.
 */
int pxr_departures(struct pxr_arena *arena, const struct pxr_paper_row *row,
                   const struct pxr_yaml *spec, struct pxr_departures *found,
                   struct pxr_diag *diag);

/* "a; b; c"; NULL when memory is out. */
const char *pxr_remarks(struct pxr_arena *arena, const struct pxr_remark *list);

#endif
