/* SPDX-License-Identifier: MIT */
/* page_sweeps.h - the sweeps in an HTML page: what varied, and what became of it. */
#ifndef PXR_REPORT_PAGE_SWEEPS_H
#define PXR_REPORT_PAGE_SWEEPS_H

#include "report/html.h"
#include "report/report.h"

/* The section of the sweeps that the runs of a list belong to, the newest first; empty where they
 * belong to none. Dots lead to the runs of `detailed`. Returns 0 or -1. */
int pxr_page_sweeps(FILE *to, struct pxr_store *store, const struct pxr_table *list,
                    const struct pxr_html_runs *detailed, struct pxr_diag *diag);

/* Whether a list has runs of a sweep. */
bool pxr_page_has_sweeps(const struct pxr_table *list);

#endif
