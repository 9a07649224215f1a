/* SPDX-License-Identifier: MIT */
/*
 * repeat.h - a run's spec and data found again, to repeat it or to go on with it, perhaps from
 * another folder.
 */
#ifndef PXR_EXPERIMENT_REPEAT_H
#define PXR_EXPERIMENT_REPEAT_H

#include "experiment/experiment.h"
#include "record/database.h"

/* The origin of a run's spec; its data are at `path`, or, NULL, where pxr_data_path() says. */
void pxr_run_origin(struct pxr_arena *arena, const struct pxr_run *run, const char *path,
                    struct pxr_spec_origin *origin);

/* After its spec could not be used: note where plugins lay that cannot be found now. */
void pxr_repeat_explain(struct pxr_arena *arena, struct pxr_store *store, const struct pxr_run *run,
                        struct pxr_diag *diag);

#endif
