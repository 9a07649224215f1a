/* SPDX-License-Identifier: MIT */
/*
 * condition.c - what a conditional model is given, and how it reaches the layers (section 3.6).
 */
#include "tensor/graph.h"
#include "tensor/older.h"

struct pxr_node *pxr_small_image(struct pxr_builder *builder, int rows, int cols)
{
        struct pxr_graph *graph = builder->graph;

        if (rows < 1 || cols < 1 || graph->rows % rows || graph->cols % cols)
                return pxr_layer_error(builder,
                                       "an image of %dx%d cannot be subsampled to %dx%d: its sides "
                                       "must be multiples",
                                       graph->rows, graph->cols, rows, cols);
        if (graph->small_rows)
                return pxr_layer_error(builder, "the model already has a small image");
        graph->small_rows = rows;
        graph->small_cols = cols;
        return pxr_add_node(builder,
                            &(struct pxr_new_node) { .op = &pxr_small_image_op,
                                                     .conf = &graph->levels,
                                                     .conf_size = sizeof(graph->levels),
                                                     .shape = { rows, cols, graph->colours } });
}

void pxr_condition(struct pxr_builder *builder, struct pxr_node *map)
{
        if (map && !pxr_graph_has(builder->graph, map))
                pxr_layer_error(builder, "the conditioning map is not a node of this model");
        else
                builder->condition = map;
}

void pxr_condition_on_class(struct pxr_builder *builder)
{
        builder->class_conditions = true;
}

/* An unmasked 1x1 convolution of `map`, with the channels of `node`. */
static struct pxr_node *add_conv(struct pxr_builder *builder, const char *name, double gain,
                                 const struct pxr_node *node, struct pxr_node *map)
{
        return pxr_conv(builder, name,
                        &(struct pxr_conv) { .kernel = 1,
                                             .mask = PXR_MASK_NONE,
                                             .features = node->shape.channels,
                                             .gates = node->gates,
                                             .gain = gain },
                        map);
}

struct pxr_node *pxr_class_bias(struct pxr_builder *builder, const char *name,
                                struct pxr_node *node)
{
        if (!node)
                return NULL;
        return pxr_add_everywhere(builder, node,
                                  add_conv(builder,
                                           pxr_join_names(builder->graph->arena, name, "class"), 0,
                                           node, pxr_class(builder)));
}

struct pxr_node *pxr_conditioned(struct pxr_builder *builder, const char *name,
                                 struct pxr_node *node)
{
        if (node && builder->condition)
                node = pxr_add(builder, node,
                               add_conv(builder,
                                        pxr_join_names(builder->graph->arena, name, "condition"), 1,
                                        node, builder->condition));
        if (node && builder->class_conditions)
                node = pxr_class_bias(builder, name, node);
        return node;
}

struct pxr_node *pxr_output_conv(struct pxr_builder *builder, struct pxr_node *input,
                                 const struct pxr_distribution *distribution)
{
        const struct pxr_graph *graph = builder->graph;
        struct pxr_conv conv = { .kernel = 1, .mask = PXR_MASK_B, .bias = true, .gain = 1 };

        distribution = pxr_whole_distribution(graph->arena, builder->plugin, distribution);
        if (!distribution)
                return NULL;
        conv.features = graph->colours * distribution->channels(graph->levels);
        return pxr_output(builder,
                          pxr_conditioned(builder, NULL, pxr_conv(builder, NULL, &conv, input)),
                          distribution);
}
