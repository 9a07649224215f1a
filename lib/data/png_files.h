/* SPDX-License-Identifier: MIT */
/*
 * png_files.h - folders of PNG and JPEG files, or tar archives of them, as images of one size.
 *
 * The images are the files *.png, and *.jpg and *.jpeg if pxr reads JPEG, in the order of their
 * names (by bytes). If a folder has none, its subfolders are read, in the order of the paths
 * ("cat/9.png" before "dog/1.png"); links to folders are not followed. Other files are skipped,
 * with a warning if they look like images. A tar archive is read in place, by offsets listed once.
 */
#ifndef PXR_DATA_PNG_FILES_H
#define PXR_DATA_PNG_FILES_H

#include <limits.h>

#include "data/format.h"

struct pxr_png_file {
        const char *name;     /* in the folder or archive */
        int64_t offset, size; /* in the archive */
};

/* A folder or archive. */
struct pxr_png_files {
        const char *path;
        bool archive;
        int handle; /* open */
        struct pxr_png_file *files;
        int64_t count, room;
        bool has_jpeg;
};

/* A split: some of these files; `count` 0: no such split. */
struct pxr_png_split {
        const struct pxr_png_files *files;
        int64_t first, count;
};

/* List a folder or archive, which must contain PNG files. NULL after an error. Lives as long as the
 * arena. */
struct pxr_png_files *pxr_png_files_open(struct pxr_arena *arena, const char *path,
                                         struct pxr_diag *diag);

/* The path of a file, for errors. */
void pxr_png_files_path(const struct pxr_png_files *files, int64_t index, char path[PATH_MAX]);

/* All bytes of a file, to be freed; NULL after an error. */
uint8_t *pxr_png_files_bytes(const struct pxr_png_files *files, int64_t index, size_t *size,
                             struct pxr_diag *diag);

/* Write a text that differs whenever the file may have changed: its name, size, inode and times.
 * Returns the time of its last change, or -1 if that is unknown. */
int64_t pxr_png_files_state(const struct pxr_png_files *files, int64_t index, char *text,
                            size_t room);

/* --- splits of a data set (png_set.c) ----------------------------------------------------------*/

/* Make all files of a folder or archive a split. Returns 0 or -1. */
int pxr_png_split_open(struct pxr_opening *o, const char *path, struct pxr_png_split *split);

/* Make the last `count` images of train the split `number`, as the option of its name asks. Returns
 * 0 or -1. */
int pxr_png_split_cut(struct pxr_opening *o, struct pxr_png_split splits[PXR_SPLITS],
                      enum pxr_split number, int64_t count);

/* Set rows, cols and colours of the set from the first image, and *bits to the bits a sample in its
 * file. Returns 0 or -1. */
int pxr_png_files_size(struct pxr_opening *o, const struct pxr_png_split *split, int *bits);

/* Label the files of the splits by their folders, and set the names of the classes. Returns 0 or
 * -1. (png_classes.c) */
int pxr_png_files_label(struct pxr_opening *o, const struct pxr_png_split splits[PXR_SPLITS]);

/* Make `splits` the images of the set, whose rows, cols, colours and levels are set: counts,
 * digests, files, read, state; splits the set is not opened with are left out. Every image is
 * decoded once; another size, or a value that is not one of the levels, is an error. Up to `memory`
 * MB of pixels stay in memory; larger sets are decoded as they are read. Each folder or archive is
 * recorded as one file, whose SHA-256 is that of the lines `sha256sum *.png` prints there (or of
 * all pictures, if there are JPEG files), names without folders. Returns 0 or -1. */
int pxr_png_files_load(struct pxr_opening *o, struct pxr_png_split splits[PXR_SPLITS],
                       double memory);

#endif
