/* SPDX-License-Identifier: MIT */
/* chain.h - why a conditional run has no sum with the small images. */
#ifndef PXR_REPORT_CHAIN_H
#define PXR_REPORT_CHAIN_H

#include "report/report.h"

/* Note below an empty table of a run's chain why it is, where the run is conditional. Returns 0 or
 * -1. */
int pxr_note_no_chain(struct pxr_table *table, struct pxr_store *store, int64_t run,
                      struct pxr_diag *diag);

#endif
