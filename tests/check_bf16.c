/* SPDX-License-Identifier: MIT */
/*
 * check_bf16.c - products of bfloat16 numbers against sums in double precision of the same numbers.
 *
 * A unit adds up s terms in float32 in some order, two of them at a time in one rounding or two, so
 * it is off by at most 2 s 2^-24 times the sum of the terms' sizes (and AMX takes denormals for
 * zero). Every unit that this machine has is tried.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <pxr/random.h>

#include "suite.h"
#include "model/conformance_tests.h"
#include "tensor/bf16.h"
#include "tensor/bf16_cells.h"
#include "whole_model.h"

struct shape {
        int rows, cols, images, k, n, kernel;
};

static const struct shape shapes[] = {
        { 1, 1, 1, 1, 1, 1 },    { 3, 5, 1, 3, 2, 3 },    { 4, 7, 2, 16, 16, 3 },
        { 5, 4, 8, 32, 16, 1 },  { 2, 33, 1, 48, 20, 3 }, { 6, 6, 3, 17, 65, 5 },
        { 3, 8, 16, 64, 48, 3 }, { 9, 9, 7, 40, 33, 3 },
};

static float random_value(struct pxr_random *random)
{
        return (float)(2 * pxr_random_uniform(random) - 1);
}

static pxr_bf16 *random_numbers(size_t size, int seed, float **wide)
{
        struct pxr_random random = pxr_random(1, PXR_RANDOM_SAMPLE, seed, 0, 0);
        pxr_bf16 *numbers = malloc((size + 1) * sizeof(*numbers));

        *wide = malloc((size + 1) * sizeof(**wide));
        for (size_t i = 0; i < size; i++)
                (*wide)[i] = random_value(&random);
        pxr_bf16_round(size, *wide, numbers);
        pxr_bf16_widen(size, numbers, *wide);
        return numbers;
}

/* The taps of a masked convolution: what lies above and to the left, and the pixel itself. */
static int taps_of(const struct shape *s, struct pxr_bf16_tap *tap)
{
        int half = s->kernel / 2, taps = 0;

        for (int dr = -half; dr <= 0; dr++)
                for (int dc = -half; dc <= (dr ? half : 0); dc++)
                        tap[taps++] = (struct pxr_bf16_tap) {
                                (ptrdiff_t)(dr * s->cols + dc) * s->images,
                                (size_t)(dc < 0 ? -dc : 0) * s->images,
                                (size_t)(dc > 0 && dc < s->cols ? s->cols - dc : s->cols) *
                                        s->images,
                        };
        return taps;
}

static bool is_outside(const struct shape *s, int m, const struct pxr_bf16_tap *tap)
{
        int period = s->cols * s->images, row = m + (int)tap->shift;

        return row < 0 || row >= s->rows * period || m % period < (int)tap->first ||
               m % period >= (int)tap->end;
}

static void *aligned(size_t bytes)
{
        return aligned_alloc(64, (bytes + 127) / 64 * 64);
}

