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
 * The published row measures the density of values with uniform noise added. Here a level has the
 * probability of the interval round it, the first and the last level that of the tails, and no
 * noise is added to the earlier values either. That is a distribution over images, whose NLL is a
 * little lower: at deviations of several levels by thousandths of a bit, and by more where many
 * values are at an end of the range.
 */
#include "layers/stair.h"

/* Means are the input divided by this. One rate is to suit all parameters, and a step that is right
 * for the deviations is too long for a sum of thousands of weights. */
enum { REDUCTION = 64 };

#define PXR_KERNELS_FILE "layers/gaussian_kernels.h"
#include <pxr/precisions.h>

/* The means, from the input, and the deviations, a parameter, side by side. */
static const struct pxr_op pair_op = {
        .name = "gaussian_parameters",
        .kernels = { { pair_forward_f32, pair_backward_f32, pair_advance_f32 },
                     { pair_forward_f64, pair_backward_f64, pair_advance_f64 } },
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

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        struct pxr_shape shape = input->shape;
        struct units values;
        struct link link = { .name = "mean", .biased = true, .init = mean_init };
        struct pxr_node *mean, *pair;

        (void)conf;
        if (input->index > 0)
                return pxr_layer_error(builder,
                                       "it is a whole model: no layer can stand before it");
        values = in_sequence(image_values(input), 1, 1);
        link.below = &values;
        mean = add_outputs(builder, link, 1, input, input);
        free(values.unit);
        pair = pxr_add_node(builder, &(struct pxr_new_node) { .op = &pair_op,
                                                              .shape = { shape.rows, shape.cols,
                                                                         2 * shape.channels },
                                                              .inputs = 1,
                                                              .input = { mean } });
        if (pxr_add_parameter(builder, pair, "log_deviation", deviation_init, 3,
                              (int[]) { shape.rows, shape.cols, shape.channels }))
                return NULL;
        return pxr_output(builder, pair, &pxr_gaussian);
}

static const struct pxr_layer gaussian = {
        .name = "gaussian",
        .summary = "the whole model of a multivariate Gaussian, discretized to the levels",
        .description =
                "Ends a model, and is all of it. A value has the probability that a Gaussian\n"
                "has between the midpoints round its level; its mean is linear in all earlier\n"
                "values, and its deviation is constant.",
        .parameters = parameters,
        .build = build,
        .check = "- gaussian\n",
};
PXR_PLUGIN(gaussian)
