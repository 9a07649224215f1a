/* SPDX-License-Identifier: MIT */
/*
 * op_weight_norm.c - convolutions with weight normalization (Salimans and Kingma 2016, "Weight
 * Normalization: A Simple Reparameterization to Accelerate Training of Deep Neural Networks"): the
 * weights w of an output feature are scale v / |v|, over the inputs that no mask cuts off.
 *
 * Its kernels make w and call those of the convolution. Backward turns the gradient by w into those
 * by v and scale.
 */
#include <math.h>
#include <string.h>

#include "tensor/bf16.h"
#include "tensor/conv.h"

enum { WEIGHT, SCALE, BIAS };

static size_t weights_of(const struct pxr_node *node)
{
        return node->parameter[WEIGHT]->size;
}

#define PXR_KERNELS_FILE "tensor/weight_norm_kernels.h"
#include <pxr/precisions.h>

/* w, and the factor of each feature. */
static size_t state(const struct pxr_node *node, int images)
{
        (void)images;
        return weights_of(node) + node->shape.channels;
}

/* What the convolution takes, the gradient by w, and two sums for each feature. */
static size_t scratch(const struct pxr_node *node, int images)
{
        return pxr_conv_op.scratch(node, images) + weights_of(node) + 2 * node->shape.channels;
}

static void depends(const struct pxr_node *node, int row, int col, int colour,
                    struct pxr_dependencies *deps)
{
        pxr_conv_op.depends(node, row, col, colour, deps);
}

static double multiply_adds(const struct pxr_node *node)
{
        return pxr_conv_op.multiply_adds(node);
}

/* --- mixed precision: w is in float32, and packed by the convolution -----------------------------
 */

static size_t mixed_scratch(const struct pxr_node *node, int images)
{
        size_t size = 0;

        pxr_bf16_take(NULL, &size, pxr_conv_op.mixed->scratch(node, images));
        return size + (weights_of(node) + 2 * node->shape.channels) * sizeof(float);
}

/* What the convolution packs, and behind it w with the factors. */
static size_t mixed_packed(const struct pxr_node *node)
{
        size_t size = 0;

        pxr_bf16_take(NULL, &size, pxr_conv_op.mixed->packed(node));
        return size + state(node, 1) * sizeof(float);
}

static void mixed_pack(const struct pxr_node *node, const float *const *parameter, void *packed)
{
        size_t size = 0;
        const float *own[PXR_MAX_PARAMETERS] = { NULL };
        float *w;

        pxr_bf16_take(packed, &size, pxr_conv_op.mixed->packed(node));
        own[0] = w = (float *)((char *)packed + size);
        normalize_f32(node, parameter[WEIGHT], parameter[SCALE], w, w + weights_of(node));
        pxr_conv_op.mixed->pack(node, own, packed);
}

static void forward_mixed(const struct pxr_call *call)
{
        struct pxr_call own = conv_call_f32(call);

        pxr_conv_op.mixed->forward(&own);
}

static void backward_mixed(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        struct pxr_call own = conv_call_f32(call);
        bool trains = call->parameter_gradient[WEIGHT] != NULL;
        size_t size = 0;
        float *dw;

        pxr_bf16_take(call->scratch, &size, pxr_conv_op.mixed->scratch(node, call->images));
        dw = (float *)((char *)call->scratch + size);
        memset(dw, 0, weights_of(node) * sizeof(*dw));
        own.parameter_gradient[0] = trains ? dw : NULL;
        own.parameter_gradient[1] = call->parameter_gradient[BIAS];
        pxr_conv_op.mixed->backward(&own);
        if (trains)
                add_gradients_f32(node, call->parameter[WEIGHT], call->parameter[SCALE], dw,
                                  call->parameter_gradient[WEIGHT], call->parameter_gradient[SCALE],
                                  dw + weights_of(node));
}

static const struct pxr_mixed mixed = { .forward = forward_mixed,
                                        .backward = backward_mixed,
                                        .exact = true,
                                        .reads_f32 = true,
                                        .scratch = mixed_scratch,
                                        .packed = mixed_packed,
                                        .pack = mixed_pack,
                                        .fuses = true };

const struct pxr_op pxr_weight_norm_op = {
        .name = "weight_norm conv",
        .flags = PXR_BACKWARD_READS_INPUT | PXR_ADVANCE_AT_ITS_PIXEL,
        .kernels = { { forward_f32, backward_f32, advance_f32 },
                     { forward_f64, backward_f64, advance_f64 } },
        .scratch = scratch,
        .state = state,
        .depends = depends,
        .multiply_adds = multiply_adds,
        .mixed = &mixed,
};

/* |v| of the initial v, so that the convolution starts as one without normalization. */
static void init_scale(const struct pxr_parameter *parameter, struct pxr_random *random,
                       double *values)
{
        const struct pxr_node *node = parameter->node;
        uint64_t seed = random->key[0] | (uint64_t)random->key[1] << 32;
        struct pxr_random of_weight = pxr_initial_random(seed, node->parameter[WEIGHT]->name);

        pxr_conv_init_squares(node, &of_weight, values);
        for (size_t i = 0; i < parameter->size; i++)
                values[i] = sqrt(values[i]);
}

struct pxr_node *pxr_weight_norm_conv(struct pxr_builder *builder, const char *name,
                                      const struct pxr_conv *settings, struct pxr_node *input)
{
        const char *scale = pxr_join_names(builder->graph->arena, name, "scale");
        struct pxr_node *node;

        if (input && !(settings->gain > 0))
                return pxr_layer_error(builder,
                                       "with weight_norm the gain must be above 0, got %g: zero "
                                       "weights have no direction, and would stay zero",
                                       settings->gain);
        node = pxr_conv_node(builder, &pxr_weight_norm_op, settings, input);
        return pxr_conv_add_weight(builder, name, node) ||
                               pxr_add_parameter(builder, node, scale, init_scale, 1,
                                                 &settings->features) ||
                               pxr_conv_add_bias(builder, name, settings, node)
                       ? NULL
                       : node;
}
