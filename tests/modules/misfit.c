/* SPDX-License-Identifier: MIT */
/*
 * misfit.c - a plugin that does not fit the program. Compiled once for each MISFIT, and once with
 * another SYMBOL.
 */
#include <pxr/layer.h>

enum misfit {
        NONE,
        OLD_ABI,
        OTHER_SIZES,
        WRONG_MAGIC,
        NO_NAME,
        BUILDS_NULL, /* without a word */
        GOES_ON,     /* reports an error and returns a node all the same */
};

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        (void)conf;
        if (MISFIT == GOES_ON)
                pxr_layer_error(builder, "something is wrong");
        return MISFIT == BUILDS_NULL ? NULL : input;
}

static const struct pxr_layer misfit = {
        .name = MISFIT == NO_NAME ? NULL : "misfit",
        .summary = "returns its input",
        .build = build,
};

#ifndef SYMBOL
#define SYMBOL pxr_plugin_entry
#endif
extern const struct pxr_plugin SYMBOL;
const struct pxr_plugin SYMBOL = {
        { 'p', 'x', 'r', 'l', 'a', 'y', 'e', MISFIT == WRONG_MAGIC ? '?' : 'r' },
        MISFIT == OLD_ABI ? 0 : PXR_ABI_VERSION,
        { sizeof(struct pxr_plugin), sizeof(struct pxr_layer), sizeof(struct pxr_op),
          sizeof(struct pxr_node) + (MISFIT == OTHER_SIZES ? 8 : 0), sizeof(struct pxr_call),
          sizeof(struct pxr_option), sizeof(struct pxr_distribution) },
        PXR_VERSION,
        &misfit,
        sizeof(struct pxr_mixed),
        PXR_PLUGIN_MORE_SIZES,
};
