/* SPDX-License-Identifier: MIT */
/*
 * png_images.h - images of a number of levels, each in a PNG file.
 */
#ifndef PXR_DATA_PNG_IMAGES_H
#define PXR_DATA_PNG_IMAGES_H

#include "data/png.h"

struct pxr_png_kind {
        int rows, cols, colours, levels;
};

/* Convert bytes, from 0 to 255, to levels. A byte that is not that of a level is an error at its
 * row and column of `name`. Returns 0 or -1. */
int pxr_png_to_levels(const char *name, const struct pxr_png_kind *kind, uint8_t *pixels,
                      struct pxr_diag *diag);

/* Read a file to pixels[row][col][colour], without loss. Returns 0 or -1. */
int pxr_png_read_image(const char *path, const struct pxr_png_kind *kind, uint8_t *pixels,
                       struct pxr_diag *diag);

/* Write a picture to a new file. Returns 0 or -1. */
int pxr_png_write(const char *path, const struct pxr_picture *picture, struct pxr_diag *diag);

/* The texts of one image. */
struct pxr_png_texts {
        const struct pxr_png_text *text;
        int count;
};

/* Write images to the new or empty folder, as files of these names, with the texts of each (NULL:
 * none). After an error none of them is left, and no new folder. Returns 0 or -1. */
int pxr_png_write_images(const char *folder, const struct pxr_png_kind *kind, int64_t count,
                         const char *const *names, const uint8_t *pixels,
                         const struct pxr_png_texts *texts, struct pxr_diag *diag);

#endif
