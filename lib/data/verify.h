/* SPDX-License-Identifier: MIT */
/*
 * verify.h - comparing files with the official ones.
 */
#ifndef PXR_DATA_VERIFY_H
#define PXR_DATA_VERIFY_H

#include "base/hash.h"
#include "data/known.h"
#include "data/watch.h"

enum pxr_verdict {
        PXR_OFFICIAL,     /* byte by byte, or its content is */
        PXR_NOT_OFFICIAL, /* another file, or a part of it */
        PXR_DAMAGED,      /* cannot be read to its end, or of the right size with other content */
        PXR_MISSING,
};

/* "official", "not official", "damaged", "missing". */
extern const char *const pxr_verdict_names[];

/* What pxr_verify() returns when its watcher stops it. */
enum { PXR_VERIFY_STOPPED = -2 };

struct pxr_verified {
        const char *path; /* of the file, or where it was looked for */
        enum pxr_verdict verdict;
        const char *words; /* what there is to say about it */
        int64_t size;
        char sha256[PXR_SHA256_HEX]; /* of the bytes on disk; "" where they could not be read */
};

/* Compare the files of a set in the folder `path` (or the one file `path`) with the official ones,
 * reporting each. Of several forms in which a set can lie there, the one that was found counts.
 * Returns how many are not official, or -1 after an error;
 * when the watcher stops it, that is PXR_VERIFY_STOPPED. */
int pxr_verify(const struct pxr_known_set *set, const char *path,
               const struct pxr_data_watcher *watcher,
               void (*report)(void *context, const struct pxr_verified *file), void *context,
               struct pxr_diag *diag);

/* How many of the set's official files the folder holds, by their names alone, and of how many;
 * in the form that pxr_verify() would look at. */
int pxr_known_present(const struct pxr_known_set *set, const char *folder, int *all);

#endif
