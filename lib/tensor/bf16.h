/* SPDX-License-Identifier: MIT */
/*
 * bf16.h - products of bfloat16 numbers, summed in float32: what mixed precision is made of.
 *
 * A bfloat16 number is the upper half of a float32: 8 bits of exponent, 7 of fraction. Products
 * are computed by the best unit that the processor has; a unit's sums have an order of their own,
 * so bits are the same for the same unit only, but never depend on the number of threads.
 */
#ifndef PXR_TENSOR_BF16_H
#define PXR_TENSOR_BF16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pxr/bf16.h>

struct pxr_bf16_cells;

/* What computes products: any processor in float32; AVX512-BF16; tiles of AMX-BF16. */
enum pxr_bf16_unit { PXR_BF16_PORTABLE, PXR_BF16_AVX512, PXR_BF16_AMX, PXR_BF16_UNITS };

/* The best unit there is. Asks the system for the state of AMX when it is first called, and does
 * without where that is refused. */
enum pxr_bf16_unit pxr_bf16_best_unit(void);

/* "portable", "AVX512-BF16" or "AMX-BF16". */
const char *pxr_bf16_unit_name(enum pxr_bf16_unit unit);

/* Use this unit from now on. False, with nothing done, where the processor lacks it. For tests and
 * benchmarks; not while another thread computes. */
bool pxr_bf16_use_unit(enum pxr_bf16_unit unit);

/* Room for packed weights, k x n, in numbers; where weight (i, j) is; and packing them, or rounded
 * ones. Weight (i, j) is at w[i row + j column], of which one is 1. Who puts weights there in
 * another way calls find_zeros() then: what is multiplied by zeros alone is left out of a product.
 */
size_t pxr_bf16_packed_size(size_t k, size_t n);
size_t pxr_bf16_packed_index(size_t k, size_t i, size_t j);
void pxr_bf16_pack(size_t k, size_t n, const float *w, size_t row, size_t column, pxr_bf16 *to);
void pxr_bf16_pack_rounded(size_t k, size_t n, const pxr_bf16 *w, size_t row, size_t column,
                           pxr_bf16 *to);
void pxr_bf16_find_zeros(size_t k, size_t n, pxr_bf16 *packed);

/* The same for weights w[k][4 gates][features], whose columns are packed as [block of 16
 * features][gate][16], of which there are so many: a block's gates lie side by side. */
size_t pxr_bf16_gate_columns(size_t features);
void pxr_bf16_pack_gates(size_t k, size_t features, const float *w, pxr_bf16 *to);

/*
 * What a tap of a convolution reads for row i of a result: row i + shift of the operand, if it has
 * such a row and i % period is at least `first` and less than `end`; otherwise zeros. Rows are the
 * pixels of a map in order, and a period is one row of the image.
 */
struct pxr_bf16_tap {
        ptrdiff_t shift;
        size_t first, end;
};

/* An operand of `rows` rows of k values, lda apart, read through taps. */
struct pxr_bf16_operand {
        const pxr_bf16 *a;
        size_t rows, k, lda;
        size_t period;
        int taps;
        const struct pxr_bf16_tap *tap;
};

/* C = A W, with what follows on it, in the order of these fields: m x n. */
struct pxr_bf16_product {
        struct pxr_bf16_operand operand;
        size_t m, n;
        const pxr_bf16 *weights; /* [tap][packed k x n] */
        const pxr_bf16 *gate;    /* rows ldc apart: where it is not above 0, C is 0; NULL: none */
        const float *bias;       /* [n], added; NULL: none */
        const pxr_bf16 *addend;  /* rows ldc apart, added; may be c; NULL: none */
        bool rectify;            /* C = max(C, 0) */
        pxr_bf16 *c;             /* C, rounded; or NULL */
        float *exact;            /* C, not rounded; or NULL */
        size_t ldc;
        /* Instead of all from `gate` to `ldc`: cells whose pre-activations are C, of weights packed
         * by pxr_bf16_pack_gates(); or whose gradient by h is C. NULL: none. */
        const struct pxr_bf16_cells *cells, *cells_gradient;
        void *scratch; /* pxr_bf16_product_scratch() bytes, 64-byte aligned */
};
size_t pxr_bf16_product_scratch(size_t k, int taps);

