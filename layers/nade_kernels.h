/* SPDX-License-Identifier: MIT */
/* nade_kernels.h - the kernels of nade.c, in `real`. Included once for each precision. */

/* Sums run in lanes, which the compiler may compute side by side. */
static inline real K(dot)(size_t size, const real *restrict x, const real *restrict y)
{
        real lane[LANES] = { 0 }, sum = 0;
        size_t i = 0;

        for (; i + LANES <= size; i += LANES)
                for (int l = 0; l < LANES; l++)
                        lane[l] += x[i + l] * y[i + l];
        for (; i < size; i++)
                sum += x[i] * y[i];
        for (int l = 0; l < LANES; l++)
                sum += lane[l];
        return sum;
}

static inline void K(add_scaled)(size_t size, real factor, const real *restrict x, real *restrict y)
{
        for (size_t i = 0; i < size; i++)
                y[i] += factor * x[i];
}

/* v of an image, 0 to 1, at value i of a row. */
static inline real K(value)(const struct pxr_call *call, int row, int i, int image)
{
        const real *x = call->input[0];
        int colours = call->node->colours;
        size_t pixel = (size_t)row * call->node->input[0]->shape.cols + i / colours;

        return (x[(pixel * call->images + image) * colours + i % colours] + 1) / 2;
}

/* a += v_i W_i for each image of the part; most v of binary images are 0. */
static void K(add_value)(const struct pxr_call *call, struct part part, int i, real *a)
{
        int hidden = hidden_of(call->node);
        const real *w = (const real *)call->parameter[0] + weights_at(call->node, part.row, i);

        for (int image = part.first; image < part.end; image++, a += hidden) {
                real v = K(value)(call, part.row, i, image);

                if (v != 0)
                        K(add_scaled)(hidden, v, w, a);
        }
}

/* By the image: dv_i = W_i da, and v goes half as far as the image's values. `fresh` overwrites. */
static void K(value_gradient)(const struct pxr_call *call, struct part part, int i, const real *da,
                              bool fresh)
{
        int hidden = hidden_of(call->node), colours = call->node->colours;
        size_t pixel = (size_t)part.row * call->node->input[0]->shape.cols + i / colours;
        const real *w = (const real *)call->parameter[0] + weights_at(call->node, part.row, i);

        for (int image = part.first; image < part.end; image++, da += hidden) {
                real *dx = (real *)call->input_gradient[0] +
                           (pixel * call->images + image) * colours + i % colours;

                *dx = K(dot)(hidden, w, da) / 2 + (fresh ? 0 : *dx);
        }
}

/* dW_i += v_i da */
static void K(add_weight_gradient)(const struct pxr_call *call, struct part part, int i,
                                   const real *da)
{
        int hidden = hidden_of(call->node);
        real *dw = (real *)call->parameter_gradient[0] + weights_at(call->node, part.row, i);

        for (int image = part.first; image < part.end; image++, da += hidden) {
                real v = K(value)(call, part.row, i, image);

                if (v != 0)
                        K(add_scaled)(hidden, v, da, dw);
        }
}

/* --- nade_rows ---------------------------------------------------------------------------------
 */

/* a at the start of a row: that of the row above, and the values of that row. */
static void K(start)(const struct pxr_call *call, int row)
{
        int hidden = hidden_of(call->node);
        size_t size = (size_t)call->images * hidden;
        real *a = (real *)call->output + row * size;

        if (row > 0)
                memcpy(a, a - size, size * sizeof(real));
        for (int image = 0; image < call->images && row == 0; image++)
                memcpy(a + (size_t)image * hidden, call->parameter[1], hidden * sizeof(real));
        for (int i = 0; i < values_of(call->node) && row > 0; i++)
                K(add_value)(call, (struct part) { row - 1, 0, call->images }, i, a);
}

static void K(rows_forward)(const struct pxr_call *call)
{
        for (int row = 0; row < call->node->shape.rows; row++)
                K(start)(call, row);
}

