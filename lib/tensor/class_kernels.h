/* SPDX-License-Identifier: MIT */
/* class_kernels.h - the kernels of op_class.c, in `real`. Included once for each precision. */

static void K(class_forward)(const struct pxr_call *call)
{
        const int32_t *class = call->input[0];
        int classes = call->node->shape.channels;
        real *y = call->output;

        for (int image = 0; image < call->images; image++)
                for (int i = 0; i < classes; i++)
                        *y++ = class[image] < 0 || class[image] >= classes ? (real)NAN
                                                                           : class[image] == i;
}

static void K(everywhere_forward)(const struct pxr_call *call)
{
        size_t pixel = pxr_pixel_size(call->node, call->images);
        size_t size = pxr_map_size(call->node, call->images);
        const real *restrict x = call->input[0], *restrict b = call->input[1];
        real *restrict y = call->output;

        for (size_t at = 0; at < size; at += pixel)
                for (size_t i = 0; i < pixel; i++)
                        y[at + i] = x[at + i] + b[i];
}

static void K(everywhere_advance)(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        struct pxr_runs runs = pxr_runs_of(node, call->images, call->colour);
        size_t start = ((size_t)call->row * node->shape.cols + call->col) *
                               pxr_pixel_size(node, call->images) +
                       runs.first;
        const real *restrict x = (const real *)call->input[0] + start;
        const real *restrict b = (const real *)call->input[1] + runs.first;
        real *restrict y = (real *)call->output + start;

        for (size_t run = 0; run < runs.count; run++)
                for (size_t i = run * runs.stride; i < run * runs.stride + runs.size; i++)
                        y[i] = x[i] + b[i];
}

static void K(everywhere_backward)(const struct pxr_call *call)
{
        size_t pixel = pxr_pixel_size(call->node, call->images);
        size_t size = pxr_map_size(call->node, call->images);
        const real *restrict dy = call->output_gradient;
        real *restrict dx = call->input_gradient[0], *restrict db = call->input_gradient[1];

        for (size_t i = 0; dx && call->accumulate[0] && i < size; i++)
                dx[i] += dy[i];
        if (dx && !call->accumulate[0])
                memcpy(dx, dy, size * sizeof(real));
        if (db && !call->accumulate[1])
                memset(db, 0, pixel * sizeof(real));
        for (size_t at = 0; db && at < size; at += pixel)
                for (size_t i = 0; i < pixel; i++)
                        db[i] += dy[at + i];
}
