/* SPDX-License-Identifier: MIT */
/* copy.c - a run with all that belongs to it, from one database into another. */
#include "manage/copy.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "record/folder.h"
#include "record/cursor.h"

/* --- rows --------------------------------------------------------------------------------------
 */

/* A column of the copy that does not have the value it was read with. */
struct instead {
        const char *column;
        int64_t value; /* 0: NULL, so that the database makes one up */
};

static const struct instead *find_instead(const struct instead *instead, const char *column)
{
        for (; instead->column; instead++)
                if (strcmp(instead->column, column) == 0)
                        return instead;
        return NULL;
}

/* "INSERT INTO table (columns) VALUES (?, ...)" for the columns that `row` has. */
static char *insertion(struct pxr_copying *c, const char *table, sqlite3_stmt *row)
{
        char *names = pxr_strdup(c->arena, ""), *marks = pxr_strdup(c->arena, "");

        for (int i = 0; i < sqlite3_column_count(row); i++) {
                names = pxr_strf(c->arena, "%s%s\"%s\"", names, i ? ", " : "",
                                 sqlite3_column_name(row, i));
                marks = pxr_strf(c->arena, "%s%s?", marks, i ? ", " : "");
        }
        return pxr_strf(c->arena, "INSERT INTO %s (%s) VALUES (%s)", table, names, marks);
}

static int insert_row(struct pxr_copying *c, sqlite3_stmt *row, struct pxr_cursor *insert,
                      const struct instead *instead)
{
        sqlite3_stmt *to = insert->statement;
        int status = sqlite3_reset(to);

        for (int i = 0; status == SQLITE_OK && i < sqlite3_column_count(row); i++) {
                const struct instead *other = find_instead(instead, sqlite3_column_name(row, i));

                status = !other ? sqlite3_bind_value(to, i + 1, sqlite3_column_value(row, i))
                         : other->value ? sqlite3_bind_int64(to, i + 1, other->value)
                                        : sqlite3_bind_null(to, i + 1);
        }
        if (status != SQLITE_OK)
                return pxr_store_failed(c->into, c->diag);
        pxr_cursor_next(insert);
        return pxr_cursor_failed(insert) ? -1 : 0;
}

/* Copy what `select` gives for run `run`. */
static int copy_rows(struct pxr_copying *c, const char *table, const char *select, int64_t run,
                     const struct instead *instead)
{
        struct pxr_cursor row = pxr_query(c->from, NULL, c->diag, select, "i", run), insert;
        int status = 0;

        if (pxr_cursor_failed(&row))
                return -1;
        insert = pxr_query(c->into, NULL, c->diag, insertion(c, table, row.statement), "");
        while (!status && insert.statement && pxr_cursor_next(&row))
                status = insert_row(c, row.statement, &insert, instead);
        if (pxr_cursor_end(&insert))
                status = -1;
        return pxr_cursor_end(&row) || status ? -1 : 0;
}

/* --- files -------------------------------------------------------------------------------------
 */

static int remember(struct pxr_copying *c, struct pxr_made **list, const char *path)
{
        struct pxr_made *made = pxr_alloc(c->arena, sizeof(*made));

        if (!made || !(made->path = pxr_strdup(c->arena, path)))
                return pxr_out_of_memory(c->diag);
        made->next = *list;
        *list = made;
        return 0;
}

/* A new file must hold what is on record. */
static int check_file(struct pxr_copying *c, const char *from, const char *path, const char *sha256)
{
        char hex[PXR_SHA256_HEX];

        if (pxr_sha256_file(path, hex, c->diag))
                return -1;
        if (strcmp(hex, sha256) == 0)
                return 0;
        pxr_user_error(c->diag,
                       "%s: it is not what was saved: its SHA-256 differs from the one on record",
                       from);
        pxr_note(c->diag, "put the file back as it was; nothing was taken over");
        return -1;
}

