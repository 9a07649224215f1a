/* SPDX-License-Identifier: MIT */
/*
 * keeping.h - looking after the runs on record: putting databases together, taking runs elsewhere,
 * marking them, and clearing away what nobody needs.
 *
 * What lib/report reads, this room changes. Each function gives a table of what it did, as
 * report/table.h has it, or NULL after an error, with database and files as they were. A RUN is
 * what pxr_store_find_run() takes.
 */
#ifndef PXR_MANAGE_MANAGE_H
#define PXR_MANAGE_MANAGE_H

#include "report/table.h"
#include "record/database.h"

/* The words after a command: names of runs, of files, tags. */
struct pxr_words {
        const char *const *word;
        size_t count;
};

/* --- merge.c, export.c, import.c ---------------------------------------------------------------
 */

/* Put the runs of the databases `from` into `into`, which is made if it is not there, each database
 * in one transaction.
 *
 * A run is known by its uid, when it was started and its spec. Its number stays where that was
 * never used; everything that belongs to a run goes with it, its checkpoints as files (hard links
 * where the file system can), compared with their SHA-256 on record. Of a run that both have, the
 * longer record is kept: the finished one, or the one of more steps; its tags, note and archiving
 * stay as they are in `into`. One that is at work is taken as it is so far. Sweeps of one name and
 * search become one, their jobs known by their spec. */
struct pxr_table *pxr_merge(struct pxr_arena *arena, const char *into, const struct pxr_words *from,
                            struct pxr_diag *diag);

/* Write a run to a new folder `out`, or a file of that name where it ends with ".tar.gz": its spec,
 * metrics, pictures and checkpoints, and a database of that run alone; and a manifest with the
 * SHA-256 of each. */
struct pxr_table *pxr_export(struct pxr_arena *arena, struct pxr_store *store, const char *which,
                             const char *out, struct pxr_diag *diag);

/* Take in what pxr_export() wrote, if it is what its manifest says: a merge of its database. */
struct pxr_table *pxr_import(struct pxr_arena *arena, const char *into,
                             const struct pxr_words *from, struct pxr_diag *diag);

/* --- mark.c ------------------------------------------------------------------------------------
 */

/* Give a run tags, or take them away; without any, only list those it has. */
struct pxr_table *pxr_tag_run(struct pxr_arena *arena, struct pxr_store *store, const char *which,
                              const struct pxr_words *tags, bool away, struct pxr_diag *diag);

/* All tags, and how many runs have each. */
struct pxr_table *pxr_list_tags(struct pxr_arena *arena, struct pxr_store *store,
                                struct pxr_diag *diag);

/* A run's note: NULL leaves it as it is, "" takes it away. */
struct pxr_table *pxr_note_run(struct pxr_arena *arena, struct pxr_store *store, const char *which,
                               const char *note, struct pxr_diag *diag);

/* Leave runs out of lists and tables, or only list which ones that would be; have them back.
 * Nothing of them is lost. */
enum pxr_archiving { PXR_ARCHIVE_LIST, PXR_ARCHIVE, PXR_UNARCHIVE };
struct pxr_table *pxr_archive_runs(struct pxr_arena *arena, struct pxr_store *store,
                                   const struct pxr_words *runs, enum pxr_archiving what,
                                   struct pxr_diag *diag);

/* --- delete.c, gc.c ----------------------------------------------------------------------------
 */

/* What would be lost with these runs, or is: with `carry_out` they are gone. Runs at work and runs
 * that others refer to are refused unless `force`. */
struct pxr_table *pxr_delete_runs(struct pxr_arena *arena, struct pxr_store *store,
                                  const struct pxr_words *runs, bool force, bool carry_out,
                                  struct pxr_diag *diag);

/* What lies beside the database without need: files of checkpoints that are not on record, and what
 * was left half-written. Only what pxr itself writes is looked at, and nothing of a run at work. */
struct pxr_gc_wanted {
        bool old;       /* checkpoints of finished runs, too, but for the best and the last */
        bool missing;   /* forget checkpoints on record whose files are gone */
        bool carry_out; /* else only tell */
};
struct pxr_table *pxr_gc(struct pxr_arena *arena, struct pxr_store *store,
                         const struct pxr_gc_wanted *wanted, struct pxr_diag *diag);

#endif
