/* SPDX-License-Identifier: MIT */
/* copy.c - copying a run with all that belongs to it from one database into another. */
#include "manage/copy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "manage/texts.h" /* made by the Makefile */
#include "record/cursor.h"
#include "record/folder.h"

/* --- files -------------------------------------------------------------------------------------
 */

static int add_path(struct pxr_copying *c, struct pxr_path **list, const char *path)
{
        struct pxr_path *added = pxr_alloc(c->arena, sizeof(*added));

        if (!added)
                return -1;
        *added = (struct pxr_path) { pxr_strdup(c->arena, path), *list };
        *list = added;
        return 0;
}

static bool has_hash(const char *path, const char *sha256)
{
        char hex[PXR_SHA256_HEX];

        return access(path, F_OK) == 0 && pxr_sha256_file(path, hex, NULL) == 0 &&
               strcmp(hex, sha256) == 0;
}

/* A staging directory beside the checkpoints, from which files need only be renamed. */
static int make_staging(struct pxr_copying *c)
{
        const char *all = pxr_beside_database(c->arena, c->into->path,
                                              pxr_checkpoints_folder(c->arena, c->into->path));
        const char *prefix = pxr_strf(c->arena, "%s/" PXR_IMPORT_PREFIX, all);

        if (pxr_arena_failed(c->arena))
                return -1;
        if (mkdir(all, 0777) != 0 && errno != EEXIST)
                return pxr_system_error(c->diag, "%s: cannot create directory: %s", all,
                                        strerror(errno));
        return pxr_staging_make(&c->staging, prefix, c->diag);
}

/* Copy a checkpoint file to the staging directory and check its hash. *staged is its path there;
 * NULL: it is missing, since a run at work may delete its old checkpoint at any time. */
static int stage(struct pxr_copying *c, const struct pxr_checkpoint_row *file, const char **staged)
{
        const char *from = pxr_beside_database(c->arena, c->from->path, file->path), *to;
        char hex[PXR_SHA256_HEX];

        *staged = NULL;
        if (!pxr_path_stays_below(file->path) || strlen(file->sha256) != PXR_SHA256_HEX - 1 ||
            strspn(file->sha256, "0123456789abcdef") != PXR_SHA256_HEX - 1)
                return pxr_user_error(c->diag, "%s: invalid path '%s' or hash of a checkpoint",
                                      c->from->path, file->path);
        if (c->staging.fd < 0) {
                if (access(from, F_OK) != 0)
                        return 0;
                if (make_staging(c))
                        return -1;
        }
        to = pxr_strf(c->arena, "%s/%s", c->staging.path, file->sha256);
        if (pxr_arena_failed(c->arena))
                return -1;
        if (access(to, F_OK) != 0) {
                if (pxr_file_duplicate(from, to, c->link, NULL)) {
                        if (access(from, F_OK) != 0)
                                return 0;
                        if (pxr_file_duplicate(from, to, c->link, c->diag))
                                return -1;
                }
                if (pxr_sha256_file(to, hex, c->diag))
                        return -1;
                if (strcmp(hex, file->sha256) != 0) {
                        unlink(to);
                        pxr_user_error(c->diag, "%s: SHA-256 does not match the record", from);
                        pxr_note(c->diag, "nothing was copied; restore the file and try again");
                        return -1;
                }
        }
        *staged = to;
        return 0;
}

static int make_folder(struct pxr_copying *c, const char *path)
{
        const char *parent = pxr_strndup(c->arena, path, (size_t)(strrchr(path, '/') - path));

        if ((access(parent, F_OK) != 0 && add_path(c, &c->created, parent)) ||
            (access(path, F_OK) != 0 && add_path(c, &c->created, path)))
                return -1;
        return pxr_make_run_folder(path, c->diag);
}

/* Give a staged file its name: that of its step, with the first digits of its hash if another file
 * has that name. Returns its path, relative to the database; NULL after an error. */
