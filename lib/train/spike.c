/* SPDX-License-Identifier: MIT */
/* spike.c - loss spikes, by running means. */
#include "train/spike.h"

#include <math.h>

enum { FEWEST = 20, MEMORY = 50 }; /* steps */

static const double FAR_ABOVE_UNIFORM = 2, FAR_ABOVE_USUAL = 3, SMALL = 0.05;

static void count(double *mean, int64_t steps, double value)
{
        double most = steps > FEWEST ? FAR_ABOVE_USUAL * fabs(*mean) : INFINITY;

        *mean += (fmin(value, most) - *mean) / (double)(steps < MEMORY ? steps : MEMORY);
}

bool pxr_is_spike(struct pxr_usual *usual, double nats, double norm, double uniform)
{
        bool sudden = usual->steps >= FEWEST && usual->nats > 0 &&
                      nats > FAR_ABOVE_USUAL * usual->nats && nats - usual->nats > SMALL * uniform;

        usual->steps++;
        count(&usual->nats, usual->steps, nats);
        count(&usual->norm, usual->steps, norm);
        return sudden || nats > FAR_ABOVE_UNIFORM * uniform;
}
