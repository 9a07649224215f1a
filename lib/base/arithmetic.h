/* SPDX-License-Identifier: MIT */
/*
 * arithmetic.h - how this thread's processor treats numbers that are nearly zero.
 */
#ifndef PXR_BASE_ARITHMETIC_H
#define PXR_BASE_ARITHMETIC_H

/* From now on let this thread take subnormal numbers (below 1.2e-38 in single precision) for zero.
 * They come up in every training, as in the gradient of a softmax that is sure, and some processors
 * are many times slower with them. Returns what pxr_arithmetic_restore() wants. Does nothing on
 * processors it does not know. */
unsigned long pxr_arithmetic_flush(void);
void pxr_arithmetic_restore(unsigned long mode);

#endif
