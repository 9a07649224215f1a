/* SPDX-License-Identifier: MIT */
/*
 * share.h - an experiment on several ranks: what they must agree on, and what the others do for
 * rank 0.
 */
#ifndef PXR_EXPERIMENT_SHARE_H
#define PXR_EXPERIMENT_SHARE_H

#include "experiment/experiment.h"
#include "train/ranks.h"

/* Give all ranks the origin of a recorded spec, which only rank 0 has read from its database. In
 * rank 0 `origin` NULL: there is none, after an error. Returns as ranks.h says. */
int pxr_share_origin(struct pxr_ranks *ranks, struct pxr_arena *arena,
                     struct pxr_spec_origin *origin, bool found);

/* Compare program, instruction set, BLAS, spec, data and layers of all ranks. To be called by all,
 * with NULL where the experiment could not be built; the errors of `diag` are then reported by rank
 * 0. Returns 0 in rank 0 if all agree, and in other ranks if they may wait for work; else -1. */
int pxr_share_agree(struct pxr_ranks *ranks, const struct pxr_experiment *experiment,
                    struct pxr_diag *diag);

/* Rank 0, once it is ready to train: have the others make ready too. `threads` are its own. Returns
 * as ranks.h says. */
int pxr_share_begin(struct pxr_ranks *ranks, int threads);

/* Other ranks: do what rank 0 orders until it ends the work. `images`, where not NULL, are those of
 * each batch in place of the data set's. Errors are reported to rank 0. */
void pxr_share_serve(struct pxr_ranks *ranks, const struct pxr_experiment *experiment, int threads,
                     const uint8_t *images, struct pxr_diag *diag);

#endif
