/* SPDX-License-Identifier: MIT */
/* check_baselines.c - uniform, histogram, nade and made against their equations, in plain loops. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "suite.h"
#include "whole_model.h"

enum { MAX_UNITS = 128, MAX_LEVELS = 8 };

/* --- references --------------------------------------------------------------------------------
 *
 * Each computes logits[value][channel] of one image.
 */

typedef void reference(const struct subject *s, const uint8_t *pixels,
                       double (*logits)[MAX_LEVELS]);

static void nade_reference(const struct subject *s, const uint8_t *pixels,
                           double (*logits)[MAX_LEVELS])
{
        const double *w = parameter(s, "layers.0.nade.input_weight");
        const double *c = parameter(s, "layers.0.nade.hidden_bias");
        const double *v = parameter(s, "layers.0.nade.output_weight");
        const double *b = parameter(s, "layers.0.nade.output_bias");
        const int hidden = 9;

        for (int d = 0; d < s->values; d++)
                for (int j = 0; j < s->channels; j++) {
                        double sum = b[d * s->channels + j];

                        for (int k = 0; k < hidden; k++) {
                                double a = c[k];

                                for (int e = 0; e < d; e++)
                                        a += w[e * hidden + k] * pixels[e] / (s->levels - 1);
                                sum += v[(d * s->channels + j) * hidden + k] / (1 + exp(-a));
                        }
                        logits[d][j] = sum;
                }
}

/* What the specs of the tests of made have. */
enum { HIDDEN = 70, LAYERS = 2, SEED = 5 };

static int compare_ints(const void *a, const void *b)
{
        return *(const int *)a - *(const int *)b;
}

/* The degrees of one mask's units, which are drawn layer by layer. */
static void draw_degrees(const struct subject *s, int mask, int degree[LAYERS][HIDDEN])
{
        uint64_t key = pxr_hash_name("made.degrees");
        struct pxr_random random = pxr_random(SEED, PXR_RANDOM_INIT, (uint32_t)key,
                                              (uint32_t)(key >> 32), (uint32_t)mask);
        int least = 1;

        for (int layer = 0; layer < LAYERS; layer++) {
                int next = s->values;

                for (int k = 0; k < HIDDEN; k++) {
                        degree[layer][k] =
                                least + (int)pxr_random_below(&random, s->values - least);
                        next = degree[layer][k] < next ? degree[layer][k] : next;
                }
                if (mask == 0)
                        qsort(degree[layer], HIDDEN, sizeof(int), compare_ints);
                least = next;
        }
}

/* One mask's network, with its masks as conditions. */
static void made_network(const struct subject *s, int mask, const uint8_t *pixels,
                         double (*logits)[MAX_LEVELS])
{
        static const char *const weights[] = { "layers.0.made.hidden_1.weight",
                                               "layers.0.made.hidden_2.weight" };
        static const char *const biases[] = { "layers.0.made.hidden_1.bias",
                                              "layers.0.made.hidden_2.bias" };
        const double *v = parameter(s, "layers.0.made.output.weight");
        const double *b = parameter(s, "layers.0.made.output.bias");
        const double *a = parameter(s, "layers.0.made.direct.weight");
        double x[MAX_VALUES], h[LAYERS][HIDDEN];
        int degree[LAYERS][HIDDEN];

        draw_degrees(s, mask, degree);
        for (int d = 0; d < s->values; d++)
                x[d] = 2.0 * pixels[d] / (s->levels - 1) - 1;
        for (int layer = 0; layer < LAYERS; layer++)
                for (int k = 0; k < HIDDEN; k++) {
                        int inputs = layer ? HIDDEN : s->values;
                        double sum = parameter(s, biases[layer])[k];

                        for (int i = 0; i < inputs; i++)
                                if (degree[layer][k] >= (layer ? degree[layer - 1][i] : i + 1))
                                        sum += parameter(s, weights[layer])[k * inputs + i] *
                                               (layer ? h[layer - 1][i] : x[i]);
                        h[layer][k] = fmax(sum, 0);
                }
        for (int d = 0; d < s->values; d++)
                for (int j = 0; j < s->channels; j++) {
                        int o = d * s->channels + j;

                        logits[d][j] = b[o];
                        for (int k = 0; k < HIDDEN; k++)
                                if (d + 1 > degree[LAYERS - 1][k])
                                        logits[d][j] += v[o * HIDDEN + k] * h[LAYERS - 1][k];
                        for (int e = 0; e < d; e++)
                                logits[d][j] += a[o * s->values + e] * x[e];
                }
}

