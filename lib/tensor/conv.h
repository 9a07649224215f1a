/* SPDX-License-Identifier: MIT */
/* conv.h - a convolution, as an op that is made of it sees it. */
#ifndef PXR_TENSOR_CONV_H
#define PXR_TENSOR_CONV_H

#include "tensor/graph.h"

extern const struct pxr_op pxr_conv_op;

/* The same with weight normalization: parameters weight, scale and bias. */
extern const struct pxr_op pxr_weight_norm_op;

/* The output channels of one gate and colour, and how many rows of the weights [kernel height x
 * kernel width x in][out] are live for them: the first ones. */
struct pxr_conv_columns {
        int begin, count, live;
};
struct pxr_conv_columns pxr_conv_columns(const struct pxr_node *node, int gate, int colour);

/* Initial weights of a convolution: values[size], zeroed by the caller. */
pxr_init pxr_conv_init;

/* Of the same numbers the sums of squares of each output channel: squares[out], zeroed by the
 * caller. */
void pxr_conv_init_squares(const struct pxr_node *node, struct pxr_random *random, double *squares);

/* The node of a convolution by `op`, without parameters. NULL after an error. */
struct pxr_node *pxr_conv_node(struct pxr_builder *builder, const struct pxr_op *op,
                               const struct pxr_conv *settings, struct pxr_node *input);

/* Add the parameter weight, or bias if the settings have one. Return 0 or -1. */
int pxr_conv_add_weight(struct pxr_builder *builder, const char *name, struct pxr_node *node);
int pxr_conv_add_bias(struct pxr_builder *builder, const char *name,
                      const struct pxr_conv *settings, struct pxr_node *node);

#endif
