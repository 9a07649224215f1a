/* SPDX-License-Identifier: MIT */
/*
 * schedule.c - what a sweep does next, and what has become of it.
 *
 * Every decision is taken within a transaction, from the rows as they are then. Uses every floor
 * below.
 */
#include "sweep/schedule.h"

#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sweep/child.h"
#include "sweep/halving.h"

enum {
        ALIKE = 3,   /* jobs that fail of one error before any is finished end the sweep */
        POLL = 500,  /* milliseconds */
        WORDS = 16,  /* arguments beside overrides */
        SAVED = 130, /* exit status of a run that was interrupted, and saved */
        REFUSED = 2, /* ... of one with a mistake in it */
};

/* A job at work here. */
struct slot {
        bool used, told; /* to stop */
        bool resumed;
        struct pxr_child child;
        int64_t job, taken;
        const struct pxr_trial *trial;
};

struct scheduler {
        const struct pxr_sweep_order *order;
        struct pxr_diag *diag;
        int64_t sweep;
        const struct pxr_provenance *self;
        struct slot *slot;
        bool out_of_runs, out_of_time; /* of the budget */
        bool failed; /* an error is recorded: runs are to be saved, and no more begun */
        struct pxr_sweep_state *state;
};

/* The jobs as they are, and memory for as long as they are looked at. */
struct view {
        struct pxr_arena *arena;
        struct pxr_job *job;
        int count;
};

static int open_view(struct scheduler *s, struct view *view)
{
        view->arena = pxr_arena_new(0);
        if (!view->arena)
                return pxr_out_of_memory(s->diag);
        return pxr_store_jobs(s->order->store, view->arena, s->sweep, &view->job, &view->count,
                              s->diag);
}

static void close_view(struct view *view)
{
        pxr_arena_free(view->arena);
}

static void tell(const struct scheduler *s, const char *text)
{
        const struct pxr_sweep_watcher *watcher = &s->order->watcher;

        if (watcher->note)
                watcher->note(watcher->context, text);
}

/* --- the jobs that there are to be -------------------------------------------------------------
 */

static const struct pxr_job *job_of(const struct view *view, const char *spec_hash)
{
        for (int i = 0; i < view->count; i++)
                if (strcmp(view->job[i].spec_hash, spec_hash) == 0)
                        return &view->job[i];
        return NULL;
}

static int add_job(struct scheduler *s, const struct pxr_trial *trial, struct pxr_job *job)
{
        *job = (struct pxr_job) { .spec_hash = trial->spec_hash,
                                  .varied = trial->varied,
                                  .rung = trial->rung,
                                  .wanted = true,
                                  .nats = NAN };
        return pxr_store_add_job(s->order->store, s->sweep, job, s->diag);
}

/* A job for each trial of the lowest rung; those that are no longer in the file stay on record. */
static int enroll_jobs(struct scheduler *s, const struct view *view)
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
                         "%d jobs on record are not in the sweep as it is now, and are left out",
                         unwanted);
                tell(s, text);
        }
        return s->order->retry ? pxr_store_retry_jobs(s->order->store, s->sweep, s->diag) : 0;
}

static int enroll(struct scheduler *s)
{
        static const char *const names[] = { "grid", "random", "halving" };
        const struct pxr_sweep *sweep = s->order->sweep;
        struct view view = { 0 };
        int status;

        if (pxr_store_begin(s->order->store, s->diag))
                return -1;
        status = pxr_store_take_sweep(s->order->store, sweep->name, names[sweep->search],
                                      sweep->definition, &s->sweep, s->diag);
        if (!status)
                status = open_view(s, &view);
        if (!status)
                status = enroll_jobs(s, &view);
        close_view(&view);
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
        OVER,
};

static bool ours(const struct scheduler *s, const struct pxr_job *job)
{
        for (int i = 0; i < s->order->jobs; i++)
                if (s->slot[i].used && s->slot[i].job == job->id)
                        return true;
        return false;
}

