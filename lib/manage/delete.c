/* SPDX-License-Identifier: MIT */
/* delete.c - deleting runs with their checkpoints. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "manage/manage.h"
#include "manage/texts.h" /* made by the Makefile */
#include "record/cursor.h"
#include "record/folder.h"

static const struct pxr_column columns[] = {
        { "run", "Run", PXR_ALWAYS },       { "name", "Name", PXR_ALWAYS },
        { "status", "Status", PXR_ALWAYS }, { "checkpoints", "Checkpoints", PXR_ALWAYS },
        { "bytes", "Bytes", PXR_ALWAYS },   { "wall_seconds", "Time it took", PXR_ALWAYS },
};

/* A checkpoint of a run to delete. */
struct file {
        const char *path, *folder; /* relative; the run's own folder */
        struct file *next;
};

struct deletion {
        struct pxr_arena *arena;
        struct pxr_store *store;
        struct pxr_diag *diag;
        struct pxr_table *table;
        const char *runs; /* their numbers, a JSON array */
        struct file *files;
        int64_t bytes;
};

/* --- which runs --------------------------------------------------------------------------------
 */

static int find_runs(struct deletion *d, const struct pxr_arguments *runs)
{
        const char *numbers = "";

        for (size_t i = 0; i < runs->count; i++) {
                const struct pxr_run *run =
                        pxr_store_find_run(d->store, d->arena, runs->text[i], d->diag);

                if (!run)
                        return -1;
                numbers = pxr_strf(d->arena, "%s%s%" PRId64, numbers, i ? "," : "", run->id);
        }
        d->runs = pxr_strf(d->arena, "[%s]", numbers);
        return 0;
}

static void add_row(struct deletion *d, struct pxr_cursor *run)
{
        struct pxr_cell *cell = pxr_table_row(d->table);
        int64_t bytes = pxr_cursor_integer(run, 7);

        d->bytes += bytes;
        cell[0] = pxr_integer_cell(pxr_cursor_integer(run, 0));
        cell[1] = pxr_text_cell(d->table, pxr_cursor_text(run, 1));
        cell[2] = pxr_text_cell(d->table, pxr_cursor_text(run, 2));
        cell[3] = pxr_integer_cell(pxr_cursor_integer(run, 6));
        cell[4] = pxr_integer_cell(bytes);
        cell[5] = pxr_query_cell(run, 3, PXR_COLUMN_SECONDS);
}

/* Refuse a run that may be running, or that is referred to. */
static int check_run(const struct deletion *d, struct pxr_cursor *run)
{
        int64_t number = pxr_cursor_integer(run, 0), referrers = pxr_cursor_integer(run, 8);
        const char *name = pxr_cursor_text(run, 1), *more = "";

        if (strcmp(pxr_cursor_text(run, 2), "running") == 0) {
                pxr_user_error(d->diag,
                               "run %" PRId64 " ('%s') is running, as process %" PRId64 " on %s",
                               number, name, pxr_cursor_integer(run, 5), pxr_cursor_text(run, 4));
                pxr_hint(d->diag, "stop it first, or use --force if it is no longer running");
                return -1;
        }
        if (!referrers)
                return 0;
        if (referrers > 1)
                more = pxr_strf(d->arena, ", and %" PRId64 " more", referrers - 1);
        pxr_user_error(d->diag, "run %" PRId64 " ('%s') is referred to by %s%s", number, name,
                       pxr_cursor_text(run, 9), more);
        pxr_hint(d->diag, "use --force to delete it anyway, or 'archive' to hide it");
        return -1;
}

/* List the checkpoints of a run. */
static int list_files(struct deletion *d, struct pxr_cursor *run)
{
        int64_t number = pxr_cursor_integer(run, 0);
        const char *folder =
                pxr_run_folder(d->arena, d->store->path, number, pxr_cursor_text(run, 10));
        struct pxr_checkpoint_row *row;

        if (pxr_store_checkpoints(d->store, d->arena, number, &row, d->diag))
                return -1;
        for (; row; row = row->next) {
                struct file *file = pxr_alloc(d->arena, sizeof(*file));

                if (!file)
                        return -1;
                *file = (struct file) { row->path, folder, d->files };
                d->files = file;
        }
        return 0;
}

static int check_runs(struct deletion *d, bool force)
{
        struct pxr_cursor run =
                pxr_query(d->store, d->arena, d->diag, DELETE_RUNS_SQL, "t", d->runs);
        int status = 0;

        while (pxr_cursor_next(&run)) {
                if ((!force && check_run(d, &run)) || list_files(d, &run))
                        status = -1;
                add_row(d, &run);
        }
        return pxr_cursor_end(&run) || status ? -1 : 0;
}

/* --- deleting ----------------------------------------------------------------------------------
 */

/* Keep files outside the run's own directory: when the database is a copy, or was renamed, the
 * original needs them. */
static void delete_files(const struct deletion *d)
{
        int64_t kept = 0;

        for (const struct file *file = d->files; file; file = file->next) {
                const char *full = pxr_beside_database(d->arena, d->store->path, file->path);
                const char *folder = pxr_beside_database(d->arena, d->store->path, file->folder);

                if (pxr_arena_failed(d->arena) || !pxr_is_real_run_folder(folder) ||
                    !pxr_is_own_checkpoint(file->path, file->folder))
                        kept++;
                else if (unlink(full) != 0 && access(full, F_OK) == 0)
                        pxr_warn(d->diag, "%s: cannot delete file", full);
                rmdir(folder); /* if it is empty */
        }
        if (kept)
                pxr_table_note(d->table, NULL,
                               "Checkpoint files kept: %" PRId64 ", in the directory of another "
                               "database. This database is a copy of it or was renamed.",
                               kept);
}

/* The jobs of deleted runs become waiting. */
static int carry_out(struct deletion *d)
{
        if (pxr_store_execute(d->store, d->diag,
                              "UPDATE job SET state = 'waiting', run = NULL, claims = claims + 1 "
                              "WHERE run IN (SELECT value FROM json_each(?))",
                              "t", d->runs) ||
            pxr_store_execute(d->store, d->diag,
                              "DELETE FROM run WHERE id IN (SELECT value FROM json_each(?))", "t",
                              d->runs) ||
            pxr_store_commit(d->store, d->diag))
                return -1;
        delete_files(d);
        return 0;
}

struct pxr_table *pxr_delete_runs(struct pxr_arena *arena, struct pxr_store *store,
                                  const struct pxr_arguments *runs, bool force, bool really,
                                  struct pxr_diag *diag)
{
        struct deletion d = { .arena = arena,
                              .store = store,
                              .diag = diag,
                              .table = pxr_table_new(arena, "delete",
                                                     really ? "Deleted" : "To be deleted", columns,
                                                     PXR_COUNT(columns)) };
        int status;

        if (!d.table || pxr_store_begin_for(store, really, diag))
                return NULL;
        status = find_runs(&d, runs) || check_runs(&d, force) || (really && carry_out(&d));
        pxr_store_rollback(store);
        pxr_table_note(d.table, NULL, "%.1f MB of checkpoints%s.", (double)d.bytes / 1e6,
                       really ? "" : ", and the whole record of these runs");
        return status || pxr_table_finish(d.table, diag) ? NULL : d.table;
}
