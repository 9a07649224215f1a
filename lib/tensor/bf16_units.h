/* SPDX-License-Identifier: MIT */
/* bf16_units.h - what a unit that multiplies bfloat16 numbers does, and how
 * weights are laid out for it. */
#ifndef PXR_TENSOR_BF16_UNITS_H
#define PXR_TENSOR_BF16_UNITS_H

#include <pxr/op.h>

struct pxr_bf16_product;
struct pxr_bf16_cells;
struct pxr_bf16_gates;

/* Sides of a tile in rows and columns, and of the block of two by two tiles that is computed at
 * once; the terms of a tile's sums at most. */
enum { PXR_TILE = 16, PXR_BLOCK = 32, PXR_DEPTH = 32 };

/* Features of an LSTM whose gradient is computed at once, at most. */
enum { PXR_CELLS_GRADIENT = 128 };

static inline size_t pxr_bf16_round_up(size_t size, size_t to)
{
        return (size + to - 1) / to * to;
}

static inline size_t pxr_bf16_smaller(size_t a, size_t b)
{
        return a < b ? a : b;
}

/* Columns of a tile of A: of few channels, half as many. */
static inline size_t pxr_bf16_depth(size_t k)
{
        return k <= PXR_TILE ? PXR_TILE : PXR_DEPTH;
}

/* Of packed weights: numbers; tiles above one another; blocks of 32 columns. */
static inline size_t pxr_bf16_weights(size_t k, size_t n)
{
        return pxr_bf16_round_up(k, pxr_bf16_depth(k)) * pxr_bf16_round_up(n, PXR_TILE);
}

static inline size_t pxr_bf16_tiles(size_t k)
{
        return pxr_bf16_round_up(k, pxr_bf16_depth(k)) / pxr_bf16_depth(k);
}

static inline size_t pxr_bf16_blocks(size_t n)
{
        return pxr_bf16_round_up(n, PXR_BLOCK) / PXR_BLOCK;
}

/* The weights are followed by a byte for each tile and block of columns: whether one of the tile
 * and its neighbour's numbers is not 0. Masks make many of them 0. */
static inline const uint8_t *pxr_bf16_live(size_t k, size_t n, const pxr_bf16 *packed)
{
        return (const uint8_t *)(packed + pxr_bf16_weights(k, n));
}

/* Some terms of a block's sums: tiles of A of 16 rows and `depth` columns, the rows `stride` values
 * apart, above one another; and one of W, [depth / 2][16 columns][2]. */
struct pxr_bf16_term {
        const pxr_bf16 *a[2];
        size_t stride[2];
        const pxr_bf16 *w;
        const uint8_t *live; /* [block of 32 columns]: 0 where this tile and the one to its right
                                are all zeros, and so no term; NULL: nowhere */
};

/* A block to be computed. */
struct pxr_bf16_block {
        const struct pxr_bf16_term *term;
        size_t terms, depth;
        size_t offset; /* of the tile of W, from the term's w */
        size_t beside; /* of the tile of W to its right, from there; 0: none */
        size_t number; /* of the block of 32 columns, in the terms' `live` */
        bool lower;    /* the second tile of A is used */
        float *sum;    /* [32][32], 64-byte aligned: what is not computed keeps any content */
};

static inline bool pxr_bf16_is_live(const struct pxr_bf16_block *block,
                                    const struct pxr_bf16_term *term)
{
        return !term->live || term->live[block->number];
}

/* Some rows of a matrix; what is not in it counts as zeros, and is not read. */
struct pxr_bf16_rows {
        const pxr_bf16 *from;
        size_t stride, columns;
        uint32_t inside; /* bit r: row r is in it */
};

/* Of sums [block of 32 columns][32][32] those of a row and column. */
static inline float *pxr_bf16_sums(float *sum, size_t row, size_t column)
{
        return sum + (column / PXR_BLOCK * PXR_BLOCK + row) * PXR_BLOCK + column % PXR_BLOCK;
}

