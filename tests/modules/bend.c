/* SPDX-License-Identifier: MIT */
/* bend.c - a layer of a user, y = tanh(x), which command_own_layer.sh edits. */
#include <pxr/elementwise.h>
#include <pxr/layer.h>

/* The value of x, and the slope in terms of that value y. */
PXR_ELEMENTWISE(bend_op, "bend", tanh(x), 1 - y * y)

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        (void)conf;
        return pxr_add_elementwise(builder, &bend_op, input);
}

static const struct pxr_layer bend_layer = {
        .name = "bend",
        .summary = "tanh(x)",
        .build = build,
};
PXR_PLUGIN(bend_layer)
