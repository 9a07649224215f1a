/* SPDX-License-Identifier: MIT */
/*
 * jobs.c - sweeps and their jobs in the run database.
 */
#include "record/jobs.h"

#include <inttypes.h>

#include "record/cursor.h"
#include "record/texts.h" /* made by the Makefile */

static const char *const state_names[] = { "waiting", "running", "finished", "failed" };

int pxr_store_add_sweep(struct pxr_store *store, const char *name, const char *search,
                        const char *definition, int64_t *sweep, struct pxr_diag *diag)
{
        return pxr_store_integer(
                store, sweep, diag,
                "INSERT INTO sweep (name, search, definition, created_at) "
                "VALUES (?, ?, ?, strftime('%Y-%m-%d %H:%M:%f', 'now')) ON CONFLICT (name) "
                "DO UPDATE SET search = excluded.search, definition = excluded.definition "
                "RETURNING id",
                "ttt", name, search, definition);
}

/* --- reading -----------------------------------------------------------------------------------
 */

static const struct pxr_field job_fields[] = {
#define COLUMN(kind, name, sql) { PXR_FIELD_##kind, offsetof(struct pxr_job, name) },
#include "record/job_columns.h"
};

static const char select_jobs[] =
        "SELECT count(*) OVER ()"
#define COLUMN(kind, name, sql) ", " sql
#include "record/job_columns.h"
        " FROM job LEFT JOIN run ON run.id = job.run LEFT JOIN nll ON nll.run = run.id AND "
        "nll.name = 'final_nll' AND split = 'valid' WHERE sweep = ?1 AND (listed OR NOT ?3) "
        "ORDER BY iif(?3 AND state = 'finished' AND suspect IS NULL AND archived_at IS NULL, "
        "nats_per_image, NULL) NULLS LAST, number";

int pxr_store_jobs(struct pxr_store *store, struct pxr_arena *arena, int64_t sweep, bool best_first,
                   struct pxr_job **jobs, int *count, struct pxr_diag *diag)
{
        struct pxr_cursor rows = pxr_query(store, arena, diag, select_jobs, "iii", sweep,
                                           (int64_t)PXR_JOB_SILENCE, (int64_t)best_first);

        *jobs = NULL;
        for (*count = 0; pxr_cursor_next(&rows); (*count)++) {
                if (!*jobs)
                        *jobs = pxr_alloc_array(arena, (size_t)pxr_cursor_integer(&rows, 0),
                                                sizeof(**jobs));
                if (!*jobs)
                        break;
                pxr_cursor_fill(&rows, 1, job_fields, PXR_COUNT(job_fields), &(*jobs)[*count]);
        }
        return pxr_cursor_end(&rows);
}

/* The integers of a query's column 1; column 0 has their number. */
static int read_integers(struct pxr_cursor rows, int64_t **integers, int *count)
{
        *integers = NULL;
        for (*count = 0; pxr_cursor_next(&rows); (*count)++) {
                if (!*integers)
                        *integers =
                                pxr_alloc_array(rows.arena, (size_t)pxr_cursor_integer(&rows, 0),
                                                sizeof(**integers));
                if (!*integers)
                        break;
                (*integers)[*count] = pxr_cursor_integer(&rows, 1);
        }
        return pxr_cursor_end(&rows);
}

int pxr_store_builds_of_sweep(struct pxr_store *store, struct pxr_arena *arena, const char *name,
                              int64_t **runs, int *count, struct pxr_diag *diag)
{
        return read_integers(pxr_query(store, arena, diag, BUILDS_OF_SWEEP_SQL, "t", name), runs,
                             count);
}

/* --- changing ----------------------------------------------------------------------------------
 */

int pxr_store_add_job(struct pxr_store *store, int64_t sweep, struct pxr_job *job,
                      struct pxr_diag *diag)
{
        struct pxr_cursor rows = pxr_query(
                store, NULL, diag,
                "INSERT INTO job (sweep, number, spec_hash, varied, rung) VALUES (?1, 1 + "
                "(SELECT coalesce(max(number), 0) FROM job WHERE sweep = ?1), ?2, ?3, ?4) "
                "ON CONFLICT (sweep, spec_hash) DO UPDATE SET listed = 1 RETURNING id, number",
                "itti", sweep, job->spec_hash, job->varied, (int64_t)job->rung);

        if (pxr_cursor_next(&rows)) {
                job->id = pxr_cursor_integer(&rows, 0);
                job->number = pxr_cursor_integer(&rows, 1);
        }
        return pxr_cursor_end(&rows);
}

int pxr_store_list_job(struct pxr_store *store, int64_t sweep, const char *spec_hash, bool listed,
                       struct pxr_diag *diag)
{
        return pxr_store_execute(store, diag,
                                 "UPDATE job SET listed = ?3 WHERE sweep = ?1 AND "
                                 "spec_hash = coalesce(?2, spec_hash) AND listed <> ?3",
                                 "iti", sweep, spec_hash, (int64_t)listed);
}

int pxr_store_claim_job(struct pxr_store *store, struct pxr_job *job, const struct pxr_run *now,
                        const char *task, struct pxr_diag *diag)
{
        if (pxr_store_execute(store, diag,
                              "UPDATE job SET state = 'running', claims = claims + 1, host = ?3, "
                              "process_id = ?4, process_start = ?5, task = ?6, "
                              "seen_at = datetime('now') WHERE id = ?1 AND claims = ?2 "
                              "AND state IN ('waiting', 'running')",
                              "iititt", job->id, job->claims, now->host, now->process_id,
                              now->process_start, task))
                return -1;
        if (sqlite3_changes(store->handle) != 1)
                return 0;
        job->state = PXR_JOB_RUNNING;
        job->claims++;
        return 1;
}