static void made_reference(const struct subject *s, const uint8_t *pixels,
                           double (*logits)[MAX_LEVELS])
{
        made_network(s, 0, pixels, logits);
}

/* The mean of the probabilities of three masks, as logits. */
static void made_mean_reference(const struct subject *s, const uint8_t *pixels,
                                double (*logits)[MAX_LEVELS])
{
        static double one[MAX_VALUES][MAX_LEVELS];
        double mean[MAX_VALUES][MAX_LEVELS] = { 0 };

        for (int mask = 0; mask < 3; mask++) {
                made_network(s, mask, pixels, one);
                for (int d = 0; d < s->values; d++) {
                        double sum = s->channels == 1 ? 1 : 0;

                        for (int j = 0; j < s->channels; j++)
                                sum += exp(one[d][j]);
                        for (int j = 0; j < s->channels; j++)
                                mean[d][j] += exp(one[d][j]) / sum / 3;
                }
        }
        for (int d = 0; d < s->values; d++)
                for (int j = 0; j < s->channels; j++)
                        logits[d][j] = s->channels == 1 ? log(mean[d][j] / (1 - mean[d][j]))
                                                        : log(mean[d][j]);
}

/* Forward must give what the equations give. */
static void follows(const char *layers, struct pxr_image_kind kind, reference *reference)
{
        struct subject *s = subject(layers, kind);
        double logits[MAX_VALUES][MAX_LEVELS];

        pxr_workspace_load(s->workspace, s->pixels, IMAGES);
        pxr_workspace_forward(s->workspace, s->parameters);
        for (int image = 0; image < IMAGES; image++) {
                reference(s, s->pixels + image * s->values, logits);
                for (int d = 0; d < s->values; d++)
                        for (int j = 0; j < s->channels; j++)
                                ck_assert_double_eq_tol(logits_of(s, d, image)[j], logits[d][j],
                                                        1e-11 * (1 + fabs(logits[d][j])));
        }
}

static const struct pxr_image_kind binary = { 6, 7, 1, 2 };
static const struct pxr_image_kind binary_colour = { 4, 4, 3, 2 };
static const struct pxr_image_kind colour = { 3, 5, 3, 4 };

START_TEST(nade_follows_its_equations)
{
        follows("- nade: {hidden: 9}\n", binary, nade_reference);
        follows("- nade: {hidden: 9}\n", binary_colour, nade_reference);
        follows("- nade: {hidden: 9}\n", colour, nade_reference);
}
END_TEST

START_TEST(made_follows_its_equations)
{
        static const char layers[] = "- made: {hidden: 70, seed: 5}\n";

        follows(layers, binary, made_reference);
        follows(layers, binary_colour, made_reference);
        follows(layers, colour, made_reference);
}
END_TEST

START_TEST(made_with_masks_is_the_mean_of_its_networks)
{
        static const char layers[] = "- made: {hidden: 70, seed: 5, masks: 3}\n";

        follows(layers, binary, made_mean_reference);
        follows(layers, binary_colour, made_mean_reference);
        follows(layers, colour, made_mean_reference);
}
END_TEST

/* --- what the masks are ------------------------------------------------------------------------
 */

/* Multiply the connections of one layer, where its starting weights are not zero, with the paths
 * from the image to its inputs: paths[output][value]. */
static void extend_paths(const struct subject *s, const char *name, int outputs, int inputs,
                         double (*paths)[MAX_VALUES])
{
        static double further[MAX_UNITS][MAX_VALUES];
        const double *w = parameter(s, name);

        memset(further, 0, sizeof(further));
        for (int o = 0; o < outputs; o++)
                for (int i = 0; i < inputs; i++)
                        for (int d = 0; d < s->values && w[o * inputs + i] != 0; d++)
                                further[o][d] += paths[i][d];
        memcpy(paths, further, sizeof(further));
}

/* The test of Germain et al., (M_V M_W): the paths from values to outputs are strictly below the
 * diagonal; and there are no others missing than those of the first and the last value. */
