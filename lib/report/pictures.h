/* SPDX-License-Identifier: MIT */
/*
 * pictures.h - what a run's record has to be looked at, for a page: samples, how they matured, the
 * receptive field, where the nats are.
 */
#ifndef PXR_REPORT_PICTURES_H
#define PXR_REPORT_PICTURES_H

#include "report/report.h"

/* Each writes its part of a run's section, with a heading, or a line that says why there is none.
 * Returns 0, or -1 after an error. */

/* The samples of one seed from checkpoint to checkpoint. */
int pxr_page_gallery(FILE *to, struct pxr_arena *arena, struct pxr_store *store,
                     const struct pxr_run *run, struct pxr_diag *diag);

/* The last grid of samples, and the receptive field. */
int pxr_page_pictures(FILE *to, struct pxr_arena *arena, struct pxr_store *store,
                      const struct pxr_run *run, struct pxr_diag *diag);

/* Where the nats are, of the split that the run's result is told of. */
int pxr_page_map(FILE *to, struct pxr_arena *arena, struct pxr_store *store,
                 const struct pxr_run *run, struct pxr_diag *diag);

#endif
