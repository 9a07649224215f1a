/* SPDX-License-Identifier: MIT */
/* class_conditional.c - a model given the class of the image (van den Oord et al., "Conditional
 * Image Generation with PixelCNN Decoders", 2016, section 2.3). */
#include <pxr/layer.h>

struct class_conditional {
        const struct pxr_yaml *layers;
};

static const struct pxr_option rows[] = {
        PXR_LAYERS(struct class_conditional, layers, "the layers that the class conditions"),
        PXR_END,
};

static const struct pxr_options options = {
        .rows = rows,
        .size = sizeof(struct class_conditional),
};

static const struct pxr_parameter_doc parameters[] = {
        { "... class.weight", "[1, 1, classes, out]",
          "of each layer in it: added to its gates or its output; starts at zero" },
        { 0 },
};

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        const struct class_conditional *conditional = conf;

        if (!pxr_class(builder))
                return NULL;
        pxr_condition_on_class(builder);
        return pxr_build_layers(builder, NULL, conditional->layers, input);
}

static const struct pxr_layer class_conditional = {
        .name = "class_conditional",
        .summary = "its layers are given the class of the image",
        .description =
                "The model becomes one of log p(image | class). Each layer in it adds a learned\n"
                "vector for the class at all pixels: each convolution to its output, each LSTM "
                "and\n"
                "gated_conv to its gates, softmax or sigmoid to its logits; skips add nothing.\n"
                "Requires 'labels: true' in 'data'.",
        .options = &options,
        .parameters = parameters,
        .build = build,
        .check = "- class_conditional:\n"
                 "    - gated_conv: {features: 6, layers: 2, kernel: 3, first_kernel: 3}\n"
                 "    - row_lstm: {features: 6}\n"
                 "    - conv: {mask: B, kernel: 1, features: 5}\n"
                 "    - softmax\n",
};
PXR_PLUGIN(class_conditional)
