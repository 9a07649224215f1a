/* SPDX-License-Identifier: MIT */
/*
 * fit.h - cropping and resizing images, the options `crop` and `resize` of every set.
 *
 * The middle of an image is kept, then it is resized by averaging areas: each new pixel is the mean
 * of the part of the old image that it covers, computed in whole numbers and rounded.
 */
#ifndef PXR_DATA_FIT_H
#define PXR_DATA_FIT_H

#include "data/format.h"

/* Read the options `crop` and `resize` to o->fit. Returns 0 or -1. */
int pxr_fit_read(struct pxr_opening *o, struct pxr_diag *diag);

/* Whether one of them is set. */
bool pxr_fit_asked(const struct pxr_opening *o);

/* The size that images of rows x cols pixels have afterwards. Returns 0, or -1 after an error that
 * begins with `name`: the image is smaller than its crop. */
int pxr_fit_size(const struct pxr_fit *fit, const char *name, int *rows, int *cols,
                 struct pxr_diag *diag);

/* Crop and resize an image from[rows][cols][colours]. */
void pxr_fit_image(const struct pxr_fit *fit, const uint8_t *from, int rows, int cols, int colours,
                   uint8_t *to);

/* The transforms as text, which begins with "; ". */
const char *pxr_fit_text(struct pxr_arena *arena, const struct pxr_fit *fit);

#endif
