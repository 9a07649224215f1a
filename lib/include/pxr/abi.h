/* SPDX-License-Identifier: MIT */
/*
 * abi.h - what a plugin and the program that loads it agree on, and what will not change.
 *
 * A plugin that was built with the headers of one version of pxr works with all later versions that
 * have the same PXR_ABI_VERSION, without being rebuilt. As long as that number is the same:
 *
 * - Functions and variables keep their names and types. New ones may be added.
 * - Fields keep their order, types and meaning. New ones are added at the end, and only to these
 *   structs:
 *     - pxr_plugin, pxr_layer, pxr_parameter_doc, pxr_options, pxr_option, pxr_variant, pxr_op,
 *       pxr_mixed, pxr_distribution and pxr_pixel_distribution, which a plugin defines as
 *       constants. The program knows their size in the plugin (struct pxr_plugin) and takes fields
 *       beyond it for zero, which always means what the program did before it had the field;
 *     - pxr_node, pxr_parameter, pxr_call, pxr_nll_call, pxr_pixel and pxr_dependencies, which the
 *       program makes and a plugin only reads, never copies.
 * - All other structs stay as they are: those within others, and arguments such as pxr_new_node and
 *   pxr_conv. What needs more is a new function with a struct of its own.
 * - Constants keep their values: PXR_MAX_INPUTS and the like, enumerators, flags. Enumerators are
 *   added at the end.
 * - Macros that a plugin expands, such as PXR_ELEMENTWISE, may change: the plugin contains what
 *   they were when it was built.
 *
 * A plugin that was built with newer headers than the program's is refused if one of its structs is
 * longer, or if it uses a function that the program does not have.
 *
 * What a plugin must hold to:
 *
 * - It exports one symbol, pxr_plugin_entry, which PXR_PLUGIN() defines.
 * - Its descriptor, tables and ops are constant, and last as long as it is loaded. node->op may be
 *   a copy of the op: compare names, not addresses.
 * - It uses only what the installed headers declare.
 * - Kernels are called from several threads at once. They keep nothing outside their call, and do
 *   not allocate, print, exit, or change the rounding mode.
 * - It may be written in C (C11 or later) or C++ (C++17 or later). No C++ exception may leave it.
 *   In C++, write `struct pxr_conv` and the like in full where a function has the same name.
 */
#ifndef PXR_ABI_H
#define PXR_ABI_H

#include <stdint.h>

#include <pxr/version.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pxr_layer;

/* Incremented with each change of the installed headers that breaks this promise: plugins must then
 * be rebuilt, and those that were not are refused. */
#define PXR_ABI_VERSION 1

/* The one thing a plugin exports. Compared before anything else is read. */
struct pxr_plugin {
        char magic[8]; /* "pxrlayer" */
        uint32_t abi;
        uint32_t sizes[7];   /* PXR_PLUGIN_SIZES */
        const char *version; /* of the headers it was built with */
        const struct pxr_layer *layer;
        uint32_t mixed_size;    /* of struct pxr_mixed */
        uint32_t more_sizes[4]; /* PXR_PLUGIN_MORE_SIZES */
};

/* Sizes of structs that can grow, as the plugin was built with them. */
#define PXR_PLUGIN_SIZES                                                                    \
        {                                                                                   \
                sizeof(struct pxr_plugin), sizeof(struct pxr_layer), sizeof(struct pxr_op), \
                        sizeof(struct pxr_node), sizeof(struct pxr_call),                   \
                        sizeof(struct pxr_option), sizeof(struct pxr_distribution)          \
        }
#define PXR_PLUGIN_MORE_SIZES                                                        \
        {                                                                            \
                sizeof(struct pxr_pixel_distribution), sizeof(struct pxr_options),   \
                        sizeof(struct pxr_variant), sizeof(struct pxr_parameter_doc) \
        }

/* Defines it, for a struct pxr_layer. Include <pxr/layer.h>. */
#define PXR_PLUGIN(layer_)                                                                      \
        __attribute__((visibility("default"))) extern const struct pxr_plugin pxr_plugin_entry; \
        const struct pxr_plugin pxr_plugin_entry = {                                            \
                { 'p', 'x', 'r', 'l', 'a', 'y', 'e', 'r' },                                     \
                PXR_ABI_VERSION,                                                                \
                PXR_PLUGIN_SIZES,                                                               \
                PXR_VERSION,                                                                    \
                &layer_,                                                                        \
                sizeof(struct pxr_mixed),                                                       \
                PXR_PLUGIN_MORE_SIZES,                                                          \
        };

#ifdef __cplusplus
}
#endif
#endif
