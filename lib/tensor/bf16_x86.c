/* SPDX-License-Identifier: MIT */
/*
 * bf16_x86.c - products of bfloat16 numbers by AMX tiles and by AVX512-BF16.
 *
 * A tile register holds 16 rows of 64 bytes. TDPBF16PS adds to 16 x 16 sums the products of 16 rows
 * of up to 32 values with as many rows of W, laid out in pairs.
 */
#include "tensor/bf16.h"
#include "tensor/bf16_cells.h"
#include "tensor/bf16_units.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))
#define ALWAYS_INLINE AVX512 __attribute__((always_inline)) static inline
#define AMX __attribute__((target("amx-tile,amx-bf16")))

/* --- AVX512-BF16 -------------------------------------------------------------------------------
 */

/* Word i of the first operand, word i of the second, in turn. */
static const uint16_t pairs[32] = { 0, 32, 1, 33, 2,  34, 3,  35, 4,  36, 5,  37, 6,  38, 7,  39,
                                    8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47 };

AVX512 static inline __m512i interleave_two(__m256i even, __m256i odd)
{
        return _mm512_permutex2var_epi16(_mm512_castsi256_si512(even), _mm512_loadu_si512(pairs),
                                         _mm512_castsi256_si512(odd));
}

/* Up to 16 values of a row that may not be inside. */
AVX512 static inline __m256i row_of(const struct pxr_bf16_rows *rows, int row)
{
        __mmask16 columns = rows->columns < PXR_TILE ? (1 << rows->columns) - 1 : 0xffff;

        return _mm256_maskz_loadu_epi16(rows->inside >> row & 1 ? columns : 0,
                                        rows->from + row * rows->stride);
}

/* Rows 2i and 2i + 1 for each i; `whole`, a constant: all is inside. */
ALWAYS_INLINE void interleave_rows(const struct pxr_bf16_rows *rows, const bool whole,
                                   __m512i x[16])
{
        const pxr_bf16 *from = rows->from;

#pragma GCC unroll 16
        for (int i = 0; i < 16; i++, from += 2 * rows->stride) {
                const __m256i *even = (const __m256i *)from;
                const __m256i *odd = (const __m256i *)(from + rows->stride);

                x[i] = whole ? interleave_two(_mm256_loadu_si256(even), _mm256_loadu_si256(odd))
                             : interleave_two(row_of(rows, 2 * i), row_of(rows, 2 * i + 1));
        }
}

AVX512 static bool all_inside(const struct pxr_bf16_rows *rows)
{
        return rows->inside == UINT32_MAX && rows->columns >= PXR_TILE;
}

AVX512 static void interleave(const struct pxr_bf16_rows *rows, pxr_bf16 *to)
{
        __m512i x[16];

        if (all_inside(rows))
                interleave_rows(rows, true, x);
        else
                interleave_rows(rows, false, x);
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++)
                _mm512_storeu_si512(to + 32 * i, x[i]);
}

AVX512 static void copy(const struct pxr_bf16_rows *rows, size_t depth, pxr_bf16 *to)
{
        struct pxr_bf16_rows part = *rows;

        for (size_t j = 0; j < depth; j += PXR_TILE, part.from += PXR_TILE) {
                for (int i = 0; i < PXR_TILE; i++)
                        _mm256_storeu_si256((__m256i *)(to + i * depth + j), row_of(&part, i));
                part.columns -= part.columns < PXR_TILE ? part.columns : PXR_TILE;
        }
}

/* Interleaved rows are a matrix of 16 x 16 double words, which is transposed in four steps of
 * swapping blocks of 1, 2, 4 and 8. */