/* Does the file hold this already? */
static bool holds(const char *path, const char *sha256)
{
        char hex[PXR_SHA256_HEX];

        return access(path, F_OK) == 0 && pxr_sha256_file(path, hex, NULL) == 0 &&
               strcmp(hex, sha256) == 0;
}

/* The path that a checkpoint gets, relative to the database: of its step, and with the first digits
 * of its hash where another file has that name. */
static char *new_path(struct pxr_copying *c, const char *folder, int64_t step, const char *sha256)
{
        char *plain = pxr_strf(c->arena, "%s/step-%08" PRId64 ".safetensors", folder, step);
        char *full = plain ? pxr_beside_database(c->arena, c->into->path, plain) : NULL;

        if (!full || access(full, F_OK) != 0 || holds(full, sha256))
                return full ? plain : NULL;
        return pxr_strf(c->arena, "%s/step-%08" PRId64 "-%.8s.safetensors", folder, step, sha256);
}

static int make_folder(struct pxr_copying *c, const char *path)
{
        char parent[PATH_MAX];
        const char *slash = strrchr(path, '/');

        snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
        if (access(parent, F_OK) != 0 && remember(c, &c->made, parent))
                return -1;
        if (access(path, F_OK) != 0 && remember(c, &c->made, path))
                return -1;
        return pxr_make_run_folder(path, c->diag);
}

/* A file that was made ready before, which has been compared; NULL: there is none. */
static char *ready_file(struct pxr_copying *c, const char *sha256)
{
        char *path =
                c->staging.fd < 0 ? NULL : pxr_strf(c->arena, "%s/%s", c->staging.path, sha256);

        return path && access(path, F_OK) == 0 ? path : NULL;
}

/* The checkpoint that lies at `from` is to lie at `relative` too. */
static int place_file(struct pxr_copying *c, const char *from, const char *folder,
                      const char *relative, const char *sha256)
{
        const char *ready = ready_file(c, sha256);
        char *inner = pxr_beside_database(c->arena, c->into->path, folder);
        char *to = pxr_beside_database(c->arena, c->into->path, relative);

        if (!inner || !to)
                return pxr_out_of_memory(c->diag);
        if (holds(to, sha256))
                return 0;
        if (make_folder(c, inner) ||
            pxr_file_duplicate(ready ? ready : from, to, ready || c->link, c->diag) ||
            remember(c, &c->made, to))
                return -1;
        return ready ? 0 : check_file(c, from, to, sha256);
}

/* A row of table `checkpoint` in the database that is read. */
struct row {
        int64_t step, size;
        double epoch;
        const char *path, *sha256, *created_at;
        bool best;
};

/* Where the file of a row lies; NULL after an error. */
static char *source_of(struct pxr_copying *c, const struct row *row)
{
        char *path = NULL;

        if (!pxr_path_stays_below(row->path) || strlen(row->sha256) != PXR_SHA256_HEX - 1 ||
            strspn(row->sha256, "0123456789abcdef") != PXR_SHA256_HEX - 1)
                pxr_user_error(c->diag, "%s: '%s' is no place for a checkpoint of pxr",
                               c->from->path, row->path);
        else if (!(path = pxr_beside_database(c->arena, c->from->path, row->path)))
                pxr_out_of_memory(c->diag);
        return path;
}

static int copy_checkpoint(struct pxr_copying *c, const struct row *row, int64_t number,
                           const char *folder)
{
        char *from = source_of(c, row), *relative;
        bool there = from && (access(from, F_OK) == 0 || ready_file(c, row->sha256));

        if (!from)
                return -1;
        relative = new_path(c, folder, row->step, row->sha256);
        if (!relative)
                return pxr_out_of_memory(c->diag);
        if (!there && c->strict)
                return pxr_user_error(c->diag, "%s: a checkpoint on record is missing", from);
        if (!there) {
                pxr_warn(c->diag, "%s: a checkpoint on record is missing; it is left out", from);
                return 0;
        }
        if (place_file(c, from, folder, relative, row->sha256))
                return -1;
        return pxr_store_execute(c->into, c->diag,
                                 "INSERT INTO checkpoint (run, step, epoch, path, sha256, size, "
                                 "best, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                                 "iidttiit", number, row->step, row->epoch, relative, row->sha256,
                                 row->size, (int64_t)row->best, row->created_at);
}

