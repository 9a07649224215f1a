/* SPDX-License-Identifier: MIT */
/* layer_norm.c - normalization over the channels of a pixel (Ba et al. 2016), causal in colours. */
#include <math.h>
#include <string.h>

#include <pxr/bf16.h>
#include <pxr/layer.h>
#include <pxr/levels.h>

enum { SCALE, SHIFT };

#define EPSILON 1e-5 /* added to the variance */

#define PXR_KERNELS_FILE "layers/layer_norm_kernels.h"
#include <pxr/precisions.h>

#include "layers/layer_norm_mixed.h"

/* A colour is normalized by what it and earlier colours are. */
static void depends(const struct pxr_node *node, int row, int col, int colour,
                    struct pxr_dependencies *deps)
{
        (void)node;
        for (int c = 0; c <= colour; c++)
                deps->read(deps, 0, row, col, c);
}

static const struct pxr_op layer_norm_op = {
        .name = "layer_norm",
        .flags = PXR_BACKWARD_READS_INPUT | PXR_ADVANCE_AT_ITS_PIXEL,
        .kernels = { { forward_f32, backward_f32, advance_f32 },
                     { forward_f64, backward_f64, advance_f64 } },
        .depends = depends,
        .mixed = &layer_norm_mixed,
};

static void ones(const struct pxr_parameter *parameter, struct pxr_random *random, double *values)
{
        (void)random;
        for (size_t i = 0; i < parameter->size; i++)
                values[i] = 1;
}

static const struct pxr_parameter_doc parameters[] = {
        { "scale", "[channels]", "starts at one" },
        { "shift", "[channels]", "starts at zero" },
        { 0 },
};

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        struct pxr_node *node = pxr_add_elementwise(builder, &layer_norm_op, input);

        (void)conf;
        return pxr_add_parameter(builder, node, "scale", ones, 1, &input->shape.channels) ||
                               pxr_add_parameter(builder, node, "shift", pxr_init_zeros, 1,
                                                 &input->shape.channels)
                       ? NULL
                       : node;
}

static const struct pxr_layer layer_norm = {
        .name = "layer_norm",
        .summary = "normalizes the channels of each pixel to mean 0 and variance 1",
        .description =
                "y = scale (x - mean) / sqrt(variance + 1e-5) + shift. With three colours the "
                "mean\n"
                "and the variance of a colour are those of its channels and of earlier colours'.",
        .parameters = parameters,
        .build = build,
        .check = "- conv: {mask: A, kernel: 3, features: 16}\n"
                 "- layer_norm\n",
};
PXR_PLUGIN(layer_norm)