AVX512 static void transpose(const struct pxr_bf16_rows *rows, pxr_bf16 *to)
{
        __m512i x[16], y[16];

        if (all_inside(rows))
                interleave_rows(rows, true, x);
        else
                interleave_rows(rows, false, x);
#pragma GCC unroll 8
        for (int i = 0; i < 16; i += 2) {
                y[i] = _mm512_unpacklo_epi32(x[i], x[i + 1]);
                y[i + 1] = _mm512_unpackhi_epi32(x[i], x[i + 1]);
        }
#pragma GCC unroll 4
        for (int i = 0; i < 16; i += 4) {
                x[i] = _mm512_unpacklo_epi64(y[i], y[i + 2]);
                x[i + 1] = _mm512_unpackhi_epi64(y[i], y[i + 2]);
                x[i + 2] = _mm512_unpacklo_epi64(y[i + 1], y[i + 3]);
                x[i + 3] = _mm512_unpackhi_epi64(y[i + 1], y[i + 3]);
        }
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
                y[i] = _mm512_shuffle_i32x4(x[i], x[i + 4], 0x88);
                y[i + 4] = _mm512_shuffle_i32x4(x[i], x[i + 4], 0xdd);
                y[i + 8] = _mm512_shuffle_i32x4(x[i + 8], x[i + 12], 0x88);
                y[i + 12] = _mm512_shuffle_i32x4(x[i + 8], x[i + 12], 0xdd);
        }
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) {
                _mm512_storeu_si512(to + 32 * i, _mm512_shuffle_i32x4(y[i], y[i + 8], 0x88));
                _mm512_storeu_si512(to + 32 * (i + 8), _mm512_shuffle_i32x4(y[i], y[i + 8], 0xdd));
        }
}

/* `rows` rows of a block's sums, of one tile of W or of two beside one another. */
ALWAYS_INLINE void rows_of(const int rows, const bool wide, const struct pxr_bf16_block *block,
                           int first)
{
        __m512 sum[8][2];
        const int half = first / PXR_TILE, at = first % PXR_TILE;

#pragma GCC unroll 8
        for (int i = 0; i < rows; i++)
                sum[i][0] = sum[i][1] = _mm512_setzero_ps();
        for (size_t t = 0; t < block->terms; t++) {
                const struct pxr_bf16_term *term = &block->term[t];
                const pxr_bf16 *a = term->a[half] + at * term->stride[half];
                const pxr_bf16 *w = term->w + block->offset;

                if (!pxr_bf16_is_live(block, term))
                        continue;
                for (size_t p = 0; p < block->depth; p += 2, w += PXR_BLOCK) {
                        __m512bh left = (__m512bh)_mm512_loadu_si512(w);
                        __m512bh right = left;

                        if (wide)
                                right = (__m512bh)_mm512_loadu_si512(w + block->beside);
#pragma GCC unroll 8
                        for (int i = 0; i < rows; i++) {
                                int32_t pair;
                                __m512bh both;

                                memcpy(&pair, a + i * term->stride[half] + p, sizeof(pair));
                                both = (__m512bh)_mm512_set1_epi32(pair);
                                sum[i][0] = _mm512_dpbf16_ps(sum[i][0], both, left);
                                if (wide)
                                        sum[i][1] = _mm512_dpbf16_ps(sum[i][1], both, right);
                        }
                }
        }
#pragma GCC unroll 8
        for (int i = 0; i < rows; i++) {
                float *to = block->sum + (first + i) * PXR_BLOCK;

                _mm512_store_ps(to, sum[i][0]);
                if (wide)
                        _mm512_store_ps(to + PXR_TILE, sum[i][1]);
        }
}

AVX512 static void avx512_block(const struct pxr_bf16_block *block)
{
        int rows = block->lower ? PXR_BLOCK : PXR_TILE;

        for (int i = 0; i < rows; i += 8)
                if (block->beside)
                        rows_of(8, true, block, i);
                else
                        rows_of(8, false, block, i);
}

/* What follows on sums: see struct pxr_bf16_product. */
enum { GATE = 1, BIAS = 2, ADDEND = 4, RECTIFY = 8, ROUNDED = 16, EXACT = 32 };

/* The upper half of double word i is word i, the lower is 0. A constant mask of all is left out. */
ALWAYS_INLINE __m512 widened(__mmask16 mask, const pxr_bf16 *from)
{
        static const uint16_t upper[32] = { 0, 0, 0, 1, 0, 2,  0, 3,  0, 4,  0, 5,  0, 6,  0, 7,
                                            0, 8, 0, 9, 0, 10, 0, 11, 0, 12, 0, 13, 0, 14, 0, 15 };
        __m256i x = __builtin_constant_p(mask) && mask == 0xffff
                            ? _mm256_loadu_si256((const __m256i *)from)
                            : _mm256_maskz_loadu_epi16(mask, from);

        return _mm512_castsi512_ps(_mm512_maskz_permutexvar_epi16(
                0xaaaaaaaa, _mm512_loadu_si512(upper), _mm512_castsi256_si512(x)));
}

