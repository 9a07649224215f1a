/* SPDX-License-Identifier: MIT */
/* bf16_pack.c - weights as bfloat16, laid out for products, once a step. */
#include <string.h>

#include "tensor/bf16.h"
#include "tensor/bf16_units.h"
#include "tensor/levels.h"

size_t pxr_bf16_packed_size(size_t k, size_t n)
{
        return pxr_bf16_weights(k, n) +
               pxr_bf16_round_up(pxr_bf16_tiles(k) * pxr_bf16_blocks(n), 64) / sizeof(pxr_bf16);
}

INLINE void pxr_bf16_find_zeros_body(size_t k, size_t n, pxr_bf16 *packed)
{
        size_t size = pxr_bf16_depth(k) * PXR_TILE, column = pxr_bf16_tiles(k) * size;
        uint8_t *live = (uint8_t *)pxr_bf16_live(k, n, packed);

        for (size_t tile = 0; tile < pxr_bf16_tiles(k); tile++)
                for (size_t j = 0; j < n; j += PXR_TILE) {
                        const pxr_bf16 *w = packed + j / PXR_TILE * column + tile * size;
                        uint8_t *block = live + tile * pxr_bf16_blocks(n) + j / PXR_BLOCK;
                        unsigned any = 0;

                        for (size_t i = 0; i < size; i++)
                                any |= w[i] & 0x7fff;
                        *block = any != 0 || (j % PXR_BLOCK && *block);
                }
}
FOR_EACH_LEVEL(void, pxr_bf16_find_zeros, (size_t k, size_t n, pxr_bf16 *packed), (k, n, packed))

/* [block of 16 columns][pair of rows][column][of the pair] */
INLINE size_t packed_index(size_t rows, size_t i, size_t j)
{
        return (j / PXR_TILE * rows + i / 2 * 2) * PXR_TILE + j % PXR_TILE * 2 + i % 2;
}

size_t pxr_bf16_packed_index(size_t k, size_t i, size_t j)
{
        return packed_index(pxr_bf16_round_up(k, pxr_bf16_depth(k)), i, j);
}

/* Up to 16 columns of two rows of weights, side by side: pairs[16][2]. `second` may be NULL. */
INLINE void pack_pairs_body(size_t columns, const float *restrict first,
                            const float *restrict second, pxr_bf16 *restrict pairs)
{
        for (size_t j = 0; j < columns; j++) {
                pairs[2 * j] = pxr_bf16_rounded(first[j]);
                pairs[2 * j + 1] = second ? pxr_bf16_rounded(second[j]) : 0;
        }
}
static void pack_pairs(size_t columns, const float *first, const float *second, pxr_bf16 *pairs);
FOR_EACH_LEVEL(void, pack_pairs,
               (size_t columns, const float *first, const float *second, pxr_bf16 *pairs),
               (columns, first, second, pairs))

/* One column of weights, which lie side by side; *to is where its first pair goes. */
static void pack_column(size_t k, const float *column, pxr_bf16 *to)
{
        enum { PIECE = 128 };
        pxr_bf16 rounded[PIECE + 1];

        for (size_t i = 0; i < k; i += PIECE) {
                size_t count = pxr_bf16_smaller(k - i, PIECE);

                pxr_bf16_round(count, column + i, rounded);
                rounded[count] = 0;
                for (size_t p = 0; p < count; p += 2, to += 2 * PXR_TILE)
                        memcpy(to, rounded + p, 2 * sizeof(*to));
        }
}

void pxr_bf16_pack(size_t k, size_t n, const float *w, size_t row, size_t column, pxr_bf16 *to)
{
        size_t rows = pxr_bf16_round_up(k, pxr_bf16_depth(k));

        if (pxr_bf16_weights(k, n) != k * n)
                memset(to, 0, pxr_bf16_weights(k, n) * sizeof(*to));
        if (row == 1)
                for (size_t j = 0; j < n; j++)
                        pack_column(k, w + j * column, to + packed_index(rows, 0, j));
        else
                for (size_t j = 0; j < n; j += PXR_TILE)
                        for (size_t i = 0; i < k; i += 2)
                                pack_pairs(pxr_bf16_smaller(n - j, PXR_TILE), w + i * row + j,
                                           i + 1 < k ? w + (i + 1) * row + j : NULL,
                                           to + packed_index(rows, i, j));
        pxr_bf16_find_zeros(k, n, to);
}

INLINE void pack_rounded_body(size_t k, size_t n, const pxr_bf16 *w, size_t row, size_t column,
                              pxr_bf16 *to)
{
        size_t rows = pxr_bf16_round_up(k, pxr_bf16_depth(k));

        for (size_t i = 0; i + 1 < k; i += 2)
                for (size_t j = 0; j < n; j++) {
                        const pxr_bf16 *from = w + i * row + j * column;
                        pxr_bf16 *pair = to + packed_index(rows, i, j);

                        pair[0] = from[0];
                        pair[1] = from[row];
                }
        for (size_t j = 0; k % 2 && j < n; j++)
                to[packed_index(rows, k - 1, j)] = w[(k - 1) * row + j * column];
}

void pxr_bf16_pack_rounded(size_t k, size_t n, const pxr_bf16 *w, size_t row, size_t column,
                           pxr_bf16 *to)
{
        if (pxr_bf16_weights(k, n) != k * n)
                memset(to, 0, pxr_bf16_weights(k, n) * sizeof(*to));
        if (row == 1)
                pack_rounded_body(k, n, w, 1, column, to);
        else
                pack_rounded_body(k, n, w, row, 1, to);
        memset((uint8_t *)pxr_bf16_live(k, n, to), 1, pxr_bf16_tiles(k) * pxr_bf16_blocks(n));
}

size_t pxr_bf16_gate_columns(size_t features)
{
        return 4 * pxr_bf16_round_up(features, PXR_TILE);
}

void pxr_bf16_pack_gates(size_t k, size_t features, const float *w, pxr_bf16 *to)
{
        size_t n = pxr_bf16_gate_columns(features), rows = pxr_bf16_round_up(k, pxr_bf16_depth(k));
        size_t width = 4 * features;

        if (pxr_bf16_weights(k, n) != k * width)
                memset(to, 0, pxr_bf16_weights(k, n) * sizeof(*to));
        for (size_t j = 0; j < n; j += PXR_TILE) {
                size_t feature = j / 4 / PXR_TILE * PXR_TILE, gate = j / PXR_TILE % 4;
                const float *from = w + gate * features + feature;

                for (size_t i = 0; i < k; i += 2, from += 2 * width)
                        pack_pairs(pxr_bf16_smaller(features - feature, PXR_TILE), from,
                                   i + 1 < k ? from + width : NULL, to + packed_index(rows, i, j));
        }
        pxr_bf16_find_zeros(k, n, to);
}
