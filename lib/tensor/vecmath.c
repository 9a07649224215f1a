/* SPDX-License-Identifier: MIT */
/*
 * vecmath.c - exp, sigmoid, tanh and the gates of an LSTM, vectorised by the compiler.
 *
 * exp(x) = 2^n exp(r) with n = round(x / ln 2) and |r| <= ln 2 / 2, where a polynomial of degree 6
 * (minimax on that interval) serves. tanh uses exp for large |x| and an odd rational-free series
 * for small, so that it keeps its relative accuracy near 0.
 */
#include <pxr/vecmath.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "tensor/levels.h"

/* Select without a branch, which the vectoriser takes for a blend. */
INLINE float choose(int32_t condition, float yes, float no)
{
        return condition ? yes : no;
}

INLINE float exp_one(float x)
{
        const float log2e = 1.44269504088896341f, high = 0.693359375f, low = -2.12194440e-4f;
        const float shift = 12582912.0f; /* 1.5 2^23: adding it rounds to an integer */
        float bounded = choose(x < -88.0f, -88.0f, choose(x > 89.0f, 89.0f, x));
        float n = (bounded * log2e + shift) - shift;
        float r = (bounded - n * high) - n * low;
        float p = 1.9875691500e-4f;
        float scale, half_scale;
        int32_t exponent, bits;

        p = p * r + 1.3981999507e-3f;
        p = p * r + 8.3334519073e-3f;
        p = p * r + 4.1665795894e-2f;
        p = p * r + 1.6666665459e-1f;
        p = p * r + 5.0000001201e-1f;
        p = p * r * r + r + 1.0f;
        /* 2^n in two factors, so that n = 128 and the denormal end need no special case. */
        exponent = (int32_t)choose(n == n, n, 0.0f);
        bits = ((exponent >> 1) + 127) << 23;
        memcpy(&half_scale, &bits, sizeof(bits));
        bits = ((exponent - (exponent >> 1)) + 127) << 23;
        memcpy(&scale, &bits, sizeof(bits));
        return choose(x < -87.33654f, 0.0f, choose(x != x, x, p * half_scale * scale));
}

INLINE void pxr_exp_f32_body(size_t size, const float *x, float *y)
{
        for (size_t i = 0; i < size; i++)
                y[i] = exp_one(x[i]);
}

FOR_EACH_LEVEL(void, pxr_exp_f32, (size_t size, const float *x, float *y), (size, x, y))

INLINE float sigmoid_one(float x)
{
        return 1.0f / (1.0f + exp_one(-x));
}

INLINE void pxr_sigmoid_f32_body(size_t size, const float *x, float *y)
{
        for (size_t i = 0; i < size; i++)
                y[i] = sigmoid_one(x[i]);
}

FOR_EACH_LEVEL(void, pxr_sigmoid_f32, (size_t size, const float *x, float *y), (size, x, y))

/* For |x| < 0.625 an odd polynomial (as Cephes has it), beyond 1 - 2 / (exp(2 |x|) + 1). */
INLINE float tanh_one(float x)
{
        float a = fabsf(x), s = x * x;
        float small = ((((-5.70498872745e-3f * s + 2.06390887954e-2f) * s - 5.37397155531e-2f) * s +
                        1.33314422036e-1f) *
                               s -
                       3.33332819422e-1f) *
                              s * x +
                      x;
        float large = copysignf(1.0f - 2.0f / (exp_one(2.0f * a) + 1.0f), x);

        return choose(a < 0.625f, small, choose(x != x, x, large));
}

INLINE void pxr_tanh_f32_body(size_t size, const float *x, float *y)
{
        for (size_t i = 0; i < size; i++)
                y[i] = tanh_one(x[i]);
}

FOR_EACH_LEVEL(void, pxr_tanh_f32, (size_t size, const float *x, float *y), (size, x, y))

/* Reductions run in 16 lanes at every instruction set, in one order. */
enum { LANES = 16 };

INLINE float pxr_max_f32_body(size_t size, const float *x)
{
        float lane[LANES];
        size_t i = 0;

        for (int l = 0; l < LANES; l++)
                lane[l] = x[0];
        for (; i + LANES <= size; i += LANES)
                for (int l = 0; l < LANES; l++)
                        lane[l] = x[i + l] <= lane[l] ? lane[l] : x[i + l];
        for (; i < size; i++)
                lane[0] = x[i] <= lane[0] ? lane[0] : x[i];
        for (int l = 1; l < LANES; l++)
                lane[0] = lane[l] <= lane[0] ? lane[0] : lane[l];
        return lane[0];
}

FOR_EACH_LEVEL(float, pxr_max_f32, (size_t size, const float *x), (size, x))

