/* SPDX-License-Identifier: MIT */
/*
 * pixels.h - the images of a set: in memory, or in a temporary file.
 *
 * A format adds images one by one, in the order of its splits. Beyond the budget they move to an
 * unlinked temporary file, which disappears with the program; 256 MB of the disk are left free.
 */
#ifndef PXR_DATA_PIXELS_H
#define PXR_DATA_PIXELS_H

#include <stdint.h>

#include "data/format.h"

struct pxr_pixels;

/* Add an image, to be filled in before the next call. NULL after an error. */
uint8_t *pxr_pixels_add(struct pxr_pixels *pixels, struct pxr_diag *diag);

int64_t pxr_pixels_count(const struct pxr_pixels *pixels);

/* End adding: the images can be read now. Returns 0 or -1. */
int pxr_pixels_end(struct pxr_pixels *pixels, struct pxr_diag *diag);

/* --- a set whose images are all held this way --------------------------------------------------*/

/* What set->state points to. */
struct pxr_held {
        struct pxr_pixels *pixels;
        int64_t first[PXR_SPLITS]; /* image of each split */
        const int64_t *order;      /* image i is order[i] of `pixels`; NULL: it is i */
};

/* Open the set with images of this size in `held`, which is zeroed and lives as long as the arena.
 * Once begun: check that the images of the file `name` have the same size. `budget`: bytes of
 * memory; 0: no limit. The temporary file is made in $TMPDIR or else /var/tmp. Returns 0 or -1. */
int pxr_held_begin(struct pxr_opening *o, struct pxr_held *held, const char *name, int rows,
                   int cols, int colours, int64_t budget);

/* All images are added: count[split] of each split, one split after another. The last `valid` of
 * train, which `path` has, become the valid split. Sets counts and digests of the splits that the
 * set is opened with. Returns 0 or -1. */
int pxr_held_end(struct pxr_opening *o, int64_t count[PXR_SPLITS], int64_t valid, const char *path);

/* set->read for such a set. */
int pxr_held_read(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                  const int64_t *index, int count, uint8_t *pixels, struct pxr_diag *diag);

#endif
