/* SPDX-License-Identifier: MIT */
/*
 * gc.c - what lies in the folder of checkpoints without need.
 *
 * Folder and record are compared within a transaction that keeps others from writing: a merge makes
 * its files before its rows are there for others. Only names that pxr gives are looked at.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/number.h"
#include "base/staging.h"
#include "manage/manage.h"
#include "record/cursor.h"
#include "record/folder.h"
#include "record/provenance.h"
#include "record/schema.h"

static const struct pxr_column columns[] = {
        { "path", "File", PXR_ALWAYS },
        { "bytes", "Bytes", PXR_ALWAYS },
        { "run", "Run", PXR_IF_FILLED },
        { "what", "What it is", PXR_ALWAYS },
};

enum { COLUMNS = PXR_COUNT(columns) };

struct garbage {
        const char *path; /* relative to the database's folder */
        int64_t run, step;
        bool row, file, folder; /* what is to go */
        struct garbage *next;
};

struct gc {
        struct pxr_arena *arena;
        struct pxr_store *store;
        struct pxr_diag *diag;
        const struct pxr_gc_wanted *wanted;
        struct pxr_table *table;
        struct garbage *first;
        const char *folder; /* of all checkpoints, relative */
        int64_t bytes, files, missing, kept;
};

/* --- taking note -------------------------------------------------------------------------------
 */

static char *full(const struct gc *gc, const char *relative)
{
        return pxr_beside_database(gc->arena, gc->store->path, relative);
}

/* Put something on the list; one that is not to go is only told. */
static int note(struct gc *gc, const struct garbage *what, int64_t bytes, const char *words)
{
        struct pxr_cell *cell = pxr_table_row(gc->table);
        struct garbage *garbage = pxr_alloc(gc->arena, sizeof(*garbage));

        cell[0] = pxr_text_cell(gc->table, what->path);
        cell[1] = pxr_integer_cell(bytes);
        if (what->run)
                cell[2] = pxr_integer_cell(what->run);
        cell[3] = pxr_text_cell(gc->table, words);
        if (!garbage)
                return pxr_out_of_memory(gc->diag);
        *garbage = *what;
        garbage->next = gc->first;
        gc->first = garbage;
        if (what->file || what->folder) {
                gc->bytes += bytes;
                gc->files++;
        }
        return 0;
}

/* --- runs --------------------------------------------------------------------------------------
 */

/* Is a run's folder to be left alone: is it at work, or may be on another host? */
static int look_up(struct gc *gc, int64_t run, const char *uid, bool *known, bool *at_work)
{
        struct pxr_cursor rows =
                pxr_query(gc->store, gc->arena, gc->diag,
                          "SELECT status, host, process_id, process_start FROM run "
                          "WHERE id = ? AND uid = ?",
                          "it", run, uid);

        *known = pxr_cursor_next(&rows);
        *at_work = false;
        if (*known && strcmp(pxr_cursor_text(&rows, 0), "running") == 0) {
                const char *host = pxr_cursor_optional(&rows, 1);

                *at_work = (host && !pxr_process_host(host)) ||
                           pxr_process_lives(host, pxr_cursor_integer(&rows, 2),
                                             pxr_cursor_optional(&rows, 3));
        }
        return pxr_cursor_end(&rows);
}

static int has_row(struct gc *gc, const char *path, bool *has)
{
        struct pxr_cursor rows = pxr_query(gc->store, gc->arena, gc->diag,
                                           "SELECT 1 FROM checkpoint WHERE path = ?", "t", path);

        *has = pxr_cursor_next(&rows);
        return pxr_cursor_end(&rows);
}

/* --- other databases ---------------------------------------------------------------------------
 */

/* Whether this file may be a run database, by the application_id in its first bytes. One that
 * cannot be read may. */
