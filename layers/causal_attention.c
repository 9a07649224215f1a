/* SPDX-License-Identifier: MIT */
/*
 * causal_attention.c - self-attention over earlier pixels (Chen et al., "PixelSNAIL", 2018; Vaswani
 * et al., "Attention is all you need", 2017, section 3.2).
 *
 * A query of pixel p attends to the keys of the pixels before p, whose values are known whole: so
 * keys and values are computed from all colours of their pixel, and queries from the earlier and
 * the same colour. The map of keys and values is what generation keeps.
 */
#include <math.h>
#include <string.h>

#include <pxr/bf16.h>
#include <pxr/layer.h>
#include <pxr/levels.h>
#include <pxr/vecmath.h>

enum { QUERY, MEMORY }; /* inputs; memory: keys and values */

struct causal_attention {
        int64_t features, heads;
        double gain;
};

static const struct pxr_option rows[] = {
        PXR_INT(struct causal_attention, features, NULL, 1, 65536,
                "channels of the output, and of queries, keys and values; at least one for each "
                "head of each colour"),
        PXR_INT(struct causal_attention, heads, "1", 1, 1024, "attentions of each colour"),
        PXR_REAL(struct causal_attention, gain, "1", 0, 100,
                 "weights start uniform within +-gain sqrt(3 / live inputs)"),
        PXR_END,
};

static const struct pxr_options options = { .rows = rows, .size = sizeof(struct causal_attention) };

static size_t pixels_of(const struct pxr_node *node)
{
        return (size_t)node->shape.rows * node->shape.cols;
}

/* Heads of all colours. */
static int heads_of(const struct pxr_node *node)
{
        const struct causal_attention *attention = node->conf;

        return node->colours * (int)attention->heads;
}

/* The first channel of head number `number`: they divide the channels as colour groups do, so that
 * the heads of a colour are its group. */
static int head_begin(const struct pxr_node *node, int number)
{
        return pxr_group_begin(node->shape.channels, heads_of(node), number);
}

/* Which bias a query at column `col` has for the first key of a row so far above it; those of the
 * row's other keys follow. [head][rows above][2 cols - 1] */
static size_t bias_at(const struct pxr_node *node, int head, int above, int col)
{
        int wide = 2 * node->shape.cols - 1;

        return ((size_t)head * node->shape.rows + above) * wide + node->shape.cols - 1 - col;
}

/* Weights of a row of queries over all pixels, and their gradients. */
static size_t scratch(const struct pxr_node *node, int images)
{
        (void)images;
        return 2 * node->shape.cols * pixels_of(node);
}

/* Keys and values of earlier pixels. */
static size_t advance_state(const struct pxr_node *node, int images)
{
        return 2 * pxr_map_size(node, images);
}

static void depends(const struct pxr_node *node, int row, int col, int colour,
                    struct pxr_dependencies *deps)
{
        deps->read(deps, QUERY, row, col, colour);
        for (int pixel = 0; pixel < row * node->shape.cols + col; pixel++)
                deps->read(deps, MEMORY, pixel / node->shape.cols, pixel % node->shape.cols,
                           colour);
}

static double multiply_adds(const struct pxr_node *node)
{
        double pixels = (double)pixels_of(node);

        return node->shape.channels * pixels * (pixels - 1);
}

#define PXR_KERNELS_FILE "layers/causal_attention_kernels.h"
#include <pxr/precisions.h>

#include "layers/causal_attention_mixed.h"

PXR_INLINE void advance_f32_body(const struct pxr_call *call)
{
        advance_all_f32(call);
}
PXR_FOR_EACH_LEVEL(static, void, advance_f32, (const struct pxr_call *call), (call))

static void advance_f64(const struct pxr_call *call)
{
        advance_all_f64(call);
}

static const struct pxr_op attention_op = {
        .name = "attention",
        .flags = PXR_BACKWARD_READS_INPUT | PXR_ADVANCE_AT_ITS_PIXEL,
        .kernels = { { forward_f32, backward_f32, advance_f32 },
                     { forward_f64, backward_f64, advance_f64 } },
        .scratch = scratch,
        .advance_state = advance_state,
        .depends = depends,
        .multiply_adds = multiply_adds,
        .mixed = &attention_mixed,
};

static const struct pxr_parameter_doc parameters[] = {
        { "query.weight", "[1, 1, in, features]", "masked entries (mask B) are exactly zero" },
        { "memory.weight", "[1, 1, in, 2 features]", "of keys, then of values" },
        { "position", "[heads, rows, 2 cols - 1]",
          "added to the logits of attention: by the rows that a key is above its query, and the "
          "columns that it is to its right, from -(cols - 1) on; starts at zero" },
        { "output.weight", "[1, 1, features, features]", "masked entries are exactly zero" },
        { "output.bias", "[features]", "starts at zero" },
        { 0 },
};

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        const struct causal_attention *attention = conf;
        struct pxr_conv query = { .kernel = 1,
                                  .mask = PXR_MASK_B,
                                  .features = attention->features,
                                  .gain = attention->gain };
        struct pxr_conv memory = query, output = query;
        int all = (int)attention->heads * pxr_image_colours(builder);
        struct pxr_node *node;

        if (attention->features < all)
                return pxr_layer_error(builder,
                                       "features: must be at least %d, which is heads x colours, "
                                       "got %d",
                                       all, (int)attention->features);
        memory.mask = PXR_MASK_NONE;
        memory.features *= memory.gates = 2;
        output.bias = true;
        node = pxr_add_node(
                builder,
                &(struct pxr_new_node) {
                        .op = &attention_op,
                        .conf = conf,
                        .conf_size = sizeof(*attention),
                        .shape = { input->shape.rows, input->shape.cols, query.features },
                        .inputs = 2,
                        .input = { [QUERY] = pxr_conv(builder, "query", &query, input),
                                   [MEMORY] = pxr_conv(builder, "memory", &memory, input) } });
        if (pxr_add_parameter(builder, node, "position", pxr_init_zeros, 3,
                              (int[]) { (int)attention->heads, input->shape.rows,
                                        2 * input->shape.cols - 1 }))
                return NULL;
        return pxr_conditioned(builder, NULL, pxr_conv(builder, "output", &output, node));
}

static const struct pxr_layer causal_attention = {
        .name = "causal_attention",
        .summary = "self-attention over all earlier pixels",
        .description =
                "Each pixel's query is compared with the keys of all pixels before it, and the\n"
                "softmax of (q k / sqrt(size of q) + position) weighs their values; the first\n"
                "pixel gets zeros. A 1x1 convolution (mask B) of that is the output. With three\n"
                "colours each has queries, keys and values of its own; keys and values are made\n"
                "of all colours of their pixel. Time and the map of weights grow with the square\n"
                "of the pixels.",
        .options = &options,
        .parameters = parameters,
        .build = build,
        .check = "- conv: {mask: A, kernel: 3, features: 6}\n"
                 "- causal_attention: {features: 12, heads: 2}\n"
                 "- causal_attention: {features: 7}\n",
};
PXR_PLUGIN(causal_attention)
