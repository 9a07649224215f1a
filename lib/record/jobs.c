/* SPDX-License-Identifier: MIT */
/*
 * jobs.c - sweeps and their jobs in the run database.
 */
#include "record/jobs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "record/statement.h"

static const char *const state_names[] = { "waiting", "running", "finished", "failed" };

static enum pxr_job_state state_of(const char *name)
{
        int state = PXR_JOB_FAILED;

        while (state > 0 && (!name || strcmp(state_names[state], name) != 0))
                state--;
        return (enum pxr_job_state)state;
}

int pxr_store_take_sweep(struct pxr_store *store, const char *name, const char *search,
                         const char *definition, int64_t *sweep, struct pxr_diag *diag)
{
        sqlite3_stmt *s = pxr_store_query(
                store, diag,
                "INSERT INTO sweep (name, search, definition, created_at) "
                "VALUES (?, ?, ?, strftime('%Y-%m-%d %H:%M:%f', 'now')) ON CONFLICT (name) "
                "DO UPDATE SET search = excluded.search, definition = excluded.definition "
                "RETURNING id",
                "ttt", name, search, definition);
        int status = -1;

        if (!s)
                return -1;
        if (sqlite3_step(s) == SQLITE_ROW) {
                *sweep = sqlite3_column_int64(s, 0);
                status = sqlite3_step(s) == SQLITE_DONE ? 0 : -1;
        }
        if (status)
                pxr_store_failed(store, diag);
        sqlite3_finalize(s);
        return status;
}

/* --- reading -----------------------------------------------------------------------------------
 */

static int read_job(sqlite3_stmt *s, struct pxr_arena *arena, struct pxr_job *job)
{
        bool short_of = false;

        *job = (struct pxr_job) {
                .id = sqlite3_column_int64(s, 0),
                .number = sqlite3_column_int64(s, 1),
                .spec_hash = pxr_store_text(s, 2, arena, &short_of),
                .varied = pxr_store_text(s, 3, arena, &short_of),
                .rung = sqlite3_column_int(s, 4),
                .wanted = sqlite3_column_int(s, 5) != 0,
                .state = state_of((const char *)sqlite3_column_text(s, 6)),
                .failures = sqlite3_column_int64(s, 7),
                .taken = sqlite3_column_int64(s, 8),
                .message = pxr_store_optional(s, 9, arena, &short_of),
                .seconds = sqlite3_column_double(s, 10),
                .host = pxr_store_optional(s, 11, arena, &short_of),
                .process_id = sqlite3_column_int64(s, 12),
                .process_start = pxr_store_optional(s, 13, arena, &short_of),
                .silent = sqlite3_column_int(s, 14) != 0,
                .task = pxr_store_optional(s, 15, arena, &short_of),
                .run = sqlite3_column_int64(s, 16),
                .run_status = pxr_store_optional(s, 17, arena, &short_of),
                .run_host = pxr_store_optional(s, 18, arena, &short_of),
                .run_process_id = sqlite3_column_int64(s, 19),
                .run_process_start = pxr_store_optional(s, 20, arena, &short_of),
                .nats = pxr_store_real(s, 21),
                .bits = pxr_store_real(s, 22),
                .standard_error = pxr_store_real(s, 23),
                .suspect = pxr_store_optional(s, 24, arena, &short_of),
                .archived = sqlite3_column_int(s, 25) != 0,
        };
        return short_of ? -1 : 0;
}

static int read_jobs(struct pxr_store *store, sqlite3_stmt *s, struct pxr_arena *arena,
                     struct pxr_job *jobs, int count, struct pxr_diag *diag)
{
        for (int i = 0; i < count; i++) {
                if (sqlite3_step(s) != SQLITE_ROW)
                        return pxr_store_failed(store, diag);
                if (read_job(s, arena, &jobs[i]))
                        return pxr_out_of_memory(diag);
        }
        return 0;
}

/* Count, then read, as of one moment. */
static int count_and_read(struct pxr_store *store, struct pxr_arena *arena, int64_t sweep,
                          struct pxr_job **jobs, int *count, struct pxr_diag *diag)
{
        sqlite3_stmt *s = pxr_store_query(store, diag, "SELECT count(*) FROM job WHERE sweep = ?",
                                          "i", sweep);
        char silence[32];
        int status;