static void check_product(const struct shape *s)
{
        struct pxr_bf16_tap tap[16];
        int taps = taps_of(s, tap), m = s->rows * s->cols * s->images;
        float *wide_a, *wide_w, *wide_add;
        pxr_bf16 *a = random_numbers((size_t)m * s->k, 1, &wide_a);
        pxr_bf16 *w = random_numbers((size_t)taps * s->k * s->n, 2, &wide_w);
        pxr_bf16 *addend = random_numbers((size_t)m * s->n, 3, &wide_add);
        pxr_bf16 *c = malloc((size_t)m * s->n * sizeof(*c));
        float *exact = malloc((size_t)m * s->n * sizeof(*exact)), *bias = wide_w;
        size_t packed = pxr_bf16_packed_size(s->k, s->n);
        pxr_bf16 *weights = aligned(taps * packed * sizeof(*weights));
        struct pxr_bf16_product p = {
                .operand = { a, m, s->k, s->k, (size_t)s->cols * s->images, taps, tap },
                .m = m,
                .n = s->n,
                .weights = weights,
                .bias = bias,
                .addend = addend,
                .rectify = true,
                .gate = addend,
                .c = c,
                .exact = exact,
                .ldc = s->n,
                .scratch = aligned(pxr_bf16_product_scratch(s->k, taps)),
        };

        for (int t = 0; t < taps; t++)
                pxr_bf16_pack(s->k, s->n, wide_w + (size_t)t * s->k * s->n, s->n, 1,
                              weights + t * packed);
        pxr_bf16_multiply(&p);
        for (int i = 0; i < m; i++)
                for (int j = 0; j < s->n; j++) {
                        double add = bias[j] + wide_add[i * s->n + j], size = fabs(add) + 1;
                        double got = exact[i * s->n + j], expected;
                        double sum = 0;
                        float wide, terms = (float)(taps * s->k + 2);

                        for (int t = 0; t < taps; t++)
                                for (int k = 0; k < s->k && !is_outside(s, i, &tap[t]); k++) {
                                        double term =
                                                (double)wide_a[(i + tap[t].shift) * s->k + k] *
                                                wide_w[(t * s->k + k) * s->n + j];

                                        sum += term;
                                        size += fabs(term);
                                }
                        expected = add + (wide_add[i * s->n + j] > 0 ? sum : 0);
                        expected = expected > 0 ? expected : 0;
                        ck_assert_double_le(fabs(got - expected), 2 * terms * size * 0x1p-24);
                        pxr_bf16_widen(1, &c[i * s->n + j], &wide);
                        ck_assert_double_le(fabs(wide - got), fabs(got) * 0x1p-8);
                }
        free(a);
        free(w);
        free(addend);
        free(wide_a);
        free(wide_w);
        free(wide_add);
        free(c);
        free(exact);
        free(weights);
        free(p.scratch);
}

static void check_gradient(const struct shape *s)
{
        struct pxr_bf16_tap tap[16];
        int taps = taps_of(s, tap), m = s->rows * s->cols * s->images;
        size_t size = (size_t)taps * s->k * s->n;
        float *wide_a, *wide_dc, *dw = calloc(size, sizeof(*dw));
        pxr_bf16 *a = random_numbers((size_t)m * s->k, 1, &wide_a);
        pxr_bf16 *dc = random_numbers((size_t)m * s->n, 2, &wide_dc);
        float *sum = calloc(pxr_bf16_gradient_sum(s->k, s->n, taps), sizeof(*sum));
        struct pxr_bf16_gradient g = {
                .operand = { a, m, s->k, s->k, (size_t)s->cols * s->images, taps, tap },
                .m = m,
                .n = s->n,
                .dc = dc,
                .sum = sum,
                .scratch = aligned(pxr_bf16_gradient_scratch(s->k, s->n)),
        };

        pxr_bf16_weight_gradient(&g);
        pxr_bf16_add_gradient(s->k, s->n, taps, sum, dw);
        for (int t = 0; t < taps; t++)
                for (int k = 0; k < s->k; k++)
                        for (int j = 0; j < s->n; j++) {
                                double expected = 0, terms = 0;

                                for (int i = 0; i < m; i++)
                                        if (!is_outside(s, i, &tap[t])) {
                                                double term =
                                                        (double)wide_a[(i + tap[t].shift) * s->k +
                                                                       k] *
                                                        wide_dc[i * s->n + j];

                                                expected += term;
                                                terms += fabs(term);
                                        }
                                ck_assert_double_le(fabs(dw[(t * s->k + k) * s->n + j] - expected),
                                                    2 * (m + 1) * terms * 0x1p-24);
                        }
        free(a);
        free(dc);
        free(wide_a);
        free(wide_dc);
        free(dw);
        free(sum);
        free(g.scratch);
}

