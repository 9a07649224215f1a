/* SPDX-License-Identifier: MIT */
/* lstm_kernels.h - the kernels of op_lstm.c, in `real`. Included once for each precision. */

/* The parts of the op's state, each in the order of the scan. */
struct K(cells) {
        real *c, *h; /* [cell][image][features] */
        real *gates; /* [cell][image][4 features] */
};

static struct K(cells) K(cells_of_call)(const struct pxr_call *call)
{
        size_t size = pxr_map_size(call->node, call->images);
        real *state = call->state;

        return (struct K(cells)) { state, state + size, state + 2 * size };
}

/* initial_state x the columns `from`, `count` of each tap's weights: [tap][4 features]. */
static void K(initial_products)(const struct pxr_call *call, int from, int count, real *product)
{
        const struct lstm *lstm = call->node->conf;
        size_t features = lstm->features, width = GATES * features;
        const real *weight = call->parameter[WEIGHT];

        for (int tap = 0; tap < lstm->taps; tap++)
                K(pxr_gemm)
        (false, false, 1, count, features, 1, call->parameter[INITIAL_STATE], features,
         weight + tap * features * width + from, width, 0, product + tap * width + from, width);
}

static void K(add_to_rows)(size_t rows, size_t width, const real *restrict row, real *restrict to)
{
        for (size_t i = 0; i < rows; i++, to += width)
                K(add_array)(width, row, to);
}

/* The range of a step's cells whose c before is `before`; see pxr_lstm_cells_f32(). */
static struct pxr_lstm_cells K(range_cells)(const struct pxr_call *call, struct K(cells) cells,
                                            int first, struct range range, const real *before,
                                            size_t before_stride)
{
        size_t features = ((const struct lstm *)call->node->conf)->features;
        size_t at = (size_t)(first + range.to) * call->images * features;

        return (struct pxr_lstm_cells) {
                .cells = (size_t)range.count * call->images,
                .count = features,
                .features = features,
                .gates = cells.gates + GATES * at,
                .before = before,
                .before_stride = before_stride,
                .c = cells.c + at,
                .h = cells.h + at,
        };
}

/* The two ranges of a step by where c before comes from: the step before, the initial cell. */
static void K(split_step)(const struct pxr_call *call, struct K(cells) cells, int step,
                          struct pxr_lstm_cells part[2])
{
        const struct lstm *lstm = call->node->conf;
        size_t features = lstm->features;
        int tap = cell_tap(lstm), first = lstm->first[step];
        struct range range = tap_range(call->node, step, tap);
        size_t before = step ? (size_t)(lstm->first[step - 1] + range.from) * call->images : 0;

        part[0] = K(range_cells)(call, cells, first, range, cells.c + before * features, features);
        part[1] = K(range_cells)(call, cells, first, initial_range(call->node, step, tap),
                                 call->parameter[INITIAL_CELL], 0);
}

/* h of a step to where it is in the output; what is shifted beyond the last row is dropped. */
static void K(scatter_output)(const struct pxr_call *call, int step, const real *h)
{
        const struct lstm *lstm = call->node->conf;
        int down = lstm->shift * call->node->shape.cols;
        int pixels = call->node->shape.rows * call->node->shape.cols;
        size_t size = pxr_pixel_size(call->node, call->images);
        real *y = call->output;

        for (int cell = lstm->first[step]; cell < lstm->first[step + 1]; cell++)
                if (lstm->pixel[cell] + down < pixels)
                        memcpy(y + (lstm->pixel[cell] + down) * size, h + cell * size,
                               size * sizeof(real));
}

/* z of some of a step's cells to their gates. */
static void K(copy_input)(const struct pxr_call *call, struct K(cells) cells, int from, int to)
{
        const struct lstm *lstm = call->node->conf;
        size_t size = GATES * (size_t)lstm->features * call->images;

        for (int cell = from; cell < to; cell++)
                memcpy(cells.gates + cell * size,
                       (const real *)call->input[0] + lstm->pixel[cell] * size,
                       size * sizeof(real));
}

/* Where z of a range of a step's cells lies: the pixels of neighbouring cells are equally far from
 * each other. */
static struct K(pxr_start) K(input_rows)(const struct pxr_call *call, int first, int count)
{
        const struct lstm *lstm = call->node->conf;
        size_t width = GATES * (size_t)lstm->features, images = call->images;
        int stride = count > 1 ? lstm->pixel[first + 1] - lstm->pixel[first] : 0;

        return (struct K(pxr_start)) {
                .first = (const real *)call->input[0] + lstm->pixel[first] * images * width,
                .stride = width,
                .run = images,
                .run_stride = stride * images * width,
        };
}

/* A step's gates: z + the state-to-state products. The first tap's products are added to z where it
 * lies, so that memory is waited for while there is something to compute. */
