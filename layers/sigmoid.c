/* SPDX-License-Identifier: MIT */
/* sigmoid.c - the output for binary images: a 1x1 convolution to one logit a value. */
#include <pxr/layer.h>

static const struct pxr_parameter_doc parameters[] = {
        { "weight", "[1, 1, in, colours]", "of the 1x1 convolution to the logits" },
        { "bias", "[colours]", "starts at zero" },
        { 0 },
};

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        (void)conf;
        if (pxr_image_levels(builder) != 2)
                return pxr_layer_error(
                        builder,
                        "requires images of 2 levels, got %d: end the model with 'softmax'",
                        pxr_image_levels(builder));
        return pxr_output_conv(builder, input, &pxr_bernoulli);
}

static const struct pxr_layer sigmoid = {
        .name = "sigmoid",
        .summary = "output for binary images: p(1) = 1 / (1 + exp(-logit))",
        .description = "Ends a model. Holds the 1x1 convolution (mask B) that makes the logits.",
        .parameters = parameters,
        .build = build,
        .check = "- conv: {mask: A, kernel: 3, features: 6}\n"
                 "- sigmoid\n",
};
PXR_PLUGIN(sigmoid)
