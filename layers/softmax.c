/* SPDX-License-Identifier: MIT */
/* softmax.c - the output for images of any number of levels (section 3.1). */
#include <pxr/layer.h>

static const struct pxr_parameter_doc parameters[] = {
        { "weight", "[1, 1, in, colours x levels]", "of the 1x1 convolution to the logits" },
        { "bias", "[colours x levels]", "starts at zero" },
        { 0 },
};

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        (void)conf;
        return pxr_output_conv(builder, input, &pxr_categorical);
}

static const struct pxr_layer softmax = {
        .name = "softmax",
        .summary = "output for 2 to 256 levels: a distribution over all of them for each colour",
        .description = "Ends a model. Holds the 1x1 convolution (mask B) that makes the logits:\n"
                       "those of red come first, then green, then blue.",
        .parameters = parameters,
        .build = build,
        .check = "- conv: {mask: A, kernel: 3, features: 6}\n"
                 "- softmax\n",
};
PXR_PLUGIN(softmax)
