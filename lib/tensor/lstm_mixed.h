/* SPDX-License-Identifier: MIT */
/*
 * lstm_mixed.h - the kernels of op_lstm.c in mixed precision.
 *
 * Cell states and the arithmetic of gates are float32. A step is one product, whose sums become
 * cells while they are in cache. What is kept for the backward pass lies in the order of the map: c
 * in float32, h and the gates as bfloat16. What the product of the next step reads lies in slabs,
 * where a cell has a slot of its own: its row in a scan of diagonals, its column in a scan of rows.
 * A step reads one slab and writes another; slots that it does not write are those of cells outside
 * the image, so they keep what the slabs began with: the initial state, or zeros.
 */
#include "tensor/bf16.h"
#include "tensor/bf16_cells.h"

/* State of all cells, in the order of the map. */
struct mixed_state {
        float *c;            /* [pixel][image][features] */
        pxr_bf16 *h, *gates; /* [pixel][image][features], [pixel][image][4 features] */
};

/* Scratch of a call. */
struct mixed_work {
        struct pxr_bf16_tap *tap;
        float *by_c;       /* [slot][image][features] */
        float *by_initial; /* [tap][4 features]: gradient by the initial state's products */
        float *weights;    /* sums of the weights' gradients */
        pxr_bf16 *slab[2]; /* forward: [slot][image][features]: h; backward: [slot][image][4
                              features]: gradients by the gates */
        size_t slab_size;  /* values of one */
        size_t margin;     /* rows of a slab before its first slot */
        void *product;
        size_t size; /* bytes of all */
};

static int slots_of(const struct pxr_node *node)
{
        return is_diagonal(node->conf) ? node->shape.rows : node->shape.cols;
}

static struct mixed_work mixed_work_of(const struct pxr_node *node, int images, char *scratch)
{
        const struct lstm *lstm = node->conf;
        size_t features = lstm->features, width = GATES * features, taps = lstm->taps;
        size_t rows = (size_t)slots_of(node) * images;
        struct mixed_work w = { .margin = taps * images };

        w.slab_size = (2 * w.margin + rows + 32) * width; /* products read blocks of 32 rows */
        w.tap = pxr_bf16_take(scratch, &w.size, taps * sizeof(*w.tap));
        w.by_c = pxr_bf16_take(scratch, &w.size, rows * features * sizeof(float));
        w.by_initial = pxr_bf16_take(scratch, &w.size, taps * width * sizeof(float));
        w.weights = pxr_bf16_take(scratch, &w.size,
                                  pxr_bf16_gradient_sum(features, width, taps) * sizeof(float));
        for (int i = 0; i < 2; i++)
                w.slab[i] = pxr_bf16_take(scratch, &w.size, w.slab_size * sizeof(pxr_bf16));
        w.product = pxr_bf16_take(scratch, &w.size, pxr_bf16_scratch(features, width, taps));
        return w;
}

static size_t mixed_scratch(const struct pxr_node *node, int images)
{
        return mixed_work_of(node, images, NULL).size;
}

static size_t mixed_state_size(const struct pxr_node *node, int images)
{
        return pxr_map_size(node, images) * (sizeof(float) + (1 + GATES) * sizeof(pxr_bf16));
}

static struct mixed_state mixed_state_of(const struct pxr_call *call)
{
        size_t size = pxr_map_size(call->node, call->images);
        struct mixed_state state = { .c = call->state };

        state.h = (pxr_bf16 *)(state.c + size);
        state.gates = state.h + size;
        return state;
}

/* Of a tap's weights, forward and backward: numbers. */
static size_t packed_forward(const struct lstm *lstm)
{
        return pxr_bf16_packed_size(lstm->features, pxr_bf16_gate_columns(lstm->features));
}

static size_t packed_backward(const struct lstm *lstm)
{
        return pxr_bf16_packed_size((size_t)GATES * lstm->features, lstm->features);
}

static size_t mixed_packed(const struct pxr_node *node)
{
        const struct lstm *lstm = node->conf;

        return lstm->taps * (packed_forward(lstm) + packed_backward(lstm)) * sizeof(pxr_bf16);
}

static void mixed_pack(const struct pxr_node *node, const float *const *parameter, void *packed)
{
        const struct lstm *lstm = node->conf;
        size_t features = lstm->features, width = GATES * features;
        pxr_bf16 *to = packed, *back = to + lstm->taps * packed_forward(lstm);

        for (int tap = 0; tap < lstm->taps; tap++) {
                const float *weight = parameter[WEIGHT] + tap * features * width;

                pxr_bf16_pack_gates(features, features, weight, to + tap * packed_forward(lstm));
                pxr_bf16_pack(width, features, weight, 1, width,
                              back + tap * packed_backward(lstm));
        }
}

/* Rows of a step, of all images. */
static size_t step_rows(const struct pxr_call *call, int step)
{
        const struct lstm *lstm = call->node->conf;

        return (size_t)(lstm->first[step + 1] - lstm->first[step]) * call->images;
}

