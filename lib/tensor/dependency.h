/* SPDX-License-Identifier: MIT */
/*
 * dependency.h - following declared dependencies through a graph.
 */
#ifndef PXR_TENSOR_DEPENDENCY_H
#define PXR_TENSOR_DEPENDENCY_H

#include "tensor/graph.h"

/* All channels of one colour group at one pixel of a node's map. */
struct pxr_site {
        const struct pxr_node *node;
        int row, col, colour;
};

/* Position of (row, col, colour) in the order of generation, from 0. */
static inline int pxr_order(const struct pxr_node *node, int row, int col, int colour)
{
        return (row * node->shape.cols + col) * node->colours + colour;
}

/* How many sites a node has. */
static inline int pxr_sites(const struct pxr_node *node)
{
        return node->shape.rows * node->shape.cols * node->colours;
}

/* The inverse of pxr_order(). */
struct pxr_site pxr_site_at(const struct pxr_node *node, int order);

/* "red", "green" or "blue"; "grey" for images of one colour. */
const char *pxr_colour_name(const struct pxr_node *node, int colour);

/* Call visit() for each site that a site reads, also those of its own node. */
void pxr_visit_sources(struct pxr_site site, void (*visit)(void *context, struct pxr_site source),
                       void *context);

/* last[node][order]: the order of the last image value that the site depends on, or -1. NULL when
 * out of memory; freed with free(). */
int **pxr_last_dependencies(const struct pxr_graph *graph);

/* Of the sites that `site` reads, the one with the last dependency. */
struct pxr_site pxr_dependency_source(int *const *last, struct pxr_site site);

/* How much of a node's output is read when a site of another node is computed: the same pixel, its
 * row, or any of the map. */
enum pxr_read_extent { PXR_EXTENT_PIXEL, PXR_EXTENT_ROW, PXR_EXTENT_MAP };

/* extent[node]: the largest over all that read the node's output; PXR_EXTENT_MAP if one of them has
 * a map of another size. */
void pxr_read_extents(const struct pxr_graph *graph, enum pxr_read_extent *extent);

/* Set seen[row][col], which the caller has zeroed, for the image pixels that any colour of `node`
 * at (row, col) depends on. Returns 0, or -1 when out of memory. */
int pxr_receptive_field(const struct pxr_graph *graph, const struct pxr_node *node, int row,
                        int col, unsigned char *seen);

#endif
