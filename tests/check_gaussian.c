/* SPDX-License-Identifier: MIT */
/* check_gaussian.c - the discretized Gaussian, and the layer gaussian as a multivariate one. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "suite.h"
#include "whole_model.h"

/* --- the distribution --------------------------------------------------------------------------
 */

/* -log P of a level, with its slopes by mean and log deviation. */
static double nll(int levels, int level, double mean, double log_deviation, double slope[2])
{
        double logits[] = { mean, log_deviation }, sum = 0;
        uint8_t pixel = (uint8_t)level;
        struct pxr_nll_call call = {
                .levels = levels,
                .colours = 1,
                .images = 1,
                .places = 1,
                .logits = logits,
                .pixels = &pixel,
                .nll = &sum,
                .gradient = slope,
                .gradient_scale = 1,
        };

        pxr_gaussian.nll[PXR_F64](&call);
        return sum;
}

/* The same from its definition, in long double, of which erfcl() reaches far into the tails: to
 * 11300 nats with all its digits. */
static double defined_nll(int levels, int level, double mean, double log_deviation)
{
        long double scale = expl(-(long double)log_deviation) * M_SQRT1_2;
        long double centre = 2.0L * level / (levels - 1) - 1 - mean, half = 1.0L / (levels - 1);
        long double below = level > 0 ? (centre - half) * scale : -INFINITY;
        long double above = level < levels - 1 ? (centre + half) * scale : INFINITY;

        if (below + above < 0)
                return (double)-logl(0.5L * (erfcl(-above) - erfcl(-below)));
        return (double)-logl(0.5L * (erfcl(below) - erfcl(above)));
}

static const double means[] = { -1.7, -1, -0.31, 0, 0.004, 0.95, 2.5 };
static const double log_deviations[] = { -6, -4.5, -3, -1, 0, 2 };
static const int levels[] = { 2, 5, 256 };

enum { MEANS = 7, DEVIATIONS = 6, LEVELS = 3 };

START_TEST(nll_is_what_the_definition_says)
{
        for (int l = 0; l < LEVELS; l++)
                for (int m = 0; m < MEANS; m++)
                        for (int d = 0; d < DEVIATIONS; d++)
                                for (int k = 0; k < levels[l]; k++) {
                                        double want = defined_nll(levels[l], k, means[m],
                                                                  log_deviations[d]);
                                        double have = nll(levels[l], k, means[m], log_deviations[d],
                                                          NULL);

                                        ck_assert(isfinite(have));
                                        if (want < 11300)
                                                ck_assert_double_eq_tol(have, want,
                                                                        1e-9 + 1e-11 * want);
                                }
}
END_TEST

START_TEST(slopes_are_those_of_the_nll)
{
        const double step = 1e-6;

        for (int l = 0; l < LEVELS; l++)
                for (int m = 0; m < MEANS; m++)
                        for (int d = 0; d < DEVIATIONS; d++)
                                for (int k = 0; k < levels[l]; k += 1 + levels[l] / 9) {
                                        int n = levels[l];
                                        double x = means[m], s = log_deviations[d], slope[2];
                                        double by_mean, by_deviation;

                                        nll(n, k, x, s, slope);
                                        by_mean = (nll(n, k, x + step, s, NULL) -
                                                   nll(n, k, x - step, s, NULL)) /
                                                  (2 * step);
                                        by_deviation = (nll(n, k, x, s + step, NULL) -
                                                        nll(n, k, x, s - step, NULL)) /
                                                       (2 * step);
                                        ck_assert_double_eq_tol(slope[0], by_mean,
                                                                1e-3 + 1e-5 * fabs(by_mean));
                                        ck_assert_double_eq_tol(slope[1], by_deviation,
                                                                1e-3 + 1e-5 * fabs(by_deviation));
                                }
}
END_TEST

START_TEST(probabilities_of_levels_sum_to_one)
{
        double p[256];

        for (int l = 0; l < LEVELS; l++)
                for (int m = 0; m < MEANS; m++)
                        for (int d = 0; d < DEVIATIONS; d++) {
                                double logits[] = { means[m], log_deviations[d] }, sum = 0;

                                pxr_gaussian.probabilities[PXR_F64](levels[l], logits, p);
                                for (int k = 0; k < levels[l]; k++)
                                        sum += p[k];
                                ck_assert_double_eq_tol(sum, 1, 1e-12);
                        }
}
END_TEST

START_TEST(what_is_not_a_number_stays_so)
{
        ck_assert(isnan(nll(256, 7, NAN, 0, NULL)));
        ck_assert(isnan(nll(256, 0, NAN, 0, NULL)));
        ck_assert(isnan(nll(256, 7, 0, NAN, NULL)));
}
END_TEST

/* --- the layer ---------------------------------------------------------------------------------
 */

static const struct pxr_image_kind fine = { 2, 1, 3, 256 };

