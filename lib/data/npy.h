/* SPDX-License-Identifier: MIT */
/*
 * npy.h - arrays as NumPy stores them (.npy, and the entries of .npz): the header, numbers, and how
 * the images lie, from the shape.
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

/* Read the next of an array's whole numbers, of any type and byte order. Returns 0 or -1. */
int pxr_npy_read_number(struct pxr_reader *input, const struct pxr_npy *array, int64_t *number,
                        struct pxr_diag *diag);

/* Whether the type is that of whole numbers: signed or unsigned, of 1 to 8 bytes. */
bool pxr_npy_is_whole(const struct pxr_npy *array);

/* What a user can state. In a flat array of N rows, each row is an image in the stated order. */
enum pxr_layout_name {
        PXR_LAYOUT_ANY, /* as the shape says, where only one of the others fits it; never for flat
                           arrays */
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

/* What is stated of an array's images. */
struct pxr_layout_stated {
        enum pxr_layout_name name;
        int64_t rows;                 /* of each image in a flat array; 0: it is square */
        struct pxr_location location; /* for errors */
};

/* Find the layout of `array`, called `name` in errors. Returns 0 or -1. */
int pxr_layout_find(const char *name, const struct pxr_npy *array,
                    const struct pxr_layout_stated *stated, struct pxr_layout *layout,
                    struct pxr_diag *diag);

#endif
