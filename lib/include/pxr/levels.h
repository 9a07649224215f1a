/* SPDX-License-Identifier: MIT */
/*
 * levels.h - functions that are compiled for several instruction sets, and chosen when called.
 *
 *     PXR_INLINE void halve_body(size_t size, float *x)
 *     {
 *             for (size_t i = 0; i < size; i++)
 *                     x[i] /= 2;
 *     }
 *     PXR_FOR_EACH_LEVEL(static, void, halve, (size_t size, float *x), (size, x))
 *
 * defines halve(), which is as fast as the processor allows if the compiler vectorizes the loop
 * (-O3, or -O2 -ftree-vectorize). On x86-64 the body is compiled for AVX-512, for AVX2 and for any
 * processor; elsewhere once. An instruction set may round otherwise than another, as it multiplies
 * and adds in one step.
 */
#ifndef PXR_LEVELS_H
#define PXR_LEVELS_H

#ifdef __cplusplus
extern "C" {
#endif

/* The level of x86-64, as its ABI defines them: 4 (AVX-512), 3 (AVX2 and FMA) or 1 (all others); 0
 * on another architecture. */
int pxr_x86_level(void);

#ifdef __cplusplus
}
#endif

#define PXR_INLINE static inline __attribute__((always_inline))

/* Not by target_clones, which clang 14 takes and resolves wrongly, and which cannot be combined
 * with sanitizers. */
#if defined(__x86_64__) && defined(__GNUC__)
#define PXR_FOR_LEVEL_(level, type, name, parameters, arguments)                               \
        static __attribute__((target("arch=x86-64-v" #level))) type name##_v##level parameters \
        {                                                                                      \
                return name##_body arguments;                                                  \
        }
#define PXR_FOR_EACH_LEVEL(storage, type, name, parameters, arguments) \
        PXR_FOR_LEVEL_(3, type, name, parameters, arguments)           \
        PXR_FOR_LEVEL_(4, type, name, parameters, arguments)           \
        storage type name parameters                                   \
        {                                                              \
                int level = pxr_x86_level();                           \
                                                                       \
                return level == 4   ? name##_v4 arguments              \
                       : level == 3 ? name##_v3 arguments              \
                                    : name##_body arguments;           \
        }
#else
#define PXR_FOR_EACH_LEVEL(storage, type, name, parameters, arguments) \
        storage type name parameters                                   \
        {                                                              \
                return name##_body arguments;                          \
        }
#endif

#endif
