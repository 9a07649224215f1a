/* SPDX-License-Identifier: MIT */
/* activation.c - smooth rectifiers: elu, gelu and silu. */
#include <math.h>

#include <pxr/bf16.h>
#include <pxr/layer.h>
#include <pxr/levels.h>
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

PXR_INLINE void forward_mixed_body(const struct pxr_call *call)
{
        const struct activation *activation = call->node->conf;
        size_t size = pxr_map_size(call->node, call->images);
        const pxr_bf16 *x = call->input[0];
        pxr_bf16 *y = call->output;
        float wide[CHUNK], result[CHUNK];

        for (size_t i = 0; i < size; i += CHUNK) {
                size_t count = size - i < CHUNK ? size - i : CHUNK;

                for (size_t k = 0; k < count; k++)
                        wide[k] = pxr_bf16_value(x[i + k]);
                chunk_f32(activation->function, count, wide, result, NULL);
                for (size_t k = 0; k < count; k++)
                        y[i + k] = pxr_bf16_rounded(result[k]);
        }
}
PXR_FOR_EACH_LEVEL(static, void, forward_mixed, (const struct pxr_call *call), (call))

PXR_INLINE void backward_mixed_body(const struct pxr_call *call)
{
        const struct activation *activation = call->node->conf;
        size_t size = pxr_map_size(call->node, call->images);
        const pxr_bf16 *x = call->input[0], *dy = call->output_gradient;
        pxr_bf16 *dx = call->input_gradient[0];
        float wide[CHUNK], result[CHUNK], slope[CHUNK];

        for (size_t i = 0; dx && i < size; i += CHUNK) {
                size_t count = size - i < CHUNK ? size - i : CHUNK;

                for (size_t k = 0; k < count; k++)
                        wide[k] = pxr_bf16_value(x[i + k]);
                chunk_f32(activation->function, count, wide, result, slope);
                for (size_t k = 0; k < count; k++)
                        slope[k] *= pxr_bf16_value(dy[i + k]);
                for (size_t k = 0; call->accumulate[0] && k < count; k++)
                        slope[k] += pxr_bf16_value(dx[i + k]);
                for (size_t k = 0; k < count; k++)
                        dx[i + k] = pxr_bf16_rounded(slope[k]);
        }
}
PXR_FOR_EACH_LEVEL(static, void, backward_mixed, (const struct pxr_call *call), (call))

static const struct pxr_mixed activation_mixed = { .forward = forward_mixed,
                                                   .backward = backward_mixed };

static const struct pxr_op activation_op = {
        .name = "activation",
        .flags = PXR_BACKWARD_READS_INPUT | PXR_ADVANCE_AT_ITS_PIXEL,
        .kernels = { { forward_f32, backward_f32, advance_f32 },
                     { forward_f64, backward_f64, advance_f64 } },
        .mixed = &activation_mixed,
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
