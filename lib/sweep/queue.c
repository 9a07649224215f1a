/* SPDX-License-Identifier: MIT */
/* queue.c - the jobs of a sweep, decided on from the run database. */
#include "sweep/queue.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "sweep/halving.h"

enum { ALIKE = 3 }; /* jobs that fail of one error before any is finished end the sweep */

int pxr_view_open(struct pxr_queue *s, struct pxr_view *view)
{
        view->arena = pxr_arena_new(0, s->diag);
        if (!view->arena)
                return pxr_out_of_memory(s->diag);
        return pxr_store_jobs(s->order->store, view->arena, s->sweep, &view->job, &view->count,
                              s->diag);
}

void pxr_view_close(struct pxr_view *view)
{
        pxr_arena_free(view->arena);
}

void pxr_queue_tell(const struct pxr_queue *s, const char *text)
{
        const struct pxr_sweep_watcher *watcher = &s->order->watcher;

        if (watcher->note)
                watcher->note(watcher->context, text);
}

/* --- the jobs that there are to be -------------------------------------------------------------
 */

static const struct pxr_job *job_of(const struct pxr_view *view, const char *spec_hash)
{
        for (int i = 0; i < view->count; i++)
                if (strcmp(view->job[i].spec_hash, spec_hash) == 0)
                        return &view->job[i];
        return NULL;
}

static int add_job(struct pxr_queue *s, const struct pxr_trial *trial, struct pxr_job *job)
{
        *job = (struct pxr_job) { .spec_hash = trial->spec_hash,
                                  .varied = trial->varied,
                                  .rung = trial->rung,
                                  .wanted = true,
                                  .nats = NAN };
        return pxr_store_add_job(s->order->store, s->sweep, job, s->diag);
}

/* A job for each trial of the lowest rung; those that are no longer in the file stay on record. */
static int enroll_jobs(struct pxr_queue *s, const struct pxr_view *view)
{
        const struct pxr_plan *plan = s->order->plan;
        struct pxr_job job;
        char text[128];
        int unwanted = 0;

        for (int i = 0; i < view->count; i++) {
                bool wanted = pxr_plan_find(plan, view->job[i].spec_hash) != NULL;

                unwanted += !wanted;
                if (wanted != view->job[i].wanted &&
                    pxr_store_want_job(s->order->store, view->job[i].id, wanted, s->diag))
                        return -1;
        }
        for (int i = 0; i < plan->trials; i++)
                if (plan->trial[i].rung == 0 && !job_of(view, plan->trial[i].spec_hash) &&
                    add_job(s, &plan->trial[i], &job))
                        return -1;
        if (unwanted) {
                snprintf(text, sizeof(text),
                         "%d job%s on record %s not in the sweep as it is now, and %s left out",
                         unwanted, pxr_plural(unwanted), unwanted == 1 ? "is" : "are",
                         unwanted == 1 ? "is" : "are");
                pxr_queue_tell(s, text);
        }
        return s->order->retry ? pxr_store_retry_jobs(s->order->store, s->sweep, s->diag) : 0;
}

int pxr_queue_enroll(struct pxr_queue *s)
{
        static const char *const names[] = { "grid", "random", "halving" };
        const struct pxr_sweep *sweep = s->order->sweep;
        struct pxr_view view = { 0 };
        int status;

        if (pxr_store_begin(s->order->store, s->diag))
                return -1;
        status = pxr_store_take_sweep(s->order->store, sweep->name, names[sweep->search],
                                      sweep->definition, &s->sweep, s->diag);
        if (!status)
                status = pxr_view_open(s, &view);
        if (!status)
                status = enroll_jobs(s, &view);
        pxr_view_close(&view);
        if (!status)
                return pxr_store_commit(s->order->store, s->diag);
        pxr_store_rollback(s->order->store);
        return -1;
}

/* --- how a job stands --------------------------------------------------------------------------
 */

enum standing {
        FREE,      /* to be taken up */
        OURS,      /* at work here */
        ELSEWHERE, /* at work in another process */
        DYING,     /* its sweep was killed, and its run is about to end */
        LOST,      /* its task of a cluster was, as was this try */
        OVER,
};

static bool ours(const struct pxr_queue *s, const struct pxr_job *job)
{
        for (int i = 0; i < s->slots; i++)
                if (s->slot[i].used && s->slot[i].job == job->id)
                        return true;
        return false;
}

