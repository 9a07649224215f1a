/* SPDX-License-Identifier: MIT */
/* check_distribution.c - probabilities that sum to 1 over all images, NLL, gradients by logits. */
#include <math.h>

#include "stacks.h"

/* --- all images --------------------------------------------------------------------------------
 */

/* Image number `number` of levels^values, its first value changing fastest. */
static void write_image(int number, int levels, int values, uint8_t *pixels)
{
        for (int i = 0; i < values; i++, number /= levels)
                pixels[i] = (uint8_t)(number % levels);
}

/* The probability of every image there can be, by the forward pass and the loss that training and
 * evaluation run. Weights are large enough for the probabilities to differ. */
static double *all_probabilities(const struct pxr_graph *graph, enum pxr_precision precision,
                                 int *images)
{
        int values = graph->rows * graph->cols * graph->colours, count = 1;
        struct pxr_workspace *workspace;
        double *twice = random_parameters(graph, 7), *nll;
        uint8_t *pixels;

        for (int i = 0; i < values; i++)
                count *= graph->levels;
        for (size_t i = 0; i < graph->parameter_values; i++)
                twice[i] *= 1.5;
        pixels = allocate((size_t)count * values, 1);
        nll = allocate(count, sizeof(double));
        for (int i = 0; i < count; i++)
                write_image(i, graph->levels, values, pixels + (size_t)i * values);
        workspace = new_workspace(graph, precision, PXR_FOR_EVALUATION, count, false);
        pxr_workspace_load(workspace, pixels, count);
        pxr_workspace_forward(workspace, precision == PXR_F64
                                                 ? (void *)twice
                                                 : as_floats(twice, graph->parameter_values));
        pxr_workspace_loss(workspace, 0, nll);
        for (int i = 0; i < count; i++)
                nll[i] = exp(-nll[i]);
        *images = count;
        return nll;
}

static double sum_of(const double *values, int count)
{
        double sum = 0;

        for (int i = 0; i < count; i++)
                sum += values[i];
        return sum;
}

static void expect_sum_1(struct pxr_image_kind kind, const char *text, int images)
{
        const struct pxr_graph *graph = build_stack(kind, text)->graph;
        double least = 1, most = 0, *probability;
        int count;

        probability = all_probabilities(graph, PXR_F64, &count);
        ck_assert_int_eq(count, images);
        ck_assert_double_eq_tol(sum_of(probability, count), 1, 1e-12);
        for (int i = 0; i < count; i++) {
                least = fmin(least, probability[i]);
                most = fmax(most, probability[i]);
        }
        ck_assert_double_gt(most, 3 * least);
        probability = all_probabilities(graph, PXR_F32, &count);
        ck_assert_double_eq_tol(sum_of(probability, count), 1, 1e-6);
}

#define BODY                                           \
        "- residual: [conv: {mask: B, features: 6}]\n" \
        "- relu\n"                                     \
        "- conv: {mask: B, kernel: 1, features: 5}\n"

START_TEST(the_probabilities_of_all_16_binary_2x2_images_sum_to_1)
{
        const struct pxr_image_kind kind = { 2, 2, 1, 2 };

        expect_sum_1(kind, "- conv: {mask: A, features: 6}\n" BODY "- sigmoid\n", 16);
        expect_sum_1(kind, "- conv: {mask: A, features: 6}\n" BODY "- softmax\n", 16);
        expect_sum_1(kind, "- conv: {mask: A, kernel: 7, features: 3}\n- sigmoid\n", 16);
}
END_TEST

START_TEST(the_probabilities_of_all_64_colour_images_of_2_pixels_sum_to_1)
{
        const struct pxr_image_kind high = { 2, 1, 3, 2 }, wide = { 1, 2, 3, 2 };

        expect_sum_1(high, "- conv: {mask: A, features: 6}\n" BODY "- sigmoid\n", 64);
        expect_sum_1(high, "- conv: {mask: A, features: 6}\n" BODY "- softmax\n", 64);
        expect_sum_1(wide, "- conv: {mask: A, features: 6}\n" BODY "- sigmoid\n", 64);
        expect_sum_1(wide, "- conv: {mask: A, features: 6}\n" BODY "- softmax\n", 64);
}
END_TEST

