/* SPDX-License-Identifier: MIT */
/*
 * elementwise.h - an op that maps each value on its own, from two expressions.
 *
 *     PXR_ELEMENTWISE(pxr_tanh_op, "tanh", tanh(x), 1 - y * y)
 *
 * defines `static const struct pxr_op pxr_tanh_op` with forward, backward and advance in both
 * precisions. The first expression is the value y in terms of x, the second the derivative dy/dx in
 * terms of y. Functions of <math.h> use the precision of their argument (<tgmath.h>). Make a node
 * with pxr_add_elementwise().
 */
#ifndef PXR_ELEMENTWISE_H
#define PXR_ELEMENTWISE_H

#include <tgmath.h>

#include <pxr/op.h>

#define PXR_ELEMENTWISE(op_, name_, value_, slope_)                                          \
        PXR_ELEMENTWISE_KERNELS_(op_, float, f32, value_, slope_)                            \
        PXR_ELEMENTWISE_KERNELS_(op_, double, f64, value_, slope_)                           \
        static const struct pxr_op op_ = {                                                   \
                .name = name_,                                                               \
                .flags = PXR_BACKWARD_READS_OUTPUT | PXR_ADVANCE_AT_ITS_PIXEL,               \
                .kernels = { { op_##_forward_f32, op_##_backward_f32, op_##_advance_f32 },   \
                             { op_##_forward_f64, op_##_backward_f64, op_##_advance_f64 } }, \
        };

#define PXR_ELEMENTWISE_KERNELS_(op_, real_, precision_, value_, slope_)                          \
        static inline real_ op_##_value_##precision_(real_ x)                                     \
        {                                                                                         \
                return value_;                                                                    \
        }                                                                                         \
        static inline real_ op_##_slope_##precision_(real_ y)                                     \
        {                                                                                         \
                (void)y;                                                                          \
                return slope_;                                                                    \
        }                                                                                         \
        static void op_##_forward_##precision_(const struct pxr_call *call)                       \
        {                                                                                         \
                const real_ *restrict x = call->input[0];                                         \
                real_ *restrict y = call->output;                                                 \
                size_t size = pxr_map_size(call->node, call->images);                             \
                                                                                                  \
                for (size_t i = 0; i < size; i++)                                                 \
                        y[i] = op_##_value_##precision_(x[i]);                                    \
        }                                                                                         \
        static void op_##_backward_##precision_(const struct pxr_call *call)                      \
        {                                                                                         \
                const real_ *restrict y = call->output;                                           \
                const real_ *restrict dy = call->output_gradient;                                 \
                real_ *restrict dx = call->input_gradient[0];                                     \
                size_t size = pxr_map_size(call->node, call->images);                             \
                                                                                                  \
                if (!dx)                                                                          \
                        return;                                                                   \
                if (call->accumulate[0])                                                          \
                        for (size_t i = 0; i < size; i++)                                         \
                                dx[i] += op_##_slope_##precision_(y[i]) * dy[i];                  \
                else                                                                              \
                        for (size_t i = 0; i < size; i++)                                         \
                                dx[i] = op_##_slope_##precision_(y[i]) * dy[i];                   \
        }                                                                                         \
        static void op_##_advance_##precision_(const struct pxr_call *call)                       \
        {                                                                                         \
                const struct pxr_node *node = call->node;                                         \
                struct pxr_runs runs = pxr_runs_of(node, call->images, call->colour);             \
                size_t start = ((size_t)call->row * node->shape.cols + call->col) *               \
                                       pxr_pixel_size(node, call->images) +                       \
                               runs.first;                                                        \
                const real_ *restrict x = (const real_ *)call->input[0] + start;                  \
                real_ *restrict y = (real_ *)call->output + start;                                \
                                                                                                  \
                for (size_t run = 0; run < runs.count; run++, x += runs.stride, y += runs.stride) \
                        for (size_t i = 0; i < runs.size; i++)                                    \
                                y[i] = op_##_value_##precision_(x[i]);                            \
        }

#endif
