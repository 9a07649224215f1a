/* SPDX-License-Identifier: MIT */
/*
 * op_class.c - the class of an image, and adding a vector of each image to all its pixels.
 */
#include <math.h>
#include <string.h>

#include "tensor/bf16.h"
#include "tensor/graph.h"

#define PXR_KERNELS_FILE "tensor/class_kernels.h"
#include <pxr/precisions.h>

/* Given before anything is computed: nothing is read from other nodes. */
static void class_depends(const struct pxr_node *node, int row, int col, int colour,
                          struct pxr_dependencies *deps)
{
        (void)node, (void)row, (void)col, (void)colour, (void)deps;
}

const struct pxr_op pxr_class_op = {
        .name = "class",
        .kernels = { { class_forward_f32, NULL, NULL }, { class_forward_f64, NULL, NULL } },
        .depends = class_depends,
};

struct pxr_node *pxr_class(struct pxr_builder *builder)
{
        struct pxr_graph *graph = builder->graph;

        if (!graph->classes)
                return pxr_layer_error(builder,
                                       "the model is given the class of an image, but no labels "
                                       "are read: it requires 'labels: true' in 'data', and a "
                                       "data set that has labels");
        if (!graph->class_map)
                graph->class_map = pxr_add_node(
                        builder, &(struct pxr_new_node) { .op = &pxr_class_op,
                                                          .shape = { 1, 1, graph->classes } });
        return graph->class_map;
}

static void everywhere_depends(const struct pxr_node *node, int row, int col, int colour,
                               struct pxr_dependencies *deps)
{
        (void)node;
        deps->read(deps, 0, row, col, colour);
        deps->read(deps, 1, 0, 0, colour);
}

static void everywhere_forward_mixed(const struct pxr_call *call)
{
        size_t pixel = pxr_pixel_size(call->node, call->images);
        size_t size = pxr_map_size(call->node, call->images);
        const pxr_bf16 *x = call->input[0];
        pxr_bf16 *y = call->output;

        for (size_t at = 0; at < size; at += pixel)
                pxr_bf16_add(pixel, x + at, call->input[1], y + at);
}

static void everywhere_backward_mixed(const struct pxr_call *call)
{
        size_t pixel = pxr_pixel_size(call->node, call->images);
        size_t size = pxr_map_size(call->node, call->images);
        const pxr_bf16 *dy = call->output_gradient;
        pxr_bf16 *dx = call->input_gradient[0], *db = call->input_gradient[1];
        float *sum = call->scratch;

        if (dx && call->accumulate[0])
                pxr_bf16_add(size, dx, dy, dx);
        else if (dx)
                memcpy(dx, dy, size * sizeof(*dx));
        if (!db)
                return;
        memset(sum, 0, pixel * sizeof(*sum));
        if (call->accumulate[1])
                pxr_bf16_widen(pixel, db, sum);
        pxr_bf16_add_rows(size / pixel, pixel, dy, sum);
        pxr_bf16_round(pixel, sum, db);
}

static size_t everywhere_scratch_mixed(const struct pxr_node *node, int images)
{
        return pxr_pixel_size(node, images) * sizeof(float);
}

static const struct pxr_mixed everywhere_mixed = { .forward = everywhere_forward_mixed,
                                                   .backward = everywhere_backward_mixed,
                                                   .scratch = everywhere_scratch_mixed };

static const struct pxr_op everywhere_op = {
        .name = "add everywhere",
        .flags = PXR_ADVANCE_AT_ITS_PIXEL,
        .kernels = { { everywhere_forward_f32, everywhere_backward_f32, everywhere_advance_f32 },
                     { everywhere_forward_f64, everywhere_backward_f64, everywhere_advance_f64 } },
        .depends = everywhere_depends,
        .mixed = &everywhere_mixed,
};

struct pxr_node *pxr_add_everywhere(struct pxr_builder *builder, struct pxr_node *map,
                                    struct pxr_node *vector)
{
        if (!map || !vector)
                return NULL;
        return pxr_add_node(builder, &(struct pxr_new_node) { .op = &everywhere_op,
                                                              .shape = map->shape,
                                                              .gates = map->gates,
                                                              .inputs = 2,
                                                              .input = { map, vector } });
}
