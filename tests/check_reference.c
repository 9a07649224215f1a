/* SPDX-License-Identifier: MIT */
/*
 * check_reference.c - ops against plain loops written from the paper's equations (reference.h).
 */
#include "reference.h"

enum { IMAGES = 2 };

/* A graph run forward, in a precision. */
struct forward {
        const struct pxr_graph *graph;
        enum pxr_precision precision;
        const double *parameters;
        struct pxr_workspace *workspace;
};

/* Run `graph` on random images. Its output must have been set. */
static struct forward run_forward(const struct pxr_graph *graph, const double *parameters,
                                  enum pxr_precision precision)
{
        struct forward f = {
                .graph = graph,
                .precision = precision,
                .parameters = parameters,
                .workspace = new_workspace(graph, precision, PXR_FOR_EVALUATION, IMAGES, true),
        };

        pxr_workspace_load(f.workspace, random_images(graph, IMAGES, 3), IMAGES);
        pxr_workspace_forward(
                f.workspace, precision == PXR_F64 ? (const void *)parameters
                                                  : as_floats(parameters, graph->parameter_values));
        return f;
}

static struct map output_of(const struct forward *f, const struct pxr_node *node, int image)
{
        return node_map(f->workspace, f->precision, node, IMAGES, image);
}

static double tolerance(enum pxr_precision precision)
{
        return precision == PXR_F64 ? 1e-13 : 1e-5;
}

/* --- the image, sums, rectified linear units ---------------------------------------------------
 */

/* Values 0 .. levels - 1 become -1 .. 1, each image, pixel and colour in its place. */
START_TEST(the_image_is_scaled_and_centred)
{
        for (int colours = 1; colours <= 3; colours += 2)
                for (int levels = 2; levels <= 256; levels += levels == 2 ? 3 : 251) {
                        struct pxr_builder builder = new_builder(3, 4, colours, levels);
                        const struct pxr_graph *graph = builder.graph;
                        const uint8_t *pixels = random_images(graph, IMAGES, 3);
                        struct forward f;

                        end_graph(&builder,
                                  new_conv(&builder, "out", 1, PXR_MASK_A, levels * colours, 1,
                                           graph->node[0]),
                                  &pxr_categorical);
                        f = run_forward(graph, arbitrary_parameters(graph, 1), PXR_F64);
                        for (int image = 0; image < IMAGES; image++) {
                                struct map got = output_of(&f, graph->node[0], image);
                                struct map expected = new_map(3, 4, colours);

                                for (int i = 0; i < 12 * colours; i++)
                                        expected.value[i] = (pixels[image * 12 * colours + i] -
                                                             (levels - 1) / 2.0) /
                                                            ((levels - 1) / 2.0);
                                expect_same_map(&got, &expected, 1e-15, "image");
                        }
                }
}
END_TEST

START_TEST(sums_and_rectified_linear_units_match_the_reference)
{
        struct pxr_builder builder = new_builder(3, 4, 3, 5);
        const struct pxr_graph *graph = builder.graph;
        struct pxr_node *a = new_conv(&builder, "a", 3, PXR_MASK_A, 7, 1, graph->node[0]);
        struct pxr_node *b = new_conv(&builder, "b", 3, PXR_MASK_A, 7, 1, graph->node[0]);
        struct pxr_node *sum = pxr_add(&builder, a, b), *bent = pxr_relu(&builder, sum);

        end_graph(&builder, new_conv(&builder, "out", 1, PXR_MASK_B, 15, 1, bent),
                  &pxr_categorical);
        for (int precision = PXR_F32; precision <= PXR_F64; precision++) {
                struct forward f = run_forward(graph, arbitrary_parameters(graph, 1), precision);
                struct map x = output_of(&f, a, 1), y = output_of(&f, b, 1);
                struct map z = output_of(&f, sum, 1), r = output_of(&f, bent, 1);

                for (int i = 0; i < 3 * 4 * 7; i++) {
                        x.value[i] += y.value[i];
                        y.value[i] = fmax(x.value[i], 0);
                }
                expect_same_map(&z, &x, tolerance(precision), "sum");
                expect_same_map(&r, &y, tolerance(precision), "relu");
        }
}
END_TEST

