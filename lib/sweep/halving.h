/* SPDX-License-Identifier: MIT */
/*
 * halving.h - which trial of a successive halving goes on to a longer training.
 */
#ifndef PXR_SWEEP_HALVING_H
#define PXR_SWEEP_HALVING_H

#include <stdbool.h>

/* A trial that has come to its end, well or not. */
struct pxr_climber {
        int rung;
        double nats; /* validation NLL; INFINITY: it failed */
        bool promoted;
};

/* The one to promote next: of the highest rung below the last (rung `rungs` - 1) that has one, the
 * best of those that are among the best 1/`factor` of the trials ended there and not yet promoted.
 * -1: none. Of equal NLLs the earlier wins. */
int pxr_halving_next(const struct pxr_climber *climber, int count, int rungs, int factor);

#endif
