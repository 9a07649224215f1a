/* SPDX-License-Identifier: MIT */
/*
 * npy.h - the head of an array as NumPy stores it (.npy, and the entries of .npz). Uses base/ and
 * input.h.
 */
#ifndef PXR_DATA_NPY_H
#define PXR_DATA_NPY_H

#include "data/input.h"

/* Read the head of an array of bytes in two dimensions, rows one after the other; anything else is
 * refused. Its content follows in the input. Returns 0 or -1. */
int pxr_npy_read_head(struct pxr_input *input, int64_t *rows, int64_t *cols, struct pxr_diag *diag);

#endif
