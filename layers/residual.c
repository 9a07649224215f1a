/* SPDX-License-Identifier: MIT */
/* residual.c - a residual connection round a list of layers (section 3.3). */
#include <pxr/layer.h>

struct residual {
        const struct pxr_yaml *layers;
};

static const struct pxr_option rows[] = {
        PXR_LAYERS(struct residual, layers, "the layers the connection goes round"),
        PXR_END,
};

static const struct pxr_options options = { .rows = rows, .size = sizeof(struct residual) };

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        const struct residual *residual = conf;

        return pxr_add(builder, pxr_build_layers(builder, NULL, residual->layers, input), input);
}

static const struct pxr_layer residual = {
        .name = "residual",
        .summary = "adds its input to the output of the layers in it",
        .description = "Output and input must have the same number of channels.",
        .options = &options,
        .build = build,
        .check = "- conv: {mask: A, kernel: 3, features: 6}\n"
                 "- residual: [relu, conv: {mask: B, kernel: 3, features: 6}]\n",
};
PXR_PLUGIN(residual)