int pxr_store_keep_claims(struct pxr_store *store, const struct pxr_run *now, struct pxr_diag *diag)
{
        return pxr_store_execute(store, diag,
                                 "UPDATE job SET seen_at = datetime('now') WHERE state = 'running' "
                                 "AND host = ? AND process_id = ? AND process_start = ?",
                                 "tit", now->host, now->process_id, now->process_start);
}

int pxr_store_release_job(struct pxr_store *store, const struct pxr_job *job, struct pxr_diag *diag)
{
        return pxr_store_execute(store, diag,
                                 "UPDATE job SET state = ?3, failures = ?4, message = ?5, "
                                 "seconds = ?6, run = nullif(?7, 0), host = NULL, "
                                 "process_id = NULL, process_start = NULL "
                                 "WHERE id = ?1 AND claims = ?2",
                                 "iititdi", job->id, job->claims, state_names[job->state],
                                 job->failures, job->message, job->seconds, job->run);
}

int pxr_store_retry_jobs(struct pxr_store *store, int64_t sweep, struct pxr_diag *diag)
{
        return pxr_store_execute(
                store, diag,
                "UPDATE job SET state = 'waiting', failures = 0 "
                "WHERE sweep = ? AND failures > 0 AND state IN ('waiting', 'failed')",
                "i", sweep);
}

/* --- a cluster's tasks -------------------------------------------------------------------------
 */

int pxr_store_add_task_array(struct pxr_store *store, int64_t sweep, const char *launcher,
                             int64_t array, int64_t tasks, struct pxr_diag *diag)
{
        /* A cluster set up anew may begin to count again. */
        return pxr_store_execute(store, diag,
                                 "INSERT OR REPLACE INTO task_array (sweep, launcher, id, tasks, "
                                 "submitted_at) VALUES (?, ?, ?, ?, datetime('now'))",
                                 "itii", sweep, launcher, array, tasks);
}

int pxr_store_task_arrays(struct pxr_store *store, struct pxr_arena *arena, int64_t sweep,
                          const char *launcher, int64_t **arrays, int *count, struct pxr_diag *diag)
{
        return read_integers(pxr_query(store, arena, diag,
                                       "SELECT count(*) OVER (), id FROM task_array WHERE sweep = "
                                       "? AND launcher = ? ORDER BY id",
                                       "it", sweep, launcher),
                             arrays, count);
}

/* --- a run's side ------------------------------------------------------------------------------
 */

const char pxr_claim_variable[] = "PXR_SWEEP_CLAIM";

char *pxr_claim_text(struct pxr_arena *arena, const struct pxr_job *job, const struct pxr_run *now)
{
        return pxr_strf(arena, "%" PRId64 " %" PRId64 " %" PRId64 " %s", job->id, job->claims,
                        now->process_id, now->process_start ? now->process_start : "");
}

int pxr_store_check_job(struct pxr_store *store, struct pxr_job_ticket *ticket, const char *claim,
                        struct pxr_diag *diag)
{
        struct pxr_arena *arena = pxr_arena_new(0, diag);
        struct pxr_cursor rows = pxr_query(
                store, arena, diag,
                "SELECT claims, host, process_id, process_start FROM job WHERE id = ?1 AND "
                "state = 'running' AND printf('%d %d %d %s', id, claims, process_id, "
                "coalesce(process_start, '')) = ?2",
                "it", ticket->job, claim);
        bool ours = pxr_cursor_next(&rows);

        if (ours) {
                const char *host = pxr_cursor_text(&rows, 1);
                const char *start = pxr_cursor_optional(&rows, 3);

                ticket->claim = pxr_cursor_integer(&rows, 0);
                /* Without /proc, no process has a start on record. */
                ours = !pxr_process_host(host) || !start ||
                       pxr_process_lives(host, pxr_cursor_integer(&rows, 2), start);
        }
        if (pxr_cursor_end(&rows))
                ours = false;
        else if (!ours && !claim)
                pxr_user_error(diag,
                               "%s: --job %" PRId64 ": %s is not set: only pxr-sweep may pass "
                               "--job, and its --mpirun must pass this variable on to rank 0",
                               store->path, ticket->job, pxr_claim_variable);
        else if (!ours)
                pxr_user_error(diag,
                               "%s: job %" PRId64 " is not claimed by the process that started "
                               "this one: only pxr-sweep may pass --job",
                               store->path, ticket->job);
        pxr_arena_free(arena);
        return ours ? 0 : -1;
}

int pxr_store_link_job(struct pxr_store *store, const struct pxr_job_ticket *ticket, int64_t run,
                       const char *spec_hash, struct pxr_diag *diag)
{
        if (pxr_store_execute(store, diag,
                              "UPDATE job SET run = ?3 WHERE id = ?1 AND claims = ?2 AND "
                              "spec_hash = ?4",
                              "iiit", ticket->job, ticket->claim, run, spec_hash))
                return -1;
        if (sqlite3_changes(store->handle) == 1)
                return 0;
        return pxr_user_error(diag,
                              "%s: job %" PRId64 " was claimed by another process, or its "
                              "spec changed since the sweep began: run pxr-sweep again",
                              store->path, ticket->job);
}
