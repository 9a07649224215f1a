/* SPDX-License-Identifier: MIT */
/*
 * skip.c - layer-to-output connections, collected while the layers between are built.
 *
 * A nested builder is a copy of the one around it, so what is open there is seen within.
 */
#include <pxr/layer.h>

#include "tensor/graph.h"

struct pxr_skips {
        int features;
        struct pxr_node *sum; /* of what is connected; NULL: nothing yet */
        struct pxr_skips *outer;
};

int pxr_skip_open(struct pxr_builder *builder, int features)
{
        struct pxr_skips *skips = pxr_alloc(builder->graph->arena, sizeof(*skips));

        if (!skips)
                return -1;
        if (features < 1) {
                pxr_layer_error(builder, "layers cannot be connected to a sum of %d features",
                                features);
                return -1;
        }
        skips->features = features;
        skips->outer = builder->skips;
        builder->skips = skips;
        return 0;
}

struct pxr_node *pxr_skip_connect(struct pxr_builder *builder, double gain, struct pxr_node *input)
{
        struct pxr_skips *skips = builder->skips;
        struct pxr_node *connection;

        if (!input)
                return NULL;
        if (!skips)
                return pxr_layer_error(builder, "no output to connect to: put the skip among the "
                                                "layers of a skip_connections");
        connection = pxr_conv(builder, NULL,
                              &(struct pxr_conv) { .kernel = 1,
                                                   .mask = PXR_MASK_B,
                                                   .features = skips->features,
                                                   .bias = true,
                                                   .gain = gain },
                              input);
        skips->sum = skips->sum ? pxr_add(builder, skips->sum, connection) : connection;
        return skips->sum ? input : NULL;
}

struct pxr_node *pxr_skip_close(struct pxr_builder *builder)
{
        struct pxr_skips *skips = builder->skips;

        if (!skips)
                return pxr_layer_error(builder, "pxr_skip_close() without pxr_skip_open()");
        builder->skips = skips->outer;
        if (!skips->sum)
                return pxr_layer_error(
                        builder, "no layer is connected: put a skip after each layer to connect");
        return skips->sum;
}
