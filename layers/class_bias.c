/* SPDX-License-Identifier: MIT */
/* class_bias.c - a bias for each class (van den Oord et al., "Conditional Image Generation with
 * PixelCNN Decoders", 2016, section 2.3). */
#include <pxr/layer.h>

static const struct pxr_parameter_doc parameters[] = {
        { "class.weight", "[1, 1, classes, channels]", "starts at zero" },
        { 0 },
};

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        (void)conf;
        return pxr_class_bias(builder, NULL, input);
}

static const struct pxr_layer class_bias = {
        .name = "class_bias",
        .summary = "adds a learned vector for the class of the image",
        .description =
                "The model becomes one of log p(image | class). Each class has a number for each\n"
                "channel, which is added at all pixels. Requires 'labels: true' in 'data'.",
        .parameters = parameters,
        .build = build,
        .check = "- conv: {mask: A, kernel: 3, features: 6}\n"
                 "- class_bias\n"
                 "- relu\n"
                 "- class_bias\n",
};
PXR_PLUGIN(class_bias)
