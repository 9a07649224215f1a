/* SPDX-License-Identifier: MIT */
/* multi_scale.c - a conditional model: given the image at a smaller scale (section 3.6). */
#include <stdio.h>

#include <pxr/layer.h>

struct multi_scale {
        int64_t size, features;
        double gain;
        const struct pxr_yaml *layers;
};

static const struct pxr_option rows[] = {
        PXR_INT(struct multi_scale, size, NULL, 1, 65536, "rows and columns of the small image"),
        PXR_INT(struct multi_scale, features, "32", 1, 65536,
                "channels of the upsampling network and of its map"),
        PXR_REAL(struct multi_scale, gain, "1", 0, 100,
                 "weights start uniform within +-gain sqrt(3 / inputs)"),
        PXR_LAYERS(struct multi_scale, layers, "the layers that the map conditions"),
        PXR_END,
};

static const struct pxr_options options = { .rows = rows, .size = sizeof(struct multi_scale) };

static const struct pxr_parameter_doc parameters[] = {
        { "upsample_N.weight", "[4, 4, in, features]", "of deconvolution number N" },
        { "upsample_N.bias", "[features]", "starts at zero" },
        { "... condition.weight", "[1, 1, features, out]",
          "of each layer in it: from the map to its gates or its output" },
        { 0 },
};

/* The upsampling network: deconvolutions that double rows and columns, with rectifiers between. */
static struct pxr_node *upsample(struct pxr_builder *builder, const struct multi_scale *scale)
{
        struct pxr_node *map = pxr_small_image(builder, scale->size, scale->size);

        for (int number = 0; map && map->shape.rows < pxr_image_rows(builder); number++) {
                char name[32];

                snprintf(name, sizeof(name), "upsample_%d", number);
                map = pxr_deconv(builder, name, scale->features, scale->gain,
                                 number ? pxr_relu(builder, map) : map);
        }
        if (map && (map->shape.rows != pxr_image_rows(builder) ||
                    map->shape.cols != pxr_image_cols(builder) || map->shape.rows == scale->size))
                return pxr_layer_error(builder,
                                       "size: images of %dx%d cannot be reached from %dx%d by "
                                       "doubling",
                                       pxr_image_rows(builder), pxr_image_cols(builder),
                                       (int)scale->size, (int)scale->size);
        return map;
}

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        const struct multi_scale *scale = conf;
        struct pxr_node *map = upsample(builder, scale);

        if (!map)
                return NULL;
        pxr_condition(builder, map);
        return pxr_build_layers(builder, NULL, scale->layers, input);
}

static const struct pxr_layer multi_scale = {
        .name = "multi_scale",
        .summary = "a conditional model: its layers get the image at a smaller scale",
        .description =
                "The image is subsampled to size x size (the top left pixel of each block), and\n"
                "deconvolutions (4x4, stride 2, with a ReLU between them) turn that into a map of\n"
                "the image's size, which conditions the layers: each LSTM adds an unmasked 1x1\n"
                "convolution of the map to its gates, each convolution to its output, softmax or\n"
                "sigmoid to its logits; skips add nothing. The NLL is that of the image given the\n"
                "small image. Add the NLL of the small image for that of the whole image, in "
                "which\n"
                "the pixels of the small image are counted twice.",
        .options = &options,
        .parameters = parameters,
        .build = build,
        .check = "- multi_scale:\n"
                 "    size: 1\n"
                 "    features: 4\n"
                 "    layers:\n"
                 "      - conv: {mask: A, kernel: 3, features: 6}\n"
                 "      - row_lstm: {features: 6}\n"
                 "      - diagonal_bilstm: {features: 6}\n"
                 "      - conv: {mask: B, kernel: 1, features: 5}\n"
                 "      - softmax\n",
};
PXR_PLUGIN(multi_scale)
