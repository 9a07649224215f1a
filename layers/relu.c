/* SPDX-License-Identifier: MIT */
/* relu.c - rectified linear unit. */
#include <pxr/layer.h>

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        (void)conf;
        return pxr_relu(builder, input);
}

static const struct pxr_layer relu = {
        .name = "relu",
        .summary = "rectified linear unit: max(x, 0)",
        .build = build,
};
PXR_PLUGIN(relu)
