/* SPDX-License-Identifier: MIT */
/* queue.c - the jobs of a sweep, decided on from the run database. */
#include "sweep/queue.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

enum { SAME_ERROR = 3 }; /* jobs that fail with one error before any has finished end the sweep */

int pxr_jobs_read(struct pxr_queue *q, struct pxr_jobs *jobs)
{
        jobs->arena = pxr_arena_new(0, q->diag);
        return jobs->arena ? pxr_store_jobs(q->options->store, jobs->arena, q->sweep, false,
                                            &jobs->job, &jobs->count, q->diag)
                           : -1;
}

void pxr_jobs_free(struct pxr_jobs *jobs)
{
        pxr_arena_free(jobs->arena);
        *jobs = (struct pxr_jobs) { 0 };
}

bool pxr_queue_report(const struct pxr_queue *q)
{
        const struct pxr_sweep_state *state = q->state;
        char detail[96], failed[32] = "";
        int done = state->finished + state->failed;

        if (state->failed)
                snprintf(failed, sizeof(failed), ", %d failed", state->failed);
        snprintf(detail, sizeof(detail), "%d of %d done, %d running%s", done, state->known,
                 state->running + state->elsewhere, failed);
        return pxr_observe(&q->options->observer.base,
                           &(struct pxr_progress) { .what = "sweep",
                                                    .unit = "jobs",
                                                    .done = done,
                                                    .all = state->known,
                                                    .seconds_left = state->seconds_left,
                                                    .detail = detail });
}

/* --- which jobs there are ----------------------------------------------------------------------
 */

static int add_job(struct pxr_queue *q, const struct pxr_trial *trial, struct pxr_job *job)
{
        *job = (struct pxr_job) { .spec_hash = trial->spec_hash,
                                  .varied = trial->varied,
                                  .rung = trial->rung,
                                  .listed = true,
                                  .nats = NAN };
        return pxr_store_add_job(q->options->store, q->sweep, job, q->diag);
}

/* A job for each trial of the lowest rung; jobs no longer in the file stay on record. */
static int enroll_jobs(struct pxr_queue *q)
{
        const struct pxr_plan *plan = q->options->plan;
        struct pxr_store *store = q->options->store;
        int64_t unlisted, finished;
        struct pxr_job job;
        char text[512];

        if (pxr_store_list_job(store, q->sweep, NULL, false, q->diag))
                return -1;
        for (int i = 0; i < plan->trials; i++) {
                const struct pxr_trial *trial = &plan->trial[i];

                if (trial->rung == 0
                            ? add_job(q, trial, &job)
                            : pxr_store_list_job(store, q->sweep, trial->spec_hash, true, q->diag))
                        return -1;
        }
        if (pxr_store_integer(store, &unlisted, q->diag,
                              "SELECT count(*) FROM job WHERE sweep = ? AND NOT listed", "i",
                              q->sweep) ||
            pxr_store_integer(store, &finished, q->diag,
                              "SELECT count(*) FROM job WHERE sweep = ? AND NOT listed "
                              "AND state = 'finished'",
                              "i", q->sweep))
                return -1;
        if (unlisted) {
                int length = snprintf(text, sizeof(text),
                                      "skipped %" PRId64 " recorded job%s no longer in the sweep",
                                      unlisted, pxr_plural(unlisted));

                if (finished)
                        snprintf(text + length, sizeof(text) - length,
                                 "; %" PRId64 " of them finished, and pxr-report runs --where "
                                 "\"sweep = '%s'\" still lists %s",
                                 finished, q->options->sweep->name,
                                 finished == 1 ? "its run" : "their runs");
                pxr_observe_note(&q->options->observer.base, text);
        }
        return q->options->retry ? pxr_store_retry_jobs(store, q->sweep, q->diag) : 0;
}

int pxr_queue_enroll(struct pxr_queue *q)
{
        const struct pxr_sweep *sweep = q->options->sweep;
        int status;

        if (pxr_store_begin(q->options->store, q->diag))
                return -1;
        status = pxr_store_add_sweep(q->options->store, sweep->name, sweep->search.variant->name,
                                     sweep->definition, &q->sweep, q->diag);
        if (!status && !q->options->task) /* the sweep that submits tasks has done it for them */
                status = enroll_jobs(q);
        return pxr_store_conclude(q->options->store, status, q->diag);
}

