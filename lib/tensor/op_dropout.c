/* SPDX-License-Identifier: MIT */
/*
 * op_dropout.c - dropout (Srivastava et al. 2014): in training, each value is zero with a
 * probability, and the others are scaled so that the mean stays; everywhere else nothing changes.
 *
 * Which values are zero is a function of the run's seed, the step, the image's number in the batch
 * and the node, so it is the same for any number of threads, for any micro-batch, and on resume.
 */
#include <string.h>

#include <pxr/build.h>

enum { PARTS = 1 << 16 }; /* of a probability: two values share 32 random bits */

/* Values in `PARTS` that are kept. */
static int kept_parts(const struct pxr_node *node)
{
        return *(const int *)node->conf;
}

#define PXR_KERNELS_FILE "tensor/dropout_kernels.h"
#include <pxr/precisions.h>

static const struct pxr_op dropout_op = {
        .name = "dropout",
        .flags = PXR_ADVANCE_AT_ITS_PIXEL,
        .kernels = { { dropout_forward_f32, dropout_backward_f32, dropout_advance_f32 },
                     { dropout_forward_f64, dropout_backward_f64, dropout_advance_f64 } },
};

struct pxr_node *pxr_dropout(struct pxr_builder *builder, double rate, struct pxr_node *input)
{
        int kept = (int)((1 - rate) * PARTS + 0.5);

        if (!input)
                return NULL;
        if (!(rate >= 0) || kept < 1)
                return pxr_layer_error(
                        builder, "dropout requires a rate from 0 to less than 1, got %g", rate);
        return pxr_add_node(builder, &(struct pxr_new_node) { .op = &dropout_op,
                                                              .conf = &kept,
                                                              .conf_size = sizeof(kept),
                                                              .shape = input->shape,
                                                              .gates = input->gates,
                                                              .inputs = 1,
                                                              .input = { input } });
}