static const char *install(struct pxr_copying *c, const struct pxr_checkpoint_row *file,
                           const char *staged, const char *folder)
{
        const char *path =
                pxr_strf(c->arena, "%s/step-%08" PRId64 ".safetensors", folder, file->step);
        const char *to = pxr_beside_database(c->arena, c->into->path, path);

        if (access(to, F_OK) == 0 && !has_hash(to, file->sha256)) {
                path = pxr_strf(c->arena, "%s/step-%08" PRId64 "-%.8s.safetensors", folder,
                                file->step, file->sha256);
                to = pxr_beside_database(c->arena, c->into->path, path);
        }
        if (pxr_arena_failed(c->arena))
                return NULL;
        if (!has_hash(to, file->sha256) &&
            (make_folder(c, pxr_beside_database(c->arena, c->into->path, folder)) ||
             pxr_file_duplicate(staged, to, true, c->diag) || add_path(c, &c->created, to)))
                return NULL;
        return path;
}

/* The row of a checkpoint, which was copied as it is, gets the path of its file here. */
static int copy_checkpoint(struct pxr_copying *c, const struct pxr_checkpoint_row *file,
                           int64_t number, const char *folder)
{
        const char *staged, *path;

        if (stage(c, file, &staged))
                return -1;
        if (!staged && c->strict)
                return pxr_user_error(c->diag, "%s: checkpoint '%s' is missing", c->from->path,
                                      file->path);
        if (!staged) {
                pxr_warn(c->diag, "%s: checkpoint '%s' is missing and was skipped", c->from->path,
                         file->path);
                return pxr_store_execute(c->into, c->diag,
                                         "DELETE FROM checkpoint WHERE run = ? AND step = ?", "ii",
                                         number, file->step);
        }
        path = install(c, file, staged, folder);
        return path ? pxr_store_execute(
                              c->into, c->diag,
                              "UPDATE checkpoint SET path = ?3 WHERE run = ?1 AND step = ?2", "iit",
                              number, file->step, path)
                    : -1;
}

/* Copy each checkpoint of a run to `folder`, or only stage its file (NULL). */
static int copy_checkpoints(struct pxr_copying *c, int64_t run, int64_t number, const char *folder)
{
        struct pxr_cursor rows = pxr_query(c->into, c->arena, c->diag,
                                           "SELECT step, path, sha256 FROM source.checkpoint "
                                           "WHERE run = ? ORDER BY step",
                                           "i", run);
        const char *staged;
        int status = 0;

        while (!status && pxr_cursor_next(&rows)) {
                const struct pxr_checkpoint_row file = { .step = pxr_cursor_integer(&rows, 0),
                                                         .path = pxr_cursor_text(&rows, 1),
                                                         .sha256 = pxr_cursor_text(&rows, 2) };

                status = folder ? copy_checkpoint(c, &file, number, folder)
                                : stage(c, &file, &staged);
        }
        return pxr_cursor_end(&rows) || status ? -1 : 0;
}

int pxr_copy_prepare(struct pxr_copying *c, int64_t run)
{
        return copy_checkpoints(c, run, 0, NULL);
}

/* --- rows --------------------------------------------------------------------------------------
 */

/* Remember the files of a run whose record is about to be replaced. */
static int list_files(struct pxr_copying *c, int64_t number, const char *folder)
{
        struct pxr_cursor rows =
                pxr_query(c->into, c->arena, c->diag, "SELECT path FROM checkpoint WHERE run = ?",
                          "i", number);
        int status = 0;

        while (!status && pxr_cursor_next(&rows)) {
                const char *path = pxr_cursor_text(&rows, 0);

                if (pxr_is_own_checkpoint(path, folder))
                        status = add_path(c, &c->unneeded, path);
        }
        return pxr_cursor_end(&rows) || status ? -1 : 0;
}

static int copy_rows(struct pxr_copying *c, int64_t run, int64_t number, bool new)
{
        struct pxr_cursor rows = pxr_query(c->into, c->arena, c->diag, COPY_ROWS_SQL, "iii", run,
                                           number, (int64_t) new);
        int status = 0;

        while (!status && pxr_cursor_next(&rows))
                status = pxr_store_execute(c->into, c->diag, pxr_cursor_text(&rows, 0), "ii", run,
                                           number) ||
                         pxr_store_execute(c->into, c->diag, pxr_cursor_text(&rows, 1), "ii", run,
                                           number);
        return pxr_cursor_end(&rows) || status ? -1 : 0;
}

