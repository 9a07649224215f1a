/* SPDX-License-Identifier: MIT */
/*
 * check_multi_scale.c - the conditional PixelRNN of section 3.6 against plain loops: the
 * deconvolutions, and the unmasked 1x1 convolution of their map that each layer adds.
 *
 * Here a deconvolution is computed as the equivalent convolution: of the map with zeros between its
 * pixels, with the kernel rotated by 180 degrees.
 */
#include "lstm_reference.h"
#include "stack_reference.h"

enum { KERNEL = 4, STRIDE = 2 };

/* --- the upsampling network --------------------------------------------------------------------
 */

/* x(0, 0) 0 x(0, 1) 0 ... in rows of which every other is zero. */
static struct map spread(const struct map *x)
{
        struct map y = new_map(STRIDE * x->rows, STRIDE * x->cols, x->channels);

        for (int row = 0; row < x->rows; row++)
                for (int col = 0; col < x->cols; col++)
                        memcpy(at(&y, STRIDE * row, STRIDE * col, 0), at(x, row, col, 0),
                               x->channels * sizeof(double));
        return y;
}

static struct map deconvolved(const struct map *x, const double *weight, const double *bias,
                              int outputs)
{
        struct map wide = spread(x), y = new_map(wide.rows, wide.cols, outputs);

        for (int row = 0; row < y.rows; row++)
                for (int col = 0; col < y.cols; col++)
                        for (int out = 0; out < outputs; out++) {
                                double sum = bias[out];

                                for (int i = 0; i < KERNEL; i++)
                                        for (int j = 0; j < KERNEL; j++)
                                                for (int in = 0; in < x->channels; in++) {
                                                        int w = (i * KERNEL + j) * x->channels + in;

                                                        sum += weight[w * outputs + out] *
                                                               padded(&wide, row + 1 - i,
                                                                      col + 1 - j, in);
                                                }
                                *at(&y, row, col, out) = sum;
                        }
        return y;
}

/* small image - deconvolution to logits of an image twice the size */
static void expect_deconvolution(int rows, int cols, int colours, enum pxr_precision precision)
{
        struct pxr_builder builder = new_builder(2 * rows, 2 * cols, colours, 3);
        const struct pxr_graph *graph = builder.graph;
        struct pxr_node *small = pxr_small_image(&builder, rows, cols);
        struct pxr_node *node = pxr_deconv(&builder, "tested", 3 * colours, 1, small);
        const double *parameters;
        struct pxr_workspace *workspace;

        end_graph(&builder, node, &pxr_categorical);
        parameters = arbitrary_parameters(graph, 2);
        workspace = new_workspace(graph, precision, PXR_FOR_EVALUATION, IMAGES, true);
        pxr_workspace_load(workspace, random_images(graph, IMAGES, 3), IMAGES);
        pxr_workspace_forward(workspace, precision == PXR_F64
                                                 ? (const void *)parameters
                                                 : as_floats(parameters, graph->parameter_values));
        for (int image = 0; image < IMAGES; image++) {
                struct map x = node_map(workspace, precision, small, IMAGES, image);
                struct map got = node_map(workspace, precision, node, IMAGES, image);
                struct map expected =
                        deconvolved(&x, parameters + node->parameter[0]->offset,
                                    parameters + node->parameter[1]->offset, 3 * colours);

                expect_same_map(&got, &expected, precision == PXR_F64 ? 1e-13 : 1e-5,
                                "deconvolution");
        }
}

START_TEST(a_deconvolution_is_a_convolution_of_the_map_with_zeros_inserted)
{
        static const int sizes[][2] = { { 1, 1 }, { 1, 3 }, { 3, 1 }, { 2, 3 }, { 4, 4 } };

        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
                for (int colours = 1; colours <= 3; colours += 2)
                        for (int precision = PXR_F32; precision <= PXR_F64; precision++)
                                expect_deconvolution(sizes[i][0], sizes[i][1], colours, precision);
}
END_TEST

/* --- conditioned layers ------------------------------------------------------------------------
 */

static const char within[] = "layers.0.multi_scale";

/* The map of the image's size, of the small image by two deconvolutions. */
static struct map condition_of(const struct stack *s, int image)
{
        int features;
        struct map map = image_of(s, image, STRIDE * STRIDE), bent;
        const double *weight = values_of(s, within, "upsample_0.weight", &features);

        map = deconvolved(&map, weight, values_of(s, within, "upsample_0.bias", NULL), features);
        bent = rectified(&map);
        weight = values_of(s, within, "upsample_1.weight", &features);
        return deconvolved(&bent, weight, values_of(s, within, "upsample_1.bias", NULL), features);
}

/* y[o] += sum over i of weight[i][o] map[i], at every pixel, whatever the colours. */
static void add_condition(const struct stack *s, const char *path, const struct map *map,
                          struct map *y)
{
        int outputs;
        const double *weight = values_of(s, path, "condition.weight", &outputs);

