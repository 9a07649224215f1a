/* SPDX-License-Identifier: MIT */
/*
 * copy.h - copying a run with all that belongs to it from one database into another.
 *
 * After pxr_copy_begin(), which attaches the source as schema `source`, pxr_copy_run() is called
 * within a transaction of the target, once per run; then, after a commit, pxr_copy_keep(), or after
 * a rollback, pxr_copy_undo(). pxr_copy_prepare() may be called for the same runs before: copying
 * and hashing files takes long, and the transaction keeps others from writing.
 */
#ifndef PXR_MANAGE_COPY_H
#define PXR_MANAGE_COPY_H

#include <stdbool.h>

#include "base/staging.h"
#include "record/database.h"

struct pxr_path {
        const char *path; /* of a file or a directory */
        struct pxr_path *next;
};

struct pxr_copying {
        struct pxr_arena *arena;
        struct pxr_store *from, *into;
        bool link;                  /* make hard links to files where the file system can */
        bool strict;                /* a missing checkpoint file is an error, not a warning */
        bool no_checkpoints;        /* leave checkpoints out, files and rows */
        struct pxr_path *created;   /* newest first */
        struct pxr_path *unneeded;  /* files of replaced rows */
        struct pxr_staging staging; /* checked files, named by their hash; fd -1: none yet */
        struct pxr_diag *diag;
};

/* Begin with the fields up to `no_checkpoints`, and `diag`. pxr_copy_end() follows, also after an
 * error. Returns 0 or -1. */
int pxr_copy_begin(struct pxr_copying *copying);

/* Copy and check the checkpoint files of a run; missing ones are skipped. Returns 0 or -1. */
int pxr_copy_prepare(struct pxr_copying *copying, int64_t run);

/* Copy run `run`, which becomes run *number. For *number 0 it is a new run, which keeps its number
 * if that was never used. Otherwise that run's record is replaced, except for its tags, note and
 * archiving. Returns 0 or -1. */
int pxr_copy_run(struct pxr_copying *copying, int64_t run, int64_t *number);

/* Remove the files that were created, or those that no row names any longer. */
void pxr_copy_undo(struct pxr_copying *copying);
void pxr_copy_keep(struct pxr_copying *copying);

/* Always called last. */
void pxr_copy_end(struct pxr_copying *copying);

#endif
