/* SPDX-License-Identifier: MIT */
/* functions.h - the SQL functions that reports and conditions may call (docs/reports.md). */
#ifndef PXR_REPORT_FUNCTIONS_H
#define PXR_REPORT_FUNCTIONS_H

#include "record/database.h"

/* Returns 0 or -1. */
int pxr_report_functions(struct pxr_store *store, struct pxr_diag *diag);

#endif
