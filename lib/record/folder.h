/* SPDX-License-Identifier: MIT */
/*
 * folder.h - the folders of checkpoints: beside the database, one for each run.
 */
#ifndef PXR_RECORD_FOLDER_H
#define PXR_RECORD_FOLDER_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include <pxr/arena.h>

/* The file of a database: symbolic links are followed, since its log and its checkpoints are beside
 * the file. A name that is no file to SQLite (":memory:") is a user's error. Returns 0 or -1. */
int pxr_database_path(const char *name, char path[PATH_MAX], struct pxr_diag *diag);

/* The folder of all runs of a database, relative to the database's folder: its name with
 * ".checkpoints" in place of ".db". */
char *pxr_checkpoints_folder(struct pxr_arena *arena, const char *database);

/* A run's own folder in it. Its name has the number and the random id, since an earlier database of
 * that name may have had a run of that number. */
char *pxr_run_folder(struct pxr_arena *arena, const char *database, int64_t run, const char *uid);

/* A path relative to the database's folder, as one to open. */
char *pxr_beside_database(struct pxr_arena *arena, const char *database, const char *relative);

/* Whether a checkpoint's file is in a run's own folder, both relative to the database's. Files
 * elsewhere may be another database's: they are never removed. */
bool pxr_is_own_checkpoint(const char *relative, const char *folder);

/* Whether a run's folder, `path` to open, and its parent are folders. Symbolic links, which may
 * lead anywhere in files from elsewhere, are not. */
bool pxr_is_real_run_folder(const char *path);

/* The size of a checkpoint's file, whose path is relative to the database's folder; -1 if it is
 * missing, or out of memory. */
int64_t pxr_checkpoint_bytes(const char *database, const char *relative);

/* Make a run's folder, `path` to open, and the one it is in; neither may be a symbolic link.
 * Returns 0 or -1. */
int pxr_make_run_folder(const char *path, struct pxr_diag *diag);

/* The prefix of an import's temporary folders in the folder of all runs (base/staging.h). */
#define PXR_IMPORT_PREFIX "import-"

/* Whether a relative path stays below its folder: it has no empty name, "." or "..". */
bool pxr_path_stays_below(const char *path);

/* Whether a text has the form of a run's id. */
bool pxr_is_uid(const char *text);

#endif