/* The same products as a plugin's kernels have them, in the two orders of B. */
static void check_gemm(const struct shape *s)
{
        int m = s->rows * s->cols * s->images, k = s->k, n = s->n;
        float *wide_a, *wide_b, *wide_d, *c = malloc((size_t)m * n * sizeof(*c));
        float *e = calloc((size_t)k * n, sizeof(*e));
        pxr_bf16 *a = random_numbers((size_t)m * k, 1, &wide_a);
        pxr_bf16 *b = random_numbers((size_t)k * n, 2, &wide_b);
        pxr_bf16 *d = random_numbers((size_t)m * n, 3, &wide_d);
        void *packed = aligned(pxr_gemm_bf16_packed(k, n));
        char *scratch = malloc(pxr_gemm_bf16_scratch(n, k));
        char *wide_scratch = malloc(pxr_gemm_bf16_transposed_scratch(n, k));

        for (int by_column = 0; by_column < 2; by_column++) {
                size_t row = by_column ? 1 : n, column = by_column ? k : 1;

                pxr_gemm_bf16_pack(k, n, b, row, column, packed);
                pxr_gemm_bf16(m, n, k, a, k, packed, c, n, scratch);
                for (int i = 0; i < m * n; i++) {
                        double sum = 0, size = 0;

                        for (int p = 0; p < k; p++) {
                                double term = (double)wide_a[i / n * k + p] *
                                              wide_b[p * row + i % n * column];

                                sum += term;
                                size += fabs(term);
                        }
                        ck_assert_double_le(fabs(c[i] - sum), 2 * k * size * 0x1p-24);
                }
        }
        pxr_gemm_bf16_transposed(m, n, k, a, k, d, e, wide_scratch);
        for (int i = 0; i < k * n; i++) {
                double sum = 0, size = 0;

                for (int p = 0; p < m; p++) {
                        double term = (double)wide_a[p * k + i / n] * wide_d[p * n + i % n];

                        sum += term;
                        size += fabs(term);
                }
                ck_assert_double_le(fabs(e[i] - sum), 2 * (m + 1) * size * 0x1p-24);
        }
        free(a);
        free(b);
        free(d);
        free(wide_a);
        free(wide_b);
        free(wide_d);
        free(c);
        free(e);
        free(packed);
        free(scratch);
        free(wide_scratch);
}

static bool take_unit(int unit)
{
        if (pxr_bf16_use_unit(unit))
                return true;
        printf("# this machine has no %s\n", pxr_bf16_unit_name(unit));
        return false;
}

START_TEST(products_are_those_of_the_rounded_numbers)
{
        for (size_t i = 0; take_unit(_i) && i < sizeof(shapes) / sizeof(shapes[0]); i++)
                check_product(&shapes[i]);
}
END_TEST

START_TEST(products_for_plugins_are_those_of_the_rounded_numbers)
{
        for (size_t i = 0; take_unit(_i) && i < sizeof(shapes) / sizeof(shapes[0]); i++)
                check_gemm(&shapes[i]);
}
END_TEST

/* As a mask has it: 64 inputs, the later 32 of which the earlier 32 outputs do not read. */
START_TEST(what_is_multiplied_by_zeros_alone_is_left_out)
{
        enum { ROWS = 40, SIZE = 64, HALF = SIZE / 2 };
        const struct pxr_bf16_tap all = { .end = ROWS };
        size_t packed = pxr_bf16_packed_size(SIZE, SIZE);
        pxr_bf16 *weights = aligned(packed * sizeof(*weights)), a[ROWS * SIZE];
        float w[SIZE * SIZE], exact[ROWS * SIZE];
        struct pxr_bf16_product p = { .operand = { a, ROWS, SIZE, SIZE, ROWS, 1, &all },
                                      .m = ROWS,
                                      .n = SIZE,
                                      .weights = weights,
                                      .exact = exact,
                                      .ldc = SIZE,
                                      .scratch = aligned(pxr_bf16_product_scratch(SIZE, 1)) };

        for (int i = 0; i < SIZE * SIZE; i++)
                w[i] = i / SIZE < HALF || i % SIZE >= HALF ? 1 : 0;
        for (int i = 0; i < ROWS * SIZE; i++)
                a[i] = pxr_bf16_rounded(i % SIZE < HALF ? 1 : NAN);
        if (take_unit(_i)) {
                pxr_bf16_pack(SIZE, SIZE, w, SIZE, 1, weights);
                pxr_bf16_multiply(&p);
                for (int i = 0; i < ROWS * SIZE; i++)
                        ck_assert(i % SIZE < HALF ? exact[i] == HALF : isnan(exact[i]));
        }
        free(weights);
        free(p.scratch);
}
END_TEST