        ck_assert_int_eq(outputs, y->channels);
        for (int row = 0; row < y->rows; row++)
                for (int col = 0; col < y->cols; col++)
                        for (int out = 0; out < outputs; out++)
                                for (int in = 0; in < map->channels; in++)
                                        *at(y, row, col, out) +=
                                                weight[in * outputs + out] * *at(map, row, col, in);
}

static struct map conditioned_conv(const struct stack *s, const char *path, const struct map *x,
                                   const struct map *map, int mask, int kernel)
{
        struct map y = convolved(s, path, x, mask, kernel);

        add_condition(s, path, map, &y);
        return y;
}

/* One scan of an LSTM layer whose input-to-state convolution is `kernel` wide. */
static struct map conditioned_scan(const struct stack *s, const char *prefix, const struct map *x,
                                   const struct map *map, int kernel,
                                   const struct pxr_lstm *settings)
{
        int outputs, taps = kernel * x->channels;
        const double *weight = values_of(s, prefix, "input_to_state.weight", &outputs);
        double *square = allocate((size_t)kernel * taps * outputs, sizeof(double));
        struct weights w = weights_of(s->graph, s->parameters, prefix);
        struct map z;

        /* As the middle row of a square kernel that is zero but for it. */
        memcpy(square + (size_t)kernel / 2 * taps * outputs, weight,
               (size_t)taps * outputs * sizeof(double));
        z = masked_conv(x, square, values_of(s, prefix, "input_to_state.bias", NULL), PXR_MASK_B,
                        kernel, s->graph->colours, outputs, 4);
        add_condition(s, prefix, map, &z);
        return scanned(&z, &w, settings);
}

static struct map conditioned_row_lstm(const struct stack *s, const char *path, const struct map *x,
                                       const struct map *map)
{
        return conditioned_scan(s, path, x, map, 3,
                                &(struct pxr_lstm) { .scan = PXR_SCAN_ROWS, .kernel = 3 });
}

static struct map wide_input(const struct stack *s, const char *path, const struct map *x,
                             const struct map *map)
{
        return conditioned_scan(s, path, x, map, 5,
                                &(struct pxr_lstm) { .scan = PXR_SCAN_ROWS, .kernel = 1 });
}

static struct map wide_state(const struct stack *s, const char *path, const struct map *x,
                             const struct map *map)
{
        return conditioned_scan(s, path, x, map, 1,
                                &(struct pxr_lstm) { .scan = PXR_SCAN_ROWS, .kernel = 5 });
}

static struct map conditioned_diagonal(const struct stack *s, const char *path, const struct map *x,
                                       const struct map *map)
{
        struct map left = conditioned_scan(s, pxr_strf(arena, "%s.left", path), x, map, 1,
                                           &(struct pxr_lstm) { .scan = PXR_SCAN_LEFT });
        struct map right = conditioned_scan(s, pxr_strf(arena, "%s.right", path), x, map, 1,
                                            &(struct pxr_lstm) { .scan = PXR_SCAN_RIGHT });

        add_map(&left, &right);
        return left;
}

/* A stack whose multi_scale holds a 3x3 convolution, `layer` and the output. */
static const char *stack_of(const char *layer)
{
        return pxr_strf(arena,
                        "- multi_scale:\n    size: 2\n    features: 5\n    layers:\n"
                        "      - conv: {mask: A, kernel: 3, features: 6}\n      - %s\n"
                        "      - softmax\n",
                        layer);
}

static const struct pxr_image_kind kinds[] = { { 8, 8, 1, 4 }, { 8, 8, 3, 3 } };

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

typedef struct map layer_reference(const struct stack *s, const char *path, const struct map *x,
                                   const struct map *map);

/* From the pixels to the logits. */
static void expect_conditioned(const char *layer, const char *name, layer_reference *reference)
{
        const char *first = pxr_strf(arena, "%s.conv", within);
        const char *path = pxr_strf(arena, "%s.%s", within, name);
        const char *output = pxr_strf(arena, "%s.softmax", within);

        for (int kind = 0; kind < KINDS; kind++) {
                struct stack s = run_stack(kinds[kind], stack_of(layer));

                for (int image = 0; image < IMAGES; image++) {
                        struct map map = condition_of(&s, image), x = image_of(&s, image, 1);

                        x = conditioned_conv(&s, first, &x, &map, PXR_MASK_A, 3);
                        expect_made(&s, first, image, &x);
                        x = reference(&s, path, &x, &map);
                        expect_made(&s, path, image, &x);
                        x = conditioned_conv(&s, output, &x, &map, PXR_MASK_B, 1);
                        expect_made(&s, output, image, &x);
                }
        }
}

