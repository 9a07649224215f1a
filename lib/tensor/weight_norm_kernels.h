/* SPDX-License-Identifier: MIT */
/* weight_norm_kernels.h - the kernels of op_weight_norm.c, in `real`. Included once for each
 * precision.
 */

/* w = scale v / |v| for each output feature, with the masked weights zero; factor = scale / |v|.
 * What has no live inputs has the factor 0. */
static void K(normalize)(const struct pxr_node *node, const real *v, const real *scale, real *w,
                         real *factor)
{
        size_t features = node->shape.channels;

        memset(w, 0, weights_of(node) * sizeof(real));
        memset(factor, 0, features * sizeof(real));
        for (int k = 0; k < node->gates * node->colours; k++) {
                struct pxr_conv_columns at =
                        pxr_conv_columns(node, k / node->colours, k % node->colours);
                int end = at.begin + at.count;

                for (int i = 0; i < at.live; i++)
                        for (int f = at.begin; f < end; f++)
                                factor[f] += v[i * features + f] * v[i * features + f];
                for (int f = at.begin; f < end; f++) /* NaN stays NaN */
                        factor[f] = factor[f] == 0 ? 0 : scale[f] / (real)sqrt(factor[f]);
                for (int i = 0; i < at.live; i++)
                        for (int f = at.begin; f < end; f++)
                                w[i * features + f] = factor[f] * v[i * features + f];
        }
}

/* With u = v / |v|: dscale += dw u, and dv += scale (dw - (dw u) u) / |v|. `sums`: 2 numbers for
 * each feature. */
static void K(add_gradients)(const struct pxr_node *node, const real *v, const real *scale,
                             const real *dw, real *dv, real *dscale, real *sums)
{
        size_t features = node->shape.channels;
        real *square = sums, *product = sums + features;

        memset(sums, 0, 2 * features * sizeof(real));
        for (int k = 0; k < node->gates * node->colours; k++) {
                struct pxr_conv_columns at =
                        pxr_conv_columns(node, k / node->colours, k % node->colours);
                int end = at.begin + at.count;

                for (int i = 0; i < at.live; i++)
                        for (int f = at.begin; f < end; f++) {
                                square[f] += v[i * features + f] * v[i * features + f];
                                product[f] += dw[i * features + f] * v[i * features + f];
                        }
                for (int f = at.begin; f < end; f++) {
                        real inverse = square[f] == 0 ? 0 : 1 / (real)sqrt(square[f]);

                        dscale[f] += product[f] * inverse;
                        product[f] *= inverse * inverse;
                        square[f] = scale[f] * inverse;
                }
                for (int i = 0; i < at.live; i++)
                        for (int f = at.begin; f < end; f++)
                                dv[i * features + f] +=
                                        square[f] *
                                        (dw[i * features + f] - product[f] * v[i * features + f]);
        }
}

/* The call of the convolution: with the weights in the state. */
static struct pxr_call K(conv_call)(const struct pxr_call *call)
{
        struct pxr_call own = *call;

        own.parameter[0] = call->state;
        own.parameter[1] = call->parameter[BIAS];
        own.state = NULL;
        return own;
}

static const struct pxr_kernels *K(conv_kernels)(void)
{
        return &pxr_conv_op.kernels[sizeof(real) == sizeof(float) ? PXR_F32 : PXR_F64];
}

static void K(normalize_state)(const struct pxr_call *call)
{
        real *w = call->state;

        K(normalize)
        (call->node, call->parameter[WEIGHT], call->parameter[SCALE], w,
         w + weights_of(call->node));
}

static void K(forward)(const struct pxr_call *call)
{
        struct pxr_call own = K(conv_call)(call);

        K(normalize_state)(call);
        K(conv_kernels)()->forward(&own);
}

/* The weights are made once, at the first value. */
static void K(advance)(const struct pxr_call *call)
{
        struct pxr_call own = K(conv_call)(call);

        if (call->row == 0 && call->col == 0 && call->colour == 0)
                K(normalize_state)(call);
        K(conv_kernels)()->advance(&own);
}

static void K(backward)(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        struct pxr_call own = K(conv_call)(call);
        real *dw = (real *)call->scratch + pxr_conv_op.scratch(node, call->images);
        bool trains = call->parameter_gradient[WEIGHT] != NULL;

        own.parameter_gradient[0] = trains ? dw : NULL;
        own.parameter_gradient[1] = call->parameter_gradient[BIAS];
        memset(dw, 0, weights_of(node) * sizeof(real));
        K(conv_kernels)()->backward(&own);
        if (trains)
                K(add_gradients)
        (node, call->parameter[WEIGHT], call->parameter[SCALE], dw,
         call->parameter_gradient[WEIGHT], call->parameter_gradient[SCALE], dw + weights_of(node));
}
