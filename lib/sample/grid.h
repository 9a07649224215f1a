/* SPDX-License-Identifier: MIT */
/*
 * grid.h - images side by side in one picture. Uses base/ and data/png.h.
 */
#ifndef PXR_SAMPLE_GRID_H
#define PXR_SAMPLE_GRID_H

#include "data/png.h"

struct pxr_grid {
        const uint8_t *pixels; /* [image][row][col][colour], 0 to levels - 1 */
        int images, rows, cols, colours, levels;
        const struct pxr_png_text *texts; /* kept in the PNG */
        int text_count;
};

/* A PNG of the images, as near to a square as can be, each pixel drawn large enough to see. Returns
 * bytes to be freed with free(); NULL after an error. */
uint8_t *pxr_grid_png(const struct pxr_grid *grid, size_t *size, struct pxr_diag *diag);

#endif
