/* SPDX-License-Identifier: MIT */
/* sweep_json.h - what pxr-sweep has run, or would run, as JSON on stdout. */
#ifndef PXR_RUNNER_SWEEP_JSON_H
#define PXR_RUNNER_SWEEP_JSON_H

#include "sweep/schedule.h"

/* `end` is what pxr_sweep_run() returned. Both return 0 or -1. */
int print_sweep_json(const struct pxr_sweep_options *order, const struct pxr_sweep_state *state,
                     int end, struct pxr_diag *diag);
int print_plan_json(const struct pxr_sweep *sweep, const struct pxr_plan *plan,
                    struct pxr_diag *diag);

#endif