/* Copy the run's own row. */
static int copy_run(struct pxr_copying *c, int64_t run, const char *name, int64_t *number)
{
        struct pxr_cursor rows = pxr_query(c->into, c->arena, c->diag, COPY_RUN_SQL, "");
        const char *sql = pxr_cursor_next(&rows) ? pxr_cursor_text(&rows, 0) : "";
        int64_t wanted = *number;

        if (pxr_cursor_end(&rows))
                return -1;
        /* A number that was never used is kept; one made to use up all numbers is not. */
        if (!wanted &&
            pxr_store_integer(c->into, &wanted, c->diag,
                              "SELECT iif(?1 > ifnull(max(seq), 0) AND ?1 < 1 << 31, ?1, 0) "
                              "FROM main.sqlite_sequence WHERE name = 'run'",
                              "i", run))
                return -1;
        if (pxr_store_execute(c->into, c->diag, sql, "iit", run, wanted, name))
                return -1;
        if (!*number)
                *number = sqlite3_last_insert_rowid(c->into->handle);
        return 0;
}

int pxr_copy_run(struct pxr_copying *c, int64_t run, int64_t *number)
{
        struct pxr_cursor rows =
                pxr_query(c->into, c->arena, c->diag,
                          "SELECT uid, name FROM source.run WHERE id = ?", "i", run);
        const char *uid = pxr_cursor_next(&rows) ? pxr_cursor_text(&rows, 0) : "";
        const char *name = *uid ? pxr_cursor_text(&rows, 1) : "";
        const char *valid = pxr_run_name_mended(c->arena, name), *folder;
        bool new = *number == 0;

        if (pxr_cursor_end(&rows) || pxr_arena_failed(c->arena))
                return -1;
        if (!pxr_is_uid(uid))
                return pxr_user_error(c->diag, "%s: run %" PRId64 " has an invalid uid",
                                      c->from->path, run);
        if (strcmp(name, valid) != 0)
                pxr_warn(c->diag, "%s: run %" PRId64 " becomes '%s': its name '%s' %s",
                         c->from->path, run, valid, name, pxr_run_name_fault(name));
        if (copy_run(c, run, valid, number))
                return -1;
        folder = pxr_run_folder(c->arena, c->into->path, *number, uid);
        if (list_files(c, *number, folder) || copy_rows(c, run, *number, new))
                return -1;
        if (c->no_checkpoints)
                return pxr_store_execute(c->into, c->diag, "DELETE FROM checkpoint WHERE run = ?",
                                         "i", *number);
        return copy_checkpoints(c, run, *number, folder);
}

/* --- beginning and end -------------------------------------------------------------------------
 */

int pxr_copy_begin(struct pxr_copying *c)
{
        c->staging.fd = -1;
        return pxr_store_attach(c->into, c->from, c->diag);
}

void pxr_copy_undo(struct pxr_copying *c)
{
        for (; c->created; c->created = c->created->next)
                remove(c->created->path); /* a directory only when it is empty */
        c->unneeded = NULL;
}

void pxr_copy_keep(struct pxr_copying *c)
{
        for (; c->unneeded; c->unneeded = c->unneeded->next) {
                const char *full = pxr_beside_database(c->arena, c->into->path, c->unneeded->path);
                int64_t needed;

                if (!pxr_arena_failed(c->arena) &&
                    pxr_store_integer(c->into, &needed, NULL,
                                      "SELECT 1 FROM checkpoint WHERE path = ?", "t",
                                      c->unneeded->path) == 0 &&
                    !needed)
                        unlink(full);
        }
        c->created = NULL;
}

void pxr_copy_end(struct pxr_copying *c)
{
        pxr_store_detach(c->into);
        if (c->staging.fd < 0)
                return;
        pxr_staging_remove(&c->staging);
        rmdir(pxr_beside_database(c->arena, c->into->path, /* if it is empty */
                                  pxr_checkpoints_folder(c->arena, c->into->path)));
}