        if (!s)
                return -1;
        if (sqlite3_step(s) != SQLITE_ROW) {
                pxr_store_failed(store, diag);
                sqlite3_finalize(s);
                return -1;
        }
        snprintf(silence, sizeof(silence), "-%d seconds", PXR_JOB_SILENCE);
        *count = sqlite3_column_int(s, 0);
        sqlite3_finalize(s);
        *jobs = pxr_alloc_array(arena, (size_t)*count + 1, sizeof(**jobs));
        if (!*jobs)
                return pxr_out_of_memory(diag);
        s = pxr_store_query(
                store, diag,
                "SELECT job.id, number, job.spec_hash, varied, rung, wanted, state, failures, "
                "job.taken, job.message, seconds, job.host, job.process_id, job.process_start, "
                "coalesce(seen_at < datetime('now', ?2), 0), task, "
                "job.run, run.status, run.host, run.process_id, run.process_start, "
                "nats_per_image, bits_per_dimension, standard_error, suspect, "
                "run.archived_at IS NOT NULL "
                "FROM job LEFT JOIN run ON run.id = job.run LEFT JOIN nll ON nll.run = run.id AND "
                "nll.name = 'final_nll' AND split = 'valid' WHERE sweep = ?1 ORDER BY number",
                "it", sweep, silence);
        if (!s)
                return -1;
        status = read_jobs(store, s, arena, *jobs, *count, diag);
        sqlite3_finalize(s);
        return status;
}

int pxr_store_jobs(struct pxr_store *store, struct pxr_arena *arena, int64_t sweep,
                   struct pxr_job **jobs, int *count, struct pxr_diag *diag)
{
        bool outer = !sqlite3_get_autocommit(store->handle);
        int status;

        if (!outer && pxr_store_execute(store, diag, "BEGIN", ""))
                return -1;
        status = count_and_read(store, arena, sweep, jobs, count, diag);
        if (!outer)
                pxr_store_rollback(store);
        return status;
}

int pxr_store_builds_of_sweep(struct pxr_store *store, struct pxr_arena *arena, const char *name,
                              int64_t **runs, int *count, struct pxr_diag *diag)
{
        enum { MOST = 64 };
        sqlite3_stmt *s = pxr_store_query(
                store, diag,
                "SELECT max(run) FROM (SELECT run.id AS run, (SELECT group_concat(plugin.name || "
                "plugin.sha256) FROM plugin WHERE plugin.run = run.id) AS plugins FROM sweep "
                "JOIN job ON job.sweep = sweep.id JOIN run ON run.id = job.run "
                "WHERE sweep.name = ? AND run.fingerprint_version IS NOT NULL) "
                "GROUP BY plugins ORDER BY 1 DESC LIMIT ?",
                "ti", name, (int64_t)MOST);
        int status;

        *count = 0;
        *runs = s ? pxr_alloc_array(arena, MOST, sizeof(**runs)) : NULL;
        if (s && !*runs)
                pxr_out_of_memory(diag);
        if (!*runs) {
                sqlite3_finalize(s);
                return -1;
        }
        while ((status = sqlite3_step(s)) == SQLITE_ROW)
                (*runs)[(*count)++] = sqlite3_column_int64(s, 0);
        if (status != SQLITE_DONE)
                pxr_store_failed(store, diag);
        sqlite3_finalize(s);
        return status == SQLITE_DONE ? 0 : -1;
}

/* --- changing ----------------------------------------------------------------------------------
 */

int pxr_store_add_job(struct pxr_store *store, int64_t sweep, struct pxr_job *job,
                      struct pxr_diag *diag)
{
        sqlite3_stmt *s = pxr_store_query(
                store, diag,
                "INSERT INTO job (sweep, number, spec_hash, varied, rung) VALUES (?1, 1 + "
                "(SELECT coalesce(max(number), 0) FROM job WHERE sweep = ?1), ?2, ?3, ?4) "
                "RETURNING id, number",
                "itti", sweep, job->spec_hash, job->varied, (int64_t)job->rung);
        int status = -1;

        if (!s)
                return -1;
        if (sqlite3_step(s) == SQLITE_ROW) {
                job->id = sqlite3_column_int64(s, 0);
                job->number = sqlite3_column_int64(s, 1);
                status = sqlite3_step(s) == SQLITE_DONE ? 0 : -1;
        }
        if (status)
                pxr_store_failed(store, diag);
        sqlite3_finalize(s);
        return status;
}

int pxr_store_want_job(struct pxr_store *store, int64_t job, bool wanted, struct pxr_diag *diag)
{
        return pxr_store_execute(store, diag, "UPDATE job SET wanted = ?2 WHERE id = ?1", "ii", job,
                                 (int64_t)wanted);
}

