/* SPDX-License-Identifier: MIT */
/* merge.c - the runs of several databases in one. */
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

enum { COLUMNS = PXR_COUNT(columns) };

/* A run as far as it tells which of two records of it to keep. */
struct twin {
        int64_t id, step;
        const char *uid, *name, *started_at, *spec_hash, *status, *finished_at, *host,
                *process_start;
        int64_t taken, process_id;
        struct twin *next;
};

struct merge {
        struct pxr_arena *arena;
        struct pxr_store *into, *from;
        struct pxr_table *table;
        struct pxr_diag *diag;
        bool import;
        const char *name; /* of the database that is read */
        int64_t new, longer, same, left;
};

/* --- which of two records ----------------------------------------------------------------------
 */

#define TWIN                                                                              \
        "SELECT id, uid, name, started_at, spec_hash, status, taken, finished_at, host, " \
        "process_id, process_start FROM run "

static struct twin *read_twin(struct pxr_cursor *rows)
{
        struct twin *twin = pxr_alloc(rows->arena, sizeof(*twin));

        if (!twin)
                return NULL;
        *twin = (struct twin) { .id = pxr_cursor_integer(rows, 0),
                                .uid = pxr_cursor_text(rows, 1),
                                .name = pxr_cursor_text(rows, 2),
                                .started_at = pxr_cursor_text(rows, 3),
                                .spec_hash = pxr_cursor_text(rows, 4),
                                .status = pxr_cursor_text(rows, 5),
                                .taken = pxr_cursor_integer(rows, 6),
                                .finished_at = pxr_cursor_optional(rows, 7),
                                .host = pxr_cursor_optional(rows, 8),
                                .process_id = pxr_cursor_integer(rows, 9),
                                .process_start = pxr_cursor_optional(rows, 10) };
        return twin;
}

/* All runs of the database that is read, by number. */
static int list_runs(struct merge *m, struct twin **list)
{
        struct pxr_cursor rows = pxr_query(m->from, m->arena, m->diag, TWIN "ORDER BY id", "");

        while (pxr_cursor_next(&rows)) {
                *list = read_twin(&rows);
                if (*list)
                        list = &(*list)->next;
        }
        return pxr_cursor_end(&rows);
}

/* The same run in the database that is written; *found NULL: it is not there. */
static int find_twin(struct merge *m, const struct twin *run, struct twin **found)
{
        struct pxr_cursor rows =
                pxr_query(m->into, m->arena, m->diag,
                          TWIN "WHERE uid = ?1 AND started_at = ?2 AND spec_hash = "
                               "?3",
                          "ttt", run->uid, run->started_at, run->spec_hash);

        *found = pxr_cursor_next(&rows) ? read_twin(&rows) : NULL;
        return pxr_cursor_end(&rows);
}

static int find_step(struct merge *m, struct pxr_store *store, struct twin *run)
{
        struct pxr_cursor rows =
                pxr_query(store, m->arena, m->diag,
                          "SELECT max(step) FROM (SELECT step FROM metric WHERE run "
                          "= ?1 UNION ALL SELECT step FROM checkpoint WHERE run = "
                          "?1)",
                          "i", run->id);

        if (pxr_cursor_next(&rows))
                run->step = pxr_cursor_integer(&rows, 0);
        return pxr_cursor_end(&rows);
}

static bool same_text(const char *a, const char *b)
{
        return a && b ? strcmp(a, b) == 0 : a == b;
}

static int rank(const char *status)
{
        return strcmp(status, "finished") == 0 ? 2 : strcmp(status, "running") != 0;
}

/* Is the record that is read further on than `here`? */
static int is_longer(struct merge *m, struct twin *there, struct twin *here, bool *longer)
{
        int more = rank(there->status) - rank(here->status);

        *longer = false;
        if (rank(here->status) == 2)
                return 0;
        if (!strcmp(there->status, here->status) && there->taken == here->taken &&
            same_text(there->finished_at, here->finished_at) && rank(here->status) > 0)
                return 0;
        if (find_step(m, m->from, there) || find_step(m, m->into, here))
                return -1;
        *longer = rank(there->status) == 2 || there->step > here->step ||
                  (there->step == here->step && more > 0);
        return 0;
}

/* --- one database ------------------------------------------------------------------------------
 */

static void tell(struct merge *m, const struct twin *run, int64_t number, const char *what)
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

/* Is a run to be copied? *here is what there is of it already, or NULL. */
static int decide(struct merge *m, struct twin *run, struct twin **here, bool *wanted,
                  bool *at_work)
{
        *wanted = true;
        *at_work = false;
        if (find_twin(m, run, here) || (*here && is_longer(m, run, *here, wanted)))
                return -1;
        *at_work = *here && strcmp((*here)->status, "running") == 0 &&
                   pxr_process_lives((*here)->host, (*here)->process_id, (*here)->process_start);
        *wanted = *wanted && !*at_work;
        return 0;
}

static int merge_run(struct merge *m, struct pxr_copying *copying, struct twin *run)
{
        struct twin *here;
        int64_t number;
        bool wanted, at_work;

        if (decide(m, run, &here, &wanted, &at_work))
                return -1;
        if (at_work) {
                m->left++;
                tell(m, run, here->id, "left as it is: it is at work here");
        }
        m->same += !wanted && !at_work;
        if (!wanted)
                return 0;
        number = here ? here->id : 0;
        if (pxr_copy_run(copying, run->id, &number))
                return -1;
        m->new += !here;
        m->longer += here != NULL;
        tell(m, run, number, here ? "taken over: it is further on" : "new");
        return 0;
}

