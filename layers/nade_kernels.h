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

/* v_d of an image, 0 to 1. */
static inline real K(value)(const struct pxr_call *call, int d, int image)
{
        return (((const real *)call->input[0])[value_at(call, d, image)] + 1) / 2;
}

/* a += v_d W_d for each image of the part; most v of binary images are 0. */
static void K(add_value)(const struct pxr_call *call, struct part part, int d, real *a)
{
        size_t hidden = hidden_of(call->node);
        const real *w = (const real *)call->parameter[0] + d * hidden;

        for (int image = part.first; image < part.end; image++, a += hidden) {
                real v = K(value)(call, d, image);

                if (v != 0)
                        K(add_scaled)(hidden, v, w, a);
        }
}

/* dW_d += v_d da, and dv_d = W_d da, of which the image's values get half: they go from -1 to 1. */
static void K(value_backward)(const struct pxr_call *call, struct part part, int d, const real *da)
{
        size_t hidden = hidden_of(call->node);
        const real *w = (const real *)call->parameter[0] + d * hidden;
        real *dw = call->parameter_gradient[0], *dx = call->input_gradient[0];

        for (int image = part.first; image < part.end; image++, da += hidden) {
                size_t at = value_at(call, d, image);
                real v = K(value)(call, d, image);

                if (dw && v != 0)
                        K(add_scaled)(hidden, v, da, dw + d * hidden);
                if (dx)
                        dx[at] = K(dot)(hidden, w, da) / 2 + (call->accumulate[0] ? dx[at] : 0);
        }
}

/* --- nade_rows ---------------------------------------------------------------------------------
 */

