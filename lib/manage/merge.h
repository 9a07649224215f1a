/* SPDX-License-Identifier: MIT */
/* merge.h - what merging and importing share. */
#ifndef PXR_MANAGE_MERGE_H
#define PXR_MANAGE_MERGE_H

#include "manage/manage.h"

/* Copy sweeps and their jobs of schema `source` once the runs are copied, within the transaction. A
 * job at work on this host is not changed; one at work elsewhere becomes waiting. What was copied
 * is noted below the table. Returns 0 or -1. */
int pxr_merge_jobs(struct pxr_arena *arena, struct pxr_store *store, struct pxr_table *table,
                   struct pxr_diag *diag);

#endif
