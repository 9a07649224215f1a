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

        /* For a distribution over pixels. */
        const void *conf; /* what pxr_output_pixels() was given */
        bool each;        /* nll is [pixel][image][colour]: one of each value, given earlier ones */
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

/* One colour of one pixel, to be drawn or coded. */
struct pxr_pixel {
        int levels, colours, colour;
        const void *logits;    /* of all colours; only the colour groups up to `colour` are there */
        const uint8_t *values; /* the pixel's; only those of earlier colours are there */
        const void *conf;
};

/*
 * A distribution with settings, over the colours of a whole pixel: they may share logits, and a
 * colour's distribution may depend on the values of earlier colours. What it computes of a colour
 * may read the logits of that colour group (of all channels, pxr_group_begin()) and of earlier ones
 * only, as the model may have made the later ones from the colour's own value.
 */
struct pxr_pixel_distribution {
        const char *name;
        int (*channels)(int levels, int colours, const void *conf); /* logits of a pixel; 0: not
                                                                       supported */
        void (*nll[2])(const struct pxr_nll_call *call);

        /* The probability of each level given the earlier colours, and its logarithm, which is
         * finite even if the probability is too small for a double. */
        void (*probabilities[2])(const struct pxr_pixel *pixel, double *probability);
        void (*log_probabilities[2])(const struct pxr_pixel *pixel, double *log_probability);
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