static void K(rows_advance)(const struct pxr_call *call)
{
        if (call->col == 0 && call->colour == 0)
                K(start)(call, call->row);
}

/* The values of a row, given what reaches the sum behind it. */
static void K(row_backward)(const struct pxr_call *call, int row, const real *da)
{
        struct part part = { row, 0, call->images };

        for (int i = 0; i < values_of(call->node); i++) {
                if (call->parameter_gradient[0])
                        K(add_weight_gradient)(call, part, i, da);
                if (call->input_gradient[0])
                        K(value_gradient)(call, part, i, da, !call->accumulate[0]);
        }
}

/* What reaches a start reaches everything added before it. */
static void K(rows_backward)(const struct pxr_call *call)
{
        int hidden = hidden_of(call->node);
        size_t size = (size_t)call->images * hidden;
        const real *dy = call->output_gradient;
        real *da = call->scratch, *dc = call->parameter_gradient[1];

        memset(da, 0, size * sizeof(real));
        for (int row = call->node->shape.rows - 1; row >= 0; row--) {
                K(row_backward)(call, row, da);
                K(add_scaled)(size, 1, dy + row * size, da);
        }
        for (int image = 0; image < call->images && dc; image++)
                K(add_scaled)(hidden, 1, da + (size_t)image * hidden, dc);
}

/* --- nade_logits -------------------------------------------------------------------------------
 */

/* a at the start of the part's row. */
static size_t K(load_start)(const struct pxr_call *call, struct part part, real *a)
{
        size_t hidden = hidden_of(call->node), size = (part.end - part.first) * hidden;
        const real *start = call->input[1];

        memcpy(a, start + ((size_t)part.row * call->images + part.first) * hidden,
               size * sizeof(real));
        return size;
}

/* h of each value of the part's row: [value][image][hidden]. */
static void K(unfold)(const struct pxr_call *call, struct part part, real *a, real *h)
{
        size_t size = K(load_start)(call, part, a);

        for (int i = 0; i < values_of(call->node); i++) {
                if (i > 0)
                        K(add_value)(call, part, i - 1, a);
                K(pxr_sigmoid)(size, a, h + i * size);
        }
}

/* Logits of value i of the part's row. */
static void K(logits)(const struct pxr_call *call, struct part part, int i, const real *h)
{
        int hidden = hidden_of(call->node), channels = channels_of(call->node);
        const real *v =
                (const real *)call->parameter[1] + outputs_at(call->node, part.row, i) * hidden;
        const real *b = (const real *)call->parameter[2] + outputs_at(call->node, part.row, i);

        for (int image = part.first; image < part.end; image++, h += hidden) {
                real *y = (real *)call->output + logits_at(call, part.row, i, image);

                for (int j = 0; j < channels; j++)
                        y[j] = b[j] + K(dot)(hidden, v + (size_t)j * hidden, h);
        }
}

static void K(logits_forward)(const struct pxr_call *call)
{
        int step = part_images(call->node, call->images), hidden = hidden_of(call->node);
        real *a = call->scratch, *h = a + (size_t)step * hidden;

        for (int row = 0; row < call->node->shape.rows; row++)
                for (int first = 0; first < call->images; first += step) {
                        struct part part = part_of(call, row, first, step);
                        size_t size = (size_t)(part.end - part.first) * hidden;

                        K(unfold)(call, part, a, h);
                        for (int i = 0; i < values_of(call->node); i++)
                                K(logits)(call, part, i, h + i * size);
                }
}

static void K(logits_advance)(const struct pxr_call *call)
{
        int step = part_images(call->node, call->images), hidden = hidden_of(call->node);
        int value = call->col * call->node->colours + call->colour;
        real *a = call->scratch, *h = a + (size_t)step * hidden;

        for (int first = 0; first < call->images; first += step) {
                struct part part = part_of(call, call->row, first, step);
                size_t size = K(load_start)(call, part, a);

                for (int i = 0; i < value; i++)
                        K(add_value)(call, part, i, a);
                K(pxr_sigmoid)(size, a, h);
                K(logits)(call, part, value, h);
        }
}

