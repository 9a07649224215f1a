/* SPDX-License-Identifier: MIT */
/*
 * bf16.h - what kernels for mixed precision (struct pxr_mixed of <pxr/op.h>) are made of: numbers,
 * arrays and matrix products in bfloat16.
 *
 * A bfloat16 number is the upper half of a float32: 8 bits of exponent, 7 of fraction. Compute in
 * float32 and round what is stored. Sums of products are in float32, by the best unit that the
 * processor has (AMX, AVX512-BF16); their bits are the same for the same unit, for any number of
 * threads.
 */
#ifndef PXR_BF16_H
#define PXR_BF16_H

#include <string.h>

#include <pxr/op.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline float pxr_bf16_value(pxr_bf16 number)
{
        uint32_t bits = (uint32_t)number << 16;
        float value;

        memcpy(&value, &bits, sizeof(value));
        return value;
}

/* The nearest number, ties to even; NaN stays NaN. Off by at most 2^-8 of the value. */
static inline pxr_bf16 pxr_bf16_rounded(float value)
{
        uint32_t bits;

        memcpy(&bits, &value, sizeof(bits));
        if ((bits & 0x7fffffff) > 0x7f800000)
                return (pxr_bf16)(bits >> 16 | 0x40);
        return (pxr_bf16)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* Round an array so; a denormal may become 0. */
void pxr_bf16_round(size_t size, const float *from, pxr_bf16 *to);

/* The same numbers as floats. */
void pxr_bf16_widen(size_t size, const pxr_bf16 *from, float *to);

/* Pack B, k x n, for products: element (i, j) is b[i row + j column]. `packed` has
 * pxr_gemm_bf16_packed() bytes, aligned to 64. */
size_t pxr_gemm_bf16_packed(size_t k, size_t n);
void pxr_gemm_bf16_pack(size_t k, size_t n, const pxr_bf16 *b, size_t row, size_t column,
                        void *packed);

/* C = A B: m x k, row-major, by B packed. `scratch` has pxr_gemm_bf16_scratch() bytes. */
size_t pxr_gemm_bf16_scratch(size_t n, size_t k);
void pxr_gemm_bf16(size_t m, size_t n, size_t k, const pxr_bf16 *a, size_t lda, const void *packed,
                   float *c, size_t ldc, void *scratch);

/* C += A^T B: A is m x k, B m x n, C k x n, row-major; rows of B and C without gaps. Meant for many
 * rows. `scratch` has pxr_gemm_bf16_transposed_scratch() bytes. */
size_t pxr_gemm_bf16_transposed_scratch(size_t n, size_t k);
void pxr_gemm_bf16_transposed(size_t m, size_t n, size_t k, const pxr_bf16 *a, size_t lda,
                              const pxr_bf16 *b, float *c, void *scratch);

#ifdef __cplusplus
}
#endif
#endif
