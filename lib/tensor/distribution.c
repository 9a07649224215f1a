/* SPDX-License-Identifier: MIT */
/*
 * distribution.c - the Bernoulli, the categorical, and the discretized and the dequantized Gaussian
 * distribution: NLL, its gradient, and probabilities. Sums over values are in double; that over the
 * levels of one value is in the kernels' own precision, to a relative error of about 1e-7.
 */
#include <math.h>

#include <pxr/distribution.h>
#include <pxr/vecmath.h>

/* log P of a level, and its slopes by the mean and by the logarithm of the deviation. */
struct mass {
        double log_p, by_mean, by_log_deviation;
};

static double normal_density(double z)
{
        return exp(-0.5 * z * z) * 0.39894228040143267794; /* 1 / sqrt(2 pi) */
}

/* Far below zero, the density at z divided by the probability below z: its asymptotic series. */
static double tail_ratio(double z)
{
        double t = 1 / (z * z);

        return -z * (1 + t * (1 - t * (2 - 10 * t)));
}

/* Of the standard normal distribution: log P of low .. high, and the density at each end divided
 * by P. high <= -low, so that the tail at hand is the lower one, where erfc() is exact. */
static double log_interval(double low, double high, double *at_low, double *at_high)
{
        double p = 0.5 * (erfc(-high * M_SQRT1_2) - erfc(-low * M_SQRT1_2)), fall;

        if (!(p < 1e-280)) {
                *at_low = normal_density(low) / p;
                *at_high = normal_density(high) / p;
                return log(p);
        }
        fall = exp(0.5 * (high - low) * (high + low)); /* density at low / density at high */
        *at_high = tail_ratio(high) / (1 - fall * tail_ratio(high) / tail_ratio(low));
        *at_low = *at_high * fall;
        return -0.5 * high * high - 0.91893853320467274178 - log(*at_high);
}

static struct mass gaussian_mass(int levels, int level, double mean, double log_deviation)
{
        double scale = exp(-log_deviation), half = 1.0 / (levels - 1);
        double from_mean = (2 * level - levels + 1) * half - mean, sign = 1;
        double low = level > 0 ? (from_mean - half) * scale : -INFINITY;
        double high = level < levels - 1 ? (from_mean + half) * scale : INFINITY;
        double at_low, at_high;
        struct mass mass;

        if (low + high > 0) {
                double kept = low;

                low = -high;
                high = -kept;
                sign = -1;
        }
        mass.log_p = log_interval(low, high, &at_low, &at_high);
        mass.by_mean = sign * scale * (at_low - at_high);
        mass.by_log_deviation = (isinf(low) ? 0 : low * at_low) - high * at_high;
        return mass;
}

/* The mean over noise of -log density, and its slopes. */
struct density {
        double nll, by_mean, by_log_deviation, by_noise;
};

/* A value is its level plus noise uniform over a cell. The mean has noise too, from other values,
 * with `noise` times that variance. So the expected squared distance of the two is that without
 * noise, plus both variances. */
static struct density gaussian_density(int levels, int level, double mean, double log_deviation,
                                       double noise)
{
        double cell = 2.0 / (levels - 1), precision = exp(-2 * log_deviation);
        double distance = (2 * level - levels + 1) * (cell / 2) - mean;
        double variance = cell * cell / 12;
        double square = (distance * distance + variance * (1 + noise)) * precision;

        return (struct density) {
                .nll = 0.91893853320467274178 + log_deviation + square / 2 - log(cell),
                .by_mean = -distance * precision,
                .by_log_deviation = 1 - square,
                .by_noise = variance * precision / 2,
        };
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

static int gaussian_channels(int levels)
{
        return levels >= 2 && levels <= 256 ? 2 : 0;
}

static int density_channels(int levels)
{
        return levels >= 2 && levels <= 256 ? 3 : 0;
}

const struct pxr_distribution pxr_bernoulli = {
        .name = "Bernoulli",
        .channels = bernoulli_channels,
        .nll = { bernoulli_nll_f32, bernoulli_nll_f64 },
        .probabilities = { bernoulli_probabilities_f32, bernoulli_probabilities_f64 },
        .log_probabilities = { bernoulli_log_probabilities_f32, bernoulli_log_probabilities_f64 },
};

const struct pxr_distribution pxr_categorical = {
        .name = "categorical",
        .channels = categorical_channels,
        .nll = { categorical_nll_f32, categorical_nll_f64 },
        .probabilities = { categorical_probabilities_f32, categorical_probabilities_f64 },
        .log_probabilities = { categorical_log_probabilities_f32,
                               categorical_log_probabilities_f64 },
};

const struct pxr_distribution pxr_gaussian = {
        .name = "discretized Gaussian",
        .channels = gaussian_channels,
        .nll = { gaussian_nll_f32, gaussian_nll_f64 },
        .probabilities = { gaussian_probabilities_f32, gaussian_probabilities_f64 },
        .log_probabilities = { gaussian_log_probabilities_f32, gaussian_log_probabilities_f64 },
};

const struct pxr_distribution pxr_dequantized_gaussian = {
        .name = "dequantized Gaussian",
        .channels = density_channels,
        .nll = { density_nll_f32, density_nll_f64 },
        .probabilities = { gaussian_probabilities_f32, gaussian_probabilities_f64 },
        .log_probabilities = { gaussian_log_probabilities_f32, gaussian_log_probabilities_f64 },
        .density = true,
};
