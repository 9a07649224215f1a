/* SPDX-License-Identifier: MIT */
/*
 * liveness.h - the first and last use of each tensor in the passes over a graph.
 */
#ifndef PXR_TENSOR_LIVENESS_H
#define PXR_TENSOR_LIVENESS_H

#include "tensor/dependency.h"

/* The memory of one tensor in the slab. */
struct pxr_buffer {
        size_t offset, size; /* bytes, without sentinels */
        int first_use, last_use;
        bool used;
};

/* What computes a tensor: the forward pass, or its recomputation for the backward pass. */
enum pxr_computation { PXR_FORWARD, PXR_RECOMPUTE, PXR_COMPUTATIONS };

enum { PXR_BUFFERS = 2 * PXR_COMPUTATIONS + 1 };

/* The memory of one node. */
struct pxr_node_memory {
        union {
                struct {
                        struct pxr_buffer output[PXR_COMPUTATIONS], state[PXR_COMPUTATIONS];
                        struct pxr_buffer gradient;
                };
                struct pxr_buffer buffer[PXR_BUFFERS]; /* all of these */
        };
        int first, end;                  /* its segment of the graph: nodes first to end-1 */
        bool recompute;                  /* for the gradients of its segment */
        bool live;                       /* the logits depend on it */
        bool needs_grad;                 /* the backward pass goes through it */
        bool mixed;                      /* computed by the op's kernels of mixed precision */
        bool narrow;                     /* its maps are bfloat16 */
        size_t packed;                   /* where its packed parameters begin */
        enum pxr_read_extent extent;     /* how much of the map `output` has room for */
        bool accumulate[PXR_MAX_INPUTS]; /* in the backward pass */
        int with;                        /* computed when this node is, as part of its product: its
                                            own number, or a later one's */
        int product;                     /* whose kernel computes it: its own number, or an earlier
                                            one's */
        bool gated;                      /* a rectifier that its readers take the gradient through:
                                            it has none of its own */
        int shared;                      /* the node whose `gradient` holds the gradient */
};

/* The node whose `gradient` holds the gradient of node i: of a gated rectifier, its input's. */
int pxr_gradient_of(const struct pxr_graph *graph, const struct pxr_node_memory *memory, int i);

/* How often a node is read, by other nodes and as logits. */
int pxr_reads_of(const struct pxr_graph *graph, const struct pxr_node_memory *memory,
                 const struct pxr_node *node);

/* The computation of `input` whose output its reader reads: in the forward pass, or later. */
static inline enum pxr_computation pxr_read_computation(const struct pxr_node_memory *input,
                                                        const struct pxr_node_memory *reader,
                                                        enum pxr_computation computation)
{
        return computation == PXR_RECOMPUTE && input->recompute && input->first == reader->first
                       ? PXR_RECOMPUTE
                       : PXR_FORWARD;
}

/* Set `live` and `needs_grad` of all nodes. Returns 0, or -1 when out of memory. */
int pxr_liveness_of_nodes(const struct pxr_graph *graph, struct pxr_node_memory *memory);

/* Cut the graph into up to `segments` segments of similar size, at nodes where few bytes are read
 * across the cut. The sizes of the buffers must be set. */
void pxr_liveness_segment(const struct pxr_graph *graph, struct pxr_node_memory *memory,
                          int segments);

/* Set the first and last use of all buffers, and which nodes are recomputed, for the segments that
 * were set. `training`: with a backward pass. `share`: let a sum's gradient serve as that of what
 * is added, where that is all that their gradient is, or goes on from. */
void pxr_liveness_of_buffers(const struct pxr_graph *graph, struct pxr_node_memory *memory,
                             bool training, bool share);

/* Let all buffers be in use all the time, so that none shares memory. */
void pxr_liveness_forever(const struct pxr_graph *graph, struct pxr_node_memory *memory);

#endif
