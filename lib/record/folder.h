/* SPDX-License-Identifier: MIT */
/*
 * folder.h - where checkpoints lie: in folders beside the database, one a run.
 */
#ifndef PXR_RECORD_FOLDER_H
#define PXR_RECORD_FOLDER_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include <pxr/arena.h>

/* Where the database of this name lies: behind symbolic links, since its log and its checkpoints
 * lie beside the file. A name that SQLite would not take for a file's is a user's error. Returns 0
 * or -1. */
int pxr_database_path(const char *name, char path[PATH_MAX], struct pxr_diag *diag);

/* The folder of all runs of a database, relative to the database's own: its name without ".db" and
 * with ".checkpoints". NULL when memory is out, as below. */
char *pxr_checkpoints_folder(struct pxr_arena *arena, const char *database);

/* A run's own folder in it: its number and its random id, for another database may have had that
 * name and a run of that number before. */
char *pxr_run_folder(struct pxr_arena *arena, const char *database, int64_t run, const char *uid);

/* A path relative to the database's folder, as one to open. */
char *pxr_beside_database(struct pxr_arena *arena, const char *database, const char *relative);

/* Does a checkpoint's file lie in a run's own folder, both relative to the database's? Where it
 * does not, it is another database's, or what somebody else named: it is not for us to remove. */
bool pxr_is_own_checkpoint(const char *relative, const char *folder);

/* Are a run's folder, `path` to open, and the one it is in folders, and not symbolic links, which
 * in what comes from elsewhere may lead anywhere? */
bool pxr_is_real_run_folder(const char *path);

/* The bytes of a checkpoint's file, whose path is relative to the database's folder; -1 where it is
 * missing (or memory is out). */
int64_t pxr_checkpoint_bytes(const char *database, const char *relative);

/* Make a run's folder, `path` to open, and the one it is in; neither may be a symbolic link.
 * Returns 0 or -1. */
int pxr_make_run_folder(const char *path, struct pxr_diag *diag);

/* What an import puts together in the folder of all runs begins with this (base/staging.h). */
#define PXR_IMPORT_PREFIX "import-"

/* Does a path stay below the folder that it is relative to? No empty name, "." or ".." in it. */
bool pxr_path_stays_below(const char *path);

/* Is this what a run's id looks like? */
bool pxr_is_uid(const char *text);

#endif
