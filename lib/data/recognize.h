/* SPDX-License-Identifier: MIT */
/* recognize.h - what a file is by its first bytes, and what to do with files that are not read. */
#ifndef PXR_DATA_RECOGNIZE_H
#define PXR_DATA_RECOGNIZE_H

#include <stdbool.h>

#include <pxr/diag.h>

enum pxr_file_kind {
        PXR_FILE_UNKNOWN, /* or not readable */
        PXR_FILE_NPY,     /* one NumPy array */
        PXR_FILE_ZIP,     /* as .npz files are */
        PXR_FILE_TAR,
        PXR_FILE_GZIP,
        PXR_FILE_PICTURE, /* PNG, JPEG, GIF and so on */
        PXR_FILE_OTHER,   /* one that pxr does not read */
};

/* The kind of a file. Folders, pipes and devices are unknown and not opened. */
enum pxr_file_kind pxr_file_kind(const char *path);

/* If the file is of a kind that is recognized, but not one of those that `reads` has a bit for
 * (1 << PXR_FILE_NPY ...), record an error with its name and what to do about it. Returns whether
 * it did. */
bool pxr_file_refuse(const char *path, unsigned reads, struct pxr_diag *diag);

#endif
