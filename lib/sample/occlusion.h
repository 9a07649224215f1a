/* SPDX-License-Identifier: MIT */
/*
 * occlusion.h - the hidden region of an image, which is to be drawn.
 */
#ifndef PXR_SAMPLE_OCCLUSION_H
#define PXR_SAMPLE_OCCLUSION_H

#include <pxr/arena.h>

struct pxr_occlusion {
        const char *text;   /* as given */
        const bool *hidden; /* [row][col] */
        bool exact;         /* all known pixels come before the hidden ones in raster order */
};

/* Read "bottom:PART", "top:PART", "left:PART", "right:PART" (a part of the rows or columns, over 0
 * and up to 1, rounded to whole ones) or "rect:ROW,COL,ROWS,COLS", for images of rows x cols.
 * Returns 0 or -1. */
int pxr_occlusion_read(struct pxr_arena *arena, const char *text, int rows, int cols,
                       struct pxr_occlusion *occlusion, struct pxr_diag *diag);

#endif
