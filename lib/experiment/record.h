/* SPDX-License-Identifier: MIT */
/*
 * record.h - putting a run on record: at its start, and what it makes along the way.
 */
#ifndef PXR_EXPERIMENT_RECORD_H
#define PXR_EXPERIMENT_RECORD_H

#include "experiment/state.h"
#include "record/provenance.h"

/* Record a new run with its provenance, data files, plugins, layers and receptive field, all or
 * nothing. Sets state->run. */
int pxr_record_run(struct pxr_state *state, struct pxr_diag *diag);

/* Record the plugins of the run's layers, as they are now. Returns 0 or -1. */
int pxr_record_plugins(struct pxr_state *state, struct pxr_diag *diag);

/* Record an NLL of the parameters at `step` and tell the observer. `final`: the run's result. */
int pxr_record_nll(struct pxr_state *state, int64_t step, const char *split,
                   const struct pxr_nll *nll, bool final, struct pxr_diag *diag);

/* Record where the nats of the last evaluation are, which had so many images. */
int pxr_record_map(struct pxr_state *state, int64_t step, const char *split, int64_t images,
                   struct pxr_diag *diag);

/* Draw samples with the parameters at `step` and record them as a grid. Returns 0, 1 when stopped,
 * or -1. */
int pxr_record_samples(struct pxr_state *state, int64_t step, const float *parameters,
                       struct pxr_diag *diag);

/* What this process is, as columns of table `run` and as a line for an event: "started", or
 * "resumed at step 5", then program, host and threads. */
char *pxr_record_process(const struct pxr_provenance *now, const struct pxr_state *state,
                         const char *what, struct pxr_run *run);

#endif
