/* SPDX-License-Identifier: MIT */
/*
 * reach.h - following declared dependencies through a graph.
 */
#ifndef PXR_TENSOR_REACH_H
#define PXR_TENSOR_REACH_H

#include "tensor/graph.h"

/* One value of the map of a node: all channels of a colour group at a pixel. */
struct pxr_node_spot {
        const struct pxr_node *node;
        int row, col, colour;
};

/* Position of (row, col, colour) in the order of generation. */
static inline int pxr_order(const struct pxr_node *node, int row, int col, int colour)
{
        return (row * node->shape.cols + col) * node->colours + colour;
}

/* The spot at a position. */
struct pxr_node_spot pxr_spot_at(const struct pxr_node *node, int order);

/* "red", or "grey" where there are no three colours: for messages. */
const char *pxr_colour_name(const struct pxr_node *node, int colour);

/* For each node, for each spot, the last image value it depends on (its order, or -1):
 * last[node][order]. NULL when memory is out; freed with free(). */
int **pxr_reach_last(const struct pxr_graph *graph);

/* The spot that `spot` reads and that carries the last dependency to it. */
struct pxr_node_spot pxr_reach_source(int *const *last, struct pxr_node_spot spot);

/* How far from its own pixel a node reads another's output, or others read it. */
enum pxr_span { PXR_SPAN_PIXEL, PXR_SPAN_ROW, PXR_SPAN_MAP };

/* span[node]: the widest in which the node's output is read by others, PXR_SPAN_MAP by those of
 * another shape. */
void pxr_reach_spans(const struct pxr_graph *graph, enum pxr_span *span);

/* Image pixels that any colour of node `node` at (row, col) depends on: seen[row][col], zeroed by
 * the caller. Returns 0, or -1 when memory is out. */
int pxr_reach_field(const struct pxr_graph *graph, const struct pxr_node *node, int row, int col,
                    unsigned char *seen);

#endif