/* Up to 16 columns of some rows; `what` is a constant where this is inlined. */
ALWAYS_INLINE void finish_columns(const unsigned what, const struct pxr_bf16_product *p, size_t at,
                                  size_t rows, __mmask16 mask, __m512 bias, const float *sum)
{
        const __m512 zero = _mm512_setzero_ps();

        for (size_t i = 0; i < rows; i++, at += p->ldc, sum += PXR_BLOCK) {
                __m512 x = _mm512_load_ps(sum);

                if (what & GATE)
                        x = _mm512_maskz_mov_ps(
                                _mm512_cmp_ps_mask(widened(mask, p->gate + at), zero, _CMP_GT_OQ),
                                x);
                if (what & BIAS)
                        x = _mm512_add_ps(x, bias);
                if (what & ADDEND)
                        x = _mm512_add_ps(x, widened(mask, p->addend + at));
                if (what & RECTIFY) /* NaN stays: MAXPS returns its second operand */
                        x = _mm512_max_ps(zero, x);
                if (what & ROUNDED)
                        _mm256_mask_storeu_epi16(p->c + at, mask, (__m256i)_mm512_cvtneps_pbh(x));
                if (what & EXACT)
                        _mm512_mask_storeu_ps(p->exact + at, mask, x);
        }
}

#define CASE(what)                                                  \
        case what:                                                  \
                finish_columns(what, p, at, rows, mask, bias, sum); \
                break

/* The cases that training consists of are compiled apart. */
AVX512 static void finish(const struct pxr_bf16_product *p, size_t row, size_t rows, size_t column,
                          size_t columns, float *sum)
{
        unsigned all = (p->gate ? GATE : 0) | (p->bias ? BIAS : 0) | (p->addend ? ADDEND : 0) |
                       (p->rectify ? RECTIFY : 0) | (p->c ? ROUNDED : 0) | (p->exact ? EXACT : 0);

        for (size_t j = 0; j < columns; j += PXR_TILE, sum += PXR_TILE) {
                __mmask16 mask = columns - j < PXR_TILE ? (1 << (columns - j)) - 1 : 0xffff;
                size_t at = row * p->ldc + column + j;
                __m512 bias = p->bias ? _mm512_maskz_loadu_ps(mask, p->bias + column + j)
                                      : _mm512_setzero_ps();

                switch (all) {
                        CASE(ROUNDED);
                        CASE(ROUNDED | BIAS);
                        CASE(ROUNDED | BIAS | RECTIFY);
                        CASE(ROUNDED | BIAS | ADDEND);
                        CASE(ROUNDED | BIAS | ADDEND | RECTIFY);
                        CASE(ROUNDED | ADDEND);
                        CASE(ROUNDED | GATE);
                        CASE(ROUNDED | GATE | ADDEND);
                        CASE(EXACT);
                        CASE(EXACT | ADDEND);
                        CASE(EXACT | BIAS);
                default:
                        finish_columns(all, p, at, rows, mask, bias, sum);
                }
        }
}

ALWAYS_INLINE void store_words(pxr_bf16 *to, __mmask16 mask, __m256i words)
{
        if (__builtin_constant_p(mask) && mask == 0xffff)
                _mm256_storeu_si256((__m256i *)to, words);
        else
                _mm256_mask_storeu_epi16(to, mask, words);
}

ALWAYS_INLINE void store(pxr_bf16 *to, __mmask16 mask, __m512 x)
{
        store_words(to, mask, (__m256i)_mm512_cvtneps_pbh(x));
}

AVX512 static void avx512_round(size_t size, const float *from, pxr_bf16 *to)
{
        size_t i = 0;

        for (; i + PXR_TILE <= size; i += PXR_TILE)
                store(to + i, 0xffff, _mm512_loadu_ps(from + i));
        for (; i < size; i += PXR_TILE) {
                __mmask16 mask = (1 << (size - i)) - 1;

                store(to + i, mask, _mm512_maskz_loadu_ps(mask, from + i));
        }
}

AVX512 static void avx512_add(size_t size, const pxr_bf16 *a, const pxr_bf16 *b, pxr_bf16 *y)
{
        for (size_t i = 0; i < size; i += PXR_TILE) {
                __mmask16 mask = size - i < PXR_TILE ? (1 << (size - i)) - 1 : 0xffff;

                store(y + i, mask, _mm512_add_ps(widened(mask, a + i), widened(mask, b + i)));
        }
}

