/* SPDX-License-Identifier: MIT */
/*
 * copy.h - a run with all that belongs to it, from one database into another.
 *
 * pxr_copy_run() is to be called within a transaction on the database that is written. Files are
 * made as the rows are; when the transaction comes to nothing, pxr_copy_undo() takes them away
 * again. What takes long, copying files and comparing them with their hashes, can be done before
 * the transaction, which keeps others from writing.
 */
#ifndef PXR_MANAGE_COPY_H
#define PXR_MANAGE_COPY_H

#include <stdbool.h>

#include "base/staging.h"
#include "record/database.h"

struct pxr_made {
        const char *path; /* a file, or a folder */
        struct pxr_made *next;
};

struct pxr_copying {
        struct pxr_arena *arena;
        struct pxr_store *from, *into;
        bool link;                  /* files are to be links, where the file system can */
        bool strict;                /* a checkpoint without its file is an error, not a warning */
        struct pxr_made *made;      /* newest first */
        struct pxr_made *unneeded;  /* files of rows that were replaced; to go after the commit */
        struct pxr_staging staging; /* with files by their hashes; fd -1: there is none (yet) */
        struct pxr_diag *diag;
};

/* Have the files of a run ready. One that is missing is nothing to do with us yet. Returns 0 or
 * -1. */
int pxr_copy_prepare(struct pxr_copying *copying, int64_t run);

/* Copy run `run`; in the other database it becomes run *number. *number 0: a new run, which keeps
 * its number where that was never used. Else that run's record is replaced, but for the marks of
 * its user. Returns 0 or -1. */
int pxr_copy_run(struct pxr_copying *copying, int64_t run, int64_t *number);

void pxr_copy_undo(struct pxr_copying *copying);

/* After the commit: remove the files that no row names any more. */
void pxr_copy_done(struct pxr_copying *copying);

/* In any case, at the end. */
void pxr_copy_end(struct pxr_copying *copying);

#endif
