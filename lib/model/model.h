/* SPDX-License-Identifier: MIT */
/*
 * model.h - a spec's `model:` list built into a graph.
 */
#ifndef PXR_MODEL_MODEL_H
#define PXR_MODEL_MODEL_H

#include "model/plugin.h"
#include "tensor/graph.h"

/* One layer as it was built. Containers come after what they hold. */
struct pxr_built_layer {
        const char *path; /* "layers.1.0.residual.conv": what its parameters' names begin with */
        const struct pxr_plugin_file *plugin;
        int depth;                     /* 0 for an item of `model:` itself */
        int first, end;                /* its nodes, those of the layers in it included */
        const struct pxr_node *output; /* its last node */
        size_t parameters;             /* values of these nodes' own */
        double multiply_adds;          /* of these nodes' forward pass, for one image */
        struct pxr_built_layer *next;
};

struct pxr_model {
        struct pxr_graph *graph;
        struct pxr_built_layer *layer; /* the first */
        int layers;
};

/* Check the options of the list of layers `model`, and complete them in the tree, without building
 * anything. Returns 0, or -1 after errors. */
int pxr_model_check(struct pxr_arena *arena, const struct pxr_plugins *plugins,
                    struct pxr_yaml *model, struct pxr_diag *diag);

/* Build the list of layers `model` for images of `kind`, whose labels tell so many classes apart
 * (0: they have no labels). All options are checked, and completed in the tree, before anything is
 * built. With `part`, for checks of single layers, a list without an output is ended by a 1x1
 * convolution to a categorical distribution. NULL after errors. */
struct pxr_model *pxr_model_build(struct pxr_arena *arena, const struct pxr_plugins *plugins,
                                  struct pxr_yaml *model, const struct pxr_image_kind *kind,
                                  int classes, bool part, struct pxr_diag *diag);

/* What a model is called after what carries information between its pixels: "row" and "diagonal"
 * with an LSTM, else the name of a layer that does it by an op of its own, "pixelcnn" with
 * convolutions alone; of several the one with the most multiply-adds. Where pixels are independent,
 * the name of the first layer. */
const char *pxr_model_family(const struct pxr_model *model);

/* The first layer of a plugin's from `layer` on (its `next`, say) that no layer before it is of:
 * for going through the plugins a model uses, each once. NULL: there is none. */
const struct pxr_built_layer *pxr_layer_of_new_plugin(const struct pxr_model *model,
                                                      const struct pxr_built_layer *layer);

#endif