static bool may_be_database(const char *path)
{
        unsigned char head[72] = "";
        FILE *file = pxr_file_open(path, NULL);
        bool may;

        if (!file)
                return true;
        may = (fread(head, 1, sizeof(head), file) == sizeof(head) &&
               memcmp(head, "SQLite format 3", 16) == 0 &&
               (uint32_t)(head[68] << 24 | head[69] << 16 | head[70] << 8 | head[71]) ==
                       PXR_APPLICATION_ID) ||
              ferror(file);
        fclose(file);
        return may;
}

/* Does the database at `path` have `relative` on record? One that cannot be asked may. */
static bool may_need(const char *path, const char *relative)
{
        struct pxr_store other = { .path = (char *)path };
        sqlite3 *handle = NULL;
        bool needs = true;

        if (sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
            sqlite3_busy_timeout(handle, 5000) == SQLITE_OK &&
            /* whoever made it: a view may be without end */
            sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL) == SQLITE_OK) {
                int64_t found;

                other.handle = handle;
                needs = pxr_store_integer(&other, &found, NULL,
                                          "SELECT 1 FROM checkpoint WHERE path = ?", "t",
                                          relative) != 0 ||
                        found;
        }
        sqlite3_close(handle);
        return needs;
}

/* Does another database beside this one have the file on record? A copy does, and one that was
 * renamed, when a new one has got its name. */
static int needed_elsewhere(struct gc *gc, const char *relative, const char **by)
{
        const char *folder = full(gc, ".");
        struct stat own = { 0 };
        DIR *stream = folder ? opendir(folder) : NULL;
        struct dirent *entry;

        *by = NULL;
        stat(gc->store->path, &own);
        while (stream && !*by && (entry = readdir(stream))) {
                const char *path = full(gc, entry->d_name);
                struct stat status;

                if (path && stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
                    (status.st_ino != own.st_ino || status.st_dev != own.st_dev) &&
                    may_be_database(path) && may_need(path, relative))
                        *by = path;
        }
        if (!folder)
                return pxr_out_of_memory(gc->diag);
        if (!stream)
                return pxr_file_error(folder, "cannot be read", errno, gc->diag);
        closedir(stream);
        return 0;
}

/* --- the folder --------------------------------------------------------------------------------
 */

/* "step-00000012.safetensors", and what such a file is called while it is written. */
static bool is_checkpoint_name(const char *name, bool *partial)
{
        static const char ending[] = ".safetensors", half[] = ".partial-";
        const char *at;

        if (strncmp(name, "step-", 5) != 0)
                return false;
        at = name + 5 + strspn(name + 5, "0123456789");
        if (at == name + 5)
                return false;
        if (*at == '-' && strspn(at + 1, "0123456789abcdef") == 8)
                at += 9;
        if (strncmp(at, ending, strlen(ending)) != 0)
                return false;
        at += strlen(ending);
        *partial = strncmp(at, half, strlen(half)) == 0;
        if (!*partial)
                return *at == '\0';
        at += strlen(half);
        return strlen(at) == 6 && strspn(at, "0123456789abcdef") == 6;
}

static int look_at_file(struct gc *gc, const char *folder, const char *name, int64_t run,
                        bool known)
{
        const char *path = pxr_strf(gc->arena, "%s/%s", folder, name), *by = NULL;
        const char *where = path ? full(gc, path) : NULL;
        struct stat status;
        bool partial, has = false;

        if (!where)
                return pxr_out_of_memory(gc->diag);
        if (!is_checkpoint_name(name, &partial) || lstat(where, &status) != 0 ||
            !S_ISREG(status.st_mode))
                return 0;
        if (has_row(gc, path, &has) || (!has && !partial && needed_elsewhere(gc, path, &by)))
                return -1;
        if (by)
                gc->kept++;
        if (has || by)
                return 0;
        return note(gc, &(struct garbage) { .path = path, .file = true, .run = known ? run : 0 },
                    status.st_size,
                    partial ? "half-written"
                    : known ? "not on record"
                            : "of a run that is not on record");
}