START_TEST(the_probabilities_of_all_images_of_3_levels_sum_to_1)
{
        const struct pxr_image_kind grey = { 2, 2, 1, 3 }, colour = { 1, 1, 3, 3 };

        expect_sum_1(grey, "- conv: {mask: A, features: 6}\n" BODY "- softmax\n", 81);
        expect_sum_1(colour, "- conv: {mask: A, features: 6}\n" BODY "- softmax\n", 27);
}
END_TEST

/* What the sum is there to find: a model that sees what it is to predict. */
START_TEST(the_probabilities_of_a_leaking_model_do_not_sum_to_1)
{
        const struct pxr_graph *graph;
        double *probability;
        int count;

        graph = build_stack((struct pxr_image_kind) { 2, 2, 1, 2 },
                            "- conv: {mask: B, features: 6}\n" BODY "- sigmoid\n")
                        ->graph;
        probability = all_probabilities(graph, PXR_F64, &count);
        ck_assert_double_gt(fabs(sum_of(probability, count) - 1), 0.01);
}
END_TEST

/* --- the NLL and its gradient by the logits ----------------------------------------------------
 */

enum { PLACES = 4, IMAGES = 3, COLOURS = 3, MOST = PLACES * IMAGES * COLOURS * 256 };

/* A call on random logits and pixels. */
struct sheet {
        const struct pxr_distribution *distribution;
        int levels;
        size_t size; /* logits */
        double logits[MOST];
        float single[MOST];
        uint8_t pixels[PLACES * IMAGES * COLOURS];
};

static struct sheet *new_sheet(const struct pxr_distribution *distribution, int levels,
                               double spread)
{
        struct pxr_random random = pxr_random(8, PXR_RANDOM_TEST, levels, 0, 0);
        struct sheet *sheet = allocate(1, sizeof(*sheet));

        sheet->distribution = distribution;
        sheet->levels = levels;
        sheet->size = (size_t)PLACES * IMAGES * COLOURS * distribution->channels(levels);
        for (size_t i = 0; i < sheet->size; i++) {
                sheet->single[i] = (float)(spread * pxr_random_normal(&random));
                sheet->logits[i] = sheet->single[i];
        }
        for (int i = 0; i < PLACES * IMAGES * COLOURS; i++)
                sheet->pixels[i] = (uint8_t)pxr_random_below(&random, levels);
        return sheet;
}

/* The sum over the images. `gradient` is of `scale` times it, in the precision's type, or NULL. */
static double sheet_nll(const struct sheet *sheet, enum pxr_precision precision, double scale,
                        void *gradient)
{
        double nll[IMAGES] = { 0 };

        sheet->distribution->nll[precision](&(struct pxr_nll_call) {
                .levels = sheet->levels,
                .colours = COLOURS,
                .images = IMAGES,
                .pixel_count = PLACES,
                .logits = precision == PXR_F64 ? (void *)sheet->logits : (void *)sheet->single,
                .pixels = sheet->pixels,
                .nll = nll,
                .gradient = gradient,
                .gradient_scale = scale,
        });
        return nll[0] + nll[1] + nll[2];
}

/* Central differences, to 1e-8 (1 + |gradient|); single precision against double, to 1e-6. */
static void expect_gradient(const struct pxr_distribution *distribution, int levels)
{
        const double step = 1e-5, scale = 0.37;
        struct sheet *sheet = new_sheet(distribution, levels, 2);
        double *gradient = allocate(sheet->size, sizeof(double));
        float *single = allocate(sheet->size, sizeof(float));
        double nll = sheet_nll(sheet, PXR_F64, scale, gradient);

        ck_assert_double_eq_tol(sheet_nll(sheet, PXR_F64, 0, NULL), nll, 1e-12 * nll);
        ck_assert_double_eq_tol(sheet_nll(sheet, PXR_F32, scale, single), nll, 1e-6 * nll);
        for (size_t i = 0; i < sheet->size; i += 1 + sheet->size / 200) {
                double kept = sheet->logits[i], above, slope;

                sheet->logits[i] = kept + step;
                above = sheet_nll(sheet, PXR_F64, 0, NULL);
                sheet->logits[i] = kept - step;
                slope = scale * (above - sheet_nll(sheet, PXR_F64, 0, NULL)) / (2 * step);
                sheet->logits[i] = kept;
                ck_assert_double_eq_tol(gradient[i], slope, 1e-8 * (1 + fabs(slope)));
                ck_assert_double_eq_tol(single[i], gradient[i], 1e-6);
        }
}

