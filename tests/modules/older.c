/* SPDX-License-Identifier: MIT */
/*
 * older.c - a layer that is built with the headers of an earlier pxr, in abi1/, and with shorter
 * ones yet. It brings options, an op, a parameter and, with OUTPUT, a distribution of its own,
 * which the program must complete.
 */
#include <pxr/elementwise.h>
#include <pxr/layer.h>

PXR_ELEMENTWISE(bend, "bend", tanh(x), 1 - y * y)

struct conf {
        int64_t features;
        double gain;
        struct pxr_choice bias;
};

/* A choice and a list of names, whose tables the program copies. */
struct constant {
        double value;
};
static const struct pxr_option constant_rows[] = {
        PXR_REAL(struct constant, value, "0.5", -1, 1, "the initial value"),
        PXR_END,
};
static const struct pxr_options constant_options = { .rows = constant_rows,
                                                     .size = sizeof(struct constant),
                                                     .main = "value" };
static const struct pxr_variant biases[] = {
        { .name = "none", .help = "no bias" },
        { .name = "constant", .help = "a bias", .options = &constant_options },
        { 0 },
};
static const struct pxr_option rows[] = {
        PXR_INT(struct conf, features, "6", 1, 64, "channels of the output"),
        PXR_REAL(struct conf, gain, "0.5", 0, 2, "of the convolution"),
        PXR_CHOICE(struct conf, bias, "constant", biases, "of the convolution"),
        PXR_END,
};
static const struct pxr_options options = { .rows = rows, .size = sizeof(struct conf) };

static const struct pxr_parameter_doc parameters[] = {
        { .name = "in.weight", .shape = "[1, 1, in, features]" },
        { 0 },
};

static struct pxr_node *build(struct pxr_builder *builder, const void *options,
                              struct pxr_node *input)
{
        const struct conf *conf = options;
        const struct constant *constant = conf->bias.conf;
        struct pxr_conv conv = { .kernel = 1,
                                 .mask = PXR_MASK_B,
                                 .features = (int)conf->features,
                                 .bias = constant && constant->value == 0.5,
                                 .gain = conf->gain };
        struct pxr_node *output =
                pxr_add_elementwise(builder, &bend, pxr_conv(builder, "in", &conv, input));

#ifdef OUTPUT
        static struct pxr_distribution coin;

        coin = pxr_bernoulli; /* as much of it as these headers know */
        coin.name = "coin";
        output = pxr_output_conv(builder, output, &coin);
#endif
        return output;
}

static const struct pxr_layer layer = {
        .name = "older",
        .summary = "a layer of an earlier pxr",
        .options = &options,
        .parameters = parameters,
        .build = build,
};
PXR_PLUGIN(layer)
