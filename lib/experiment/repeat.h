/* SPDX-License-Identifier: MIT */
/*
 * repeat.h - making a run that is on record once more. Uses experiment.h, store/, model/plugin.h.
 */
#ifndef PXR_EXPERIMENT_REPEAT_H
#define PXR_EXPERIMENT_REPEAT_H

#include "experiment/experiment.h"
#include "store/database.h"

/* Where the spec of a run comes from when it is repeated, and where its data lie: at `path` if that
 * is not NULL; else where its spec says, seen from the folder it was started in, if they are there;
 * else seen from here. Returns 0 or -1. */
int pxr_repeat_origin(struct pxr_arena *arena, const struct pxr_run *run, const char *path,
                      struct pxr_spec_origin *origin, struct pxr_diag *diag);

/* After its spec could not be used: note where plugins lay that cannot be found now. */
void pxr_repeat_explain(struct pxr_arena *arena, struct pxr_store *store, const struct pxr_run *run,
                        struct pxr_diag *diag);

#endif
