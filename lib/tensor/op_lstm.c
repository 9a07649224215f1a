/* SPDX-License-Identifier: MIT */
/*
 * op_lstm.c - the recurrence of Row LSTM and Diagonal BiLSTM (sections 3.1 and 3.2, equation 3).
 *
 * A scan goes over the map in steps: a row, or a diagonal. Within the op the cells (pixels) lie in
 * the order of the scan, so that a step is one contiguous slab, and each tap of the state-to-state
 * convolution is one matrix product with a range of the slab before: no skewed copy, no work
 * outside the image. Diagonal d has the pixels with row + column = d, in the order of rows; the
 * scan from the right is the same over mirrored columns.
 */
#include <math.h>
#include <string.h>

#include "tensor/gemm.h"
#include "tensor/graph.h"
#include <pxr/vecmath.h>

enum { GATES = 4, WEIGHT = 0, INITIAL_STATE = 1, INITIAL_CELL = 2 };

struct lstm {
        struct pxr_lstm settings;
        int taps, features;
        int shift;         /* rows the output is moved down by */
        int steps, widest; /* of the steps, in cells */
        const int *first;  /* [steps + 1]: number of a step's first cell */
        const int *pixel;  /* [cell]: row x cols + col, not shifted */
        const int *cell;   /* [row x cols + col] */
};

/* Cells of a step, counted from its first, that read a tap in the cells from `from` on of the step
 * before. */
struct range {
        int to, from, count;
};

static bool is_diagonal(const struct lstm *lstm)
{
        return lstm->settings.scan != PXR_SCAN_ROWS;
}

static int larger(int a, int b)
{
        return a > b ? a : b;
}

static int smaller(int a, int b)
{
        return a < b ? a : b;
}

/* First and last row of a diagonal. */
static int top_row(const struct pxr_node *node, int diagonal)
{
        return larger(0, diagonal - (node->shape.cols - 1));
}

static int bottom_row(const struct pxr_node *node, int diagonal)
{
        return smaller(diagonal, node->shape.rows - 1);
}

/* Cells whose tap lies in the row above, whether there is one or the initial state. */
static struct range row_range(const struct pxr_node *node, int tap)
{
        const struct lstm *lstm = node->conf;
        int shift = tap - lstm->taps / 2;

        return (struct range) { larger(0, -shift), larger(0, shift),
                                larger(0, node->shape.cols - (shift < 0 ? -shift : shift)) };
}

/* Cells whose tap is a cell of the step before. */
static struct range tap_range(const struct pxr_node *node, int step, int tap)
{
        int top = top_row(node, step), bottom = bottom_row(node, step), row;

        if (step == 0)
                return (struct range) { 0 };
        if (!is_diagonal(node->conf))
                return row_range(node, tap);
        if (tap == 0) /* the left neighbour: all but column 0 */
                return (struct range) { 0, top - top_row(node, step - 1),
                                        larger(0, smaller(bottom, step - 1) - top + 1) };
        row = larger(top, 1); /* the one above: all but row 0 */
        return (struct range) { row - top, row - 1 - top_row(node, step - 1),
                                larger(0, bottom - row + 1) };
}

/* Cells whose tap is the learned initial state: the first row; the left edge. `from` is unused. */
static struct range initial_range(const struct pxr_node *node, int step, int tap)
{
        if (!is_diagonal(node->conf))
                return step == 0 ? row_range(node, tap) : (struct range) { 0 };
        if (tap == 0 && step < node->shape.rows)
                return (struct range) { step - top_row(node, step), 0, 1 };
        return (struct range) { 0 };
}

/* The tap whose cell state goes on: the pixel above, or the left neighbour. */
static int cell_tap(const struct lstm *lstm)
{
        return is_diagonal(lstm) ? 0 : lstm->taps / 2;
}

static int step_of(const struct pxr_node *node, int row, int col)
{
        const struct lstm *lstm = node->conf;

        if (lstm->settings.scan == PXR_SCAN_ROWS)
                return row;
        return row + (lstm->settings.scan == PXR_SCAN_LEFT ? col : node->shape.cols - 1 - col);
}

/* c, h and gates of all cells. */
static size_t lstm_state(const struct pxr_node *node, int images)
{
        return pxr_map_size(node, images) * (GATES + 2);
}

/* c and h of two rows, the one at hand and the one above: generation goes row by row, whatever the
 * order of the scan, and no cell reads further up. */
static size_t lstm_advance_state(const struct pxr_node *node, int images)
{
        return 2 * 2 * (size_t)node->shape.cols * pxr_pixel_size(node, images);
}

/* Where among these two rows the cell of a pixel is. */
static size_t slot_of(const struct pxr_node *node, int pixel)
{
        int cols = node->shape.cols;

        return (size_t)(pixel / cols % 2) * cols + pixel % cols;
}

/* Products of the initial state with each tap; backward: those, by h and c of two steps, and the
 * weights turned; advance: the products, and the gates of one cell. */
static size_t lstm_scratch(const struct pxr_node *node, int images)
{
        const struct lstm *lstm = node->conf;

        return (size_t)lstm->taps * GATES * lstm->features * (1 + lstm->features) +
               4 * (size_t)lstm->widest * pxr_pixel_size(node, images);
}

