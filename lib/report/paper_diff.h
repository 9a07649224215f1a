/* SPDX-License-Identifier: MIT */
/*
 * paper_diff.h - how a run's spec differs from what the paper says of a row.
 */
#ifndef PXR_REPORT_PAPER_DIFF_H
#define PXR_REPORT_PAPER_DIFF_H

#include "config/yaml.h"
#include "report/paper.h"

struct pxr_remark {
        const char *text;
        struct pxr_remark *next;
};

struct pxr_paper_diff {
        struct pxr_remark *difference; /* "kernel of conv 2 in residual: 5, not 3" */
        struct pxr_remark *choice;     /* what the paper leaves open: "clip 0.05" */
        struct pxr_remark *other;      /* why the model is not the row's: "no row_lstm" */
        const char *patience;          /* train.patience; NULL: no early stopping */
        const char *precision;         /* train.precision, if other than f32; else NULL */
};

/* Compare a resolved spec with a row. What is said of several layers alike is said once. */
struct pxr_paper_diff pxr_paper_diff(struct pxr_arena *arena, const struct pxr_paper_row *row,
                                     const struct pxr_yaml *spec);

/* "a; b; c" */
const char *pxr_remarks(struct pxr_arena *arena, const struct pxr_remark *list);

#endif
