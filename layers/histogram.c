/* SPDX-License-Identifier: MIT */
/*
 * histogram.c - an independent distribution for each value of each pixel.
 *
 * The logits are a table that does not depend on the image. Their maximum-likelihood estimate is
 * the histogram of each pixel over the training images. Training approaches it, but never reaches
 * the infinite logits of a level that a pixel never has.
 */
#include <string.h>

#include <pxr/layer.h>

#define PXR_KERNELS_FILE "layers/histogram_kernels.h"
#include <pxr/precisions.h>

/* It has no inputs, so it is constant during generation and needs no advance. */
static const struct pxr_op table_op = {
        .name = "table",
        .kernels = { { table_forward_f32, table_backward_f32, NULL },
                     { table_forward_f64, table_backward_f64, NULL } },
};

static const struct pxr_parameter_doc parameters[] = {
        { "logits", "[rows, cols, colours x levels]",
          "start at zero, the uniform distribution; one a colour where there are 2 levels" },
        { 0 },
};

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        int levels = pxr_image_levels(builder);
        const struct pxr_distribution *kind = pxr_discrete(levels);
        struct pxr_shape shape = { input->shape.rows, input->shape.cols,
                                   pxr_image_colours(builder) * kind->channels(levels) };
        struct pxr_node *table;

        (void)conf;
        if (pxr_expect_image(builder, input))
                return NULL;
        table = pxr_add_node(builder, &(struct pxr_new_node) { .op = &table_op, .shape = shape });
        if (pxr_add_parameter(builder, table, "logits", pxr_init_zeros, 3,
                              (int[]) { shape.rows, shape.cols, shape.channels }))
                return NULL;
        return pxr_output(builder, table, kind);
}

static const struct pxr_layer histogram = {
        .name = "histogram",
        .summary = "an independent histogram for each pixel, as a whole model",
        .description = "A whole model, without layers before or after it. It does not read the\n"
                       "image: training leads to the histograms of the training split.",
        .parameters = parameters,
        .build = build,
        .check = "- histogram\n",
};
PXR_PLUGIN(histogram)