START_TEST(gradients_of_weights_are_those_of_the_rounded_numbers)
{
        for (size_t i = 0; take_unit(_i) && i < sizeof(shapes) / sizeof(shapes[0]); i++)
                check_gradient(&shapes[i]);
}
END_TEST

/* Cells of one step, of pre-activations from -16 to 16 that a product of zeros is added to. */
START_TEST(cells_have_the_precision_that_is_promised)
{
        enum { ROWS = 1000, FEATURES = 16, WIDTH = 4 * FEATURES };
        const struct pxr_bf16_tap all = { .end = ROWS };
        static const float initial[FEATURES] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
        static const float w[WIDTH] = { 0 };
        static pxr_bf16 gates[ROWS * WIDTH], h[ROWS * FEATURES], next[ROWS * FEATURES], a[ROWS];
        static float c[ROWS * FEATURES];
        float *z;
        pxr_bf16 *input = random_numbers(ROWS * WIDTH, 4, &z);
        pxr_bf16 *weights = aligned(pxr_bf16_packed_size(1, WIDTH) * sizeof(*weights));
        struct pxr_bf16_cells cells = { .features = FEATURES,
                                        .images = ROWS,
                                        .initial = initial,
                                        .input = input,
                                        .gates = gates,
                                        .c = c,
                                        .h = h,
                                        .next = next };
        struct pxr_bf16_product p = { .operand = { a, ROWS, 1, 1, ROWS, 1, &all },
                                      .m = ROWS,
                                      .n = WIDTH,
                                      .weights = weights,
                                      .cells = &cells,
                                      .scratch = aligned(pxr_bf16_product_scratch(1, 1)) };

        for (size_t i = 0; i < ROWS * WIDTH; i++)
                z[i] *= 16;
        pxr_bf16_round(ROWS * WIDTH, z, input);
        pxr_bf16_widen(ROWS * WIDTH, input, z);
        if (take_unit(_i)) {
                pxr_bf16_pack_gates(1, FEATURES, w, weights);
                pxr_bf16_multiply(&p);
                for (size_t i = 0; i < ROWS * FEATURES; i++) {
                        const float *of = z + i / FEATURES * WIDTH + i % FEATURES;
                        double f = 1 / (1 + exp(-of[FEATURES])),
                               in = 1 / (1 + exp(-of[2 * FEATURES]));
                        double expected = f + in * tanh(of[3 * FEATURES]);

                        /* An error of f, of i and of g each, and of the sum's rounding. */
                        ck_assert_double_le(fabs(c[i] - expected), 3 * 0x1p-20 + 0x1p-23);
                        expected = tanh(c[i]) / (1 + exp(-of[0]));
                        ck_assert_double_le(fabs(pxr_bf16_value(h[i]) - expected),
                                            2 * 0x1p-20 + fabs(expected) * 0x1p-8);
                        ck_assert_uint_eq(h[i], next[i]);
                }
        }
        free(z);
        free(input);
        free(weights);
        free(p.scratch);
}
END_TEST

START_TEST(rounding_is_to_the_nearest_and_keeps_what_is_no_number)
{
        static const struct {
                float from;
                pxr_bf16 to;
        } known[] = {
                { 1, 0x3f80 },         { -2, 0xc000 },          { 0x1.01p0f, 0x3f80 },
                { 0x1.03p0f, 0x3f82 }, { 0x1.0101p0f, 0x3f81 }, { 0x1.fffffep127f, 0x7f80 },
                { INFINITY, 0x7f80 },  { -INFINITY, 0xff80 },   { -0.0f, 0x8000 },
        };
        const float nan = NAN;
        pxr_bf16 to;
        float back;

        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
                pxr_bf16_round(1, &known[i].from, &to);
                ck_assert_uint_eq(to, known[i].to);
        }
        pxr_bf16_round(1, &nan, &to);
        pxr_bf16_widen(1, &to, &back);
        ck_assert(isnan(back));
}
END_TEST