/* The cell that `tap` of the cell number `at` of a step reads, or -1. */
static int source_cell(const struct pxr_node *node, int step, int at, int tap)
{
        const struct lstm *lstm = node->conf;
        struct range range = tap_range(node, step, tap);

        if (at < range.to || at >= range.to + range.count)
                return -1;
        return lstm->first[step - 1] + range.from + at - range.to;
}

static bool reads_initial(const struct pxr_node *node, int step, int at, int tap)
{
        struct range range = initial_range(node, step, tap);

        return at >= range.to && at < range.to + range.count;
}

static void lstm_depends(const struct pxr_node *node, int row, int col, int colour,
                         struct pxr_dependencies *deps)
{
        const struct lstm *lstm = node->conf;
        int cols = node->shape.cols, step, at;

        row -= lstm->shift;
        if (row < 0)
                return;
        deps->read(deps, 0, row, col, colour);
        step = step_of(node, row, col);
        at = lstm->cell[row * cols + col] - lstm->first[step];
        for (int tap = 0; tap < lstm->taps; tap++) {
                int source = source_cell(node, step, at, tap);

                for (int c = 0; source >= 0 && c < node->colours; c++)
                        deps->read(deps, PXR_SELF, lstm->pixel[source] / cols + lstm->shift,
                                   lstm->pixel[source] % cols, c);
        }
}

static double lstm_multiply_adds(const struct pxr_node *node)
{
        const struct lstm *lstm = node->conf;
        double reads = 0;

        for (int step = 0; step < lstm->steps; step++)
                for (int tap = 0; tap < lstm->taps; tap++)
                        reads += tap_range(node, step, tap).count;
        return reads * lstm->features * lstm->features * GATES;
}

static void weight_init(const struct pxr_parameter *parameter, struct pxr_random *random,
                        double *values)
{
        const struct lstm *lstm = parameter->node->conf;
        double bound = lstm->settings.gain * sqrt(3.0 / (lstm->taps * lstm->features));

        for (size_t i = 0; i < parameter->size; i++)
                values[i] = bound * (2 * pxr_random_uniform(random) - 1);
}

/* One for the forget gates, zero for the others. */
static void bias_init(const struct pxr_parameter *parameter, struct pxr_random *random,
                      double *values)
{
        size_t block = parameter->size / GATES;

        (void)random;
        for (size_t i = block; i < 2 * block; i++)
                values[i] = 1;
}

/* Double precision counterparts of vecmath's. */
static void pxr_lstm_cells_f64(const struct pxr_lstm_cells *cells)
{
        size_t features = cells->features;

        for (size_t cell = 0; cell < cells->cells; cell++)
                for (size_t k = 0; k < cells->count; k++) {
                        double *o = (double *)cells->gates + cell * GATES * features + k;
                        double *f = o + features, *i = f + features, *g = i + features;
                        double *c = (double *)cells->c + cell * features + k;
                        double before =
                                ((const double *)cells->before)[cell * cells->before_stride + k];

                        *o = 1 / (1 + exp(-*o));
                        *f = 1 / (1 + exp(-*f));
                        *i = 1 / (1 + exp(-*i));
                        *g = tanh(*g);
                        *c = *f * before + *i * *g;
                        ((double *)cells->h)[cell * features + k] = *o * tanh(*c);
                }
}

static void pxr_lstm_cells_gradient_f64(const struct pxr_lstm_cells *cells, const double *dh,
                                        double *dc)
{
        size_t features = cells->features;

        for (size_t cell = 0; cell < cells->cells; cell++)
                for (size_t k = 0; k < cells->count; k++) {
                        double *o = (double *)cells->gates + cell * GATES * features + k;
                        double *f = o + features, *i = f + features, *g = i + features;
                        double before =
                                ((const double *)cells->before)[cell * cells->before_stride + k];
                        double t = tanh(((const double *)cells->c)[cell * features + k]);
                        double by_h = dh[cell * features + k], *by_c = dc + cell * features + k;
                        double d = *by_c + by_h * *o * (1 - t * t), in = *i;

                        *o = by_h * t * *o * (1 - *o);
                        *by_c = d * *f;
                        *f = d * before * *f * (1 - *f);
                        *i = d * *g * in * (1 - in);
                        *g = d * in * (1 - *g * *g);
                }
}

#define PXR_KERNELS_FILE "tensor/array_kernels.h"
#include <pxr/precisions.h>

#define PXR_KERNELS_FILE "tensor/lstm_kernels.h"
#include <pxr/precisions.h>

#include "tensor/lstm_mixed.h"

#define LSTM_OP(flags_)                                                                            \
        {                                                                                          \
                .name = "lstm", .flags = flags_,                                                   \
                .kernels = { { lstm_forward_f32, lstm_backward_f32, lstm_advance_f32 },            \
                             { lstm_forward_f64, lstm_backward_f64, lstm_advance_f64 } },          \
                .state = lstm_state, .advance_state = lstm_advance_state, .scratch = lstm_scratch, \
                .depends = lstm_depends, .multiply_adds = lstm_multiply_adds,                      \
                .mixed = &lstm_mixed,                                                              \
        }

