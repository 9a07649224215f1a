/* SPDX-License-Identifier: MIT */
/* check_lstm.c - the LSTM scans against the paper's equations (lstm_reference.h). */
#include "lstm_reference.h"

enum { IMAGES = 2, H = 5 };

/* image - gates - the scan in question - logits */
static void expect_scan(int rows, int cols, int colours, struct pxr_lstm settings)
{
        struct pxr_builder builder = new_builder(rows, cols, colours, 3);
        const struct pxr_graph *graph = builder.graph;
        struct pxr_node *gates =
                new_conv(&builder, "gates", 3, PXR_MASK_A, 4 * H, 4, graph->node[0]);
        struct pxr_node *node = pxr_lstm(&builder, "tested", &settings, gates);
        const double *parameters;

        ck_assert_ptr_nonnull(node);
        end_graph(&builder, new_conv(&builder, "out", 1, PXR_MASK_B, 3 * colours, 1, node),
                  &pxr_categorical);
        parameters = arbitrary_parameters(graph, 5);
        for (int precision = PXR_F32; precision <= PXR_F64; precision++) {
                struct pxr_workspace *workspace =
                        new_workspace(graph, precision, PXR_FOR_EVALUATION, IMAGES, true);
                struct weights w = weights_of(graph, parameters, "layers.0.test.tested");

                pxr_workspace_load(workspace, random_images(graph, IMAGES, 3), IMAGES);
                pxr_workspace_forward(workspace,
                                      precision == PXR_F64
                                              ? (const void *)parameters
                                              : as_floats(parameters, graph->parameter_values));
                for (int image = 0; image < IMAGES; image++) {
                        struct map z = node_map(workspace, precision, gates, IMAGES, image);
                        struct map got = node_map(workspace, precision, node, IMAGES, image);
                        struct map expected = scanned(&z, &w, &settings);

                        expect_same_map(&got, &expected, precision == PXR_F64 ? 1e-12 : 2e-5,
                                        "scan");
                }
        }
}

/* Every scan on maps that are square, wide, high, and a single row or column. */
static void expect_scans(struct pxr_lstm settings)
{
        static const int sizes[][2] = {
                { 5, 5 }, { 3, 6 }, { 6, 3 }, { 1, 4 }, { 4, 1 }, { 1, 1 }
        };

        settings.gain = 1;
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
                for (int colours = 1; colours <= 3; colours += 2)
                        expect_scan(sizes[i][0], sizes[i][1], colours, settings);
}

START_TEST(the_row_lstm_is_equation_3_from_row_to_row)
{
        for (int kernel = 1; kernel <= 5; kernel += 2)
                expect_scans((struct pxr_lstm) { .scan = PXR_SCAN_ROWS, .kernel = kernel });
}
END_TEST

START_TEST(the_left_diagonal_lstm_equals_the_one_on_skewed_maps)
{
        expect_scans((struct pxr_lstm) { .scan = PXR_SCAN_LEFT });
}
END_TEST

START_TEST(the_right_diagonal_lstm_is_mirrored_and_shifted_down)
{
        expect_scans((struct pxr_lstm) { .scan = PXR_SCAN_RIGHT });
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("lstm");

        ADD_GRAPH_TEST(suite, the_row_lstm_is_equation_3_from_row_to_row);
        ADD_GRAPH_TEST(suite, the_left_diagonal_lstm_equals_the_one_on_skewed_maps);
        ADD_GRAPH_TEST(suite, the_right_diagonal_lstm_is_mirrored_and_shifted_down);
        return run_suite(suite);
}
