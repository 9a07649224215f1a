/* SPDX-License-Identifier: MIT */
/* gemm_bf16.c - products of bfloat16 matrices for <pxr/bf16.h>. */
#include "tensor/bf16.h"

static const struct pxr_bf16_tap straight = { .end = SIZE_MAX };

static struct pxr_bf16_operand matrix(size_t m, size_t k, const pxr_bf16 *a, size_t lda)
{
        return (struct pxr_bf16_operand) { a, m, k, lda, SIZE_MAX, 1, &straight };
}

static void *align(void *scratch)
{
        return (void *)(((uintptr_t)scratch + 63) & ~(uintptr_t)63);
}

size_t pxr_gemm_bf16_packed(size_t k, size_t n)
{
        return pxr_bf16_packed_size(k, n) * sizeof(pxr_bf16);
}

void pxr_gemm_bf16_pack(size_t k, size_t n, const pxr_bf16 *b, size_t row, size_t column,
                        void *packed)
{
        pxr_bf16_pack_rounded(k, n, b, row, column, packed);
}

size_t pxr_gemm_bf16_scratch(size_t n, size_t k)
{
        (void)n;
        return pxr_bf16_product_scratch(k, 1) + 64;
}

void pxr_gemm_bf16(size_t m, size_t n, size_t k, const pxr_bf16 *a, size_t lda, const void *packed,
                   float *c, size_t ldc, void *scratch)
{
        pxr_bf16_multiply(&(struct pxr_bf16_product) {
                .operand = matrix(m, k, a, lda),
                .m = m,
                .n = n,
                .weights = packed,
                .exact = c,
                .ldc = ldc,
                .scratch = align(scratch),
        });
}

size_t pxr_gemm_bf16_transposed_scratch(size_t n, size_t k)
{
        return pxr_bf16_gradient_sum(k, n, 1) * sizeof(float) + pxr_bf16_gradient_scratch(k, n) +
               128;
}

void pxr_gemm_bf16_transposed(size_t m, size_t n, size_t k, const pxr_bf16 *a, size_t lda,
                              const pxr_bf16 *b, float *c, void *scratch)
{
        size_t size = pxr_bf16_gradient_sum(k, n, 1);
        float *sum = align(scratch);

        memset(sum, 0, size * sizeof(*sum));
        pxr_bf16_weight_gradient(&(struct pxr_bf16_gradient) {
                .operand = matrix(m, k, a, lda),
                .m = m,
                .n = n,
                .dc = b,
                .sum = sum,
                .scratch = align(sum + size),
        });
        pxr_bf16_add_gradient(k, n, 1, sum, c);
}
