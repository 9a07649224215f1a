/* SPDX-License-Identifier: MIT */
/*
 * statement.h - running SQL with its arguments bound, and SQLite's errors as ours.
 *
 * Arguments are bound by a format: t a text, i an int64_t, d a double (NAN is NULL), b a blob and
 * its size_t. For the files of store/ and report/.
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
        char *path;          /* of the file itself: symbolic links are resolved */
        dev_t device;        /* the file that was opened there */
        ino_t inode, log;    /* log: at the last commit, 0: none */
        int64_t held, taken; /* the run this process records last took up, and its run.taken then */
        double since;        /* pxr_cpu_now() when the statement at hand was begun */
};

/* Stop statements, begun by pxr_store_query() or pxr_store_execute(), that take more processor time
 * than any report does: what a file from elsewhere has on record can make a recursive view endless.
 * So it is from the opening on. */
void pxr_store_limit_time(struct pxr_store *store);

/* Record what went wrong last, as one clear message. Returns -1. */
int pxr_store_failed(struct pxr_store *store, struct pxr_diag *diag);

/* A statement with its arguments bound, or NULL after an error. */
sqlite3_stmt *pxr_store_query(struct pxr_store *store, struct pxr_diag *diag, const char *sql,
                              const char *format, ...);

/* Run a statement whose rows do not matter. Returns 0 or -1. */
int pxr_store_execute(struct pxr_store *store, struct pxr_diag *diag, const char *sql,
                      const char *format, ...);

/* The first value of a statement without arguments. Returns 0 or -1. */
int pxr_store_number(struct pxr_store *store, const char *sql, int *value, struct pxr_diag *diag);

/* A column of the row at hand. Its text is copied, NULL for NULL; `*short_of` becomes true when
 * memory is out. pxr_store_text() is for what has a text in every database that pxr makes: it gives
 * "" for NULL, which others may have put there. A number is NAN for NULL. */
const char *pxr_store_optional(sqlite3_stmt *statement, int column, struct pxr_arena *arena,
                               bool *short_of);
const char *pxr_store_text(sqlite3_stmt *statement, int column, struct pxr_arena *arena,
                           bool *short_of);
double pxr_store_real(sqlite3_stmt *statement, int column);

#endif
