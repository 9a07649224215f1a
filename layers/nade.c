/* SPDX-License-Identifier: MIT */
/*
 * nade.c - the neural autoregressive distribution estimator (Larochelle and Murray 2011; Uria et
 * al. 2014), in raster order.
 *
 *     a_1 = c,  a_(d+1) = a_d + v_d W_d      hidden sums, one running sum for all values
 *     h_d = sigmoid(a_d)
 *     logits_d = b_d + V_d h_d
 *
 * v_d is value number d of the image, from 0 to 1 as in the papers; the image of pxr goes from -1
 * to
 * 1. The values of a pixel follow one another in the order of colours.
 *
 * The a of all values would be a map of `hidden` channels, more to write and to read than to
 * compute. So there are two ops: nade_rows keeps a at the start of each row, [row][image][hidden],
 * and nade_logits goes on from there along the row. They share W. Generation costs a start once a
 * row, and at each pixel the sum over what precedes it in its row.
 */
#include <math.h>
#include <string.h>

#include <pxr/layer.h>
#include <pxr/vecmath.h>

enum {
        LANES = 16,
        PART = 8, /* images whose h of a row fit the second-level cache */
};

struct nade {
        int64_t hidden;
};

/* The images of a micro-batch that are worked on at once. */
struct part {
        int first, end;
};

static struct part next_part(const struct pxr_call *call, struct part part)
{
        int left = call->images - part.end;

        return (struct part) { part.end, part.end + (left < PART ? left : PART) };
}

static struct part first_part(const struct pxr_call *call)
{
        return next_part(call, (struct part) { 0 });
}

static int hidden_of(const struct pxr_node *node)
{
        return node->parameter[0]->shape[3];
}

/* Values of a row. */
static int values_of(const struct pxr_node *node)
{
        return node->input[0]->shape.cols * node->colours;
}

/* Logits of one value. */
static int channels_of(const struct pxr_node *node)
{
        return node->shape.channels / node->colours;
}

/* Where value d of an image lies in a map with one channel a colour. */
static size_t value_at(const struct pxr_call *call, int d, int image)
{
        int colours = call->node->colours;

        return ((size_t)(d / colours) * call->images + image) * colours + d % colours;
}

#define PXR_KERNELS_FILE "layers/nade_kernels.h"
#include <pxr/precisions.h>

/* --- the ops -----------------------------------------------------------------------------------
 */

static size_t rows_scratch(const struct pxr_node *node, int images)
{
        return (size_t)images * hidden_of(node);
}

static size_t logits_scratch(const struct pxr_node *node, int images)
{
        (void)images;
        return (size_t)PART * (values_of(node) + 1) * hidden_of(node);
}

static void rows_depends(const struct pxr_node *node, int row, int col, int colour,
                         struct pxr_dependencies *deps)
{
        (void)col;
        deps->read(deps, PXR_SELF, row - 1, 0, colour);
        for (int i = 0; i < values_of(node); i++)
                deps->read(deps, 0, row - 1, i / node->colours, i % node->colours);
}

static void logits_depends(const struct pxr_node *node, int row, int col, int colour,
                           struct pxr_dependencies *deps)
{
        for (int i = 0; i < col * node->colours + colour; i++)
                deps->read(deps, 0, row, i / node->colours, i % node->colours);
        for (int c = 0; c < node->colours; c++)
                deps->read(deps, 1, row, 0, c);
}

/* The sum is counted here, whole, and not again along the rows. */
static double rows_multiply_adds(const struct pxr_node *node)
{
        return (double)node->parameter[0]->size;
}

static double logits_multiply_adds(const struct pxr_node *node)
{
        return (double)node->parameter[1]->size;
}

static const struct pxr_op rows_op = {
        .name = "nade_rows",
        .flags = PXR_BACKWARD_READS_INPUT | PXR_ADVANCE_OF_ANY_SHAPE,
        .kernels = { { rows_forward_f32, rows_backward_f32, rows_advance_f32 },
                     { rows_forward_f64, rows_backward_f64, rows_advance_f64 } },
        .scratch = rows_scratch,
        .depends = rows_depends,
        .multiply_adds = rows_multiply_adds,
};

