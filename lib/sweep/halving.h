/* SPDX-License-Identifier: MIT */
/*
 * halving.h - which jobs of a successive halving may be trained for longer.
 */
#ifndef PXR_SWEEP_HALVING_H
#define PXR_SWEEP_HALVING_H

#include "record/cursor.h"

/* The jobs, as rows of their spec_hash, that are among the best 1/`factor` of those that have ended
 * in their rung. Rungs go from the highest below the last (`rungs` - 1) downwards, and in each the
 * best is first; of equal NLLs the earlier. Those promoted already are among them. */
struct pxr_cursor pxr_halving_candidates(struct pxr_store *store, int64_t sweep, int rungs,
                                         int64_t factor, struct pxr_diag *diag);

#endif