/* Of sums of gates those of a row and 16 features; and from there those of gate number `gate`. */
static inline float *pxr_bf16_gates_sums(float *sum, size_t row, size_t feature)
{
        return pxr_bf16_sums(sum, row, 4 * feature);
}

static inline size_t pxr_bf16_gate_sum(int gate)
{
        return (size_t)(gate / 2 * PXR_BLOCK * PXR_BLOCK + gate % 2 * PXR_TILE);
}

struct pxr_bf16_unit_table {
        /* Before and after some blocks of one depth, on one thread; NULL: nothing to do. */
        void (*begin)(size_t depth);
        void (*end)(void);
        void (*block)(const struct pxr_bf16_block *block);
        /* What follows on a block's sums, of C's rows and columns from (row, column) on; they may
         * be written to. */
        void (*finish)(const struct pxr_bf16_product *p, size_t row, size_t rows, size_t column,
                       size_t columns, float *sum);
        /* As the functions of bf16.h; rectify_gradient adds to dx. */
        void (*round)(size_t size, const float *from, pxr_bf16 *to);
        void (*add)(size_t size, const pxr_bf16 *a, const pxr_bf16 *b, pxr_bf16 *y);
        void (*rectify_gradient)(size_t size, const pxr_bf16 *y, const pxr_bf16 *dy, pxr_bf16 *dx);
        /* Some rows of cells from `row` on, and of these `count` features from `feature` on, of
         * whose gates, or h, these are the sums, which may be written to. */
        void (*cells)(const struct pxr_bf16_cells *cells, size_t row, size_t rows, size_t feature,
                      size_t count, float *sum);
        void (*cells_gradient)(const struct pxr_bf16_cells *cells, size_t row, size_t rows,
                               size_t feature, size_t count, float *sum);
        void (*gates)(const struct pxr_bf16_gates *gates);
        void (*gates_gradient)(const struct pxr_bf16_gates *gates);
        /* 16 rows of `depth` values, to [16][depth]. */
        void (*copy)(const struct pxr_bf16_rows *rows, size_t depth, pxr_bf16 *to);
        /* 32 rows of 16 values, to [16][16][2]: two rows interleaved. */
        void (*interleave)(const struct pxr_bf16_rows *rows, pxr_bf16 *to);
        /* The transpose of 32 rows of 16 values: [16][32]. */
        void (*transpose)(const struct pxr_bf16_rows *rows, pxr_bf16 *to);
};

/* The cells and gates of the portable unit, and of AVX512-BF16. */
void pxr_bf16_portable_cells(const struct pxr_bf16_cells *cells, size_t row, size_t rows,
                             size_t feature, size_t count, float *sum);
void pxr_bf16_portable_cells_gradient(const struct pxr_bf16_cells *cells, size_t row, size_t rows,
                                      size_t feature, size_t count, float *sum);
void pxr_bf16_portable_gates(const struct pxr_bf16_gates *gates);
void pxr_bf16_portable_gates_gradient(const struct pxr_bf16_gates *gates);
void pxr_bf16_avx512_cells(const struct pxr_bf16_cells *cells, size_t row, size_t rows,
                           size_t feature, size_t count, float *sum);
void pxr_bf16_avx512_cells_gradient(const struct pxr_bf16_cells *cells, size_t row, size_t rows,
                                    size_t feature, size_t count, float *sum);
void pxr_bf16_avx512_gates(const struct pxr_bf16_gates *gates);
void pxr_bf16_avx512_gates_gradient(const struct pxr_bf16_gates *gates);

/* The tables of AVX512-BF16 and AMX-BF16; NULL where the processor or the system lacks it. */
const struct pxr_bf16_unit_table *pxr_bf16_avx512(void);
const struct pxr_bf16_unit_table *pxr_bf16_amx(void);

#endif
