/* SPDX-License-Identifier: MIT */
/*
 * statement.h - an open database, and SQLite's errors as ours; its statements are in cursor.h.
 */
#ifndef PXR_RECORD_STATEMENT_H
#define PXR_RECORD_STATEMENT_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <pxr/arena.h>
#include <pxr/diag.h>

struct pxr_store {
        sqlite3 *handle;
        char *path;       /* of the file itself: symbolic links are resolved */
        dev_t device;     /* the file that was opened there */
        ino_t inode, log; /* log: at the last commit, 0: none */
        int patience;     /* milliseconds to wait for a lock of another program */
        bool creates;     /* it was to be created if it does not exist */
        int64_t claimed;  /* the run that this process claimed last; 0: none */
        int64_t claim;    /* run.resumes at that time */
        double since;     /* pxr_cpu_now() at the start of the current statement */
};

/* Stop statements that take more processor time than any report does: rows of a file from elsewhere
 * can make a recursive view endless. Opening a database calls it: call it again after another
 * progress handler. */
void pxr_store_limit_time(struct pxr_store *store);

/* Record what went wrong last, as one clear message. Returns -1. */
int pxr_store_failed(struct pxr_store *store, struct pxr_diag *diag);

/* Record that the database is corrupt. Returns -1. */
int pxr_store_corrupt(const struct pxr_store *store, const char *how, struct pxr_diag *diag);

#endif
