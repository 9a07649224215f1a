/* SPDX-License-Identifier: MIT */
/* gemm.h - the matrix products behind <pxr/op.h>: our own kernels, and any CBLAS. */
#ifndef PXR_TENSOR_GEMM_H
#define PXR_TENSOR_GEMM_H

#include <stdbool.h>
#include <stddef.h>

#include <pxr/arena.h>

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

/* Instruction sets that our own kernels are compiled for. */
enum pxr_tiles { PXR_NO_TILES, PXR_TILES_AVX2, PXR_TILES_AVX512 };

/* The best one that the processor has. */
enum pxr_tiles pxr_best_tiles(void);

/* Compute a product with k > 0 by our own kernels, with the same bits for any instruction set.
 * False, doing nothing, if the processor lacks that set. */
bool pxr_product_by(enum pxr_tiles tiles, const struct pxr_product *product);

/* The same with the best instruction set. False if the processor has none of them. */
bool pxr_product_f32(const struct pxr_product *product);

/* The same as pxr_gemm_f32(), always by the BLAS. */
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

/* Do multiply-adds in registers as fast as the processor can, a number proportional to `rounds`.
 * Returns that number; 0, doing nothing, if the processor has none of the instruction sets. */
double pxr_multiply_adds(size_t rounds);

/* The processor ("Prescott") that the BLAS is tuned for, if it lacks vector instructions that this
 * one has; *better is then a value for OPENBLAS_CORETYPE that uses them. NULL if the BLAS uses what
 * the processor has, or does not say. */
const char *pxr_blas_taken_for(const char **better);

/* The BLAS, and the processor that its kernels are for: "OpenBLAS 0.3.21, kernels for SkylakeX", or
 * "CBLAS" if it does not say. */
char *pxr_blas_name(struct pxr_arena *arena);

/* Whether row i of the result of pxr_gemm_f32() is bit-identical for every m; not with the BLAS. */
bool pxr_gemm_rows_alone(void);

/* Reserve the memory that the BLAS needs. OpenBLAS reserves 128 MB of address space for each
 * product that runs at the same time, and retries for ever if it cannot. So if address space is
 * limited (`ulimit -v`), products run one at a time from now on. Returns 0, or -1 after an error:
 * not enough address space for one. */
int pxr_blas_reserve(struct pxr_diag *diag);

/* Let the BLAS compute each product on the calling thread: the workers already run in parallel, and
 * a product's bits must not depend on the number of threads. */
void pxr_blas_single_thread(void);

#endif
