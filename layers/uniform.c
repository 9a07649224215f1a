/* SPDX-License-Identifier: MIT */
/* uniform.c - every value of every pixel is equally likely (first row of Table 5). */
#include <string.h>

#include <pxr/layer.h>

static void forward_f32(const struct pxr_call *call)
{
        memset(call->output, 0, pxr_map_size(call->node, call->images) * sizeof(float));
}

static void forward_f64(const struct pxr_call *call)
{
        memset(call->output, 0, pxr_map_size(call->node, call->images) * sizeof(double));
}

/* It reads nothing, so that generation computes it once and nothing has a gradient. */
static const struct pxr_op zeros_op = {
        .name = "zeros",
        .kernels = { { forward_f32, NULL, NULL }, { forward_f64, NULL, NULL } },
};

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        int levels = pxr_image_levels(builder);
        const struct pxr_distribution *kind = pxr_discrete(levels);
        struct pxr_shape shape = { input->shape.rows, input->shape.cols,
                                   pxr_image_colours(builder) * kind->channels(levels) };

        (void)conf;
        if (pxr_expect_image(builder, input))
                return NULL;
        return pxr_output(
                builder,
                pxr_add_node(builder, &(struct pxr_new_node) { .op = &zeros_op, .shape = shape }),
                kind);
}

static const struct pxr_layer uniform = {
        .name = "uniform",
        .summary = "the uniform distribution, log2(levels) bits per dimension, as a whole model",
        .description =
                "A whole model, without layers before or after it. It does not read the image,\n"
                "and there is nothing to train (`epochs: 0`).",
        .build = build,
        .check = "- uniform\n",
};
PXR_PLUGIN(uniform)
