/* SPDX-License-Identifier: MIT */
/*
 * layout.h - how the images of an array lie, from its shape.
 */
#ifndef PXR_DATA_LAYOUT_H
#define PXR_DATA_LAYOUT_H

#include <stdbool.h>

#include "data/npy.h"

/* What a user can state. A flat array of N rows holds square images in the stated order. */
enum pxr_layout_name {
        PXR_LAYOUT_ANY, /* as the shape says, where only one of the others fits it */
        PXR_LAYOUT_HWC, /* N x rows x columns x colours */
        PXR_LAYOUT_CHW, /* N x colours x rows x columns */
        PXR_LAYOUT_HW,  /* N x rows x columns, grey */
};

/* Their words, for an option table. */
extern const char *const pxr_layout_names[];

struct pxr_layout {
        int rows, cols, colours;
        bool planar; /* planes of red, green and blue */
};

/* Find the layout of `array`, called `name` in errors. A stated layout that does not fit is an
 * error at `location`. `planes`: flat rows in colour are known to be planes. Returns 0 or -1. */
int pxr_layout_find(const char *name, const struct pxr_npy *array, enum pxr_layout_name stated,
                    struct pxr_location location, bool planes, struct pxr_layout *layout,
                    struct pxr_diag *diag);

#endif
