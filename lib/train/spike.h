/* SPDX-License-Identifier: MIT */
/*
 * spike.h - loss spikes: steps whose batch has a much higher NLL than those before.
 */
#ifndef PXR_TRAIN_SPIKE_H
#define PXR_TRAIN_SPIKE_H

#include <stdbool.h>
#include <stdint.h>

/* Running means over about the last 50 steps. Initially zero. */
struct pxr_usual {
        int64_t steps; /* counted */
        double nats;   /* of an image */
        double norm;   /* of the gradient, before clipping */
};

/* Whether a step is a loss spike; also updates the means. A step is a spike if the mean NLL of its
 * images exceeds twice that of the uniform distribution (`uniform` nats), or, after 20 steps, if it
 * exceeds three times the running mean and the difference is over a twentieth of `uniform`. In the
 * means a step counts at most three times the previous mean, so that one spike does not hide the
 * next. */
bool pxr_is_spike(struct pxr_usual *usual, double nats, double norm, double uniform);

#endif
