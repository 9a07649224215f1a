/* SPDX-License-Identifier: MIT */
/*
 * reference.h - the paper's equations as plain loops, to hold the library's ops against.
 *
 * Nothing here is shared with lib/: one image at a time, [row][col][channel], in double precision,
 * masks as multipliers of 0 and 1.
 */
#ifndef PXR_TESTS_REFERENCE_H
#define PXR_TESTS_REFERENCE_H

#include <math.h>

#include "graphs.h"

/* --- maps --------------------------------------------------------------------------------------
 */

/* One image's map. */
struct map {
        int rows, cols, channels;
        double *value;
};

static inline struct map new_map(int rows, int cols, int channels)
{
        return (struct map) { rows, cols, channels,
                              allocate((size_t)rows * cols * channels, sizeof(double)) };
}

/* A value, to read or to write. */
static inline double *at(const struct map *map, int row, int col, int channel)
{
        return &map->value[((size_t)row * map->cols + col) * map->channels + channel];
}

/* The same to read, with zeros round the map. */
static inline double padded(const struct map *map, int row, int col, int channel)
{
        bool inside = row >= 0 && row < map->rows && col >= 0 && col < map->cols;

        return inside ? *at(map, row, col, channel) : 0;
}

/* The tensor of `node` for one image of the last micro-batch. */
static inline struct map node_map(struct pxr_workspace *workspace, enum pxr_precision precision,
                                  const struct pxr_node *node, int images, int image)
{
        const void *tensor = pxr_workspace_tensor(workspace, node);
        struct map map = new_map(node->shape.rows, node->shape.cols, node->shape.channels);

        ck_assert_ptr_nonnull(tensor);
        for (int row = 0; row < map.rows; row++)
                for (int col = 0; col < map.cols; col++)
                        for (int channel = 0; channel < map.channels; channel++) {
                                size_t i = (((size_t)row * map.cols + col) * images + image) *
                                                   map.channels +
                                           channel;

                                *at(&map, row, col, channel) =
                                        precision == PXR_F32 ? ((const float *)tensor)[i]
                                                             : ((const double *)tensor)[i];
                        }
        return map;
}

/* Equal to tolerance x (1 + |expected|) everywhere; `what` names the maps in the message. */
static inline void expect_same_map(const struct map *got, const struct map *expected,
                                   double tolerance, const char *what)
{
        ck_assert_int_eq(got->rows, expected->rows);
        ck_assert_int_eq(got->cols, expected->cols);
        ck_assert_int_eq(got->channels, expected->channels);
        for (int row = 0; row < got->rows; row++)
                for (int col = 0; col < got->cols; col++)
                        for (int channel = 0; channel < got->channels; channel++) {
                                double a = *at(got, row, col, channel);
                                double b = *at(expected, row, col, channel);

                                if (!(fabs(a - b) <= tolerance * (1 + fabs(b))))
                                        ck_abort_msg("%s at (%d, %d), channel %d: %.12g, and the "
                                                     "reference has %.12g",
                                                     what, row, col, channel, a, b);
                        }
}

/* --- colours and masks (section 3.4) -----------------------------------------------------------
 */

/* Colour group of feature f of n: floor(colours f / n). */
static inline int group_of(int f, int n, int colours)
{
        return colours * f / n;
}

/* Does a mask let weight [tap_row][tap_col][in][out] of a kernel x kernel convolution live? */
static inline bool is_live(int mask, int kernel, int colours, int inputs, int outputs, int gates,
                           int tap_row, int tap_col, int in, int out)
{
        int centre = kernel / 2, block = outputs / gates;
        int from = group_of(in, inputs, colours), to = group_of(out % block, block, colours);

        if (mask == PXR_MASK_NONE)
                return true;
        if (tap_row != centre)
                return tap_row < centre;
        if (tap_col != centre)
                return tap_col < centre;
        return mask == PXR_MASK_A ? from < to : from <= to;
}

/* y[o] = bias[o] + sum over taps and inputs of mask x weight[tap][i][o] x padded x[i]. `bias` may
 * be NULL. */
static inline struct map masked_conv(const struct map *x, const double *weight, const double *bias,
                                     int mask, int kernel, int colours, int outputs, int gates)
{
        struct map y = new_map(x->rows, x->cols, outputs);

        for (int row = 0; row < y.rows; row++)
                for (int col = 0; col < y.cols; col++)
                        for (int out = 0; out < outputs; out++) {
                                double sum = bias ? bias[out] : 0;

                                for (int r = 0; r < kernel; r++)
                                        for (int c = 0; c < kernel; c++)
                                                for (int in = 0; in < x->channels; in++) {
                                                        bool live = is_live(mask, kernel, colours,
                                                                            x->channels, outputs,
                                                                            gates, r, c, in, out);
                                                        int tap = (r * kernel + c) * x->channels;

                                                        sum += live *
                                                               weight[(tap + in) * outputs + out] *
                                                               padded(x, row + r - kernel / 2,
                                                                      col + c - kernel / 2, in);
                                                }
                                *at(&y, row, col, out) = sum;
                        }
        return y;
}

/* --- parameters --------------------------------------------------------------------------------
 */

static inline const struct pxr_parameter *find_parameter(const struct pxr_graph *graph,
                                                         const char *name)
{
        const struct pxr_parameter *p = graph->parameter;

        while (p && strcmp(p->name, name) != 0)
                p = p->next;
        ck_assert_msg(p != NULL, "there is no parameter %s", name);
        return p;
}

/* Random values for everything, masked weights too: an op must not read those. */
static inline double *arbitrary_parameters(const struct pxr_graph *graph, uint64_t seed)
{
        double *values = allocate(graph->parameter_values, sizeof(double));
        struct pxr_random random = pxr_random(seed, PXR_RANDOM_TEST, 3, 0, 0);

        for (size_t i = 0; i < graph->parameter_values; i++)
                values[i] = 0.5 * pxr_random_normal(&random);
        return values;
}

#endif
