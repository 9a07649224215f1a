/* SPDX-License-Identifier: MIT */
/*
 * op_conv.c - masked convolution (sections 3.1 and 3.4).
 *
 * A mask is a list of live taps and never a multiplier: the taps of rows above, then those to the
 * left, then at the pixel itself the channels of earlier (mask A) or also equal (mask B) colours.
 * In the order of the weights [kernel height][kernel width][in] these are a prefix, whose length
 * depends on the output's colour alone. (Masks by rows end with a row of taps, for all colours.) So
 * a pixel's live inputs are gathered into one row and multiplied by a staircase of weights. Masked
 * weights are never read and stay zero.
 */
#include <math.h>
#include <string.h>

#include "tensor/conv.h"
#include "tensor/gemm.h"

struct conv {
        struct pxr_conv settings;
        int height, width; /* of the kernel */
        int full;          /* taps of which every input channel is live */
};

/* A 1x1 convolution takes its input as it lies. */
static bool is_pointwise(const struct conv *conv)
{
        return conv->height == 1 && conv->width == 1;
}

/* A block of output channels: those of one gate and colour. */
struct columns {
        int begin, count;
};

static struct columns columns_of(const struct pxr_node *node, int gate, int colour)
{
        int block = node->shape.channels / node->gates;
        int begin = pxr_group_begin(block, node->colours, colour);

        return (struct columns) { gate * block + begin,
                                  pxr_group_begin(block, node->colours, colour + 1) - begin };
}

/* Live rows of the weight matrix [taps x in][out] for an output colour. */
static int live_inputs(const struct pxr_node *node, int colour)
{
        const struct conv *conv = node->conf;
        int channels = node->input[0]->shape.channels, live = conv->full * channels;

        if (conv->settings.mask == PXR_MASK_A)
                live += pxr_group_begin(channels, node->colours, colour);
        else if (conv->settings.mask == PXR_MASK_B)
                live += pxr_group_begin(channels, node->colours, colour + 1);
        return live;
}

/* Products are blocked by input group: an input that is live for a colour is live for all later
 * colours, so each block spans the columns of this colour and the later ones, and stays wide. */
struct part {
        int first, inputs;          /* rows of the weight matrix */
        int begin, columns, blocks; /* columns of the first gate, and how many gates */
};

static struct part part_of(const struct pxr_node *node, int colour)
{
        int block = node->shape.channels / node->gates;
        struct part part = { .begin = pxr_group_begin(block, node->colours, colour),
                             .blocks = node->gates };

        part.first = colour ? live_inputs(node, colour - 1) : 0;
        part.inputs = live_inputs(node, colour) - part.first;
        part.columns = block - part.begin;
        if (part.begin == 0) { /* the gates lie side by side */
                part.columns = node->shape.channels;
                part.blocks = 1;
        }
        return part;
}

/* Values of one gathered row. */
static int gathered_width(const struct pxr_node *node)
{
        const struct conv *conv = node->conf;

        if (is_pointwise(conv))
                return node->input[0]->shape.channels;
        return live_inputs(node, node->colours - 1);
}

/* Taps of which at least one channel is live for the last colour. */
static int live_taps(const struct pxr_node *node)
{
        int channels = node->input[0]->shape.channels;

        return (live_inputs(node, node->colours - 1) + channels - 1) / channels;
}

/* Rows to gather at once: about half a megabyte of floats, which stays in the second-level cache.
 */
static int chunk_rows(const struct pxr_node *node, int images)
{
        const size_t aim = 1 << 17;
        size_t width = gathered_width(node), back = (size_t)live_taps(node) * node->shape.channels;
        size_t row = (size_t)node->shape.cols * images * (width > back ? width : back);
        size_t rows = row ? aim / row : 1;

        return rows < 1 ? 1 : rows > (size_t)node->shape.rows ? node->shape.rows : (int)rows;
}

static size_t conv_scratch(const struct pxr_node *node, int images)
{
        const struct conv *conv = node->conf;
        size_t width = gathered_width(node), back = (size_t)live_taps(node) * node->shape.channels;
        size_t pixels = (size_t)chunk_rows(node, images) * node->shape.cols * images;

        if (is_pointwise(conv))
                return 0;
        return pixels * (width > back ? width : back) + back * node->input[0]->shape.channels;
}

static void conv_depends(const struct pxr_node *node, int row, int col, int colour,
                         struct pxr_dependencies *deps)
{
        const struct conv *conv = node->conf;
        int above = conv->height / 2, left = conv->width / 2, last = -1;

        for (int tap = 0; tap < conv->full; tap++)
                for (int c = 0; c < node->colours; c++)
                        deps->read(deps, 0, row + tap / conv->width - above,
                                   col + tap % conv->width - left, c);
        if (conv->settings.mask == PXR_MASK_A)
                last = colour - 1;
        else if (conv->settings.mask == PXR_MASK_B)
                last = colour;
        for (int c = 0; c <= last; c++)
                deps->read(deps, 0, row, col, c);
}

static double conv_multiply_adds(const struct pxr_node *node)
{
        double sum = 0;

        for (int colour = 0; colour < node->colours; colour++)
                sum += (double)live_inputs(node, colour) * columns_of(node, 0, colour).count;
        return sum * node->gates * node->shape.rows * node->shape.cols;
}

struct pxr_conv_columns pxr_conv_columns(const struct pxr_node *node, int gate, int colour)
{
        struct columns columns = columns_of(node, gate, colour);