AVX512 static void avx512_rectify_gradient(size_t size, const pxr_bf16 *y, const pxr_bf16 *dy,
                                           pxr_bf16 *dx)
{
        for (size_t i = 0; i < size; i += PXR_TILE) {
                __mmask16 mask = size - i < PXR_TILE ? (1 << (size - i)) - 1 : 0xffff;
                __mmask16 above = _mm256_cmpgt_epi16_mask(_mm256_maskz_loadu_epi16(mask, y + i),
                                                          _mm256_setzero_si256());

                store(dx + i, mask, _mm512_add_ps(widened(mask, dx + i), widened(above, dy + i)));
        }
}

/*
 * Cells are computed in two passes over the rows of a block, since a processor looks ahead by some
 * hundred instructions: within one pass, it has several rows at work while each waits for itself.
 */

/* Rows of the second pass at once. */
enum { ROWS = 4 };

/* A statement for each i below n, at most 4, which is a constant. */
#define EACH(n, i, ...)                                                            \
        do {                                                                       \
                _Pragma("GCC unroll 4") for (int i = 0; i < (n); i++) __VA_ARGS__; \
        } while (0)

/* x = 1 + 2^x, at most 1 + 2^30, of n arrays. 2^x is 2^floor(x) times a polynomial in the rest of
 * x, minimax on [0, 1] to 7.5e-08. NaN stays NaN, as MINPS returns its second operand for it. */
ALWAYS_INLINE void denominators(const int n, __m512 *x)
{
        static const float power[] = { 1.877576673e-03f, 8.989340095e-03f, 5.582631805e-02f,
                                       2.401536170e-01f, 6.931530732e-01f, 9.999999251e-01f };
        __m512 f[4], p[4];

        EACH(n, k, x[k] = _mm512_min_ps(_mm512_set1_ps(30), x[k]));
        EACH(n, k, f[k] = _mm512_reduce_ps(x[k], 1));
        EACH(n, k, p[k] = _mm512_set1_ps(power[0]));
#pragma GCC unroll 5
        for (int i = 1; i < 6; i++)
                EACH(n, k, p[k] = _mm512_fmadd_ps(p[k], f[k], _mm512_set1_ps(power[i])));
        EACH(n, k, x[k] = _mm512_add_ps(_mm512_set1_ps(1), _mm512_scalef_ps(p[k], x[k])));
}

/* 14 bits, and a step of Newton's. */
ALWAYS_INLINE __m512 reciprocal(__m512 x)
{
        __m512 r = _mm512_rcp14_ps(x);

        return _mm512_mul_ps(r, _mm512_fnmadd_ps(x, r, _mm512_set1_ps(2)));
}

#define LOG2_E 1.44269504088896341f

/* 1 / (1 + exp(-x)) */
AVX512 static inline __m512 sigmoid(__m512 x)
{
        x = _mm512_mul_ps(x, _mm512_set1_ps(-LOG2_E));
        denominators(1, &x);
        return reciprocal(x);
}

/* 2 sigmoid(2x) - 1 */
AVX512 static inline __m512 hyperbolic(__m512 x)
{
        return _mm512_fmsub_ps(_mm512_set1_ps(2), sigmoid(_mm512_add_ps(x, x)), _mm512_set1_ps(1));
}

/* Of o, f and i 1 / (1 + exp(-x)), of g 2 / (1 + exp(-2x)) - 1 = tanh(x), by one reciprocal. */
ALWAYS_INLINE void activations(__m512 x[4])
{
        __m512 of, ig, o;

        EACH(4, k, x[k] = _mm512_mul_ps(x[k], _mm512_set1_ps(k < 3 ? -LOG2_E : -2 * LOG2_E)));
        denominators(4, x);
        of = _mm512_mul_ps(x[0], x[1]);
        ig = _mm512_mul_ps(x[2], x[3]);
        o = reciprocal(_mm512_mul_ps(of, ig));
        ig = _mm512_mul_ps(o, ig); /* 1 / of */
        of = _mm512_mul_ps(o, of); /* 1 / ig */
        o = _mm512_mul_ps(ig, x[1]);
        x[1] = _mm512_mul_ps(ig, x[0]);
        x[0] = o;
        ig = _mm512_mul_ps(of, x[2]);
        x[2] = _mm512_mul_ps(of, x[3]);
        x[3] = _mm512_fmsub_ps(_mm512_set1_ps(2), ig, _mm512_set1_ps(1));
}

/* x = tanh(x), of ROWS rows. */
ALWAYS_INLINE void hyperbolics(__m512 x[ROWS])
{
        EACH(ROWS, i, x[i] = _mm512_mul_ps(x[i], _mm512_set1_ps(-2 * LOG2_E)));
        denominators(ROWS, x);
        EACH(ROWS, i,
             x[i] = _mm512_fmsub_ps(_mm512_set1_ps(2), reciprocal(x[i]), _mm512_set1_ps(1)));
}

