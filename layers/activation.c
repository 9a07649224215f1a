/* SPDX-License-Identifier: MIT */
/* activation.c - smooth rectifiers: elu, gelu and silu. */
#include <math.h>

#include <pxr/layer.h>
#include <pxr/vecmath.h>

enum { CHUNK = 256 }; /* values at a time */

enum function { ELU, GELU, SILU };

struct activation {
        int function;
};

static const char *const functions[] = { "elu", "gelu", "silu", NULL };

static const struct pxr_option rows[] = {
        PXR_ENUM(struct activation, function, NULL, functions,
                 "elu: x if x > 0, else exp(x) - 1; silu: x sigmoid(x); gelu: "
                 "x sigmoid(1.5958 (x + 0.044715 x^3)), which is the tanh approximation"),
        PXR_END,
};

static const struct pxr_options options = {
        .rows = rows,
        .size = sizeof(struct activation),
        .main = "function",
};

#define PXR_KERNELS_FILE "layers/activation_kernels.h"
#include <pxr/precisions.h>

static const struct pxr_op activation_op = {
        .name = "activation",
        .flags = PXR_BACKWARD_READS_INPUT | PXR_ADVANCE_AT_ITS_PIXEL,
        .kernels = { { forward_f32, backward_f32, advance_f32 },
                     { forward_f64, backward_f64, advance_f64 } },
};

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        return pxr_add_node(builder,
                            &(struct pxr_new_node) { .op = &activation_op,
                                                     .conf = conf,
                                                     .conf_size = sizeof(struct activation),
                                                     .shape = input->shape,
                                                     .gates = input->gates,
                                                     .inputs = 1,
                                                     .input = { input } });
}

static const struct pxr_layer activation = {
        .name = "activation",
        .summary = "a smooth rectifier: elu, gelu or silu",
        .description = "Each value by itself, as relu: `activation: elu`.",
        .options = &options,
        .build = build,
        .check = "- conv: {mask: A, kernel: 3, features: 6}\n"
                 "- activation: elu\n"
                 "- conv: {mask: B, kernel: 1, features: 6}\n"
                 "- activation: gelu\n"
                 "- conv: {mask: B, kernel: 1, features: 6}\n"
                 "- activation: silu\n",
};
PXR_PLUGIN(activation)