/* A tap of a convolution that reads the pixel `down` rows below and `right` columns to the right,
 * of a map [row][col][image], with one period a row. */
static inline struct pxr_bf16_tap pxr_bf16_tap_at(ptrdiff_t down, ptrdiff_t right, ptrdiff_t cols,
                                                  ptrdiff_t images)
{
        ptrdiff_t first = right < 0 ? -right : 0, end = right > 0 ? cols - right : cols;

        return (struct pxr_bf16_tap) { (down * cols + right) * images, first * images,
                                       end > 0 ? end * images : 0 };
}
void pxr_bf16_multiply(const struct pxr_bf16_product *product);

/* The gradient of the weights: sum += A^T dC, for each tap. */
struct pxr_bf16_gradient {
        struct pxr_bf16_operand operand;
        size_t m, n;
        const pxr_bf16 *dc; /* rows n apart */
        float *sum;         /* [tap][n][k], n and k rounded up to multiples of 32 */
        void *scratch;      /* pxr_bf16_gradient_scratch() bytes, 64-byte aligned */
};
size_t pxr_bf16_gradient_sum(size_t k, size_t n, int taps);
size_t pxr_bf16_gradient_scratch(size_t k, size_t n);

/* Bytes of scratch that serve a product of such weights, of their transposes, and their gradient,
 * one after the other. */
size_t pxr_bf16_scratch(size_t k, size_t n, int taps);

/* A part of a call's scratch, at *size bytes from its beginning, which move on: NULL if `scratch`
 * is, when only the size is wanted. */
static inline void *pxr_bf16_take(char *scratch, size_t *size, size_t bytes)
{
        char *part = scratch ? scratch + *size : NULL;

        *size += (bytes + 63) / 64 * 64;
        return part;
}

void pxr_bf16_weight_gradient(const struct pxr_bf16_gradient *gradient);

/* Columns of such sums, from one row to the next. */
size_t pxr_bf16_gradient_stride(size_t k);

/* dw[tap][k][n] += such sums. */
void pxr_bf16_add_gradient(size_t k, size_t n, int taps, const float *sum, float *dw);

/*
 * Gated activations of cells of two blocks of `features` values, a and b: y = tanh(a) sigmoid(b),
 * or a sigmoid(b) if `linear`. Each activation is computed in float32, with an absolute error of at
 * most 2^-20.
 */
struct pxr_bf16_gates {
        size_t cells, features;
        bool linear;
        const pxr_bf16 *x;  /* [cell][2 features] */
        pxr_bf16 *y;        /* [cell][features]; not used by the gradient */
        const pxr_bf16 *dy; /* [cell][features]: gradient by y */
        bool accumulate;    /* add to dx, else overwrite it */
        pxr_bf16 *dx;       /* [cell][2 features]: out: gradient by x */
};
void pxr_bf16_gates(const struct pxr_bf16_gates *gates);
void pxr_bf16_gates_gradient(const struct pxr_bf16_gates *gates);

/* The sum of rows, added to `to`, in their order. */
void pxr_bf16_add_rows(size_t rows, size_t width, const pxr_bf16 *from, float *to);

/* y = max(x, 0) with NaN kept; dx = or += dy where y > 0; y = a + b; y += x. */
void pxr_bf16_rectify(size_t size, const pxr_bf16 *x, pxr_bf16 *y);
void pxr_bf16_rectify_gradient(size_t size, const pxr_bf16 *y, const pxr_bf16 *dy, bool accumulate,
                               pxr_bf16 *dx);
void pxr_bf16_add(size_t size, const pxr_bf16 *a, const pxr_bf16 *b, pxr_bf16 *y);

#endif
