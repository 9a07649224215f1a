/* SPDX-License-Identifier: MIT */
/*
 * check_layers.c - layers that are not in the paper, against plain loops written from the equations
 * of the papers that they are from.
 */
#include "stack_reference.h"

static const struct pxr_image_kind grey = { 5, 4, 1, 4 }, colour = { 4, 5, 3, 3 };

static double sigmoid(double x)
{
        return 1 / (1 + exp(-x));
}

/* --- gated convolutions ------------------------------------------------------------------------
 */

enum { GATED = 6, GATED_LAYERS = 3 };

/* y += the convolution of `x` by the parameter `part`: kernel height x width, its centre at the
 * pixel, without the taps below row `last`, counted from the pixel's. */
static void add_rows_conv(const struct stack *s, const char *part, const struct map *x, int height,
                          int width, int last, struct map *y)
{
        int outputs;
        const double *weight =
                values_of(s, "layers.0.gated_conv", pxr_strf(arena, "%s.weight", part), &outputs);

        for (int row = 0; row < y->rows; row++)
                for (int col = 0; col < y->cols; col++)
                        for (int i = 0; i < height * width * x->channels * outputs; i++) {
                                int out = i % outputs, in = i / outputs % x->channels;
                                int tap = i / outputs / x->channels, up = tap / width - height / 2;

                                if (up <= last)
                                        *at(y, row, col, out) +=
                                                weight[i] * padded(x, row + up,
                                                                   col + tap % width - width / 2,
                                                                   in);
                        }
}

static void add_bias(const struct stack *s, const char *part, struct map *y)
{
        const double *bias =
                values_of(s, "layers.0.gated_conv", pxr_strf(arena, "%s.bias", part), NULL);

        for (int i = 0; i < y->rows * y->cols * y->channels; i++)
                y->value[i] += bias[i % y->channels];
}

/* The same by a masked convolution of one row, whose mask a square kernel of zeros round it has. */
static void add_row_conv(const struct stack *s, const char *part, const struct map *x, int mask,
                         int kernel, int gates, struct map *y)
{
        int outputs;
        const double *weight =
                values_of(s, "layers.0.gated_conv", pxr_strf(arena, "%s.weight", part), &outputs);
        int row = kernel * x->channels * outputs;
        double *square = allocate((size_t)kernel * row, sizeof(double));
        struct map product;

        memcpy(square + kernel / 2 * row, weight, row * sizeof(double));
        product = masked_conv(x, square, NULL, mask, kernel, s->graph->colours, outputs, gates);
        add_map(y, &product);
}

static struct map gated(const struct map *x)
{
        struct map y = new_map(x->rows, x->cols, x->channels / 2);

        for (int row = 0; row < y.rows; row++)
                for (int col = 0; col < y.cols; col++)
                        for (int i = 0; i < y.channels; i++)
                                *at(&y, row, col, i) = tanh(*at(x, row, col, i)) *
                                                       sigmoid(*at(x, row, col, y.channels + i));
        return y;
}

static void expect_gated(struct pxr_image_kind kind)
{
        struct stack s = run_stack(kind, "- gated_conv: {features: 6, layers: 3, first_kernel: 5}\n"
                                         "- softmax\n");

        for (int image = 0; image < IMAGES; image++) {
                struct map v = image_of(&s, image, 1), h = v;

                for (int i = 0; i < GATED_LAYERS; i++) {
                        const char *vertical = pxr_strf(arena, "%d.vertical", i);
                        const char *horizontal = pxr_strf(arena, "%d.horizontal", i);
                        const char *output = pxr_strf(arena, "%d.output", i);
                        struct map v_gates = new_map(kind.rows, kind.cols, 2 * GATED);
                        struct map h_gates = new_map(kind.rows, kind.cols, 2 * GATED);
                        struct map next = new_map(kind.rows, kind.cols, GATED), gate;
                        int kernel = i ? 3 : 5;

                        add_rows_conv(&s, vertical, &v, kernel, kernel, i ? 0 : -1, &v_gates);
                        add_bias(&s, vertical, &v_gates);
                        add_row_conv(&s, horizontal, &h, i ? PXR_MASK_B : PXR_MASK_A, kernel, 2,
                                     &h_gates);
                        add_bias(&s, horizontal, &h_gates);
                        add_rows_conv(&s, pxr_strf(arena, "%d.across", i), &v_gates, 1, 1, 0,
                                      &h_gates);
                        gate = gated(&h_gates);
                        add_row_conv(&s, output, &gate, PXR_MASK_B, 1, 1, &next);
                        add_bias(&s, output, &next);
                        if (i)
                                add_map(&next, &h);
                        v = gated(&v_gates);
                        h = next;
                }
                expect_made(&s, "layers.0.gated_conv", image, &h);
        }
}

START_TEST(gated_convolutions_match_the_reference)
{
        expect_gated(grey);
        expect_gated(colour);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("layers");

        ADD_STACK_TEST(suite, gated_convolutions_match_the_reference);
        return run_suite(suite);
}
