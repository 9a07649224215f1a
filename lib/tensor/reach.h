/* SPDX-License-Identifier: MIT */
/*
 * reach.h - following declared dependencies through a graph. Uses graph.h.
 */
#ifndef PXR_TENSOR_REACH_H
#define PXR_TENSOR_REACH_H

#include "tensor/graph.h"

/* One value of the map of a node: all channels of a colour group at a pixel. */
struct pxr_spot {
        const struct pxr_node *node;
        int row, col, colour;
};

/* Position of (row, col, colour) in the order of generation. */
static inline int pxr_order(const struct pxr_node *node, int row, int col, int colour)
{
        return (row * node->shape.cols + col) * node->colours + colour;
}

/* The spot at a position. */
struct pxr_spot pxr_spot_at(const struct pxr_node *node, int order);

/* "red", or "grey" where there are no three colours: for messages. */
const char *pxr_colour_name(const struct pxr_node *node, int colour);

/* For each node, for each spot, the last image value it depends on (its order, or -1):
 * last[node][order]. NULL when memory is out; freed with free(). */
int **pxr_reach_last(const struct pxr_graph *graph);

/* The spot that `spot` reads and that carries the last dependency to it. */
struct pxr_spot pxr_reach_source(int *const *last, struct pxr_spot spot);

/* elsewhere[node]: is the node's output read by another node from another pixel than that node's
 * own, or by one of another shape? */
void pxr_reach_elsewhere(const struct pxr_graph *graph, bool *elsewhere);

/* Image pixels that any colour of node `node` at (row, col) depends on: seen[row][col], zeroed by
 * the caller. Returns 0, or -1 when memory is out. */
int pxr_reach_field(const struct pxr_graph *graph, const struct pxr_node *node, int row, int col,
                    unsigned char *seen);

#endif
