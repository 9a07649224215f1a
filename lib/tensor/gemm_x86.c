/* SPDX-License-Identifier: MIT */
/*
 * gemm_x86.c - products of single precision for x86-64 with AVX2 or AVX-512.
 *
 * Why not the BLAS: most of our products are small or have few rows (a step of a scan, one pixel
 * of sixteen images), where packing and locking cost it more than the arithmetic; and a BLAS older
 * than the processor may not know what it can do. B is read in place, in panels as wide as three
 * vectors; only a transposed B is copied, panel by panel, to the stack.
 *
 * A value of C is one chain of fused multiply-adds, whatever the sizes and the instruction set, so
 * its bits depend on its row of A and its column of B alone.
 */
#include "tensor/gemm.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

/* Vectors in a panel at most; terms and rows that are taken at once (256 kB of A); the same rows
 * where A is transposed, and how many of them then lie together. */
enum { VECTORS = 3, DEPTH = 256, HEIGHT = 256, PACKED_HEIGHT = 128, PACK = 8, SUMS = 10 };

/* Some rows of C, and some terms of each sum. */
struct part {
        const struct pxr_product *product;
        size_t first, m, k; /* from row `first` on */
        const float *a;
        size_t a_row, a_col;
        size_t pack, pack_stride; /* of A: row i at (i / pack) pack_stride + (i % pack) a_row */
        float *c;
        const struct pxr_start_f32 *start; /* NULL: C itself */
};

/* Columns of B, some vectors wide; where the next ones are; and the column of C that the first one
 * belongs to. */
struct panel {
        const float *b, *next;
        size_t stride, columns, column;
};

/* Where the sums of `rows` rows of a part from row i on start, at a column. */
static inline void start_rows(const struct part *part, size_t i, int rows, size_t column,
                              const float **start)
{
        const struct pxr_start_f32 *s = part->start;

        for (int row = 0; row < rows; row++) {
                size_t at = part->first + i + row;

                if (!s)
                        start[row] = part->c + (i + row) * part->product->ldc + column;
                else if (!s->first)
                        start[row] = NULL;
                else
                        start[row] = s->first + at / s->run * s->run_stride +
                                     at % s->run * s->stride + column;
        }
}

static size_t smaller(size_t a, size_t b)
{
        return a < b ? a : b;
}

/* Vectors of the next panel: not three and then one, which would wait for its few sums. */
static int panel_vectors(size_t left)
{
        return left == 4 ? 2 : left < VECTORS ? (int)left : VECTORS;
}

/* Lay a part's transposed A out as [pack of rows][term][row], so that a tile reads it straight on.
 */
static void pack(struct part *part, float *to)
{
        size_t stride = part->a_col;

        for (size_t i = 0; i < part->m; i += PACK) {
                size_t rows = smaller(part->m - i, PACK);
                const float *from = part->a + i;
                float *block = to + i * part->k;

                for (size_t p = 0; p < part->k; p++)
                        if (rows == PACK)
                                memcpy(block + p * PACK, from + p * stride, PACK * sizeof(float));
                        else
                                memcpy(block + p * PACK, from + p * stride, rows * sizeof(float));
        }
        part->a = to;
        part->a_col = part->pack = PACK;
        part->pack_stride = PACK * part->k;
}

/* Columns of B from its transpose: to[p][j] = b[j][p], four by four. */
static void turn(size_t columns, size_t k, const float *b, size_t ldb, float *to, size_t stride)
{
        size_t j = 0;

        for (; j + 4 <= columns; j += 4) {
                const float *from = b + j * ldb;
                size_t p = 0;

                for (; p + 4 <= k; p += 4) {
                        __m128 row0 = _mm_loadu_ps(from + p);
                        __m128 row1 = _mm_loadu_ps(from + ldb + p);
                        __m128 row2 = _mm_loadu_ps(from + 2 * ldb + p);
                        __m128 row3 = _mm_loadu_ps(from + 3 * ldb + p);

                        _MM_TRANSPOSE4_PS(row0, row1, row2, row3);
                        _mm_storeu_ps(to + p * stride + j, row0);
                        _mm_storeu_ps(to + (p + 1) * stride + j, row1);
                        _mm_storeu_ps(to + (p + 2) * stride + j, row2);
                        _mm_storeu_ps(to + (p + 3) * stride + j, row3);
                }
                for (; p < k; p++)
                        for (int i = 0; i < 4; i++)
                                to[p * stride + j + i] = from[i * ldb + p];
        }
        for (; j < columns; j++)
                for (size_t p = 0; p < k; p++)
                        to[p * stride + j] = b[j * ldb + p];
}

