/* SPDX-License-Identifier: MIT */
/*
 * spike.h - steps of a training whose batch costs far more than those before it.
 */
#ifndef PXR_TRAIN_SPIKE_H
#define PXR_TRAIN_SPIKE_H

#include <stdbool.h>
#include <stdint.h>

/* What is usual, as running means over the last 50 steps or so. Start from zeros. */
struct pxr_usual {
        int64_t steps; /* counted */
        double nats;   /* of an image */
        double norm;   /* of the gradient, before clipping */
};

/* Whether a step is a loss spike, and count it. It is one if an image of its batch costs, on
 * average, more than twice what it costs under the uniform distribution (`uniform` nats), or, once
 * 20 steps were counted, more than three times the running mean and more than that by a twentieth
 * of `uniform`. A step counts in the means with no more than three times what was usual before, so
 * that one spike does not hide the next. */
bool pxr_is_spike(struct pxr_usual *usual, double nats, double norm, double uniform);

#endif
