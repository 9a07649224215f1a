/* SPDX-License-Identifier: MIT */
/* faulty_kernels.h - the kernels of faulty.c, in `real`. Included once for each precision. */

/* The value next to number i that is read too, or 0 beyond the border. */
static real K(neighbour)(const struct pxr_node *node, int images, const real *map, size_t i,
                         int sign)
{
        size_t pixel = pxr_pixel_size(node, images);
        int row = (int)(i / pixel) / node->shape.cols + sign * row_step;
        int col = (int)(i / pixel) % node->shape.cols + sign * col_step;

        if (row < 0 || row >= node->shape.rows || col < 0 || col >= node->shape.cols)
                return 0;
        return map[((size_t)row * node->shape.cols + col) * pixel + i % pixel];
}

static real K(value)(const struct pxr_call *call, const real *x, size_t i)
{
        real y = x[i] * x[i] + K(neighbour)(call->node, call->images, x, i, 1) / 2;

        if (FAULT == TIMES_ZERO && i + 1 < pxr_map_size(call->node, call->images))
                y += 0 * x[pxr_map_size(call->node, call->images) - 1];
        return y;
}

static void K(forward)(const struct pxr_call *call)
{
        size_t size = pxr_map_size(call->node, call->images);
        const real *x = call->input[0];
        real *y = call->output, *scratch = call->scratch;

        if (FAULT == CRASHES_RUNNING)
                crash();
        if (FAULT == STATIC_BUFFER) {
                for (size_t i = 0; i < size; i++)
                        buffer[i] = x[i];
                sched_yield();
        }
        scratch[0] = FAULT == READS_SCRATCH ? 0 * scratch[0] : 0;
        for (size_t i = 0; i < size - (FAULT == LEAVES_OUTPUT); i++)
                y[i] = K(value)(call, x, i) + scratch[0];
        if (FAULT == STATIC_BUFFER)
                for (size_t i = 0; i < size; i++)
                        y[i] += (real)(buffer[i] - x[i]);
        if (FAULT == PAST_OUTPUT)
                y[size] = 0;
        if (FAULT == PAST_SCRATCH)
                scratch[1] = 0;
        if (FAULT == WRITES_INPUT)
                ((real *)call->input[0])[0] = 0;
        kept = x[size - 1];
}

static void K(backward)(const struct pxr_call *call)
{
        size_t size = pxr_map_size(call->node, call->images);
        const real *x = call->input[0], *dy = call->output_gradient;
        real *dx = call->input_gradient[0];

        for (size_t i = 0; dx && i < size; i++) {
                real slope = 2 * x[i];

                if (FAULT == WRONG_GRADIENT || (FAULT == WRONG_SINGLE && sizeof(real) == 4))
                        slope *= (real)1.01;
                if (FAULT == KEEPS_STATE)
                        slope += (real)kept - x[size - 1];
                if (!call->accumulate[0] || FAULT == FORGETS_TO_ADD)
                        dx[i] = 0;
                dx[i] += slope * dy[i] + K(neighbour)(call->node, call->images, dy, i, -1) / 2;
        }
}

static void K(advance)(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        int channels = node->shape.channels;
        size_t start = ((size_t)call->row * node->shape.cols + call->col) *
                       pxr_pixel_size(node, call->images);
        real *y = call->output;

        for (int image = 0; image < call->images; image++)
                for (int f = pxr_group_begin(channels, node->colours, call->colour);
                     f < pxr_group_begin(channels, node->colours, call->colour + 1); f++) {
                        size_t i = start + (size_t)image * channels + f;

                        y[i] = K(value)(call, call->input[0], i);
                        if (FAULT == WRONG_ADVANCE)
                                y[i] += (real)0.01;
                        if (FAULT == FORGETS_TAP)
                                y[i] -= K(neighbour)(node, call->images, call->input[0], i, 1) / 2;
                        if (FAULT == WRITES_ELSEWHERE && i + pxr_pixel_size(node, call->images) <
                                                                 pxr_map_size(node, call->images))
                                y[i + pxr_pixel_size(node, call->images)] = 1;
                }
}