/* Is the process that has taken a job up still there? On another host that can be told by its
 * silence alone, unless a cluster knows. */
static bool is_held(const struct pxr_queue *s, const struct pxr_job *job)
{
        if (job->task && s->is_gone && s->is_gone(s->cluster, job))
                return false;
        if (job->host && !pxr_process_host(job->host))
                return !job->silent;
        return pxr_process_lives(job->host, job->process_id, job->process_start);
}

static enum standing standing(const struct pxr_queue *s, const struct pxr_job *job)
{
        if (!job->wanted || job->state == PXR_JOB_FINISHED || job->state == PXR_JOB_FAILED)
                return OVER;
        if (job->state == PXR_JOB_WAITING)
                return FREE;
        if (ours(s, job))
                return OURS;
        if (is_held(s, job))
                return ELSEWHERE;
        if (job->run_status && strcmp(job->run_status, "running") == 0 &&
            pxr_process_lives(job->run_host, job->run_process_id, job->run_process_start))
                return DYING;
        return job->task ? LOST : FREE;
}

static void add_to_state(const struct pxr_queue *s, const struct pxr_job *job)
{
        struct pxr_sweep_state *state = s->state;
        enum standing how = standing(s, job);

        state->known++;
        state->seconds += job->seconds;
        state->finished += job->state == PXR_JOB_FINISHED;
        state->failed += job->state == PXR_JOB_FAILED;
        state->waiting += how == FREE || how == LOST;
        state->running += how == OURS;
        state->elsewhere += how == ELSEWHERE;
        state->dying += how == DYING;
        if (how == ELSEWHERE) {
                state->elsewhere_process = job->process_id;
                snprintf(state->elsewhere_host, sizeof(state->elsewhere_host), "%s",
                         job->host ? job->host : "?");
        }
}

/* With what the runs at work here have taken so far. */
void pxr_queue_sum_up(struct pxr_queue *s, const struct pxr_view *view)
{
        struct pxr_sweep_state *state = s->state;
        double finished = 0, now = pxr_now(), at_work = 0, hours = s->order->sweep->budget.hours;
        int left;

        *state = (struct pxr_sweep_state) { .sweep = s->sweep, .seconds_left = NAN };
        for (int i = 0; i < view->count; i++) {
                if (!view->job[i].wanted)
                        continue;
                add_to_state(s, &view->job[i]);
                if (view->job[i].state == PXR_JOB_FINISHED)
                        finished += view->job[i].seconds;
        }
        for (int i = 0; i < s->slots; i++)
                if (s->slot[i].used)
                        at_work += now - s->slot[i].child.started;
        state->seconds += at_work;
        left = state->waiting + state->running;
        if (state->finished > 0) {
                double all = finished / state->finished * left;

                state->seconds_left = fmax(0, (all - at_work) / s->order->jobs);
        }
        s->out_of_time |= hours > 0 && state->seconds >= 3600 * hours && left > 0;
}

/* --- what to do next ---------------------------------------------------------------------------
 */

/* Of the free jobs the one to take: those begun and interrupted go before all others, those that
 * have failed behind them. */
static struct pxr_job *pick(const struct pxr_queue *s, const struct pxr_view *view,
                            bool interrupted)
{
        struct pxr_job *best = NULL;

        for (int i = 0; i < view->count; i++) {
                struct pxr_job *job = &view->job[i];

                if (standing(s, job) != FREE ||
                    (interrupted && (job->taken == 0 || job->failures > 0)))
                        continue;
                if (!best || job->failures < best->failures)
                        best = job;
        }
        return best;
}

/* The trial of the same configuration one rung up. */
static const struct pxr_trial *rung_above(const struct pxr_plan *plan, const struct pxr_trial *of)
{
        for (int i = 0; i < plan->trials; i++)
                if (plan->trial[i].configuration == of->configuration &&
                    plan->trial[i].rung == of->rung + 1)
                        return &plan->trial[i];
        return NULL;
}

double pxr_job_result(const struct pxr_job *job)
{
        return job->state == PXR_JOB_FINISHED && !job->suspect && isfinite(job->nats) ? job->nats
                                                                                      : INFINITY;
}