/* a at the start of a row: that of the row above, and the values of that row. */
static void K(start)(const struct pxr_call *call, int row)
{
        int hidden = hidden_of(call->node), values = values_of(call->node);
        size_t size = (size_t)call->images * hidden;
        real *a = (real *)call->output + row * size;

        if (row > 0)
                memcpy(a, a - size, size * sizeof(real));
        for (int image = 0; image < call->images && row == 0; image++)
                memcpy(a + (size_t)image * hidden, call->parameter[1], hidden * sizeof(real));
        for (int i = 0; i < values && row > 0; i++)
                K(add_value)(call, (struct part) { 0, call->images }, (row - 1) * values + i, a);
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

/* What reaches a start reaches everything added before it. */
static void K(rows_backward)(const struct pxr_call *call)
{
        int hidden = hidden_of(call->node), values = values_of(call->node);
        size_t size = (size_t)call->images * hidden;
        const real *dy = call->output_gradient;
        real *da = call->scratch, *dc = call->parameter_gradient[1];

        memset(da, 0, size * sizeof(real));
        for (int row = call->node->shape.rows - 1; row >= 0; row--) {
                for (int i = 0; i < values; i++)
                        K(value_backward)
                (call, (struct part) { 0, call->images }, row * values + i, da);
                K(add_scaled)(size, 1, dy + row * size, da);
        }
        for (int image = 0; image < call->images && dc; image++)
                K(add_scaled)(hidden, 1, da + (size_t)image * hidden, dc);
}

/* --- nade_logits -------------------------------------------------------------------------------
 */

/* a of the part at the start of a row. Returns its size. */
static size_t K(load_start)(const struct pxr_call *call, struct part part, int row, real *a)
{
        size_t hidden = hidden_of(call->node), size = (part.end - part.first) * hidden;
        const real *start = call->input[1];

        memcpy(a, start + ((size_t)row * call->images + part.first) * hidden, size * sizeof(real));
        return size;
}

/* Logits of value d. */
static void K(logits)(const struct pxr_call *call, struct part part, int d, const real *h)
{
        size_t hidden = hidden_of(call->node), channels = channels_of(call->node);
        const real *v = (const real *)call->parameter[1] + d * channels * hidden;
        const real *b = (const real *)call->parameter[2] + d * channels;

        for (int image = part.first; image < part.end; image++, h += hidden) {
                real *y = (real *)call->output + value_at(call, d, image) * channels;

                for (size_t j = 0; j < channels; j++)
                        y[j] = b[j] + K(dot)(hidden, v + j * hidden, h);
        }
}

static void K(logits_forward)(const struct pxr_call *call)
{
        int values = values_of(call->node);
        real *a = call->scratch, *h = a + (size_t)PART * hidden_of(call->node);

        for (int row = 0; row < call->node->shape.rows; row++)
                for (struct part part = first_part(call); part.first < part.end;
                     part = next_part(call, part)) {
                        size_t size = K(load_start)(call, part, row, a);

                        for (int d = row * values; d < (row + 1) * values; d++) {
                                K(pxr_sigmoid)(size, a, h);
                                K(logits)(call, part, d, h);
                                K(add_value)(call, part, d, a);
                        }
                }
}

static void K(logits_advance)(const struct pxr_call *call)
{
        int start = call->row * values_of(call->node);
        int value = start + call->col * call->node->colours + call->colour;
        real *a = call->scratch, *h = a + (size_t)PART * hidden_of(call->node);

        for (struct part part = first_part(call); part.first < part.end;
             part = next_part(call, part)) {
                size_t size = K(load_start)(call, part, call->row, a);

                for (int d = start; d < value; d++)
                        K(add_value)(call, part, d, a);
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

/* dV_d += dy h, db_d += dy, and what the logits of value d hand down to da. */
static void K(output_backward)(const struct pxr_call *call, struct part part, int d, const real *h,
                               real *da)
{
        size_t hidden = hidden_of(call->node), channels = channels_of(call->node);
        size_t weights = d * channels * hidden;
        const real *v = (const real *)call->parameter[1] + weights;
        real *dv = call->parameter_gradient[1], *db = call->parameter_gradient[2];

        for (int image = part.first; image < part.end; image++, h += hidden, da += hidden) {
                const real *dy =
                        (const real *)call->output_gradient + value_at(call, d, image) * channels;

                for (size_t j = 0; j < channels; j++) {
                        if (dv) {
                                db[d * channels + j] += dy[j];
                                K(add_scaled)(hidden, dy[j], h, dv + weights + j * hidden);
                        }
                        K(through_sigmoid)(hidden, dy[j], v + j * hidden, h, da);
                }
        }
}

/* Hand da over to the start of the row. */
static void K(store_start_gradient)(const struct pxr_call *call, struct part part, int row,
                                    const real *da)
{
        size_t hidden = hidden_of(call->node), size = (part.end - part.first) * hidden;
        real *start = call->input_gradient[1];

        if (!start)
                return;
        start += ((size_t)row * call->images + part.first) * hidden;
        if (call->accumulate[1])
                K(add_scaled)(size, 1, da, start);
        else
                memcpy(start, da, size * sizeof(real));
}

/* The h of a row are computed once more, rather than kept for all rows: that is a map of `hidden`
 * channels less, and quicker than reading it. */
static void K(part_backward)(const struct pxr_call *call, struct part part, int row)
{
        int values = values_of(call->node);
        real *a = call->scratch, *h = a + (size_t)PART * hidden_of(call->node);
        size_t size = K(load_start)(call, part, row, a);

        for (int i = 0; i < values; i++) {
                K(pxr_sigmoid)(size, a, h + i * size);
                K(add_value)(call, part, row * values + i, a);
        }
        memset(a, 0, size * sizeof(real));
        for (int i = values - 1; i >= 0; i--) {
                K(value_backward)(call, part, row * values + i, a);
                K(output_backward)(call, part, row * values + i, h + i * size, a);
        }
        K(store_start_gradient)(call, part, row, a);
}

static void K(logits_backward)(const struct pxr_call *call)
{
        for (int row = 0; row < call->node->shape.rows; row++)
                for (struct part part = first_part(call); part.first < part.end;
                     part = next_part(call, part))
                        K(part_backward)(call, part, row);
}
