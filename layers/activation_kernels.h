/* SPDX-License-Identifier: MIT */
/* activation_kernels.h - the kernels of activation.c, in `real`. Included once for each precision.
 */

/* y = f(x) of up to CHUNK values, and the slopes dy/dx unless `slope` is NULL. */
PXR_INLINE void K(chunk)(int function, size_t size, const real *x, real *y, real *slope)
{
        const real wide = function == GELU ? (real)1.5957691216057308 : 1;
        const real cubic = function == GELU ? (real)0.044715 : 0;
        real e[CHUNK];

        if (function == ELU) {
                for (size_t i = 0; i < size; i++)
                        e[i] = x[i] > 0 ? 0 : x[i];
                K(pxr_exp)(size, e, e);
                for (size_t i = 0; i < size; i++)
                        y[i] = x[i] > 0 ? x[i] : e[i] - 1;
                for (size_t i = 0; slope && i < size; i++)
                        slope[i] = e[i];
                return;
        }
        for (size_t i = 0; i < size; i++)
                e[i] = wide * (x[i] + cubic * x[i] * x[i] * x[i]);
        K(pxr_sigmoid)(size, e, e);
        for (size_t i = 0; i < size; i++)
                y[i] = x[i] * e[i];
        for (size_t i = 0; slope && i < size; i++)
                slope[i] = e[i] + y[i] * (1 - e[i]) * wide * (1 + 3 * cubic * x[i] * x[i]);
}

static void K(map)(int function, size_t size, const real *x, real *y)
{
        for (size_t i = 0; i < size; i += CHUNK)
                K(chunk)(function, size - i < CHUNK ? size - i : CHUNK, x + i, y + i, NULL);
}

static void K(forward)(const struct pxr_call *call)
{
        const struct activation *activation = call->node->conf;

        K(map)
        (activation->function, pxr_map_size(call->node, call->images), call->input[0],
         call->output);
}

static void K(advance)(const struct pxr_call *call)
{
        const struct activation *activation = call->node->conf;
        const struct pxr_node *node = call->node;
        struct pxr_runs runs = pxr_runs_of(node, call->images, call->colour);
        size_t start = ((size_t)call->row * node->shape.cols + call->col) *
                               pxr_pixel_size(node, call->images) +
                       runs.first;

        for (size_t run = 0; run < runs.count; run++, start += runs.stride)
                K(map)
        (activation->function, runs.size, (const real *)call->input[0] + start,
         (real *)call->output + start);
}

static void K(backward)(const struct pxr_call *call)
{
        const struct activation *activation = call->node->conf;
        size_t size = pxr_map_size(call->node, call->images);
        const real *x = call->input[0], *dy = call->output_gradient;
        real *dx = call->input_gradient[0], y[CHUNK], slope[CHUNK];

        for (size_t i = 0; dx && i < size; i += CHUNK) {
                size_t count = size - i < CHUNK ? size - i : CHUNK;

                K(chunk)(activation->function, count, x + i, y, slope);
                for (size_t k = 0; k < count; k++)
                        dx[i + k] = slope[k] * dy[i + k] + (call->accumulate[0] ? dx[i + k] : 0);
        }
}