START_TEST(made_weights_start_as_zero_under_masks_that_are_autoregressive)
{
        struct subject *s = subject("- made: {hidden: 100, seed: 5, direct: false}\n", binary);
        static double paths[MAX_UNITS][MAX_VALUES];

        ck_assert_int_eq(pxr_graph_init(s->graph, 1, NULL, s->parameters, diag), 0);
        memset(paths, 0, sizeof(paths));
        for (int d = 0; d < s->values; d++)
                paths[d][d] = 1;
        extend_paths(s, "layers.0.made.hidden_1.weight", 100, s->values, paths);
        extend_paths(s, "layers.0.made.hidden_2.weight", 100, 100, paths);
        extend_paths(s, "layers.0.made.output.weight", s->values, 100, paths);
        for (int d = 0; d < s->values; d++)
                for (int e = d; e < s->values; e++)
                        ck_assert_double_eq(paths[d][e], 0);
        ck_assert_double_gt(paths[s->values - 1][0], 0);
        ck_assert_double_gt(paths[s->values / 2][0], 0);
}
END_TEST

START_TEST(shared_parameters_are_counted_once)
{
        struct subject *one = subject("- made: {hidden: 20}\n", binary);
        struct subject *three = subject("- made: {hidden: 20, masks: 3}\n", binary);
        struct subject *nade = subject("- nade: 10\n", binary);
        size_t pixels = 42;

        ck_assert_uint_eq(nade->model->layer->parameters, 2 * 10 * pixels + 10 + pixels);
        ck_assert_uint_eq(one->model->layer->parameters, one->graph->parameter_values);
        ck_assert_uint_eq(three->model->layer->parameters, one->graph->parameter_values);
}
END_TEST

/* --- distributions -----------------------------------------------------------------------------
 */

START_TEST(probabilities_of_tiny_images_sum_to_one)
{
        static const char *const layers[] = {
                "- uniform\n",
                "- histogram\n",
                "- nade: 5\n",
                "- made: 12\n",
                "- made: {hidden: 12, layers: 1, masks: 4, direct: false}\n",
        };

        for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
                sums_to_one(layers[i], (struct pxr_image_kind) { 2, 2, 1, 2 });
                sums_to_one(layers[i], (struct pxr_image_kind) { 1, 2, 3, 2 });
                sums_to_one(layers[i], (struct pxr_image_kind) { 2, 2, 1, 3 });
        }
}
END_TEST

START_TEST(the_nll_of_uniform_is_the_logarithm_of_the_levels)
{
        struct subject *s = subject("- uniform\n", colour);

        ck_assert_uint_eq(s->graph->parameter_values, 0);
        ck_assert_double_eq_tol(nats(s, s->pixels), s->values * log(4), 1e-11);
        s = subject("- uniform\n", binary);
        ck_assert_double_eq_tol(nats(s, s->pixels), s->values * log(2), 1e-11);
}
END_TEST

/* The sum over images, with its gradient by the parameters. */
static double total(struct subject *s, double *gradient)
{
        double nll[IMAGES] = { 0 }, sum = 0;

        pxr_workspace_load(s->workspace, s->pixels, IMAGES);
        pxr_workspace_forward(s->workspace, s->parameters);
        pxr_workspace_loss(s->workspace, 1, nll);
        memset(gradient, 0, s->graph->parameter_values * sizeof(double));
        pxr_workspace_backward(s->workspace, s->parameters, gradient);
        for (int i = 0; i < IMAGES; i++)
                sum += nll[i];
        return sum;
}

/* The NLL is convex in the table: descend, and compare with the histogram of the images. */
START_TEST(histogram_learns_the_histogram_of_each_pixel)
{
        struct subject *s = subject("- histogram\n", (struct pxr_image_kind) { 3, 4, 1, 3 });
        double *table = parameter(s, "layers.0.histogram.logits"), expected = 0, found;
        double gradient[3 * 12];

        for (int i = 0; i < IMAGES * 12; i++)
                s->pixels[i] = (uint8_t)(i / 12 == 3 ? i % 3 : i / 12);
        for (int d = 0; d < 12; d++)
                for (int level = 0; level < 3; level++) {
                        int count = 1 + (level == d % 3);

                        expected -= count * log(count / 4.0);
                }
        for (int step = 0; step < 500; step++) {
                total(s, gradient);
                for (int i = 0; i < 36; i++)
                        table[i] -= 0.4 * gradient[i];
        }
        found = total(s, gradient);
        ck_assert_double_eq_tol(found, expected, 1e-12 * expected);
        for (int d = 0; d < 12; d++)
                ck_assert_double_eq_tol(table[3 * d + d % 3] - table[3 * d + (d + 1) % 3], log(2),
                                        1e-9);
}
END_TEST

