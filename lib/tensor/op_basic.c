/* SPDX-License-Identifier: MIT */
/*
 * op_basic.c - the ops without parameters: the images, a sum, a rectified linear unit.
 */
#include <string.h>

#include <pxr/elementwise.h>

#include "tensor/graph.h"

#define PXR_KERNELS_FILE "tensor/basic_kernels.h"
#include <pxr/precisions.h>

/* Written so that NaN stays NaN: max() would hide it. */
PXR_ELEMENTWISE(relu_op, "relu", x<0 ? 0 : x, y> 0)

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

static const struct pxr_op add_op = {
        .name = "add",
        .flags = PXR_ADVANCE_AT_ITS_PIXEL,
        .kernels = { { add_forward_f32, add_backward_f32, add_advance_f32 },
                     { add_forward_f64, add_backward_f64, add_advance_f64 } },
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
        return pxr_add_elementwise(builder, &relu_op, input);
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
        return pxr_add_node(builder, &(struct pxr_new_node) { .op = &add_op,
                                                              .shape = a->shape,
                                                              .gates = a->gates,
                                                              .inputs = 2,
                                                              .input = { a, b } });
}
