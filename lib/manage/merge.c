/* SPDX-License-Identifier: MIT */
/* merge.c - copying the runs of several databases into one. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manage/copy.h"
#include "manage/manage.h"
#include "manage/merge.h"
#include "record/cursor.h"
#include "record/folder.h"
#include "record/provenance.h"

static const struct pxr_column columns[] = {
        { "database", "From", PXR_ALWAYS },      { "number", "Run there", PXR_ALWAYS },
        { "run", "Run here", PXR_ALWAYS },       { "uid", "Id", PXR_ALWAYS },
        { "name", "Name", PXR_ALWAYS },          { "status", "Status", PXR_ALWAYS },
        { "what", "What was done", PXR_ALWAYS },
};

/* What identifies a run, and which of two records of it goes further. */
struct record {
        int64_t id, resumes, step;
        const char *uid, *name, *started_at, *spec_hash, *status, *finished_at;
        bool here; /* at work on this host */
        struct record *next;
};

struct merge {
        struct pxr_arena *arena;
        struct pxr_store *into, *from;
        struct pxr_table *table;
        struct pxr_diag *diag;
        bool import;
        const char *name; /* of the source */
        int64_t new, replaced, same, at_work;
};

/* --- which of two records ----------------------------------------------------------------------
 */

#define RECORD                                                                              \
        "SELECT id, uid, name, started_at, spec_hash, status, resumes, finished_at, host, " \
        "process_id, process_start FROM run "

/* The next record of a query; NULL after the last, or an error. */
static struct record *next_record(struct pxr_cursor *rows)
{
        struct record *record =
                pxr_cursor_next(rows) ? pxr_alloc(rows->arena, sizeof(*record)) : NULL;

        if (record)
                *record = (struct record) {
                        .id = pxr_cursor_integer(rows, 0),
                        .uid = pxr_cursor_text(rows, 1),
                        .name = pxr_cursor_text(rows, 2),
                        .started_at = pxr_cursor_text(rows, 3),
                        .spec_hash = pxr_cursor_text(rows, 4),
                        .status = pxr_cursor_text(rows, 5),
                        .resumes = pxr_cursor_integer(rows, 6),
                        .finished_at = pxr_cursor_text(rows, 7),
                        .here = strcmp(pxr_cursor_text(rows, 5), "running") == 0 &&
                                pxr_process_lives(pxr_cursor_optional(rows, 8),
                                                  pxr_cursor_integer(rows, 9),
                                                  pxr_cursor_optional(rows, 10)),
                };
        return record;
}

/* All runs of the source, by number. */
static int list_runs(struct merge *m, struct record **list)
{
        struct pxr_cursor rows = pxr_query(m->from, m->arena, m->diag, RECORD "ORDER BY id", "");

        while ((*list = next_record(&rows)))
                list = &(*list)->next;
        return pxr_cursor_end(&rows);
}

/* The same run in the target; NULL: none. */
static int find_run(struct merge *m, const struct record *run, struct record **found)
{
        struct pxr_cursor rows =
                pxr_query(m->into, m->arena, m->diag,
                          RECORD "WHERE uid = ? AND started_at = ? AND spec_hash = ?", "ttt",
                          run->uid, run->started_at, run->spec_hash);

        *found = next_record(&rows);
        return pxr_cursor_end(&rows);
}

static int find_step(struct merge *m, struct pxr_store *store, struct record *run)
{
        return pxr_store_integer(store, &run->step, m->diag,
                                 "SELECT max(step) FROM (SELECT step FROM metric WHERE run = ?1 "
                                 "UNION ALL SELECT step FROM checkpoint WHERE run = ?1)",
                                 "i", run->id);
}

static int rank(const char *status)
{
        return strcmp(status, "finished") == 0 ? 2 : strcmp(status, "running") != 0;
}

/* Whether the record `there` goes further than `here`. */
static int compare(struct merge *m, struct record *there, struct record *here, bool *further)
{
        int more = rank(there->status) - rank(here->status);

        *further = false;
        if (rank(here->status) == 2 ||
            (rank(here->status) == 1 && strcmp(there->status, here->status) == 0 &&
             there->resumes == here->resumes && strcmp(there->finished_at, here->finished_at) == 0))
                return 0;
        if (find_step(m, m->from, there) || find_step(m, m->into, here))
                return -1;
        *further = rank(there->status) == 2 || there->step > here->step ||
                   (there->step == here->step && more > 0);
        return 0;
}