int pxr_store_take_job(struct pxr_store *store, struct pxr_job *job,
                       const struct pxr_provenance *now, const char *task, struct pxr_diag *diag)
{
        if (pxr_store_execute(store, diag,
                              "UPDATE job SET state = 'running', taken = taken + 1, host = ?3, "
                              "process_id = ?4, process_start = ?5, task = ?6, "
                              "seen_at = datetime('now') WHERE id = ?1 AND taken = ?2 "
                              "AND state IN ('waiting', 'running')",
                              "iititt", job->id, job->taken, now->host, now->process_id,
                              now->process_start, task))
                return -1;
        if (sqlite3_changes(store->handle) != 1)
                return 0;
        job->state = PXR_JOB_RUNNING;
        job->taken++;
        return 1;
}

int pxr_store_hold_job(struct pxr_store *store, int64_t job, int64_t taken, struct pxr_diag *diag)
{
        return pxr_store_execute(store, diag,
                                 "UPDATE job SET seen_at = datetime('now') "
                                 "WHERE id = ? AND taken = ?",
                                 "ii", job, taken);
}

int pxr_store_leave_job(struct pxr_store *store, const struct pxr_job *job, struct pxr_diag *diag)
{
        return pxr_store_execute(store, diag,
                                 "UPDATE job SET state = ?3, failures = ?4, message = ?5, "
                                 "seconds = ?6, run = nullif(?7, 0), host = NULL, "
                                 "process_id = NULL, process_start = NULL "
                                 "WHERE id = ?1 AND taken = ?2",
                                 "iititdi", job->id, job->taken, state_names[job->state],
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
                                 "INSERT OR REPLACE INTO task_array VALUES (?, ?, ?, ?, "
                                 "datetime('now'))",
                                 "itii", sweep, launcher, array, tasks);
}

int pxr_store_task_arrays(struct pxr_store *store, struct pxr_arena *arena, int64_t sweep,
                          const char *launcher, int64_t **arrays, int *count, struct pxr_diag *diag)
{
        int status = SQLITE_ROW, room = 0;
        sqlite3_stmt *s = pxr_store_query(
                store, diag,
                "SELECT id, count(*) OVER () FROM task_array WHERE sweep = ? AND launcher = ? "
                "ORDER BY id",
                "it", sweep, launcher);

        *arrays = NULL;
        *count = 0;
        if (!s)
                return -1;
        while ((status = sqlite3_step(s)) == SQLITE_ROW) {
                if (!*arrays) {
                        room = sqlite3_column_int(s, 1);
                        *arrays = pxr_alloc_array(arena, (size_t)room, sizeof(**arrays));
                }
                if (!*arrays || *count == room)
                        break;
                (*arrays)[(*count)++] = sqlite3_column_int64(s, 0);
        }
        if (status == SQLITE_ROW)
                pxr_out_of_memory(diag);
        else if (status != SQLITE_DONE)
                pxr_store_failed(store, diag);
        sqlite3_finalize(s);
        return status == SQLITE_DONE ? 0 : -1;
}

/* --- a run's side ------------------------------------------------------------------------------
 */

int pxr_store_check_job(struct pxr_store *store, struct pxr_job_ticket *ticket, int64_t holder,
                        struct pxr_diag *diag)
{
        sqlite3_stmt *s = pxr_store_query(
                store, diag, "SELECT taken, process_id FROM job WHERE id = ? AND state = 'running'",
                "i", ticket->job);
        int status = s ? sqlite3_step(s) : SQLITE_ERROR;
        int64_t process = 0;

        if (!s)
                return -1;
        if (status == SQLITE_ROW) {
                ticket->taken = sqlite3_column_int64(s, 0);
                process = sqlite3_column_int64(s, 1);
        } else if (status != SQLITE_DONE) {
                pxr_store_failed(store, diag);
                sqlite3_finalize(s);
                return -1;
        }
        sqlite3_finalize(s);
        if (status == SQLITE_ROW && process == holder)
                return 0;
        return pxr_user_error(diag,
                              "%s: job %" PRId64 " is not of the sweep that this run is started "
                              "by: --job is for pxr-sweep alone",
                              store->path, ticket->job);
}

int pxr_store_link_job(struct pxr_store *store, const struct pxr_job_ticket *ticket, int64_t run,
                       const char *spec_hash, struct pxr_diag *diag)
{
        if (pxr_store_execute(store, diag,
                              "UPDATE job SET run = ?3 WHERE id = ?1 AND taken = ?2 AND "
                              "spec_hash = ?4",
                              "iiit", ticket->job, ticket->taken, run, spec_hash))
                return -1;
        if (sqlite3_changes(store->handle) == 1)
                return 0;
        return pxr_user_error(diag,
                              "%s: job %" PRId64 " has been taken up by another process, or its "
                              "spec was changed since the sweep began: run pxr-sweep again",
                              store->path, ticket->job);
}
