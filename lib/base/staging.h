/* SPDX-License-Identifier: MIT */
/* staging.h - folders in which something is put together before it gets its place. */
#ifndef PXR_BASE_STAGING_H
#define PXR_BASE_STAGING_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include <pxr/diag.h>

/* A folder that is locked as long as it is used; what a killed process left is known by that. */
struct pxr_staging {
        char path[PATH_MAX];
        int fd; /* -1: there is none */
};

/* Remove the folders that killed processes left of a prefix. */
void pxr_staging_clear(const char *prefix);

/* Make the folder PREFIX and six random digits; those that killed processes left of this PREFIX are
 * removed. Returns 0 or -1. */
int pxr_staging_make(struct pxr_staging *staging, const char *prefix, struct pxr_diag *diag);

/* Give it up, with all that is in it. None is allowed. */
void pxr_staging_remove(struct pxr_staging *staging);

/* Give it its name, which nothing may have yet. Returns 0 or -1. */
int pxr_staging_name(struct pxr_staging *staging, const char *path, struct pxr_diag *diag);

/* Is this what pxr_staging_make() calls a folder of this prefix, without its path? */
bool pxr_is_staging(const char *name, const char *prefix);

/* A new or empty folder that gets its files all at once. */
struct pxr_output_folder {
        const char *path;
        struct pxr_staging staging; /* write the files to staging.path */
        bool made;
};

/* Can files be written to a folder of this path? It must be empty or not exist. Returns 0 or -1. */
int pxr_output_folder_check(const char *path, struct pxr_diag *diag);

/* Begin: make the folder if necessary. Returns 0 or -1; either way pxr_output_folder_end() follows.
 * `path` must outlive it. */
int pxr_output_folder_begin(struct pxr_output_folder *folder, const char *path,
                            struct pxr_diag *diag);

/* With `status` 0 move all files to the folder; else remove them, and the folder if it is new.
 * Returns `status`, or -1 after an error. */
int pxr_output_folder_end(struct pxr_output_folder *folder, int status, struct pxr_diag *diag);

/* Bytes of the files in a folder, and removing it with all of them; links are not followed. */
int64_t pxr_folder_bytes(const char *path);
int pxr_remove_folder(const char *path);

/* Make the folders in which a file below `folder` is to lie: "a/b/c" needs "a" and "a/b". */
int pxr_make_folders(const char *folder, const char *relative, struct pxr_diag *diag);

#endif