/* A job for the configuration that is promoted next, if any. */
static int promote(struct pxr_queue *s, const struct pxr_view *view, struct pxr_job *job)
{
        const struct pxr_plan *plan = s->order->plan;
        const struct pxr_trial **trial =
                pxr_alloc_array(view->arena, (size_t)view->count + 1, sizeof(*trial));
        struct pxr_climber *climber =
                pxr_alloc_array(view->arena, (size_t)view->count + 1, sizeof(*climber));
        int count = 0, next;

        if (!trial || !climber)
                return pxr_out_of_memory(s->diag);
        for (int i = 0; i < view->count; i++) {
                const struct pxr_job *ended = &view->job[i];
                const struct pxr_trial *above;

                if (!ended->wanted ||
                    (ended->state != PXR_JOB_FINISHED && ended->state != PXR_JOB_FAILED))
                        continue;
                trial[count] = pxr_plan_find(plan, ended->spec_hash);
                above = rung_above(plan, trial[count]);
                climber[count++] = (struct pxr_climber) {
                        .rung = ended->rung,
                        .nats = pxr_job_result(ended),
                        .promoted = above && job_of(view, above->spec_hash),
                };
        }
        next = pxr_halving_next(climber, count, s->order->sweep->rungs,
                                (int)s->order->sweep->halving);
        if (next < 0)
                return 0;
        trial[0] = rung_above(plan, trial[next]);
        return trial[0] ? add_job(s, trial[0], job) ? -1 : 1 : 0;
}

/* How many jobs the budget lets be begun yet. */
static int allowed(const struct pxr_queue *s, const struct pxr_view *view)
{
        int64_t most = s->order->sweep->budget.runs;

        for (int i = 0; most && i < view->count; i++)
                most -= view->job[i].wanted && view->job[i].taken > 0 && most > 0;
        return s->order->sweep->budget.runs ? (int)most : PXR_SWEEP_MOST;
}

static bool may_begin(const struct pxr_queue *s, const struct pxr_view *view)
{
        return allowed(s, view) > 0;
}

int pxr_queue_free(const struct pxr_queue *s, const struct pxr_view *view)
{
        int begun = 0, fresh = 0, most = allowed(s, view);

        for (int i = 0; i < view->count; i++) {
                if (standing(s, &view->job[i]) != FREE)
                        continue;
                begun += view->job[i].taken > 0;
                fresh += view->job[i].taken == 0;
        }
        return begun + (fresh < most ? fresh : most);
}

int pxr_queue_promote(struct pxr_queue *s, const struct pxr_view *view, struct pxr_job *job)
{
        return s->order->plan->epochs && may_begin(s, view) ? promote(s, view, job) : 0;
}

/* The next job, as a row that is yet to be taken up. 1: there is one, 0, or -1. */
static int choose(struct pxr_queue *s, const struct pxr_view *view, struct pxr_job *job)
{
        struct pxr_job *picked = pick(s, view, true);
        int promoted = 0;

        if (!picked)
                promoted = pxr_queue_promote(s, view, job);
        if (promoted)
                return promoted;
        if (!picked)
                picked = pick(s, view, false);
        if (!picked)
                return 0;
        if (picked->taken == 0 && !may_begin(s, view)) {
                s->out_of_runs = true;
                return 0;
        }
        *job = *picked;
        return 1;
}

/* A try that failed, of a reason in job->message. */
static void count_failure(const struct pxr_queue *s, struct pxr_job *job)
{
        job->state = ++job->failures > s->order->sweep->retries ? PXR_JOB_FAILED : PXR_JOB_WAITING;
}

static int lose(struct pxr_queue *s, const struct pxr_view *view, struct pxr_job *job)
{
        job->message = pxr_strf(view->arena,
                                "its task '%s' was lost: killed, out of its time, or "
                                "its node went down",
                                job->task);
        if (!job->message)
                return pxr_out_of_memory(s->diag);
        count_failure(s, job);
        return 0;
}

int pxr_queue_settle(struct pxr_queue *s, struct pxr_view *view)
{
        for (int i = 0; i < view->count; i++) {
                struct pxr_job *job = &view->job[i];
                enum standing how = standing(s, job);
                bool finished = job->run_status && strcmp(job->run_status, "finished") == 0;

                if (how != LOST && (how != FREE || !finished))
                        continue;
                if (pxr_store_take_job(s->order->store, job, s->self, job->task, s->diag) < 0)
                        return -1;
                if (finished)
                        job->state = PXR_JOB_FINISHED;
                else if (lose(s, view, job))
                        return -1;
                if (pxr_store_leave_job(s->order->store, job, s->diag))
                        return -1;
        }
        return 0;
}

