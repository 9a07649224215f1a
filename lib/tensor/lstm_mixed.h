/* SPDX-License-Identifier: MIT */
/*
 * lstm_mixed.h - the kernels of op_lstm.c in mixed precision.
 *
 * Cell states and the arithmetic of gates are float32, one step at a time; what is kept of all
 * cells for the backward pass are c in float32 and h and the gates as bfloat16. A step's taps are
 * one product of the step before, shifted by each tap.
 */
#include "tensor/bf16.h"

/* State of all cells, in the order of the scan. */
struct mixed_state {
        float *c;            /* [cell][image][features] */
        pxr_bf16 *h, *gates; /* [cell][image][features], [cell][image][4 features] */
};

/* Scratch of a call: of one step, except the taps' own and the maps. */
struct mixed_work {
        struct pxr_bf16_tap *tap;
        float *initial;             /* [tap][4 features] */
        float *sums;                /* [cell][image][4 features] */
        float *dh, *dc, *dc_before; /* [cell][image][features] */
        float *weights;             /* sums of the weights' gradients */
        pxr_bf16 *h, *gates;        /* of all pixels, in the order of the map */
        void *product;
        size_t size; /* bytes of all */
};

static struct mixed_work mixed_work_of(const struct pxr_node *node, int images, char *scratch)
{
        const struct lstm *lstm = node->conf;
        int features = lstm->features, width = GATES * features;
        size_t slab = (size_t)lstm->widest * pxr_pixel_size(node, images) * sizeof(float);
        size_t map = pxr_map_size(node, images);
        struct mixed_work w = { 0 };

        w.tap = pxr_bf16_take(scratch, &w.size, lstm->taps * sizeof(*w.tap));
        w.initial = pxr_bf16_take(scratch, &w.size, (size_t)lstm->taps * width * sizeof(float));
        w.sums = pxr_bf16_take(scratch, &w.size, GATES * slab);
        w.dh = pxr_bf16_take(scratch, &w.size, slab);
        w.dc = pxr_bf16_take(scratch, &w.size, slab);
        w.dc_before = pxr_bf16_take(scratch, &w.size, slab);
        w.weights =
                pxr_bf16_take(scratch, &w.size,
                              pxr_bf16_gradient_sum(features, width, lstm->taps) * sizeof(float));
        w.h = pxr_bf16_take(scratch, &w.size, map * sizeof(pxr_bf16));
        w.gates = pxr_bf16_take(scratch, &w.size, GATES * map * sizeof(pxr_bf16));
        w.product = pxr_bf16_take(scratch, &w.size, pxr_bf16_scratch(features, width, lstm->taps));
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

static size_t mixed_packed(const struct pxr_node *node)
{
        const struct lstm *lstm = node->conf;
        size_t features = lstm->features, width = GATES * features;

        return lstm->taps * sizeof(pxr_bf16) *
               (pxr_bf16_packed_size(features, width) + pxr_bf16_packed_size(width, features));
}

static void mixed_pack(const struct pxr_node *node, const float *const *parameter, void *packed)
{
        const struct lstm *lstm = node->conf;
        size_t features = lstm->features, width = GATES * features;
        pxr_bf16 *to = packed;

        for (int tap = 0; tap < lstm->taps; tap++, to += pxr_bf16_packed_size(features, width))
                pxr_bf16_pack(features, width, parameter[WEIGHT] + tap * features * width, width, 1,
                              to);
        for (int tap = 0; tap < lstm->taps; tap++, to += pxr_bf16_packed_size(width, features))
                pxr_bf16_pack(width, features, parameter[WEIGHT] + tap * features * width, 1, width,
                              to);
}

/* Rows of a step, of all images. */
static size_t step_rows(const struct pxr_call *call, int step)
{
        const struct lstm *lstm = call->node->conf;

        return (size_t)(lstm->first[step + 1] - lstm->first[step]) * call->images;
}

/* What a step reads of the one before, `map` of all cells; or, `back`, what is read of a step by
 * the one after. */
static struct pxr_bf16_operand step_operand(const struct pxr_call *call, int step, bool back,
                                            const pxr_bf16 *map, size_t width,
                                            struct pxr_bf16_tap *tap)
{
        const struct lstm *lstm = call->node->conf;
        int source = back ? step : step - 1;
        ptrdiff_t images = call->images;