/* The row of a slab that has the first cell of a step. */
static size_t slab_row(const struct pxr_call *call, const struct mixed_work *w, int step)
{
        return w->margin + (is_diagonal(call->node->conf)
                                    ? (size_t)top_row(call->node, step) * call->images
                                    : 0);
}

/* Slots from a cell to that whose tap reads it. */
static int tap_slot(const struct lstm *lstm, int tap)
{
        return is_diagonal(lstm) ? tap : lstm->taps / 2 - tap;
}

/* The product of a step's slots with the other slab: of h that the taps read or, `back`, of the
 * gradients by the gates of those that read h. */
static struct pxr_bf16_product step_product(const struct pxr_call *call, const struct mixed_work *w,
                                            int step, bool back)
{
        const struct lstm *lstm = call->node->conf;
        size_t features = lstm->features, width = GATES * features, k = back ? width : features;
        const pxr_bf16 *weights = call->packed;

        for (int t = 0; t < lstm->taps; t++) {
                ptrdiff_t away = tap_slot(lstm, t) * (ptrdiff_t)call->images;

                w->tap[t] = (struct pxr_bf16_tap) {
                        .shift = (ptrdiff_t)slab_row(call, w, step) + (back ? away : -away),
                        .end = SIZE_MAX,
                };
        }
        return (struct pxr_bf16_product) {
                .operand = { w->slab[(step + 1) % 2], w->slab_size / width, k, k, SIZE_MAX,
                             lstm->taps, w->tap },
                .m = step_rows(call, step),
                .n = back ? features : pxr_bf16_gate_columns(features),
                .weights = back ? weights + lstm->taps * packed_forward(lstm) : weights,
                .scratch = w->product,
        };
}

/* Slabs of zeros and, in the slots, the initial state: that of the columns in a scan of rows, and
 * of the left neighbours of the first column in one of diagonals. NULL: zeros alone. */
static void begin_slabs(const struct pxr_call *call, const struct mixed_work *w,
                        const float *initial)
{
        size_t features = ((const struct lstm *)call->node->conf)->features;
        size_t rows = (size_t)slots_of(call->node) * call->images;

        for (int i = 0; i < 2; i++) {
                memset(w->slab[i], 0, w->slab_size * sizeof(pxr_bf16));
                for (size_t row = w->margin; initial && row < w->margin + rows; row++)
                        pxr_bf16_round(features, initial, w->slab[i] + row * features);
        }
}

/* What all pixels read of h, in the order of the map. */
static struct pxr_bf16_operand map_operand(const struct pxr_call *call, const pxr_bf16 *h,
                                           struct pxr_bf16_tap *tap)
{
        const struct lstm *lstm = call->node->conf;
        ptrdiff_t cols = call->node->shape.cols, images = call->images;

        for (int t = 0; t < lstm->taps; t++) {
                ptrdiff_t down = -1, right = t - lstm->taps / 2;

                if (is_diagonal(lstm)) {
                        down = t == 0 ? 0 : -1;
                        right = t ? 0 : lstm->settings.scan == PXR_SCAN_RIGHT ? 1 : -1;
                }
                tap[t] = pxr_bf16_tap_at(down, right, cols, images);
        }
        return (struct pxr_bf16_operand) {
                .a = h,
                .rows = call->node->shape.rows * cols * images,
                .k = lstm->features,
                .lda = lstm->features,
                .period = cols * images,
                .taps = lstm->taps,
                .tap = tap,
        };
}

/* The cells of a step, except for what only one direction has. */
static struct pxr_bf16_cells mixed_cells(const struct pxr_call *call, int step)
{
        const struct lstm *lstm = call->node->conf;
        struct mixed_state state = mixed_state_of(call);
        int first = lstm->first[step], end = lstm->first[step + 1], shown = end;
        int cols = call->node->shape.cols, pixels = (call->node->shape.rows - lstm->shift) * cols;
        size_t at = lstm->pixel[first] * pxr_pixel_size(call->node, call->images);

        while (shown > first && lstm->pixel[shown - 1] >= pixels)
                shown--;
        return (struct pxr_bf16_cells) {
                .features = lstm->features,
                .images = call->images,
                .stride = end - first > 1 ? lstm->pixel[first + 1] - lstm->pixel[first] : 0,
                .back = !is_diagonal(lstm) ? cols
                        : lstm->shift      ? -1
                                           : 1,
                .inner = (size_t)tap_range(call->node, step, cell_tap(lstm)).count * call->images,
                .initial = call->parameter[INITIAL_CELL],
                .shown = (size_t)(shown - first) * call->images,
                .gates = state.gates + GATES * at,
                .c = state.c + at,
                .h = state.h + at,
        };
}

