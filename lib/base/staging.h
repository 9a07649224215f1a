/* SPDX-License-Identifier: MIT */
/* staging.h - folders that appear with all their files, or not at all. */
#ifndef PXR_BASE_STAGING_H
#define PXR_BASE_STAGING_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include <pxr/diag.h>

/* A temporary folder. It is locked while it is used, so an unlocked one is of a killed process. */
struct pxr_staging {
        char path[PATH_MAX];
        int fd; /* -1: none */
};

/* Remove the folders of this prefix that killed processes have left. */
void pxr_staging_clear(const char *prefix);

/* Make a folder named PREFIX and six random digits, and remove those that killed processes have
 * left. Returns 0 or -1. */
int pxr_staging_make(struct pxr_staging *staging, const char *prefix, struct pxr_diag *diag);

/* Remove it with its content, if there is one. */
void pxr_staging_remove(struct pxr_staging *staging);

/* Rename it to `path`, which must not exist. Returns 0 or -1. */
int pxr_staging_name(struct pxr_staging *staging, const char *path, struct pxr_diag *diag);

/* Whether this is a name, without path, that pxr_staging_make() gives for this prefix. */
bool pxr_is_staging(const char *name, const char *prefix);

/* A new or empty folder that gets its files all at once. */
struct pxr_output_folder {
        char path[PATH_MAX];
        bool exists;                /* empty: it gets the files one by one */
        struct pxr_staging staging; /* write the files to staging.path */
};

/* Can files be written to a folder of this path? It must be empty or not exist. Returns 0 or -1. */
int pxr_output_folder_check(const char *path, struct pxr_diag *diag);

/* Begin. Returns 0 or -1; either way pxr_output_folder_end() follows. */
int pxr_output_folder_begin(struct pxr_output_folder *folder, const char *path,
                            struct pxr_diag *diag);

/* With `status` 0, put the files in place: a new folder appears with all of them. Otherwise remove
 * them. Returns `status`, or -1 after an error. */
int pxr_output_folder_end(struct pxr_output_folder *folder, int status, struct pxr_diag *diag);

/* The total size of the files in a folder; removing it with its content. Links are not followed. */
int64_t pxr_folder_bytes(const char *path);
int pxr_remove_folder(const char *path);

/* Make the parent folders of a file below `folder`: "a" and "a/b" for "a/b/c". */
int pxr_make_folders(const char *folder, const char *relative, struct pxr_diag *diag);

#endif