START_TEST(gradients_match_finite_differences)
{
        expect_gradient(&pxr_bernoulli, 2);
        for (int levels = 2; levels <= 256; levels += levels < 20 ? 1 : 59)
                expect_gradient(&pxr_categorical, levels);
        expect_gradient(&pxr_categorical, 256);
}
END_TEST

/* What is sampled from is what is scored. */
static void expect_same_law(const struct pxr_distribution *distribution, int levels)
{
        struct sheet *sheet = new_sheet(distribution, levels, 3);
        int channels = distribution->channels(levels);

        for (int precision = PXR_F32; precision <= PXR_F64; precision++) {
                double sum = 0, expected = 0;

                for (int i = 0; i < PLACES * IMAGES * COLOURS; i++) {
                        const void *logits = precision == PXR_F64
                                                     ? (void *)(sheet->logits + i * channels)
                                                     : (void *)(sheet->single + i * channels);
                        double probability[256];

                        distribution->probabilities[precision](levels, logits, probability);
                        ck_assert_double_eq_tol(sum_of(probability, levels), 1, 1e-12);
                        sum -= log(probability[sheet->pixels[i]]);
                }
                expected = sheet_nll(sheet, precision, 0, NULL);
                ck_assert_double_eq_tol(sum, expected,
                                        (precision == PXR_F64 ? 1e-12 : 1e-6) * expected);
        }
}

START_TEST(probabilities_agree_with_the_nll)
{
        expect_same_law(&pxr_bernoulli, 2);
        expect_same_law(&pxr_categorical, 2);
        expect_same_law(&pxr_categorical, 3);
        expect_same_law(&pxr_categorical, 256);
}
END_TEST

/* -log p(value) under the logits given, in both precisions. */
static double one_nll(const struct pxr_distribution *distribution, enum pxr_precision precision,
                      const double *logits, int levels, int value)
{
        float single[256];
        double nll = 0;

        for (int i = 0; i < distribution->channels(levels); i++)
                single[i] = (float)logits[i];
        distribution->nll[precision](&(struct pxr_nll_call) {
                .levels = levels,
                .colours = 1,
                .images = 1,
                .pixel_count = 1,
                .logits = precision == PXR_F64 ? (void *)logits : (void *)single,
                .pixels = &(uint8_t) { (uint8_t)value },
                .nll = &nll,
        });
        return nll;
}

START_TEST(extreme_logits_neither_overflow_nor_vanish)
{
        for (int precision = PXR_F32; precision <= PXR_F64; precision++) {
                for (double x = -1e4; x <= 1e4; x += 2e4 / 3) {
                        const double pair[2] = { 0, x };

                        for (int value = 0; value < 2; value++) {
                                double want = (value ? x > 0 : x < 0) ? 0 : fabs(x);

                                ck_assert_double_eq_tol(
                                        one_nll(&pxr_bernoulli, precision, &x, 2, value), want,
                                        1e-6 * fabs(x));
                                ck_assert_double_eq_tol(
                                        one_nll(&pxr_categorical, precision, pair, 2, value), want,
                                        1e-6 * fabs(x));
                        }
                }
        }
}
END_TEST

START_TEST(nan_logits_give_a_nan_nll)
{
        for (int precision = PXR_F32; precision <= PXR_F64; precision++)
                for (int at = 0; at < 40; at++) {
                        double logits[40] = { 0 };

                        logits[at] = NAN;
                        ck_assert(isnan(one_nll(&pxr_categorical, precision, logits, 40, 7)));
                        ck_assert(isnan(one_nll(&pxr_bernoulli, precision, &logits[at], 2, 1)));
                        ck_assert(isnan(one_nll(&pxr_bernoulli, precision, &logits[at], 2, 0)));
                }
}
END_TEST

