/* SPDX-License-Identifier: MIT */
/*
 * gaussian.c - a multivariate Gaussian over all values of the image (a row of Table 5).
 *
 *     x_d = b_d + sum over e < d of A_de x_e + s_d z_d,  z_d standard normal
 *
 * has every Gaussian as a special case: the covariance is C C^T with C = (1 - A)^-1 diag(s), lower
 * triangular, and each covariance has such a factor, that of Cholesky. So the model is linear and
 * autoregressive, and is trained like the others, by gradients.
 *
 * `dequantized`, as the published row is: the density of values to which noise is added, uniform
 * over the cell of their level. No noise is drawn: the mean over all of it is
 *
 *     E -log N(x + u) = sum over d of  log s_d + log(2 pi) / 2
 *                       + ((x_d - mean_d)^2 + v (1 + sum over e < d of A_de^2)) / (2 s_d^2),
 *
 * v being the variance of the noise in a value, less the logarithm of a cell's volume: exact, and
 * the same whatever the order of the images. It is an upper bound on an NLL of images, not a
 * distribution that they could be coded with.
 *
 * `discretized`: a level has the probability of the interval round it, the first and the last level
 * that of the tails, and no noise is added to the earlier values either. That is a distribution
 * over images, whose NLL is a little lower.
 */
#include "layers/masked_linear.h"

/* Means are the input divided by this: all parameters have one learning rate, and a step that suits
 * the deviations is too long for a sum of thousands of weights. */
enum { REDUCTION = 64 };

enum { LANES = 8 }; /* of a sum over thousands of weights */

enum likelihood { DISCRETIZED, DEQUANTIZED };

struct gaussian {
        int likelihood;
};

static const char *const likelihoods[] = { "discretized", "dequantized", NULL };

static const struct pxr_option rows[] = {
        PXR_ENUM(struct gaussian, likelihood, "discretized", likelihoods,
                 "the probability of a level, or the density with uniform noise added"),
        PXR_END,
};

static const struct pxr_options options = {
        .rows = rows,
        .size = sizeof(struct gaussian),
        .main = "likelihood",
};

static size_t values_of(const struct pxr_node *node)
{
        return (size_t)node->shape.rows * node->shape.cols * node->colours;
}

static int logits_per_value(const struct pxr_node *node)
{
        return node->shape.channels / node->colours;
}

#define PXR_KERNELS_FILE "layers/gaussian_kernels.h"
#include <pxr/precisions.h>

/* The means, from the input, and the deviations, a parameter, side by side; where noise is added,
 * what it makes of the means too. */
static const struct pxr_op logits_op = {
        .name = "gaussian_parameters",
        .kernels = { { logits_forward_f32, logits_backward_f32, logits_advance_f32 },
                     { logits_forward_f64, logits_backward_f64, logits_advance_f64 } },
};

static const struct pxr_parameter_doc parameters[] = {
        { "mean.weight", "[values, values]",
          "64 A; zero on and above the diagonal, always; starts so that a value is expected at the "
          "mean of those left of it and above, as far off as the colour before is off its own" },
        { "mean.bias", "[values]", "64 b, of values from -1 to 1; starts at zero" },
        { "log_deviation", "[rows, cols, colours]", "log s; starts at -2.5" },
        { 0 },
};

/* Add `weight` times colour `colour` of the neighbours left and above, or of the one there is. */
static void add_neighbours(const struct dense *dense, int colours, int pixel, int colour,
                           double weight, double *row)
{
        int left = pixel % dense->cols ? pixel - 1 : -1, above = pixel - dense->cols;
        double share = left >= 0 && above >= 0 ? weight / 2 : weight;

        if (left >= 0)
                row[left * colours + colour] += share;
        if (above >= 0)
                row[above * colours + colour] += share;
}

static void mean_init(const struct pxr_parameter *parameter, struct pxr_random *random,
                      double *values)
{
        const struct dense *dense = parameter->node->conf;
        int colours = parameter->node->colours;

        (void)random;
        for (int d = 0; d < dense->outputs; d++) {
                double *row = values + (size_t)d * dense->inputs;
                int pixel = d / colours, colour = d % colours;

                add_neighbours(dense, colours, pixel, colour, REDUCTION, row);
                if (colour == 0)
                        continue;
                add_neighbours(dense, colours, pixel, colour - 1, -REDUCTION, row);
                row[d - 1] += REDUCTION;
        }
}

/* A deviation of about 10 of 255 levels. */
static void deviation_init(const struct pxr_parameter *parameter, struct pxr_random *random,
                           double *values)
{
        (void)random;
        for (size_t i = 0; i < parameter->size; i++)
                values[i] = -2.5;
}

/* Parameters 0, the deviations, and where there is a third logit 1, the weights of the means. */
static struct pxr_node *add_logits(struct pxr_builder *builder, int channels, struct pxr_node *mean)
{
        struct pxr_shape shape = { mean->shape.rows, mean->shape.cols,
                                   channels * mean->shape.channels };
        struct pxr_node *node = pxr_add_node(builder, &(struct pxr_new_node) { .op = &logits_op,
                                                                               .shape = shape,
                                                                               .inputs = 1,
                                                                               .input = { mean } });

        if (pxr_add_parameter(builder, node, "log_deviation", deviation_init, 3,
                              (int[]) { shape.rows, shape.cols, mean->shape.channels }))
                return NULL;
        return channels == 3 && pxr_share_parameter(node, mean, 0) ? NULL : node;
}

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        const struct gaussian *gaussian = conf;
        const struct pxr_distribution *kind =
                gaussian->likelihood == DEQUANTIZED ? &pxr_dequantized_gaussian : &pxr_gaussian;
        const struct units values = units_of_image(input);
        const struct link link = {
                .name = "mean", .below = &values, .biased = true, .init = mean_init
        };
        struct pxr_node *mean;

        if (pxr_expect_image(builder, input))
                return NULL;
        mean = add_outputs(builder, link, 1, input, input);
        return mean ? pxr_output(builder, add_logits(builder, kind == &pxr_gaussian ? 2 : 3, mean),
                                 kind)
                    : NULL;
}

static const struct pxr_layer gaussian = {
        .name = "gaussian",
        .summary = "a multivariate Gaussian, as a whole model",
        .description =
                "A whole model, without layers before or after it. The mean of a value is linear "
                "in\n"
                "all earlier values, and its deviation is constant. discretized: a level has the\n"
                "probability of the interval up to the midpoints around it. dequantized, as in "
                "the\n"
                "paper: the density of values with noise added that is uniform between these, in\n"
                "expectation over the noise; images cannot be coded with it.",
        .options = &options,
        .parameters = parameters,
        .build = build,
        .check = "- gaussian: dequantized\n",
};
PXR_PLUGIN(gaussian)