/* A folder beside the checkpoints to come, so that they only need to be given their names. */
static int make_staging(struct pxr_copying *c)
{
        const char *all = pxr_checkpoints_folder(c->arena, c->into->path), *prefix;

        all = all ? pxr_beside_database(c->arena, c->into->path, all) : NULL;
        prefix = all ? pxr_strf(c->arena, "%s/" PXR_IMPORT_PREFIX, all) : NULL;
        if (!prefix)
                return pxr_out_of_memory(c->diag);
        if (mkdir(all, 0777) != 0 && errno != EEXIST)
                return pxr_system_error(c->diag, "%s: the folder cannot be made: %s", all,
                                        strerror(errno));
        return pxr_staging_make(&c->staging, prefix, c->diag);
}

/* A run at work may take its old checkpoint away just now. */
static int make_ready(struct pxr_copying *c, const struct row *row)
{
        struct pxr_diag *own = pxr_diag_new();
        char *from = own ? source_of(c, row) : NULL, *to;
        int status = -1;

        if (!own)
                return pxr_out_of_memory(c->diag);
        if (from && access(from, F_OK) != 0)
                status = 0;
        else if (from && (c->staging.fd >= 0 || make_staging(c) == 0)) {
                to = pxr_strf(c->arena, "%s/%s", c->staging.path, row->sha256);
                if (!to)
                        pxr_out_of_memory(c->diag);
                else if (access(to, F_OK) == 0)
                        status = 0;
                else if (pxr_file_duplicate(from, to, c->link, own) == 0)
                        status = check_file(c, from, to, row->sha256);
                else if (access(from, F_OK) != 0)
                        status = 0;
                else if (pxr_diag_status(own) == PXR_FAULT_USER)
                        pxr_user_error(c->diag, "%s", pxr_diag_first_error(own));
                else
                        pxr_system_error(c->diag, "%s", pxr_diag_first_error(own));
        }
        pxr_diag_free(own);
        return status;
}

/* Each checkpoint of a run: copied into `folder`, or only made ready (NULL). */
static int go_through(struct pxr_copying *c, int64_t run, int64_t number, const char *folder)
{
        struct pxr_cursor s = pxr_query(c->from, NULL, c->diag,
                                        "SELECT step, epoch, path, sha256, size, best, "
                                        "created_at FROM checkpoint WHERE run = ? ORDER BY step",
                                        "i", run);
        int status = 0;

        while (!status && pxr_cursor_next(&s)) {
                const struct row row = {
                        .step = pxr_cursor_integer(&s, 0),
                        .epoch = pxr_cursor_real(&s, 1),
                        .path = pxr_cursor_text(&s, 2),
                        .sha256 = pxr_cursor_text(&s, 3),
                        .size = pxr_cursor_integer(&s, 4),
                        .best = pxr_cursor_integer(&s, 5) != 0,
                        .created_at = pxr_cursor_optional(&s, 6),
                };

                status = folder ? copy_checkpoint(c, &row, number, folder) : make_ready(c, &row);
        }
        return pxr_cursor_end(&s) || status ? -1 : 0;
}

static int copy_checkpoints(struct pxr_copying *c, int64_t run, int64_t number, const char *uid)
{
        char *folder = pxr_run_folder(c->arena, c->into->path, number, uid);

        return folder ? go_through(c, run, number, folder) : pxr_out_of_memory(c->diag);
}

int pxr_copy_prepare(struct pxr_copying *c, int64_t run)
{
        return go_through(c, run, 0, NULL);
}

/* --- runs --------------------------------------------------------------------------------------
 */

