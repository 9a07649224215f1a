/* SPDX-License-Identifier: MIT */
/* local.c - a sweep's jobs as processes here, so many at a time. */
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "sweep/queue.h"

enum {
        POLL = 500, /* milliseconds */
        WORDS = 16, /* arguments beside overrides */
};

/* --- at work -----------------------------------------------------------------------------------
 */

static const char *const *arguments_of(const struct pxr_queue *s, struct pxr_arena *arena,
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

static int start(struct pxr_queue *s, struct pxr_slot *slot, struct pxr_arena *arena,
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

/* Keep all slots at work; a task of a cluster has one job and no more. Returns 0 or -1. */
static int fill(struct pxr_queue *s, bool *begun)
{
        int status = 1;

        for (int i = 0; i < s->slots && status == 1; i++) {
                struct pxr_view view = { 0 };
                struct pxr_job job;

                if (s->slot[i].used || (s->order->task && *begun))
                        continue;
                status = pxr_queue_take(s, &view, &job);
                if (status == 1 && start(s, &s->slot[i], view.arena, &job))
                        status = -1;
                *begun |= status == 1;
                pxr_view_close(&view);
        }
        return status < 0 ? -1 : 0;
}

/* Ask the runs that are at work to save and stop. */
static void stop_all(struct pxr_queue *s)
{
        for (int i = 0; i < s->slots; i++)
                if (s->slot[i].used && !s->slot[i].told) {
                        kill(s->slot[i].child.process, SIGTERM);
                        s->slot[i].told = true;
                }
}

static bool any_at_work(const struct pxr_queue *s)
{
        for (int i = 0; i < s->slots; i++)
                if (s->slot[i].used)
                        return true;
        return false;
}

/* --- the end of a job --------------------------------------------------------------------------
 */

static struct pxr_job *job_in(const struct pxr_view *view, int64_t id)
{
        for (int i = 0; i < view->count; i++)
                if (view->job[i].id == id)
                        return &view->job[i];
        return NULL;
}

/* Put the end of a run on record; `view` is as it was before. */
static int close_job(struct pxr_queue *s, struct pxr_slot *slot, struct pxr_view *view, int status)
{
        const struct pxr_sweep_watcher *watcher = &s->order->watcher;
        struct pxr_job *job = job_in(view, slot->job);
        double seconds = pxr_now() - slot->child.started;

        slot->used = false;
        if (!job || job->taken != slot->taken) {
                pxr_queue_tell(s, "a job was taken up by another process, and is left to it");
                return 0;
        }
        job->seconds += seconds;
        if (pxr_queue_judge(s, slot, status, view->arena, job) ||
            pxr_store_leave_job(s->order->store, job, s->diag))
                return -1;
        pxr_queue_sum_up(s, view);
        if (watcher->ended)
                watcher->ended(watcher->context, job, slot->trial, seconds);
        if (status == 0 && s->order->plan->epochs && isnan(job->nats))
                return pxr_user_error(s->diag,
                                      "job %" PRId64 " has no validation NLL, which halving "
                                      "compares: has the data set a validation split?",
                                      job->number);
        /* Of tasks each would see this, and begin anew: who waits for them does. */
        return s->order->task ? 0 : pxr_queue_check_alike(s, view, job, status == PXR_RUN_REFUSED);
}

static int collect(struct pxr_queue *s, struct pxr_slot *slot)
{
        struct pxr_view view = { 0 };
        int status = pxr_child_end(&slot->child), result;

        result = pxr_view_open(s, &view);
        if (!result)
                result = close_job(s, slot, &view, status);
        slot->used = false;
        pxr_view_close(&view);
        return result;
}

/* Wait a while for something to happen, and see to it. Returns 0 or -1. */
static int attend(struct pxr_queue *s)
{
        struct pollfd *watched = calloc((size_t)s->slots, sizeof(*watched));
        int status = 0;

        if (!watched)
                return pxr_out_of_memory(s->diag);
        for (int i = 0; i < s->slots; i++)
                watched[i] = (struct pollfd) { .fd = s->slot[i].used ? s->slot[i].child.output : -1,
                                               .events = POLLIN };
        if (poll(watched, (nfds_t)s->slots, POLL) > 0)
                for (int i = 0; i < s->slots; i++)
                        if (watched[i].revents && !pxr_child_read(&s->slot[i].child) &&
                            collect(s, &s->slot[i]))
                                status = -1;
        free(watched);
        return status;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

struct local {
        struct pxr_queue *queue;
        bool begun;  /* a job */
        bool failed; /* an error is recorded: runs are to be saved, and no more begun */
        double sign; /* of life, the last, of pxr_now() */
};

/* See how the sweep stands. Returns 0 or -1. */
static int look(struct pxr_queue *s)
{
        const struct pxr_sweep_watcher *watcher = &s->order->watcher;
        struct pxr_view view = { 0 };
        int status = pxr_view_open(s, &view);

        if (!status) {
                pxr_queue_sum_up(s, &view);
                if (watcher->progress)
                        watcher->progress(watcher->context, s->state);
        }
        pxr_view_close(&view);
        return status;
}

/* Tell other hosts that the jobs here are at work. Where it fails it is tried again; what must not
 * fail is said elsewhere. */
static void give_sign(struct local *local)
{
        const struct pxr_queue *s = local->queue;

        if (pxr_now() - local->sign < PXR_JOB_HEARTBEAT)
                return;
        local->sign = pxr_now();
        for (int i = 0; i < s->slots; i++)
                if (s->slot[i].used)
                        pxr_store_hold_job(s->order->store, s->slot[i].job, s->slot[i].taken, NULL);
}

/* A round: begin what can be begun, and wait a while. False when all is at its end. */
static bool go_on(struct local *local)
{
        struct pxr_queue *s = local->queue;
        bool stopping;

        give_sign(local);
        if (look(s))
                local->failed = true;
        stopping = local->failed || s->out_of_time || *s->order->stop;
        if (stopping)
                stop_all(s);
        else if (fill(s, &local->begun))
                local->failed = true;
        if (!any_at_work(s) &&
            (stopping || local->failed || s->state->dying == 0 || s->order->task))
                return false;
        if (attend(s))
                local->failed = true;
        return true;
}

int pxr_sweep_run_local(struct pxr_queue *s)
{
        struct local local = { .queue = s, .sign = pxr_now() };

        s->slots = s->order->jobs;
        s->slot = calloc((size_t)s->slots, sizeof(*s->slot));
        if (!s->slot)
                return pxr_out_of_memory(s->diag);
        while (go_on(&local))
                continue;
        /* Those too that were at work when it was told. */
        if (s->alike && pxr_store_retry_jobs(s->order->store, s->sweep, s->diag))
                local.failed = true;
        free(s->slot);
        s->slot = NULL;
        s->slots = 0;
        if (local.failed)
                return -1;
        if (*s->order->stop)
                return PXR_SWEEP_INTERRUPTED;
        return s->out_of_time || s->out_of_runs ? PXR_SWEEP_SPENT : PXR_SWEEP_DONE;
}
