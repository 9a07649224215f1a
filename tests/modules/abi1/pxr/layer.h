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
 * is a whole plugin. Build it as a shared module and put it into a folder of $PXR_LAYER_PATH.
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

        /* Add the layer's nodes on top of `input` and return the last one. `conf` is the struct
         * that `options` filled. Returns NULL after an error, which pxr_layer_error() or a failed
         * call has recorded. It computes nothing. */
        struct pxr_node *(*build)(struct pxr_builder *builder, const void *conf,
                                  struct pxr_node *input);

        /* The model that `pxr-layers check` tests, as YAML: a list of layers, as in `model:`. NULL:
         * a mask A convolution and then this layer with its defaults. */
        const char *check;
};

/* Build a list of layers (an option of type PXR_LAYERS) on top of `input`, in a container. `prefix`
 * comes between the container's name and theirs in the names of parameters, such as the number of
 * a repetition ("0"); NULL: nothing. Layers of the same name are numbered: conv, conv_2, conv_3. */
struct pxr_node *pxr_build_layers(struct pxr_builder *builder, const char *prefix,
                                  const struct pxr_yaml *layers, struct pxr_node *input);

/* Layer-to-output connections (section 3.3). A container opens a sum of `features` channels before
 * it builds its layers and closes it afterwards. A layer in between connects its input to the
 * innermost open sum by a 1x1 convolution (mask B) of its own; connect() returns `input`. close()
 * returns the sum. After an error they return -1 or NULL. */
int pxr_skip_open(struct pxr_builder *builder, int features);
struct pxr_node *pxr_skip_connect(struct pxr_builder *builder, double gain, struct pxr_node *input);
struct pxr_node *pxr_skip_close(struct pxr_builder *builder);

/* Incremented with each incompatible change of the installed headers. */
#define PXR_ABI_VERSION 1

/* Compared before a plugin's descriptor is used. `magic`, `abi` and `sizes` never move. */
struct pxr_plugin {
        char magic[8]; /* "pxrlayer" */
        uint32_t abi;
        uint32_t sizes[7];
        const char *version; /* of the headers it was built with */
        const struct pxr_layer *layer;
};

#define PXR_PLUGIN_SIZES                                                                    \
        {                                                                                   \
                sizeof(struct pxr_plugin), sizeof(struct pxr_layer), sizeof(struct pxr_op), \
                        sizeof(struct pxr_node), sizeof(struct pxr_call),                   \
                        sizeof(struct pxr_option), sizeof(struct pxr_distribution)          \
        }

/* Defines the one symbol that a plugin exports. */
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
