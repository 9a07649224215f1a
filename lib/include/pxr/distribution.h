/* SPDX-License-Identifier: MIT */
/*
 * distribution.h - what the last layer's numbers mean: the distribution of one colour's value.
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
        double *nll;           /* [image], in nats: added to */
        void *gradient;        /* of gradient_scale times the sum over images; NULL: not wanted */
        double gradient_scale;
};

struct pxr_distribution {
        const char *name;
        int (*channels)(int levels); /* logits of one colour; 0: this many levels cannot be */
        void (*nll[2])(const struct pxr_nll_call *call); /* by enum pxr_precision */

        /* The probability of each level under the logits of one colour of one pixel. */
        void (*probabilities[2])(int levels, const void *logits, double *probability);

        /* Their logarithms, which stay finite where a probability is too small for a double. */
        void (*log_probabilities[2])(int levels, const void *logits, double *log_probability);

        /* The NLL is that of a density of values with noise added: images can be drawn by
         * `probabilities`, but it is not these that the NLL is of. */
        bool density;
};

/* p(1) = 1 / (1 + exp(-logit)): 2 levels, one logit. */
extern const struct pxr_distribution pxr_bernoulli;

/* p(k) = exp(logit_k) / sum over j of exp(logit_j): section 3.1 of the paper. */
extern const struct pxr_distribution pxr_categorical;

/* The distribution without parameters of its own for images of so many levels. */
static inline const struct pxr_distribution *pxr_discrete(int levels)
{
        return levels == 2 ? &pxr_bernoulli : &pxr_categorical;
}

/* What a Gaussian has between the midpoints round a level, and beyond them at the first and the
 * last level. Two numbers: the mean, and the logarithm of the deviation, where levels are at
 * 2 k / (levels - 1) - 1. */
extern const struct pxr_distribution pxr_gaussian;

/* The density of a Gaussian at a value with noise added, uniform between the midpoints round its
 * level, in units of a level: dequantized, as the published NLLs of densities are. No noise is
 * drawn: the NLL is the mean over all noise, which is exact where the mean is linear in the earlier
 * values, noise added. A third number is the variance which the mean then has, over that of the
 * noise in one value. A level's probability is that of a draw given the earlier levels themselves:
 * what pxr_gaussian has. */
extern const struct pxr_distribution pxr_dequantized_gaussian;

#ifdef __cplusplus
}
#endif
#endif
