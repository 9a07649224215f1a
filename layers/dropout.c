/* SPDX-License-Identifier: MIT */
/* dropout.c - zeroes random values in training. */
#include <pxr/layer.h>

struct dropout {
        double rate;
};

static const struct pxr_option rows[] = {
        PXR_REAL(struct dropout, rate, "0.5", 0, 0.999, "probability that a value is zeroed"),
        PXR_END,
};

static const struct pxr_options options = {
        .rows = rows,
        .size = sizeof(struct dropout),
        .main = "rate",
};

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        return pxr_dropout(builder, ((const struct dropout *)conf)->rate, input);
}

static const struct pxr_layer dropout = {
        .name = "dropout",
        .summary = "zeroes random values in training",
        .description = "In training each value is zero with this probability, and is divided by "
                       "one minus\n"
                       "it otherwise. Evaluation, sampling and coding leave values as they are. "
                       "Which are\n"
                       "zeroed depends only on train.seed, the step, the image's number in the "
                       "batch, and\n"
                       "the layer.",
        .options = &options,
        .build = build,
};
PXR_PLUGIN(dropout)