/* Two rows, rounded. */
ALWAYS_INLINE void store_two(pxr_bf16 *first, pxr_bf16 *second, __mmask16 mask, __m512 x, __m512 y)
{
        __m512i two = (__m512i)_mm512_cvtne2ps_pbh(y, x);

        store_words(first, mask, _mm512_castsi512_si256(two));
        store_words(second, mask, _mm512_extracti64x4_epi64(two, 1));
}

/* Up to 16 features of rows that follow one another in maps: where the first is. */
struct few_cells {
        size_t rows;
        __mmask16 mask;        /* of the features */
        ptrdiff_t at, gates;   /* in a map of `features` and of 4 `features` */
        size_t row, gates_row; /* in [row][features] and [row][4 features] */
        const float *before;
        size_t before_stride;
        bool shown;
};

/* At most `rows` rows from `row` on. Cells that follow one another need not all have one before. */
AVX512 static inline struct few_cells few_cells(const struct pxr_bf16_cells *cells, size_t row,
                                                size_t rows, size_t feature)
{
        size_t features = cells->features, count = features - feature;
        size_t left = cells->images - (unsigned)row % (unsigned)cells->images;
        ptrdiff_t at = pxr_bf16_cell_at(cells, row);
        bool alike = row >= cells->inner || row + rows <= cells->inner;

        return (struct few_cells) {
                .rows = left > rows || (cells->stride == 1 && alike) ? rows : left,
                .mask = count < PXR_TILE ? (1 << count) - 1 : 0xffff,
                .at = at * (ptrdiff_t)features + (ptrdiff_t)feature,
                .gates = 4 * at * (ptrdiff_t)features + (ptrdiff_t)feature,
                .row = row * features + feature,
                .gates_row = 4 * row * features + feature,
                .before = pxr_bf16_c_before(cells, row, at) + feature,
                .before_stride = row < cells->inner ? features : 0,
                .shown = row < cells->shown,
        };
}

/* The gates and c of some rows. o and c stay in sum[0][row][0] and [16], too. */
ALWAYS_INLINE void gates_of(const struct pxr_bf16_cells *cells, const struct few_cells *few,
                            __mmask16 mask, float *sum)
{
        size_t features = cells->features;
        const pxr_bf16 *z = cells->input + few->gates;
        const float *before = few->before;
        pxr_bf16 *to = cells->gates + few->gates;
        float *to_c = cells->c + few->at;

        for (size_t i = 0; i < few->rows; i++, sum += PXR_BLOCK, to_c += features) {
                __m512 x[4], c;

                EACH(4, k,
                     x[k] = _mm512_add_ps(widened(mask, z + k * features),
                                          _mm512_load_ps(sum + k / 2 * PXR_BLOCK * PXR_BLOCK +
                                                         k % 2 * PXR_TILE)));
                activations(x);
                c = _mm512_fmadd_ps(x[1], _mm512_maskz_loadu_ps(mask, before),
                                    _mm512_mul_ps(x[2], x[3]));
                _mm512_mask_storeu_ps(to_c, mask, c);
                _mm512_store_ps(sum, x[0]);
                _mm512_store_ps(sum + PXR_TILE, c);
                store_two(to, to + features, mask, x[0], x[1]);
                store_two(to + 2 * features, to + 3 * features, mask, x[2], x[3]);
                z += 4 * features;
                to += 4 * features;
                before += few->before_stride;
        }
}

/* h of some rows, of what gates_of() left in `sum`. */
ALWAYS_INLINE void outputs_of(const struct pxr_bf16_cells *cells, const struct few_cells *few,
                              __mmask16 mask, const float *sum)
{
        size_t features = cells->features;
        pxr_bf16 *h = cells->h + few->at, *output = cells->output + few->at;
        pxr_bf16 *next = cells->next + few->row;

        for (size_t row = 0; row < few->rows; row += ROWS, sum += ROWS * PXR_BLOCK) {
                size_t rows = few->rows - row;
                __m512 x[ROWS];

                EACH(ROWS, i, x[i] = _mm512_load_ps(sum + i * PXR_BLOCK + PXR_TILE));
                hyperbolics(x);
#pragma GCC unroll 4
                for (size_t i = 0; i < ROWS && i < rows; i++) {
                        size_t at = (row + i) * features;

                        x[i] = _mm512_mul_ps(x[i], _mm512_load_ps(sum + i * PXR_BLOCK));
                        store(h + at, mask, x[i]);
                        store(next + at, mask, x[i]);
                        if (few->shown)
                                store(output + at, mask, x[i]);
                }
        }
}

