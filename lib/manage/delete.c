/* SPDX-License-Identifier: MIT */
/* delete.c - deleting runs with their checkpoints. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "manage/manage.h"
#include "record/cursor.h"
#include "record/folder.h"
#include "record/run_state.h"

static const struct pxr_column columns[] = {
        { "run", "Run", PXR_ALWAYS },       { "name", "Name", PXR_ALWAYS },
        { "status", "Status", PXR_ALWAYS }, { "checkpoints", "Checkpoints", PXR_ALWAYS },
        { "bytes", "Bytes", PXR_ALWAYS },   { "wall_seconds", "Time it took", PXR_ALWAYS },
};

struct target {
        const struct pxr_run *run;
        struct pxr_checkpoint_row *files;
};

struct deletion {
        struct pxr_arena *arena;
        struct pxr_store *store;
        struct pxr_diag *diag;
        struct pxr_table *table;
        struct target *target;
        size_t count;
        int64_t bytes;
};

/* --- which runs --------------------------------------------------------------------------------
 */

static bool is_target(const struct deletion *d, int64_t run)
{
        for (size_t i = 0; i < d->count; i++)
                if (d->target[i].run->id == run)
                        return true;
        return false;
}

static int add_target(struct deletion *d, const char *which)
{
        struct target *target = &d->target[d->count];

        target->run = pxr_store_find_run(d->store, d->arena, which, d->diag);
        if (!target->run)
                return -1;
        if (is_target(d, target->run->id))
                return 0;
        d->count++;
        return pxr_store_checkpoints(d->store, d->arena, target->run->id, &target->files, d->diag);
}

static void add_row(struct deletion *d, const struct target *target)
{
        struct pxr_cell *cell = pxr_table_row(d->table);
        int64_t count = 0, bytes = 0;

        for (const struct pxr_checkpoint_row *file = target->files; file; file = file->next) {
                count++;
                bytes += file->size;
        }
        d->bytes += bytes;
        cell[0] = pxr_integer_cell(target->run->id);
        cell[1] = pxr_text_cell(d->table, target->run->name);
        cell[2] = pxr_text_cell(d->table, pxr_run_state(target->run));
        cell[3] = pxr_integer_cell(count);
        cell[4] = pxr_integer_cell(bytes);
        cell[5] = pxr_duration_cell(target->run->wall_seconds);
}

/* --- whether they can be deleted ---------------------------------------------------------------
 */

static int check_not_running(const struct deletion *d, const struct pxr_run *run)
{
        if (!pxr_may_be_running(run->status, run->host, run->process_id, run->process_start))
                return 0;
        pxr_user_error(d->diag, "run %" PRId64 " ('%s') is running, as process %" PRId64 " on %s",
                       run->id, run->name, run->process_id, run->host);
        pxr_hint(d->diag, "stop it first, or use --force if it is no longer running");
        return -1;
}

/* What refers to a run: the number of the referring run (0: a job) and a description. A run is part
 * of a chain when no other could take its place. */
static const char referrers[] =
        "SELECT 0, 'job ' || job.number || ' of sweep ''' || sweep.name || '''' FROM job JOIN "
        "sweep ON sweep.id = job.sweep WHERE job.run = ?1 AND job.listed UNION ALL "
        "SELECT other.id, 'run ' || other.id || ', which repeats it' FROM run JOIN run AS other ON "
        "other.repeats = run.uid WHERE run.id = ?1 UNION ALL "
        "SELECT other.id, 'run ' || other.id || ', whose chain begins with it' FROM run JOIN run "
        "AS other ON other.given_identity = run.data_identity WHERE run.id = ?1 AND NOT EXISTS "
        "(SELECT 1 FROM run AS third WHERE third.data_identity = run.data_identity AND third.id <> "
        "run.id AND third.status = 'finished' AND third.archived_at IS NULL)";