int pxr_queue_take(struct pxr_queue *s, struct pxr_view *view, struct pxr_job *job)
{
        int status;

        if (pxr_store_begin(s->order->store, s->diag))
                return -1;
        status = pxr_view_open(s, view);
        if (!status)
                status = pxr_queue_settle(s, view);
        if (!status)
                status = choose(s, view, job);
        if (status == 1)
                status = pxr_store_take_job(s->order->store, job, s->self, s->order->task, s->diag);
        if (status >= 0) {
                pxr_queue_sum_up(s, view);
                return pxr_store_commit(s->order->store, s->diag) ? -1 : status;
        }
        pxr_store_rollback(s->order->store);
        return -1;
}

/* --- the end of a job --------------------------------------------------------------------------
 */

int pxr_queue_judge(struct pxr_queue *s, const struct pxr_slot *slot, int status,
                    struct pxr_arena *arena, struct pxr_job *job)
{
        bool finished = job->run_status && strcmp(job->run_status, "finished") == 0;
        bool saved = status == PXR_RUN_SAVED || status == -SIGTERM;
        bool cut = saved && s->order->task && *s->order->stop; /* by the cluster */

        if (status == 0 && finished) {
                job->state = PXR_JOB_FINISHED;
                job->message = NULL;
                return 0;
        }
        job->state = PXR_JOB_WAITING;
        if (slot->told && saved && !cut)
                return 0;
        job->message = cut      ? pxr_strf(arena, "its task '%s' was cancelled, or out of its time",
                                           s->order->task)
                       : status ? pxr_child_reason(arena, &slot->child, status)
                                : "it ended well and has no finished run";
        if (!job->message)
                return pxr_out_of_memory(s->diag);
        count_failure(s, job);
        if (slot->resumed && status == PXR_RUN_REFUSED) /* it cannot be gone on with: begin anew */
                job->run = 0;
        return 0;
}

/* A run by itself, as it can be typed. NULL when memory is out. */
static char *by_hand(const struct pxr_queue *s, struct pxr_arena *arena,
                     const struct pxr_trial *trial)
{
        char *word = pxr_shell_word(arena, s->order->sweep->spec);
        char *line = word ? pxr_strf(arena, "pxr-run %s", word) : NULL;

        for (int i = 0; i < trial->count && line; i++) {
                word = pxr_shell_word(arena, trial->overrides[i]);
                line = word ? pxr_strf(arena, "%s %s", line, word) : NULL;
        }
        return line;
}

/* The next character of a message that is no part of a number, be it hexadecimal. */
static const char *skip_digits(const char *at)
{
        while (*at && strchr("0123456789abcdef", *at))
                at++;
        return at;
}

/* Do two messages say the same, of whichever run or file? */
static bool alike(const char *left, const char *right)
{
        do {
                left = skip_digits(left);
                right = skip_digits(right);
                if (*left != *right)
                        return false;
        } while (*left++ && *right++);
        return true;
}

int pxr_queue_check_alike(struct pxr_queue *s, const struct pxr_view *view,
                          const struct pxr_job *last, bool refused)
{
        char *line;
        int failed = 0;

        if (last->state == PXR_JOB_FINISHED || !last->message || s->alike)
                return 0;
        for (int i = 0; i < view->count; i++) {
                const struct pxr_job *job = &view->job[i];
                const char *message = job->message ? job->message : "";

                if (!job->wanted)
                        continue;
                if (job->state == PXR_JOB_FINISHED ||
                    (job->failures > 0 && !alike(message, last->message)))
                        return 0;
                failed += job->failures > 0;
        }
        if (failed < ALIKE)
                return 0;
        if (pxr_store_retry_jobs(s->order->store, s->sweep, s->diag))
                return -1;
        s->alike = true;
        (refused ? pxr_user_error : pxr_system_error)(
                s->diag, "%s: the first %d jobs failed of the same error, so the sweep ends: %s",
                s->order->sweep->name, failed, last->message);
        line = by_hand(s, view->arena, pxr_plan_find(s->order->plan, last->spec_hash));
        pxr_note(s->diag, "job %" PRId64 " by itself: %s", last->number, line ? line : "");
        pxr_note(s->diag, "mend the cause and run the same command again: it goes on from here");
        return -1;
}