        for (int t = 0; t < lstm->taps; t++) {
                struct range range = tap_range(call->node, step, t);
                int to = back ? range.from : range.to, from = back ? range.to : range.from;

                tap[t] = (struct pxr_bf16_tap) { (from - to) * images, (size_t)(to * images),
                                                 (size_t)((to + range.count) * images) };
        }
        return (struct pxr_bf16_operand) {
                .a = map + (size_t)lstm->first[source] * images * width,
                .rows = step_rows(call, source),
                .k = width,
                .lda = width,
                .period = SIZE_MAX,
                .taps = lstm->taps,
                .tap = tap,
        };
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

/* Cells from `cell` on, before `end`, whose pixels follow one another. */
static int run_of(const struct lstm *lstm, int cell, int end)
{
        int count = 1;

        while (cell + count < end && lstm->pixel[cell + count] == lstm->pixel[cell] + count)
                count++;
        return count;
}

/* Of the cells from `first` to `end`, [cell][size] to or from [pixel][size]. */
static void scan_to_map(const struct lstm *lstm, int first, int end, size_t size,
                        const pxr_bf16 *from, pxr_bf16 *map)
{
        for (int cell = first, count; cell < end; cell += count, from += count * size) {
                count = run_of(lstm, cell, end);
                memcpy(map + lstm->pixel[cell] * size, from, count * size * sizeof(*map));
        }
}

static void map_to_scan(const struct lstm *lstm, int first, int end, size_t size,
                        const pxr_bf16 *map, pxr_bf16 *to)
{
        for (int cell = first, count; cell < end; cell += count, to += count * size) {
                count = run_of(lstm, cell, end);
                memcpy(to, map + lstm->pixel[cell] * size, count * size * sizeof(*map));
        }
}

/* The two ranges of a step by where c before comes from. */
static void mixed_split(const struct pxr_call *call, const struct mixed_work *w, int step,
                        struct pxr_bf16_cells part[2])
{
        const struct lstm *lstm = call->node->conf;
        struct mixed_state state = mixed_state_of(call);
        size_t size = pxr_pixel_size(call->node, call->images);
        int tap = cell_tap(lstm);
        struct range range[2] = { tap_range(call->node, step, tap),
                                  initial_range(call->node, step, tap) };

