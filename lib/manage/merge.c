/* SPDX-License-Identifier: MIT */
/* merge.c - copying the runs of several databases into one. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "experiment/recorded.h"
#include "manage/copy.h"
#include "manage/manage.h"
#include "manage/texts.h" /* made by the Makefile */
#include "record/cursor.h"
#include "record/folder.h"

static const struct pxr_column columns[] = {
        { "database", "From", PXR_ALWAYS },      { "number", "Run there", PXR_ALWAYS },
        { "run", "Run here", PXR_ALWAYS },       { "uid", "Id", PXR_ALWAYS },
        { "name", "Name", PXR_ALWAYS },          { "status", "Status", PXR_ALWAYS },
        { "what", "What was done", PXR_ALWAYS },
};

/* A run of the source. */
struct record {
        int64_t id, here; /* its number, and in the target; 0: none */
        const char *uid, *name, *status;
        bool further, at_work; /* compared with the record in the target, which is at work */
};

struct merge {
        struct pxr_copying copying;
        struct pxr_table *table;
        const char *name; /* of the source */
        int64_t new, replaced, same, at_work;
};

/* --- sweeps ------------------------------------------------------------------------------------
 */

static int merge_sweep(struct pxr_store *store, int64_t from, const char *name,
                       struct pxr_table *table, struct pxr_diag *diag)
{
        int64_t into, new = 0, updated = 0;
        struct pxr_cursor rows;

        if (pxr_store_integer(store, &into, diag, FIND_SWEEP_SQL, "i", from) ||
            (!into && pxr_store_integer(store, &into, diag, ADD_SWEEP_SQL, "i", from)))
                return -1;
        rows = pxr_query(store, NULL, diag, MERGE_JOBS_SQL, "ii", from, into);
        while (pxr_cursor_next(&rows))
                *(pxr_cursor_integer(&rows, 0) ? &new : &updated) += 1;
        if (new || updated)
                pxr_table_note(table, NULL,
                               "Sweep '%s': %" PRId64 " jobs new, %" PRId64 " updated.", name, new,
                               updated);
        return pxr_cursor_end(&rows);
}

/* Copy sweeps and their jobs of schema `source` once the runs are copied, within the transaction. A
 * job at work on this host is not changed; one at work elsewhere becomes waiting. What was copied
 * is noted below the table. Returns 0 or -1. */
static int merge_jobs(struct pxr_arena *arena, struct pxr_store *store, struct pxr_table *table,
                      struct pxr_diag *diag)
{
        struct pxr_cursor rows =
                pxr_query(store, arena, diag, "SELECT id, name FROM source.sweep ORDER BY id", "");
        int status = 0;

        while (!status && pxr_cursor_next(&rows))
                status = merge_sweep(store, pxr_cursor_integer(&rows, 0), pxr_cursor_text(&rows, 1),
                                     table, diag);
        return pxr_cursor_end(&rows) || status ? -1 : 0;
}

/* --- one database ------------------------------------------------------------------------------
 */

static void add_row(struct merge *m, const struct record *run, int64_t number, const char *what)
{
        struct pxr_cell *cell = pxr_table_row(m->table);

        cell[0] = pxr_text_cell(m->table, m->name);
        cell[1] = pxr_integer_cell(run->id);
        cell[2] = pxr_integer_cell(number);
        cell[3] = pxr_text_cell(m->table, run->uid);
        cell[4] = pxr_text_cell(m->table, run->name);
        cell[5] = pxr_text_cell(m->table, run->status);
        cell[6] = pxr_text_cell(m->table, what);
}

static int merge_run(struct merge *m, const struct record *run)
{
        int64_t number = run->here;

        if (run->further && run->at_work) {
                m->at_work++;
                add_row(m, run, number, "skipped: running here");
        } else if (!run->further) {
                m->same++;
        } else {
                if (pxr_copy_run(&m->copying, run->id, &number))
                        return -1;
                m->new += !run->here;
                m->replaced += run->here != 0;
                add_row(m, run, number, run->here ? "replaced: it goes further" : "new");
        }
        return 0;
}

/* Merge all runs of the source, or only prepare to copy their files. */
static int merge_runs(struct merge *m, bool prepare)
{
        struct pxr_copying *c = &m->copying;
        struct pxr_cursor rows = pxr_query(c->into, c->arena, c->diag, MERGE_RUNS_SQL, "");
        int status = 0;

        while (!status && pxr_cursor_next(&rows)) {
                const struct record run = { .id = pxr_cursor_integer(&rows, 0),
                                            .here = pxr_cursor_integer(&rows, 1),
                                            .uid = pxr_cursor_text(&rows, 2),
                                            .name = pxr_cursor_text(&rows, 3),
                                            .status = pxr_cursor_text(&rows, 4),
                                            .further = pxr_cursor_integer(&rows, 5) != 0,
                                            .at_work = pxr_cursor_integer(&rows, 6) != 0 };

                if (!prepare)
                        status = merge_run(m, &run);
                else if (run.further && !run.at_work)
                        status = pxr_copy_prepare(c, run.id);
        }
        return pxr_cursor_end(&rows) || status ? -1 : 0;
}

