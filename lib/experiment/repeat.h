/* SPDX-License-Identifier: MIT */
/*
 * repeat.h - a run's spec and data found again, to repeat it or to go on with it, perhaps from
 * another folder.
 */
#ifndef PXR_EXPERIMENT_REPEAT_H
#define PXR_EXPERIMENT_REPEAT_H

#include "experiment/experiment.h"
#include "record/database.h"

/* Where a run's data lie, when that is not where its spec says as seen from here: as seen from the
 * folder it was started in, if they are there. *path is NULL where there is nothing to say. Returns
 * 0 or -1. */
int pxr_run_data(struct pxr_arena *arena, const struct pxr_run *run, const char **path,
                 struct pxr_diag *diag);

/* Where the spec of a run comes from, and its data: from `path` if that is not NULL, else as
 * pxr_run_data() finds them. Returns 0 or -1. */
int pxr_run_origin(struct pxr_arena *arena, const struct pxr_run *run, const char *path,
                   struct pxr_spec_origin *origin, struct pxr_diag *diag);

/* After its spec could not be used: note where plugins lay that cannot be found now. */
void pxr_repeat_explain(struct pxr_arena *arena, struct pxr_store *store, const struct pxr_run *run,
                        struct pxr_diag *diag);

#endif
