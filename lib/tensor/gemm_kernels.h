/* SPDX-License-Identifier: MIT */
/* gemm_kernels.h - products of blocks, one by one, in `real`. Included once for each precision. */

static void K(set_start)(size_t m, size_t n, const struct K(pxr_start) * start, size_t column,
                         real *c, size_t ldc)
{
        for (size_t i = 0; i < m; i++) {
                size_t row = i / start->run * start->run_stride + i % start->run * start->stride;

                if (start->first)
                        memcpy(c + i * ldc, start->first + row + column, n * sizeof(real));
                else
                        memset(c + i * ldc, 0, n * sizeof(real));
        }
}

static void K(product_blocks)(bool transpose_a, size_t m, size_t n, size_t k, int blocks,
                              size_t stride, const real *a, size_t lda, const real *b, size_t ldb,
                              const struct K(pxr_start) * start, real *c, size_t ldc)
{
        for (int i = 0; i < blocks; i++) {
                if (start)
                        K(set_start)(m, n, start, i * stride, c + i * stride, ldc);
                K(pxr_gemm)
                (transpose_a, false, m, n, k, 1, a, lda, b + i * stride, ldb, 1, c + i * stride,
                 ldc);
        }
}