/* By the sum behind the sigmoid: da += dy V h (1 - h). */
static inline void K(through_sigmoid)(size_t size, real dy, const real *restrict v,
                                      const real *restrict h, real *restrict da)
{
        for (size_t k = 0; k < size; k++)
                da[k] += dy * v[k] * h[k] * (1 - h[k]);
}

/* dV_i += dy h, db_i += dy */
static void K(add_output_gradient)(const struct pxr_call *call, struct part part, int i,
                                   const real *h)
{
        int hidden = hidden_of(call->node), channels = channels_of(call->node);
        size_t at = outputs_at(call->node, part.row, i);
        real *dv = (real *)call->parameter_gradient[1] + at * hidden;
        real *db = (real *)call->parameter_gradient[2] + at;

        for (int image = part.first; image < part.end; image++, h += hidden) {
                const real *dy =
                        (const real *)call->output_gradient + logits_at(call, part.row, i, image);

                for (int j = 0; j < channels; j++) {
                        db[j] += dy[j];
                        K(add_scaled)(hidden, dy[j], h, dv + (size_t)j * hidden);
                }
        }
}

/* da += what the logits of value i hand down. */
static void K(add_sum_gradient)(const struct pxr_call *call, struct part part, int i, const real *h,
                                real *da)
{
        int hidden = hidden_of(call->node), channels = channels_of(call->node);
        const real *v =
                (const real *)call->parameter[1] + outputs_at(call->node, part.row, i) * hidden;

        for (int image = part.first; image < part.end; image++, h += hidden, da += hidden) {
                const real *dy =
                        (const real *)call->output_gradient + logits_at(call, part.row, i, image);

                for (int j = 0; j < channels; j++)
                        K(through_sigmoid)(hidden, dy[j], v + (size_t)j * hidden, h, da);
        }
}

/* Hand da over to the start of the part's row. */
static void K(store_start_gradient)(const struct pxr_call *call, struct part part, const real *da)
{
        size_t hidden = hidden_of(call->node), size = (part.end - part.first) * hidden;
        real *start = call->input_gradient[1];

        if (!start)
                return;
        start += ((size_t)part.row * call->images + part.first) * hidden;
        if (call->accumulate[1])
                K(add_scaled)(size, 1, da, start);
        else
                memcpy(start, da, size * sizeof(real));
}

/* The h of a row are computed once more, rather than kept for all rows: that is a map of `hidden`
 * channels less, and quicker than reading it. */
static void K(part_backward)(const struct pxr_call *call, struct part part, real *a, real *h)
{
        size_t size = (size_t)(part.end - part.first) * hidden_of(call->node);

        K(unfold)(call, part, a, h);
        memset(a, 0, size * sizeof(real));
        for (int i = values_of(call->node) - 1; i >= 0; i--) {
                if (call->input_gradient[0])
                        K(value_gradient)(call, part, i, a, !call->accumulate[0]);
                if (call->parameter_gradient[0]) {
                        K(add_weight_gradient)(call, part, i, a);
                        K(add_output_gradient)(call, part, i, h + i * size);
                }
                K(add_sum_gradient)(call, part, i, h + i * size, a);
        }
        K(store_start_gradient)(call, part, a);
}

static void K(logits_backward)(const struct pxr_call *call)
{
        int step = part_images(call->node, call->images), hidden = hidden_of(call->node);
        real *a = call->scratch, *h = a + (size_t)step * hidden;

        for (int row = 0; row < call->node->shape.rows; row++)
                for (int first = 0; first < call->images; first += step)
                        K(part_backward)(call, part_of(call, row, first, step), a, h);
}
