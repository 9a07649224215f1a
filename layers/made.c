/* SPDX-License-Identifier: MIT */
/*
 * made.c - the masked autoencoder (Germain et al. 2015), in raster order.
 *
 * A hidden unit of degree m reads the first m values of the image, or hidden units below it of
 * degree m at most; the logits of value number d, from 0, read the last layer's units of degree d
 * at most. With the units of each layer in the order of their degrees, what a unit reads is a
 * prefix, and a mask is the list of their lengths: a stair. A layer is a matrix [unit][image], so
 * a node of `units` rows, one column and one channel; the image itself and the logits are maps.
 *
 * Degrees are drawn (the masks of the paper: its connectivity, with the order of the values fixed,
 * for pxr proves models causal in raster order). With several masks, networks that share all
 * weights differ in the degrees of their units, and p is the mean of theirs, in training too.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pxr/layer.h>

enum { BLOCK = 32, MAX_LAYERS = 8, MAX_LEVELS = 256 };

struct made {
        int64_t hidden, layers, masks, seed;
        bool direct;
};

/* --- the stair ---------------------------------------------------------------------------------
 */

/* A dense layer under one mask. */
struct dense {
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

struct mix {
        double share; /* of the first input */
};

/* Probabilities of one value, and what part of each is the first input's. */
struct mixed {
        int levels;
        double log_a[MAX_LEVELS], log_b[MAX_LEVELS], log_p[MAX_LEVELS], part_a[MAX_LEVELS];
};

#define PXR_KERNELS_FILE "layers/made_kernels.h"
#include <pxr/precisions.h>

/* --- the ops -----------------------------------------------------------------------------------
 */

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
                          struct pxr_reach *reach)
{
        const struct dense *dense = node->conf;
        int channels = node->shape.channels,
            first = pxr_group_begin(channels, node->colours, colour);
        int wide = node->input[0]->shape.channels, cols = node->input[0]->shape.cols;

        if (first == pxr_group_begin(channels, node->colours, colour + 1))
                return;
        for (int i = 0; i < live(dense, (row * node->shape.cols + col) * channels + first); i++)
                reach->read(reach, 0, i / wide / cols, i / wide % cols,
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
        .flags = PXR_BACKWARD_READS_INPUT | PXR_BACKWARD_READS_OUTPUT,
        .kernels = { { dense_forward_f32, dense_backward_f32, dense_advance_f32 },
                     { dense_forward_f64, dense_backward_f64, dense_advance_f64 } },
        .scratch = dense_scratch,
        .depends = dense_depends,
        .multiply_adds = dense_multiply_adds,
};

static const struct pxr_op mix_op = {
        .name = "mix",
        .flags = PXR_BACKWARD_READS_INPUT,
        .kernels = { { mix_forward_f32, mix_backward_f32, mix_advance_f32 },
                     { mix_forward_f64, mix_backward_f64, mix_advance_f64 } },
};

/* Uniform, of variance 1 / inputs read, and twice that before a rectifier. Weights that the one
 * mask hides keep their zero. */
static void weight_init(const struct pxr_parameter *parameter, struct pxr_random *random,
                        double *values)
{
        const struct dense *dense = parameter->node->conf;

        for (int o = 0; o < dense->outputs; o++, values += dense->inputs) {
                int filled = dense->shared ? dense->inputs : live(dense, o);
                double terms = dense->shared ? 0.5 * dense->inputs : filled;
                double bound = sqrt((dense->rectified ? 6 : 3) / terms);

                for (int i = 0; i < filled; i++)
                        values[i] = bound * (2 * pxr_random_uniform(random) - 1);
        }
}

/* --- masks -------------------------------------------------------------------------------------
 */

/* Values or units in the order of their degrees. */
struct unit {
        int degree, number;
};

struct units {
        int count;
        struct unit *unit;
};

static int by_degree(const void *a, const void *b)
{
        const struct unit *left = a, *right = b;

        return left->degree != right->degree ? left->degree - right->degree
                                             : left->number - right->number;
}

/* `count` units, `alike` at a time of degrees `first`, first + 1, ...: the values of the image, and
 * the logits. */
static struct units in_sequence(int count, int first, int alike)
{
        struct units units = { count, malloc(count * sizeof(struct unit)) };

