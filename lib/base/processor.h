/* SPDX-License-Identifier: MIT */
/*
 * processor.h - what depends on the processor: its instruction set (<pxr/levels.h>), and subnormal
 * numbers.
 */
#ifndef PXR_BASE_PROCESSOR_H
#define PXR_BASE_PROCESSOR_H

#include <pxr/levels.h>

/* Make this thread flush subnormal numbers (below 1.2e-38 in single precision) to zero. They occur
 * in every training, as in the gradient of a confident softmax, and are many times slower on some
 * processors. Returns the old mode, for pxr_arithmetic_restore(). Does nothing on processors it
 * does not support. */
unsigned long pxr_arithmetic_flush(void);
void pxr_arithmetic_restore(unsigned long mode);

#endif
