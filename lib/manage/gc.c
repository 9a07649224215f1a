/* SPDX-License-Identifier: MIT */
/*
 * gc.c - removing files that nobody needs from the directory of checkpoints.
 *
 * Files and rows are compared within a transaction that keeps others from writing, because a merge
 * creates its files before its rows are visible. Only names that pxr gives are considered.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <regex.h>
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
#include "record/run_state.h"
#include "record/schema.h"

static const struct pxr_column columns[] = {
        { "path", "File", PXR_ALWAYS },
        { "bytes", "Bytes", PXR_ALWAYS },
        { "run", "Run", PXR_IF_FILLED },
        { "what", "What it is", PXR_ALWAYS },
};

struct item {
        const char *path; /* relative to the database's directory */
        int64_t run, step;
        bool row, file, folder; /* what to remove */
        struct item *next;
};

struct gc {
        struct pxr_arena *arena;
        struct pxr_store *store;
        struct pxr_diag *diag;
        const struct pxr_gc_options *options;
        struct pxr_table *table;
        struct item *first;
        const char *folder; /* of all checkpoints, relative */
        int64_t bytes, files, missing, kept;
};

/* A path to open. */
static char *full(const struct gc *gc, const char *relative)
{
        return pxr_beside_database(gc->arena, gc->store->path, relative);
}

/* List an item; one with nothing to remove is only shown. */
static int add(struct gc *gc, const struct item *item, int64_t bytes, const char *what)
{
        struct pxr_cell *cell = pxr_table_row(gc->table);
        struct item *copy = pxr_alloc(gc->arena, sizeof(*copy));

        cell[0] = pxr_text_cell(gc->table, item->path);
        cell[1] = pxr_integer_cell(bytes);
        if (item->run)
                cell[2] = pxr_integer_cell(item->run);
        cell[3] = pxr_text_cell(gc->table, what);
        if (!copy)
                return -1;
        *copy = *item;
        copy->next = gc->first;
        gc->first = copy;
        if (item->file || item->folder) {
                gc->bytes += bytes;
                gc->files++;
        }
        return 0;
}

/* --- other databases ---------------------------------------------------------------------------
 */

/* Whether a file may be a run database: it has its application_id, or cannot be read. */
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

