/* SPDX-License-Identifier: MIT */
/*
 * op_gradients.h - the gradients of one op by itself: by every input, also where the input is the
 * image and training asks for none, and by every parameter.
 *
 * Up to 48 values of each, evenly spread, are held against central differences (step 1e-5, in
 * double precision) to 1e-7 (1 + |gradient|). An input's gradient must be the same to 1e-12 when it
 * is the only one wanted, and when it is added to what is there. All memory whose content the op
 * must not rely on holds NaN; what it may only read must stay as it is.
 */
#ifndef PXR_MODEL_OP_GRADIENTS_H
#define PXR_MODEL_OP_GRADIENTS_H

#include "tensor/graph.h"

/* Returns NULL when all is well, else what is wrong, a text in the arena. `parameters` are all of
 * the graph's, `levels` those of its image. */
const char *pxr_check_op_gradients(struct pxr_arena *arena, const struct pxr_node *node,
                                   const double *parameters, int levels);

#endif