static const struct {
        const char *table, *select;
} belongings[] = {
        { "data_file", "SELECT * FROM data_file WHERE run = ?" },
        { "plugin", "SELECT * FROM plugin WHERE run = ?" },
        { "layer", "SELECT * FROM layer WHERE run = ?" },
        { "metric", "SELECT * FROM metric WHERE run = ?" },
        { "nll_map", "SELECT * FROM nll_map WHERE run = ?" },
        { "sample", "SELECT * FROM sample WHERE run = ? ORDER BY id" },
        { "event", "SELECT * FROM event WHERE run = ? ORDER BY id" },
};

enum { BELONGINGS = PXR_COUNT(belongings) };

/* Whether a number was ever a run's: also one that was deleted is remembered under it. */
static int number_for(struct pxr_copying *c, int64_t wanted, int64_t *number)
{
        int64_t highest;

        if (pxr_store_integer(c->into, &highest, c->diag,
                              "SELECT seq FROM sqlite_sequence WHERE name = 'run'", ""))
                return -1;
        *number = wanted > highest ? wanted : 0;
        return 0;
}

/* Files of the run that is about to be replaced; those that are needed again are found so. */
static int give_up_files(struct pxr_copying *c, int64_t run, const char *uid)
{
        char *folder = pxr_run_folder(c->arena, c->into->path, run, uid);
        struct pxr_checkpoint_row *row;

        if (!folder)
                return pxr_out_of_memory(c->diag);
        if (pxr_store_checkpoints(c->into, c->arena, run, &row, c->diag))
                return -1;
        for (; row; row = row->next)
                if (pxr_is_own_checkpoint(row->path, folder) &&
                    remember(c, &c->unneeded, row->path))
                        return -1;
        return 0;
}

/* Take away what run `number` has, but for the marks of its user, and jobs; its row is then written
 * anew. */
static int clear(struct pxr_copying *c, int64_t number)
{
        for (int i = 0; i < BELONGINGS; i++) {
                char *sql = pxr_strf(c->arena, "DELETE FROM %s WHERE run = ?", belongings[i].table);

                if (!sql)
                        return pxr_out_of_memory(c->diag);
                if (pxr_store_execute(c->into, c->diag, sql, "i", number))
                        return -1;
        }
        return pxr_store_execute(c->into, c->diag, "DELETE FROM checkpoint WHERE run = ?", "i",
                                 number);
}

/* Have the row of run `number` say what that of `other` says, which then goes. */
static int take_row(struct pxr_copying *c, int64_t number, int64_t other)
{
        struct pxr_cursor s = pxr_query(c->into, NULL, c->diag, "SELECT * FROM run WHERE 0", "");
        char *names = pxr_strdup(c->arena, ""), *sql;

        for (int i = 0; s.statement && i < sqlite3_column_count(s.statement); i++) {
                const char *name = sqlite3_column_name(s.statement, i);

                if (strcmp(name, "id") != 0 && strcmp(name, "archived_at") != 0 &&
                    strcmp(name, "note") != 0)
                        names = pxr_strf(c->arena, "%s%s%s", names, *names ? ", " : "", name);
        }
        if (pxr_cursor_end(&s))
                return -1;
        sql = pxr_strf(c->arena,
                       "UPDATE run SET (%s) = (SELECT %s FROM run WHERE id = ?2) WHERE id = ?1",
                       names, names);
        return pxr_store_execute(c->into, c->diag, sql, "ii", number, other) ||
                               pxr_store_execute(c->into, c->diag, "DELETE FROM run WHERE id = ?",
                                                 "i", other)
                       ? -1
                       : 0;
}