/* Whether to copy a run. *here is the record of it in the target, or NULL. */
static int decide(struct merge *m, struct record *run, struct record **here, bool *copy)
{
        *copy = true;
        if (find_run(m, run, here) || (*here && compare(m, run, *here, copy)))
                return -1;
        *copy = *copy && !(*here && (*here)->here);
        return 0;
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

static int merge_run(struct merge *m, struct pxr_copying *copying, struct record *run)
{
        struct record *here;
        int64_t number;
        bool copy;

        if (decide(m, run, &here, &copy))
                return -1;
        if (!copy && here->here) {
                m->at_work++;
                add_row(m, run, here->id, "skipped: running here");
        }
        m->same += !copy && !here->here;
        if (!copy)
                return 0;
        number = here ? here->id : 0;
        if (pxr_copy_run(copying, run->id, &number))
                return -1;
        m->new += !here;
        m->replaced += here != NULL;
        add_row(m, run, number, here ? "replaced: it goes further" : "new");
        return 0;
}

/* Copy files, which takes long, before others are kept from writing. */
static int prepare(struct merge *m, struct pxr_copying *copying)
{
        struct record *list, *here;
        bool copy;

        if (list_runs(m, &list))
                return -1;
        for (; list; list = list->next)
                if (decide(m, list, &here, &copy) || (copy && pxr_copy_prepare(copying, list->id)))
                        return -1;
        return 0;
}

static int merge_rows(struct merge *m, struct pxr_copying *copying)
{
        struct record *list;

        if (list_runs(m, &list))
                return -1;
        for (; list; list = list->next)
                if (merge_run(m, copying, list))
                        return -1;
        return pxr_merge_jobs(m->arena, m->from, m->into, m->table, m->diag);
}

static void add_note(struct merge *m)
{
        char replaced[64] = "", at_work[64] = "";

        if (m->replaced)
                snprintf(replaced, sizeof(replaced), ", %" PRId64 " replaced", m->replaced);
        if (m->at_work)
                snprintf(at_work, sizeof(at_work), ", %" PRId64 " skipped", m->at_work);
        if (!m->new && !m->replaced && !m->at_work)
                pxr_table_note(m->table, NULL, "%s: nothing is new, %" PRId64 " already here.",
                               m->name, m->same);
        else
                pxr_table_note(m->table, NULL, "%s: %" PRId64 " new, %" PRId64 " already here%s%s.",
                               m->name, m->new, m->same, replaced, at_work);
}

/* In one transaction, in which the source does not change either. */
static int merge_within(struct merge *m, struct pxr_copying *copying)
{
        int status;

        if (pxr_store_execute(m->from, m->diag, "BEGIN", "") || pxr_store_begin(m->into, m->diag))
                return -1;
        status = pxr_store_conclude(m->into, merge_rows(m, copying), m->diag);
        (status ? pxr_copy_undo : pxr_copy_keep)(copying);
        pxr_store_rollback(m->from);
        return status;
}

static int merge_database(struct merge *m)
{
        struct pxr_copying copying = { .arena = m->arena,
                                       .from = m->from,
                                       .into = m->into,
                                       .link = !m->import,
                                       .strict = m->import,
                                       .staging.fd = -1,
                                       .diag = m->diag };
        int status;

        m->new = m->replaced = m->same = m->at_work = 0;
        status = prepare(m, &copying) || merge_within(m, &copying) ? -1 : 0;
        pxr_copy_end(&copying);
        if (!status)
                add_note(m);
        return status;
}

/* --- all of them -------------------------------------------------------------------------------
 */

static void close_store(void *store)
{
        pxr_store_close(store);
}

static bool is_same_file(const char *a, const char *b)
{
        struct stat first, second;

        return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
               first.st_ino == second.st_ino;
}

static struct pxr_store *open_from(struct pxr_arena *arena, const char *path, struct pxr_diag *diag)
{
        struct pxr_store *store = NULL;

        if (!pxr_store_exists(path, diag))
                store = pxr_store_open(path, false, diag);
        if (!store || pxr_arena_defer(arena, close_store, store))
                return NULL;
        return pxr_store_check(store, diag) ? NULL : store;
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
                m->from = from[i];
                m->name = name[i];
                if (merge_database(m)) {
                        for (size_t k = 0; k < i; k++)
                                pxr_note(m->diag, "%s has already been merged", name[k]);
                        return -1;
                }
                *any = true;
        }
        return pxr_table_finish(m->table, m->diag);
}

struct pxr_table *pxr_merge_with(struct pxr_arena *arena, const char *into,
                                 const struct pxr_arguments *from, const char *const *names,
                                 struct pxr_diag *diag)
{
        struct pxr_store **store = pxr_alloc_array(arena, from->count, sizeof(struct pxr_store *));
        struct merge m = { .arena = arena,
                           .table = pxr_table_new(arena, "merge", "Merged runs", columns,
                                                  PXR_COUNT(columns)),
                           .diag = diag,
                           .import = names != NULL };
        bool exists = access(into, F_OK) == 0 || errno != ENOENT, any = false;
        int64_t runs;
        int status;

        if (!m.table || !store)
                return NULL;
        for (size_t i = 0; i < from->count; i++) {
                if (is_same_file(from->text[i], into)) {
                        pxr_user_error(diag, "%s: cannot merge a database into itself",
                                       from->text[i]);
                        return NULL;
                }
                if (!(store[i] = open_from(arena, from->text[i], diag)))
                        return NULL;
        }
        m.into = exists ? pxr_store_change(into, diag) : pxr_store_open(into, true, diag);
        if (!m.into)
                return NULL;
        status = merge_all(&m, store, names ? names : from->text, from->count, &any);
        /* Another process may have used it meanwhile. */
        exists = exists || pxr_store_integer(m.into, &runs, NULL, "SELECT count(*) FROM run", "") ||
                 runs;
        pxr_store_close(m.into);
        if (!exists && !any)
                delete_database(arena, into);
        return status ? NULL : m.table;
}

struct pxr_table *pxr_merge(struct pxr_arena *arena, const char *into,
                            const struct pxr_arguments *from, struct pxr_diag *diag)
{
        return pxr_merge_with(arena, into, from, NULL, diag);
}
