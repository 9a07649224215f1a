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
#include "record/cursor.h"
#include "record/folder.h"

/* --- rows --------------------------------------------------------------------------------------
 */

/* A column that gets another value. Without text, 0 is NULL. */
struct change {
        const char *column, *text;
        int64_t integer;
};

static int bind(sqlite3_stmt *to, sqlite3_stmt *row, int i, const struct change *changes)
{
        for (const struct change *change = changes; change->column; change++)
                if (strcmp(change->column, sqlite3_column_name(row, i)) == 0)
                        return change->text      ? sqlite3_bind_text(to, i + 1, change->text, -1,
                                                                     SQLITE_TRANSIENT)
                               : change->integer ? sqlite3_bind_int64(to, i + 1, change->integer)
                                                 : sqlite3_bind_null(to, i + 1);
        return sqlite3_bind_value(to, i + 1, sqlite3_column_value(row, i));
}

/* An INSERT of all columns of `row`. An existing run is updated, but not the columns of its user.
 */
static char *insertion(struct pxr_arena *arena, const char *table, sqlite3_stmt *row)
{
        char *names = pxr_strdup(arena, ""), *values = names, *updates = names;
        bool run = strcmp(table, "run") == 0;

        for (int i = 0; i < sqlite3_column_count(row); i++) {
                const char *name = sqlite3_column_name(row, i), *comma = i ? ", " : "";

                names = pxr_strf(arena, "%s%s\"%s\"", names, comma, name);
                values = pxr_strf(arena, "%s%s?", values, comma);
                if (strcmp(name, "archived_at") != 0 && strcmp(name, "note") != 0)
                        updates = pxr_strf(arena, "%s%s\"%s\" = excluded.\"%s\"", updates, comma,
                                           name, name);
        }
        return pxr_strf(arena, "INSERT INTO %s (%s) VALUES (%s)%s%s", table, names, values,
                        run ? " ON CONFLICT (id) DO UPDATE SET " : "", run ? updates : "");
}

/* Copy the rows of a table that meet a condition, in the order of their ids. */
static int copy_rows(struct pxr_copying *c, const char *table, const char *condition,
                     const struct change *changes)
{
        struct pxr_cursor row = pxr_query(c->from, NULL, c->diag,
                                          pxr_strf(c->arena, "SELECT * FROM %s WHERE %s ORDER BY 1",
                                                   table, condition),
                                          ""),
                          insert;
        int status = SQLITE_OK;

        if (pxr_cursor_failed(&row))
                return pxr_cursor_end(&row);
        insert = pxr_query(c->into, NULL, c->diag, insertion(c->arena, table, row.statement), "");
        while (status == SQLITE_OK && !pxr_cursor_failed(&insert) && pxr_cursor_next(&row)) {
                status = sqlite3_reset(insert.statement);
                for (int i = 0; status == SQLITE_OK && i < sqlite3_column_count(row.statement); i++)
                        status = bind(insert.statement, row.statement, i, changes);
                if (status == SQLITE_OK)
                        pxr_cursor_next(&insert);
                else
                        pxr_store_failed(c->into, c->diag);
        }
        return (pxr_cursor_end(&insert) | pxr_cursor_end(&row)) || status != SQLITE_OK ? -1 : 0;
}

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

/* A checkpoint on record. */
struct file {
        int64_t step;
        const char *path, *sha256;
};

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
static int stage(struct pxr_copying *c, const struct file *file, const char **staged)
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
static const char *place(struct pxr_copying *c, const struct file *file, const char *staged,
                         const char *folder)
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

static int copy_checkpoint(struct pxr_copying *c, const struct file *file, int64_t run,
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
                return 0;
        }
        path = place(c, file, staged, folder);
        if (!path)
                return -1;
        const struct change changes[] = { { "run", NULL, number }, { "path", path, 0 }, { 0 } };
        return copy_rows(
                c, "checkpoint",
                pxr_strf(c->arena, "run = %" PRId64 " AND step = %" PRId64, run, file->step),
                changes);
}

/* Copy each checkpoint of a run to `folder`, or only stage its file (NULL). */
static int copy_checkpoints(struct pxr_copying *c, int64_t run, int64_t number, const char *folder)
{
        struct pxr_cursor rows = pxr_query(c->from, c->arena, c->diag,
                                           "SELECT step, path, sha256 FROM checkpoint WHERE run = "
                                           "? ORDER BY step",
                                           "i", run);
        const char *staged;
        int status = 0;

        while (!status && pxr_cursor_next(&rows)) {
                const struct file file = { pxr_cursor_integer(&rows, 0), pxr_cursor_text(&rows, 1),
                                           pxr_cursor_text(&rows, 2) };

                status = folder ? copy_checkpoint(c, &file, run, number, folder)
                                : stage(c, &file, &staged);
        }
        return pxr_cursor_end(&rows) || status ? -1 : 0;
}

