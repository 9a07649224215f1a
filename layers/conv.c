/* SPDX-License-Identifier: MIT */
/* conv.c - masked convolution (van den Oord et al. 2016, sections 3.1 and 3.4). */
#include <pxr/layer.h>

struct conv {
        int mask;
        int64_t kernel, features;
        bool bias, weight_norm;
        double gain;
};

static const char *const masks[] = { "A", "B", NULL };

static const struct pxr_option rows[] = {
        PXR_ENUM(struct conv, mask, "B", masks,
                 "A: at its own pixel only earlier colours are read (the first layer); B: also "
                 "the same colour"),
        PXR_INT(struct conv, kernel, "3", 1, 63, "side of the kernel; odd"),
        PXR_INT(struct conv, features, NULL, 1, 65536, "channels of the output"),
        PXR_BOOL(struct conv, bias, "true", "add a bias to each channel"),
        PXR_REAL(struct conv, gain, "1", 0, 100,
                 "weights start uniform within +-gain sqrt(3 / live inputs)"),
        PXR_BOOL(struct conv, weight_norm, "false",
                 "weights of a feature are scale v / |v|, with a learned scale"),
        PXR_END,
};

static const char *check(const void *conf, const char **message)
{
        const struct conv *conv = conf;

        if (conv->kernel % 2)
                return NULL;
        *message = "must be odd, so that it has a centre";
        return "kernel";
}

static const struct pxr_options options = {
        .rows = rows,
        .size = sizeof(struct conv),
        .check = check,
};

static const struct pxr_parameter_doc parameters[] = {
        { "weight", "[kernel, kernel, in, features]", "masked entries are exactly zero, always" },
        { "bias", "[features]", "starts at zero" },
        { "scale", "[features]",
          "of weight_norm, whose v is `weight`; starts at |v|, so that the layer starts as it does "
          "without" },
        { 0 },
};

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        const struct conv *conv = conf;
        const struct pxr_conv settings = { .kernel = conv->kernel,
                                           .mask = conv->mask == 0 ? PXR_MASK_A : PXR_MASK_B,
                                           .features = conv->features,
                                           .bias = conv->bias,
                                           .gain = conv->gain };

        if (conv->mask == 0 && conv->kernel == 1 && pxr_image_colours(builder) == 1)
                return pxr_layer_error(builder, "with mask A a 1x1 kernel reads nothing of images "
                                                "of one colour");
        return pxr_conditioned(builder, NULL,
                               (conv->weight_norm ? pxr_weight_norm_conv
                                                  : pxr_conv)(builder, NULL, &settings, input));
}

static const struct pxr_layer conv = {
        .name = "conv",
        .summary = "masked convolution",
        .description =
                "A convolution that sees only pixels above and to the left. With three colours\n"
                "the features are divided in order among R, G and B, and at its own pixel a\n"
                "feature of one colour reads earlier colours (mask A) or also its own (mask B).\n"
                "Rows and columns stay as they are: the border is padded with zeros.",
        .options = &options,
        .parameters = parameters,
        .build = build,
        .check = "- conv: {mask: A, kernel: 5, features: 6}\n"
                 "- conv: {mask: B, kernel: 3, features: 7, bias: false}\n"
                 "- conv: {mask: B, kernel: 1, features: 6}\n"
                 "- conv: {mask: B, kernel: 3, features: 6, weight_norm: true}\n"
                 "- conv: {mask: B, kernel: 1, features: 5, weight_norm: true, bias: false}\n",
};
PXR_PLUGIN(conv)