INLINE float pxr_exp_sum_f32_body(size_t size, const float *x, float shift, float *y)
{
        float lane[LANES] = { 0 };
        float sum = 0;
        size_t i = 0;

        for (; i + LANES <= size; i += LANES)
                for (int l = 0; l < LANES; l++) {
                        y[i + l] = exp_one(x[i + l] - shift);
                        lane[l] += y[i + l];
                }
        for (; i < size; i++) {
                y[i] = exp_one(x[i] - shift);
                sum += y[i];
        }
        for (int l = 0; l < LANES; l++)
                sum += lane[l];
        return sum;
}

FOR_EACH_LEVEL(float, pxr_exp_sum_f32, (size_t size, const float *x, float shift, float *y),
               (size, x, shift, y))

/* The cells of one image at one place. As parameters, since the vectoriser heeds `restrict` there.
 */
INLINE void one_cell(size_t count, float *restrict o, float *restrict f, float *restrict i,
                     float *restrict g, const float *restrict before, float *restrict c,
                     float *restrict h)
{
        for (size_t k = 0; k < count; k++) {
                o[k] = sigmoid_one(o[k]);
                f[k] = sigmoid_one(f[k]);
                i[k] = sigmoid_one(i[k]);
                g[k] = tanh_one(g[k]);
                c[k] = f[k] * before[k] + i[k] * g[k];
                h[k] = o[k] * tanh_one(c[k]);
        }
}

INLINE void pxr_lstm_cells_f32_body(const struct pxr_lstm_cells *cells)
{
        size_t features = cells->features;

        for (size_t cell = 0; cell < cells->cells; cell++) {
                float *gates = (float *)cells->gates + cell * 4 * features;

                one_cell(cells->count, gates, gates + features, gates + 2 * features,
                         gates + 3 * features,
                         (const float *)cells->before + cell * cells->before_stride,
                         (float *)cells->c + cell * features, (float *)cells->h + cell * features);
        }
}

FOR_EACH_LEVEL(void, pxr_lstm_cells_f32, (const struct pxr_lstm_cells *cells), (cells))

INLINE void one_cell_gradient(size_t count, float *restrict o, float *restrict f, float *restrict i,
                              float *restrict g, const float *restrict before,
                              const float *restrict c, const float *restrict by_h,
                              float *restrict by_c)
{
        for (size_t k = 0; k < count; k++) {
                float t = tanh_one(c[k]);
                float d = by_c[k] + by_h[k] * o[k] * (1 - t * t);

                o[k] = by_h[k] * t * o[k] * (1 - o[k]);
                by_c[k] = d * f[k];
                f[k] = d * before[k] * f[k] * (1 - f[k]);
                t = i[k];
                i[k] = d * g[k] * t * (1 - t);
                g[k] = d * t * (1 - g[k] * g[k]);
        }
}

INLINE void pxr_lstm_cells_gradient_f32_body(const struct pxr_lstm_cells *cells, const float *dh,
                                             float *dc)
{
        size_t features = cells->features;

        for (size_t cell = 0; cell < cells->cells; cell++) {
                float *gates = (float *)cells->gates + cell * 4 * features;

                one_cell_gradient(cells->count, gates, gates + features, gates + 2 * features,
                                  gates + 3 * features,
                                  (const float *)cells->before + cell * cells->before_stride,
                                  (const float *)cells->c + cell * features, dh + cell * features,
                                  dc + cell * features);
        }
}

FOR_EACH_LEVEL(void, pxr_lstm_cells_gradient_f32,
               (const struct pxr_lstm_cells *cells, const float *dh, float *dc), (cells, dh, dc))

/* --- in double ---------------------------------------------------------------------------------
 */

void pxr_exp_f64(size_t size, const double *x, double *y)
{
        for (size_t i = 0; i < size; i++)
                y[i] = exp(x[i]);
}

void pxr_sigmoid_f64(size_t size, const double *x, double *y)
{
        for (size_t i = 0; i < size; i++)
                y[i] = 1 / (1 + exp(-x[i]));
}

void pxr_tanh_f64(size_t size, const double *x, double *y)
{
        for (size_t i = 0; i < size; i++)
                y[i] = tanh(x[i]);
}

double pxr_max_f64(size_t size, const double *x)
{
        double top = x[0];

        for (size_t i = 1; i < size; i++)
                top = x[i] <= top ? top : x[i];
        return top;
}

double pxr_exp_sum_f64(size_t size, const double *x, double shift, double *y)
{
        double sum = 0;

        for (size_t i = 0; i < size; i++) {
                y[i] = exp(x[i] - shift);
                sum += y[i];
        }
        return sum;
}