int pxr_copy_prepare(struct pxr_copying *c, int64_t run)
{
        return copy_checkpoints(c, run, 0, NULL);
}

/* --- runs --------------------------------------------------------------------------------------
 */

/* The tables of what belongs to a run. */
static const char *const tables[] = { "data_file", "plugin", "layer",      "metric", "nll_map",
                                      "sample",    "event",  "checkpoint", "tag" };

enum { COPIED = PXR_COUNT(tables) - 2 /* checkpoint and tag */, CLEARED = COPIED + 1 };

/* Remove what belongs to run `number`, except for its tags. */
static int clear(struct pxr_copying *c, int64_t number, const char *uid)
{
        const char *folder = pxr_run_folder(c->arena, c->into->path, number, uid);
        struct pxr_checkpoint_row *row;

        if (pxr_store_checkpoints(c->into, c->arena, number, &row, c->diag))
                return -1;
        for (; row; row = row->next)
                if (pxr_is_own_checkpoint(row->path, folder) &&
                    add_path(c, &c->unneeded, row->path))
                        return -1;
        for (int i = 0; i < CLEARED; i++)
                if (pxr_store_execute(c->into, c->diag,
                                      pxr_strf(c->arena, "DELETE FROM %s WHERE run = ?", tables[i]),
                                      "i", number))
                        return -1;
        return 0;
}

/* Copy the run's own row. */
static int copy_run(struct pxr_copying *c, int64_t run, const char *name, int64_t *number)
{
        int64_t highest, wanted = *number;

        /* The highest number there ever was: a deleted run may be remembered by its number. */
        if (!wanted && pxr_store_integer(c->into, &highest, c->diag,
                                         "SELECT seq FROM sqlite_sequence WHERE name = 'run'", ""))
                return -1;
        if (!wanted && run > highest)
                wanted = run;
        const struct change changes[] = { { "id", NULL, wanted }, { "name", name, 0 }, { 0 } };
        if (copy_rows(c, "run", pxr_strf(c->arena, "id = %" PRId64, run), changes))
                return -1;
        if (!*number)
                *number = sqlite3_last_insert_rowid(c->into->handle);
        return 0;
}

int pxr_copy_run(struct pxr_copying *c, int64_t run, int64_t *number)
{
        struct pxr_cursor rows = pxr_query(c->from, c->arena, c->diag,
                                           "SELECT uid, name FROM run WHERE id = ?", "i", run);
        const char *uid = pxr_cursor_next(&rows) ? pxr_cursor_text(&rows, 0) : "";
        const char *name = *uid ? pxr_cursor_text(&rows, 1) : "";
        const char *valid = pxr_run_name_mended(c->arena, name);
        bool new = *number == 0;

        if (pxr_cursor_end(&rows) || pxr_arena_failed(c->arena))
                return -1;
        if (!pxr_is_uid(uid))
                return pxr_user_error(c->diag, "%s: run %" PRId64 " has an invalid uid",
                                      c->from->path, run);
        if (strcmp(name, valid) != 0)
                pxr_warn(c->diag, "%s: run %" PRId64 " becomes '%s': its name '%s' %s",
                         c->from->path, run, valid, name, pxr_run_name_fault(name));
        if ((!new &&clear(c, *number, uid)) || copy_run(c, run, valid, number))
                return -1;
        const struct change changes[] = { { "run", NULL, *number }, { "id", NULL, 0 }, { 0 } };
        const char *condition = pxr_strf(c->arena, "run = %" PRId64, run);
        for (int i = 0; i < COPIED; i++)
                if (copy_rows(c, tables[i], condition, changes))
                        return -1;
        if (new &&copy_rows(c, "tag", condition, changes))
                return -1;
        return copy_checkpoints(c, run, *number,
                                pxr_run_folder(c->arena, c->into->path, *number, uid));
}

/* --- the end -----------------------------------------------------------------------------------
 */

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
        if (c->staging.fd < 0)
                return;
        pxr_staging_remove(&c->staging);
        rmdir(pxr_beside_database(c->arena, c->into->path, /* if it is empty */
                                  pxr_checkpoints_folder(c->arena, c->into->path)));
}
