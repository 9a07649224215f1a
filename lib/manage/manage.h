/* SPDX-License-Identifier: MIT */
/*
 * manage.h - managing the runs on record: merging databases, exporting and importing runs, tagging,
 * archiving and deleting them, and removing files that nobody needs.
 *
 * Each function returns a table of what it did (report/table.h), or NULL after an error, with the
 * database and files unchanged. `which` is what pxr_store_find_run() takes.
 */
#ifndef PXR_MANAGE_MANAGE_H
#define PXR_MANAGE_MANAGE_H

#include "base/text.h"
#include "record/database.h"
#include "report/table.h"

/* --- merge.c, export.c, import.c ---------------------------------------------------------------
 */

/* Merge the databases `from` into `into`, which is created if it does not exist, each database in
 * one transaction.
 *
 * A run is identified by its uid, its start and its spec. It keeps its number if that was never
 * used. All that belongs to it is copied, its checkpoint files as hard links where possible, after
 * their SHA-256 was checked. Of a run that both databases have, the record that goes further is
 * kept: the finished one, or the one of more steps; its tags, note and archiving in `into` do not
 * change. A run at work is copied as it is. Sweeps of the same name and search are merged, their
 * jobs identified by their spec.
 *
 * For an import, `names` (else NULL) has what each database was exported to, for the table; then a
 * missing checkpoint is an error, and files are copied rather than linked. */
struct pxr_table *pxr_merge(struct pxr_arena *arena, const char *into,
                            const struct pxr_arguments *from, const char *const *names,
                            struct pxr_diag *diag);

struct pxr_exporting {
        const char *out;     /* a new directory, or a file if the name ends in ".tar.gz" */
        bool no_checkpoints; /* only their size and SHA-256, in README.txt */
        bool anonymous;      /* without host, folders and command line */
};

/* Write a run: its spec, metrics, pictures and checkpoints, a database of that run alone, and a
 * manifest with the SHA-256 of each. */
struct pxr_table *pxr_export(struct pxr_arena *arena, struct pxr_store *store, const char *which,
                             struct pxr_exporting how, struct pxr_diag *diag);

/* Check what pxr_export() wrote against its manifest, and merge its database. */
struct pxr_table *pxr_import(struct pxr_arena *arena, const char *into,
                             const struct pxr_arguments *from, struct pxr_diag *diag);

/* --- annotate.c --------------------------------------------------------------------------------
 */

/* Add tags to a run, or remove them; without any, show those it has. */
struct pxr_table *pxr_tag_run(struct pxr_arena *arena, struct pxr_store *store, const char *which,
                              const struct pxr_arguments *tags, bool remove, struct pxr_diag *diag);

/* All tags, and how many runs have each. */
struct pxr_table *pxr_list_tags(struct pxr_arena *arena, struct pxr_store *store,
                                struct pxr_diag *diag);

/* Set a run's note; "" removes it, NULL shows it. */
struct pxr_table *pxr_note_run(struct pxr_arena *arena, struct pxr_store *store, const char *which,
                               const char *note, struct pxr_diag *diag);

/* Leave runs out of lists and tables, or list which ones that would be, or include them again.
 * Nothing of them is deleted. */
enum pxr_archiving { PXR_ARCHIVE_LIST, PXR_ARCHIVE, PXR_UNARCHIVE };
struct pxr_table *pxr_archive_runs(struct pxr_arena *arena, struct pxr_store *store,
                                   const struct pxr_arguments *runs, enum pxr_archiving what,
                                   struct pxr_diag *diag);

/* --- delete.c, gc.c ----------------------------------------------------------------------------
 */

/* Delete runs with their checkpoints, or (without `carry_out`) list what would be deleted. Runs at
 * work and runs that others refer to are refused unless `force`. */
struct pxr_table *pxr_delete_runs(struct pxr_arena *arena, struct pxr_store *store,
                                  const struct pxr_arguments *runs, bool force, bool carry_out,
                                  struct pxr_diag *diag);

/* Remove what nobody needs beside the database: checkpoint files that are not on record, and
 * incomplete files. Only files with names that pxr gives are considered, and none of a run at work.
 */
struct pxr_gc_options {
        bool old;       /* also checkpoints of finished runs, except the best and the last */
        bool missing;   /* delete the record of checkpoints whose files are missing */
        bool carry_out; /* else only list them */
};
struct pxr_table *pxr_gc(struct pxr_arena *arena, struct pxr_store *store,
                         const struct pxr_gc_options *options, struct pxr_diag *diag);

#endif
