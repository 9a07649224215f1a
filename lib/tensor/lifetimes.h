/* SPDX-License-Identifier: MIT */
/*
 * lifetimes.h - from which moment to which each tensor of a plan is of use.
 */
#ifndef PXR_TENSOR_LIFETIMES_H
#define PXR_TENSOR_LIFETIMES_H

#include "tensor/plan.h"

/* What the logits depend on and what is trained. 0, or -1 when memory is out. */
int pxr_lifetimes_mark(const struct pxr_graph *graph, struct pxr_place *place);

/* Cut the graph into up to `parts` parts of about as many bytes each, where little is read across
 * the cut. The sizes of slots must be set. */
void pxr_lifetimes_cut(const struct pxr_graph *graph, struct pxr_place *place, int parts);

/* Set the moments of all slots, and what is computed again, from the cuts. `training`: with a
 * backward pass. */
void pxr_lifetimes_find(const struct pxr_graph *graph, struct pxr_place *place, bool training);

/* Let all slots in use be of use at every moment. */
void pxr_lifetimes_forever(const struct pxr_graph *graph, struct pxr_place *place);

#endif