        for (int i = 0; i < count && units.unit; i++)
                units.unit[i] = (struct unit) { first + i / alike, i };
        return units;
}

/* `count` units of degrees drawn evenly from `least` to `most`. The first mask numbers its units
 * in their order, which spares it all rearranging. */
static struct units draw(struct pxr_random *random, int count, int least, int most, bool renumber)
{
        struct units units = { count, malloc(count * sizeof(struct unit)) };

        if (!units.unit)
                return units;
        for (int i = 0; i < count; i++)
                units.unit[i] =
                        (struct unit) { least + pxr_random_below(random, most - least + 1), i };
        qsort(units.unit, count, sizeof(struct unit), by_degree);
        for (int i = 0; i < count && renumber; i++)
                units.unit[i].number = i;
        return units;
}

/* The stair between two lists of units; NULL when memory is out. */
static struct dense *stair(const struct units *below, const struct units *own, int values,
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
                while (i < below->count && below->unit[i].degree <= own->unit[o].degree)
                        i++;
                *at++ = i;
        }
        for (int o = 0; o < own->count; o++)
                *at++ = own->unit[o].number;
        for (i = 0; i < below->count; i++)
                *at++ = below->unit[i].number;
        for (int value = 0, o = 0; value <= values; value++) {
                while (o < own->count && own->unit[o].degree < value)
                        o++;
                *at++ = o;
        }
        return dense;
}

/* --- the layer ---------------------------------------------------------------------------------
 */

static const struct pxr_option rows[] = {
        PXR_INT(struct made, hidden, NULL, 1, 65536, "units of each hidden layer"),
        PXR_INT(struct made, layers, "2", 1, MAX_LAYERS, "hidden layers"),
        PXR_INT(struct made, masks, "1", 1, 64,
                "networks of shared weights and different masks, whose mean is taken; the work "
                "grows with their number"),
        PXR_INT(struct made, seed, "1", 0, 9007199254740992.0, "of the masks"),
        PXR_BOOL(struct made, direct, "true", "connect the image with the logits as well"),
        PXR_END,
};

static const struct pxr_options options = {
        .rows = rows,
        .size = sizeof(struct made),
        .main = "hidden",
};

static const struct pxr_parameter_doc parameters[] = {
        { "hidden_1.weight", "[hidden, values]",
          "and hidden_2.weight [hidden, hidden], ...; with one mask, its entries are exactly zero, "
          "always" },
        { "hidden_1.bias", "[hidden]", "and hidden_2.bias, ...; start at zero" },
        { "output.weight", "[outputs, hidden]",
          "outputs are rows x cols x colours x levels, or without levels where there are 2" },
        { "output.bias", "[outputs]", "starts at zero" },
        { "direct.weight", "[outputs, values]", "starts at zero" },
        { 0 },
};

/* What is built, and the nodes of the first mask, which own the parameters. */
struct building {
        struct pxr_builder *builder;
        const struct made *made;
        struct pxr_node *image;
        const struct pxr_node *owner[MAX_LAYERS + 1];
        int values, channels; /* of the image; logits of one value */
};

/* One dense layer to be. */
struct link {
        const char *name;
        struct pxr_shape shape;
        const struct units *below, *own;
        bool rectified, biased, shared;
        pxr_init *init;
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

static struct pxr_node *add_dense(const struct building *b, const struct link *link,
                                  struct pxr_node *input)
{
        size_t size;
        bool ready = link->below->unit && link->own->unit;
        struct dense *dense = ready ? stair(link->below, link->own, b->values, &size) : NULL;
        struct pxr_node *node;

        if (!dense)
                return pxr_layer_error(b->builder, "out of memory");
        dense->cols = b->image->shape.cols;
        dense->rectified = link->rectified;
        dense->shared = link->shared;
        dense->permuted = link->owner != NULL;
        node = pxr_add_node(b->builder, &(struct pxr_new_node) { .op = &dense_op,
                                                                 .conf = dense,
                                                                 .conf_size = size,
                                                                 .shape = link->shape,
                                                                 .inputs = 1,
                                                                 .input = { input } });
        free(dense);
        return add_parameters(b->builder, node, link) ? NULL : node;
}

/* The last layer of a network, or the direct connections. */
static struct pxr_node *add_logits(const struct building *b, struct link link,
                                   struct pxr_node *input)
{
        const struct pxr_shape *image = &b->image->shape;
        struct units own = in_sequence(b->values * b->channels, 0, b->channels);
        struct pxr_node *node;

