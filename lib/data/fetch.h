/* SPDX-License-Identifier: MIT */
/*
 * fetch.h - downloading official files.
 *
 * A file is downloaded to NAME.part and renamed once its SHA-256 is the official one. An existing
 * file is never touched. A NAME.part of an earlier run, or of a lost connection, is resumed by a
 * ranged request.
 */
#ifndef PXR_DATA_FETCH_H
#define PXR_DATA_FETCH_H

#include "base/progress.h"
#include "data/official.h"

struct pxr_fetch {
        const char *url;    /* of the folder on the web that holds the files */
        const char *folder; /* to put them in; created if missing */
        int retries;        /* after a lost connection */
        double pause;       /* seconds before the first retry; doubled up to 30 for later ones */
        int stall;          /* seconds below 1000 bytes/s after which a connection counts as lost */
        const struct pxr_observer *observer;
};

/* The two outcomes besides errors. */
enum { PXR_FETCHED = 0, PXR_FETCH_STOPPED = 1 };

/* Fetch one file. Returns PXR_FETCHED, also if the official file already exists;
 * PXR_FETCH_STOPPED when the observer stopped it, with what was fetched kept; or -1. */
int pxr_fetch_file(const struct pxr_fetch *fetch, const struct pxr_official_file *file,
                   struct pxr_diag *diag);

/* Fetch the files of a set, or of these the `count` whose names are given. A NULL fetch->url or
 * folder is the set's own. Returns as above. */
int pxr_fetch_set(const struct pxr_fetch *fetch, const struct pxr_data_format *set,
                  const char *const *names, size_t count, struct pxr_diag *diag);

#endif
