/* SPDX-License-Identifier: MIT */
/* residual.c - a residual connection around a list of layers (section 3.3). */
#include <pxr/layer.h>

struct residual {
        const struct pxr_yaml *layers;
};

static const struct pxr_option rows[] = {
        PXR_LAYERS(struct residual, layers, "the layers that the connection skips"),
        PXR_END,
};

static const struct pxr_options options = { .rows = rows, .size = sizeof(struct residual) };

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        const struct residual *residual = conf;
        int channels = input->shape.channels;
        struct pxr_node *output = pxr_build_layers(builder, NULL, residual->layers, input);

        if (output && output->shape.channels != channels)
                return pxr_layer_error(builder,
                                       "its layers must return as many channels as they get: they "
                                       "get %d and return %d",
                                       channels, output->shape.channels);
        return pxr_add(builder, output, input);
}

static const struct pxr_layer residual = {
        .name = "residual",
        .summary = "adds its input to the output of its layers",
        .description = "Output and input must have the same number of channels.",
        .options = &options,
        .build = build,
        .check = "- conv: {mask: A, kernel: 3, features: 6}\n"
                 "- residual: [relu, conv: {mask: B, kernel: 3, features: 6}]\n",
};
PXR_PLUGIN(residual)