/* --- how a job stands --------------------------------------------------------------------------
 */

enum standing {
        READY,
        HERE,      /* running, claimed by this process */
        ELSEWHERE, /* running, claimed by another process */
        ENDING,    /* its sweep was killed, and its run is about to end */
        LOST,      /* its cluster task was lost, and this try with it */
        OVER,
};

static bool is_here(const struct pxr_queue *q, const struct pxr_job *job)
{
        return job->host && job->process_start && job->process_id == q->self->process_id &&
               strcmp(job->host, q->self->host) == 0 &&
               strcmp(job->process_start, q->self->process_start) == 0;
}

/* Whether the process that has claimed a job still exists. For one on another host, only its
 * silence says that it does not, unless a cluster knows. */
static bool is_held(const struct pxr_queue *q, const struct pxr_job *job)
{
        if (job->task && q->is_gone && q->is_gone(q->cluster, job))
                return false;
        if (job->host && !pxr_process_host(job->host))
                return !job->silent;
        return pxr_process_lives(job->host, job->process_id, job->process_start);
}

bool pxr_job_has_run(const struct pxr_job *job, const char *status)
{
        return job->run_status && strcmp(job->run_status, status) == 0;
}

static enum standing standing(const struct pxr_queue *q, const struct pxr_job *job)
{
        if (!job->listed || job->state == PXR_JOB_FINISHED || job->state == PXR_JOB_FAILED)
                return OVER;
        if (job->state == PXR_JOB_WAITING)
                return READY;
        if (is_here(q, job))
                return HERE;
        if (is_held(q, job))
                return ELSEWHERE;
        if (pxr_job_has_run(job, "running") &&
            pxr_process_lives(job->run_host, job->run_process_id, job->run_process_start))
                return ENDING;
        return job->task ? LOST : READY;
}

static void count_job(const struct pxr_queue *q, const struct pxr_job *job)
{
        struct pxr_sweep_state *state = q->state;
        enum standing how = standing(q, job);

        state->known++;
        state->seconds += job->seconds;
        state->finished += job->state == PXR_JOB_FINISHED;
        state->failed += job->state == PXR_JOB_FAILED;
        state->waiting += how == READY || how == LOST;
        state->running += how == HERE;
        state->elsewhere += how == ELSEWHERE;
        state->ending += how == ENDING;
        if (how == ELSEWHERE) {
                state->elsewhere_process = job->process_id;
                snprintf(state->elsewhere_host, sizeof(state->elsewhere_host), "%s",
                         job->host ? job->host : "?");
        }
}

void pxr_queue_count(struct pxr_queue *q, const struct pxr_jobs *jobs)
{
        struct pxr_sweep_state *state = q->state;
        double finished = 0, hours = q->options->sweep->budget.hours;
        int left;

        *state = (struct pxr_sweep_state) { .sweep = q->sweep,
                                            .seconds = q->seconds_here,
                                            .seconds_left = NAN };
        for (int i = 0; i < jobs->count; i++) {
                if (!jobs->job[i].listed)
                        continue;
                count_job(q, &jobs->job[i]);
                if (jobs->job[i].state == PXR_JOB_FINISHED)
                        finished += jobs->job[i].seconds;
        }
        left = state->waiting + state->running;
        if (state->finished > 0)
                state->seconds_left =
                        fmax(0, (finished / state->finished * left - q->seconds_here) /
                                        q->options->jobs);
        q->out_of_time |= hours > 0 && state->seconds >= 3600 * hours && left > 0;
}

/* --- what to do next ---------------------------------------------------------------------------
 */

static bool was_interrupted(const struct pxr_job *job)
{
        return job->claims > 0 && job->failures == 0;
}

/* The job to start next. Interrupted ones go first, those that have failed last. */
static struct pxr_job *pick(const struct pxr_queue *q, const struct pxr_jobs *jobs)
{
        struct pxr_job *best = NULL;

        for (int i = 0; i < jobs->count; i++) {
                struct pxr_job *job = &jobs->job[i];

                if (standing(q, job) == READY &&
                    (!best || job->failures < best->failures ||
                     (was_interrupted(job) && !was_interrupted(best))) &&
                    pxr_plan_find(q->options->plan, job->spec_hash))
                        best = job;
        }
        return best;
}