/* What takes long, before others are kept from writing. */
static int prepare(struct merge *m, struct pxr_copying *copying)
{
        struct twin *list = NULL, *here;
        bool wanted, at_work;

        if (list_runs(m, &list))
                return -1;
        for (; list; list = list->next)
                if (decide(m, list, &here, &wanted, &at_work) ||
                    (wanted && pxr_copy_prepare(copying, list->id)))
                        return -1;
        return 0;
}

static int merge_rows(struct merge *m, struct pxr_copying *copying)
{
        struct twin *list = NULL;

        if (list_runs(m, &list))
                return -1;
        for (; list; list = list->next)
                if (merge_run(m, copying, list))
                        return -1;
        return pxr_merge_jobs(m->arena, m->from, m->into, m->table, m->diag);
}

static void tell_all(struct merge *m)
{
        char longer[64] = "", left[64] = "";

        if (m->longer)
                snprintf(longer, sizeof(longer), ", %" PRId64 " taken over", m->longer);
        if (m->left)
                snprintf(left, sizeof(left), ", %" PRId64 " left as it is", m->left);
        if (!m->new && !m->longer && !m->left)
                pxr_table_note(m->table, NULL,
                               "%s: nothing is new, all its runs (%" PRId64 ") are there already.",
                               m->name, m->same);
        else
                pxr_table_note(m->table, NULL,
                               "%s: %" PRId64 " new, %" PRId64 " there already%s%s.", m->name,
                               m->new, m->same, longer, left);
}

/* In one transaction; what is read is as of one moment too. */
static int merge_within(struct merge *m, struct pxr_copying *copying)
{
        if (pxr_store_execute(m->from, m->diag, "BEGIN", "") || pxr_store_begin(m->into, m->diag))
                return -1;
        if (merge_rows(m, copying) || pxr_store_commit(m->into, m->diag)) {
                pxr_store_rollback(m->into);
                pxr_copy_undo(copying);
                return -1;
        }
        pxr_copy_done(copying);
        pxr_store_rollback(m->from);
        return 0;
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

        m->new = m->longer = m->same = m->left = 0;
        status = prepare(m, &copying);
        if (!status)
                status = merge_within(m, &copying);
        pxr_copy_end(&copying);
        if (!status)
                tell_all(m);
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
        if (store && pxr_arena_defer(arena, close_store, store)) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        return store && !pxr_store_check(store, diag) ? store : NULL;
}

/* Take a database away that was made for nothing. */
static void unmake(struct pxr_arena *arena, const char *path)
{
        static const char *const endings[] = { "", "-wal", "-shm", "-journal" };
        const char *folder = pxr_checkpoints_folder(arena, path);

        for (int i = 0; i < 4; i++) {
                const char *name = pxr_strf(arena, "%s%s", path, endings[i]);

                if (name)
                        unlink(name);
        }
        folder = folder ? pxr_beside_database(arena, path, folder) : NULL;
        if (folder)
                rmdir(folder);
}

static int merge_all(struct merge *m, struct pxr_store *const *from, const char *const *name,
                     size_t count, bool *any)
{
        for (size_t i = 0; i < count; i++) {
                m->from = from[i];
                m->name = name[i];
                if (merge_database(m)) {
                        for (size_t k = 0; k < i; k++)
                                pxr_note(m->diag, "%s was merged before that", name[k]);
                        return -1;
                }
                *any = true;
        }
        return pxr_table_finish(m->table, m->diag);
}

struct pxr_table *pxr_merge_with(struct pxr_arena *arena, const char *into,
                                 const struct pxr_words *from, const char *const *given,
                                 struct pxr_diag *diag)
{
        struct pxr_store **store = pxr_alloc_array(arena, from->count, sizeof(struct pxr_store *));
        struct merge m = { .arena = arena,
                           .table = pxr_table_new(arena, "merge", "Runs taken over", columns,
                                                  COLUMNS),
                           .diag = diag,
                           .import = given != NULL };
        bool exists = access(into, F_OK) == 0 || errno != ENOENT, any = false;
        int64_t runs;
        int status;

        if (!m.table || !store) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        for (size_t i = 0; i < from->count; i++) {
                if (is_same_file(from->word[i], into)) {
                        pxr_user_error(diag, "%s: a database cannot be merged into itself",
                                       from->word[i]);
                        return NULL;
                }
                if (!(store[i] = open_from(arena, from->word[i], diag)))
                        return NULL;
        }
        m.into = exists ? pxr_store_change(into, diag) : pxr_store_open(into, true, diag);
        if (!m.into)
                return NULL;
        status = merge_all(&m, store, given ? given : from->word, from->count, &any);
        /* Another process may have found it and put something in meanwhile. */
        exists = exists || pxr_store_integer(m.into, &runs, NULL, "SELECT count(*) FROM run", "") ||
                 runs;
        pxr_store_close(m.into);
        if (!exists && !any)
                unmake(arena, into);
        return status ? NULL : m.table;
}

struct pxr_table *pxr_merge(struct pxr_arena *arena, const char *into, const struct pxr_words *from,
                            struct pxr_diag *diag)
{
        return pxr_merge_with(arena, into, from, NULL, diag);
}
