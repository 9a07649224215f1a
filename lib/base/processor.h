/* SPDX-License-Identifier: MIT */
/*
 * processor.h - what depends on the processor: its instruction set, and subnormal numbers.
 */
#ifndef PXR_BASE_PROCESSOR_H
#define PXR_BASE_PROCESSOR_H

/* The level of x86-64, as its ABI defines them: 4 (AVX-512), 3 (AVX2 and FMA) or 1 (all others); 0
 * on another architecture. */
int pxr_x86_level(void);

/* Make this thread flush subnormal numbers (below 1.2e-38 in single precision) to zero. They occur
 * in every training, as in the gradient of a confident softmax, and are many times slower on some
 * processors. Returns the old mode, for pxr_arithmetic_restore(). Does nothing on processors it
 * does not support. */
unsigned long pxr_arithmetic_flush(void);
void pxr_arithmetic_restore(unsigned long mode);

#endif
