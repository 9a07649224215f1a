/* SPDX-License-Identifier: MIT */
/*
 * check_lstm.c - the LSTM scans against the paper's equations, written as the paper has them: a
 * skewed map, columns of it as steps, a mirrored second direction, a shift by one row.
 */
#include "reference.h"

enum { IMAGES = 2, H = 5 };

/* Weights of one scan, as they lie in the parameters. */
struct weights {
        const double *state_to_state, *initial_state, *initial_cell;
};

static double sigmoid(double x)
{
        return 1 / (1 + exp(-x));
}

/* Equation 3 for one pixel: [o f i g] are `gates` + the state-to-state products. */
static void step(const double gates[4 * H], const double c_before[H], double c[H], double h[H])
{
        for (int k = 0; k < H; k++) {
                double o = sigmoid(gates[k]), f = sigmoid(gates[H + k]);
                double i = sigmoid(gates[2 * H + k]), g = tanh(gates[3 * H + k]);

                c[k] = f * c_before[k] + i * g;
                h[k] = o * tanh(c[k]);
        }
}

/* gates += state x weight of one tap */
static void add_tap(double gates[4 * H], const double state[H], const struct weights *w, int tap)
{
        for (int i = 0; i < H; i++)
                for (int out = 0; out < 4 * H; out++)
                        gates[out] += state[i] * w->state_to_state[(tap * H + i) * 4 * H + out];
}

/* Section 3.1: one step is a row, with a convolution of `taps` over the row above. */
static struct map row_lstm(const struct map *z, const struct weights *w, int taps)
{
        struct map h = new_map(z->rows, z->cols, H), c = new_map(z->rows, z->cols, H);

        for (int row = 0; row < z->rows; row++)
                for (int col = 0; col < z->cols; col++) {
                        double gates[4 * H];

                        memcpy(gates, at(z, row, col, 0), sizeof(gates));
                        for (int tap = 0; tap < taps; tap++) {
                                int source = col + tap - taps / 2;

                                if (source < 0 || source >= z->cols)
                                        continue;
                                add_tap(gates, row ? at(&h, row - 1, source, 0) : w->initial_state,
                                        w, tap);
                        }
                        step(gates, row ? at(&c, row - 1, col, 0) : w->initial_cell,
                             at(&c, row, col, 0), at(&h, row, col, 0));
                }
        return h;
}

/* Section 3.2: rows skewed by one column each; one step is a column of the skewed map, with a 2x1
 * convolution over the column before. Left of the image is the learned state, above it zero. */
static struct map diagonal_lstm(const struct map *z, const struct weights *w)
{
        int width = z->cols + z->rows - 1;
        struct map h = new_map(z->rows, width, H), c = new_map(z->rows, width, H);
        struct map output = new_map(z->rows, z->cols, H);

        for (int column = 0; column < width; column++)
                for (int row = 0; row < z->rows; row++) {
                        int col = column - row;
                        double gates[4 * H];

                        if (col < 0 || col >= z->cols)
                                continue;
                        memcpy(gates, at(z, row, col, 0), sizeof(gates));
                        add_tap(gates, col ? at(&h, row, column - 1, 0) : w->initial_state, w, 0);
                        if (row)
                                add_tap(gates, at(&h, row - 1, column - 1, 0), w, 1);
                        step(gates, col ? at(&c, row, column - 1, 0) : w->initial_cell,
                             at(&c, row, column, 0), at(&h, row, column, 0));
                        memcpy(at(&output, row, col, 0), at(&h, row, column, 0),
                               H * sizeof(double));
                }
        return output;
}

static struct map mirrored(const struct map *x)
{
        struct map y = new_map(x->rows, x->cols, x->channels);

        for (int row = 0; row < x->rows; row++)
                for (int col = 0; col < x->cols; col++)
                        memcpy(at(&y, row, col, 0), at(x, row, x->cols - 1 - col, 0),
                               x->channels * sizeof(double));
        return y;
}

static struct map shifted_down(const struct map *x)
{
        struct map y = new_map(x->rows, x->cols, x->channels);

        for (int row = 1; row < x->rows; row++)
                memcpy(at(&y, row, 0, 0), at(x, row - 1, 0, 0),
                       (size_t)x->cols * x->channels * sizeof(double));
        return y;
}

static struct map reference(const struct map *z, const struct weights *w,
                            const struct pxr_lstm *settings)
{
        struct map turned, scanned, back;

        if (settings->scan == PXR_SCAN_ROWS)
                return row_lstm(z, w, settings->kernel);
        if (settings->scan == PXR_SCAN_LEFT)
                return diagonal_lstm(z, w);
        turned = mirrored(z);
        scanned = diagonal_lstm(&turned, w);
        back = mirrored(&scanned);
        return shifted_down(&back);
}

static struct weights weights_of(const struct pxr_graph *graph, const double *parameters)
{
        static const char prefix[] = "layers.0.test.tested";
        const struct pxr_parameter *weight =
                find_parameter(graph, pxr_strf(arena, "%s.state_to_state", prefix));
        const struct pxr_parameter *state =
                find_parameter(graph, pxr_strf(arena, "%s.initial_state", prefix));
        const struct pxr_parameter *cell =
                find_parameter(graph, pxr_strf(arena, "%s.initial_cell", prefix));

        return (struct weights) { parameters + weight->offset, parameters + state->offset,
                                  parameters + cell->offset };
}

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
                struct weights w = weights_of(graph, parameters);

                pxr_workspace_load(workspace, random_images(graph, IMAGES, 3), IMAGES);
                pxr_workspace_forward(workspace,
                                      precision == PXR_F64
                                              ? (const void *)parameters
                                              : as_floats(parameters, graph->parameter_values));
                for (int image = 0; image < IMAGES; image++) {
                        struct map z = node_map(workspace, precision, gates, IMAGES, image);
                        struct map got = node_map(workspace, precision, node, IMAGES, image);
                        struct map expected = reference(&z, &w, &settings);

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

START_TEST(row_lstm_is_equation_3_down_the_rows)
{
        for (int kernel = 1; kernel <= 5; kernel += 2)
                expect_scans((struct pxr_lstm) { .scan = PXR_SCAN_ROWS, .kernel = kernel });
}
END_TEST

START_TEST(diagonal_lstm_from_the_left_is_the_skewed_one)
{
        expect_scans((struct pxr_lstm) { .scan = PXR_SCAN_LEFT });
}
END_TEST

START_TEST(diagonal_lstm_from_the_right_is_mirrored_and_shifted_down)
{
        expect_scans((struct pxr_lstm) { .scan = PXR_SCAN_RIGHT });
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("lstm");

        ADD_GRAPH_TEST(suite, row_lstm_is_equation_3_down_the_rows);
        ADD_GRAPH_TEST(suite, diagonal_lstm_from_the_left_is_the_skewed_one);
        ADD_GRAPH_TEST(suite, diagonal_lstm_from_the_right_is_mirrored_and_shifted_down);
        return run_suite(suite);
}
