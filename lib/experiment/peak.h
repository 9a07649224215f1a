/* SPDX-License-Identifier: MIT */
/*
 * peak.h - what the processors of this machine reach on plain matrix products.
 */
#ifndef PXR_EXPERIMENT_PEAK_H
#define PXR_EXPERIMENT_PEAK_H

#include <pxr/op.h>

/* GFLOP/s of several threads at once, each at its best. */
struct pxr_peaks {
        double f32;   /* the most of: the next two, and multiply-adds in registers */
        double own;   /* our own products of float32 */
        double sgemm; /* those of the BLAS */
        double bf16;  /* our own products of bfloat16; 0 if the processor has no unit for them */
};

/* Measure them for so many threads, a second or two. What *peaks has already is raised, so that it
 * can be measured before and after other work; begin with zeros. Returns 0 or -1. */
int pxr_peaks_measure(int threads, struct pxr_peaks *peaks, struct pxr_diag *diag);

/* The peak of kernels of that precision. Without a unit for bfloat16 they multiply in float32. */
double pxr_peak_of(const struct pxr_peaks *peaks, enum pxr_precision precision);

/* What multiplies bfloat16 numbers, if it is faster at it than float32 kernels: "AMX-BF16"; else
 * NULL. */
const char *pxr_peak_unit(void);

#endif