/* --- masked convolution ------------------------------------------------------------------------
 */

struct conv_case {
        int rows, cols, colours, mask, kernel, features, gates;
        bool bias;
};

/* image - 1x1 convolution to 7 channels - the convolution in question - logits. */
static void expect_conv(struct conv_case c)
{
        struct pxr_builder builder = new_builder(c.rows, c.cols, c.colours, 5);
        const struct pxr_graph *graph = builder.graph;
        struct pxr_node *input, *node, *logits;
        char what[96];

        input = new_conv(&builder, "input", 1, PXR_MASK_B, 7, 1, graph->node[0]);
        node = pxr_conv(&builder, "tested",
                        &(struct pxr_conv) { .kernel = c.kernel,
                                             .mask = c.mask,
                                             .features = c.features,
                                             .gates = c.gates,
                                             .bias = c.bias,
                                             .gain = 1 },
                        input);
        ck_assert_ptr_nonnull(node);
        /* What is cut into gates no further convolution takes, so that the logits are beside it. */
        logits = c.gates > 1 ? node
                             : new_conv(&builder, "out", 1, PXR_MASK_B, 5 * c.colours, 1, node);
        end_graph(&builder, logits, &pxr_categorical);
        snprintf(what, sizeof(what), "mask %c, %dx%d, %d colours, %d features, %d gates",
                 "AB-"[c.mask], c.kernel, c.kernel, c.colours, c.features, c.gates);
        for (int precision = PXR_F32; precision <= PXR_F64; precision++) {
                struct forward f = run_forward(graph, arbitrary_parameters(graph, 9), precision);
                const double *p = f.parameters;

                for (int image = 0; image < IMAGES; image++) {
                        struct map x = output_of(&f, input, image);
                        struct map y = output_of(&f, node, image);
                        struct map expected =
                                masked_conv(&x, p + node->parameter[0]->offset,
                                            c.bias ? p + node->parameter[1]->offset : NULL, c.mask,
                                            c.kernel, c.colours, c.features, c.gates);

                        expect_same_map(&y, &expected, tolerance(precision), what);
                }
        }
}

START_TEST(convolutions_of_one_colour_match_the_reference)
{
        for (int mask = PXR_MASK_A; mask <= PXR_MASK_NONE; mask++)
                for (int kernel = 1; kernel <= 7; kernel += 2)
                        expect_conv((struct conv_case) { 5, 4, 1, mask, kernel, 6, 1, kernel > 1 });
}
END_TEST

/* 4, 5 and 7 features are not divided by 3. */
START_TEST(convolutions_of_three_colours_match_the_reference)
{
        for (int mask = PXR_MASK_A; mask <= PXR_MASK_NONE; mask++)
                for (int kernel = 1; kernel <= 5; kernel += 2)
                        for (int features = 3; features <= 7; features++)
                                expect_conv((struct conv_case) { 4, 5, 3, mask, kernel, features, 1,
                                                                 true });
}
END_TEST

/* Colours are counted inside each gate: 4 gates of 5 features each, of the size of the logits. */
START_TEST(convolutions_of_several_gates_match_the_reference)
{
        for (int mask = PXR_MASK_A; mask <= PXR_MASK_NONE; mask++)
                for (int kernel = 1; kernel <= 3; kernel += 2) {
                        expect_conv((struct conv_case) { 4, 4, 1, mask, kernel, 5, 5, true });
                        expect_conv((struct conv_case) { 4, 4, 3, mask, kernel, 15, 3, true });
                        expect_conv((struct conv_case) { 4, 4, 3, mask, kernel, 15, 5, true });
                }
}
END_TEST