/* An activation is off by at most 2^-20, the other is at most 1 (or x, below 4, if it is linear),
 * and the result is rounded once, to 2^-8 of itself. A slope is at most 1, and has twice the error
 * of its activation. */
static void check_gates(bool linear, bool accumulate)
{
        enum { CELLS = 5, FEATURES = 21, SIZE = CELLS * FEATURES };
        float *wide_x, *wide_dy, *wide_dx, y[SIZE], got[2 * SIZE];
        pxr_bf16 *x = random_numbers(2 * SIZE, 1, &wide_x), rounded[SIZE];
        pxr_bf16 *dy = random_numbers(SIZE, 2, &wide_dy);
        pxr_bf16 *dx = random_numbers(2 * SIZE, 3, &wide_dx);
        struct pxr_bf16_gates gates = { .cells = CELLS,
                                        .features = FEATURES,
                                        .linear = linear,
                                        .x = x,
                                        .y = rounded,
                                        .dy = dy,
                                        .accumulate = accumulate,
                                        .dx = dx };

        for (int i = 0; i < 2 * SIZE; i++)
                wide_x[i] *= 4;
        pxr_bf16_round(2 * SIZE, wide_x, x);
        pxr_bf16_gates(&gates);
        pxr_bf16_gates_gradient(&gates);
        pxr_bf16_widen(SIZE, rounded, y);
        pxr_bf16_widen(2 * SIZE, dx, got);
        for (int i = 0; i < SIZE; i++) {
                int at = i / FEATURES * 2 * FEATURES + i % FEATURES;
                double a = linear ? wide_x[at] : tanh(wide_x[at]);
                double b = 1 / (1 + exp(-wide_x[at + FEATURES]));
                double slope[] = { b * (linear ? 1 : 1 - a * a), a * b * (1 - b) };

                ck_assert_double_le(fabs(y[i] - a * b), 0x1p-8 * fabs(a * b) + 5 * 0x1p-20);
                for (int k = 0; k < 2; k++) {
                        double expected = wide_dy[i] * slope[k];

                        if (accumulate)
                                expected += wide_dx[at + k * FEATURES];
                        ck_assert_double_le(fabs(got[at + k * FEATURES] - expected),
                                            0x1p-8 * fabs(expected) + 10 * 0x1p-20);
                }
        }
        free(x);
        free(dy);
        free(dx);
        free(wide_x);
        free(wide_dy);
        free(wide_dx);
}

START_TEST(gates_are_those_of_the_rounded_numbers)
{
        for (int i = 0; take_unit(_i) && i < 4; i++)
                check_gates(i % 2, i / 2);
}
END_TEST

/* --- models ------------------------------------------------------------------------------------
 */

static const char layers[] = "- conv: {mask: A, kernel: 3, features: 12}\n"
                             "- skip_connections:\n"
                             "    features: 9\n"
                             "    layers:\n"
                             "      - residual:\n"
                             "          - relu\n"
                             "          - row_lstm: {features: 9}\n"
                             "          - conv: {mask: B, kernel: 3, features: 12}\n"
                             "      - skip\n"
                             "      - residual:\n"
                             "          - diagonal_bilstm: {features: 18}\n"
                             "          - conv: {mask: B, kernel: 1, features: 12}\n"
                             "      - skip\n"
                             "- relu\n"
                             "- softmax\n";

/* Without scans, of whose steps each rounds. */
static const char more_layers[] = "- conv: {mask: A, kernel: 3, features: 15}\n"
                                  "- residual:\n"
                                  "    - layer_norm\n"
                                  "    - causal_attention: {features: 15, heads: 2}\n"
                                  "- residual:\n"
                                  "    - activation: elu\n"
                                  "    - conv: {mask: B, kernel: 3, features: 40}\n"
                                  "    - activation: gelu\n"
                                  "    - causal_attention: {features: 54}\n"
                                  "    - activation: silu\n"
                                  "    - conv: {mask: B, kernel: 1, features: 15}\n"
                                  "- gated_conv: {features: 9, layers: 2, mask: B, first_kernel: "
                                  "3, dropout: 0.5}\n"
                                  "- softmax\n";

