/* SPDX-License-Identifier: MIT */
/* delete.c - runs taken off the record, with their checkpoints. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "manage/manage.h"
#include "record/cursor.h"
#include "record/folder.h"
#include "record/provenance.h"
#include "record/run_state.h"

static const struct pxr_column columns[] = {
        { "run", "Run", PXR_ALWAYS },       { "name", "Name", PXR_ALWAYS },
        { "status", "Status", PXR_ALWAYS }, { "checkpoints", "Checkpoints", PXR_ALWAYS },
        { "bytes", "Bytes", PXR_ALWAYS },   { "wall_seconds", "Time it took", PXR_ALWAYS },
};

enum { COLUMNS = PXR_COUNT(columns) };

struct doomed {
        const struct pxr_run *run;
        struct pxr_checkpoint_row *files;
        struct doomed *next;
};

struct deletion {
        struct pxr_arena *arena;
        struct pxr_store *store;
        struct pxr_diag *diag;
        struct pxr_table *table;
        struct doomed *first, **end;
        bool force;
        int64_t bytes;
};

/* --- which -------------------------------------------------------------------------------------
 */

static bool is_doomed(const struct deletion *d, int64_t run)
{
        const struct doomed *one = d->first;

        while (one && one->run->id != run)
                one = one->next;
        return one != NULL;
}

static int add(struct deletion *d, const char *which)
{
        const struct pxr_run *run = pxr_store_find_run(d->store, d->arena, which, d->diag);
        struct doomed *one;

        if (!run)
                return -1;
        if (is_doomed(d, run->id))
                return 0;
        one = pxr_alloc(d->arena, sizeof(*one));
        if (!one)
                return pxr_out_of_memory(d->diag);
        one->run = run;
        *d->end = one;
        d->end = &one->next;
        return pxr_store_checkpoints(d->store, d->arena, run->id, &one->files, d->diag);
}

static void list(struct deletion *d, const struct doomed *one)
{
        struct pxr_cell *cell = pxr_table_row(d->table);
        int64_t count = 0, bytes = 0;

        for (const struct pxr_checkpoint_row *file = one->files; file; file = file->next) {
                count++;
                bytes += file->size;
        }
        d->bytes += bytes;
        cell[0] = pxr_integer_cell(one->run->id);
        cell[1] = pxr_text_cell(d->table, one->run->name);
        cell[2] = pxr_text_cell(d->table, pxr_run_state(one->run));
        cell[3] = pxr_integer_cell(count);
        cell[4] = pxr_integer_cell(bytes);
        cell[5] = pxr_duration_cell(one->run->wall_seconds);
}

/* --- what speaks against it --------------------------------------------------------------------
 */

static int check_not_running(const struct deletion *d, const struct pxr_run *run)
{
        bool elsewhere = run->host && !pxr_process_host(run->host);

        if (strcmp(run->status, "running") != 0 ||
            (!elsewhere && !pxr_process_lives(run->host, run->process_id, run->process_start)))
                return 0;
        pxr_user_error(d->diag, "run %" PRId64 " ('%s') is running%s%s, as process %" PRId64,
                       run->id, run->name, elsewhere ? " on host " : "", elsewhere ? run->host : "",
                       run->process_id);
        pxr_hint(d->diag, "stop it first; or, if you know better, --force");
        return -1;
}

/* What refers to a run: a row a referrer, its run's number (0: it is no run) and what it is. A run
 * is part of a chain when no other could take its place. */
static const char referrers[] =
        "SELECT 0, 'job ' || job.number || ' of sweep ''' || sweep.name || '''' FROM job JOIN "
        "sweep "
        "ON sweep.id = job.sweep WHERE job.run = ?1 AND job.wanted UNION ALL "
        "SELECT other.id, 'run ' || other.id || ', which repeats it' FROM run JOIN run AS other ON "
        "other.repeats = run.uid WHERE run.id = ?1 UNION ALL "
        "SELECT other.id, 'run ' || other.id || ', whose chain begins with it' FROM run JOIN run "
        "AS "
        "other ON other.given_identity = run.data_identity WHERE run.id = ?1 AND NOT EXISTS "
        "(SELECT 1 FROM run AS third WHERE third.data_identity = run.data_identity AND third.id <> "
        "run.id AND third.status = 'finished' AND third.archived_at IS NULL)";

