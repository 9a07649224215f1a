/* SPDX-License-Identifier: MIT */
/*
 * manifest.h - the list of an exported run's files with the SHA-256 of each, as `sha256sum -c`
 * reads it; and such a folder as an archive.
 */
#ifndef PXR_MANAGE_MANIFEST_H
#define PXR_MANAGE_MANIFEST_H

#include <stdbool.h>

#include <pxr/arena.h>

#include "base/hash.h"

#define PXR_MANIFEST "MANIFEST.sha256"

struct pxr_listed {
        const char *name; /* relative to the folder */
        char sha256[PXR_SHA256_HEX];
        struct pxr_listed *next;
};

/* Put a file of the folder on the list. Returns 0 or -1. */
int pxr_manifest_add(struct pxr_arena *arena, struct pxr_listed **list, const char *folder,
                     const char *name, struct pxr_diag *diag);

/* Write the list into the folder. Returns 0 or -1. */
int pxr_manifest_write(struct pxr_arena *arena, const struct pxr_listed *list, const char *folder,
                       struct pxr_diag *diag);

/* Are the files of a folder those of its manifest, to the bit? `name` is what it is called in
 * messages; `alone`: is there to be no other file? Returns 0 or -1. */
int pxr_manifest_check(struct pxr_arena *arena, const char *folder, const char *name, bool alone,
                       struct pxr_diag *diag);

/* Write the listed files and the manifest to a new file, a tar with gzip in which all lies in the
 * folder `top`. The same files give the same bytes. Returns 0 or -1. */
int pxr_pack(const struct pxr_listed *list, const char *folder, const char *top, const char *path,
             struct pxr_diag *diag);

/* Unpack such a file into an existing folder, but for `top`. A name that leads out of it, or that
 * is there twice, is an error. Returns 0 or -1. */
int pxr_unpack(struct pxr_arena *arena, const char *path, const char *folder,
               struct pxr_diag *diag);

#endif
