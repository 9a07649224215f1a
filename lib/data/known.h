/* SPDX-License-Identifier: MIT */
/*
 * known.h - what is known of the paper's data sets. Uses base/.
 */
#ifndef PXR_DATA_KNOWN_H
#define PXR_DATA_KNOWN_H

#include <stdint.h>

#include <pxr/arena.h>

/* Which release of downsampled ImageNet has so many images (0: not read), in words for the
 * transforms. The releases of 2016 and 2017 were downsampled differently, and numbers on one
 * cannot be compared with numbers on the other: a mixture is an error. Returns 1; 0 for other
 * numbers of images; or -1. */
int pxr_imagenet_release(struct pxr_arena *arena, int64_t train, int64_t valid, const char **words,
                         struct pxr_diag *diag);

#endif