/* Rows of `rows` that are computed feature by feature, before others. */
static size_t few_rows(size_t rows, size_t count)
{
        return rows < ROWS || count <= PXR_TILE ? rows : ROWS;
}

AVX512 static void avx512_cells(const struct pxr_bf16_cells *cells, size_t row, size_t rows,
                                size_t feature, size_t count, float *sum)
{
        for (int pass = 0; pass < 2; pass++)
                for (size_t i = 0, done; i < rows; i += done) {
                        done = few_rows(rows - i, count);
                        for (size_t j = 0; j < count && feature + j < cells->features;
                             j += PXR_TILE) {
                                struct few_cells few = few_cells(cells, row + i, done, feature + j);
                                float *sums = pxr_bf16_gates_sums(sum, i, j);

                                done = few.rows;
                                if (pass)
                                        outputs_of(cells, &few, few.mask, sums);
                                else if (few.mask == 0xffff)
                                        gates_of(cells, &few, 0xffff, sums);
                                else
                                        gates_of(cells, &few, few.mask, sums);
                        }
                }
}

/* x (1 - x) */
AVX512 static inline __m512 slope(__m512 x)
{
        return _mm512_fnmadd_ps(x, x, x);
}

/* tanh(c) of some rows, to t[row][32]. */
ALWAYS_INLINE void tanh_of(const struct pxr_bf16_cells *cells, const struct few_cells *few,
                           __mmask16 mask, float *t)
{
        const float *c = cells->c + few->at;
        size_t features = cells->features;

        for (size_t row = 0; row < few->rows; row += ROWS, c += ROWS * features) {
                size_t rows = few->rows - row;
                __m512 x[ROWS];

                EACH(ROWS, i,
                     x[i] = _mm512_maskz_loadu_ps((size_t)i < rows ? mask : 0, c + i * features));
                hyperbolics(x);
                for (size_t i = 0; i < ROWS && i < rows; i++)
                        _mm512_store_ps(t + (row + i) * PXR_BLOCK, x[i]);
        }
}

/* The gradient of some rows. */
ALWAYS_INLINE void gradient_of(const struct pxr_bf16_cells *cells, const struct few_cells *few,
                               __mmask16 mask, const float *sum, const float *tanh_c)
{
        const __m512 one = _mm512_set1_ps(1);
        size_t features = cells->features;
        const pxr_bf16 *gates = cells->gates + few->gates, *by_output = cells->by_output + few->at;
        pxr_bf16 *to = cells->by_gates + few->gates, *next = cells->next + few->gates_row;
        const float *before = few->before;
        float *by_c = cells->by_c + few->row;

        for (size_t i = 0; i < few->rows; i++, sum += PXR_BLOCK) {
                __m512 o = widened(mask, gates), f = widened(mask, gates + features);
                __m512 in = widened(mask, gates + 2 * features);
                __m512 g = widened(mask, gates + 3 * features);
                __m512 t = _mm512_load_ps(tanh_c + i * PXR_BLOCK);
                __m512 dh = _mm512_load_ps(sum), dc;

                if (few->shown)
                        dh = _mm512_add_ps(dh, widened(mask, by_output));
                dc = _mm512_fmadd_ps(_mm512_mul_ps(dh, o), _mm512_fnmadd_ps(t, t, one),
                                     _mm512_maskz_loadu_ps(mask, by_c));
                _mm512_mask_storeu_ps(by_c, mask, _mm512_mul_ps(dc, f));
                o = _mm512_mul_ps(_mm512_mul_ps(dh, t), slope(o));
                f = _mm512_mul_ps(_mm512_mul_ps(dc, _mm512_maskz_loadu_ps(mask, before)), slope(f));
                t = _mm512_mul_ps(_mm512_mul_ps(dc, g), slope(in));
                g = _mm512_mul_ps(_mm512_mul_ps(dc, in), _mm512_fnmadd_ps(g, g, one));
                store_two(to, to + features, mask, o, f);
                store_two(to + 2 * features, to + 3 * features, mask, t, g);
                store_two(next, next + features, mask, o, f);
                store_two(next + 2 * features, next + 3 * features, mask, t, g);
                gates += 4 * features;
                to += 4 * features;
                next += 4 * features;
                by_output += features;
                by_c += features;
                before += few->before_stride;
        }
}

