/* SPDX-License-Identifier: MIT */
/*
 * distribution.c - the Bernoulli and the categorical distribution: NLL, its gradient, and
 * probabilities. Sums are in double. Uses vecmath.
 */
#include <math.h>

#include <pxr/distribution.h>
#include <pxr/vecmath.h>

/* The double precision counterparts of two vecmath functions. */
static double pxr_max_f64(size_t size, const double *x)
{
        double top = x[0];

        for (size_t i = 1; i < size; i++)
                top = x[i] <= top ? top : x[i];
        return top;
}

static double pxr_exp_sum_f64(size_t size, const double *x, double shift, double *y)
{
        double sum = 0;

        for (size_t i = 0; i < size; i++) {
                y[i] = exp(x[i] - shift);
                sum += y[i];
        }
        return sum;
}

#define PXR_KERNELS_FILE "tensor/distribution_kernels.h"
#include <pxr/precisions.h>

static int bernoulli_channels(int levels)
{
        return levels == 2 ? 1 : 0;
}

static int categorical_channels(int levels)
{
        return levels >= 2 && levels <= 256 ? levels : 0;
}

const struct pxr_distribution pxr_bernoulli = {
        .name = "Bernoulli",
        .channels = bernoulli_channels,
        .nll = { bernoulli_nll_f32, bernoulli_nll_f64 },
        .probabilities = { bernoulli_probabilities_f32, bernoulli_probabilities_f64 },
};

const struct pxr_distribution pxr_categorical = {
        .name = "categorical",
        .channels = categorical_channels,
        .nll = { categorical_nll_f32, categorical_nll_f64 },
        .probabilities = { categorical_probabilities_f32, categorical_probabilities_f64 },
};
