/* SPDX-License-Identifier: MIT */
/* bf16_cells_portable.c - LSTM cells and gates in bfloat16, for any processor. */
#include "tensor/bf16_cells.h"

#include <string.h>

#include <pxr/vecmath.h>

#include "tensor/bf16.h"
#include "tensor/bf16_units.h"

/* One cell's features from `feature` on, at most 16, for the functions of vecmath. */
static struct pxr_lstm_cells few_features(const struct pxr_bf16_cells *cells, size_t row,
                                          ptrdiff_t at, size_t feature, float *gates, float *h)
{
        return (struct pxr_lstm_cells) {
                .cells = 1,
                .count = pxr_bf16_smaller(cells->features - feature, PXR_TILE),
                .features = PXR_TILE,
                .gates = gates,
                .before = pxr_bf16_c_before(cells, row, at) + feature,
                .c = cells->c + at * (ptrdiff_t)cells->features + feature,
                .h = h,
        };
}

static void few_cells(const struct pxr_bf16_cells *cells, size_t row, size_t feature,
                      const float *sum)
{
        ptrdiff_t features = (ptrdiff_t)cells->features, at = pxr_bf16_cell_at(cells, row);
        float gates[4 * PXR_TILE], h[PXR_TILE];
        struct pxr_lstm_cells one = few_features(cells, row, at, feature, gates, h);
        pxr_bf16 *to = cells->h + at * features + feature;

        for (int g = 0; g < 4; g++)
                for (size_t j = 0; j < one.count; j++)
                        gates[g * PXR_TILE + j] =
                                sum[pxr_bf16_gate_sum(g) + j] +
                                pxr_bf16_value(cells->input[(4 * at + g) * features + feature + j]);
        pxr_lstm_cells_f32(&one);
        for (int g = 0; g < 4; g++)
                pxr_bf16_round(one.count, gates + g * PXR_TILE,
                               cells->gates + (4 * at + g) * features + feature);
        pxr_bf16_round(one.count, h, to);
        memcpy(cells->next + row * features + feature, to, one.count * sizeof(*to));
        if (row < cells->shown)
                memcpy(cells->output + at * features + feature, to, one.count * sizeof(*to));
}

void pxr_bf16_portable_cells(const struct pxr_bf16_cells *cells, size_t row, size_t rows,
                             size_t feature, size_t count, float *sum)
{
        for (size_t i = 0; i < rows; i++)
                for (size_t j = 0; j < count; j += PXR_TILE)
                        if (feature + j < cells->features)
                                few_cells(cells, row + i, feature + j,
                                          pxr_bf16_gates_sums(sum, i, j));
}

static void few_cells_gradient(const struct pxr_bf16_cells *cells, size_t row, size_t feature,
                               const float *sum)
{
        ptrdiff_t features = (ptrdiff_t)cells->features, at = pxr_bf16_cell_at(cells, row);
        float gates[4 * PXR_TILE], by_h[PXR_TILE];
        struct pxr_lstm_cells one = few_features(cells, row, at, feature, gates, NULL);

        for (size_t j = 0; j < one.count; j++) {
                for (int g = 0; g < 4; g++)
                        gates[g * PXR_TILE + j] =
                                pxr_bf16_value(cells->gates[(4 * at + g) * features + feature + j]);
                by_h[j] = sum[j] +
                          (row < cells->shown
                                   ? pxr_bf16_value(cells->by_output[at * features + feature + j])
                                   : 0);
        }
        pxr_lstm_cells_gradient_f32(&one, by_h, cells->by_c + row * features + feature);
        for (int g = 0; g < 4; g++) {
                pxr_bf16 *to = cells->by_gates + (4 * at + g) * features + feature;

                pxr_bf16_round(one.count, gates + g * PXR_TILE, to);
                memcpy(cells->next + (4 * row + g) * features + feature, to,
                       one.count * sizeof(*to));
        }
}

void pxr_bf16_portable_cells_gradient(const struct pxr_bf16_cells *cells, size_t row, size_t rows,
                                      size_t feature, size_t count, float *sum)
{
        for (size_t i = 0; i < rows; i++)
                for (size_t j = 0; j < count; j += PXR_TILE)
                        few_cells_gradient(cells, row + i, feature + j, pxr_bf16_sums(sum, i, j));
}

/* The activations of up to 16 features of a cell, from number `first` on. */
static void activate(const struct pxr_bf16_gates *gates, size_t cell, size_t first, size_t count,
                     float *a, float *b)
{
        const pxr_bf16 *x = gates->x + 2 * cell * gates->features + first;

        pxr_bf16_widen(count, x, a);
        pxr_bf16_widen(count, x + gates->features, b);
        if (!gates->linear)
                pxr_tanh_f32(count, a, a);
        pxr_sigmoid_f32(count, b, b);
}

void pxr_bf16_portable_gates(const struct pxr_bf16_gates *gates)
{
        size_t features = gates->features;
        float a[PXR_TILE], b[PXR_TILE];

        for (size_t cell = 0; cell < gates->cells; cell++)
                for (size_t j = 0; j < features; j += PXR_TILE) {
                        size_t count = pxr_bf16_smaller(features - j, PXR_TILE);

                        activate(gates, cell, j, count, a, b);
                        for (size_t i = 0; i < count; i++)
                                a[i] *= b[i];
                        pxr_bf16_round(count, a, gates->y + cell * features + j);
                }
}

void pxr_bf16_portable_gates_gradient(const struct pxr_bf16_gates *gates)
{
        size_t features = gates->features;
        float a[PXR_TILE], b[PXR_TILE], dy[PXR_TILE], before[2][PXR_TILE] = { { 0 } };

        for (size_t cell = 0; cell < gates->cells; cell++)
                for (size_t j = 0; j < features; j += PXR_TILE) {
                        size_t count = pxr_bf16_smaller(features - j, PXR_TILE);
                        pxr_bf16 *dx = gates->dx + 2 * cell * features + j;

                        activate(gates, cell, j, count, a, b);
                        pxr_bf16_widen(count, gates->dy + cell * features + j, dy);
                        for (int k = 0; gates->accumulate && k < 2; k++)
                                pxr_bf16_widen(count, dx + k * features, before[k]);
                        for (size_t i = 0; i < count; i++) {
                                float by_a = gates->linear ? 1 : 1 - a[i] * a[i];

                                a[i] = before[1][i] + dy[i] * a[i] * b[i] * (1 - b[i]);
                                b[i] = before[0][i] + dy[i] * b[i] * by_a;
                        }
                        pxr_bf16_round(count, b, dx);
                        pxr_bf16_round(count, a, dx + features);
                }
}