        for (int i = 0; i < 2; i++) {
                size_t at = range[i].to * size, cell = lstm->first[step] * size + at;

                part[i] = (struct pxr_bf16_cells) {
                        .cells = (size_t)range[i].count * call->images,
                        .features = lstm->features,
                        .sums = w->sums + GATES * at,
                        .gates = state.gates + GATES * cell,
                        .before = call->parameter[INITIAL_CELL],
                        .c = state.c + cell,
                        .h = state.h + cell,
                        .dh = w->dh + at,
                        .dc = w->dc + at,
                };
        }
        if (range[0].count) {
                part[0].before = state.c + (lstm->first[step - 1] + range[0].from) * size;
                part[0].before_stride = lstm->features;
        }
}

/* The pre-activations of a step, of which the input's part is laid where the gates will be. */
static void mixed_sums(const struct pxr_call *call, const struct mixed_work *w, int step)
{
        const struct lstm *lstm = call->node->conf;
        size_t features = lstm->features, width = GATES * features;
        size_t size = GATES * pxr_pixel_size(call->node, call->images);
        struct mixed_state state = mixed_state_of(call);
        pxr_bf16 *gates = state.gates + lstm->first[step] * size;

        map_to_scan(lstm, lstm->first[step], lstm->first[step + 1], size, call->input[0], gates);
        if (step == 0)
                pxr_bf16_widen(step_rows(call, step) * width, gates, w->sums);
        else
                pxr_bf16_multiply(&(struct pxr_bf16_product) {
                        .operand = step_operand(call, step, false, state.h, features, w->tap),
                        .m = step_rows(call, step),
                        .n = width,
                        .weights = call->packed,
                        .addend = gates,
                        .exact = w->sums,
                        .ldc = width,
                        .scratch = w->product,
                });
        for (int tap = 0; tap < lstm->taps; tap++) {
                struct range edge = initial_range(call->node, step, tap);

                add_to_rows_f32(edge.count * (size_t)call->images, width, w->initial + tap * width,
                                w->sums + edge.to * size);
        }
}

/* Cells of a step whose output is in the map. */
static int cells_inside(const struct pxr_call *call, int step)
{
        const struct lstm *lstm = call->node->conf;
        int end = lstm->first[step + 1];
        int pixels = (call->node->shape.rows - lstm->shift) * call->node->shape.cols;

        while (end > lstm->first[step] && lstm->pixel[end - 1] >= pixels)
                end--;
        return end;
}

static void lstm_forward_mixed(const struct pxr_call *call)
{
        const struct lstm *lstm = call->node->conf;
        struct mixed_work w = mixed_work_of(call->node, call->images, call->scratch);
        struct mixed_state state = mixed_state_of(call);
        size_t size = pxr_pixel_size(call->node, call->images);
        size_t down = (size_t)lstm->shift * call->node->shape.cols * size;

        memset(w.initial, 0, (size_t)lstm->taps * GATES * lstm->features * sizeof(float));
        initial_products_f32(call, 0, GATES * lstm->features, w.initial);
        memset(call->output, 0, down * sizeof(pxr_bf16));
        for (int step = 0; step < lstm->steps; step++) {
                struct pxr_bf16_cells part[2];

                mixed_sums(call, &w, step);
                mixed_split(call, &w, step, part);
                pxr_bf16_cells(&part[0]);
                pxr_bf16_cells(&part[1]);
                scan_to_map(lstm, lstm->first[step], cells_inside(call, step), size,
                            state.h + lstm->first[step] * size, (pxr_bf16 *)call->output + down);
        }
}

/* --- backward ----------------------------------------------------------------------------------
 */

/* dh += the output's gradient at a step's cells. */
static void mixed_add_gradient(const struct pxr_call *call, int step, float *dh)
{
        const struct lstm *lstm = call->node->conf;
        int end = cells_inside(call, step);
        size_t size = pxr_pixel_size(call->node, call->images);
        const pxr_bf16 *dy = (const pxr_bf16 *)call->output_gradient +
                             (size_t)lstm->shift * call->node->shape.cols * size;

        for (int cell = lstm->first[step], count; cell < end; cell += count, dh += count * size) {
                count = run_of(lstm, cell, end);
                pxr_bf16_add_rows(1, count * size, dy + lstm->pixel[cell] * size, dh);
        }
}

/* Non-linearities of a step, backwards: gates become gradients, dc that by c of the step before, in
 * dc_before. */
static void mixed_cells_backward(const struct pxr_call *call, const struct mixed_work *w, int step)
{
        const struct lstm *lstm = call->node->conf;
        size_t size = pxr_pixel_size(call->node, call->images);
        struct range range = tap_range(call->node, step, cell_tap(lstm));
        struct range edge = initial_range(call->node, step, cell_tap(lstm));
        struct pxr_bf16_cells part[2];

        mixed_split(call, w, step, part);
        pxr_bf16_cells_gradient(&part[0]);
        pxr_bf16_cells_gradient(&part[1]);
        memset(w->dc_before, 0, lstm->widest * size * sizeof(float));
        memcpy(w->dc_before + range.from * size, w->dc + range.to * size,
               range.count * size * sizeof(float));
        if (call->parameter_gradient[INITIAL_CELL])
                add_rows_f32(edge.count * (size_t)call->images, lstm->features,
                             w->dc + edge.to * size, call->parameter_gradient[INITIAL_CELL]);
}

/* The gradients by the initial state's products, and by h of the step before. */
static void mixed_tap_gradients(const struct pxr_call *call, const struct mixed_work *w, int step,
                                const pxr_bf16 *all_gates)
{
        const struct lstm *lstm = call->node->conf;
        size_t features = lstm->features, width = GATES * features;
        size_t size = GATES * pxr_pixel_size(call->node, call->images);

        for (int tap = 0; tap < lstm->taps; tap++) {
                struct range edge = initial_range(call->node, step, tap);

                pxr_bf16_add_rows(edge.count * (size_t)call->images, width,
                                  all_gates + (lstm->first[step] + edge.to) * size,
                                  w->initial + tap * width);
        }
        if (step > 0)
                pxr_bf16_multiply(&(struct pxr_bf16_product) {
                        .operand = step_operand(call, step, true, all_gates, width, w->tap),
                        .m = step_rows(call, step - 1),
                        .n = features,
                        .weights = (const pxr_bf16 *)call->packed +
                                   lstm->taps * pxr_bf16_packed_size(features, width),
                        .exact = w->dh,
                        .ldc = features,
                        .scratch = w->product,
                });
}

/* What the whole scan makes of its gates' gradients: those by the weights and by the input. */
static void mixed_map_gradients(const struct pxr_call *call, const struct mixed_work *w)
{
        const struct lstm *lstm = call->node->conf;
        struct mixed_state state = mixed_state_of(call);
        size_t features = lstm->features, width = GATES * features;
        size_t size = pxr_pixel_size(call->node, call->images);
        int cells = lstm->first[lstm->steps];
        pxr_bf16 *dz = call->input_gradient[0];
        pxr_bf16 *gates = dz && !call->accumulate[0] ? dz : w->gates;

        scan_to_map(lstm, 0, cells, GATES * size, state.gates, gates);
        if (dz && gates != dz)
                pxr_bf16_add(GATES * size * cells, dz, gates, dz);
        if (!call->parameter_gradient[WEIGHT])
                return;
        scan_to_map(lstm, 0, cells, size, state.h, w->h);
        memset(w->weights, 0, pxr_bf16_gradient_sum(features, width, lstm->taps) * sizeof(float));
        pxr_bf16_weight_gradient(&(struct pxr_bf16_gradient) {
                .operand = map_operand(call, w->h, w->tap),
                .m = (size_t)cells * call->images,
                .n = width,
                .dc = gates,
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
        struct mixed_state state = mixed_state_of(call);
        size_t slab = lstm->widest * pxr_pixel_size(call->node, call->images) * sizeof(float);

        memset(w.initial, 0, lstm->taps * GATES * lstm->features * sizeof(float));
        memset(w.dh, 0, slab);
        memset(w.dc, 0, slab);
        for (int step = lstm->steps - 1; step >= 0; step--) {
                float *dc = w.dc;

                mixed_add_gradient(call, step, w.dh);
                mixed_cells_backward(call, &w, step);
                mixed_tap_gradients(call, &w, step, state.gates);
                w.dc = w.dc_before;
                w.dc_before = dc;
        }
        mixed_map_gradients(call, &w);
        initial_gradients_f32(call, w.initial);
}

static const struct pxr_mixed lstm_mixed = { .forward = lstm_forward_mixed,
                                             .backward = lstm_backward_mixed,
                                             .scratch = mixed_scratch,
                                             .state = mixed_state_size,
                                             .packed = mixed_packed,
                                             .pack = mixed_pack };