#define SET avx512
#define TARGET target("avx512f")
#define VECTOR __m512
#define LANES 16
#define ROWS 8
#define MASK __mmask16
#define FIRST_LANES(count) ((__mmask16)(0xffffu >> (16 - (count))))
#define LOAD(at) _mm512_loadu_ps(at)
#define LOAD_MASKED(at, mask) _mm512_maskz_loadu_ps(mask, at)
#define STORE(at, value) _mm512_storeu_ps(at, value)
#define STORE_MASKED(at, mask, value) _mm512_mask_storeu_ps(at, mask, value)
#define BROADCAST(value) _mm512_set1_ps(value)
#define MULTIPLY_ADD(a, b, c) _mm512_fmadd_ps(a, b, c)
#include "tensor/gemm_tiles.h"

static inline __attribute__((always_inline, target("avx2"))) __m256i first_lanes(size_t count)
{
        return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count),
                                  _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

#define SET avx2
#define TARGET target("avx2,fma")
#define VECTOR __m256
#define LANES 8
#define ROWS 4
#define MASK __m256i
#define FIRST_LANES(count) first_lanes(count)
#define LOAD(at) _mm256_loadu_ps(at)
#define LOAD_MASKED(at, mask) _mm256_maskload_ps(at, mask)
#define STORE(at, value) _mm256_storeu_ps(at, value)
#define STORE_MASKED(at, mask, value) _mm256_maskstore_ps(at, mask, value)
#define BROADCAST(value) _mm256_set1_ps(value)
#define MULTIPLY_ADD(a, b, c) _mm256_fmadd_ps(a, b, c)
#include "tensor/gemm_tiles.h"

enum pxr_tiles pxr_best_tiles(void)
{
        if (__builtin_cpu_supports("avx512f"))
                return PXR_TILES_AVX512;
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
                return PXR_TILES_AVX2;
        return PXR_NO_TILES;
}

bool pxr_product_by(enum pxr_tiles tiles, const struct pxr_product *product)
{
        if (tiles == PXR_NO_TILES || tiles > pxr_best_tiles())
                return false;
        if (tiles == PXR_TILES_AVX512)
                product_avx512(product);
        else
                product_avx2(product);
        return true;
}

double pxr_multiply_adds(size_t rounds)
{
        static volatile float total; /* without a use of it, nothing would be computed */
        enum pxr_tiles tiles = pxr_best_tiles();

        if (tiles == PXR_NO_TILES)
                return 0;
        total = tiles == PXR_TILES_AVX512 ? multiply_adds_avx512(rounds)
                                          : multiply_adds_avx2(rounds);
        (void)total;
        return (double)rounds * SUMS * (tiles == PXR_TILES_AVX512 ? 16 : 8);
}

#else

enum pxr_tiles pxr_best_tiles(void)
{
        return PXR_NO_TILES;
}

double pxr_multiply_adds(size_t rounds)
{
        (void)rounds;
        return 0;
}

bool pxr_product_by(enum pxr_tiles tiles, const struct pxr_product *product)
{
        (void)tiles;
        (void)product;
        return false;
}
#endif

bool pxr_product_f32(const struct pxr_product *product)
{
        return pxr_product_by(PXR_TILES_AVX512, product) || pxr_product_by(PXR_TILES_AVX2, product);
}