        return (struct pxr_conv_columns) { columns.begin, columns.count,
                                           live_inputs(node, colour) };
}

/* Draw the initial weights, uniform within +-gain sqrt(3 / live inputs): variance gain^2 / live
 * inputs. They go to `values`, in which masked weights keep their zero, or if that is NULL, their
 * squares are added to squares[out]. */
static void draw_weights(const struct pxr_node *node, struct pxr_random *random, double *values,
                         double *squares)
{
        const struct conv *conv = node->conf;

        for (int gate = 0; gate < node->gates; gate++)
                for (int colour = 0; colour < node->colours; colour++) {
                        struct pxr_conv_columns at = pxr_conv_columns(node, gate, colour);
                        double bound = conv->settings.gain * sqrt(3.0 / (at.live ? at.live : 1));

                        for (int i = 0; i < at.live; i++)
                                for (int f = at.begin; f < at.begin + at.count; f++) {
                                        double x = bound * (2 * pxr_random_uniform(random) - 1);

                                        if (values)
                                                values[(size_t)i * node->shape.channels + f] = x;
                                        else
                                                squares[f] += x * x;
                                }
                }
}

void pxr_conv_init(const struct pxr_parameter *parameter, struct pxr_random *random, double *values)
{
        draw_weights(parameter->node, random, values, NULL);
}

void pxr_conv_init_squares(const struct pxr_node *node, struct pxr_random *random, double *squares)
{
        draw_weights(node, random, NULL, squares);
}

#define PXR_KERNELS_FILE "tensor/array_kernels.h"
#include <pxr/precisions.h>

#define PXR_KERNELS_FILE "tensor/conv_kernels.h"
#include <pxr/precisions.h>

#include "tensor/conv_mixed.h"

const struct pxr_op pxr_conv_op = {
        .name = "conv",
        .flags = PXR_BACKWARD_READS_INPUT | PXR_ADVANCE_AT_ITS_PIXEL,
        .kernels = { { forward_f32, backward_f32, advance_f32 },
                     { forward_f64, backward_f64, advance_f64 } },
        .scratch = conv_scratch,
        .depends = conv_depends,
        .multiply_adds = conv_multiply_adds,
        .mixed = &conv_mixed,
};

bool pxr_is_conv(const struct pxr_node *node)
{
        return node->op == &pxr_conv_op || node->op == &pxr_weight_norm_op;
}

static int full_taps(int mask, int height, int width)
{
        switch (mask) {
        case PXR_MASK_NONE:
                return height * width;
        case PXR_MASK_ABOVE:
                return height / 2 * width;
        case PXR_MASK_ROWS:
                return (height / 2 + 1) * width;
        default:
                return height * width / 2;
        }
}

struct pxr_node *pxr_conv_node(struct pxr_builder *builder, const struct pxr_op *op,
                               const struct pxr_conv *settings, struct pxr_node *input)
{
        struct conv conv = { .settings = *settings };
        int gates = settings->gates ? settings->gates : 1;
        int width = settings->kernel, height = settings->height ? settings->height : width;

        if (!input)
                return NULL;
        if (width < 1 || width % 2 == 0 || height < 1 || height % 2 == 0)
                return pxr_layer_error(builder, "the kernel must be odd, got %dx%d", height, width);
        if (input->gates != 1 && (settings->mask == PXR_MASK_A || settings->mask == PXR_MASK_B))
                return pxr_layer_error(
                        builder, "a masked convolution cannot follow a map that is cut into gates");
        if (settings->features < gates || settings->features % gates)
                return pxr_layer_error(builder, "a convolution of %d gates cannot have %d features",
                                       gates, settings->features);
        conv.height = height;
        conv.width = width;
        conv.full = full_taps(settings->mask, height, width);
        return pxr_add_node(
                builder, &(struct pxr_new_node) { .op = op,
                                                  .conf = &conv,
                                                  .conf_size = sizeof(conv),
                                                  .shape = { input->shape.rows, input->shape.cols,
                                                             settings->features },
                                                  .gates = gates,
                                                  .inputs = 1,
                                                  .input = { input } });
}

int pxr_conv_add_weight(struct pxr_builder *builder, const char *name, struct pxr_node *node)
{
        const struct conv *conv = node ? node->conf : NULL;

        if (!node)
                return -1;
        return pxr_add_parameter(builder, node,
                                 pxr_join_names(builder->graph->arena, name, "weight"),
                                 pxr_conv_init, 4,
                                 (int[]) { conv->height, conv->width,
                                           node->input[0]->shape.channels, node->shape.channels });
}

int pxr_conv_add_bias(struct pxr_builder *builder, const char *name,
                      const struct pxr_conv *settings, struct pxr_node *node)
{
        if (!settings->bias)
                return 0;
        return pxr_add_parameter(builder, node, pxr_join_names(builder->graph->arena, name, "bias"),
                                 settings->bias_init ? settings->bias_init : pxr_init_zeros, 1,
                                 &settings->features);
}

struct pxr_node *pxr_conv(struct pxr_builder *builder, const char *name,
                          const struct pxr_conv *settings, struct pxr_node *input)
{
        struct pxr_node *node = pxr_conv_node(builder, &pxr_conv_op, settings, input);

        return pxr_conv_add_weight(builder, name, node) ||
                               pxr_conv_add_bias(builder, name, settings, node)
                       ? NULL
                       : node;
}
