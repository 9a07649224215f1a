/* SPDX-License-Identifier: MIT */
/* check_gaussian.c - the discretized and the dequantized Gaussian, and the layer gaussian as a
 * multivariate one. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "suite.h"
#include "whole_model.h"

/* --- the distribution --------------------------------------------------------------------------
 */

/* The NLL of a level, with its slopes by the logits. */
static double nll_of(const struct pxr_distribution *distribution, int levels, int level,
                     const double *logits, double *slope)
{
        double sum = 0;
        uint8_t pixel = (uint8_t)level;
        struct pxr_nll_call call = {
                .levels = levels,
                .colours = 1,
                .images = 1,
                .pixel_count = 1,
                .logits = logits,
                .pixels = &pixel,
                .nll = &sum,
                .gradient = slope,
                .gradient_scale = 1,
        };

        distribution->nll[PXR_F64](&call);
        return sum;
}

/* -log P of a level, with its slopes by mean and log deviation. */
static double nll(int levels, int level, double mean, double log_deviation, double slope[2])
{
        return nll_of(&pxr_gaussian, levels, level, (double[]) { mean, log_deviation }, slope);
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

START_TEST(the_nll_follows_its_definition)
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

START_TEST(gradients_of_the_nll_match_finite_differences)
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

START_TEST(nan_logits_give_nan)
{
        ck_assert(isnan(nll(256, 7, NAN, 0, NULL)));
        ck_assert(isnan(nll(256, 0, NAN, 0, NULL)));
        ck_assert(isnan(nll(256, 7, 0, NAN, NULL)));
}
END_TEST

/* --- the density -------------------------------------------------------------------------------
 */

/* Two values have the mean and the variance of noise that is uniform over `width`, and so the same
 * mean of a square: half of it over the root of three to either side. */
static double noise_at(int side, double width)
{
        return (side ? 1 : -1) * width / 2 / sqrt(3);
}

/* The mean, over noise in the value and in the mean, of -log density in units of a level. */
static double mean_over_noise(int levels, int level, double mean, double log_deviation,
                              double noise)
{
        double cell = 2.0 / (levels - 1), s = exp(log_deviation), sum = 0;

        for (int i = 0; i < 4; i++) {
                double value = 2.0 * level / (levels - 1) - 1 + noise_at(i & 1, cell);
                double shifted = mean + sqrt(noise) * noise_at(i >> 1, cell);
                double z = (value - shifted) / s;

                sum -= log(exp(-z * z / 2) / (s * sqrt(2 * acos(-1))) * cell) / 4;
        }
        return sum;
}

START_TEST(density_is_the_mean_over_noise)
{
        for (int l = 0; l < LEVELS; l++)
                for (double noise = 0; noise < 3; noise += 0.7)
                        for (int k = 0; k < levels[l]; k += 1 + levels[l] / 9)
                                for (double mean = -1; mean < 1; mean += 0.31) {
                                        const double logits[] = { mean, -0.8, noise };
                                        double want =
                                                mean_over_noise(levels[l], k, mean, -0.8, noise);

                                        ck_assert_double_eq_tol(nll_of(&pxr_dequantized_gaussian,
                                                                       levels[l], k, logits, NULL),
                                                                want, 1e-12 * (1 + fabs(want)));
                                }
}
END_TEST

START_TEST(gradients_of_the_density_match_finite_differences)
{
        const struct pxr_distribution *density = &pxr_dequantized_gaussian;
        const double step = 1e-6;

        for (int l = 0; l < LEVELS; l++)
                for (int k = 0; k < levels[l]; k += 1 + levels[l] / 9) {
                        double logits[] = { 0.3, -1.2, 0.7 }, slope[3];

                        nll_of(density, levels[l], k, logits, slope);
                        for (int i = 0; i < 3; i++) {
                                double kept = logits[i], above, want;

                                logits[i] = kept + step;
                                above = nll_of(density, levels[l], k, logits, NULL);
                                logits[i] = kept - step;
                                want = above - nll_of(density, levels[l], k, logits, NULL);
                                want /= 2 * step;
                                logits[i] = kept;
                                ck_assert_double_eq_tol(slope[i], want, 1e-7 * (1 + fabs(want)));
                        }
                }
}
END_TEST

/* --- the layer ---------------------------------------------------------------------------------
 */

static const struct pxr_image_kind fine = { 2, 1, 3, 256 };

START_TEST(means_are_linear_in_earlier_values)
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
 * computed from that matrix, not value by value. In units of a level. */
static double density_nats(const struct subject *s, const double *values)
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
                x[d] = values[d] - mean[d];
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

/* Weights and deviations at which an image of a few values has a density worth the name. */
static struct subject *fine_subject(const char *layers)
{
        struct subject *s = subject(layers, fine);
        double *deviation = parameter(s, "layers.0.gaussian.log_deviation");
        double *weight = parameter(s, "layers.0.gaussian.mean.weight");

        for (int i = 0; i < s->values * s->values; i++)
                weight[i] *= 64;
        for (int d = 0; d < s->values; d++)
                deviation[d] = -1.5 + 0.2 * d;
        return s;
}

static double scaled(const struct subject *s, int level)
{
        return 2.0 * level / (s->levels - 1) - 1;
}

/* With deviations of many levels, and values off the ends, the probability of an image is the
 * density times the volume of its cell. */
START_TEST(fine_levels_have_the_density_of_a_multivariate_gaussian)
{
        struct subject *s = fine_subject("- gaussian\n");

        for (int i = 0; i < IMAGES; i++) {
                uint8_t *pixels = s->pixels + i * s->values;
                double density, found, values[6];

                for (int d = 0; d < s->values; d++) {
                        pixels[d] = (uint8_t)(20 + pixels[d] % 216);
                        values[d] = scaled(s, pixels[d]);
                }
                density = density_nats(s, values);
                found = nats(s, pixels);
                ck_assert_double_eq_tol(found, density, 1e-3 * (1 + fabs(density)));
        }
}
END_TEST

/* The mean over noise in all six values at once, of their joint density, ends of the range and
 * deviations of less than a level included. */
START_TEST(dequantized_nll_is_the_mean_over_noise_of_the_joint_density)
{
        struct subject *s = fine_subject("- gaussian: dequantized\n");
        double *deviation = parameter(s, "layers.0.gaussian.log_deviation");

        deviation[4] = -6;
        s->pixels[1] = 0;
        s->pixels[2] = 255;
        for (int i = 0; i < IMAGES; i++) {
                const uint8_t *pixels = s->pixels + i * s->values;
                double want = 0;

                for (int sides = 0; sides < 64; sides++) {
                        double values[6];

                        for (int d = 0; d < 6; d++)
                                values[d] =
                                        scaled(s, pixels[d]) + noise_at(sides >> d & 1, 2.0 / 255);
                        want += density_nats(s, values) / 64;
                }
                ck_assert_double_eq_tol(nats(s, pixels), want, 1e-10 * (1 + fabs(want)));
        }
}
END_TEST

/* The mean of a logarithm is at most the logarithm of the mean: what the NLLs of all images promise
 * is no more than there is to promise. */
START_TEST(dequantized_probabilities_of_all_images_sum_to_less_than_1)
{
        struct subject *s =
                subject("- gaussian: dequantized\n", (struct pxr_image_kind) { 2, 2, 1, 5 });
        uint8_t pixels[4];
        double total = 0;

        for (int number = 0; number < 625; number++) {
                for (int d = 0, rest = number; d < 4; d++, rest /= 5)
                        pixels[d] = (uint8_t)(rest % 5);
                total += exp(-nats(s, pixels));
        }
        ck_assert_double_gt(total, 0);
        ck_assert_double_lt(total, 1);
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

        ADD_MODEL_TEST(suite, the_nll_follows_its_definition);
        ADD_MODEL_TEST(suite, gradients_of_the_nll_match_finite_differences);
        ADD_MODEL_TEST(suite, probabilities_of_levels_sum_to_one);
        ADD_MODEL_TEST(suite, nan_logits_give_nan);
        ADD_MODEL_TEST(suite, density_is_the_mean_over_noise);
        ADD_MODEL_TEST(suite, gradients_of_the_density_match_finite_differences);
        ADD_MODEL_TEST(suite, means_are_linear_in_earlier_values);
        ADD_MODEL_TEST(suite, fine_levels_have_the_density_of_a_multivariate_gaussian);
        ADD_MODEL_TEST(suite, dequantized_nll_is_the_mean_over_noise_of_the_joint_density);
        ADD_MODEL_TEST(suite, dequantized_probabilities_of_all_images_sum_to_less_than_1);
        ADD_MODEL_TEST(suite, probabilities_of_tiny_images_sum_to_one);
        return run_suite(suite);
}
