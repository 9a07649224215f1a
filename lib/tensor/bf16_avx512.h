/* SPDX-License-Identifier: MIT */
/* bf16_avx512.h - reading and writing bfloat16 numbers by AVX-512, 16 at a time. */
#ifndef PXR_TENSOR_BF16_AVX512_H
#define PXR_TENSOR_BF16_AVX512_H

#include <immintrin.h>

#include <pxr/op.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))
#define ALWAYS_INLINE AVX512 __attribute__((always_inline)) static inline

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

#endif
