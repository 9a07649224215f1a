/* SPDX-License-Identifier: MIT */
/* merge_jobs.c - sweeps and their jobs, from one database into another. */
#include <inttypes.h>
#include <string.h>

#include "manage/merge.h"
#include "record/cursor.h"
#include "record/provenance.h"

struct merge {
        struct pxr_arena *arena;
        struct pxr_store *from, *into;
        struct pxr_diag *diag;
        int64_t new, further;
};

/* --- jobs --------------------------------------------------------------------------------------
 */

struct job {
        int64_t number, rung, wanted, run, failures;
        const char *spec_hash, *varied, *state, *message;
        double seconds;
        const char *uid, *started_at, *run_hash; /* of its run; NULL: none */
        struct job *next;
};

static int list_jobs(struct merge *m, int64_t sweep, struct job **list)
{
        struct pxr_cursor rows =
                pxr_query(m->from, m->arena, m->diag,
                          "SELECT number, job.spec_hash, varied, rung, wanted, state, "
                          "failures, job.message, seconds, uid, started_at, run.spec_hash "
                          "FROM job LEFT JOIN run ON run.id = job.run WHERE sweep = ? ORDER "
                          "BY number",
                          "i", sweep);

        while (pxr_cursor_next(&rows)) {
                struct job *job = pxr_alloc(m->arena, sizeof(*job));

                if (!job)
                        break;
                *job = (struct job) { .number = pxr_cursor_integer(&rows, 0),
                                      .spec_hash = pxr_cursor_text(&rows, 1),
                                      .varied = pxr_cursor_text(&rows, 2),
                                      .rung = pxr_cursor_integer(&rows, 3),
                                      .wanted = pxr_cursor_integer(&rows, 4),
                                      .state = pxr_cursor_text(&rows, 5),
                                      .failures = pxr_cursor_integer(&rows, 6),
                                      .message = pxr_cursor_optional(&rows, 7),
                                      .seconds = sqlite3_column_double(rows.statement, 8),
                                      .uid = pxr_cursor_optional(&rows, 9),
                                      .started_at = pxr_cursor_optional(&rows, 10),
                                      .run_hash = pxr_cursor_optional(&rows, 11) };
                *list = job;
                list = &job->next;
        }
        return pxr_cursor_end(&rows);
}

static int rank(const char *state)
{
        return strcmp(state, "finished") == 0 ? 2 : strcmp(state, "failed") == 0;
}

/* The job as it is here. */
static int find_here(struct merge *m, int64_t sweep, const struct job *job, int64_t *id,
                     const char **state, bool *at_work)
{
        struct pxr_cursor rows =
                pxr_query(m->into, m->arena, m->diag,
                          "SELECT id, state, host, process_id, process_start FROM job "
                          "WHERE sweep = ? AND spec_hash = ?",
                          "it", sweep, job->spec_hash);

        *id = 0;
        *at_work = false;
        if (pxr_cursor_next(&rows)) {
                *id = pxr_cursor_integer(&rows, 0);
                *state = pxr_cursor_text(&rows, 1);
                *at_work = *state && strcmp(*state, "running") == 0 &&
                           pxr_process_lives(pxr_cursor_optional(&rows, 2),
                                             pxr_cursor_integer(&rows, 3),
                                             pxr_cursor_optional(&rows, 4));
        }
        return pxr_cursor_end(&rows);
}

/* The number that the job's run has here; 0: it has none. */
static int find_run(struct merge *m, const struct job *job, int64_t *run)
{
        *run = 0;
        if (!job->uid)
                return 0;
        return pxr_store_integer(m->into, run, m->diag,
                                 "SELECT id FROM run WHERE uid = ? AND started_at = ? AND "
                                 "spec_hash = ?",
                                 "ttt", job->uid, job->started_at, job->run_hash);
}

/* It keeps its number where no other job of the sweep has it. */
static int add_job(struct merge *m, int64_t sweep, const struct job *job, int64_t run)
{
        bool elsewhere = strcmp(job->state, "running") == 0;

        m->new ++;
        return pxr_store_execute(
                m->into, m->diag,
                "INSERT INTO job (sweep, number, spec_hash, varied, rung, wanted, state, run, "
                "failures, message, seconds) SELECT ?1, CASE WHEN EXISTS (SELECT 1 FROM job WHERE "
                "sweep = ?1 AND number = ?2) THEN (SELECT max(number) + 1 FROM job WHERE sweep = "
                "?1) ELSE ?2 END, ?3, ?4, ?5, ?6, ?7, nullif(?8, 0), ?9, ?10, ?11",
                "iittiitiitd", sweep, job->number, job->spec_hash, job->varied, job->rung,
                job->wanted, elsewhere ? "waiting" : job->state, elsewhere ? (int64_t)0 : run,
                job->failures, job->message, job->seconds);
}

