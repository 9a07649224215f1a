/* SPDX-License-Identifier: MIT */
/*
 * labels.h - the labels of a set's images while it is opened: one number each, from 0.
 *
 * A format whose files have labels adds them in the order in which it adds the images, if they are
 * asked for. pxr_pixels_end() gives them to the splits; a format that does without pixels.h does so
 * itself, by pxr_labels_split().
 */
#ifndef PXR_DATA_LABELS_H
#define PXR_DATA_LABELS_H

#include "data/format.h"

enum { PXR_CLASSES_MOST = 1 << 16 };

/* Add the label of the next image; `where` names its file in errors. Returns 0 or -1. */
int pxr_labels_add(struct pxr_opening *o, const char *where, int64_t label);

/* Labels that were added. */
int64_t pxr_labels_count(const struct pxr_opening *o);

/* The labels of images order[first .. first + count - 1] of those added (NULL: of image i itself)
 * become those of a split. Nothing happens if no labels were added. Returns 0 or -1. */
int pxr_labels_split(struct pxr_opening *o, enum pxr_split split, const int64_t *order,
                     int64_t first, int64_t count);

/* All splits are there: check that they have the labels that are asked for, and count the classes
 * unless the format knows them. Returns 0 or -1. */
int pxr_labels_finish(struct pxr_opening *o);

#endif