        link.shape = (struct pxr_shape) { image->rows, image->cols, image->channels * b->channels };
        link.own = &own;
        node = add_dense(b, &link, input);
        free(own.unit);
        return node;
}

/* The network of one mask. */
static struct pxr_node *add_network(struct building *b, int mask)
{
        const struct made *made = b->made;
        uint64_t key = pxr_hash_name("made.degrees");
        struct pxr_random random = pxr_random((uint64_t)made->seed, PXR_RANDOM_INIT, (uint32_t)key,
                                              (uint32_t)(key >> 32), mask);
        struct units below = in_sequence(b->values, 1, 1), own;
        struct link link = { .below = &below, .biased = true, .init = weight_init };
        struct pxr_node *node = b->image;
        char name[32];

        link.shared = made->masks > 1;
        for (int layer = 0; layer < made->layers && below.unit; layer++) {
                own = draw(&random, (int)made->hidden, below.unit[0].degree, b->values - 1,
                           mask == 0);
                snprintf(name, sizeof(name), "hidden_%d", layer + 1);
                link.name = name;
                link.shape = (struct pxr_shape) { own.count, 1, 1 };
                link.own = &own;
                link.rectified = true;
                link.owner = b->owner[layer];
                node = node ? add_dense(b, &link, node) : NULL;
                b->owner[layer] = mask == 0 ? node : b->owner[layer];
                free(below.unit);
                below = own;
        }
        link.name = "output";
        link.rectified = false;
        link.owner = b->owner[made->layers];
        node = node ? add_logits(b, link, node) : NULL;
        b->owner[made->layers] = mask == 0 ? node : link.owner;
        free(below.unit);
        return node;
}

/* The mean of the probabilities of `masks` networks, given in `mean`, and of one more. */
static struct pxr_node *add_to_mean(struct pxr_builder *builder, int masks, struct pxr_node *mean,
                                    struct pxr_node *logits)
{
        struct mix mix = { (double)masks / (masks + 1) };

        if (masks == 0 || !mean || !logits)
                return masks == 0 ? logits : NULL;
        return pxr_add_node(builder, &(struct pxr_new_node) { .op = &mix_op,
                                                              .conf = &mix,
                                                              .conf_size = sizeof(mix),
                                                              .shape = logits->shape,
                                                              .inputs = 2,
                                                              .input = { mean, logits } });
}

static struct pxr_node *add_direct(const struct building *b)
{
        struct units image = in_sequence(b->values, 1, 1);
        struct link link = { .name = "direct", .below = &image, .init = pxr_init_zeros };
        struct pxr_node *node = add_logits(b, link, b->image);

        free(image.unit);
        return node;
}

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        const struct made *made = conf;
        int levels = pxr_image_levels(builder);
        const struct pxr_distribution *kind = levels == 2 ? &pxr_bernoulli : &pxr_categorical;
        struct building b = { .builder = builder, .made = made, .image = input };
        struct pxr_node *direct = NULL, *mean = NULL;

        b.channels = kind->channels(levels);
        b.values = input->shape.rows * input->shape.cols * input->shape.channels;
        if (input->index > 0)
                return pxr_layer_error(builder,
                                       "it is a whole model: no layer can stand before it");
        if (b.values < 2)
                return pxr_layer_error(builder, "an image of one value is too small for it");
        if (made->direct)
                direct = add_direct(&b);
        for (int mask = 0; mask < made->masks; mask++) {
                struct pxr_node *logits = add_network(&b, mask);

                if (made->direct)
                        logits = pxr_add(builder, logits, direct);
                mean = add_to_mean(builder, mask, mean, logits);
        }
        return pxr_output(builder, mean, kind);
}

static const struct pxr_layer made = {
        .name = "made",
        .summary = "the whole model MADE: an autoencoder masked to see only earlier values",
        .description =
                "Ends a model, and is all of it (Germain et al. 2015). The order is that of the\n"
                "image's rows; what the masks draw is which hidden units see how far.",
        .options = &options,
        .parameters = parameters,
        .build = build,
        .check = "- made: {hidden: 40, layers: 2, masks: 2}\n",
};
PXR_PLUGIN(made)