START_TEST(invalid_numbers_of_levels_are_refused)
{
        ck_assert_int_eq(pxr_bernoulli.channels(2), 1);
        ck_assert_int_eq(pxr_bernoulli.channels(3), 0);
        ck_assert_int_eq(pxr_categorical.channels(2), 2);
        ck_assert_int_eq(pxr_categorical.channels(256), 256);
        ck_assert_int_eq(pxr_categorical.channels(257), 0);
        ck_assert_ptr_null(try_stack((struct pxr_image_kind) { 4, 4, 1, 3 },
                                     "- conv: {mask: A, features: 2}\n- sigmoid\n"));
        ck_assert_str_eq(pxr_diag_text(diag, 0),
                         "layers.1.sigmoid: requires images of 2 levels, got "
                         "3: end the model with 'softmax'");
}
END_TEST

/* --- logarithms ---------------------------------------------------------------------------------
 */

START_TEST(log_probabilities_agree_with_probabilities)
{
        static const struct pxr_distribution *const all[] = { &pxr_bernoulli, &pxr_categorical,
                                                              &pxr_gaussian,
                                                              &pxr_dequantized_gaussian };
        static const int levels[] = { 2, 5, 5, 5 };
        const double logits[] = { 0.7, -1.2, 3, 0.1, -0.4 };
        const float single[] = { 0.7f, -1.2f, 3, 0.1f, -0.4f };

        for (int d = 0; d < 4; d++) {
                double p[5], log_p[5], log_single[5];

                all[d]->probabilities[PXR_F64](levels[d], logits, p);
                all[d]->log_probabilities[PXR_F64](levels[d], logits, log_p);
                all[d]->log_probabilities[PXR_F32](levels[d], single, log_single);
                for (int i = 0; i < levels[d]; i++) {
                        ck_assert_double_eq_tol(exp(log_p[i]), p[i], 1e-14);
                        ck_assert_double_eq_tol(log_single[i], log_p[i], 1e-5);
                }
        }
}
END_TEST

/* Where a probability is less than any double. */
START_TEST(log_probabilities_stay_finite)
{
        const double logits[] = { 1000, -1000, 0 }, minus = -1000;
        double log_p[3];

        pxr_categorical.log_probabilities[PXR_F64](3, logits, log_p);
        ck_assert_double_eq(log_p[0], 0);
        ck_assert_double_eq(log_p[1], -2000);
        ck_assert_double_eq(log_p[2], -1000);
        pxr_bernoulli.log_probabilities[PXR_F64](2, logits, log_p);
        ck_assert_double_eq(log_p[0], -1000);
        ck_assert_double_eq(log_p[1], 0);
        pxr_bernoulli.log_probabilities[PXR_F64](2, &minus, log_p);
        ck_assert_double_eq(log_p[0], 0);
        ck_assert_double_eq(log_p[1], -1000);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("distribution");

        ADD_STACK_TEST(suite, the_probabilities_of_all_16_binary_2x2_images_sum_to_1);
        ADD_STACK_TEST(suite, the_probabilities_of_all_64_colour_images_of_2_pixels_sum_to_1);
        ADD_STACK_TEST(suite, the_probabilities_of_all_images_of_3_levels_sum_to_1);
        ADD_STACK_TEST(suite, the_probabilities_of_a_leaking_model_do_not_sum_to_1);
        ADD_GRAPH_TEST(suite, gradients_match_finite_differences);
        ADD_GRAPH_TEST(suite, probabilities_agree_with_the_nll);
        ADD_GRAPH_TEST(suite, extreme_logits_neither_overflow_nor_vanish);
        ADD_GRAPH_TEST(suite, nan_logits_give_a_nan_nll);
        ADD_STACK_TEST(suite, invalid_numbers_of_levels_are_refused);
        ADD_TEST(suite, log_probabilities_agree_with_probabilities);
        ADD_TEST(suite, log_probabilities_stay_finite);
        return run_suite(suite);
}
