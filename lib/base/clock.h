/* SPDX-License-Identifier: MIT */
/* clock.h - measuring time. */
#ifndef PXR_BASE_CLOCK_H
#define PXR_BASE_CLOCK_H

/* Seconds of a monotonic clock. */
double pxr_now(void);

/* Seconds of processor time that this thread has used. */
double pxr_cpu_now(void);

#endif
