/* SPDX-License-Identifier: MIT */
/*
 * clock.h - how long things take.
 */
#ifndef PXR_BASE_CLOCK_H
#define PXR_BASE_CLOCK_H

/* Seconds, of a clock that only goes forward. */
double pxr_now(void);

/* Seconds of processor time that this thread has used. */
double pxr_cpu_now(void);

#endif