/* Others may have named it so that it would hide other runs. */
static int mend_name(struct pxr_copying *c, int64_t run, int64_t made)
{
        struct pxr_cursor s = pxr_query(c->from, c->arena, c->diag,
                                        "SELECT name FROM run WHERE id = ?", "i", run);
        const char *name = pxr_cursor_next(&s) ? pxr_cursor_text(&s, 0) : NULL;
        const char *mended = name ? pxr_run_name_mended(c->arena, name) : NULL;

        if (pxr_cursor_end(&s))
                return -1;
        if (!name || strcmp(name, mended) == 0)
                return 0;
        pxr_warn(c->diag, "%s: run %" PRId64 " becomes '%s': its name '%s' %s", c->from->path, run,
                 mended, name, pxr_run_name_fault(name));
        return pxr_store_execute(c->into, c->diag, "UPDATE run SET name = ? WHERE id = ?", "ti",
                                 mended, made);
}

/* The run's own row; its number in the new database is what *number becomes. */
static int copy_row(struct pxr_copying *c, int64_t run, int64_t *number)
{
        int64_t wanted = 0, made;

        if (*number == 0 && number_for(c, run, &wanted))
                return -1;
        const struct instead instead[] = { { "id", wanted }, { NULL, 0 } };
        if (copy_rows(c, "run", "SELECT * FROM run WHERE id = ?", run, instead))
                return -1;
        made = sqlite3_last_insert_rowid(c->into->handle);
        if (mend_name(c, run, made))
                return -1;
        if (*number && take_row(c, *number, made))
                return -1;
        *number = *number ? *number : made;
        return 0;
}

static int read_uid(struct pxr_copying *c, int64_t run, char uid[PXR_UID])
{
        struct pxr_cursor s =
                pxr_query(c->from, c->arena, c->diag, "SELECT uid FROM run WHERE id = ?", "i", run);
        const char *text = pxr_cursor_next(&s) ? pxr_cursor_text(&s, 0) : "";

        if (pxr_cursor_end(&s))
                return -1;
        if (!pxr_is_uid(text))
                return pxr_user_error(c->diag, "%s: run %" PRId64 " has no sound uid",
                                      c->from->path, run);
        snprintf(uid, PXR_UID, "%s", text);
        return 0;
}

int pxr_copy_run(struct pxr_copying *c, int64_t run, int64_t *number)
{
        bool new = *number == 0;
        char uid[PXR_UID];

        if (read_uid(c, run, uid) ||
            (!new && (give_up_files(c, *number, uid) || clear(c, *number))) ||
            copy_row(c, run, number))
                return -1;
        const struct instead instead[] = { { "run", *number }, { "id", 0 }, { NULL, 0 } };
        for (int i = 0; i < BELONGINGS; i++)
                if (copy_rows(c, belongings[i].table, belongings[i].select, run, instead))
                        return -1;
        if (new &&copy_rows(c, "tag", "SELECT * FROM tag WHERE run = ?", run, instead))
                return -1;
        return copy_checkpoints(c, run, *number, uid);
}

void pxr_copy_undo(struct pxr_copying *c)
{
        for (; c->made; c->made = c->made->next)
                remove(c->made->path); /* a folder only when it is empty */
        c->unneeded = NULL;
}

void pxr_copy_done(struct pxr_copying *c)
{
        for (; c->unneeded; c->unneeded = c->unneeded->next) {
                char *full = pxr_beside_database(c->arena, c->into->path, c->unneeded->path);
                int64_t needed;

                if (!pxr_arena_failed(c->arena) &&
                    pxr_store_integer(c->into, &needed, NULL,
                                      "SELECT 1 FROM checkpoint WHERE path = ?", "t",
                                      c->unneeded->path) == 0 &&
                    !needed)
                        unlink(full);
        }
        c->made = NULL;
}

void pxr_copy_end(struct pxr_copying *c)
{
        const char *folder;

        if (c->staging.fd < 0)
                return;
        pxr_staging_remove(&c->staging);
        folder = pxr_checkpoints_folder(c->arena, c->into->path);
        folder = folder ? pxr_beside_database(c->arena, c->into->path, folder) : NULL;
        if (folder)
                rmdir(folder); /* where nothing is in it */
}