AVX512 static void avx512_cells_gradient(const struct pxr_bf16_cells *cells, size_t row,
                                         size_t rows, size_t feature, size_t count, float *sum)
{
        _Alignas(64) float t[PXR_CELLS_GRADIENT / PXR_BLOCK * PXR_BLOCK * PXR_BLOCK];

        for (int pass = 0; pass < 2; pass++)
                for (size_t i = 0, done; i < rows; i += done) {
                        done = few_rows(rows - i, count);
                        for (size_t j = 0; j < count; j += PXR_TILE) {
                                struct few_cells few = few_cells(cells, row + i, done, feature + j);
                                float *sums = pxr_bf16_sums(sum, i, j);
                                float *tanh_c = pxr_bf16_sums(t, i, j);

                                done = few.rows;
                                if (!pass)
                                        tanh_of(cells, &few, few.mask, tanh_c);
                                else if (few.mask == 0xffff)
                                        gradient_of(cells, &few, 0xffff, sums, tanh_c);
                                else
                                        gradient_of(cells, &few, few.mask, sums, tanh_c);
                        }
                }
}

AVX512 __attribute__((always_inline)) static inline void
gates_forward(const struct pxr_bf16_gates *gates, const bool linear)
{
        size_t features = gates->features;

        for (size_t cell = 0; cell < gates->cells; cell++)
                for (size_t j = 0; j < features; j += PXR_TILE) {
                        __mmask16 mask =
                                features - j < PXR_TILE ? (1 << (features - j)) - 1 : 0xffff;
                        const pxr_bf16 *x = gates->x + 2 * cell * features + j;
                        __m512 a = widened(mask, x), b = widened(mask, x + features);

                        if (!linear)
                                a = hyperbolic(a);
                        store(gates->y + cell * features + j, mask, _mm512_mul_ps(a, sigmoid(b)));
                }
}

AVX512 static void avx512_gates(const struct pxr_bf16_gates *gates)
{
        if (gates->linear)
                gates_forward(gates, true);
        else
                gates_forward(gates, false);
}

/* da = dy sigmoid(b) tanh'(a), db = dy tanh(a) sigmoid'(b) */
AVX512 __attribute__((always_inline)) static inline void
gates_backward(const struct pxr_bf16_gates *gates, const bool linear, const bool accumulate)
{
        const __m512 one = _mm512_set1_ps(1);
        size_t features = gates->features;

        for (size_t cell = 0; cell < gates->cells; cell++)
                for (size_t j = 0; j < features; j += PXR_TILE) {
                        __mmask16 mask =
                                features - j < PXR_TILE ? (1 << (features - j)) - 1 : 0xffff;
                        const pxr_bf16 *x = gates->x + 2 * cell * features + j;
                        pxr_bf16 *dx = gates->dx + 2 * cell * features + j;
                        __m512 dy = widened(mask, gates->dy + cell * features + j);
                        __m512 a = widened(mask, x), b = sigmoid(widened(mask, x + features));
                        __m512 da = _mm512_mul_ps(dy, b), db;

                        if (!linear) {
                                a = hyperbolic(a);
                                da = _mm512_mul_ps(da, _mm512_fnmadd_ps(a, a, one));
                        }
                        db = _mm512_mul_ps(_mm512_mul_ps(dy, a), slope(b));
                        if (accumulate) {
                                da = _mm512_add_ps(da, widened(mask, dx));
                                db = _mm512_add_ps(db, widened(mask, dx + features));
                        }
                        store(dx, mask, da);
                        store(dx + features, mask, db);
                }
}

AVX512 static void avx512_gates_gradient(const struct pxr_bf16_gates *gates)
{
        if (gates->linear)
                gates_backward(gates, true, gates->accumulate);
        else if (gates->accumulate)
                gates_backward(gates, false, true);
        else
                gates_backward(gates, false, false);
}

/* --- AMX ---------------------------------------------------------------------------------------
 */

/* Tiles 0 to 3 are the sums, 4 and 5 of A, 6 and 7 of W. */
AMX static void amx_begin(size_t depth)
{
        struct {
                uint8_t palette, start, reserved[14];
                uint16_t row_bytes[16];
                uint8_t rows[16];
        } shape = { .palette = 1 };

        for (int i = 0; i < 8; i++) {
                shape.rows[i] = i < 6 ? PXR_TILE : depth / 2;
                shape.row_bytes[i] = i == 4 || i == 5 ? depth * sizeof(pxr_bf16) : 64;
        }
        /* GCC 12 takes it that LDTILECFG reads 8 bytes, and leaves out what sets the others. */
        __asm__ volatile("" : : "r"(&shape) : "memory");
        _tile_loadconfig(&shape);
}

