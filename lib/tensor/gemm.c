/* SPDX-License-Identifier: MIT */
/*
 * gemm.c - matrix products, by any CBLAS. The only file that knows of BLAS.
 *
 * Workers run side by side, so each product must stay on its own thread: pxr_blas_single_thread().
 */
#include "tensor/gemm.h"

#include <cblas.h>

#include <pxr/op.h>

void pxr_gemm_f32(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha,
                  const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
                  size_t ldc)
{
        if (m && n && k)
                cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                            transpose_b ? CblasTrans : CblasNoTrans, m, n, k, alpha, a, lda, b, ldb,
                            beta, c, ldc);
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

void pxr_blas_single_thread(void)
{
#ifdef OPENBLAS_VERSION
        openblas_set_num_threads(1);
#endif
}
