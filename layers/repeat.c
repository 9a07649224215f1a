/* SPDX-License-Identifier: MIT */
/* repeat.c - a list of layers built several times, each time with its own parameters. */
#include <stdio.h>

#include <pxr/layer.h>

struct repeat {
        int64_t count;
        const struct pxr_yaml *layers;
};

static const struct pxr_option rows[] = {
        PXR_INT(struct repeat, count, NULL, 1, 1000, "times the layers are built"),
        PXR_LAYERS(struct repeat, layers, "the layers"),
        PXR_END,
};

static const struct pxr_options options = {
        .rows = rows,
        .size = sizeof(struct repeat),
        .main = "count",
};

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        const struct repeat *repeat = conf;

        for (int i = 0; i < repeat->count; i++) {
                char part[32];

                snprintf(part, sizeof(part), "%d", i);
                input = pxr_build_layers(builder, part, repeat->layers, input);
        }
        return input;
}

static const struct pxr_layer repeat = {
        .name = "repeat",
        .summary = "builds its layers several times, one on top of the other",
        .options = &options,
        .build = build,
        .check = "- conv: {mask: A, kernel: 3, features: 6}\n"
                 "- repeat: 2\n"
                 "  layers: [relu, conv: {mask: B, kernel: 3, features: 6}]\n",
};
PXR_PLUGIN(repeat)
