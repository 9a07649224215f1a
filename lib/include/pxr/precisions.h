/* SPDX-License-Identifier: MIT */
/*
 * precisions.h - compile an op's kernels for float and for double from one text.
 *
 * The kernels stand in a file of their own, written in terms of `real` and K(name):
 *
 *     #define PXR_KERNELS_FILE "conv_kernels.h"
 *     #include <pxr/precisions.h>
 *
 * includes that file twice and leaves name_f32 and name_f64 behind. The compiler must be told where
 * the file is (-I.). This header has no include guard, for it may be used several times.
 */
#ifndef PXR_KERNELS_FILE
#error "define PXR_KERNELS_FILE, the file to be compiled for both precisions, before this header"
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