static const struct pxr_op logits_op = {
        .name = "nade_logits",
        .flags = PXR_BACKWARD_READS_INPUT,
        .kernels = { { logits_forward_f32, logits_backward_f32, logits_advance_f32 },
                     { logits_forward_f64, logits_backward_f64, logits_advance_f64 } },
        .scratch = logits_scratch,
        .depends = logits_depends,
        .multiply_adds = logits_multiply_adds,
};

/* --- the layer ---------------------------------------------------------------------------------
 */

static const struct pxr_option rows[] = {
        PXR_INT(struct nade, hidden, NULL, 1, 65536, "hidden units"),
        PXR_END,
};

static const struct pxr_options options = {
        .rows = rows,
        .size = sizeof(struct nade),
        .main = "hidden",
};

static const struct pxr_parameter_doc parameters[] = {
        { "input_weight", "[rows, cols, colours, hidden]",
          "W: what a value adds to all later sums" },
        { "hidden_bias", "[hidden]", "c; starts at zero" },
        { "output_weight", "[rows, cols, outputs, hidden]",
          "V; outputs are colours x levels, or colours where there are 2 levels" },
        { "output_bias", "[rows, cols, outputs]", "b; starts at zero" },
        { 0 },
};

/* Uniform, of a variance that keeps sums near 1: W's over all values, V's over the hidden units. */
static void weight_init(const struct pxr_parameter *parameter, struct pxr_random *random,
                        double *values)
{
        double hidden = parameter->shape[3], size = (double)parameter->size;
        bool input = parameter == parameter->node->parameter[0];

        for (size_t i = 0; i < parameter->size; i++)
                values[i] = sqrt(3 / (input ? size / hidden : hidden)) *
                            (2 * pxr_random_uniform(random) - 1);
}

static struct pxr_node *add_rows(struct pxr_builder *builder, int hidden, struct pxr_node *image)
{
        int rows = image->shape.rows, cols = image->shape.cols;
        struct pxr_node *node =
                pxr_add_node(builder, &(struct pxr_new_node) { .op = &rows_op,
                                                               .shape = { rows, 1, hidden },
                                                               .inputs = 1,
                                                               .input = { image } });

        if (pxr_add_parameter(builder, node, "input_weight", weight_init, 4,
                              (int[]) { rows, cols, image->shape.channels, hidden }) ||
            pxr_add_parameter(builder, node, "hidden_bias", pxr_init_zeros, 1, &hidden))
                return NULL;
        return node;
}

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        const struct nade *nade = conf;
        int levels = pxr_image_levels(builder), hidden = (int)nade->hidden;
        const struct pxr_distribution *kind = pxr_discrete(levels);
        int rows = input->shape.rows, cols = input->shape.cols;
        int outputs = pxr_image_colours(builder) * kind->channels(levels);
        struct pxr_node *starts, *logits;

        if (pxr_expect_image(builder, input))
                return NULL;
        starts = add_rows(builder, hidden, input);
        logits = pxr_add_node(builder, &(struct pxr_new_node) { .op = &logits_op,
                                                                .shape = { rows, cols, outputs },
                                                                .inputs = 2,
                                                                .input = { input, starts } });
        if (pxr_share_parameter(logits, starts, 0) ||
            pxr_add_parameter(builder, logits, "output_weight", weight_init, 4,
                              (int[]) { rows, cols, outputs, hidden }) ||
            pxr_add_parameter(builder, logits, "output_bias", pxr_init_zeros, 3,
                              (int[]) { rows, cols, outputs }))
                return NULL;
        return pxr_output(builder, logits, kind);
}

static const struct pxr_layer nade = {
        .name = "nade",
        .summary = "NADE, a hidden layer whose sums run along the image, as a whole model",
        .description =
                "A whole model, without layers before or after it (Larochelle and Murray 2011).\n"
                "Values are in raster order, and from 0 to 1 as in the paper.",
        .options = &options,
        .parameters = parameters,
        .build = build,
        .check = "- nade: {hidden: 7}\n",
};
PXR_PLUGIN(nade)
