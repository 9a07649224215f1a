/* SPDX-License-Identifier: MIT */
/* dropout_kernels.h - the kernels of op_dropout.c, in `real`. Included once for each precision. */

/* y = x, or y += x, where a value is kept, times what keeps the mean; in training only. */
static void K(drop)(const struct pxr_call *call, const real *x, bool adds, real *y)
{
        const struct pxr_node *node = call->node;
        size_t channels = node->shape.channels,
               pixels = (size_t)node->shape.rows * node->shape.cols;
        uint32_t kept = kept_parts(node);
        real scale = (real)PARTS / (real)kept;

        for (int image = 0; image < call->images; image++) {
                struct pxr_random random =
                        pxr_random(call->training->seed, PXR_RANDOM_DROPOUT, call->training->step,
                                   call->training->first_image + image, node->index);
                uint32_t bits = 0;

                for (size_t i = 0; i < pixels * channels; i++) {
                        size_t at = (i / channels * call->images + image) * channels + i % channels;
                        real value = 0;

                        bits = i % 2 ? bits >> 16 : pxr_random_bits(&random);
                        if ((bits & (PARTS - 1)) < kept)
                                value = scale * x[at];
                        y[at] = adds ? y[at] + value : value;
                }
        }
}

static void K(dropout_forward)(const struct pxr_call *call)
{
        if (call->training)
                K(drop)(call, call->input[0], false, call->output);
        else
                memcpy(call->output, call->input[0],
                       pxr_map_size(call->node, call->images) * sizeof(real));
}

static void K(dropout_advance)(const struct pxr_call *call)
{
        size_t pixel = pxr_pixel_size(call->node, call->images);
        size_t start = ((size_t)call->row * call->node->shape.cols + call->col) * pixel;
        struct pxr_runs runs = pxr_runs_of(call->node, call->images, call->colour);
        const real *x = (const real *)call->input[0] + start + runs.first;
        real *y = (real *)call->output + start + runs.first;

        for (size_t run = 0; run < runs.count; run++, x += runs.stride, y += runs.stride)
                memcpy(y, x, runs.size * sizeof(real));
}

static void K(dropout_backward)(const struct pxr_call *call)
{
        const real *dy = call->output_gradient;
        real *dx = call->input_gradient[0];
        size_t size = pxr_map_size(call->node, call->images);

        if (!dx)
                return;
        if (call->training)
                K(drop)(call, dy, call->accumulate[0], dx);
        else
                for (size_t i = 0; i < size; i++)
                        dx[i] = dy[i] + (call->accumulate[0] ? dx[i] : 0);
}