static enum standing standing(const struct scheduler *s, const struct pxr_job *job)
{
        if (!job->wanted || job->state == PXR_JOB_FINISHED || job->state == PXR_JOB_FAILED)
                return OVER;
        if (job->state == PXR_JOB_WAITING)
                return FREE;
        if (ours(s, job))
                return OURS;
        if ((job->host && !pxr_process_host(job->host)) ||
            pxr_process_lives(job->host, job->process_id, job->process_start))
                return ELSEWHERE;
        if (job->run_status && strcmp(job->run_status, "running") == 0 &&
            pxr_process_lives(job->run_host, job->run_process_id, job->run_process_start))
                return DYING;
        return FREE;
}

static void add_to_state(const struct scheduler *s, const struct pxr_job *job)
{
        struct pxr_sweep_state *state = s->state;
        enum standing how = standing(s, job);

        state->known++;
        state->seconds += job->seconds;
        state->finished += job->state == PXR_JOB_FINISHED;
        state->failed += job->state == PXR_JOB_FAILED;
        state->waiting += how == FREE;
        state->running += how == OURS;
        state->elsewhere += how == ELSEWHERE;
        state->dying += how == DYING;
        if (how == ELSEWHERE) {
                state->elsewhere_process = job->process_id;
                snprintf(state->elsewhere_host, sizeof(state->elsewhere_host), "%s",
                         job->host ? job->host : "?");
        }
}

/* How the sweep stands, with what the runs at work here have taken so far. */
static void sum_up(struct scheduler *s, const struct view *view)
{
        struct pxr_sweep_state *state = s->state;
        double finished = 0, now = pxr_now(), at_work = 0;

        *state = (struct pxr_sweep_state) { .sweep = s->sweep, .seconds_left = NAN };
        for (int i = 0; i < view->count; i++) {
                if (!view->job[i].wanted)
                        continue;
                add_to_state(s, &view->job[i]);
                if (view->job[i].state == PXR_JOB_FINISHED)
                        finished += view->job[i].seconds;
        }
        for (int i = 0; i < s->order->jobs; i++)
                if (s->slot[i].used)
                        at_work += now - s->slot[i].child.started;
        state->seconds += at_work;
        if (state->finished > 0) {
                double left = finished / state->finished * (state->waiting + state->running);

                left = (left - at_work) / s->order->jobs;
                state->seconds_left = left > 0 ? left : 0;
        }
}

/* --- what to do next ---------------------------------------------------------------------------
 */

/* Of the free jobs the one to take: those begun and interrupted go before all others, those that
 * have failed behind them. */
static struct pxr_job *pick(const struct scheduler *s, const struct view *view, bool interrupted)
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

/* A validation NLL to compare; a run that is flagged is as good as failed. */
static double result_of(const struct pxr_job *job)
{
        return job->state == PXR_JOB_FINISHED && !job->suspect && isfinite(job->nats) ? job->nats
                                                                                      : INFINITY;
}

/* Successive halving: a new job for the configuration that is promoted next, if any. 1: there is
 * one, 0, or -1. */
static int promote(struct scheduler *s, const struct view *view, struct pxr_job *job)
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
                        .nats = result_of(ended),
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

static bool may_begin(const struct scheduler *s, const struct view *view)
{
        int64_t most = s->order->sweep->budget.runs;
        int begun = 0;

        for (int i = 0; i < view->count; i++)
                begun += view->job[i].wanted && view->job[i].taken > 0;
        return most == 0 || begun < most;
}

