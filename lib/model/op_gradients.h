/* SPDX-License-Identifier: MIT */
/*
 * op_gradients.h - check the gradients of one op alone: with respect to every input, even the
 * image, and to every parameter.
 *
 * Up to 48 values of each, evenly spread, are compared with central differences (step 1e-5, double
 * precision), with a tolerance of 1e-7 (1 + |gradient|). An input's gradient must be the same to
 * 1e-12 if it is the only one wanted, and if it is accumulated. Memory that the op must not rely on
 * holds NaN; read-only arrays must stay unchanged.
 */
#ifndef PXR_MODEL_OP_GRADIENTS_H
#define PXR_MODEL_OP_GRADIENTS_H

#include "tensor/graph.h"

/* Returns NULL if all gradients are right, else what is wrong, a text in the arena. `parameters`
 * are all of the graph's, `levels` those of its image. */
const char *pxr_check_op_gradients(struct pxr_arena *arena, const struct pxr_node *node,
                                   const double *parameters, int levels);

/* A function of values that `context` refers to. */
typedef double pxr_function(void *context);

/* Compare its slopes by up to 48 of the values, evenly spread, with those in `found`, which `what`
 * names ("the gradient of layers.0.conv.weight"). Returns as pxr_check_op_gradients(). */
const char *pxr_compare_slopes(struct pxr_arena *arena, const char *what, double *values,
                               size_t size, const double *found, pxr_function *function,
                               void *context, double tolerance);

#endif