static void K(set_gates)(const struct pxr_call *call, struct K(cells) cells, int step,
                         const real *initial)
{
        const struct lstm *lstm = call->node->conf;
        size_t features = lstm->features, width = GATES * features, images = call->images;
        const real *weight = call->parameter[WEIGHT];
        int first = lstm->first[step];

        for (int tap = 0; tap < lstm->taps; tap++) {
                struct range range = tap_range(call->node, step, tap);
                struct range edge = initial_range(call->node, step, tap);
                struct K(pxr_start) rows = { 0 };

                if (tap == 0) {
                        int from = first + (range.count ? range.to : 0), to = from + range.count;

                        K(copy_input)(call, cells, first, from);
                        K(copy_input)(call, cells, to, lstm->first[step + 1]);
                        rows = K(input_rows)(call, from, range.count);
                }
                if (range.count)
                        K(pxr_gemm_blocks)
                (false, range.count * images, width, features, 1, 0,
                 cells.h + (lstm->first[step - 1] + range.from) * images * features, features,
                 weight + tap * features * width, width, tap == 0 ? &rows : NULL,
                 cells.gates + (first + range.to) * images * width, width);
                K(add_to_rows)
                (edge.count * images, width, initial + tap * width,
                 cells.gates + (first + edge.to) * images * width);
        }
}

static void K(lstm_forward)(const struct pxr_call *call)
{
        const struct lstm *lstm = call->node->conf;
        struct K(cells) cells = K(cells_of_call)(call);
        real *initial = call->scratch;

        K(initial_products)(call, 0, GATES * lstm->features, initial);
        memset(call->output, 0,
               (size_t)lstm->shift * call->node->shape.cols *
                       pxr_pixel_size(call->node, call->images) * sizeof(real));
        for (int step = 0; step < lstm->steps; step++) {
                struct pxr_lstm_cells part[2];

                K(set_gates)(call, cells, step, initial);
                K(split_step)(call, cells, step, part);
                K(pxr_lstm_cells)(&part[0]);
                K(pxr_lstm_cells)(&part[1]);
                K(scatter_output)(call, step, cells.h);
        }
}

/* --- backward ----------------------------------------------------------------------------------
 */

/* by_h += the output's gradient at a step's cells. */
static void K(add_output_gradient)(const struct pxr_call *call, int step, real *by_h)
{
        const struct lstm *lstm = call->node->conf;
        int down = lstm->shift * call->node->shape.cols;
        int pixels = call->node->shape.rows * call->node->shape.cols;
        size_t size = pxr_pixel_size(call->node, call->images);
        const real *dy = call->output_gradient;

        for (int cell = lstm->first[step]; cell < lstm->first[step + 1]; cell++, by_h += size)
                if (lstm->pixel[cell] + down < pixels)
                        K(add_array)(size, dy + (lstm->pixel[cell] + down) * size, by_h);
}

static void K(scatter_input_gradient)(const struct pxr_call *call, int step, const real *gates)
{
        const struct lstm *lstm = call->node->conf;
        size_t size = GATES * pxr_pixel_size(call->node, call->images);
        real *dz = call->input_gradient[0];

        for (int cell = lstm->first[step]; dz && cell < lstm->first[step + 1]; cell++)
                if (call->accumulate[0])
                        K(add_array)(size, gates + cell * size, dz + lstm->pixel[cell] * size);
                else
                        memcpy(dz + lstm->pixel[cell] * size, gates + cell * size,
                               size * sizeof(real));
}

/* Each tap's weights as [tap][4 features][features]. */
static void K(turn_weights)(const struct lstm *lstm, const real *weight, real *turned)
{
        size_t features = lstm->features, width = GATES * features;

        for (int tap = 0; tap < lstm->taps; tap++, weight += features * width)
                for (size_t i = 0; i < width; i++)
                        for (size_t k = 0; k < features; k++)
                                *turned++ = weight[k * width + i];
}

/* The gradients by the weights of a step's taps, and by h of the step before. */
static void K(tap_gradients)(const struct pxr_call *call, struct K(cells) cells, int step,
                             const real *turned, real *by_h_before, real *by_initial)
{
        const struct lstm *lstm = call->node->conf;
        size_t features = lstm->features, width = GATES * features, images = call->images;

        for (int tap = 0; tap < lstm->taps; tap++) {
                real *dw = call->parameter_gradient[WEIGHT];
                struct range range = tap_range(call->node, step, tap);
                struct range edge = initial_range(call->node, step, tap);
                const real *gates = cells.gates + (lstm->first[step] + range.to) * images * width;

                K(add_rows)
                (edge.count * images, width,
                 cells.gates + (lstm->first[step] + edge.to) * images * width,
                 by_initial + tap * width);
                if (!range.count)
                        continue;
                K(pxr_gemm)
                (false, false, range.count * images, features, width, 1, gates, width,
                 turned + tap * features * width, features, 1,
                 by_h_before + range.from * images * features, features);
                if (dw)
                        K(pxr_gemm)
                (true, false, features, width, range.count * images, 1,
                 cells.h + (lstm->first[step - 1] + range.from) * images * features, features,
                 gates, width, 1, dw + tap * features * width, width);
        }
}

