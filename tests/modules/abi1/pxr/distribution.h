/* SPDX-License-Identifier: MIT */
/*
 * distribution.h - the distribution of one colour's value, given the logits of the last layer.
 */
#ifndef PXR_DISTRIBUTION_H
#define PXR_DISTRIBUTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The negative log-likelihood of a micro-batch. Logits are [pixel][image][colour][channel]. */
struct pxr_nll_call {
        int levels, colours, images;
        size_t pixel_count; /* rows x cols */
        const void *logits;
        const uint8_t *pixels; /* [pixel][image][colour] */
        double *nll;           /* [image], in nats: add to it */
        void *gradient;        /* of gradient_scale times the sum of all NLLs with respect to
                                  the logits, overwritten; NULL: not wanted */
        double gradient_scale;
};

struct pxr_distribution {
        const char *name;
        int (*channels)(int levels); /* logits of one colour; 0: `levels` not supported */
        void (*nll[2])(const struct pxr_nll_call *call); /* by enum pxr_precision */

        /* The probability of each level, given the logits of one colour of one pixel. */
        void (*probabilities[2])(int levels, const void *logits, double *probability);

        /* Their logarithms, finite even if a probability is too small for a double. */
        void (*log_probabilities[2])(int levels, const void *logits, double *log_probability);

        /* The NLL is that of a density of values with noise added, and not of `probabilities`:
         * images can be drawn, but not coded. */
        bool density;
};

/* p(1) = 1 / (1 + exp(-logit)): 2 levels, one logit. */
extern const struct pxr_distribution pxr_bernoulli;

/* p(k) = exp(logit_k) / sum over j of exp(logit_j): section 3.1 of the paper. */
extern const struct pxr_distribution pxr_categorical;

/* The usual distribution for images of `levels` levels. */
static inline const struct pxr_distribution *pxr_discrete(int levels)
{
        return levels == 2 ? &pxr_bernoulli : &pxr_categorical;
}

/* A discretized Gaussian: p(k) is its mass between the midpoints around level k; the first and last
 * level extend to infinity. Two logits: mean and log standard deviation, on a scale where level k
 * is 2 k / (levels - 1) - 1. */
extern const struct pxr_distribution pxr_gaussian;

/* A dequantized Gaussian, as published NLLs of densities are: the density, in units of a level, at
 * the value plus noise that is uniform between the midpoints around its level. No noise is drawn:
 * the NLL is the expectation over the noise, which is exact if the mean is linear in the earlier
 * values (with their noise). The third logit is the variance that their noise gives the mean, as a
 * multiple of the variance of one value's noise. `probabilities` are those of pxr_gaussian. */
extern const struct pxr_distribution pxr_dequantized_gaussian;

#ifdef __cplusplus
}
#endif
#endif