AMX static void amx_end(void)
{
        _tile_release();
}

AMX static void amx_block(const struct pxr_bf16_block *block)
{
        const struct pxr_bf16_term *term = block->term, *end = term + block->terms;
        const size_t size = sizeof(pxr_bf16), row = PXR_BLOCK * sizeof(float);
        float *sum = block->sum;

        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
        if (block->lower && block->beside) {
                for (; term < end; term++) {
                        const pxr_bf16 *w = term->w + block->offset;

                        if (!pxr_bf16_is_live(block, term))
                                continue;
                        _tile_loadd(4, term->a[0], term->stride[0] * size);
                        _tile_loadd(6, w, 64);
                        _tile_dpbf16ps(0, 4, 6);
                        _tile_loadd(7, w + block->beside, 64);
                        _tile_dpbf16ps(1, 4, 7);
                        _tile_loadd(5, term->a[1], term->stride[1] * size);
                        _tile_dpbf16ps(2, 5, 6);
                        _tile_dpbf16ps(3, 5, 7);
                }
        } else {
                for (; term < end; term++) {
                        const pxr_bf16 *w = term->w + block->offset;

                        if (!pxr_bf16_is_live(block, term))
                                continue;
                        _tile_loadd(4, term->a[0], term->stride[0] * size);
                        _tile_loadd(6, w, 64);
                        _tile_dpbf16ps(0, 4, 6);
                        if (block->beside) {
                                _tile_loadd(7, w + block->beside, 64);
                                _tile_dpbf16ps(1, 4, 7);
                        }
                        if (block->lower) {
                                _tile_loadd(5, term->a[1], term->stride[1] * size);
                                _tile_dpbf16ps(2, 5, 6);
                        }
                }
        }
        _tile_stored(0, sum, row);
        if (block->beside)
                _tile_stored(1, sum + PXR_TILE, row);
        if (!block->lower)
                return;
        _tile_stored(2, sum + PXR_TILE * PXR_BLOCK, row);
        if (block->beside)
                _tile_stored(3, sum + PXR_TILE * PXR_BLOCK + PXR_TILE, row);
}

/* --- which there are ---------------------------------------------------------------------------
 */

const struct pxr_bf16_unit_table *pxr_bf16_avx512(void)
{
        static const struct pxr_bf16_unit_table table = { .block = avx512_block,
                                                          .finish = finish,
                                                          .round = avx512_round,
                                                          .add = avx512_add,
                                                          .rectify_gradient =
                                                                  avx512_rectify_gradient,
                                                          .cells = avx512_cells,
                                                          .cells_gradient = avx512_cells_gradient,
                                                          .gates = avx512_gates,
                                                          .gates_gradient = avx512_gates_gradient,
                                                          .copy = copy,
                                                          .interleave = interleave,
                                                          .transpose = transpose };

        return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") &&
                               __builtin_cpu_supports("avx512dq") &&
                               __builtin_cpu_supports("avx512vl")
                       ? &table
                       : NULL;
}

/* Linux gives a process the registers of AMX when it asks for them. */
static bool ask_for_tiles(void)
{
        enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
        unsigned a, b, c, d;

        /* CPUID leaf 7: bit 22 of EDX is AMX-BF16, bit 24 AMX-TILE. */
        __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(7), "c"(0));
        return (d >> 22 & 1) && (d >> 24 & 1) &&
               syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

static struct pxr_bf16_unit_table amx; /* .block is NULL where there are no tiles */

/* All but the products themselves is as without tiles. */
static void find_amx(void)
{
        const struct pxr_bf16_unit_table *avx512 = pxr_bf16_avx512();

        if (!avx512 || !ask_for_tiles())
                return;
        amx = *avx512;
        amx.begin = amx_begin;
        amx.end = amx_end;
        amx.block = amx_block;
}

const struct pxr_bf16_unit_table *pxr_bf16_amx(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        pthread_once(&once, find_amx);
        return amx.block ? &amx : NULL;
}

#else

const struct pxr_bf16_unit_table *pxr_bf16_avx512(void)
{
        return NULL;
}

const struct pxr_bf16_unit_table *pxr_bf16_amx(void)
{
        return NULL;
}

#endif
