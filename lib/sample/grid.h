/* SPDX-License-Identifier: MIT */
/*
 * grid.h - images side by side in one picture.
 */
#ifndef PXR_SAMPLE_GRID_H
#define PXR_SAMPLE_GRID_H

#include "data/png.h"

struct pxr_grid {
        const uint8_t *pixels; /* [image][row][col][colour], 0 to levels - 1 */
        int images, rows, cols, colours, levels;
        int across; /* images in a row of the grid; 0: make it nearly square */
        int down; /* images in a column of the grid, which is then filled column by column; 0: it is
                     filled row by row */
        const bool
                *hidden; /* [row][col]: pixels of the first image of each row of the grid that are
                            drawn as not known: in two greys, like squared paper; NULL: none */
        struct pxr_png_texts texts; /* kept in the PNG */
};

/* Check that the grid's picture is small enough for a PNG. `pixels` may be NULL. Returns 0, or -1
 * after an error. */
int pxr_grid_check(const struct pxr_grid *grid, struct pxr_diag *diag);

/* A PNG of the images, each pixel drawn large enough to see. Returns bytes to be freed with free();
 * NULL after an error. */
uint8_t *pxr_grid_png(const struct pxr_grid *grid, size_t *size, struct pxr_diag *diag);

/* Extract image number `image` from a grid's picture, as bytes: pixels[row][col][colour]. `grid`
 * describes the grid; its own pixels are ignored. Returns false if the picture is not such a grid.
 */
bool pxr_grid_cut(const struct pxr_grid *grid, const struct pxr_picture *picture, int image,
                  uint8_t *pixels);

#endif