/* Fewer features than colours: some colours have none. */
START_TEST(convolutions_of_fewer_features_than_colours_match_the_reference)
{
        for (int features = 1; features <= 2; features++)
                for (int mask = PXR_MASK_A; mask <= PXR_MASK_B; mask++)
                        expect_conv((struct conv_case) { 3, 3, 3, mask, 3, features, 1, true });
}
END_TEST

/* Several pieces of rows at once, and maps of one row or column. */
START_TEST(convolutions_of_odd_sizes_match_the_reference)
{
        expect_conv((struct conv_case) { 60, 30, 3, PXR_MASK_B, 11, 4, 1, true });
        expect_conv((struct conv_case) { 1, 9, 3, PXR_MASK_B, 5, 4, 1, true });
        expect_conv((struct conv_case) { 9, 1, 1, PXR_MASK_A, 5, 4, 1, true });
        expect_conv((struct conv_case) { 1, 1, 3, PXR_MASK_B, 3, 4, 1, true });
}
END_TEST

/* --- starting values and counts of a convolution -----------------------------------------------
 */

/* Masked weights start at zero, live ones with the variance promised; multiply-adds are those of
 * the live weights. */
static void expect_start(int colours, int mask, int kernel, int features, int gates)
{
        struct pxr_builder builder = new_builder(3, 4, colours, 2);
        struct pxr_node *input, *node;
        const double *weight;
        int live[3] = { 0 }, all = 0;
        double squares[3] = { 0 };

        input = new_conv(&builder, "input", 1, PXR_MASK_B, 24, 1, builder.graph->node[0]);
        node = new_conv(&builder, "tested", kernel, mask, features, gates, input);
        ck_assert_ptr_nonnull(node);
        weight = random_parameters(builder.graph, 1) + node->parameter[0]->offset;
        for (int tap = 0; tap < kernel * kernel; tap++)
                for (int in = 0; in < 24; in++)
                        for (int out = 0; out < features; out++) {
                                double w = weight[(tap * 24 + in) * features + out];
                                int block = features / gates;
                                int colour = group_of(out % block, block, colours);

                                if (!is_live(mask, kernel, colours, 24, features, gates,
                                             tap / kernel, tap % kernel, in, out)) {
                                        ck_assert_double_eq(w, 0);
                                        continue;
                                }
                                ck_assert_double_ne(w, 0);
                                live[colour]++;
                                squares[colour] += w * w;
                                all++;
                        }
        ck_assert_double_eq(node->op->multiply_adds(node), 3.0 * 4.0 * all);
        for (int colour = 0; colour < colours; colour++) {
                int outputs = features / colours;

                /* variance x live inputs of one output = 1 */
                if (live[colour])
                        ck_assert_double_eq_tol(squares[colour] / outputs, 1, 0.15);
        }
}

START_TEST(initial_weights_are_zero_under_the_mask)
{
        for (int mask = PXR_MASK_A; mask <= PXR_MASK_NONE; mask++)
                for (int kernel = 1; kernel <= 5; kernel += 2) {
                        expect_start(1, mask, kernel, 36, 1);
                        expect_start(3, mask, kernel, 36, 1);
                        expect_start(3, mask, kernel, 36, 4);
                }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("reference");

        ADD_GRAPH_TEST(suite, the_image_is_scaled_and_centred);
        ADD_GRAPH_TEST(suite, sums_and_rectified_linear_units_match_the_reference);
        ADD_GRAPH_TEST(suite, convolutions_of_one_colour_match_the_reference);
        ADD_GRAPH_TEST(suite, convolutions_of_three_colours_match_the_reference);
        ADD_GRAPH_TEST(suite, convolutions_of_several_gates_match_the_reference);
        ADD_GRAPH_TEST(suite, convolutions_of_fewer_features_than_colours_match_the_reference);
        ADD_GRAPH_TEST(suite, convolutions_of_odd_sizes_match_the_reference);
        ADD_GRAPH_TEST(suite, initial_weights_are_zero_under_the_mask);
        return run_suite(suite);
}
