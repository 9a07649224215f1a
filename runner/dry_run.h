/* SPDX-License-Identifier: MIT */
/*
 * dry_run.h - what pxr-run prints of an experiment that it does not train.
 */
#ifndef PXR_RUNNER_DRY_RUN_H
#define PXR_RUNNER_DRY_RUN_H

#include "experiment/experiment.h"

/* Print the model and what it needs, then certify it and print that; as JSON all at once, or the
 * error alone. The exit status. */
int dry_run(struct pxr_arena *arena, struct pxr_experiment *experiment,
            const struct pxr_examination *how, bool json, struct pxr_diag *diag);

#endif
