/* SPDX-License-Identifier: MIT */
/*
 * halving.h - which trial of a successive halving is trained for longer next.
 */
#ifndef PXR_SWEEP_HALVING_H
#define PXR_SWEEP_HALVING_H

#include <stdbool.h>

/* A trial that has finished or failed. */
struct pxr_candidate {
        int rung;
        double nats; /* validation NLL; INFINITY: it failed */
        bool promoted;
};

/* The trial to promote next, or -1. Rungs are searched from the highest below the last (`rungs` -
 * 1) downwards; in each, the best trial not yet promoted qualifies when it is among the best
 * 1/`factor` of all trials there. Of equal NLLs the earlier wins. */
int pxr_halving_next(const struct pxr_candidate *candidate, int count, int rungs, int factor);

#endif
