/* SPDX-License-Identifier: MIT */
/*
 * fetch.h - downloading official files.
 *
 * A file grows as NAME.part and takes its name only when its SHA-256 is the official one; a file
 * that has the name already is never touched. What is there of a NAME.part is gone on with, by a
 * ranged request; so it is when a connection is lost.
 */
#ifndef PXR_DATA_FETCH_H
#define PXR_DATA_FETCH_H

#include "base/progress.h"
#include "data/official.h"

struct pxr_fetch {
        const char *url;    /* of the folder on the web that holds the files */
        const char *folder; /* to put them in; made when it is not there */
        int retries;        /* how often a lost connection is taken up again */
        double pause;       /* seconds before the first retry; doubled up to 30 for later ones */
        int stall;          /* seconds below 1000 bytes/s after which a connection counts as lost */
        const struct pxr_observer *observer;
};

/* The two outcomes that are no error. */
enum { PXR_FETCHED = 0, PXR_FETCH_STOPPED = 1 };

/* Fetch one file. Returns PXR_FETCHED, also when the official file is there already;
 * PXR_FETCH_STOPPED when the observer stopped it, with what was fetched kept; or -1. */
int pxr_fetch_file(const struct pxr_fetch *fetch, const struct pxr_official_file *file,
                   struct pxr_diag *diag);

/* Fetch the files of a set, or of these the `count` whose names are given. A NULL fetch->url or
 * folder is the set's own. Returns as above. */
int pxr_fetch_set(const struct pxr_fetch *fetch, const struct pxr_data_format *set,
                  const char *const *names, size_t count, struct pxr_diag *diag);

#endif