START_TEST(means_are_linear_in_earlier_values_alone)
{
        struct subject *s = subject("- gaussian\n", (struct pxr_image_kind) { 4, 4, 3, 4 });
        const double *a = parameter(s, "layers.0.gaussian.mean.weight");
        const double *b = parameter(s, "layers.0.gaussian.mean.bias");
        const double *deviation = parameter(s, "layers.0.gaussian.log_deviation");

        pxr_workspace_load(s->workspace, s->pixels, IMAGES);
        pxr_workspace_forward(s->workspace, s->parameters);
        for (int image = 0; image < IMAGES; image++)
                for (int d = 0; d < s->values; d++) {
                        double mean = b[d] / 64;

                        for (int e = 0; e < d; e++)
                                mean += a[d * s->values + e] / 64 *
                                        (2.0 * s->pixels[image * s->values + e] / 3 - 1);
                        ck_assert_double_eq_tol(logits_of(s, d, image)[0], mean, 1e-12);
                        ck_assert_double_eq(logits_of(s, d, image)[1], deviation[d]);
                }
}
END_TEST

/* The quadratic form of (x - m) in (1 - A)^T diag(s^-2) (1 - A), whose inverse is the covariance;
 * computed from that matrix, not value by value. */
static double density_nats(const struct subject *s, const uint8_t *pixels)
{
        const double *weight = parameter(s, "layers.0.gaussian.mean.weight");
        const double *bias = parameter(s, "layers.0.gaussian.mean.bias");
        const double *deviation = parameter(s, "layers.0.gaussian.log_deviation");
        int n = s->values;
        double a[36], b[6];
        double precision[6][6], x[6], mean[6], nats = 0;

        for (int i = 0; i < n * n; i++)
                a[i] = weight[i] / 64;
        for (int i = 0; i < n; i++)
                b[i] = bias[i] / 64;
        for (int d = 0; d < n; d++) { /* m = (1 - A)^-1 b, by substitution */
                mean[d] = b[d];
                for (int e = 0; e < d; e++)
                        mean[d] += a[d * n + e] * mean[e];
                x[d] = 2.0 * pixels[d] / (s->levels - 1) - 1 - mean[d];
        }
        for (int i = 0; i < n; i++)
                for (int j = 0; j < n; j++) {
                        precision[i][j] = 0;
                        for (int d = 0; d < n; d++)
                                precision[i][j] += ((d == i) - (d > i ? a[d * n + i] : 0)) *
                                                   ((d == j) - (d > j ? a[d * n + j] : 0)) *
                                                   exp(-2 * deviation[d]);
                }
        for (int i = 0; i < n; i++) {
                nats += deviation[i] + 0.5 * log(2 * acos(-1)) - log(2.0 / (s->levels - 1));
                for (int j = 0; j < n; j++)
                        nats += 0.5 * x[i] * precision[i][j] * x[j];
        }
        return nats;
}

/* With deviations of many levels, and values off the ends, the probability of an image is the
 * density times the volume of its cell. */
START_TEST(fine_levels_have_the_density_of_a_multivariate_gaussian)
{
        struct subject *s = subject("- gaussian\n", fine);
        double *deviation = parameter(s, "layers.0.gaussian.log_deviation");
        double *weight = parameter(s, "layers.0.gaussian.mean.weight");

        for (int i = 0; i < s->values * s->values; i++)
                weight[i] *= 64;
        for (int d = 0; d < s->values; d++)
                deviation[d] = -1.5 + 0.2 * d;
        for (int i = 0; i < IMAGES; i++) {
                uint8_t *pixels = s->pixels + i * s->values;
                double density, found;

                for (int d = 0; d < s->values; d++)
                        pixels[d] = (uint8_t)(20 + pixels[d] % 216);
                density = density_nats(s, pixels);
                found = nats(s, pixels);
                ck_assert_double_eq_tol(found, density, 1e-3 * (1 + fabs(density)));
        }
}
END_TEST

START_TEST(probabilities_of_tiny_images_sum_to_one)
{
        sums_to_one("- gaussian\n", (struct pxr_image_kind) { 2, 2, 1, 2 });
        sums_to_one("- gaussian\n", (struct pxr_image_kind) { 1, 2, 3, 2 });
        sums_to_one("- gaussian\n", (struct pxr_image_kind) { 2, 2, 1, 5 });
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("gaussian");

        ADD_MODEL_TEST(suite, nll_is_what_the_definition_says);
        ADD_MODEL_TEST(suite, slopes_are_those_of_the_nll);
        ADD_MODEL_TEST(suite, probabilities_of_levels_sum_to_one);
        ADD_MODEL_TEST(suite, what_is_not_a_number_stays_so);
        ADD_MODEL_TEST(suite, means_are_linear_in_earlier_values_alone);
        ADD_MODEL_TEST(suite, fine_levels_have_the_density_of_a_multivariate_gaussian);
        ADD_MODEL_TEST(suite, probabilities_of_tiny_images_sum_to_one);
        return run_suite(suite);
}
