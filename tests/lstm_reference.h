/* SPDX-License-Identifier: MIT */
/*
 * lstm_reference.h - the LSTM scans as the paper has them, in plain loops: a skewed map, columns of
 * it as steps, a mirrored second direction, a shift by one row.
 *
 * Maps of gates have four channels to one of the state: [o f i g].
 */
#ifndef PXR_TESTS_LSTM_REFERENCE_H
#define PXR_TESTS_LSTM_REFERENCE_H

#include "reference.h"

enum { MAX_STATE = 8 };

/* Weights of one scan, in the layout of the parameters. */
struct weights {
        const double *state_to_state, *initial_state, *initial_cell;
};

/* Those of the scan whose parameters' names begin with `prefix`. */
static inline struct weights weights_of(const struct pxr_graph *graph, const double *parameters,
                                        const char *prefix)
{
        const struct pxr_parameter *weight =
                find_parameter(graph, pxr_strf(arena, "%s.state_to_state", prefix));
        const struct pxr_parameter *state =
                find_parameter(graph, pxr_strf(arena, "%s.initial_state", prefix));
        const struct pxr_parameter *cell =
                find_parameter(graph, pxr_strf(arena, "%s.initial_cell", prefix));

        return (struct weights) { parameters + weight->offset, parameters + state->offset,
                                  parameters + cell->offset };
}

static inline double sigmoid(double x)
{
        return 1 / (1 + exp(-x));
}

/* Equation 3 for one pixel: [o f i g] are `gates` + the state-to-state products. */
static inline void step(int n, const double *gates, const double *c_before, double *c, double *h)
{
        for (int k = 0; k < n; k++) {
                double o = sigmoid(gates[k]), f = sigmoid(gates[n + k]);
                double i = sigmoid(gates[2 * n + k]), g = tanh(gates[3 * n + k]);

                c[k] = f * c_before[k] + i * g;
                h[k] = o * tanh(c[k]);
        }
}

/* gates += state x weight of one tap */
static inline void add_tap(int n, double *gates, const double *state, const struct weights *w,
                           int tap)
{
        for (int i = 0; i < n; i++)
                for (int out = 0; out < 4 * n; out++)
                        gates[out] += state[i] * w->state_to_state[(tap * n + i) * 4 * n + out];
}

/* Section 3.1: one step is a row, with a convolution of `taps` over the row above. */
static inline struct map row_scan(const struct map *z, const struct weights *w, int taps)
{
        int n = z->channels / 4;
        struct map h = new_map(z->rows, z->cols, n), c = new_map(z->rows, z->cols, n);

        for (int row = 0; row < z->rows; row++)
                for (int col = 0; col < z->cols; col++) {
                        double gates[4 * MAX_STATE];

                        memcpy(gates, at(z, row, col, 0), 4 * n * sizeof(double));
                        for (int tap = 0; tap < taps; tap++) {
                                int source = col + tap - taps / 2;

                                if (source < 0 || source >= z->cols)
                                        continue;
                                add_tap(n, gates,
                                        row ? at(&h, row - 1, source, 0) : w->initial_state, w,
                                        tap);
                        }
                        step(n, gates, row ? at(&c, row - 1, col, 0) : w->initial_cell,
                             at(&c, row, col, 0), at(&h, row, col, 0));
                }
        return h;
}

/* Section 3.2: rows skewed by one column each; one step is a column of the skewed map, with a 2x1
 * convolution over the column before. Left of the image is the learned state, above it zero. */
static inline struct map diagonal_scan(const struct map *z, const struct weights *w)
{
        int n = z->channels / 4, width = z->cols + z->rows - 1;
        struct map h = new_map(z->rows, width, n), c = new_map(z->rows, width, n);
        struct map output = new_map(z->rows, z->cols, n);

        for (int column = 0; column < width; column++)
                for (int row = 0; row < z->rows; row++) {
                        int col = column - row;
                        double gates[4 * MAX_STATE];

                        if (col < 0 || col >= z->cols)
                                continue;
                        memcpy(gates, at(z, row, col, 0), 4 * n * sizeof(double));
                        add_tap(n, gates, col ? at(&h, row, column - 1, 0) : w->initial_state, w,
                                0);
                        if (row)
                                add_tap(n, gates, at(&h, row - 1, column - 1, 0), w, 1);
                        step(n, gates, col ? at(&c, row, column - 1, 0) : w->initial_cell,
                             at(&c, row, column, 0), at(&h, row, column, 0));
                        memcpy(at(&output, row, col, 0), at(&h, row, column, 0),
                               n * sizeof(double));
                }
        return output;
}

static inline struct map mirrored(const struct map *x)
{
        struct map y = new_map(x->rows, x->cols, x->channels);

        for (int row = 0; row < x->rows; row++)
                for (int col = 0; col < x->cols; col++)
                        memcpy(at(&y, row, col, 0), at(x, row, x->cols - 1 - col, 0),
                               x->channels * sizeof(double));
        return y;
}

static inline struct map shifted_down(const struct map *x)
{
        struct map y = new_map(x->rows, x->cols, x->channels);

        for (int row = 1; row < x->rows; row++)
                memcpy(at(&y, row, 0, 0), at(x, row - 1, 0, 0),
                       (size_t)x->cols * x->channels * sizeof(double));
        return y;
}

/* The states that a scan makes of the gates' input-to-state part `z`. */
static inline struct map scanned(const struct map *z, const struct weights *w,
                                 const struct pxr_lstm *settings)
{
        struct map turned, states, back;

        ck_assert_int_le(z->channels, 4 * MAX_STATE);
        if (settings->scan == PXR_SCAN_ROWS)
                return row_scan(z, w, settings->kernel);
        if (settings->scan == PXR_SCAN_LEFT)
                return diagonal_scan(z, w);
        turned = mirrored(z);
        states = diagonal_scan(&turned, w);
        back = mirrored(&states);
        return shifted_down(&back);
}

#endif
