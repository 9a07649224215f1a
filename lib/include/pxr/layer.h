/* SPDX-License-Identifier: MIT */
/*
 * layer.h - a layer plugin: one exported descriptor.
 *
 *     static struct pxr_node *build(struct pxr_builder *builder, const void *conf,
 *                                   struct pxr_node *input)
 *     {
 *             return pxr_relu(builder, input);
 *     }
 *
 *     static const struct pxr_layer relu = {
 *             .name = "relu", .summary = "rectified linear unit: max(x, 0)", .build = build,
 *     };
 *     PXR_PLUGIN(relu)
 *
 * is all of a plugin. Build it as a shared module and put it into a folder of $PXR_LAYER_PATH.
 */
#ifndef PXR_LAYER_H
#define PXR_LAYER_H

#include <pxr/build.h>
#include <pxr/option.h>
#include <pxr/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One parameter in a layer's documentation. */
struct pxr_parameter_doc {
        const char *name;  /* "weight" */
        const char *shape; /* "[kernel height, kernel width, in, out]" */
        const char *meaning;
};

struct pxr_layer {
        const char *name;                           /* as in a spec */
        const char *summary;                        /* one line */
        const char *description;                    /* paragraphs, or NULL */
        const struct pxr_options *options;          /* NULL: the layer takes none */
        const struct pxr_parameter_doc *parameters; /* ended by a NULL name; NULL: none */

        /* Compose the layer on top of `input` and return its last node. `conf` is the struct that
         * `options` filled. NULL after an error, which pxr_layer_error() or a failed call has
         * recorded. Never touches numbers. */
        struct pxr_node *(*build)(struct pxr_builder *builder, const void *conf,
                                  struct pxr_node *input);

        /* Specs, one below the other as in `model:`, whose stacks `pxr-layers check` examines.
         * NULL: the layer with its defaults, behind a mask A convolution. */
        const char *check;
};

/* Build a list of layers (an option made with PXR_LAYERS) on top of `input`: for containers.
 * `part` names this use below the container's own name, for parameters: NULL, or the number of a
 * repetition ("0"). A layer whose name is taken there gets a number: conv, conv_2, conv_3. */
struct pxr_node *pxr_build_layers(struct pxr_builder *builder, const char *part,
                                  const struct pxr_yaml *layers, struct pxr_node *input);

/* Layer-to-output connections (section 3.3). A container opens a collection with the channels of
 * its sum before it builds its layers, and closes it afterwards; a layer in between connects its
 * input through a 1x1 convolution (mask B) of its own, to the innermost open collection, and
 * returns it unchanged. close() returns the sum of what was connected. All three return 0 (or a
 * node), or -1 (NULL) after an error. */
int pxr_skip_open(struct pxr_builder *builder, int features);
struct pxr_node *pxr_skip_connect(struct pxr_builder *builder, double gain, struct pxr_node *input);
struct pxr_node *pxr_skip_close(struct pxr_builder *builder);

/* Changes with the meaning of anything in the installed headers. */
#define PXR_ABI_VERSION 1

/* What is compared before a plugin's descriptor is believed. `magic`, `abi` and `sizes` never
 * move. */
struct pxr_plugin {
        char magic[8]; /* "pxrlayer" */
        uint32_t abi;
        uint32_t sizes[7];
        const char *version; /* of pxr's headers */
        const struct pxr_layer *layer;
};

#define PXR_PLUGIN_SIZES                                                                    \
        {                                                                                   \
                sizeof(struct pxr_plugin), sizeof(struct pxr_layer), sizeof(struct pxr_op), \
                        sizeof(struct pxr_node), sizeof(struct pxr_call),                   \
                        sizeof(struct pxr_option), sizeof(struct pxr_distribution)          \
        }

/* The one symbol a plugin exports. */
#define PXR_PLUGIN(layer_)                                                                      \
        __attribute__((visibility("default"))) extern const struct pxr_plugin pxr_plugin_entry; \
        const struct pxr_plugin pxr_plugin_entry = {                                            \
                { 'p', 'x', 'r', 'l', 'a', 'y', 'e', 'r' },                                     \
                PXR_ABI_VERSION,                                                                \
                PXR_PLUGIN_SIZES,                                                               \
                PXR_VERSION,                                                                    \
                &layer_,                                                                        \
        };

#ifdef __cplusplus
}
#endif
#endif