/* By the initial state, and what of the weights' gradient goes through it. */
static void K(initial_gradients)(const struct pxr_call *call, const real *by_initial)
{
        const struct lstm *lstm = call->node->conf;
        size_t features = lstm->features, width = GATES * features;
        real *dw = call->parameter_gradient[WEIGHT], *dh = call->parameter_gradient[INITIAL_STATE];

        for (int tap = 0; tap < lstm->taps; tap++) {
                const real *weight = (const real *)call->parameter[WEIGHT] + tap * features * width;
                const real *by_tap = by_initial + tap * width;

                if (dh)
                        K(pxr_gemm)
                (false, true, 1, features, width, 1, by_tap, width, weight, width, 1, dh, features);
                if (dw)
                        K(pxr_gemm)
                (true, false, features, width, 1, 1, call->parameter[INITIAL_STATE], features,
                 by_tap, width, 1, dw + tap * features * width, width);
        }
}

/* Non-linearities of a step, backwards. by_c is replaced by that by c of the step before, in
 * by_c_before. */
static void K(cells_backward)(const struct pxr_call *call, struct K(cells) cells, int step,
                              const real *by_h, real *by_c, real *by_c_before)
{
        const struct lstm *lstm = call->node->conf;
        size_t size = pxr_pixel_size(call->node, call->images);
        struct range range = tap_range(call->node, step, cell_tap(lstm));
        struct range edge = initial_range(call->node, step, cell_tap(lstm));
        struct pxr_lstm_cells part[2];

        K(split_step)(call, cells, step, part);
        K(pxr_lstm_cells_gradient)(&part[0], by_h + range.to * size, by_c + range.to * size);
        K(pxr_lstm_cells_gradient)(&part[1], by_h + edge.to * size, by_c + edge.to * size);
        memcpy(by_c_before + range.from * size, by_c + range.to * size,
               range.count * size * sizeof(real));
        if (call->parameter_gradient[INITIAL_CELL])
                K(add_rows)
        (edge.count * (size_t)call->images, lstm->features, by_c + edge.to * size,
         call->parameter_gradient[INITIAL_CELL]);
}

static void K(lstm_backward)(const struct pxr_call *call)
{
        const struct lstm *lstm = call->node->conf;
        struct K(cells) cells = K(cells_of_call)(call);
        size_t slab = (size_t)lstm->widest * pxr_pixel_size(call->node, call->images);
        size_t products = (size_t)lstm->taps * GATES * lstm->features;
        real *by_initial = call->scratch;
        real *by_h = by_initial + products, *by_c = by_h + slab;
        real *by_h_before = by_c + slab, *by_c_before = by_h_before + slab;
        real *turned = by_c_before + slab;

        K(turn_weights)(lstm, call->parameter[WEIGHT], turned);
        memset(call->scratch, 0, (products + 4 * slab) * sizeof(real));
        for (int step = lstm->steps - 1; step >= 0; step--) {
                real *kept_h = by_h, *kept_c = by_c;

                K(add_output_gradient)(call, step, by_h);
                K(cells_backward)(call, cells, step, by_h, by_c, by_c_before);
                K(scatter_input_gradient)(call, step, cells.gates);
                K(tap_gradients)(call, cells, step, turned, by_h_before, by_initial);
                memset(by_h, 0, slab * sizeof(real));
                memset(by_c, 0, slab * sizeof(real));
                by_h = by_h_before;
                by_c = by_c_before;
                by_h_before = kept_h;
                by_c_before = kept_c;
        }
        K(initial_gradients)(call, by_initial);
}

/* --- advance -----------------------------------------------------------------------------------
 */

/* c and h of two rows: [slot][image][features]. */
static struct K(cells) K(two_rows)(const struct pxr_call *call)
{
        real *state = call->state;

        return (struct K(cells)) {
                .c = state,
                .h = state + lstm_advance_state(call->node, call->images) / 2,
        };
}

/* Values of all images of the cell at a pixel; NULL if there is no cell. */
static real *K(cell_at)(const struct pxr_call *call, real *values, int pixel)
{
        size_t size = pxr_pixel_size(call->node, call->images);

        return pixel < 0 ? NULL : values + slot_of(call->node, pixel) * size;
}

