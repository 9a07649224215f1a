/* SPDX-License-Identifier: MIT */
/* diagonal_bilstm.c - Diagonal BiLSTM: the state flows along both diagonals (section 3.2). */
#include <pxr/layer.h>

struct diagonal_bilstm {
        int64_t features;
        double gain;
};

static const struct pxr_option rows[] = {
        PXR_INT(struct diagonal_bilstm, features, NULL, 1, 65536, "channels of the output: h"),
        PXR_REAL(struct diagonal_bilstm, gain, "1", 0, 100,
                 "weights start uniform within +-gain sqrt(3 / live inputs)"),
        PXR_END,
};

static const struct pxr_options options = { .rows = rows, .size = sizeof(struct diagonal_bilstm) };

static const struct pxr_parameter_doc parameters[] = {
        { "left.input_to_state.weight", "[1, 1, in, 4 features]",
          "columns are the gates o, f, i, g; masked entries are exactly zero" },
        { "left.input_to_state.bias", "[4 features]",
          "starts at one for f, at zero for the others" },
        { "left.state_to_state", "[2, features, 4 features]",
          "of the left neighbour, of the one above" },
        { "left.initial_state", "[features]", "h left of the image; starts at zero" },
        { "left.initial_cell", "[features]", "c left of the image; starts at zero" },
        { "right. ...", "the same", "of the mirrored scan, whose left is the right of the image" },
        { 0 },
};

static struct pxr_node *direction(struct pxr_builder *builder, const struct diagonal_bilstm *lstm,
                                  const char *name, int scan, struct pxr_node *input)
{
        return pxr_lstm(builder, name, &(struct pxr_lstm) { .scan = scan, .gain = lstm->gain },
                        pxr_input_to_state(builder, name, 1, lstm->features, lstm->gain, input));
}

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        struct pxr_node *left = direction(builder, conf, "left", PXR_SCAN_LEFT, input);
        struct pxr_node *right = direction(builder, conf, "right", PXR_SCAN_RIGHT, input);

        return pxr_add(builder, left, right);
}

static const struct pxr_layer diagonal_bilstm = {
        .name = "diagonal_bilstm",
        .summary = "Diagonal BiLSTM: two recurrences along the diagonals, which see all earlier "
                   "pixels",
        .description =
                "One LSTM scans the diagonals from the top left corner, another from the top "
                "right.\n"
                "At each pixel: [o f i g] = state-to-state products of the left neighbour and of\n"
                "the one above + a 1x1 input-to-state convolution (mask B); the cell state comes\n"
                "from the left neighbour. The output of the scan from the right is shifted down "
                "by\n"
                "one row, so that nothing to the right leaks, and added to the other. The state\n"
                "left of the image is learned, one value per channel and direction; above the\n"
                "image it is zero. Each pixel depends on all earlier ones, except the last colour\n"
                "of the last pixel in the row above where the first convolution does not reach it.",
        .options = &options,
        .parameters = parameters,
        .build = build,
        .check = "- conv: {mask: A, kernel: 3, features: 6}\n"
                 "- diagonal_bilstm: {features: 7}\n"
                 "- diagonal_bilstm: {features: 6}\n",
};
PXR_PLUGIN(diagonal_bilstm)