/* Whether the database at `path` may have `relative` on record: it does, or cannot be read. */
static bool may_need(const char *path, const char *relative)
{
        struct pxr_store other = { .path = (char *)path };
        int64_t found;
        bool needs;

        /* In a foreign file, a view may be endless. */
        needs = sqlite3_open_v2(path, &other.handle, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
                sqlite3_busy_timeout(other.handle, 5000) != SQLITE_OK ||
                sqlite3_db_config(other.handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL) !=
                        SQLITE_OK ||
                pxr_store_integer(&other, &found, NULL, "SELECT 1 FROM checkpoint WHERE path = ?",
                                  "t", relative) != 0 ||
                found;
        sqlite3_close(other.handle);
        return needs;
}

/* Another database in the same directory with the file on record; NULL: none. A copy of this
 * database has it, and the original if this one has got its name since it was renamed. */
static int needed_elsewhere(struct gc *gc, const char *relative, const char **by)
{
        const char *folder = full(gc, ".");
        struct stat status;
        DIR *stream = opendir(folder);
        struct dirent *entry;

        *by = NULL;
        while (stream && !*by && (entry = readdir(stream))) {
                const char *path = full(gc, entry->d_name);

                if (stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
                    !pxr_same_file(path, gc->store->path) && may_be_database(path) &&
                    may_need(path, relative))
                        *by = path;
        }
        if (!stream)
                return pxr_file_error(folder, "read", errno, gc->diag);
        closedir(stream);
        return pxr_arena_failed(gc->arena) ? -1 : 0;
}

/* --- files -------------------------------------------------------------------------------------
 */

static const char checkpoint_names[] = "^[0-9]+-([0-9a-f]{8})/step-[0-9]+(-[0-9a-f]{8})?"
                                       "[.]safetensors([.]partial-[0-9a-f]{6})?$";
enum { PARTIAL = 3 }; /* of its parts in parentheses */

/* Check a file of the directory of checkpoints: "12-0123abcd/step-00000012.safetensors", or with
 * ".partial-0123ab" behind it while it is written. */
static int check_file(struct gc *gc, const regmatch_t *part, const char *name, int64_t bytes)
{
        const char *path = pxr_strf(gc->arena, "%s/%s", gc->folder, name), *by = NULL;
        const char *uid = pxr_strndup(gc->arena, name + part[1].rm_so, PXR_UID - 1);
        bool partial = part[PARTIAL].rm_so >= 0;
        int64_t run = strtoll(name, NULL, 10);
        enum { UNKNOWN, KNOWN, AT_WORK, RECORDED };
        int64_t state;

        if (pxr_store_integer(gc->store, &state, gc->diag,
                              "SELECT CASE WHEN EXISTS (SELECT 1 FROM checkpoint WHERE path = ?3) "
                              "THEN 3 ELSE (SELECT 1 + (" PXR_RUN_STATE " = 'running') FROM run "
                              "WHERE id = ?1 AND uid = ?2) END",
                              "itt", run, uid, path))
                return -1;
        if (state == RECORDED || state == AT_WORK)
                return 0;
        if (!partial && needed_elsewhere(gc, path, &by))
                return -1;
        gc->kept += by != NULL;
        if (by)
                return 0;
        return add(gc,
                   &(struct item) { .path = path, .file = true, .run = state == KNOWN ? run : 0 },
                   bytes,
                   partial          ? "incomplete"
                   : state == KNOWN ? "not on record"
                                    : "of a run that is not on record");
}

/* A directory that an import was unpacked in, unless an import is using it. */
static int check_import(struct gc *gc, const char *name)
{
        const char *folder = pxr_strf(gc->arena, "%s/%s", gc->folder, name);
        const char *where = full(gc, folder);
        int fd = open(where, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        bool idle = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;

        if (fd >= 0)
                close(fd);
        return idle ? add(gc, &(struct item) { .path = folder, .folder = true },
                          pxr_folder_bytes(where), "of an interrupted import")
                    : 0;
}

static int compare_names(const FTSENT **a, const FTSENT **b)
{
        return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Links are not followed: they may lead to files that are not pxr's. */
static int check_files(struct gc *gc)
{
        char *where = full(gc, gc->folder), *const paths[] = { where, NULL };
        FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, compare_names);
        regmatch_t part[PARTIAL + 1];
        int status = 0;
        FTSENT *entry;
        regex_t names;

        if (regcomp(&names, checkpoint_names, REG_EXTENDED) != 0) {
                fts_close(tree);
                return pxr_out_of_memory(gc->diag);
        }
        while (tree && !status && (entry = fts_read(tree))) {
                const char *name = entry->fts_path + strlen(where) + (entry->fts_level > 0);

                if (entry->fts_info == FTS_D && pxr_is_staging(name, PXR_IMPORT_PREFIX)) {
                        status = check_import(gc, name);
                        fts_set(tree, entry, FTS_SKIP);
                } else if (entry->fts_info == FTS_F &&
                           regexec(&names, name, PXR_COUNT(part), part, 0) == 0) {
                        status = check_file(gc, part, name, entry->fts_statp->st_size);
                }
        }
        regfree(&names);
        if (tree)
                fts_close(tree);
        return status;
}

/* --- rows --------------------------------------------------------------------------------------
 */

static int check_row(struct gc *gc, struct pxr_cursor *rows)
{
        struct item item = { .run = pxr_cursor_integer(rows, 0),
                             .step = pxr_cursor_integer(rows, 1),
                             .path = pxr_cursor_text(rows, 2),
                             .row = true };
        const char *where = full(gc, item.path), *by;
        const char *own =
                pxr_run_folder(gc->arena, gc->store->path, item.run, pxr_cursor_text(rows, 5));

        if (access(where, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
                gc->missing++;
                item.row = gc->options->missing;
                return add(gc, &item, 0, "on record, but the file is missing");
        }
        item.file = pxr_is_own_checkpoint(item.path, own) && pxr_is_real_run_folder(full(gc, own));
        if (!gc->options->old || !pxr_cursor_integer(rows, 4) || !item.file)
                return 0;
        if (needed_elsewhere(gc, item.path, &by))
                return -1;
        gc->kept += by != NULL;
        return by ? 0
                  : add(gc, &item, pxr_cursor_integer(rows, 3), "neither the best nor the last");
}

static int check_rows(struct gc *gc)
{
        struct pxr_cursor rows =
                pxr_query(gc->store, gc->arena, gc->diag,
                          "SELECT run, step, path, size, status = 'finished' AND NOT best AND step "
                          "< (SELECT max(step) FROM checkpoint AS c WHERE c.run = checkpoint.run) "
                          "AND uid || '@' || step NOT IN (SELECT start_from FROM run WHERE "
                          "start_from IS NOT NULL), uid FROM checkpoint JOIN run ON run.id = run "
                          "ORDER BY run, step",
                          "");
        int status = 0;

        while (!status && pxr_cursor_next(&rows))
                status = check_row(gc, &rows);
        return pxr_cursor_end(&rows) || status ? -1 : 0;
}

/* --- removing ----------------------------------------------------------------------------------
 */

static int remove_rows(struct gc *gc)
{
        for (const struct item *item = gc->first; item; item = item->next)
                if (item->row && pxr_store_execute(gc->store, gc->diag,
                                                   "DELETE FROM checkpoint WHERE run = ? AND step "
                                                   "= ?",
                                                   "ii", item->run, item->step))
                        return -1;
        return 0;
}

/* Files with a row, after that was deleted for good (`with_row`), or all others. */
static void remove_files(struct gc *gc, bool with_row)
{
        for (const struct item *item = gc->first; item; item = item->next) {
                char *path = full(gc, item->path), *slash = strrchr(path, '/');

                if (item->row != with_row || (!item->file && !item->folder) || !slash)
                        continue;
                if (item->folder ? pxr_remove_folder(path) != 0 : unlink(path) != 0)
                        pxr_warn(gc->diag, "%s: cannot remove file", path);
                *slash = '\0';
                rmdir(path); /* if it is empty */
        }
}

static void add_notes(struct gc *gc)
{
        bool done = gc->options->carry_out;

        if (gc->files)
                pxr_table_note(gc->table, NULL, "%" PRId64 " file%s, %.1f MB%s.", gc->files,
                               pxr_plural(gc->files), (double)gc->bytes / 1e6,
                               done ? ", removed" : "; --yes removes them");
        else
                pxr_table_note(gc->table, NULL, "Nothing to remove.");
        if (gc->missing && !gc->options->missing)
                pxr_table_note(gc->table, NULL,
                               "If the missing files are elsewhere, put them back (%s beside the "
                               "database); --forget-missing deletes them from the record.",
                               gc->folder);
        if (gc->missing && gc->options->missing)
                pxr_table_note(gc->table, NULL, "%" PRId64 " missing checkpoint%s%s.", gc->missing,
                               pxr_plural(gc->missing),
                               done ? " deleted from the record"
                                    : "; --yes deletes them from the record");
        if (gc->kept)
                pxr_table_note(gc->table, NULL,
                               "Kept %" PRId64 " file%s that another database in this directory "
                               "has on record, or may have.",
                               gc->kept, pxr_plural(gc->kept));
}

static int collect(struct gc *gc)
{
        if (check_files(gc) || check_rows(gc))
                return -1;
        if (!gc->options->carry_out)
                return 0;
        remove_files(gc, false);
        if (remove_rows(gc) || pxr_store_commit(gc->store, gc->diag))
                return -1;
        remove_files(gc, true);
        return 0;
}

struct pxr_table *pxr_gc(struct pxr_arena *arena, struct pxr_store *store,
                         const struct pxr_gc_options *options, struct pxr_diag *diag)
{
        const char *title = options->carry_out ? "Removed" : "No longer needed";
        struct gc gc = { .arena = arena,
                         .store = store,
                         .diag = diag,
                         .options = options,
                         .table = pxr_table_new(arena, "gc", title, columns, PXR_COUNT(columns)),
                         .folder = pxr_checkpoints_folder(arena, store->path) };
        int status;

        if (!gc.table || pxr_store_begin_for(store, options->carry_out, diag))
                return NULL;
        status = collect(&gc);
        pxr_store_rollback(store);
        add_notes(&gc);
        return status || pxr_table_finish(gc.table, diag) ? NULL : gc.table;
}
