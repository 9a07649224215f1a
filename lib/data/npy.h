/* SPDX-License-Identifier: MIT */
/*
 * npy.h - the header of an array as NumPy stores it (.npy, and the entries of .npz).
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

#endif
