/* SPDX-License-Identifier: MIT */
/* clock.c - a clock that only goes forward. Uses nothing. */
#include "base/clock.h"

#include <time.h>

double pxr_now(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
