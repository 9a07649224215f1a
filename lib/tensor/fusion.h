/* SPDX-License-Identifier: MIT */
/*
 * fusion.h - which sums and rectifiers are computed together with the product before them.
 *
 * In mixed precision products are so fast that reading and writing maps takes as long. So a sum
 * or a rectifier that alone reads a product becomes a part of it: the map between them is never
 * written. In the backward pass, a rectifier whose readers are all products takes no step of its
 * own: each sets what it adds to the gradient to 0 where the rectifier's output is.
 *
 * Layers and ops do not know: an op says that it can (pxr_mixed's `fuses`), the plan decides.
 */
#ifndef PXR_TENSOR_FUSION_H
#define PXR_TENSOR_FUSION_H

#include "tensor/liveness.h"

/* Set `with`, `product` and `gated` of all nodes, whose `live`, `needs_grad`, `mixed` and `narrow`
 * must be set: if `fuse` is false, so that each is computed by itself. */
void pxr_fuse(const struct pxr_graph *graph, struct pxr_node_memory *memory, bool fuse);

#endif
