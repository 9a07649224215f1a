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

/* Begin a set with images of this size, which lives as long as the arena. Once begun: check that
 * the images of the file `name` have the same size. `budget`: bytes of memory; 0: no limit. The
 * temporary file is made in $TMPDIR or else /var/tmp. Returns 0 or -1. */
int pxr_pixels_begin(struct pxr_opening *o, const char *name, int rows, int cols, int colours,
                     int64_t budget);

/* Add an image, to be filled in before the next call. NULL after an error. */
uint8_t *pxr_pixels_add(struct pxr_opening *o);

/* Open `folder`/`name` (or .gz), let `parse` add its images, and record it. *count is how many
 * there were. Returns 0 or -1. */
int pxr_pixels_add_file(struct pxr_opening *o, const char *folder, const char *name,
                        int (*parse)(struct pxr_opening *o, struct pxr_reader *input),
                        int64_t *count);

/* Images that were added: 0 before the set is begun. */
int64_t pxr_pixels_count(const struct pxr_opening *o);

/* Make image i of the set the one that was added as number order[i]. */
void pxr_pixels_reorder(struct pxr_opening *o, const int64_t *order);

/* All images are added: count[split] of each split, one split after another. The last `valid` of
 * train, which `path` has, become the valid split. Sets counts and digests of the splits that the
 * set is opened with. Returns 0 or -1. */
int pxr_pixels_end(struct pxr_opening *o, int64_t count[PXR_SPLITS], int64_t valid,
                   const char *path);

/* set->read of such a set. */
int pxr_pixels_read(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                    const int64_t *index, int count, uint8_t *pixels, struct pxr_diag *diag);

#endif