static int check_not_needed(const struct deletion *d, const struct pxr_run *run)
{
        struct pxr_cursor rows = pxr_query(d->store, d->arena, d->diag, referrers, "i", run->id);
        const char *first = NULL, *more = "";
        int64_t count = 0;

        while (pxr_cursor_next(&rows))
                if (!is_target(d, pxr_cursor_integer(&rows, 0)) && count++ == 0)
                        first = pxr_cursor_text(&rows, 1);
        if (pxr_cursor_end(&rows))
                return -1;
        if (!count)
                return 0;
        if (count > 1)
                more = pxr_strf(d->arena, ", and %" PRId64 " more", count - 1);
        pxr_user_error(d->diag, "run %" PRId64 " ('%s') is referred to by %s%s", run->id, run->name,
                       first, more);
        pxr_hint(d->diag, "use --force to delete it anyway, or 'archive' to hide it");
        return -1;
}

/* --- deleting ----------------------------------------------------------------------------------
 */

/* The job of a deleted run becomes waiting. */
static int delete_rows(const struct deletion *d, int64_t run)
{
        return pxr_store_execute(
                       d->store, d->diag,
                       "UPDATE job SET state = 'waiting', run = NULL, claims = claims + 1 "
                       "WHERE run = ?",
                       "i", run) ||
                               pxr_store_execute(d->store, d->diag, "DELETE FROM run WHERE id = ?",
                                                 "i", run)
                       ? -1
                       : 0;
}

/* Keep files outside the run's own directory: when the database is a copy, or was renamed, the
 * original needs them. Returns how many. */
static int64_t delete_files(const struct deletion *d, const struct target *target)
{
        const char *folder =
                pxr_run_folder(d->arena, d->store->path, target->run->id, target->run->uid);
        const char *inner = pxr_beside_database(d->arena, d->store->path, folder);
        bool real = !pxr_arena_failed(d->arena) && pxr_is_real_run_folder(inner);
        int64_t kept = 0;

        for (const struct pxr_checkpoint_row *file = target->files; file; file = file->next) {
                const char *full = pxr_beside_database(d->arena, d->store->path, file->path);

                if (!real || !pxr_is_own_checkpoint(file->path, folder))
                        kept++;
                else if (unlink(full) != 0 && access(full, F_OK) == 0)
                        pxr_warn(d->diag, "%s: cannot delete file", full);
        }
        rmdir(inner);
        return kept;
}

static int carry_out(struct deletion *d)
{
        int64_t kept = 0;

        for (size_t i = 0; i < d->count; i++)
                if (delete_rows(d, d->target[i].run->id))
                        return -1;
        if (pxr_store_commit(d->store, d->diag))
                return -1;
        for (size_t i = 0; i < d->count; i++)
                kept += delete_files(d, &d->target[i]);
        if (kept)
                pxr_table_note(d->table, NULL,
                               "Checkpoint files kept: %" PRId64 ", in the directory of another "
                               "database. This database is a copy of it or was renamed.",
                               kept);
        return 0;
}

static int delete_all(struct deletion *d, const struct pxr_arguments *runs, bool force, bool really)
{
        int status = 0;

        for (size_t i = 0; i < runs->count; i++)
                if (add_target(d, runs->text[i]))
                        return -1;
        for (size_t i = 0; i < d->count && !force; i++)
                if (check_not_running(d, d->target[i].run) || check_not_needed(d, d->target[i].run))
                        status = -1;
        for (size_t i = 0; i < d->count; i++)
                add_row(d, &d->target[i]);
        if (status || (really && carry_out(d)))
                return -1;
        pxr_table_note(d->table, NULL, "%.1f MB of checkpoints%s.", (double)d->bytes / 1e6,
                       really ? "" : ", and the whole record of these runs");
        return pxr_table_finish(d->table, d->diag);
}

struct pxr_table *pxr_delete_runs(struct pxr_arena *arena, struct pxr_store *store,
                                  const struct pxr_arguments *runs, bool force, bool really,
                                  struct pxr_diag *diag)
{
        struct deletion d = { .arena = arena,
                              .store = store,
                              .diag = diag,
                              .target = pxr_alloc_array(arena, runs->count, sizeof(struct target)),
                              .table = pxr_table_new(arena, "delete",
                                                     really ? "Deleted" : "To be deleted", columns,
                                                     PXR_COUNT(columns)) };
        int status;

        if (!d.table || !d.target || pxr_store_begin_for(store, really, diag))
                return NULL;
        status = delete_all(&d, runs, force, really);
        pxr_store_rollback(store);
        return status ? NULL : d.table;
}
