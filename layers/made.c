/* SPDX-License-Identifier: MIT */
/*
 * made.c - the masked autoencoder (Germain et al. 2015), in raster order.
 *
 * A hidden unit of degree m reads the first m values of the image, or hidden units of degree m at
 * most; the logits of value number d, from 0, read the last layer's units of degree d at most.
 *
 * Degrees are drawn: the paper's masks, but not its random orders of values, since pxr proves
 * models causal in raster order. With several masks, networks that share all weights differ in the
 * degrees of their units, and p is the mean over them. As in the paper, a step of training computes
 * one of them, in turn; without `cycle` it computes all, and their mean's gradient.
 */
#include "layers/masked_linear.h"

enum { MAX_LAYERS = 8, MAX_LEVELS = 256 };

struct made {
        int64_t hidden, layers, masks, seed;
        bool direct, cycle;
};

/* --- the mean of two distributions -------------------------------------------------------------
 */

struct mix {
        double share;     /* of the first input */
        struct turn turn; /* of the second input's network */
};

/* Probabilities of one value, and what part of each is the first input's. */
struct mixed {
        int levels;
        double log_a[MAX_LEVELS], log_b[MAX_LEVELS], log_p[MAX_LEVELS], part_a[MAX_LEVELS];
};

#define PXR_KERNELS_FILE "layers/made_kernels.h"
#include <pxr/precisions.h>

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

static int by_degree(const void *a, const void *b)
{
        const struct unit *left = a, *right = b;

        return left->degree != right->degree ? left->degree - right->degree
                                             : left->number - right->number;
}

/* `count` units of degrees drawn uniformly from `least` to `most`. With `renumber`, for the first
 * mask, units are numbered in that order, so that its weights need not be permuted. */
static struct units draw(struct pxr_random *random, int count, int least, int most, bool renumber)
{
        struct units units = { .count = count,
                               .unit = malloc(count * sizeof(struct unit)),
                               .alike = 1 };

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

/* --- the layer ---------------------------------------------------------------------------------
 */

static const struct pxr_option rows[] = {
        PXR_INT(struct made, hidden, NULL, 1, 65536, "units of each hidden layer"),
        PXR_INT(struct made, layers, "2", 1, MAX_LAYERS, "hidden layers"),
        PXR_INT(struct made, masks, "1", 1, 64,
                "networks of shared weights and different masks, whose mean is taken; the work "
                "of evaluation grows with their number"),
        PXR_INT(struct made, seed, "1", 0, 9007199254740992.0, "of the masks"),
        PXR_BOOL(struct made, cycle, "true",
                 "train one of the networks a step, in turn, instead of their mean"),
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
        int channels; /* logits of one value */
};

static struct turn turn_of(const struct made *made, int mask)
{
        return (struct turn) { mask, (int)made->masks, made->cycle && made->masks > 1 };
}

/* The network of one mask. */
static struct pxr_node *add_network(struct building *b, int mask)
{
        const struct made *made = b->made;
        uint64_t key = pxr_hash_name("made.degrees");
        struct pxr_random random = pxr_random((uint64_t)made->seed, PXR_RANDOM_INIT, (uint32_t)key,
                                              (uint32_t)(key >> 32), mask);
        struct units below = units_of_image(b->image), own;
        struct link link = { .below = &below, .biased = true, .init = weight_init };
        struct pxr_node *node = b->image;
        char name[32];

        link.shared = made->masks > 1;
        link.turn = turn_of(made, mask);
        for (int layer = 0; layer < made->layers; layer++) {
                own = draw(&random, (int)made->hidden, unit_of(&below, 0).degree,
                           image_values(b->image) - 1, mask == 0);
                snprintf(name, sizeof(name), "hidden_%d", layer + 1);
                link.name = name;
                link.shape = (struct pxr_shape) { own.count, 1, 1 };
                link.own = &own;
                link.rectified = true;
                link.owner = b->owner[layer];
                node = own.unit ? add_dense(b->builder, &link, b->image, node)
                                : pxr_layer_error(b->builder, "out of memory");
                b->owner[layer] = mask == 0 ? node : b->owner[layer];
                free(below.unit);
                below = own;
        }
        link.name = "output";
        link.rectified = false;
        link.owner = b->owner[made->layers];
        node = add_outputs(b->builder, link, b->channels, b->image, node);
        b->owner[made->layers] = mask == 0 ? node : link.owner;
        free(below.unit);
        return node;
}

/* The mean of the probabilities of `masks` networks, given in `mean`, and of one more. */
static struct pxr_node *add_to_mean(struct building *b, int masks, struct pxr_node *mean,
                                    struct pxr_node *logits)
{
        struct mix mix = { (double)masks / (masks + 1), turn_of(b->made, masks) };

        if (masks == 0 || !mean || !logits)
                return masks == 0 ? logits : NULL;
        return pxr_add_node(b->builder, &(struct pxr_new_node) { .op = &mix_op,
                                                                 .conf = &mix,
                                                                 .conf_size = sizeof(mix),
                                                                 .shape = logits->shape,
                                                                 .inputs = 2,
                                                                 .input = { mean, logits } });
}

static struct pxr_node *add_direct(const struct building *b)
{
        const struct units values = units_of_image(b->image);
        const struct link link = { .name = "direct", .below = &values, .init = pxr_init_zeros };

        return add_outputs(b->builder, link, b->channels, b->image, b->image);
}

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        const struct made *made = conf;
        int levels = pxr_image_levels(builder);
        const struct pxr_distribution *kind = pxr_discrete(levels);
        struct building b = { .builder = builder, .made = made, .image = input };
        struct pxr_node *direct = NULL, *mean = NULL;

        b.channels = kind->channels(levels);
        if (pxr_expect_image(builder, input))
                return NULL;
        if (image_values(input) < 2)
                return pxr_layer_error(builder, "an image of one value is too small for it");
        if (made->direct)
                direct = add_direct(&b);
        for (int mask = 0; mask < made->masks; mask++) {
                struct pxr_node *logits = add_network(&b, mask);

                if (made->direct)
                        logits = pxr_add(builder, logits, direct);
                mean = add_to_mean(&b, mask, mean, logits);
        }
        return pxr_output(builder, mean, kind);
}

static const struct pxr_layer made = {
        .name = "made",
        .summary = "MADE, an autoencoder masked to see only earlier values, as a whole model",
        .description =
                "A whole model, without layers before or after it (Germain et al. 2015). Values "
                "are\n"
                "in raster order; random masks set on which earlier values a hidden unit depends.",
        .options = &options,
        .parameters = parameters,
        .build = build,
        .check = "- made: {hidden: 40, layers: 2, masks: 2}\n",
};
PXR_PLUGIN(made)
