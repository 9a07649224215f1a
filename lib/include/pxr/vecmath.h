/* SPDX-License-Identifier: MIT */
/*
 * vecmath.h - exp, sigmoid and tanh over arrays of floats, and the gates of an LSTM.
 *
 * Compiled with flags of their own and once for each instruction set, chosen as the program
 * runs. Errors are in units in the last place of the result, where that is a normal number (not
 * below 1.18e-38). A value's result does not depend on what stands beside it. NaN gives NaN. The
 * functions of doubles are plain loops: they serve gradient checks.
 */
#ifndef PXR_VECMATH_H
#define PXR_VECMATH_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* y[i] = exp(x[i]), to 1.1 units; below -87.3 it is 0, above 88.7 infinity. Here and below, x and y
 * may be the same array. */
void pxr_exp_f32(size_t size, const float *x, float *y);

/* y[i] = 1 / (1 + exp(-x[i])), to 2.4 units; below -88.7 it is 0. */
void pxr_sigmoid_f32(size_t size, const float *x, float *y);
void pxr_sigmoid_f64(size_t size, const double *x, double *y);

/* y[i] = tanh(x[i]), to 1.3 units. */
void pxr_tanh_f32(size_t size, const float *x, float *y);

/* The largest of size > 0 values, and the sum of exp(x[i] - shift) with exp(x[i] - shift) kept in
 * y: the two halves of log-sum-exp. The sum is exact to (size / 16 + 20) units of 2^-24 of itself.
 * The maximum may pass over NaN, which the sum then meets. */
float pxr_max_f32(size_t size, const float *x);
float pxr_exp_sum_f32(size_t size, const float *x, float shift, float *y);

/* Arrays of the cells of an LSTM, as equation 3 of the paper has them. A cell's gates are four
 * blocks o, f, i, g of `features` values each; of every block, and of the cell's states, `count`
 * values are computed, beginning where the pointers point. */
struct pxr_lstm_cells {
        size_t cells, count, features;
        void *gates; /* [cell][4 features]: before the non-linearities; behind them afterwards */
        const void *before;   /* [cell][features]: c of the step before */
        size_t before_stride; /* features, or 0: the same for all cells */
        void *c, *h;          /* [cell][features] */
};

/* o, f, i = sigmoid, g = tanh of the gates; c = f c_before + i g; h = o tanh(c). */
void pxr_lstm_cells_f32(const struct pxr_lstm_cells *cells);

/* The gradient of it. dh: by h; dc: by c from the step after, replaced by that by c_before. The
 * gates are replaced by the gradient by what they were before the non-linearities. */
void pxr_lstm_cells_gradient_f32(const struct pxr_lstm_cells *cells, const float *dh, float *dc);

#ifdef __cplusplus
}
#endif
#endif
