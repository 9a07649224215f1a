/* SPDX-License-Identifier: MIT */
/* plot_sweep.h - plots of the jobs of a sweep in an HTML page. */
#ifndef PXR_REPORT_PLOT_SWEEP_H
#define PXR_REPORT_PLOT_SWEEP_H

#include "report/html.h"

/* The validation NLL of jobs against each key that varies, and the keys and the NLL as parallel
 * coordinates. `jobs` is the table of reports/sweep/jobs.sql. Jobs that diverged (whose NLL is
 * suspect or infinite) are set apart, above all others. Nothing is written where no two jobs have
 * an NLL, or nothing varies. Returns 0, or -1 when memory is out. */
int pxr_plot_sweep(FILE *to, struct pxr_arena *arena, const struct pxr_table *jobs,
                   const struct pxr_html_runs *detailed);

#endif