static struct map conditioned_conv_5(const struct stack *s, const char *path, const struct map *x,
                                     const struct map *map)
{
        return conditioned_conv(s, path, x, map, PXR_MASK_B, 5);
}

static struct map conditioned_conv_1(const struct stack *s, const char *path, const struct map *x,
                                     const struct map *map)
{
        return conditioned_conv(s, path, x, map, PXR_MASK_B, 1);
}

START_TEST(a_convolution_adds_the_condition_to_its_output)
{
        expect_conditioned("conv: {mask: B, kernel: 5, features: 7}", "conv_2", conditioned_conv_5);
        expect_conditioned("conv: {mask: B, kernel: 1, features: 7}", "conv_2", conditioned_conv_1);
}
END_TEST

START_TEST(a_row_lstm_adds_the_condition_to_its_gates)
{
        expect_conditioned("row_lstm: {features: 5}", "row_lstm", conditioned_row_lstm);
}
END_TEST

/* Of different widths, as else either could be the other. */
START_TEST(a_row_lstm_has_two_kernel_widths)
{
        expect_conditioned("row_lstm: {features: 5, kernel: 5, state_kernel: 1}", "row_lstm",
                           wide_input);
        expect_conditioned("row_lstm: {features: 5, kernel: 1, state_kernel: 5}", "row_lstm",
                           wide_state);
}
END_TEST

START_TEST(a_diagonal_bilstm_adds_the_condition_to_the_gates_of_both_directions)
{
        expect_conditioned("diagonal_bilstm: {features: 5}", "diagonal_bilstm",
                           conditioned_diagonal);
}
END_TEST

/* A connection only passes on what a layer has, which was given the map. */
static struct map skipped(const struct stack *s, const char *path, const struct map *x,
                          const struct map *map)
{
        (void)map;
        return convolved(s, pxr_strf(arena, "%s.skip", path), x, PXR_MASK_B, 1);
}

START_TEST(a_skip_connection_does_not_add_the_condition)
{
        expect_conditioned("skip_connections: {features: 7, layers: [skip]}", "skip_connections",
                           skipped);
}
END_TEST

/* In a multi_scale or behind it, where nothing is given the map. */
static void expect_sigmoid(const char *text, const char *path, bool inside)
{
        for (int colours = 1; colours <= 3; colours += 2) {
                struct stack s = run_stack((struct pxr_image_kind) { 8, 8, colours, 2 }, text);

                for (int image = 0; image < IMAGES; image++) {
                        struct map map = condition_of(&s, image), x = image_of(&s, image, 1);

                        x = conditioned_conv(&s, "layers.0.multi_scale.conv", &x, &map, PXR_MASK_A,
                                             3);
                        x = convolved(&s, path, &x, PXR_MASK_B, 1);
                        if (inside)
                                add_condition(&s, path, &map, &x);
                        expect_made(&s, path, image, &x);
                }
        }
}

START_TEST(an_output_inside_multi_scale_adds_the_condition)
{
        static const char layers[] = "- multi_scale:\n    size: 2\n    features: 5\n    layers:\n"
                                     "      - conv: {mask: A, kernel: 3, features: 6}\n";

        expect_sigmoid(pxr_strf(arena, "%s      - sigmoid\n", layers),
                       "layers.0.multi_scale.sigmoid", true);
        expect_sigmoid(pxr_strf(arena, "%s- sigmoid\n", layers), "layers.1.sigmoid", false);
}
END_TEST

START_TEST(generation_keeps_no_map_of_the_condition_for_each_layer)
{
        enum { FEATURES = 400 };
        const char *layer =
                pxr_strf(arena, "conv: {mask: B, kernel: 1, features: %d}", (int)FEATURES);
        const struct pxr_graph *graph = build_stack(kinds[0], stack_of(layer))->graph;

        ck_assert_uint_lt(pxr_workspace_bytes(graph, PXR_F32, PXR_FOR_GENERATION, 1, 1),
                          kinds[0].rows * kinds[0].cols * FEATURES * sizeof(float));
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("multi_scale");

        ADD_GRAPH_TEST(suite, a_deconvolution_is_a_convolution_of_the_map_with_zeros_inserted);
        ADD_STACK_TEST(suite, a_convolution_adds_the_condition_to_its_output);
        ADD_STACK_TEST(suite, a_row_lstm_adds_the_condition_to_its_gates);
        ADD_STACK_TEST(suite, a_row_lstm_has_two_kernel_widths);
        ADD_STACK_TEST(suite, a_diagonal_bilstm_adds_the_condition_to_the_gates_of_both_directions);
        ADD_STACK_TEST(suite, a_skip_connection_does_not_add_the_condition);
        ADD_STACK_TEST(suite, generation_keeps_no_map_of_the_condition_for_each_layer);
        ADD_STACK_TEST(suite, an_output_inside_multi_scale_adds_the_condition);
        return run_suite(suite);
}
