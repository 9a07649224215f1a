/* SPDX-License-Identifier: MIT */
/* basic_kernels.h - the kernels of op_basic.c, in `real`. Included once for each precision. */

static inline real K(scaled)(int value, int levels)
{
        return (real)(2 * value) / (real)(levels - 1) - 1;
}

static void K(image_forward)(const struct pxr_call *call)
{
        const uint8_t *pixels = call->input[0];
        real *y = call->output;
        size_t size = pxr_map_size(call->node, call->images);
        int levels = *(const int *)call->node->conf;

        for (size_t i = 0; i < size; i++)
                y[i] = K(scaled)(pixels[i], levels);
}

static void K(image_advance)(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        size_t start = ((size_t)call->row * node->shape.cols + call->col) *
                       pxr_pixel_size(node, call->images);
        const uint8_t *pixels = (const uint8_t *)call->input[0] + start + call->colour;
        real *y = (real *)call->output + start + call->colour;

        for (int image = 0; image < call->images; image++)
                y[image * node->shape.channels] =
                        K(scaled)(pixels[image * node->shape.channels], *(const int *)node->conf);
}

static void K(add_forward)(const struct pxr_call *call)
{
        const real *restrict a = call->input[0], *restrict b = call->input[1];
        real *restrict y = call->output;
        size_t size = pxr_map_size(call->node, call->images);

        for (size_t i = 0; i < size; i++)
                y[i] = a[i] + b[i];
}

static void K(add_backward)(const struct pxr_call *call)
{
        const real *restrict dy = call->output_gradient;
        size_t size = pxr_map_size(call->node, call->images);

        for (int input = 0; input < 2; input++) {
                real *restrict dx = call->input_gradient[input];

                if (!dx)
                        continue;
                if (call->accumulate[input])
                        for (size_t i = 0; i < size; i++)
                                dx[i] += dy[i];
                else
                        memcpy(dx, dy, size * sizeof(real));
        }
}

static void K(add_advance)(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        struct pxr_runs runs = pxr_runs_of(node, call->images, call->colour);
        size_t start = ((size_t)call->row * node->shape.cols + call->col) *
                               pxr_pixel_size(node, call->images) +
                       runs.first;
        const real *restrict a = (const real *)call->input[0] + start;
        const real *restrict b = (const real *)call->input[1] + start;
        real *restrict y = (real *)call->output + start;

        for (size_t run = 0; run < runs.count; run++)
                for (size_t i = run * runs.stride; i < run * runs.stride + runs.size; i++)
                        y[i] = a[i] + b[i];
}
