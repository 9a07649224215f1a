/* SPDX-License-Identifier: MIT */
/*
 * masked_linear.h - a dense layer from values or units to units or values, each of which reads only
 * those that depend on the values before it: an op for the plugins made and gaussian.
 *
 * A unit of degree m depends on the first m values of the image. With the units of each layer in
 * the order of their degrees, what a unit reads is a prefix of the layer below, and a mask is the
 * list of their lengths. A layer of units is a matrix [unit][image], so a node of `units`
 * rows, one column and one channel; the image itself and what comes out at the end are maps.
 */
#ifndef PXR_LAYERS_MASKED_LINEAR_H
#define PXR_LAYERS_MASKED_LINEAR_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pxr/layer.h>

enum { BLOCK = 32 };

/* Which of several networks that share their weights a node belongs to. With `cycle`, a step of
 * training computes one network, the next step the next one. */
struct turn {
        int network, networks;
        bool cycle;
};

/* Whether this is a step of training in which only network `network` is computed. */
static bool is_turn_of(const struct turn *turn, int network, const struct pxr_call *call)
{
        return turn->cycle && call->training &&
               call->training->step % turn->networks == (uint32_t)network;
}

static bool is_turn_of_another(const struct turn *turn, const struct pxr_call *call)
{
        return turn->cycle && call->training && !is_turn_of(turn, turn->network, call);
}

/* A dense layer under one mask. */
struct dense {
        struct turn turn;
        int inputs, outputs;
        int values; /* of the image */
        int cols;   /* of the image */
        bool rectified;
        bool permuted; /* units are not in the order of the weights */
        bool shared;   /* other masks use the weights as well */
        int table[]; /* live[outputs], output_unit[outputs], input_unit[inputs], due[values + 1] */
};

/* Outputs begin up to, not including, end, which all read `live` inputs or more. */
struct block {
        int begin, end, live;
};

/* How many inputs, from the first on, output o reads: never less than the output before it. */
static int live(const struct dense *dense, int o)
{
        return dense->table[o];
}

/* The row, and the column, of the weights that belong to output o and input i. */
static size_t output_unit(const struct dense *dense, int o)
{
        return dense->permuted ? dense->table[dense->outputs + o] : o;
}

static size_t input_unit(const struct dense *dense, int i)
{
        return dense->permuted ? dense->table[2 * dense->outputs + i] : i;
}

/* Outputs due(v) up to, not including, due(v + 1) are known once values 0 to v - 1 are. */
static int due(const struct dense *dense, int value)
{
        return dense->table[2 * dense->outputs + dense->inputs + value];
}

static struct block block_at(const struct dense *dense, int begin)
{
        int end = begin + BLOCK < dense->outputs ? begin + BLOCK : dense->outputs;

        return (struct block) { begin, end, begin < end ? live(dense, begin) : 0 };
}

/* Where unit number `unit` of the first image lies in a map. */
static size_t unit_at(const struct pxr_node *node, int images, int unit)
{
        int channels = node->shape.channels;

        return (size_t)(unit / channels) * images * channels + unit % channels;
}

#define PXR_KERNELS_FILE "layers/masked_linear_kernels.h"
#include <pxr/precisions.h>

/* What the kernels' room_of() divides: two matrices of images, and where units are permuted the
 * weights and their gradient. */
static size_t dense_scratch(const struct pxr_node *node, int images)
{
        const struct dense *dense = node->conf;
        size_t weights = (size_t)dense->outputs * dense->inputs;

        return ((size_t)dense->inputs + dense->outputs) * images +
               (dense->permuted ? 2 * weights : 0);
}

static void dense_depends(const struct pxr_node *node, int row, int col, int colour,
                          struct pxr_dependencies *deps)
{
        const struct dense *dense = node->conf;
        int channels = node->shape.channels,
            first = pxr_group_begin(channels, node->colours, colour);
        int wide = node->input[0]->shape.channels, cols = node->input[0]->shape.cols;

        if (first == pxr_group_begin(channels, node->colours, colour + 1))
                return;
        for (int i = 0; i < live(dense, (row * node->shape.cols + col) * channels + first); i++)
                deps->read(deps, 0, i / wide / cols, i / wide % cols,
                           i % wide * node->colours / wide);
}

static double dense_multiply_adds(const struct pxr_node *node)
{
        const struct dense *dense = node->conf;
        double sum = 0;

        for (int o = 0; o < dense->outputs; o++)
                sum += live(dense, o);
        return sum;
}