/* How many more jobs the budget lets start. */
static int budget_left(const struct pxr_queue *q, const struct pxr_jobs *jobs)
{
        int left = (int)q->options->sweep->budget.runs;

        if (!left)
                return PXR_SWEEP_MAX_TRIALS;
        for (int i = 0; i < jobs->count; i++)
                left -= jobs->job[i].listed && jobs->job[i].claims > 0;
        return left > 0 ? left : 0;
}

int pxr_queue_ready(const struct pxr_queue *q, const struct pxr_jobs *jobs)
{
        int started = 0, new = 0, left = budget_left(q, jobs);

        for (int i = 0; i < jobs->count; i++) {
                bool ready = standing(q, &jobs->job[i]) == READY;

                started += ready && jobs->job[i].claims > 0;
                new += ready && jobs->job[i].claims == 0;
        }
        return started + (new < left ? new : left);
}

/* The trial of the same configuration one rung up; NULL: none, as for a job that only another
 * process with a newer version of the file knows. */
static const struct pxr_trial *rung_above(const struct pxr_plan *plan, const struct pxr_trial *of)
{
        const struct pxr_trial *next = of ? of + 1 : NULL, *end = plan->trial + plan->trials;

        return next && next < end && next->configuration == of->configuration ? next : NULL;
}

/* Asynchronous successive halving (ASHA): Li et al., "A system for massively parallel
 * hyperparameter tuning", MLSys 2020, algorithm 2. A trial is promoted as soon as it is among the
 * best of its rung so far, without waiting for the rung to fill. */
struct pxr_cursor pxr_halving_candidates(struct pxr_store *store, int64_t sweep, int rungs,
                                         int64_t factor, struct pxr_diag *diag)
{
        /* The result of a job that failed or is suspect is NULL. */
        return pxr_query(
                store, NULL, diag,
                "WITH ended AS (SELECT job.spec_hash, number, rung, iif(state = 'finished' AND "
                "suspect IS NULL AND abs(nats_per_image) < 9e999, nats_per_image, NULL) AS result "
                "FROM job LEFT JOIN nll ON nll.run = job.run AND nll.name = 'final_nll' AND "
                "split = 'valid' WHERE sweep = ? AND listed AND state IN ('finished', 'failed')), "
                "placed AS (SELECT *, row_number() OVER (PARTITION BY rung ORDER BY result "
                "NULLS LAST, number) AS place, count(*) OVER (PARTITION BY rung) AS ends "
                "FROM ended) SELECT spec_hash FROM placed WHERE result IS NOT NULL "
                "AND place <= ends / ? AND rung < ? ORDER BY rung DESC, place",
                "iii", sweep, factor, (int64_t)rungs - 1);
}

static bool has_job(const struct pxr_jobs *jobs, const struct pxr_trial *trial)
{
        for (int i = 0; i < jobs->count; i++)
                if (strcmp(jobs->job[i].spec_hash, trial->spec_hash) == 0)
                        return true;
        return false;
}

int pxr_queue_promote(struct pxr_queue *q, const struct pxr_jobs *jobs, struct pxr_job *job)
{
        const struct pxr_plan *plan = q->options->plan;
        const struct pxr_sweep *sweep = q->options->sweep;
        const struct pxr_trial *next = NULL;
        struct pxr_cursor rows;

        if (!plan->epochs || !budget_left(q, jobs))
                return 0;
        rows = pxr_halving_candidates(q->options->store, q->sweep, sweep->rungs,
                                      sweep->draws.factor, q->diag);
        while (!next && pxr_cursor_next(&rows)) {
                next = rung_above(plan, pxr_plan_find(plan, pxr_cursor_text(&rows, 0)));
                if (next && has_job(jobs, next))
                        next = NULL;
        }
        if (pxr_cursor_end(&rows))
                return -1;
        return !next ? 0 : add_job(q, next, job) ? -1 : 1;
}

