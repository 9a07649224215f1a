/* SPDX-License-Identifier: MIT */
/*
 * manifest.h - the list of an exported run's files with the SHA-256 of each, in the format of
 * `sha256sum -c`; and such a directory as an archive.
 */
#ifndef PXR_MANAGE_MANIFEST_H
#define PXR_MANAGE_MANIFEST_H

#include <stdbool.h>

#include <pxr/arena.h>

#include "base/hash.h"

#define PXR_MANIFEST "MANIFEST.sha256"

struct pxr_listed {
        const char *name; /* relative to the folder */
        int64_t bytes;
        char sha256[PXR_SHA256_HEX];
        struct pxr_listed *next;
};

/* List all files of a directory, sorted, and write the manifest into it. Returns 0 or -1. */
int pxr_manifest_write(struct pxr_arena *arena, const char *folder, struct pxr_listed **list,
                       struct pxr_diag *diag);

/* Check the files of a directory against its manifest. `name` is its name in messages; `alone`:
 * refuse files that are not listed. Returns 0 or -1. */
int pxr_manifest_check(struct pxr_arena *arena, const char *folder, const char *name, bool alone,
                       struct pxr_diag *diag);

/* Write the listed files and the manifest to a new file, a gzipped tar with everything in the
 * directory `top`. The same files give the same bytes. Returns 0 or -1. */
int pxr_pack(const struct pxr_listed *list, const char *folder, const char *top, const char *path,
             struct pxr_diag *diag);

/* Unpack such a file into an existing directory, without `top`. A path that leads out of it, or
 * that occurs twice, is an error. Returns 0 or -1. */
int pxr_unpack(struct pxr_arena *arena, const char *path, const char *folder,
               struct pxr_diag *diag);

#endif
