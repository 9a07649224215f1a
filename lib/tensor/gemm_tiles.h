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

/* C = S + A B for a tile of `rows` x (`vectors` LANES), of which the last vector has the lanes of
 * `mask` alone; start[i]: row i of S, NULL: zero. Each value of C is one chain of fused
 * multiply-adds in the order of k, so its bits are those of any other tile. The loops have constant
 * bounds: the sums live in registers.
 *
 * With `prefetch` the next panel is prefetched: products of few rows mostly wait for their weights,
 * which come from memory. */
TILE void S(tile)(const int rows, const int vectors, const bool prefetch, MASK mask,
                  const struct part *part, const float *a, const struct panel *panel,
                  const float *const *start, float *c)
{
        VECTOR sum[ROWS][VECTORS], row[VECTORS];
        const size_t c_stride = part->product->ldc, b_stride = panel->stride, k = part->k;
        const size_t a_row = part->a_row, a_col = part->a_col, ldb = part->product->ldb;
        const float *b = panel->b, *next = panel->next;
        const int last = vectors - 1;

#pragma GCC unroll 8
        for (int i = 0; i < rows; i++) {
#pragma GCC unroll 3
                for (int j = 0; j < last; j++)
                        sum[i][j] = start[i] ? LOAD(start[i] + j * LANES) : BROADCAST(0);
                sum[i][last] = start[i] ? LOAD_MASKED(start[i] + last * LANES, mask) : BROADCAST(0);
        }
        for (size_t p = 0; p < k; p++, a += a_col, b += b_stride) {
#pragma GCC unroll 3
                for (int j = 0; prefetch && j < vectors; j++)
                        __builtin_prefetch(next + j * LANES);
                next += ldb;
#pragma GCC unroll 3
                for (int j = 0; j < last; j++)
                        row[j] = LOAD(b + j * LANES);
                row[last] = LOAD_MASKED(b + last * LANES, mask);
#pragma GCC unroll 8
                for (int i = 0; i < rows; i++) {
                        VECTOR factor = BROADCAST(a[i * a_row]);

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

/* `rows` rows of a panel's columns from row i on. */
TILE void S(rows)(const int rows, const int vectors, const bool prefetch, MASK mask,
                  const struct part *part, size_t i, const struct panel *panel)
{
        const float *a =
                part->a + i / part->pack * part->pack_stride + i % part->pack * part->a_row;
        const float *start[ROWS];

        start_rows(part, i, rows, panel->column, start);
        S(tile)
        (rows, vectors, prefetch, mask, part, a, panel, start,
         part->c + i * part->product->ldc + panel->column);
}

/* The tiles of one panel of columns, from the top. */
TILE void S(tiles)(const int vectors, const struct part *part, const struct panel *panel)
{
        const MASK mask = FIRST_LANES(panel->columns - (vectors - 1) * LANES);
        const size_t m = part->m;
        size_t i = 0;

        if (m >= ROWS) {
                S(rows)(ROWS, vectors, true, mask, part, 0, panel);
                i = ROWS;
        }
        for (; i + ROWS <= m; i += ROWS)
                S(rows)(ROWS, vectors, false, mask, part, i, panel);
        if (ROWS > 4 && m - i >= 4) {
                S(rows)(4, vectors, false, mask, part, i, panel);
                i += 4;
        }
        if (m - i >= 2) {
                S(rows)(2, vectors, false, mask, part, i, panel);
                i += 2;
        }
        if (m - i)
                S(rows)(1, vectors, false, mask, part, i, panel);
}

/* One block of columns, which begins at `column` in C. `next`: where B is read after it. */
__attribute__((TARGET)) static void S(block)(const struct part *part, const float *b,
                                             const float *next, size_t column)
{
        const struct pxr_product *product = part->product;
        float turned[VECTORS * LANES * DEPTH];
        size_t left = product->n;

        while (left) {
                int vectors = panel_vectors((left + LANES - 1) / LANES);
                size_t most = (size_t)vectors * LANES, columns = left < most ? left : most;
                size_t step = product->b_transposed ? columns * product->ldb : columns;
                struct panel panel = { b, left > columns ? b + step : next, product->ldb, columns,
                                       column };

                if (product->b_transposed) {
                        turn(columns, part->k, b, product->ldb, turned, most);
                        panel.b = turned;
                        panel.stride = most;
                }
                if (vectors == 3)
                        S(tiles)(3, part, &panel);
                else if (vectors == 2)
                        S(tiles)(2, part, &panel);
                else
                        S(tiles)(1, part, &panel);
                b += step;
                column += columns;
                left -= columns;
        }
}

/* Parts of the rows and of the terms, so that a part of A stays in the second-level cache. */
static void S(product)(const struct pxr_product *product)
{
        const bool turned = product->a_col != 1 && product->a_row == 1;
        const size_t height = turned ? PACKED_HEIGHT : HEIGHT;
        size_t down = product->b_transposed ? 1 : product->ldb; /* in B, from term to term */
        float packed[PACKED_HEIGHT * DEPTH];

        for (size_t row = 0; row < product->m; row += height)
                for (size_t term = 0; term < product->k; term += DEPTH) {
                        const float *b = product->b + term * down;
                        struct part part = {
                                .product = product,
                                .first = row,
                                .m = smaller(product->m - row, height),
                                .k = smaller(product->k - term, DEPTH),
                                .a = product->a + row * product->a_row + term * product->a_col,
                                .a_row = product->a_row,
                                .a_col = product->a_col,
                                .pack = HEIGHT,
                                .c = product->c + row * product->ldc,
                                .start = term == 0 ? product->start : NULL,
                        };

                        if (turned)
                                pack(&part, packed);
                        for (int i = 0; i < product->blocks; i++, b += product->stride) {
                                bool last = i + 1 == product->blocks;

                                S(block)
                                (&part, b,
                                 last ? product->b + (term + part.k) * down : b + product->stride,
                                 i * product->stride);
                        }
                }
}

/* Multiply-adds in registers alone, `rounds` times SUMS vectors of them: enough independent sums to
 * keep two units busy for the cycles that each takes. Sums tend to 1, so that none becomes
 * infinite, or so small that it would take longer. Returns their total. */
__attribute__((TARGET)) static float S(multiply_adds)(size_t rounds)
{
        const VECTOR half = BROADCAST(0.5F);
        float lanes[LANES], total = 0;
        VECTOR sum[SUMS];

#pragma GCC unroll 10
        for (int i = 0; i < SUMS; i++)
                sum[i] = BROADCAST((float)i);
        for (size_t round = 0; round < rounds; round++) {
#pragma GCC unroll 10
                for (int i = 0; i < SUMS; i++)
                        sum[i] = MULTIPLY_ADD(sum[i], half, half);
        }
#pragma GCC unroll 10
        for (int i = 0; i < SUMS; i++) {
                STORE(lanes, sum[i]);
                total += lanes[0];
        }
        return total;
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
