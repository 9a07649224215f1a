/* SPDX-License-Identifier: MIT */
/* levels.h - functions that are compiled for several instruction sets, and chosen when called. */
#ifndef PXR_TENSOR_LEVELS_H
#define PXR_TENSOR_LEVELS_H

#include "base/processor.h"

#define INLINE static inline __attribute__((always_inline))

/* Define a function for three instruction sets: its body, which is to be inlined, is compiled for
 * each. Not by target_clones, which clang 14 takes and resolves wrongly, and which cannot be
 * combined with sanitizers. */
#if defined(__x86_64__) && defined(__GNUC__)
#define FOR_LEVEL(level, type, name, parameters, arguments)                                    \
        static __attribute__((target("arch=x86-64-v" #level))) type name##_v##level parameters \
        {                                                                                      \
                return name##_body arguments;                                                  \
        }
#define FOR_EACH_LEVEL(type, name, parameters, arguments)    \
        FOR_LEVEL(3, type, name, parameters, arguments)      \
        FOR_LEVEL(4, type, name, parameters, arguments)      \
        type name parameters                                 \
        {                                                    \
                int level = pxr_x86_level();                 \
                                                             \
                return level == 4   ? name##_v4 arguments    \
                       : level == 3 ? name##_v3 arguments    \
                                    : name##_body arguments; \
        }
#else
#define FOR_EACH_LEVEL(type, name, parameters, arguments) \
        type name parameters                              \
        {                                                 \
                return name##_body arguments;             \
        }
#endif

#endif