/* The next job, as a row that is yet to be taken up. 1: there is one, 0, or -1. */
static int choose(struct scheduler *s, const struct view *view, struct pxr_job *job)
{
        struct pxr_job *picked = pick(s, view, true);
        int promoted = 0;

        if (!picked && s->order->plan->epochs && may_begin(s, view))
                promoted = promote(s, view, job);
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

/* Jobs whose sweep was killed after their run had finished. */
static int settle(struct scheduler *s, struct view *view)
{
        for (int i = 0; i < view->count; i++) {
                struct pxr_job *job = &view->job[i];

                if (standing(s, job) != FREE || !job->run_status ||
                    strcmp(job->run_status, "finished") != 0)
                        continue;
                if (pxr_store_take_job(s->order->store, job, s->self, s->diag) < 0)
                        return -1;
                job->state = PXR_JOB_FINISHED;
                if (pxr_store_leave_job(s->order->store, job, s->diag))
                        return -1;
        }
        return 0;
}

/* --- at work -----------------------------------------------------------------------------------
 */

static const char *const *arguments_of(const struct scheduler *s, struct pxr_arena *arena,
                                       const struct pxr_job *job, const struct pxr_trial *trial)
{
        size_t most = (size_t)trial->count + WORDS;
        const char **list = pxr_alloc_array(arena, most, sizeof(*list));
        int count = 0;

        if (!list)
                return NULL;
        list[count++] = s->order->program;
        if (job->run) {
                list[count++] = "--resume";
                list[count++] = pxr_strf(arena, "%" PRId64, job->run);
        } else {
                list[count++] = s->order->sweep->spec;
                for (int i = 0; i < trial->count; i++)
                        list[count++] = trial->overrides[i];
        }
        list[count++] = "--quiet";
        list[count++] = "--db";
        list[count++] = s->order->database;
        list[count++] = "--threads";
        list[count++] = pxr_strf(arena, "%d", s->order->threads);
        list[count++] = "--job";
        list[count++] = pxr_strf(arena, "%" PRId64, job->id);
        for (int i = 0; i < count; i++)
                if (!list[i])
                        return NULL;
        return list;
}

static int start(struct scheduler *s, struct slot *slot, struct pxr_arena *arena,
                 struct pxr_job *job)
{
        const struct pxr_sweep_watcher *watcher = &s->order->watcher;
        const struct pxr_trial *trial = pxr_plan_find(s->order->plan, job->spec_hash);
        const char *const *arguments = arguments_of(s, arena, job, trial);

        if (!arguments)
                pxr_out_of_memory(s->diag);
        if (!arguments || pxr_child_start(&slot->child, arguments, s->diag)) {
                job->state = PXR_JOB_WAITING;
                pxr_store_leave_job(s->order->store, job, s->diag);
                return -1;
        }
        slot->used = true;
        slot->told = false;
        slot->resumed = job->run != 0;
        slot->job = job->id;
        slot->taken = job->taken;
        slot->trial = trial;
        if (watcher->begun)
                watcher->begun(watcher->context, job, trial);
        return 0;
}

/* Choose a job and take it up. 1: done, 0: there is none, or -1. */
static int take_next(struct scheduler *s, struct view *view, struct pxr_job *job)
{
        int status;

        if (pxr_store_begin(s->order->store, s->diag))
                return -1;
        status = open_view(s, view);
        if (!status)
                status = settle(s, view);
        if (!status)
                status = choose(s, view, job);
        if (status == 1)
                status = pxr_store_take_job(s->order->store, job, s->self, s->diag);
        if (status >= 0) {
                sum_up(s, view);
                return pxr_store_commit(s->order->store, s->diag) ? -1 : status;
        }
        pxr_store_rollback(s->order->store);
        return -1;
}

/* Keep all slots at work. Returns 0 or -1. */
static int fill(struct scheduler *s)
{
        int status = 1;

        for (int i = 0; i < s->order->jobs && status == 1; i++) {
                struct view view = { 0 };
                struct pxr_job job;

                if (s->slot[i].used)
                        continue;
                status = take_next(s, &view, &job);
                if (status == 1 && start(s, &s->slot[i], view.arena, &job))
                        status = -1;
                close_view(&view);
        }
        return status < 0 ? -1 : 0;
}

/* Ask the runs that are at work to save and stop. */
static void stop_all(struct scheduler *s)
{
        for (int i = 0; i < s->order->jobs; i++)
                if (s->slot[i].used && !s->slot[i].told) {
                        kill(s->slot[i].child.process, SIGTERM);
                        s->slot[i].told = true;
                }
}

static bool any_at_work(const struct scheduler *s)
{
        for (int i = 0; i < s->order->jobs; i++)
                if (s->slot[i].used)
                        return true;
        return false;
}

/* --- the end of a job --------------------------------------------------------------------------
 */

/* What the end of a run makes of its job. */
static int judge(struct scheduler *s, const struct slot *slot, int status, struct pxr_arena *arena,
                 struct pxr_job *job)
{
        bool finished = job->run_status && strcmp(job->run_status, "finished") == 0;

        if (status == 0 && finished) {
                job->state = PXR_JOB_FINISHED;
                job->message = NULL;
                return 0;
        }
        job->state = PXR_JOB_WAITING;
        if (slot->told && (status == SAVED || status == -SIGTERM))
                return 0;
        job->message = status ? pxr_child_reason(arena, &slot->child, status)
                              : "it ended well and has no finished run";
        if (!job->message)
                return pxr_out_of_memory(s->diag);
        if (++job->failures > s->order->sweep->retries)
                job->state = PXR_JOB_FAILED;
        if (slot->resumed && status == REFUSED) /* it cannot be gone on with: begin anew */
                job->run = 0;
        return 0;
}

/* A run by itself, as it can be typed. NULL when memory is out. */
static char *by_hand(const struct scheduler *s, struct pxr_arena *arena,
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

/* When the first jobs all fail of one error, so would the rest. The error is not the jobs' own: all
 * will be tried again. Returns 0, or -1 with the error recorded. */
static int check_alike(struct scheduler *s, const struct view *view, const struct slot *slot,
                       const struct pxr_job *last, int status)
{
        char *line;
        int failed = 0;

        if (last->state == PXR_JOB_FINISHED || !last->message)
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
        (status == REFUSED ? pxr_user_error : pxr_system_error)(
                s->diag, "%s: the first %d jobs failed of the same error, so the sweep ends: %s",
                s->order->sweep->name, failed, last->message);
        line = by_hand(s, view->arena, slot->trial);
        pxr_note(s->diag, "job %" PRId64 " by itself: %s", last->number, line ? line : "");
        pxr_note(s->diag, "mend the cause and run the same command again: it goes on from here");
        return -1;
}

static struct pxr_job *job_in(const struct view *view, int64_t id)
{
        for (int i = 0; i < view->count; i++)
                if (view->job[i].id == id)
                        return &view->job[i];
        return NULL;
}

/* Put the end of a run on record; `view` is as it was before. */
static int close_job(struct scheduler *s, struct slot *slot, struct view *view, int status)
{
        const struct pxr_sweep_watcher *watcher = &s->order->watcher;
        struct pxr_job *job = job_in(view, slot->job);
        double seconds = pxr_now() - slot->child.started;

        slot->used = false;
        if (!job || job->taken != slot->taken) {
                tell(s, "a job was taken up by another process, and is left to it");
                return 0;
        }
        job->seconds += seconds;
        if (judge(s, slot, status, view->arena, job) ||
            pxr_store_leave_job(s->order->store, job, s->diag))
                return -1;
        sum_up(s, view);
        if (watcher->ended)
                watcher->ended(watcher->context, job, slot->trial, seconds);
        if (status == 0 && s->order->plan->epochs && isnan(job->nats))
                return pxr_user_error(s->diag,
                                      "job %" PRId64 " has no validation NLL, which halving "
                                      "compares: has the data set a validation split?",
                                      job->number);
        return check_alike(s, view, slot, job, status);
}

static int collect(struct scheduler *s, struct slot *slot)
{
        struct view view = { 0 };
        int status = pxr_child_end(&slot->child), result;

        result = open_view(s, &view);
        if (!result)
                result = close_job(s, slot, &view, status);
        slot->used = false;
        close_view(&view);
        return result;
}

/* Wait a while for something to happen, and see to it. Returns 0 or -1. */
static int attend(struct scheduler *s)
{
        struct pollfd *watched = calloc((size_t)s->order->jobs, sizeof(*watched));
        int status = 0;

        if (!watched)
                return pxr_out_of_memory(s->diag);
        for (int i = 0; i < s->order->jobs; i++)
                watched[i] = (struct pollfd) { .fd = s->slot[i].used ? s->slot[i].child.output : -1,
                                               .events = POLLIN };
        if (poll(watched, (nfds_t)s->order->jobs, POLL) > 0)
                for (int i = 0; i < s->order->jobs; i++)
                        if (watched[i].revents && !pxr_child_read(&s->slot[i].child) &&
                            collect(s, &s->slot[i]))
                                status = -1;
        free(watched);
        return status;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

/* See how the sweep stands: is the budget of hours used up? Returns 0 or -1. */
static int look(struct scheduler *s)
{
        const struct pxr_sweep_watcher *watcher = &s->order->watcher;
        double hours = s->order->sweep->budget.hours;
        struct view view = { 0 };
        int status = open_view(s, &view);

        if (!status) {
                sum_up(s, &view);
                s->out_of_time |= hours > 0 && s->state->seconds >= 3600 * hours &&
                                  s->state->waiting + s->state->running > 0;
                if (watcher->progress)
                        watcher->progress(watcher->context, s->state);
        }
        close_view(&view);
        return status;
}

/* A round: begin what can be begun, and wait a while. False when all is at its end. */
static bool go_on(struct scheduler *s)
{
        bool stopping;

        if (look(s))
                s->failed = true;
        stopping = s->failed || s->out_of_time || *s->order->stop;
        if (stopping)
                stop_all(s);
        else if (fill(s))
                s->failed = true;
        if (!any_at_work(s) && (stopping || s->failed || s->state->dying == 0))
                return false;
        if (attend(s))
                s->failed = true;
        return true;
}

static int run_all(struct scheduler *s)
{
        while (go_on(s))
                continue;
        if (s->failed)
                return -1;
        if (*s->order->stop)
                return PXR_SWEEP_INTERRUPTED;
        return s->out_of_time || s->out_of_runs ? PXR_SWEEP_SPENT : PXR_SWEEP_DONE;
}

int pxr_sweep_run(const struct pxr_sweep_order *order, struct pxr_sweep_state *state,
                  struct pxr_diag *diag)
{
        struct scheduler s = { .order = order, .diag = diag, .state = state };
        struct pxr_arena *arena = pxr_arena_new(0);
        int status = -1;

        *state = (struct pxr_sweep_state) { .seconds_left = NAN };
        s.slot = calloc((size_t)order->jobs, sizeof(*s.slot));
        s.self = arena ? pxr_provenance(arena, NULL, diag) : NULL;
        if (!s.slot || !arena)
                pxr_out_of_memory(diag);
        else if (s.self && !enroll(&s))
                status = run_all(&s);
        free(s.slot);
        pxr_arena_free(arena);
        return status;
}

int pxr_sweep_attend(struct pxr_run_order *order, int64_t job, struct pxr_diag *diag)
{
        order->job.job = job;
        return pxr_store_check_job(order->store, &order->job, pxr_end_with_parent(), diag);
}

/* --- afterwards --------------------------------------------------------------------------------
 */

static int by_result(const void *left, const void *right)
{
        const struct pxr_job *a = left, *b = right;
        double x = result_of(a), y = result_of(b);

        if (x != y)
                return x < y ? -1 : 1;
        return a->number < b->number ? -1 : a->number > b->number;
}

int pxr_sweep_best(struct pxr_store *store, struct pxr_arena *arena, int64_t sweep,
                   struct pxr_job **jobs, int *count, struct pxr_diag *diag)
{
        int wanted = 0;

        if (pxr_store_jobs(store, arena, sweep, jobs, count, diag))
                return -1;
        for (int i = 0; i < *count; i++)
                if ((*jobs)[i].wanted)
                        (*jobs)[wanted++] = (*jobs)[i];
        *count = wanted;
        qsort(*jobs, (size_t)wanted, sizeof(**jobs), by_result);
        return 0;
}
