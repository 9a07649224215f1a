/* SPDX-License-Identifier: MIT */
/*
 * npy.h - arrays as NumPy stores them (.npy, and the entries of .npz): the header, and how the
 * images lie, from the shape.
 */
#ifndef PXR_DATA_NPY_H
#define PXR_DATA_NPY_H

#include <stdbool.h>

#include "data/reader.h"

enum { PXR_NPY_DIMENSIONS = 8, PXR_NPY_TYPE = 16, PXR_NPY_SHAPE = 200 };

struct pxr_npy {
        char type[PXR_NPY_TYPE];  /* the dtype in NumPy's short form: "|u1" for bytes */
        bool by_columns;          /* Fortran order: the first dimension varies fastest */
        char text[PXR_NPY_SHAPE]; /* the shape, for errors: "(60000, 28, 28)" */
        int dimensions;
        int64_t shape[PXR_NPY_DIMENSIONS];
};

/* Read the header of an array, after which its content follows in the input. Returns 0 or -1. */
int pxr_npy_read_header(struct pxr_reader *input, struct pxr_npy *array, struct pxr_diag *diag);

/* --- how the images of an array lie
 * --------------------------------------------------------------*/

/* What a user can state. A flat array of N rows holds square images in the stated order. */
enum pxr_layout_name {
        PXR_LAYOUT_ANY, /* as the shape says, where only one of the others fits it */
        PXR_LAYOUT_HWC, /* N x rows x columns x colours */
        PXR_LAYOUT_CHW, /* N x colours x rows x columns */
        PXR_LAYOUT_HW,  /* N x rows x columns, grey */
};

/* Their names, for an option table. */
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
