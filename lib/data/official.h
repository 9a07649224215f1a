/* SPDX-License-Identifier: MIT */
/*
 * official.h - comparing the files of a data set with those that its authors distribute.
 */
#ifndef PXR_DATA_OFFICIAL_H
#define PXR_DATA_OFFICIAL_H

#include "base/hash.h"
#include "base/progress.h"
#include "data/format.h"

/* The data set `name`, which has official files; NULL after an error. */
const struct pxr_data_format *pxr_official_find(const char *name, struct pxr_diag *diag);

/* The folder in which a set is expected, and to which its files are fetched. */
const char *pxr_official_folder(const struct pxr_data_format *format);

/* The official file of that name, as distributed or unpacked; NULL: the set has none. */
const struct pxr_official_file *pxr_official_file(const struct pxr_data_format *format,
                                                  const char *name);

/* Whether this is the SHA-256 of an official file. */
bool pxr_official_sha256(const char *sha256);

enum pxr_verdict {
        PXR_OFFICIAL,     /* these bytes, or the same content compressed in another way */
        PXR_NOT_OFFICIAL, /* another file, or a part of it */
        PXR_DAMAGED,      /* unreadable, or of the right size with other content */
        PXR_MISSING,
};

/* "official", "not official", "damaged", "missing". */
extern const char *const pxr_verdict_names[];

/* What pxr_verify() returns when its observer stops it. */
enum { PXR_VERIFY_STOPPED = -2 };

struct pxr_verified {
        const char *path; /* of the file, or where it was expected */
        enum pxr_verdict verdict;
        char text[256]; /* an explanation; "" where the verdict says it all */
        int64_t size;
        char sha256[PXR_SHA256_HEX]; /* of the bytes on disk; "" where they could not be read */
};

/* Compare the files of a set in the folder `path` (or the one file `path`) with the official ones,
 * and report each. If the folder holds only the unpacked form, that form is compared. Returns the
 * number of files that are not official, PXR_VERIFY_STOPPED, or -1 after an error. */
int pxr_verify(const struct pxr_data_format *set, const char *path,
               const struct pxr_observer *observer,
               void (*report)(void *context, const struct pxr_verified *file), void *context,
               struct pxr_diag *diag);

/* How many of the *all official files the folder holds, judged by their names alone; in the form
 * that pxr_verify() would compare. */
int pxr_official_present(const struct pxr_data_format *set, const char *folder, int *all);

#endif
