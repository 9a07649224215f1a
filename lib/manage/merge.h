/* SPDX-License-Identifier: MIT */
/* merge.h - what merging and importing share. */
#ifndef PXR_MANAGE_MERGE_H
#define PXR_MANAGE_MERGE_H

#include "manage/manage.h"

/* pxr_merge(); `given` (NULL: it is none) makes it an import, and has what each database came in,
 * by which it is called in the table: then a missing checkpoint is an error, not a warning, and
 * files are copied. */
struct pxr_table *pxr_merge_with(struct pxr_arena *arena, const char *into,
                                 const struct pxr_words *from, const char *const *given,
                                 struct pxr_diag *diag);

/* Take over sweeps and their jobs, once the runs are; within the transaction. A job that a process
 * here is at work on stays as it is; one that is at work elsewhere waits here. What was taken over
 * is noted below the table. Returns 0 or -1. */
int pxr_merge_jobs(struct pxr_arena *arena, struct pxr_store *from, struct pxr_store *into,
                   struct pxr_table *table, struct pxr_diag *diag);

#endif
