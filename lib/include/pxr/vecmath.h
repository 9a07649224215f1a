/* SPDX-License-Identifier: MIT */
/*
 * vecmath.h - exp, sigmoid and tanh over arrays of floats, and the gates of an LSTM.
 *
 * Compiled once for each instruction set, with vectorizing flags; the best one is chosen at run
 * time. Accuracies are in units in the last place (ulp) of the result, for normal results (at least
 * 1.18e-38). A value's result does not depend on its neighbours in the array. NaN gives NaN. The
 * functions for doubles are plain loops, used by gradient checks.
 */
#ifndef PXR_VECMATH_H
#define PXR_VECMATH_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* y[i] = exp(x[i]), to 1.1 ulp; 0 for x below -87.3, infinity above 88.7. In all functions here x
 * and y may be the same array. Those in double are as exact as the C library. */
void pxr_exp_f32(size_t size, const float *x, float *y);
void pxr_exp_f64(size_t size, const double *x, double *y);

/* y[i] = 1 / (1 + exp(-x[i])), to 2.4 ulp; 0 for x below -88.7. */
void pxr_sigmoid_f32(size_t size, const float *x, float *y);
void pxr_sigmoid_f64(size_t size, const double *x, double *y);

/* y[i] = tanh(x[i]), to 1.3 ulp. */
void pxr_tanh_f32(size_t size, const float *x, float *y);
void pxr_tanh_f64(size_t size, const double *x, double *y);

/* The two halves of log-sum-exp: the largest of size > 0 values; and the sum of exp(x[i] - shift),
 * storing each term in y[i]. The sum's relative error is at most (size / 16 + 20) 2^-24. The
 * maximum may skip NaN; the sum is then NaN. */
float pxr_max_f32(size_t size, const float *x);
float pxr_exp_sum_f32(size_t size, const float *x, float shift, float *y);
double pxr_max_f64(size_t size, const double *x);
double pxr_exp_sum_f64(size_t size, const double *x, double shift, double *y);

/* Arrays of LSTM cells (equation 3 of the paper). A cell's gates are four blocks o, f, i, g of
 * `features` values each. The first `count` values of each block and of each cell's states are
 * computed, from the pointers on. */
struct pxr_lstm_cells {
        size_t cells, count, features;
        void *gates;          /* [cell][4 features]: in: pre-activations; out: activations */
        const void *before;   /* [cell][features]: c of the previous step */
        size_t before_stride; /* features, or 0: one for all cells */
        void *c, *h;          /* [cell][features] */
};

/* o, f, i = sigmoid, g = tanh of the gates; c = f c_before + i g; h = o tanh(c). */
void pxr_lstm_cells_f32(const struct pxr_lstm_cells *cells);

/* Its gradient. dh: gradient with respect to h. dc: in: with respect to c, from the next step; out:
 * with respect to c_before. The gates (activations) are replaced by the gradient with respect to
 * the pre-activations. */
void pxr_lstm_cells_gradient_f32(const struct pxr_lstm_cells *cells, const float *dh, float *dc);

#ifdef __cplusplus
}
#endif
#endif