/* A run's folder: "12-0123abcd". */
static int look_at_run(struct gc *gc, const char *name)
{
        const char *folder = pxr_strf(gc->arena, "%s/%s", gc->folder, name);
        const char *where = folder ? full(gc, folder) : NULL;
        struct dirent *entry;
        bool known, at_work;
        char *end;
        int64_t run = strtoll(name, &end, 10);
        struct stat status_of;
        int status = 0;
        DIR *stream;

        if (!where)
                return pxr_out_of_memory(gc->diag);
        if (end == name || *end != '-' || !pxr_is_uid(end + 1) || lstat(where, &status_of) != 0 ||
            !S_ISDIR(status_of.st_mode))
                return 0;
        if (look_up(gc, run, end + 1, &known, &at_work))
                return -1;
        stream = at_work ? NULL : opendir(where);
        while (stream && !status && (entry = readdir(stream)))
                status = look_at_file(gc, folder, entry->d_name, run, known);
        if (stream)
                closedir(stream);
        return status;
}

/* What an import was unpacked in, when nobody is at it any more. */
static int look_at_import(struct gc *gc, const char *name)
{
        const char *folder = pxr_strf(gc->arena, "%s/%s", gc->folder, name);
        const char *where = folder ? full(gc, folder) : NULL;
        int fd = where ? open(where, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
        bool idle = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;

        if (fd >= 0)
                close(fd);
        if (!where)
                return pxr_out_of_memory(gc->diag);
        return idle ? note(gc, &(struct garbage) { .path = folder, .folder = true },
                           pxr_folder_bytes(where), "of an import that was cut off")
                    : 0;
}

static int look_at_folder(struct gc *gc)
{
        const char *where = full(gc, gc->folder);
        struct dirent **entry;
        struct stat status_of;
        int count, status = 0;

        if (!where)
                return pxr_out_of_memory(gc->diag);
        if (lstat(where, &status_of) != 0 || !S_ISDIR(status_of.st_mode))
                return 0; /* a link may lead to files that are not pxr's */
        count = scandir(where, &entry, NULL, alphasort);
        for (int i = 0; i < count; i++) {
                if (!status)
                        status = pxr_is_staging(entry[i]->d_name, PXR_IMPORT_PREFIX)
                                         ? look_at_import(gc, entry[i]->d_name)
                                         : look_at_run(gc, entry[i]->d_name);
                free(entry[i]);
        }
        if (count >= 0)
                free(entry);
        return status;
}

/* --- the record --------------------------------------------------------------------------------
 */

static const char rows_of_checkpoints[] = "SELECT run, step, path, size, status = 'finished' AND "
                                          "NOT best AND step < (SELECT max(step) "
                                          "FROM checkpoint AS c WHERE c.run = checkpoint.run), uid "
                                          "FROM checkpoint JOIN run ON run.id "
                                          "= run ORDER BY run, step";

static int look_at_row(struct gc *gc, struct pxr_cursor *rows)
{
        struct garbage what = { .path = pxr_cursor_text(rows, 2),
                                .run = pxr_cursor_integer(rows, 0),
                                .step = pxr_cursor_integer(rows, 1),
                                .row = true };
        const char *where = what.path ? full(gc, what.path) : NULL;
        const char *uid = pxr_cursor_text(rows, 5), *inner, *by;
        const char *own = uid ? pxr_run_folder(gc->arena, gc->store->path, what.run, uid) : NULL;
        /* What cannot be looked at is not missing. */
        bool there = where && (access(where, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR));

        if (!where || !own)
                return pxr_out_of_memory(gc->diag);
        if (!there) {
                gc->missing++;
                what.row = gc->wanted->missing;
                return note(gc, &what, 0, "on record, and its file is missing");
        }
        inner = full(gc, own);
        what.file = inner && pxr_is_own_checkpoint(what.path, own) && pxr_is_real_run_folder(inner);
        if (!gc->wanted->old || !pxr_cursor_integer(rows, 4) || !what.file)
                return 0;
        if (needed_elsewhere(gc, what.path, &by))
                return -1;
        gc->kept += by != NULL;
        if (by)
                return 0;
        return note(gc, &what, pxr_cursor_integer(rows, 3), "neither the best nor the last");
}

static int look_at_rows(struct gc *gc)
{
        struct pxr_cursor rows = pxr_query(gc->store, gc->arena, gc->diag, rows_of_checkpoints, "");
        int status = 0;

        while (!status && pxr_cursor_next(&rows))
                status = look_at_row(gc, &rows);
        return pxr_cursor_end(&rows) || status ? -1 : 0;
}

/* --- doing it ----------------------------------------------------------------------------------
 */

static int remove_rows(struct gc *gc)
{
        for (const struct garbage *one = gc->first; one; one = one->next)
                if (one->row && pxr_store_execute(gc->store, gc->diag,
                                                  "DELETE FROM checkpoint WHERE run = ? AND step = "
                                                  "?",
                                                  "ii", one->run, one->step))
                        return -1;
        return 0;
}

/* Of files with a row, once that is gone for good (`with_row`), or of all others. */
static void remove_files(struct gc *gc, bool with_row)
{
        for (const struct garbage *one = gc->first; one; one = one->next) {
                char *path = full(gc, one->path), *slash;

                if (!path || one->row != with_row || (!one->file && !one->folder))
                        continue;
                if (one->folder ? pxr_remove_folder(path) != 0 : unlink(path) != 0)
                        pxr_warn(gc->diag, "%s: cannot be removed", path);
                slash = strrchr(path, '/');
                *slash = '\0';
                rmdir(path); /* where it is empty now */
        }
}

static void tell(struct gc *gc)
{
        bool done = gc->wanted->carry_out;

        if (gc->files)
                pxr_table_note(gc->table, NULL, "%" PRId64 " %s, %.1f MB%s.", gc->files,
                               gc->files == 1 ? "file" : "files", (double)gc->bytes / 1e6,
                               done ? ", removed" : "; --yes removes them");
        else
                pxr_table_note(gc->table, NULL, "There is nothing to remove.");
        if (gc->missing && !gc->wanted->missing)
                pxr_table_note(gc->table, NULL,
                               "Missing files may lie elsewhere: put them back (%s beside the "
                               "database); --forget-missing takes them off the record.",
                               gc->folder);
        if (gc->missing && gc->wanted->missing)
                pxr_table_note(gc->table, NULL, "%" PRId64 " missing checkpoint%s%s.", gc->missing,
                               pxr_plural(gc->missing),
                               done ? " taken off the record"
                                    : "; --yes takes them off the record");
        if (gc->kept)
                pxr_table_note(gc->table, NULL,
                               "%" PRId64 " file%s kept that another database beside this one "
                               "has on record, or may have.",
                               gc->kept, gc->kept == 1 ? " is" : "s are");
}

static int collect(struct gc *gc)
{
        if (look_at_folder(gc) || look_at_rows(gc))
                return -1;
        if (!gc->wanted->carry_out)
                return 0;
        remove_files(gc, false);
        if (remove_rows(gc) || pxr_store_commit(gc->store, gc->diag))
                return -1;
        remove_files(gc, true);
        return 0;
}

struct pxr_table *pxr_gc(struct pxr_arena *arena, struct pxr_store *store,
                         const struct pxr_gc_wanted *wanted, struct pxr_diag *diag)
{
        struct gc gc = { .arena = arena,
                         .store = store,
                         .diag = diag,
                         .wanted = wanted,
                         .table = pxr_table_new(arena, "gc",
                                                wanted->carry_out ? "Cleared away"
                                                                  : "Not needed any more",
                                                columns, COLUMNS),
                         .folder = pxr_checkpoints_folder(arena, store->path) };
        int status;

        if (!gc.table || !gc.folder) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        if (wanted->carry_out ? pxr_store_begin(store, diag)
                              : pxr_store_execute(store, diag, "BEGIN", ""))
                return NULL;
        status = collect(&gc);
        pxr_store_rollback(store);
        tell(&gc);
        return status || pxr_table_finish(gc.table, diag) ? NULL : gc.table;
}