static int merge_job(struct merge *m, int64_t sweep, const struct job *job)
{
        const char *state = NULL;
        int64_t id, run;
        bool at_work;

        if (find_here(m, sweep, job, &id, &state, &at_work) || find_run(m, job, &run))
                return -1;
        if (!id)
                return add_job(m, sweep, job, run);
        if (at_work || rank(job->state) <= rank(state))
                return 0;
        m->further++;
        return pxr_store_execute(m->into, m->diag,
                                 "UPDATE job SET state = ?2, run = nullif(?3, 0), failures = ?4, "
                                 "message = ?5, seconds = ?6, taken = taken + 1 WHERE id = ?1",
                                 "itiitd", id, job->state, run, job->failures, job->message,
                                 job->seconds);
}

/* --- sweeps ------------------------------------------------------------------------------------
 */

/* The sweep's number here; it is made if it is not there. Where another search has its name, the
 * name tells the search too. */
static int take_sweep(struct merge *m, const char *name, const char *search, int64_t old,
                      int64_t *sweep)
{
        static const char find[] = "SELECT id FROM sweep WHERE name = ? AND search = ?";
        char *other = pxr_strf(m->arena, "%s (%s)", name, search);
        const char *made = name;
        int64_t taken;

        if (!other)
                return pxr_out_of_memory(m->diag);
        if (pxr_store_integer(m->into, sweep, m->diag, find, "tt", name, search) ||
            (!*sweep && pxr_store_integer(m->into, sweep, m->diag, find, "tt", other, search)))
                return -1;
        if (*sweep)
                return 0;
        if (pxr_store_integer(m->into, &taken, m->diag, "SELECT id FROM sweep WHERE name = ?", "t",
                              name))
                return -1;
        if (taken)
                made = other;
        struct pxr_cursor rows =
                pxr_query(m->from, m->arena, m->diag,
                          "SELECT definition, created_at FROM sweep WHERE id = ?", "i", old);
        const char *definition = NULL, *created = NULL;
        if (pxr_cursor_next(&rows)) {
                definition = pxr_cursor_text(&rows, 0);
                created = pxr_cursor_text(&rows, 1);
        }
        if (pxr_cursor_end(&rows) ||
            pxr_store_execute(m->into, m->diag,
                              "INSERT INTO sweep (name, definition, search, created_at) VALUES "
                              "(?, ?, ?, ?)",
                              "tttt", made, definition, search, created))
                return -1;
        *sweep = sqlite3_last_insert_rowid(m->into->handle);
        return 0;
}

static int merge_sweep(struct merge *m, int64_t old, const char *name, const char *search,
                       struct pxr_table *table)
{
        struct job *list = NULL;
        int64_t sweep;

        m->new = m->further = 0;
        if (take_sweep(m, name, search, old, &sweep) || list_jobs(m, old, &list))
                return -1;
        for (; list; list = list->next)
                if (merge_job(m, sweep, list))
                        return -1;
        if (m->new || m->further)
                pxr_table_note(table, NULL,
                               "Sweep '%s': %" PRId64 " new jobs, %" PRId64 " further on.", name,
                               m->new, m->further);
        return 0;
}

int pxr_merge_jobs(struct pxr_arena *arena, struct pxr_store *from, struct pxr_store *into,
                   struct pxr_table *table, struct pxr_diag *diag)
{
        struct merge m = { arena, from, into, diag, 0, 0 };
        struct pxr_cursor rows =
                pxr_query(from, arena, diag, "SELECT id, name, search FROM sweep ORDER BY id", "");
        int status = 0;

        while (!status && pxr_cursor_next(&rows)) {
                const char *name = pxr_cursor_text(&rows, 1), *search = pxr_cursor_text(&rows, 2);

                if (name && search)
                        status = merge_sweep(&m, pxr_cursor_integer(&rows, 0), name, search, table);
        }
        return pxr_cursor_end(&rows) || status ? -1 : 0;
}
