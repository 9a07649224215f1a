/* SPDX-License-Identifier: MIT */
/*
 * op_gate.c - the gated activation unit: one half of the channels, multiplied by the sigmoid of the
 * other (van den Oord et al., "Conditional Image Generation with PixelCNN Decoders", equation 2).
 */
#include <math.h>
#include <string.h>

#include <pxr/build.h>
#include <pxr/vecmath.h>

#include "tensor/bf16.h"

static bool is_linear(const struct pxr_node *node)
{
        return *(const bool *)node->conf;
}

/* The activations of the two halves of one pixel of one image. */
static size_t gate_scratch(const struct pxr_node *node, int images)
{
        (void)images;
        return 2 * (size_t)node->shape.channels;
}

#define PXR_KERNELS_FILE "tensor/gate_kernels.h"
#include <pxr/precisions.h>

static struct pxr_bf16_gates mixed_gates(const struct pxr_call *call)
{
        size_t features = call->node->shape.channels;

        return (struct pxr_bf16_gates) {
                .cells = pxr_map_size(call->node, call->images) / features,
                .features = features,
                .linear = is_linear(call->node),
                .x = call->input[0],
                .y = call->output,
                .dy = call->output_gradient,
                .accumulate = call->accumulate[0],
                .dx = call->input_gradient[0],
        };
}

static void gate_forward_mixed(const struct pxr_call *call)
{
        struct pxr_bf16_gates gates = mixed_gates(call);

        pxr_bf16_gates(&gates);
}

static void gate_backward_mixed(const struct pxr_call *call)
{
        struct pxr_bf16_gates gates = mixed_gates(call);

        if (gates.dx)
                pxr_bf16_gates_gradient(&gates);
}

static const struct pxr_mixed gate_mixed = { .forward = gate_forward_mixed,
                                             .backward = gate_backward_mixed };

static const struct pxr_op gate_op = {
        .name = "gate",
        .flags = PXR_BACKWARD_READS_INPUT | PXR_ADVANCE_AT_ITS_PIXEL,
        .kernels = { { gate_forward_f32, gate_backward_f32, gate_advance_f32 },
                     { gate_forward_f64, gate_backward_f64, gate_advance_f64 } },
        .scratch = gate_scratch,
        .mixed = &gate_mixed,
};

struct pxr_node *pxr_gate(struct pxr_builder *builder, bool linear, struct pxr_node *input)
{
        if (!input)
                return NULL;
        if (input->gates != 2)
                return pxr_layer_error(builder,
                                       "a gated activation requires a map of 2 gates, got %d",
                                       input->gates);
        return pxr_add_node(
                builder, &(struct pxr_new_node) { .op = &gate_op,
                                                  .conf = &linear,
                                                  .conf_size = sizeof(linear),
                                                  .shape = { input->shape.rows, input->shape.cols,
                                                             input->shape.channels / 2 },
                                                  .inputs = 1,
                                                  .input = { input } });
}
