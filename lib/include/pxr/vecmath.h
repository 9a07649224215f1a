/* SPDX-License-Identifier: MIT */
/*
 * vecmath.h - exp, sigmoid and tanh over arrays of floats.
 *
 * Compiled with flags of their own and once for each instruction set, chosen when the program is
 * loaded. Errors are below 2 units in the last place of the largest term; NaN gives NaN. The
 * functions of doubles are plain loops: they serve gradient checks.
 */
#ifndef PXR_VECMATH_H
#define PXR_VECMATH_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* y[i] = exp(x[i]); below -87.3 it is 0, above 88.7 infinity. x and y may be the same array. */
void pxr_exp_f32(size_t size, const float *x, float *y);

/* y[i] = 1 / (1 + exp(-x[i])) */
void pxr_sigmoid_f32(size_t size, const float *x, float *y);
void pxr_sigmoid_f64(size_t size, const double *x, double *y);

/* y[i] = tanh(x[i]) */
void pxr_tanh_f32(size_t size, const float *x, float *y);

/* The largest of size > 0 values, and the sum of exp(x[i] - shift) with exp(x[i] - shift) kept in
 * y: the two halves of log-sum-exp. */
float pxr_max_f32(size_t size, const float *x);
float pxr_exp_sum_f32(size_t size, const float *x, float shift, float *y);

#ifdef __cplusplus
}
#endif
#endif