static const struct pxr_op dense_op = {
        .name = "masked_dense",
        .flags = PXR_BACKWARD_READS_INPUT | PXR_BACKWARD_READS_OUTPUT | PXR_ADVANCE_OF_ANY_SHAPE,
        .kernels = { { dense_forward_f32, dense_backward_f32, dense_advance_f32 },
                     { dense_forward_f64, dense_backward_f64, dense_advance_f64 } },
        .scratch = dense_scratch,
        .depends = dense_depends,
        .multiply_adds = dense_multiply_adds,
};

/* --- building ----------------------------------------------------------------------------------
 */

/* Values or units in the order of their degrees. Without a list, as the values of the image and the
 * logits: `alike` units at a time are of degree `first`, first + 1, ... */
struct unit {
        int degree, number;
};

struct units {
        int count;
        struct unit *unit;
        int first, alike;
};

static struct unit unit_of(const struct units *units, int i)
{
        return units->unit ? units->unit[i] : (struct unit) { units->first + i / units->alike, i };
}

/* Values of an image. */
static int image_values(const struct pxr_node *image)
{
        return image->shape.rows * image->shape.cols * image->shape.channels;
}

static struct units units_of_image(const struct pxr_node *image)
{
        return (struct units) { .count = image_values(image), .first = 1, .alike = 1 };
}

/* The mask between two lists of units; NULL when out of memory. */
static struct dense *make_dense(const struct units *below, const struct units *own, int values,
                                size_t *size)
{
        struct dense *dense;
        int *at, i = 0;

        *size = sizeof(*dense) + sizeof(int) * (2 * (size_t)own->count + below->count + values + 1);
        dense = malloc(*size);
        if (!dense)
                return NULL;
        *dense = (struct dense) { .inputs = below->count, .outputs = own->count, .values = values };
        at = dense->table;
        for (int o = 0; o < own->count; o++) {
                while (i < below->count && unit_of(below, i).degree <= unit_of(own, o).degree)
                        i++;
                *at++ = i;
        }
        for (int o = 0; o < own->count; o++)
                *at++ = unit_of(own, o).number;
        for (i = 0; i < below->count; i++)
                *at++ = unit_of(below, i).number;
        for (int value = 0, o = 0; value <= values; value++) {
                while (o < own->count && unit_of(own, o).degree < value)
                        o++;
                *at++ = o;
        }
        return dense;
}

/* One dense layer to be. */
struct link {
        const char *name;
        struct pxr_shape shape;
        const struct units *below, *own;
        bool rectified, biased, shared;
        pxr_init *init;
        struct turn turn;
        const struct pxr_node *owner; /* whose parameters it shares; NULL: they are its own */
};

static int add_parameters(struct pxr_builder *builder, struct pxr_node *node,
                          const struct link *link)
{
        int shape[] = { link->own->count, link->below->count };
        char name[64];

        if (link->owner)
                return pxr_share_parameter(node, link->owner, 0) ||
                       pxr_share_parameter(node, link->owner, 1);
        snprintf(name, sizeof(name), "%s.weight", link->name);
        if (pxr_add_parameter(builder, node, name, link->init, 2, shape))
                return -1;
        snprintf(name, sizeof(name), "%s.bias", link->name);
        return link->biased && pxr_add_parameter(builder, node, name, pxr_init_zeros, 1, shape);
}

/* A dense layer on top of `input`, which is the image or another dense layer. */
static struct pxr_node *add_dense(struct pxr_builder *builder, const struct link *link,
                                  const struct pxr_node *image, struct pxr_node *input)
{
        size_t size;
        struct dense *dense = make_dense(link->below, link->own, image_values(image), &size);
        struct pxr_node *node;

        if (!dense)
                return pxr_layer_error(builder, "out of memory");
        dense->cols = image->shape.cols;
        dense->turn = link->turn;
        dense->rectified = link->rectified;
        dense->shared = link->shared;
        dense->permuted = link->owner != NULL;
        node = pxr_add_node(builder, &(struct pxr_new_node) { .op = &dense_op,
                                                              .conf = dense,
                                                              .conf_size = size,
                                                              .shape = link->shape,
                                                              .inputs = 1,
                                                              .input = { input } });
        free(dense);
        return add_parameters(builder, node, link) ? NULL : node;
}

/* A dense layer that ends in a map: `channels` outputs for each value, of which number d, from 0,
 * reads what depends on the d values before it. link.own and link.shape are filled in. */
static struct pxr_node *add_outputs(struct pxr_builder *builder, struct link link, int channels,
                                    const struct pxr_node *image, struct pxr_node *input)
{
        const struct units own = { .count = image_values(image) * channels, .alike = channels };

        link.shape = (struct pxr_shape) { image->shape.rows, image->shape.cols,
                                          image->shape.channels * channels };
        link.own = &own;
        return add_dense(builder, &link, image, input);
}

#endif