/* The pixel of the cell that `tap` of the cell at (row, col) reads, or -1. */
static int K(source_place)(const struct pxr_call *call, int row, int col, int tap)
{
        const struct lstm *lstm = call->node->conf;
        int step = step_of(call->node, row, col);
        int cell = lstm->cell[row * call->node->shape.cols + col];
        int source = source_cell(call->node, step, cell - lstm->first[step], tap);

        return source < 0 ? -1 : lstm->pixel[source];
}

/* Products of one cell for the features from `from` on of each gate. */
static void K(advance_products)(const struct pxr_call *call, int row, int col, int from, int count,
                                real *gates)
{
        const struct lstm *lstm = call->node->conf;
        size_t features = lstm->features, width = GATES * features, images = call->images;
        int step = step_of(call->node, row, col);
        int at = lstm->cell[row * call->node->shape.cols + col] - lstm->first[step];
        const real *weight = call->parameter[WEIGHT];
        real *initial = call->scratch;

        for (int tap = 0; tap < lstm->taps; tap++) {
                const real *h =
                        K(cell_at)(call, K(two_rows)(call).h, K(source_place)(call, row, col, tap));

                if (h)
                        K(pxr_gemm_blocks)
                (false, images, count, features, GATES, features, h, features,
                 weight + tap * features * width + from, width, NULL, gates + from, width);
                if (!reads_initial(call->node, step, at, tap))
                        continue;
                for (int gate = 0; gate < GATES; gate++) {
                        size_t skip = from + gate * features;

                        K(initial_products)(call, skip, count, initial);
                        for (size_t image = 0; image < images; image++)
                                K(add_array)
                        (count, initial + tap * width + skip, gates + image * width + skip);
                }
        }
}

/* One cell, for the features from `from` on of each gate. */
static void K(advance_cell)(const struct pxr_call *call, int row, int col, int from, int count)
{
        const struct lstm *lstm = call->node->conf;
        struct K(cells) cells = K(two_rows)(call);
        size_t features = lstm->features, width = GATES * features, images = call->images;
        int pixel = row * call->node->shape.cols + col;
        const real *above =
                K(cell_at)(call, cells.c, K(source_place)(call, row, col, cell_tap(lstm)));
        const real *before = above ? above : (const real *)call->parameter[INITIAL_CELL];
        const real *z = (const real *)call->input[0] + pixel * images * width;
        real *gates = (real *)call->scratch + lstm->taps * width;
        struct pxr_lstm_cells one = {
                .cells = images,
                .count = count,
                .features = features,
                .gates = gates + from,
                .before = before + from,
                .before_stride = above ? features : 0,
                .c = K(cell_at)(call, cells.c, pixel) + from,
                .h = K(cell_at)(call, cells.h, pixel) + from,
        };

        for (size_t image = 0; image < images; image++)
                for (int gate = 0; gate < GATES; gate++) {
                        size_t start = image * width + gate * features + from;

                        memcpy(gates + start, z + start, count * sizeof(real));
                }
        K(advance_products)(call, row, col, from, count, gates);
        K(pxr_lstm_cells)(&one);
}

/* Set the colour's features of the output at a pixel from h of a cell; to zero where there is none.
 */
static void K(advance_output)(const struct pxr_call *call, int pixel, const real *h)
{
        struct pxr_runs runs = pxr_runs_of(call->node, call->images, call->colour);
        real *y = (real *)call->output + pixel * pxr_pixel_size(call->node, call->images);

        for (size_t run = 0, at = runs.first; run < runs.count; run++, at += runs.stride)
                if (h)
                        memcpy(y + at, h + at, runs.size * sizeof(real));
                else
                        memset(y + at, 0, runs.size * sizeof(real));
}

/* The scan from the right can only process a complete row. Its output is one row lower, so it is
 * not needed earlier. */
static void K(advance_row_from_right)(const struct pxr_call *call)
{
        const struct lstm *lstm = call->node->conf;
        struct pxr_shape shape = call->node->shape;

        if (call->row + 1 == shape.rows || call->col + 1 < shape.cols ||
            call->colour + 1 < call->node->colours)
                return;
        for (int col = shape.cols - 1; col >= 0; col--)
                K(advance_cell)(call, call->row, col, 0, lstm->features);
}

static void K(lstm_advance)(const struct pxr_call *call)
{
        const struct lstm *lstm = call->node->conf;
        int pixel = call->row * call->node->shape.cols + call->col;
        int from = pxr_group_begin(lstm->features, call->node->colours, call->colour);
        int to = pxr_group_begin(lstm->features, call->node->colours, call->colour + 1);
        int source = pixel - lstm->shift * call->node->shape.cols; /* of the output */

        if (!lstm->shift)
                K(advance_cell)(call, call->row, call->col, from, to - from);
        K(advance_output)
        (call, pixel, K(cell_at)(call, K(two_rows)(call).h, source));
        if (lstm->shift)
                K(advance_row_from_right)(call);
}
