/* SPDX-License-Identifier: MIT */
/*
 * gemm_tiles.h - the products of gemm_x86.c for one instruction set, which the includer describes:
 * SET (a suffix), TARGET (attribute), VECTOR, LANES, ROWS (of a tile), MASK, FIRST_LANES(n), LOAD,
 * LOAD_MASKED, STORE, STORE_MASKED, BROADCAST and MULTIPLY_ADD.
 */
#define JOIN_AGAIN(name, set) name##_##set
#define JOIN(name, set) JOIN_AGAIN(name, set)
#define S(name) JOIN(name, SET)
#define TILE __attribute__((always_inline, TARGET)) static inline

/* C += A B for a tile of `rows` x (`vectors` LANES), of which the last vector has the lanes of
 * `mask` alone. Each value of C is one chain of fused multiply-adds in the order of k, so its bits
 * are those of any other tile. The loops have constant bounds: the sums live in registers.
 *
 * With `ahead` the panel whose turn is next is fetched meanwhile: weights that come from memory for
 * each product are what products of few rows wait for. */
TILE void S(tile)(const int rows, const int vectors, const bool ahead, MASK mask,
                  const struct pxr_product *product, size_t k, const float *a,
                  const struct panel *panel, bool fresh, float *c)
{
        VECTOR sum[ROWS][VECTORS], row[VECTORS];
        const size_t c_stride = product->ldc, b_stride = panel->stride;
        const float *b = panel->b, *next = panel->next;
        const int last = vectors - 1;

#pragma GCC unroll 8
        for (int i = 0; i < rows; i++) {
#pragma GCC unroll 3
                for (int j = 0; j < last; j++)
                        sum[i][j] = fresh ? BROADCAST(0) : LOAD(c + i * c_stride + j * LANES);
                sum[i][last] =
                        fresh ? BROADCAST(0) : LOAD_MASKED(c + i * c_stride + last * LANES, mask);
        }
        for (size_t p = 0; p < k; p++, a += product->a_col, b += b_stride) {
#pragma GCC unroll 3
                for (int j = 0; ahead && j < vectors; j++)
                        __builtin_prefetch(next + j * LANES);
                next += product->ldb;
#pragma GCC unroll 3
                for (int j = 0; j < last; j++)
                        row[j] = LOAD(b + j * LANES);
                row[last] = LOAD_MASKED(b + last * LANES, mask);
#pragma GCC unroll 8
                for (int i = 0; i < rows; i++) {
                        VECTOR factor = BROADCAST(a[i * product->a_row]);

#pragma GCC unroll 3
                        for (int j = 0; j < vectors; j++)
                                sum[i][j] = MULTIPLY_ADD(factor, row[j], sum[i][j]);
                }
        }
#pragma GCC unroll 8
        for (int i = 0; i < rows; i++) {
#pragma GCC unroll 3
                for (int j = 0; j < last; j++)
                        STORE(c + i * c_stride + j * LANES, sum[i][j]);
                STORE_MASKED(c + i * c_stride + last * LANES, mask, sum[i][last]);
        }
}

/* The tiles of one panel of columns, from the top. */
TILE void S(tiles)(const int vectors, const struct pxr_product *product, size_t m, size_t k,
                   const float *a, const struct panel *panel, bool fresh, float *c)
{
        const MASK mask = FIRST_LANES(panel->columns - (vectors - 1) * LANES);
        const size_t a_row = product->a_row, ldc = product->ldc;
        size_t i = 0;

        if (m >= ROWS) {
                S(tile)(ROWS, vectors, true, mask, product, k, a, panel, fresh, c);
                i = ROWS;
        }
        for (; i + ROWS <= m; i += ROWS)
                S(tile)
        (ROWS, vectors, false, mask, product, k, a + i * a_row, panel, fresh, c + i * ldc);
        if (ROWS > 4 && m - i >= 4) {
                S(tile)
                (4, vectors, false, mask, product, k, a + i * a_row, panel, fresh, c + i * ldc);
                i += 4;
        }
        if (m - i >= 2) {
                S(tile)
                (2, vectors, false, mask, product, k, a + i * a_row, panel, fresh, c + i * ldc);
                i += 2;
        }
        if (m - i)
                S(tile)
        (1, vectors, false, mask, product, k, a + i * a_row, panel, fresh, c + i * ldc);
}

/* One block of columns for `m` rows and `k` of the terms of each sum. `next`: where B is read
 * after it. */
__attribute__((TARGET)) static void S(block)(const struct pxr_product *product, size_t m, size_t k,
                                             const float *a, const float *b, const float *next,
                                             bool fresh, float *c)
{
        float turned[VECTORS * LANES * DEPTH];
        size_t left = product->n;

        while (left) {
                int vectors = panel_vectors((left + LANES - 1) / LANES);
                size_t most = (size_t)vectors * LANES, columns = left < most ? left : most;
                size_t step = product->b_transposed ? columns * product->ldb : columns;
                struct panel panel = { b, left > columns ? b + step : next, product->ldb, columns };

                if (product->b_transposed) {
                        turn(columns, k, b, product->ldb, turned, most);
                        panel.b = turned;
                        panel.stride = most;
                }
                if (vectors == 3)
                        S(tiles)(3, product, m, k, a, &panel, fresh, c);
                else if (vectors == 2)
                        S(tiles)(2, product, m, k, a, &panel, fresh, c);
                else
                        S(tiles)(1, product, m, k, a, &panel, fresh, c);
                b += step;
                c += columns;
                left -= columns;
        }
}

/* Parts of the rows and of the terms, so that a part of A stays in the second-level cache. */
static void S(product)(const struct pxr_product *product)
{
        size_t down = product->b_transposed ? 1 : product->ldb; /* in B, from term to term */

        for (size_t row = 0; row < product->m; row += HEIGHT)
                for (size_t term = 0; term < product->k; term += DEPTH) {
                        size_t m = smaller(product->m - row, HEIGHT);
                        size_t k = smaller(product->k - term, DEPTH);
                        const float *a = product->a + row * product->a_row + term * product->a_col;
                        const float *b = product->b + term * down;
                        float *c = product->c + row * product->ldc;

                        for (int i = 0; i < product->blocks; i++, b += product->apart) {
                                bool last = i + 1 == product->blocks;

                                S(block)
                                (product, m, k, a, b,
                                 last ? product->b + (term + k) * down : b + product->apart,
                                 product->fresh && term == 0, c + i * product->apart);
                        }
                }
}

#undef JOIN_AGAIN
#undef JOIN
#undef S
#undef TILE
#undef SET
#undef TARGET
#undef VECTOR
#undef LANES
#undef ROWS
#undef MASK
#undef FIRST_LANES
#undef LOAD
#undef LOAD_MASKED
#undef STORE
#undef STORE_MASKED
#undef BROADCAST
#undef MULTIPLY_ADD
