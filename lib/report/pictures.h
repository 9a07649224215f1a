/* SPDX-License-Identifier: MIT */
/*
 * pictures.h - the pictures of a run in an HTML page: samples, how they matured, the receptive
 * field, a map of the NLL.
 */
#ifndef PXR_REPORT_PICTURES_H
#define PXR_REPORT_PICTURES_H

#include "report/report.h"

/* The section of a run. */
struct pxr_page_run {
        FILE *to;
        struct pxr_arena *arena;
        struct pxr_store *store;
        const struct pxr_run *run;
        struct pxr_diag *diag;
};

/* Each writes its part of the section, with a heading, or a line that says why it is missing.
 * Returns 0 or -1. */

/* The samples of one seed from checkpoint to checkpoint. */
int pxr_page_gallery(const struct pxr_page_run *r);

/* The last grid of samples, and the receptive field. */
int pxr_page_pictures(const struct pxr_page_run *r);

/* The mean NLL of each pixel, on the split of the run's result. */
int pxr_page_map(const struct pxr_page_run *r);

#endif
