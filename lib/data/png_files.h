/* SPDX-License-Identifier: MIT */
/*
 * png_files.h - folders of PNG files as images of one size, in memory or read when asked for.
 *
 * A folder's images are its files *.png in the order of their names (by bytes); other files are
 * passed over. Uses base/, format.h and png.h.
 */
#ifndef PXR_DATA_PNG_FILES_H
#define PXR_DATA_PNG_FILES_H

#include "data/format.h"

/* A folder. */
struct pxr_png_files {
        const char *folder;
        int handle; /* of the open folder */
        const char **names;
        int64_t count;
};

/* A split: some of a folder's files; `count` 0: there is no such split. */
struct pxr_png_split {
        const struct pxr_png_files *files;
        int64_t first, count;
};

/* List a folder. NULL after an error, which an empty folder is too. Lives as long as the arena. */
struct pxr_png_files *pxr_png_files_open(struct pxr_arena *arena, const char *folder,
                                         struct pxr_diag *diag);

/* Set rows, cols and colours of `set` from an image. Returns 0 or -1. */
int pxr_png_files_size(const struct pxr_png_files *files, int64_t index, struct pxr_dataset *set,
                       struct pxr_diag *diag);

/* Make `splits` the images of `set`, whose rows, cols, colours and levels are set: counts,
 * digests, files, read, state. Every image is decoded once, and refused if it has another size
 * or a value that is none of the levels'. Up to `memory` MB of pixels stay in memory; of more,
 * each is decoded anew when it is read. Files are recorded as one for each folder, whose SHA-256
 * is that of the lines `sha256sum *.png` prints there. Returns 0 or -1. */
int pxr_png_files_load(struct pxr_arena *arena, struct pxr_dataset *set,
                       const struct pxr_png_split splits[PXR_SPLITS], double memory,
                       struct pxr_diag *diag);

#endif
