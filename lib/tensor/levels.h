/* SPDX-License-Identifier: MIT */
/* levels.h - short names for <pxr/levels.h>; the functions are of the whole library. */
#ifndef PXR_TENSOR_LEVELS_H
#define PXR_TENSOR_LEVELS_H

#include <pxr/levels.h>

#define INLINE PXR_INLINE
#define FOR_EACH_LEVEL(type, name, parameters, arguments) \
        PXR_FOR_EACH_LEVEL(, type, name, parameters, arguments)

#endif
