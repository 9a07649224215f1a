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
 * What the published row measures is a density of values with uniform noise added; here a value
 * has the probability of the interval round its level, given levels without noise. At the
 * deviations of photographs, several levels, the two differ by hundredths of a bit; ours is the
 * lower.
 */
#include "layers/stair.h"

#define PXR_KERNELS_FILE "layers/gaussian_kernels.h"
#include <pxr/precisions.h>

/* The means of the input and the deviations, a parameter, side by side. */
static const struct pxr_op pair_op = {
        .name = "gaussian_parameters",
        .kernels = { { pair_forward_f32, pair_backward_f32, pair_advance_f32 },
                     { pair_forward_f64, pair_backward_f64, pair_advance_f64 } },
};

static const struct pxr_parameter_doc parameters[] = {
        { "mean.weight", "[values, values]",
          "A; starts at zero, and is zero on and above the diagonal, always" },
        { "mean.bias", "[values]", "b, of values from -1 to 1; starts at zero" },
        { "log_deviation", "[rows, cols, colours]", "log s; starts at -1" },
        { 0 },
};

/* A deviation of about 47 of 255 levels. */
static void deviation_init(const struct pxr_parameter *parameter, struct pxr_random *random,
                           double *values)
{
        (void)random;
        for (size_t i = 0; i < parameter->size; i++)
                values[i] = -1;
}

static struct pxr_node *build(struct pxr_builder *builder, const void *conf, struct pxr_node *input)
{
        struct pxr_shape shape = input->shape;
        struct units values;
        struct link link = { .name = "mean", .biased = true, .init = pxr_init_zeros };
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
