/* SPDX-License-Identifier: MIT */
/* page_curves.h - the metrics of several runs as JSON, for the page's plot of their curves. */
#ifndef PXR_REPORT_PAGE_CURVES_H
#define PXR_REPORT_PAGE_CURVES_H

#include <stdint.h>
#include <stdio.h>

#include "record/database.h"

/* The section with the curves of these runs: the data, which page scripts draw. Without a charting
 * library nothing is written. Returns 0 or -1. */
int pxr_page_curves(FILE *to, struct pxr_store *store, const int64_t *run, size_t count,
                    struct pxr_diag *diag);

#endif