/* --- generation --------------------------------------------------------------------------------
 */

/* Walk along the images with every advance made twice, the second time after the value was set. */
static void advance_can_be_repeated(const char *layers)
{
        struct subject *s = subject(layers, colour);
        struct pxr_workspace *walk =
                pxr_workspace_new(s->graph, PXR_F64, PXR_FOR_GENERATION, IMAGES, true, diag);
        size_t size = s->channels * sizeof(double);
        double first[MAX_LEVELS];

        pxr_arena_defer(arena, free_workspace, walk);
        pxr_workspace_load(s->workspace, s->pixels, IMAGES);
        pxr_workspace_forward(s->workspace, s->parameters);
        pxr_workspace_begin(walk, s->parameters, IMAGES);
        ck_assert_ptr_null(pxr_workspace_fallback(walk));
        for (int value = 0; value < s->values; value++) {
                int pixel = value / 3, row = pixel / 5, col = pixel % 5, c = value % 3;

                pxr_workspace_advance(walk, row, col, c);
                memcpy(first, pxr_workspace_logits(walk, row, col, c, 1), size);
                for (int i = 0; i < s->channels; i++)
                        ck_assert_double_eq_tol(first[i], logits_of(s, value, 1)[i], 1e-11);
                for (int image = 0; image < IMAGES; image++)
                        pxr_workspace_set(walk, row, col, c, image,
                                          s->pixels[image * s->values + value]);
                pxr_workspace_advance(walk, row, col, c);
                ck_assert_mem_eq(first, pxr_workspace_logits(walk, row, col, c, 1), size);
        }
}

START_TEST(advancing_a_pixel_twice_changes_nothing)
{
        advance_can_be_repeated("- nade: 9\n");
        advance_can_be_repeated("- made: {hidden: 70, masks: 2}\n");
        advance_can_be_repeated("- histogram\n");
}
END_TEST

/* --- refusals ----------------------------------------------------------------------------------
 */

START_TEST(baselines_must_be_the_first_layer)
{
        static const char *const layers[] = { "uniform", "histogram", "nade: 3", "made: 3" };

        for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
                pxr_diag_clear(diag);
                ck_assert_ptr_null(build(pxr_strf(arena, "- relu\n- %s\n", layers[i]), binary));
                ck_assert_ptr_nonnull(strstr(pxr_diag_text(diag, 0), "must be the first layer"));
        }
}
END_TEST

START_TEST(made_refuses_an_image_of_one_value)
{
        ck_assert_ptr_null(build("- made: 3\n", (struct pxr_image_kind) { 1, 1, 1, 2 }));
        ck_assert_ptr_nonnull(strstr(pxr_diag_text(diag, 0), "too small"));
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("baselines");

        ADD_MODEL_TEST(suite, nade_follows_its_equations);
        ADD_MODEL_TEST(suite, made_follows_its_equations);
        ADD_MODEL_TEST(suite, made_with_masks_is_the_mean_of_its_networks);
        ADD_MODEL_TEST(suite, made_weights_start_as_zero_under_masks_that_are_autoregressive);
        ADD_MODEL_TEST(suite, shared_parameters_are_counted_once);
        ADD_MODEL_TEST(suite, probabilities_of_tiny_images_sum_to_one);
        ADD_MODEL_TEST(suite, the_nll_of_uniform_is_the_logarithm_of_the_levels);
        ADD_MODEL_TEST(suite, histogram_learns_the_histogram_of_each_pixel);
        ADD_MODEL_TEST(suite, advancing_a_pixel_twice_changes_nothing);
        ADD_MODEL_TEST(suite, baselines_must_be_the_first_layer);
        ADD_MODEL_TEST(suite, made_refuses_an_image_of_one_value);
        return run_suite(suite);
}
