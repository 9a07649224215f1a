/* SPDX-License-Identifier: MIT */
/*
 * op_deconv.c - deconvolution (transposed convolution), stride 2, kernel 4x4: y(r, c) sums
 * w(i, j) x(p, q) over all r = 2 p - 1 + i, c = 2 q - 1 + j.
 *
 * It has no mask, so its input must not depend on the image.
 */
#include <math.h>
#include <string.h>

#include "tensor/graph.h"

enum { STRIDE = 2, KERNEL = 4, TAPS = KERNEL * KERNEL, PAD = 1 };

struct deconv {
        double gain;
};

/* One tap's products for the whole input map. */
static size_t deconv_scratch(const struct pxr_node *node, int images)
{
        const struct pxr_node *input = node->input[0];

        return pxr_map_size(input, images) / input->shape.channels * node->shape.channels;
}

static void deconv_depends(const struct pxr_node *node, int row, int col, int colour,
                           struct pxr_dependencies *deps)
{
        (void)colour;
        for (int i = 0; i < KERNEL; i++)
                for (int j = 0; j < KERNEL; j++) {
                        int r = row + PAD - i, c = col + PAD - j;

                        for (int k = 0; r % STRIDE == 0 && c % STRIDE == 0 && k < node->colours;
                             k++)
                                deps->read(deps, 0, r / STRIDE, c / STRIDE, k);
                }
}

static double deconv_multiply_adds(const struct pxr_node *node)
{
        struct pxr_shape in = node->input[0]->shape;

        return (double)TAPS * in.rows * in.cols * in.channels * node->shape.channels;
}

/* An output value is reached by TAPS / STRIDE^2 taps. */
static void weight_init(const struct pxr_parameter *parameter, struct pxr_random *random,
                        double *values)
{
        const struct deconv *deconv = parameter->node->conf;
        int inputs = TAPS / (STRIDE * STRIDE) * parameter->node->input[0]->shape.channels;
        double bound = deconv->gain * sqrt(3.0 / inputs);

        for (size_t i = 0; i < parameter->size; i++)
                values[i] = bound * (2 * pxr_random_uniform(random) - 1);
}

#define PXR_KERNELS_FILE "tensor/array_kernels.h"
#include <pxr/precisions.h>

#define PXR_KERNELS_FILE "tensor/deconv_kernels.h"
#include <pxr/precisions.h>

static const struct pxr_op deconv_op = {
        .name = "deconv",
        .flags = PXR_BACKWARD_READS_INPUT,
        .kernels = { { deconv_forward_f32, deconv_backward_f32, NULL },
                     { deconv_forward_f64, deconv_backward_f64, NULL } },
        .scratch = deconv_scratch,
        .depends = deconv_depends,
        .multiply_adds = deconv_multiply_adds,
};

struct pxr_node *pxr_deconv(struct pxr_builder *builder, const char *name, int features,
                            double gain, struct pxr_node *input)
{
        struct pxr_arena *arena = builder->graph->arena;
        const char *weight = pxr_join_names(arena, name, "weight");
        const char *bias = pxr_join_names(arena, name, "bias");
        struct deconv deconv = { gain };
        struct pxr_node *node;

        if (!input)
                return NULL;
        node = pxr_add_node(
                builder, &(struct pxr_new_node) { .op = &deconv_op,
                                                  .conf = &deconv,
                                                  .conf_size = sizeof(deconv),
                                                  .shape = { STRIDE * input->shape.rows,
                                                             STRIDE * input->shape.cols, features },
                                                  .inputs = 1,
                                                  .input = { input } });
        if (pxr_add_parameter(builder, node, weight, weight_init, 4,
                              (int[]) { KERNEL, KERNEL, input->shape.channels, features }) ||
            pxr_add_parameter(builder, node, bias, pxr_init_zeros, 1, &features))
                return NULL;
        return node;
}
