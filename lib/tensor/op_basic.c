/* SPDX-License-Identifier: MIT */
/*
 * op_basic.c - the ops without parameters: the images, a sum, a rectified linear unit.
 */
#include <string.h>

#include <pxr/elementwise.h>

#include "tensor/bf16.h"
#include "tensor/graph.h"

#define PXR_KERNELS_FILE "tensor/basic_kernels.h"
#include <pxr/precisions.h>

static void relu_forward_mixed(const struct pxr_call *call)
{
        pxr_bf16_rectify(pxr_map_size(call->node, call->images), call->input[0], call->output);
}

static void relu_backward_mixed(const struct pxr_call *call)
{
        if (call->input_gradient[0])
                pxr_bf16_rectify_gradient(pxr_map_size(call->node, call->images), call->output,
                                          call->output_gradient, call->accumulate[0],
                                          call->input_gradient[0]);
}

static const struct pxr_mixed relu_mixed = { .forward = relu_forward_mixed,
                                             .backward = relu_backward_mixed };

/* Written so that NaN stays NaN: max() would hide it. */
PXR_ELEMENTWISE_KERNELS_(relu, float, f32, x<0 ? 0 : x, y> 0)
PXR_ELEMENTWISE_KERNELS_(relu, double, f64, x<0 ? 0 : x, y> 0)

const struct pxr_op pxr_relu_op = {
        .name = "relu",
        .flags = PXR_BACKWARD_READS_OUTPUT | PXR_ADVANCE_AT_ITS_PIXEL,
        .kernels = { { relu_forward_f32, relu_backward_f32, relu_advance_f32 },
                     { relu_forward_f64, relu_backward_f64, relu_advance_f64 } },
        .mixed = &relu_mixed,
};

/* The certificate knows what the image is; nothing is read from other nodes. */
static void image_depends(const struct pxr_node *node, int row, int col, int colour,
                          struct pxr_dependencies *deps)
{
        (void)node;
        (void)row;
        (void)col;
        (void)colour;
        (void)deps;
}

const struct pxr_op pxr_image_op = {
        .name = "image",
        .kernels = { { image_forward_f32, NULL, image_advance_f32 },
                     { image_forward_f64, NULL, image_advance_f64 } },
        .depends = image_depends,
};

/* Given whole, before anything is generated. */
const struct pxr_op pxr_small_image_op = {
        .name = "small image",
        .kernels = { { image_forward_f32, NULL, NULL }, { image_forward_f64, NULL, NULL } },
        .depends = image_depends,
};

static void add_forward_mixed(const struct pxr_call *call)
{
        pxr_bf16_add(pxr_map_size(call->node, call->images), call->input[0], call->input[1],
                     call->output);
}

static void add_backward_mixed(const struct pxr_call *call)
{
        size_t size = pxr_map_size(call->node, call->images);

        for (int input = 0; input < 2; input++) {
                pxr_bf16 *dx = call->input_gradient[input];

                if (dx && call->accumulate[input])
                        pxr_bf16_add(size, dx, call->output_gradient, dx);
                else if (dx)
                        memcpy(dx, call->output_gradient, size * sizeof(*dx));
        }
}

static const struct pxr_mixed add_mixed = { .forward = add_forward_mixed,
                                            .backward = add_backward_mixed };

const struct pxr_op pxr_add_op = {
        .name = "add",
        .flags = PXR_ADVANCE_AT_ITS_PIXEL,
        .kernels = { { add_forward_f32, add_backward_f32, add_advance_f32 },
                     { add_forward_f64, add_backward_f64, add_advance_f64 } },
        .mixed = &add_mixed,
};

struct pxr_node *pxr_add_elementwise(struct pxr_builder *builder, const struct pxr_op *op,
                                     struct pxr_node *input)
{
        if (!input)
                return NULL;
        if (input->gates != 1)
                return pxr_layer_error(builder, "%s cannot follow a map that is cut into gates",
                                       op->name);
        return pxr_add_node(builder, &(struct pxr_new_node) { .op = op,
                                                              .shape = input->shape,
                                                              .inputs = 1,
                                                              .input = { input } });
}

struct pxr_node *pxr_relu(struct pxr_builder *builder, struct pxr_node *input)
{
        return pxr_add_elementwise(builder, &pxr_relu_op, input);
}

struct pxr_node *pxr_add(struct pxr_builder *builder, struct pxr_node *a, struct pxr_node *b)
{
        if (!a || !b)
                return NULL;
        if (a->shape.rows != b->shape.rows || a->shape.cols != b->shape.cols ||
            a->shape.channels != b->shape.channels || a->gates != b->gates)
                return pxr_layer_error(builder, "cannot add a map of %dx%dx%d to one of %dx%dx%d",
                                       b->shape.rows, b->shape.cols, b->shape.channels,
                                       a->shape.rows, a->shape.cols, a->shape.channels);
        return pxr_add_node(builder, &(struct pxr_new_node) { .op = &pxr_add_op,
                                                              .shape = a->shape,
                                                              .gates = a->gates,
                                                              .inputs = 2,
                                                              .input = { a, b } });
}
