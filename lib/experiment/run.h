/* SPDX-License-Identifier: MIT */
/*
 * run.h - a run: training, evaluation and samples of an experiment, all of it on record.
 */
#ifndef PXR_EXPERIMENT_RUN_H
#define PXR_EXPERIMENT_RUN_H

#include "experiment/order.h"

enum pxr_run_end { PXR_RUN_FINISHED, PXR_RUN_INTERRUPTED };

/* Run, or go on with, an experiment. *id becomes the run's number as soon as there is one. Returns
 * an enum pxr_run_end, or -1 after an error; the run is on record either way, and all that was
 * reached up to then. */
int pxr_run(const struct pxr_run_order *order, int64_t *id, struct pxr_diag *diag);

#endif