static void lstm_forward_mixed(const struct pxr_call *call)
{
        const struct lstm *lstm = call->node->conf;
        struct mixed_work w = mixed_work_of(call->node, call->images, call->scratch);
        size_t size = pxr_pixel_size(call->node, call->images), features = lstm->features;
        size_t down = (size_t)lstm->shift * call->node->shape.cols * size;

        begin_slabs(call, &w, call->parameter[INITIAL_STATE]);
        memset(call->output, 0, down * sizeof(pxr_bf16));
        for (int step = 0; step < lstm->steps; step++) {
                struct pxr_bf16_product product = step_product(call, &w, step, false);
                struct pxr_bf16_cells cells = mixed_cells(call, step);
                size_t at = lstm->pixel[lstm->first[step]] * size;

                cells.input = (const pxr_bf16 *)call->input[0] + GATES * at;
                cells.output = (pxr_bf16 *)call->output + down + at;
                cells.next = w.slab[step % 2] + slab_row(call, &w, step) * features;
                product.cells = &cells;
                pxr_bf16_multiply(&product);
        }
}

/* --- backward ----------------------------------------------------------------------------------
 */

/* The cells of a step, backwards: `by_gates` is a map. */
static void step_gradient(const struct pxr_call *call, const struct mixed_work *w, int step,
                          pxr_bf16 *by_gates)
{
        const struct lstm *lstm = call->node->conf;
        size_t size = pxr_pixel_size(call->node, call->images), features = lstm->features;
        size_t at = lstm->pixel[lstm->first[step]] * size, row = slab_row(call, w, step);
        size_t down = (size_t)lstm->shift * call->node->shape.cols * size;
        struct pxr_bf16_product product = step_product(call, w, step, true);
        struct pxr_bf16_cells cells = mixed_cells(call, step);

        cells.by_output = (const pxr_bf16 *)call->output_gradient + down + at;
        cells.by_gates = by_gates + GATES * at;
        cells.by_c = w->by_c + (row - w->margin) * features;
        cells.next = w->slab[step % 2] + row * GATES * features;
        product.cells_gradient = &cells;
        pxr_bf16_multiply(&product);
}

/* By the initial state and cell, of which the latter is what is left of by_c. */
static void mixed_initial_gradients(const struct pxr_call *call, const struct mixed_work *w,
                                    const pxr_bf16 *by_gates)
{
        const struct lstm *lstm = call->node->conf;
        size_t width = GATES * (size_t)lstm->features, images = call->images;

        for (int tap = 0; tap < lstm->taps; tap++)
                for (int step = 0; step < lstm->steps; step++) {
                        struct range edge = initial_range(call->node, step, tap);
                        int cell = lstm->first[step] + edge.to;

                        if (edge.count)
                                pxr_bf16_add_rows(edge.count * images, width,
                                                  by_gates + lstm->pixel[cell] * images * width,
                                                  w->by_initial + tap * width);
                }
        initial_gradients_f32(call, w->by_initial);
        if (call->parameter_gradient[INITIAL_CELL])
                add_rows_f32(slots_of(call->node) * images, lstm->features, w->by_c,
                             call->parameter_gradient[INITIAL_CELL]);
}

static void weight_gradient(const struct pxr_call *call, const struct mixed_work *w,
                            const pxr_bf16 *by_gates)
{
        const struct lstm *lstm = call->node->conf;
        size_t features = lstm->features, width = GATES * features;

        memset(w->weights, 0, pxr_bf16_gradient_sum(features, width, lstm->taps) * sizeof(float));
        pxr_bf16_weight_gradient(&(struct pxr_bf16_gradient) {
                .operand = map_operand(call, mixed_state_of(call).h, w->tap),
                .m = (size_t)lstm->first[lstm->steps] * call->images,
                .n = width,
                .dc = by_gates,
                .sum = w->weights,
                .scratch = w->product,
        });
        pxr_bf16_add_gradient(features, width, lstm->taps, w->weights,
                              call->parameter_gradient[WEIGHT]);
}

static void lstm_backward_mixed(const struct pxr_call *call)
{
        const struct lstm *lstm = call->node->conf;
        struct mixed_work w = mixed_work_of(call->node, call->images, call->scratch);
        size_t rows = (size_t)slots_of(call->node) * call->images;
        size_t size = pxr_map_size(call->node, call->images);
        pxr_bf16 *dz = call->input_gradient[0];
        pxr_bf16 *by_gates = dz && !call->accumulate[0] ? dz : mixed_state_of(call).gates;

        memset(w.by_c, 0, rows * lstm->features * sizeof(float));
        memset(w.by_initial, 0, lstm->taps * GATES * lstm->features * sizeof(float));
        begin_slabs(call, &w, NULL);
        for (int step = lstm->steps - 1; step >= 0; step--)
                step_gradient(call, &w, step, by_gates);
        if (dz && by_gates != dz)
                pxr_bf16_add(GATES * size, dz, by_gates, dz);
        if (call->parameter_gradient[WEIGHT])
                weight_gradient(call, &w, by_gates);
        mixed_initial_gradients(call, &w, by_gates);
}

static const struct pxr_mixed lstm_mixed = { .forward = lstm_forward_mixed,
                                             .backward = lstm_backward_mixed,
                                             .scratch = mixed_scratch,
                                             .state = mixed_state_size,
                                             .packed = mixed_packed,
                                             .pack = mixed_pack };
