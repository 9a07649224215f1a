/* SPDX-License-Identifier: MIT */
/* gemm.h - what is behind the products of <pxr/op.h>: our own, and any CBLAS. */
#ifndef PXR_TENSOR_GEMM_H
#define PXR_TENSOR_GEMM_H

#include <stdbool.h>
#include <stddef.h>

#include <pxr/diag.h>

/* What a product is added to: row i is at first + (i / run) run_stride + (i % run) stride, so that
 * it can be a row for all (stride 0), a matrix, or pixels of a map that lie at equal distances.
 * `first` NULL: zero. Columns lie as in C. */
struct pxr_start_f32 {
        const float *first;
        size_t stride, run, run_stride;
};
struct pxr_start_f64 {
        const double *first;
        size_t stride, run, run_stride;
};

/* C = S + A B or, where `start` is NULL, C += A B: m x k by k x n, for `blocks` blocks of n columns
 * of B, C and S that begin `stride` columns from each other (as a colour's do in the gates). Row i,
 * column p of A is a[i a_row + p a_col]; B and C are row-major; `b` is the transpose of the only
 * block of B (n x k) if b_transposed. */
struct pxr_product {
        size_t m, n, k;
        int blocks;
        size_t stride;
        const float *a;
        size_t a_row, a_col;
        const float *b;
        size_t ldb;
        bool b_transposed;
        const struct pxr_start_f32 *start;
        float *c;
        size_t ldc;
};

/* Instruction sets that our own tiles are compiled for. */
enum pxr_tiles { PXR_NO_TILES, PXR_TILES_AVX2, PXR_TILES_AVX512 };

/* The best set that the processor has. */
enum pxr_tiles pxr_best_tiles(void);

/* Compute a product of k > 0 with our own tiles, the same bits by any of them. False, with nothing
 * done, where the processor has not got the set. */
bool pxr_product_by(enum pxr_tiles tiles, const struct pxr_product *product);

/* The same with the best tiles there are. False where there are none. */
bool pxr_product_f32(const struct pxr_product *product);

/* The same as pxr_gemm_f32(), by the BLAS whatever the processor. */
void pxr_blas_f32(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha,
                  const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
                  size_t ldc);

/* C = S + A B or, where `start` is NULL, C += A B, row-major, for `blocks` blocks of n columns of
 * B, C and S, `stride` columns from each other; A is m x k (k x m if transposed). Of any sizes,
 * zero too. */
void pxr_gemm_blocks_f32(bool transpose_a, size_t m, size_t n, size_t k, int blocks, size_t stride,
                         const float *a, size_t lda, const float *b, size_t ldb,
                         const struct pxr_start_f32 *start, float *c, size_t ldc);
void pxr_gemm_blocks_f64(bool transpose_a, size_t m, size_t n, size_t k, int blocks, size_t stride,
                         const double *a, size_t lda, const double *b, size_t ldb,
                         const struct pxr_start_f64 *start, double *c, size_t ldc);

/* Multiply-adds in registers alone, as fast as the processor can: `rounds` times some. Returns how
 * many there were; 0, with nothing done, where no instruction set is known. */
double pxr_multiply_adds(size_t rounds);

/* The processor that the BLAS takes this one for, where that lacks vector instructions which this
 * one has: "Prescott". *better is then one that has them, for OPENBLAS_CORETYPE. NULL where the
 * BLAS uses what there is, or does not tell. */
const char *pxr_blas_taken_for(const char **better);

/* Are a row's bits in pxr_gemm_f32() the same whatever m is? Not where the BLAS computes it. */
bool pxr_gemm_rows_alone(void);

/* Take the memory that the BLAS needs. OpenBLAS takes 128 MB of addresses for each product that is
 * computed at a time, when it first computes so many, and where it cannot have them it tries for
 * ever. Where addresses are limited (`ulimit -v`), products therefore take turns from now on.
 * Returns 0, or -1 after an error where there is not even room for one. */
int pxr_blas_reserve(struct pxr_diag *diag);

/* Have the BLAS compute each product on the calling thread alone: the workers are the
 * parallelism, and a product's bits must not depend on the number of threads. */
void pxr_blas_single_thread(void);

#endif