static int check_not_needed(const struct deletion *d, const struct pxr_run *run)
{
        struct pxr_cursor rows = pxr_query(d->store, d->arena, d->diag, referrers, "i", run->id);
        const char *first = NULL;
        int64_t more = 0;

        while (pxr_cursor_next(&rows)) {
                if (is_doomed(d, pxr_cursor_integer(&rows, 0)))
                        continue;
                if (!first)
                        first = pxr_cursor_text(&rows, 1);
                else
                        more++;
        }
        if (pxr_cursor_end(&rows))
                return -1;
        if (!first)
                return 0;
        if (more)
                pxr_user_error(d->diag,
                               "run %" PRId64 " ('%s') is referred to by %s, and %" PRId64 " more",
                               run->id, run->name, first, more);
        else
                pxr_user_error(d->diag, "run %" PRId64 " ('%s') is referred to by %s", run->id,
                               run->name, first);
        pxr_hint(d->diag, "delete it all the same with --force, or only hide it: 'archive'");
        return -1;
}

static int check(const struct deletion *d)
{
        int status = 0;

        for (const struct doomed *one = d->first; one && !d->force; one = one->next)
                if (check_not_running(d, one->run) || check_not_needed(d, one->run))
                        status = -1;
        return status;
}

/* --- doing it ----------------------------------------------------------------------------------
 */

/* A job without its run has yet to be done. */
static int delete_rows(const struct deletion *d)
{
        for (const struct doomed *one = d->first; one; one = one->next)
                if (pxr_store_execute(d->store, d->diag,
                                      "UPDATE job SET state = 'waiting', run = NULL, taken = taken "
                                      "+ 1 WHERE run = ?",
                                      "i", one->run->id) ||
                    pxr_store_execute(d->store, d->diag, "DELETE FROM run WHERE id = ?", "i",
                                      one->run->id))
                        return -1;
        return 0;
}

/* Files in another folder than the run's own stay: the database was renamed, or is a copy, and the
 * original needs them. Returns how many. */
static int64_t delete_files(const struct deletion *d, const struct doomed *one)
{
        const char *folder = pxr_run_folder(d->arena, d->store->path, one->run->id, one->run->uid);
        const char *inner = folder ? pxr_beside_database(d->arena, d->store->path, folder) : NULL;
        bool real = inner && pxr_is_real_run_folder(inner);
        int64_t stayed = 0;

        for (const struct pxr_checkpoint_row *file = one->files; folder && file;
             file = file->next) {
                const char *full = pxr_beside_database(d->arena, d->store->path, file->path);

                if (!full || !real || !pxr_is_own_checkpoint(file->path, folder))
                        stayed++;
                else if (unlink(full) != 0 && access(full, F_OK) == 0)
                        pxr_warn(d->diag, "%s: cannot be removed", full);
        }
        if (inner)
                rmdir(inner);
        return stayed;
}

static int carry_out(struct deletion *d)
{
        int64_t stayed = 0;

        if (delete_rows(d) || pxr_store_commit(d->store, d->diag))
                return -1;
        for (const struct doomed *one = d->first; one; one = one->next)
                stayed += delete_files(d, one);
        if (stayed)
                pxr_table_note(d->table, NULL,
                               "Files of checkpoints that stay: %" PRId64
                               ". They lie in the folder "
                               "of another database, of which this one is a copy, or was renamed.",
                               stayed);
        return 0;
}

static int delete_all(struct deletion *d, const struct pxr_words *runs, bool really)
{
        for (size_t i = 0; i < runs->count; i++)
                if (add(d, runs->word[i]))
                        return -1;
        if (check(d))
                return -1;
        for (const struct doomed *one = d->first; one; one = one->next)
                list(d, one);
        if (really && carry_out(d))
                return -1;
        pxr_table_note(d->table, NULL, "%.1f MB of checkpoints%s.", (double)d->bytes / 1e6,
                       really ? "" : ", and all that is on record of these runs");
        return pxr_table_finish(d->table, d->diag);
}

struct pxr_table *pxr_delete_runs(struct pxr_arena *arena, struct pxr_store *store,
                                  const struct pxr_words *runs, bool force, bool really,
                                  struct pxr_diag *diag)
{
        struct deletion d = { .arena = arena,
                              .store = store,
                              .diag = diag,
                              .table = pxr_table_new(arena, "delete",
                                                     really ? "Deleted" : "To be deleted", columns,
                                                     COLUMNS),
                              .force = force };
        int status;

        if (!d.table) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        d.end = &d.first;
        if (really ? pxr_store_begin(store, diag) : pxr_store_execute(store, diag, "BEGIN", ""))
                return NULL;
        status = delete_all(&d, runs, really);
        pxr_store_rollback(store);
        return status ? NULL : d.table;
}
