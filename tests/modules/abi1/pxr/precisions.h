/* SPDX-License-Identifier: MIT */
/*
 * precisions.h - compile an op's kernels for float and for double from one source.
 *
 * Write the kernels in a file of their own, in terms of `real` and K(name). Then
 *
 *     #define PXR_KERNELS_FILE "conv_kernels.h"
 *     #include <pxr/precisions.h>
 *
 * includes that file twice and defines name_f32 and name_f64. The compiler must find the file
 * (-I.). This header has no include guard, so that a source can use it several times.
 */
#ifndef PXR_KERNELS_FILE
#error "define PXR_KERNELS_FILE, the file to compile for both precisions, before including this header"
#endif

#define real float
#define K(name) name##_f32
#include PXR_KERNELS_FILE
#undef real
#undef K

#define real double
#define K(name) name##_f64
#include PXR_KERNELS_FILE
#undef real
#undef K
#undef PXR_KERNELS_FILE
