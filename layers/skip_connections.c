/* SPDX-License-Identifier: MIT */
/* skip_connections.c - the sum of what the layers in it connect to the output (section 3.3). */
#include <pxr/layer.h>

struct skip_connections {
        int64_t features;
        const struct pxr_yaml *layers;
};

static const struct pxr_option rows[] = {
        PXR_INT(struct skip_connections, features, NULL, 1, 65536, "channels of the output"),
        PXR_LAYERS(struct skip_connections, layers,
                   "the layers, with a skip after each one to connect"),
        PXR_END,
};

static const struct pxr_options options = { .rows = rows, .size = sizeof(struct skip_connections) };

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        const struct skip_connections *skips = conf;

        if (pxr_skip_open(builder, skips->features) ||
            !pxr_build_layers(builder, NULL, skips->layers, input))
                return NULL;
        return pxr_skip_close(builder);
}

static const struct pxr_layer skip_connections = {
        .name = "skip_connections",
        .summary = "its output is a sum of learned connections from its layers",
        .description =
                "Each `skip` among the layers (in a repeat or a residual, too) leads from there\n"
                "to the output through a 1x1 convolution of its own. The output is the sum of\n"
                "these connections: the last layer contributes only if a skip follows it.",
        .options = &options,
        .build = build,
        .check = "- conv: {mask: A, kernel: 3, features: 6}\n"
                 "- skip_connections:\n"
                 "    features: 5\n"
                 "    layers:\n"
                 "      - repeat: 2\n"
                 "        layers:\n"
                 "          - residual: [relu, conv: {mask: B, kernel: 3, features: 6}]\n"
                 "          - skip\n",
};
PXR_PLUGIN(skip_connections)
