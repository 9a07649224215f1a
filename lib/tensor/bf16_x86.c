/* SPDX-License-Identifier: MIT */
/*
 * bf16_x86.c - products of bfloat16 numbers by AMX tiles and by AVX512-BF16.
 *
 * A tile register holds 16 rows of 64 bytes. TDPBF16PS adds to 16 x 16 sums the products of 16 rows
 * of up to 32 values with as many rows of W, laid out in pairs.
 */
#include "tensor/bf16.h"
#include "tensor/bf16_units.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tensor/bf16_avx512.h"

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
        static const struct pxr_bf16_unit_table table = {
                .block = avx512_block,
                .finish = finish,
                .round = avx512_round,
                .add = avx512_add,
                .rectify_gradient = avx512_rectify_gradient,
                .cells = pxr_bf16_avx512_cells,
                .cells_gradient = pxr_bf16_avx512_cells_gradient,
                .gates = pxr_bf16_avx512_gates,
                .gates_gradient = pxr_bf16_avx512_gates_gradient,
                .copy = copy,
                .interleave = interleave,
                .transpose = transpose
        };

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
