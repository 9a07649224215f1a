/* SPDX-License-Identifier: MIT */
/*
 * shared.h - drawing images on several ranks: each draws some of them, with their own random
 * numbers, and sends them to rank 0.
 */
#ifndef PXR_SAMPLE_SHARED_H
#define PXR_SAMPLE_SHARED_H

#include "sample/generate.h"
#include "train/ranks.h"

/* What this rank draws of the images of `all`, which are keyed by their index. `all->memory` is not
 * used. NULL when out of memory. */
struct pxr_generation *pxr_generation_share(const struct pxr_generation *all,
                                            const struct pxr_ranks *ranks);

/* Rank 0: draw all images of `all`; `share` is its own share. As pxr_generate(). */
int pxr_generate_shared(const struct pxr_generation *all, struct pxr_generation *share,
                        struct pxr_ranks *ranks, uint8_t *pixels, struct pxr_diag *diag);

/* Other ranks: draw the share that rank 0's pxr_generate_shared() has ordered. `pixels` has room
 * for it. Returns as ranks.h says. */
int pxr_generate_help(struct pxr_generation *share, struct pxr_ranks *ranks, uint8_t *pixels,
                      struct pxr_diag *diag);

#endif