static void add_note(struct merge *m)
{
        struct pxr_arena *arena = m->copying.arena;
        const char *replaced =
                m->replaced ? pxr_strf(arena, ", %" PRId64 " replaced", m->replaced) : "";
        const char *at_work =
                m->at_work ? pxr_strf(arena, ", %" PRId64 " skipped", m->at_work) : "";

        if (!m->new && !m->replaced && !m->at_work)
                pxr_table_note(m->table, NULL, "%s: nothing is new, %" PRId64 " already here.",
                               m->name, m->same);
        else
                pxr_table_note(m->table, NULL, "%s: %" PRId64 " new, %" PRId64 " already here%s%s.",
                               m->name, m->new, m->same, replaced, at_work);
}

/* In one transaction, in which the source does not change either. Files are copied before, which
 * takes long: others are kept from writing meanwhile. */
static int merge_database(struct merge *m)
{
        struct pxr_copying *c = &m->copying;
        int status;

        m->new = m->replaced = m->same = m->at_work = 0;
        status = pxr_copy_begin(c) || merge_runs(m, true) || pxr_store_begin(c->into, c->diag);
        if (!status) {
                status = merge_runs(m, false) || merge_jobs(c->arena, c->into, m->table, c->diag);
                status = pxr_store_conclude(c->into, status ? -1 : 0, c->diag);
                (status ? pxr_copy_undo : pxr_copy_keep)(c);
        }
        pxr_copy_end(c);
        if (!status)
                add_note(m);
        return status;
}

/* --- all of them -------------------------------------------------------------------------------
 */

static struct pxr_store *open_from(struct pxr_arena *arena, const char *path, struct pxr_diag *diag)
{
        struct pxr_store *store = pxr_recorded_store(arena, path, false, diag);

        return store && pxr_store_check(store, diag) == 0 ? store : NULL;
}

/* Delete a database that was created in vain. */
static void delete_database(struct pxr_arena *arena, const char *path)
{
        static const char *const endings[] = { "", "-wal", "-shm", "-journal" };

        for (size_t i = 0; i < PXR_COUNT(endings); i++)
                unlink(pxr_strf(arena, "%s%s", path, endings[i]));
        rmdir(pxr_beside_database(arena, path, pxr_checkpoints_folder(arena, path)));
}

static int merge_all(struct merge *m, struct pxr_store *const *from, const char *const *name,
                     size_t count, bool *any)
{
        for (size_t i = 0; i < count; i++) {
                m->copying.from = from[i];
                m->name = name[i];
                if (merge_database(m)) {
                        for (size_t k = 0; k < i; k++)
                                pxr_note(m->copying.diag, "%s has already been merged", name[k]);
                        return -1;
                }
                *any = true;
        }
        return pxr_table_finish(m->table, m->copying.diag);
}

struct pxr_table *pxr_merge(struct pxr_arena *arena, const char *into,
                            const struct pxr_arguments *from, const char *const *names,
                            struct pxr_diag *diag)
{
        struct pxr_store **store = pxr_alloc_array(arena, from->count, sizeof(struct pxr_store *));
        struct merge m = {
                .table = pxr_table_new(arena, "merge", "Merged runs", columns, PXR_COUNT(columns)),
                .copying = { .arena = arena, .link = !names, .strict = names, .diag = diag },
        };
        bool exists = access(into, F_OK) == 0 || errno != ENOENT, any = false;
        int64_t runs;
        int status;

        if (!m.table || !store)
                return NULL;
        for (size_t i = 0; i < from->count; i++) {
                if (pxr_same_file(from->text[i], into)) {
                        pxr_user_error(diag, "%s: cannot merge a database into itself",
                                       from->text[i]);
                        return NULL;
                }
                if (!(store[i] = open_from(arena, from->text[i], diag)))
                        return NULL;
        }
        m.copying.into = exists ? pxr_store_change(into, diag) : pxr_store_open(into, true, diag);
        if (!m.copying.into)
                return NULL;
        status = merge_all(&m, store, names ? names : from->text, from->count, &any);
        /* Another process may have used it meanwhile. */
        exists = exists ||
                 pxr_store_integer(m.copying.into, &runs, NULL, "SELECT count(*) FROM run", "") ||
                 runs;
        pxr_store_close(m.copying.into);
        if (!exists && !any)
                delete_database(arena, into);
        return status ? NULL : m.table;
}
