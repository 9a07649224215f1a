/* SPDX-License-Identifier: MIT */
/*
 * generation_schedule.h - when generation computes each pixel of each node.
 */
#ifndef PXR_TENSOR_GENERATION_SCHEDULE_H
#define PXR_TENSOR_GENERATION_SCHEDULE_H

#include "tensor/dependency.h"

/* Most sites are computed when generation arrives at them, before their own value is known. Sites
 * that read the image at that very site (the image node, and the nodes between it and the first
 * mask A) must wait until the value is set. Sites that others read before generation arrives at
 * them, further to the right in the row, are computed with the whole row before its first pixel:
 * they must depend on earlier rows only, as the vertical stack of a Gated PixelCNN. */
struct pxr_generation_schedule {
        unsigned char **wait; /* [node][order]: 0: do not wait; 1 + c: until colour c is set */
        bool *by_row;         /* [node]: a row is computed before its first pixel */
        enum pxr_read_extent *extent; /* [node]: how much of its output to keep */
        bool *constant;       /* [node]: computed once, before the first pixel. Other nodes that
                                 do not depend on the image are computed pixel by pixel, all
                                 colours at once */
        const char *fallback; /* as pxr_graph_fallback(); all maps are kept if not NULL */
};

/* Work out a graph's schedule. Returns 0, or -1 when out of memory. */
int pxr_schedule_generation(struct pxr_generation_schedule *schedule, const struct pxr_graph *graph,
                            enum pxr_precision precision);
void pxr_generation_schedule_free(struct pxr_generation_schedule *schedule);

/* The name of the first op that rules out generation pixel by pixel, because it has no `advance` or
 * reads later pixels: generation then makes a whole forward pass for each value. NULL: none, or out
 * of memory. */
const char *pxr_graph_fallback(const struct pxr_graph *graph, enum pxr_precision precision);

#endif
