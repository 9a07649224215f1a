/* SPDX-License-Identifier: MIT */
/*
 * processor.h - which instruction set this processor has.
 */
#ifndef PXR_BASE_PROCESSOR_H
#define PXR_BASE_PROCESSOR_H

/* The level of x86-64, as its ABI defines them: 4 (AVX-512), 3 (AVX2 and FMA) or 1 (all others); 0
 * on another architecture. */
int pxr_x86_level(void);

#endif
