/* SPDX-License-Identifier: MIT */
/*
 * gemm.c - matrix products: our own where the processor has them (gemm_x86.c), else by any CBLAS.
 * The only file that knows of BLAS.
 *
 * Workers run side by side, so each product must stay on its own thread: pxr_blas_single_thread().
 */
#include "tensor/gemm.h"

#include <cblas.h>
#include <string.h>

#include <pxr/op.h>

static const struct pxr_start_f32 zero = { .run = 1 };

void pxr_blas_f32(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha,
                  const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
                  size_t ldc)
{
        if (m && n && k)
                cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                            transpose_b ? CblasTrans : CblasNoTrans, m, n, k, alpha, a, lda, b, ldb,
                            beta, c, ldc);
}

void pxr_gemm_f32(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha,
                  const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
                  size_t ldc)
{
        struct pxr_product product = {
                .m = m,
                .n = n,
                .k = k,
                .blocks = 1,
                .a = a,
                .a_row = transpose_a ? 1 : lda,
                .a_col = transpose_a ? lda : 1,
                .b = b,
                .ldb = ldb,
                .b_transposed = transpose_b,
                .start = beta == 0 ? &zero : NULL,
                .c = c,
                .ldc = ldc,
        };

        if (alpha != 1 || (beta != 0 && beta != 1) || !pxr_product_f32(&product))
                pxr_blas_f32(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c,
                             ldc);
}

void pxr_gemm_f64(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, double alpha,
                  const double *a, size_t lda, const double *b, size_t ldb, double beta, double *c,
                  size_t ldc)
{
        if (m && n && k)
                cblas_dgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                            transpose_b ? CblasTrans : CblasNoTrans, m, n, k, alpha, a, lda, b, ldb,
                            beta, c, ldc);
}

#define PXR_KERNELS_FILE "tensor/gemm_kernels.h"
#include <pxr/precisions.h>

void pxr_gemm_blocks_f32(bool transpose_a, size_t m, size_t n, size_t k, int blocks, size_t apart,
                         const float *a, size_t lda, const float *b, size_t ldb,
                         const struct pxr_start_f32 *start, float *c, size_t ldc)
{
        struct pxr_product product = {
                .m = m,
                .n = n,
                .k = k,
                .blocks = blocks,
                .apart = apart,
                .a = a,
                .a_row = transpose_a ? 1 : lda,
                .a_col = transpose_a ? lda : 1,
                .b = b,
                .ldb = ldb,
                .start = start,
                .c = c,
                .ldc = ldc,
        };

        if (k == 0 || !pxr_product_f32(&product))
                product_blocks_f32(transpose_a, m, n, k, blocks, apart, a, lda, b, ldb, start, c,
                                   ldc);
}

void pxr_gemm_blocks_f64(bool transpose_a, size_t m, size_t n, size_t k, int blocks, size_t apart,
                         const double *a, size_t lda, const double *b, size_t ldb,
                         const struct pxr_start_f64 *start, double *c, size_t ldc)
{
        product_blocks_f64(transpose_a, m, n, k, blocks, apart, a, lda, b, ldb, start, c, ldc);
}

bool pxr_gemm_rows_alone(void)
{
        float one = 1, sum = 0;
        struct pxr_product product = {
                .m = 1, .n = 1, .k = 1, .blocks = 1, .a = &one, .b = &one, .c = &sum
        };

        return pxr_product_f32(&product);
}

#ifdef OPENBLAS_VERSION

static bool among(const char *name, const char *const *names)
{
        while (*names && strcmp(*names, name) != 0)
                names++;
        return *names != NULL;
}

/* OpenBLAS chooses its kernels by the model of the processor, and takes one that is newer than
 * itself for an old one. Names that are not known here are of newer ones. */
const char *pxr_blas_taken_for(const char **better)
{
        static const char *const sse[] = { "Generic",     "Katmai",     "Coppermine", "Northwood",
                                           "Prescott",    "Banias",     "Atom",       "Core2",
                                           "Penryn",      "Dunnington", "Nehalem",    "Athlon",
                                           "Opteron",     "Barcelona",  "Bobcat",     "Nano",
                                           "Sandybridge", "Bulldozer",  "Piledriver", "Steamroller",
                                           NULL };
        static const char *const avx2[] = { "Haswell", "Zen", "Excavator", NULL };
        enum pxr_tiles tiles = pxr_best_tiles();
        const char *name = openblas_get_corename();

        if (tiles == PXR_NO_TILES || !name)
                return NULL;
        *better = tiles == PXR_TILES_AVX512 ? "SkylakeX" : "Haswell";
        if (among(name, sse) || (tiles == PXR_TILES_AVX512 && among(name, avx2)))
                return name;
        return NULL;
}

#else

const char *pxr_blas_taken_for(const char **better)
{
        (void)better;
        return NULL;
}

#endif

void pxr_blas_single_thread(void)
{
#ifdef OPENBLAS_VERSION
        openblas_set_num_threads(1);
#endif
}
