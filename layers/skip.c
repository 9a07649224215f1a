/* SPDX-License-Identifier: MIT */
/* skip.c - a learned connection to the output of the enclosing skip_connections. */
#include <pxr/layer.h>

struct skip {
        double gain;
};

static const struct pxr_option rows[] = {
        PXR_REAL(struct skip, gain, "1", 0, 100,
                 "weights start uniform within +-gain sqrt(3 / live inputs)"),
        PXR_END,
};

static const struct pxr_options options = { .rows = rows, .size = sizeof(struct skip) };

static const struct pxr_parameter_doc parameters[] = {
        { "weight", "[1, 1, in, features]", "of the 1x1 convolution to the output" },
        { "bias", "[features]", "starts at zero" },
        { 0 },
};

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        return pxr_skip_connect(builder, ((const struct skip *)conf)->gain, input);
}

static const struct pxr_layer skip = {
        .name = "skip",
        .summary = "connects the layer above to the output of the enclosing skip_connections",
        .description = "A 1x1 convolution (mask B) leads from here to the output. What follows in\n"
                       "the list gets the same input as if the skip were not there.",
        .options = &options,
        .parameters = parameters,
        .build = build,
        .check = "- conv: {mask: A, kernel: 3, features: 6}\n"
                 "- skip_connections:\n"
                 "    features: 7\n"
                 "    layers:\n"
                 "      - skip\n"
                 "      - conv: {mask: B, kernel: 3, features: 5}\n"
                 "      - skip\n",
};
PXR_PLUGIN(skip)
