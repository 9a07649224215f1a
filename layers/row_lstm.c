/* SPDX-License-Identifier: MIT */
/* row_lstm.c - Row LSTM: the state flows down the image, a row at a time (section 3.1). */
#include <pxr/layer.h>

struct row_lstm {
        int64_t features, kernel, state_kernel;
        double gain;
};

static const struct pxr_option rows[] = {
        PXR_INT(struct row_lstm, features, NULL, 1, 65536, "channels of the output: h"),
        PXR_INT(struct row_lstm, kernel, "3", 1, 63,
                "width of the input-to-state convolution along the row (mask B); odd"),
        PXR_INT(struct row_lstm, state_kernel, "3", 1, 63,
                "width of the state-to-state convolution over the row above; odd"),
        PXR_REAL(struct row_lstm, gain, "1", 0, 100,
                 "weights start uniform within +-gain sqrt(3 / live inputs)"),
        PXR_END,
};

static const char *check(const void *conf, const char **message)
{
        const struct row_lstm *lstm = conf;

        *message = "must be odd, so that it has a centre";
        if (lstm->kernel % 2 == 0)
                return "kernel";
        return lstm->state_kernel % 2 == 0 ? "state_kernel" : NULL;
}

static const struct pxr_options options = {
        .rows = rows,
        .size = sizeof(struct row_lstm),
        .check = check,
};

static const struct pxr_parameter_doc parameters[] = {
        { "input_to_state.weight", "[1, kernel, in, 4 features]",
          "columns are the gates o, f, i, g; masked entries are exactly zero" },
        { "input_to_state.bias", "[4 features]", "starts at one for f, at zero for the others" },
        { "state_to_state", "[state_kernel, features, 4 features]", "taps from left to right" },
        { "initial_state", "[features]", "h above the first row; starts at zero" },
        { "initial_cell", "[features]", "c above the first row; starts at zero" },
        { 0 },
};

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        const struct row_lstm *lstm = conf;

        return pxr_lstm(
                builder, NULL,
                &(struct pxr_lstm) {
                        .scan = PXR_SCAN_ROWS, .kernel = lstm->state_kernel, .gain = lstm->gain },
                pxr_input_to_state(builder, NULL, lstm->kernel, lstm->features, lstm->gain, input));
}

static const struct pxr_layer row_lstm = {
        .name = "row_lstm",
        .summary = "Row LSTM: a recurrence down the rows, with a triangular context above",
        .description =
                "For each row from the top: [o f i g] = state-to-state convolution of h above +\n"
                "input-to-state convolution along the row (mask B), then sigmoid of o, f, i and\n"
                "tanh of g; c = f c_above + i g; h = o tanh(c). The state above the first row is\n"
                "learned, one value per channel; left and right of the image it is zero.",
        .options = &options,
        .parameters = parameters,
        .build = build,
        .check = "- conv: {mask: A, kernel: 3, features: 6}\n"
                 "- row_lstm: {features: 7}\n"
                 "- row_lstm: {features: 6, kernel: 5, state_kernel: 1}\n",
};
PXR_PLUGIN(row_lstm)
