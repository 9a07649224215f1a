/* SPDX-License-Identifier: MIT */
/*
 * gated_conv.c - the two stacks of Gated PixelCNN (van den Oord et al., "Conditional Image
 * Generation with PixelCNN Decoders", 2016, section 2).
 */
#include <stdio.h>

#include <pxr/layer.h>

struct gated_conv {
        int mask;
        int64_t features, layers, kernel, first_kernel;
        double dropout, gain;
        bool weight_norm;
};

static const char *const masks[] = { "A", "B", NULL };

static const struct pxr_option rows[] = {
        PXR_INT(struct gated_conv, features, NULL, 1, 65536, "channels of each stack"),
        PXR_INT(struct gated_conv, layers, NULL, 1, 1000, "gated layers, with the first"),
        PXR_INT(struct gated_conv, kernel, "3", 3, 63, "side of the kernels; odd"),
        PXR_INT(struct gated_conv, first_kernel, "7", 3, 63, "side of the first kernels; odd"),
        PXR_ENUM(struct gated_conv, mask, "A", masks,
                 "of the first layer. A: at its own pixel only earlier colours are read (the first "
                 "layer of a model); B: also the same colour"),
        PXR_REAL(struct gated_conv, dropout, "0", 0, 0.999,
                 "probability that a gated value of the horizontal stack is zeroed in training"),
        PXR_REAL(struct gated_conv, gain, "1", 0, 100,
                 "weights start uniform within +-gain sqrt(3 / live inputs)"),
        PXR_BOOL(struct gated_conv, weight_norm, "false",
                 "weights of a feature are scale v / |v|, with a learned scale, in all its "
                 "convolutions"),
        PXR_END,
};

static const char *check(const void *conf, const char **message)
{
        const struct gated_conv *gated = conf;

        *message = "must be odd, so that it has a centre";
        if (gated->kernel % 2 == 0)
                return "kernel";
        return gated->first_kernel % 2 == 0 ? "first_kernel" : NULL;
}

static const struct pxr_options options = {
        .rows = rows,
        .size = sizeof(struct gated_conv),
        .check = check,
};

static const struct pxr_parameter_doc parameters[] = {
        { "N.vertical.weight", "[kernel, kernel, in, 2 features]",
          "of layer number N, to both gates; rows below are exactly zero, and the own row of N = "
          "0" },
        { "N.horizontal.weight", "[1, kernel, in, 2 features]", "masked entries are exactly zero" },
        { "N.across.weight", "[1, 1, 2 features, 2 features]",
          "from the vertical to the horizontal stack" },
        { "N.output.weight", "[1, 1, features, features]",
          "after the horizontal gates; added to the layer's input, except that of N = 0" },
        { "N. ... .scale", "[out]",
          "of each of these, with weight_norm, whose v is `weight`; starts at |v|" },
        { "N. ... .bias", "[out]", "of each of these but across; starts at zero" },
        { 0 },
};

/* A convolution of layer number `number`, conditioned if it leads to gates, once each. */
static struct pxr_node *add_conv(struct pxr_builder *builder, const struct gated_conv *gated,
                                 int number, const char *part, struct pxr_conv conv,
                                 struct pxr_node *input)
{
        char name[64];

        snprintf(name, sizeof(name), "%d.%s", number, part);
        conv.gain = gated->gain;
        input = (gated->weight_norm ? pxr_weight_norm_conv : pxr_conv)(builder, name, &conv, input);
        return conv.bias && conv.gates ? pxr_conditioned(builder, name, input) : input;
}

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        const struct gated_conv *gated = conf;
        struct pxr_node *vertical = input, *horizontal = input;
        int features = gated->features;

        for (int i = 0; i < gated->layers; i++) {
                int kernel = i ? gated->kernel : gated->first_kernel;
                struct pxr_conv down = { .kernel = kernel,
                                         .mask = i ? PXR_MASK_ROWS : PXR_MASK_ABOVE,
                                         .features = 2 * features,
                                         .gates = 2,
                                         .bias = true };
                struct pxr_conv along = down, across = down, out = { .kernel = 1, .bias = true };
                struct pxr_node *gates, *output;

                along.height = across.kernel = 1;
                along.mask = i || gated->mask == 1 ? PXR_MASK_B : PXR_MASK_A;
                across.mask = PXR_MASK_NONE;
                across.bias = false;
                out.mask = PXR_MASK_B;
                out.features = features;
                vertical = add_conv(builder, gated, i, "vertical", down, vertical);
                gates = pxr_add(builder,
                                add_conv(builder, gated, i, "horizontal", along, horizontal),
                                add_conv(builder, gated, i, "across", across, vertical));
                output = pxr_gate(builder, false, gates);
                if (gated->dropout > 0)
                        output = pxr_dropout(builder, gated->dropout, output);
                output = add_conv(builder, gated, i, "output", out, output);
                horizontal = i ? pxr_add(builder, output, horizontal) : output;
                if (i + 1 < gated->layers)
                        vertical = pxr_gate(builder, false, vertical);
        }
        return horizontal;
}

static const struct pxr_layer gated_conv = {
        .name = "gated_conv",
        .summary = "the gated layers of Gated PixelCNN: two stacks, without a blind spot",
        .description =
                "In each layer a vertical stack reads the rows above, in their whole width, and a\n"
                "horizontal stack reads the pixels to the left and the vertical stack:\n"
                "    v = vertical conv of v,  h = horizontal conv of h + 1x1 conv of v;\n"
                "    h' = 1x1 conv of tanh(h_1) sigmoid(h_2) + h,  v' = tanh(v_1) sigmoid(v_2).\n"
                "The first layer's vertical stack does not read its own row. The output is that "
                "of\n"
                "the horizontal stack. With three colours the features of each gate are divided "
                "in\n"
                "order among R, G and B, as those of conv.",
        .options = &options,
        .parameters = parameters,
        .build = build,
        .check = "- gated_conv: {features: 6, layers: 3, kernel: 3, first_kernel: 5}\n"
                 "- gated_conv: {features: 6, layers: 2, kernel: 3, first_kernel: 3, mask: B, "
                 "weight_norm: true}\n",
};
PXR_PLUGIN(gated_conv)
