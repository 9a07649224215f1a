/* SPDX-License-Identifier: MIT */
/*
 * known.h - what is known of the paper's data sets: official files, their check sums, where they
 * are.
 */
#ifndef PXR_DATA_KNOWN_H
#define PXR_DATA_KNOWN_H

#include <stdint.h>

#include <pxr/arena.h>

struct pxr_known_file {
        const char *name; /* NULL ends a list */
        int64_t size;
        const char *sha256;
};

struct pxr_known_set {
        const char *name; /* of its format in a spec */
        const char *what;
        const char *url; /* of the folder on the web that has the files; NULL: none has any more */
        const char *source;                    /* where they come from, in words */
        const char *folder;                    /* where they are looked for, and fetched to */
        const struct pxr_known_file *files;    /* as distributed */
        const struct pxr_known_file *unpacked; /* what they hold; NULL where nothing is known */
};

/* NULL ends it. */
extern const struct pxr_known_set *const pxr_known_sets[];

/* The set of that name, or NULL after an error with the nearest name. */
const struct pxr_known_set *pxr_known_find(const char *name, struct pxr_diag *diag);

/* Is it the SHA-256 of an official file? */
bool pxr_known_sha256(const char *sha256);

/* Which release of downsampled ImageNet has so many images (0: not read), in words for the
 * transforms. The releases of 2016 and 2017 were downsampled differently, and numbers on one
 * cannot be compared with numbers on the other: a mixture is an error. Returns 1; 0 for other
 * numbers of images; or -1. */
int pxr_imagenet_release(struct pxr_arena *arena, int64_t train, int64_t valid, const char **words,
                         struct pxr_diag *diag);

#endif