/* The next job, not yet claimed. 1: there is one, 0, or -1. */
static int choose(struct pxr_queue *q, const struct pxr_jobs *jobs, struct pxr_job *job)
{
        struct pxr_job *picked = pick(q, jobs);
        int promoted = picked && was_interrupted(picked) ? 0 : pxr_queue_promote(q, jobs, job);

        if (promoted || !picked)
                return promoted;
        if (picked->claims == 0 && !budget_left(q, jobs)) {
                q->out_of_runs = true;
                return 0;
        }
        *job = *picked;
        return 1;
}

void pxr_queue_count_failure(const struct pxr_queue *q, struct pxr_job *job)
{
        job->state =
                ++job->failures > q->options->sweep->retries ? PXR_JOB_FAILED : PXR_JOB_WAITING;
}

int pxr_queue_settle(struct pxr_queue *q, struct pxr_jobs *jobs)
{
        for (int i = 0; i < jobs->count; i++) {
                struct pxr_job *job = &jobs->job[i];
                enum standing how = standing(q, job);
                bool finished = pxr_job_has_run(job, "finished");

                if (how != LOST && (how != READY || !finished))
                        continue;
                if (pxr_store_claim_job(q->options->store, job, q->self, job->task, q->diag) < 0)
                        return -1;
                if (finished) {
                        job->state = PXR_JOB_FINISHED;
                } else {
                        job->message = pxr_strf(jobs->arena,
                                                "its task '%s' was lost: killed, out of time, or "
                                                "its node went down",
                                                job->task);
                        pxr_queue_count_failure(q, job);
                }
                if (pxr_store_release_job(q->options->store, job, q->diag))
                        return -1;
        }
        return 0;
}

int pxr_queue_claim(struct pxr_queue *q, struct pxr_jobs *jobs, struct pxr_job *job)
{
        struct pxr_store *store = q->options->store;
        int status;

        if (pxr_store_begin(store, q->diag))
                return -1;
        status = pxr_jobs_read(q, jobs) || pxr_queue_settle(q, jobs) ? -1 : choose(q, jobs, job);
        if (status == 1)
                status = pxr_store_claim_job(store, job, q->self, q->options->task, q->diag);
        if (status >= 0)
                pxr_queue_count(q, jobs);
        return pxr_store_conclude(store, status, q->diag);
}

/* --- the end of a run --------------------------------------------------------------------------
 */

/* A run by itself, as a command to type. */
static char *by_hand(const struct pxr_queue *q, struct pxr_arena *arena,
                     const struct pxr_trial *trial)
{
        const char *const program[] = { "pxr-run", q->options->sweep->spec, NULL };
        const char *const *const lists[] = { program, trial->overrides.text, NULL };

        return pxr_shell_line(arena, pxr_join_arguments(arena, lists));
}

/* Whether two messages are the same except for numbers, decimal or hexadecimal, such as the run or
 * file they name. */
static bool is_same_error(const char *left, const char *right)
{
        static const char digits[] = "0123456789abcdef";

        do {
                left += strspn(left, digits);
                right += strspn(right, digits);
                if (*left != *right)
                        return false;
        } while (*left++ && *right++);
        return true;
}

int pxr_queue_check_errors(struct pxr_queue *q, const struct pxr_jobs *jobs,
                           const struct pxr_job *last, bool refused)
{
        int failed = 0;

        if (last->state == PXR_JOB_FINISHED || !last->message || q->same_error)
                return 0;
        for (int i = 0; i < jobs->count; i++) {
                const struct pxr_job *job = &jobs->job[i];
                const char *message = job->message ? job->message : "";

                if (!job->listed)
                        continue;
                if (job->state == PXR_JOB_FINISHED ||
                    (job->failures > 0 && !is_same_error(message, last->message)))
                        return 0;
                failed += job->failures > 0;
        }
        if (failed < SAME_ERROR)
                return 0;
        if (pxr_store_retry_jobs(q->options->store, q->sweep, q->diag))
                return -1;
        q->same_error = true;
        (refused ? pxr_user_error : pxr_system_error)(
                q->diag, "%s: sweep stopped: the first %d jobs failed with the same error: %s",
                q->options->sweep->name, failed, last->message);
        pxr_note(q->diag, "job %" PRId64 " by itself: %s", last->number,
                 by_hand(q, jobs->arena, pxr_plan_find(q->options->plan, last->spec_hash)));
        pxr_note(q->diag, "fix the cause and run the same command again to continue");
        return -1;
}