static const struct pxr_op lstm_op = LSTM_OP(PXR_ADVANCE_AT_ITS_PIXEL);

/* The scan from the right goes over a row when all of it is there, and keeps the outputs for the
 * row below in its state. */
static const struct pxr_op lstm_from_right_op =
        LSTM_OP(PXR_ADVANCE_AT_ITS_PIXEL | PXR_ADVANCE_READS_ITS_ROW);

int pxr_lstm_scan(const struct pxr_node *node)
{
        if (node->op != &lstm_op && node->op != &lstm_from_right_op)
                return -1;
        return ((const struct lstm *)node->conf)->settings.scan;
}

/* Number the cells in the order of the scan. Returns 0, or -1 when memory is out. */
static int number_cells(struct pxr_arena *arena, struct lstm *lstm, struct pxr_shape shape)
{
        bool diagonal = is_diagonal(lstm), mirrored = lstm->settings.scan == PXR_SCAN_RIGHT;
        int steps = diagonal ? shape.rows + shape.cols - 1 : shape.rows, next = 0;
        int *first = pxr_alloc_array(arena, steps + 1, sizeof(int));
        int *pixel = pxr_alloc_array(arena, shape.rows * shape.cols, sizeof(int));
        int *cell = pxr_alloc_array(arena, shape.rows * shape.cols, sizeof(int));

        if (!first || !pixel || !cell)
                return -1;
        for (int step = 0; step < steps; step++) {
                int top = diagonal ? larger(0, step - (shape.cols - 1)) : step;
                int bottom = diagonal ? smaller(step, shape.rows - 1) : step;

                first[step] = next;
                for (int row = top; row <= bottom; row++)
                        for (int i = 0; i < (diagonal ? 1 : shape.cols); i++) {
                                int col = diagonal ? step - row : i;

                                pixel[next] =
                                        row * shape.cols + (mirrored ? shape.cols - 1 - col : col);
                                cell[pixel[next]] = next;
                                next++;
                        }
                lstm->widest = larger(lstm->widest, next - first[step]);
        }
        first[steps] = next;
        lstm->steps = steps;
        lstm->first = first;
        lstm->pixel = pixel;
        lstm->cell = cell;
        return 0;
}

static int add_parameters(struct pxr_builder *builder, const char *name, struct pxr_node *node)
{
        const struct lstm *lstm = node->conf;
        struct pxr_arena *arena = builder->graph->arena;
        int features = lstm->features;
        const char *weight = pxr_join_names(arena, name, "state_to_state");
        const char *state = pxr_join_names(arena, name, "initial_state");
        const char *cell = pxr_join_names(arena, name, "initial_cell");

        return pxr_add_parameter(builder, node, weight, weight_init, 3,
                                 (int[]) { lstm->taps, features, GATES * features }) ||
               pxr_add_parameter(builder, node, state, pxr_init_zeros, 1, &features) ||
               pxr_add_parameter(builder, node, cell, pxr_init_zeros, 1, &features);
}

struct pxr_node *pxr_lstm(struct pxr_builder *builder, const char *name,
                          const struct pxr_lstm *settings, struct pxr_node *gates)
{
        struct lstm lstm = { .settings = *settings };
        struct pxr_node *node;

        if (!gates)
                return NULL;
        if (gates->gates != GATES)
                return pxr_layer_error(builder, "an LSTM requires a map of 4 gates, got %d",
                                       gates->gates);
        if (!is_diagonal(&lstm) && settings->kernel % 2 == 0)
                return pxr_layer_error(builder, "the kernel must be odd, got %d", settings->kernel);
        lstm.taps = is_diagonal(&lstm) ? 2 : settings->kernel;
        lstm.features = gates->shape.channels / GATES;
        lstm.shift = settings->scan == PXR_SCAN_RIGHT;
        if (number_cells(builder->graph->arena, &lstm, gates->shape))
                return NULL;
        node = pxr_add_node(
                builder, &(struct pxr_new_node) {
                                 .op = lstm.shift ? &lstm_from_right_op : &lstm_op,
                                 .conf = &lstm,
                                 .conf_size = sizeof(lstm),
                                 .shape = { gates->shape.rows, gates->shape.cols, lstm.features },
                                 .inputs = 1,
                                 .input = { gates } });
        return !node || add_parameters(builder, name, node) ? NULL : node;
}

struct pxr_node *pxr_input_to_state(struct pxr_builder *builder, const char *name, int kernel,
                                    int features, double gain, struct pxr_node *input)
{
        const char *full = pxr_join_names(builder->graph->arena, name, "input_to_state");

        return pxr_conditioned(builder, name,
                               pxr_conv(builder, full,
                                        &(struct pxr_conv) { .kernel = kernel,
                                                             .height = 1,
                                                             .mask = PXR_MASK_B,
                                                             .features = GATES * features,
                                                             .gates = GATES,
                                                             .bias = true,
                                                             .bias_init = bias_init,
                                                             .gain = gain },
                                        input));
}