/* Scans whose features fill registers, and whose sums are more than are computed at once. */
static const char wide_layers[] = "- conv: {mask: A, kernel: 3, features: 12}\n"
                                  "- row_lstm: {features: 48}\n"
                                  "- conv: {mask: B, kernel: 1, features: 12}\n"
                                  "- diagonal_bilstm: {features: 48}\n"
                                  "- softmax\n";

START_TEST(every_op_computes_what_its_float32_kernels_do)
{
        static const struct {
                const char *layers;
                struct pxr_image_kind kind;
        } models[] = {
                { layers, { 5, 4, 3, 4 } },      { layers, { 9, 11, 1, 2 } },
                { more_layers, { 5, 4, 3, 4 } }, { more_layers, { 9, 11, 1, 2 } },
                { wide_layers, { 5, 4, 3, 4 } }, { wide_layers, { 4, 2, 1, 2 } },
        };

        for (size_t i = 0; take_unit(_i) && i < sizeof(models) / sizeof(models[0]); i++) {
                struct pxr_subject subject;
                struct pxr_model *model = build(models[i].layers, models[i].kind);
                const char *problem;

                ck_assert_msg(model != NULL, "%s", pxr_diag_text(diag, 0));
                ck_assert_int_eq(pxr_subject_new(&subject, arena, model, diag), 0);
                problem = pxr_check_memory(&subject);
                ck_assert_msg(problem == NULL, "%s", problem);
                problem = pxr_check_mixed(&subject);
                ck_assert_msg(problem == NULL, "%s", problem);
        }
}
END_TEST

/* Sums and rectifiers of all kinds: after a product, before one, between layers that read twice. */
static const char fusing_layers[] = "- conv: {mask: A, kernel: 3, features: 12}\n"
                                    "- relu\n"
                                    "- skip_connections:\n"
                                    "    features: 9\n"
                                    "    layers:\n"
                                    "      - repeat: 3\n"
                                    "        layers:\n"
                                    "          - residual:\n"
                                    "              - relu\n"
                                    "              - conv: {mask: B, kernel: 1, features: 6}\n"
                                    "              - relu\n"
                                    "              - conv: {mask: B, kernel: 3, features: 12}\n"
                                    "          - skip\n"
                                    "      - residual:\n"
                                    "          - conv: {mask: B, kernel: 1, features: 12}\n"
                                    "          - relu\n"
                                    "      - residual:\n"
                                    "          - relu\n"
                                    "          - row_lstm: {features: 12}\n"
                                    "      - skip\n"
                                    "- relu\n"
                                    "- conv: {mask: B, kernel: 1, features: 12}\n"
                                    "- relu\n"
                                    "- relu\n"
                                    "- softmax\n";

/* One training pass in mixed precision. Returns the number of nodes without a map. */
static int train_pass(const struct pxr_model *model, enum pxr_use use, bool checked, double *nll,
                      float *gradient)
{
        const struct pxr_graph *graph = model->graph;
        struct pxr_workspace *workspace =
                pxr_workspace_new(graph, PXR_BF16, use, IMAGES, checked, diag);
        float *parameters = pxr_alloc_array(arena, graph->parameter_values, sizeof(float));
        uint8_t pixels[IMAGES * MAX_VALUES];
        struct pxr_random random = pxr_random(1, PXR_RANDOM_TEST, 0, 0, 0);
        int missing = 0;

        ck_assert_ptr_nonnull(workspace);
        ck_assert_int_eq(pxr_graph_init(graph, 1, parameters, NULL, diag), 0);
        for (size_t i = 0; i < sizeof(pixels); i++)
                pixels[i] = (uint8_t)pxr_random_below(&random, (uint32_t)graph->levels);
        pxr_workspace_pack(workspace, 1, parameters);
        pxr_workspace_load(workspace, pixels, IMAGES);
        pxr_workspace_forward(workspace, parameters);
        pxr_workspace_loss(workspace, 1, nll);
        pxr_workspace_backward(workspace, parameters, gradient);
        for (int i = 0; i < graph->nodes; i++)
                missing += !pxr_workspace_tensor(workspace, graph->node[i]);
        pxr_workspace_free(workspace);
        return missing;
}

/* A training pass computes nearly the same with products fused, which leaves out so many maps. */
static void expect_fused(const char *layers, int missing)
{
        struct pxr_model *model = build(layers, (struct pxr_image_kind) { 4, 5, 3, 4 });
        size_t values = model ? model->graph->parameter_values : 0;
        float *alone = pxr_alloc_array(arena, values, sizeof(float));
        float *fused = pxr_alloc_array(arena, values, sizeof(float));
        float *again = pxr_alloc_array(arena, values, sizeof(float));
        double nll_alone[IMAGES] = { 0 }, nll[IMAGES] = { 0 }, size = 0, difference = 0;

        ck_assert_msg(model != NULL, "%s", pxr_diag_text(diag, 0));
        ck_assert_int_eq(train_pass(model, PXR_FOR_UNFUSED_TRAINING, true, nll_alone, alone), 0);
        ck_assert_int_eq(train_pass(model, PXR_FOR_TRAINING, true, nll, fused), missing);
        for (int i = 0; i < IMAGES; i++)
                ck_assert_double_eq_tol(nll[i], nll_alone[i], 0x1p-8 * nll_alone[i]);
        for (size_t i = 0; i < values; i++) {
                size += (double)alone[i] * alone[i];
                difference += ((double)fused[i] - alone[i]) * ((double)fused[i] - alone[i]);
        }
        ck_assert(missing == 0 || difference > 0);
        ck_assert_double_lt(sqrt(difference), 0x1p-6 * sqrt(size));
        for (int i = 0; i < 2; i++) { /* in less memory, the same bits */
                memset(again, 0, values * sizeof(*again));
                train_pass(model, i ? PXR_FOR_CHECKPOINTED_TRAINING : PXR_FOR_TRAINING, false, nll,
                           again);
                ck_assert_mem_eq(fused, again, values * sizeof(*again));
        }
}

/* A map that is rounded to 2^-9 once instead of twice, in each of some ten layers. */
START_TEST(a_product_with_what_follows_on_it_computes_what_they_do_alone)
{
        /* Of the 13 maps that are not made, 6 would go to a rectifier, 3 to a residual sum, 3 to a
         * sum of skip connections, and the last of these to a rectifier. */
        expect_fused(fusing_layers, 13);
}
END_TEST

/* The image's map is of float32 in mixed precision too. */
START_TEST(a_product_is_not_fused_with_a_sum_that_adds_the_image)
{
        expect_fused("- residual:\n"
                     "    - conv: {mask: B, kernel: 3, features: 3}\n"
                     "- conv: {mask: A, kernel: 3, features: 12}\n"
                     "- softmax\n",
                     0);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("bf16");
        TCase *tests = add_case(suite, "bf16");

        tcase_add_loop_test(tests, products_are_those_of_the_rounded_numbers, 0, PXR_BF16_UNITS);
        tcase_add_loop_test(tests, products_for_plugins_are_those_of_the_rounded_numbers, 0,
                            PXR_BF16_UNITS);
        tcase_add_loop_test(tests, what_is_multiplied_by_zeros_alone_is_left_out, 0,
                            PXR_BF16_UNITS);
        tcase_add_loop_test(tests, gradients_of_weights_are_those_of_the_rounded_numbers, 0,
                            PXR_BF16_UNITS);
        tcase_add_loop_test(tests, gates_are_those_of_the_rounded_numbers, 0, PXR_BF16_UNITS);
        tcase_add_loop_test(tests, cells_have_the_precision_that_is_promised, 0, PXR_BF16_UNITS);
        tcase_add_test(tests, rounding_is_to_the_nearest_and_keeps_what_is_no_number);
        tests = add_case(suite, "models");
        tcase_add_checked_fixture(tests, setup, teardown);
        tcase_add_loop_test(tests, every_op_computes_what_its_float32_kernels_do, 0,
                            PXR_BF16_UNITS);
        tcase_add_test(tests, a_product_with_what_follows_on_it_computes_what_they_do_alone);
        tcase_add_test(tests, a_product_is_not_fused_with_a_sum_that_adds_the_image);
        return run_suite(suite);
}
