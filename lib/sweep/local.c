/* SPDX-License-Identifier: MIT */
/* local.c - a sweep's jobs as processes on this machine, several at a time. */
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sweep/queue.h"

enum {
        POLL = 500,      /* milliseconds */
        ASK_AGAIN = 1,   /* seconds */
        RUN_SAVED = 130, /* exit status of a run that was interrupted, and saved */
        BY_SIGNAL = 128, /* ... of mpirun, with the number of a signal that ended a rank */
        RUN_REFUSED = 2, /* ... of one with a user's error */
};

/* A process and its job. */
struct slot {
        bool used, resumed, asked_to_stop;
        double asked; /* when last, of pxr_now() */
        struct pxr_program program;
        int64_t job, claims;
        const struct pxr_trial *trial;
};

struct local {
        struct pxr_queue *queue;
        struct slot *slot;
        struct pollfd *watched; /* of each slot */
        int slots;
        bool started;     /* a job */
        bool failed;      /* an error is recorded: save the runs, start no more */
        double heartbeat; /* the last, of pxr_now() */
};

/* --- starting runs -----------------------------------------------------------------------------
 */

/* What asks a run to save and stop. mpirun would pass on SIGTERM, and kill the ranks soon after. */
static int stop_signal(const struct pxr_sweep_options *options)
{
        return options->ranks > 1 ? SIGUSR1 : SIGTERM;
}

/* The words of a text, NULL-ended. */
static const char *const *words_of(struct pxr_arena *arena, const char *text)
{
        char *copy = pxr_strdup(arena, text), *rest, *at;
        const char **word = pxr_alloc_array(arena, strlen(text) / 2 + 2, sizeof(*word));
        int count = 0;

        for (at = copy && word ? strtok_r(copy, " ", &rest) : NULL; at;
             at = strtok_r(NULL, " ", &rest))
                word[count++] = at;
        return word;
}

/* With several ranks, mpirun stands between this process and the run. The run is saved when this
 * process ends, for setpriv has the kernel send SIGUSR1 to mpirun then, which passes it on. */
static const char *const *arguments_of(const struct pxr_sweep_options *options,
                                       struct pxr_arena *arena, const struct pxr_job *job,
                                       const struct pxr_trial *trial)
{
        const char *const attended[] = { "setpriv", "--pdeathsig", "USR1", NULL };
        const char *const number[] = { "-n", pxr_strf(arena, "%d", options->ranks), NULL };
        const char *const resume[] = { options->program, "--resume",
                                       pxr_strf(arena, "%" PRId64, job->run), NULL };
        const char *const new[] = { options->program, options->sweep->spec, NULL };
        const char *const both[] = {
                "--quiet",
                "--db",
                options->database,
                "--threads",
                pxr_strf(arena, "%d", options->threads),
                "--job",
                pxr_strf(arena, "%" PRId64, job->id),
                NULL,
        };
        const char *const *const alone[] = { job->run ? resume : new, both,
                                             job->run ? NULL : trial->overrides.text, NULL };
        const char *const *run = pxr_join_arguments(arena, alone);
        const char *const *const shared[] = { attended, words_of(arena, options->mpirun), number,
                                              run, NULL };

        return options->ranks > 1 && run ? pxr_join_arguments(arena, shared) : run;
}

static int start(struct local *local, struct slot *slot, struct pxr_arena *arena,
                 struct pxr_job *job)
{
        const struct pxr_queue *q = local->queue;
        const struct pxr_trial *trial = pxr_plan_find(q->options->plan, job->spec_hash);
        const char *const *arguments = arguments_of(q->options, arena, job, trial);
        const char *claim = pxr_claim_text(arena, job, q->self);

        *slot = (struct slot) {
                .resumed = job->run != 0, .job = job->id, .claims = job->claims, .trial = trial
        };
        if (!pxr_arena_failed(arena))
                setenv(pxr_claim_variable, claim, 1);
        /* Seconds that Open MPI's mpirun leaves rank 0 to save when another rank has died. */
        if (q->options->ranks > 1)
                setenv("OMPI_MCA_odls_base_sigkill_timeout", "5", 0);
        if (pxr_arena_failed(arena) || pxr_program_start(&slot->program, arguments, q->diag)) {
                job->state = PXR_JOB_WAITING;
                pxr_store_release_job(q->options->store, job, q->diag);
                return -1;
        }
        slot->used = local->started = true;
        return 0;
}

/* Fill all slots; a cluster task runs only one job. Returns 0 or -1. */
static int fill(struct local *local)
{
        int status = 1;

        for (int i = 0; i < local->slots && status == 1; i++) {
                struct pxr_jobs jobs = { 0 };
                struct pxr_job job;

                if (local->slot[i].used || (local->queue->options->task && local->started))
                        continue;
                status = pxr_queue_claim(local->queue, &jobs, &job);
                if (status == 1 && start(local, &local->slot[i], jobs.arena, &job))
                        status = -1;
                pxr_jobs_free(&jobs);
        }
        return status < 0 ? -1 : 0;
}

/* Ask all runs to save and stop. mpirun loses a signal that comes while it starts the ranks: it is
 * sent again, which changes nothing for a run that has had it. */
static void stop_all(struct local *local)
{
        const struct pxr_sweep_options *options = local->queue->options;

        for (int i = 0; i < local->slots; i++) {
                struct slot *slot = &local->slot[i];

                if (!slot->used || (slot->asked_to_stop &&
                                    (options->ranks == 1 || pxr_now() - slot->asked < ASK_AGAIN)))
                        continue;
                kill(slot->program.process, stop_signal(options));
                slot->asked_to_stop = true;
                slot->asked = pxr_now();
        }
}

/* --- the end of a run --------------------------------------------------------------------------
 */

static struct pxr_job *job_with_id(const struct pxr_jobs *jobs, int64_t id)
{
        for (int i = 0; i < jobs->count; i++)
                if (jobs->job[i].id == id)
                        return &jobs->job[i];
        return NULL;
}

/* Set the state of a job whose run has ended with an exit status, or minus a signal. */
static void judge(const struct pxr_queue *q, const struct slot *slot, int status,
                  struct pxr_arena *arena, struct pxr_job *job)
{
        int number = stop_signal(q->options);
        bool saved = status == RUN_SAVED || status == -number || status == BY_SIGNAL + number ||
                     pxr_job_has_run(job, "interrupted");
        bool cut = saved && q->options->task && pxr_queue_report(q); /* by the cluster */

        if (status == 0 && pxr_job_has_run(job, "finished")) {
                job->state = PXR_JOB_FINISHED;
                job->message = NULL;
                return;
        }
        job->state = PXR_JOB_WAITING;
        if (slot->asked_to_stop && saved && !cut)
                return;
        job->message = cut      ? pxr_strf(arena, "its task '%s' was cancelled, or ran out of time",
                                           q->options->task)
                       : status ? pxr_program_reason(arena, &slot->program, status)
                                : "it ended with status 0, but its run is not finished";
        pxr_queue_count_failure(q, job);
        if (slot->resumed && status == RUN_REFUSED) /* it cannot be resumed: start anew */
                job->run = 0;
}

/* Record the end of a run; `jobs` is as it was before. */
static int close_job(struct pxr_queue *q, const struct slot *slot, struct pxr_jobs *jobs,
                     int status)
{
        const struct pxr_sweep_observer *observer = &q->options->observer;
        struct pxr_job *job = job_with_id(jobs, slot->job);
        double seconds = pxr_now() - slot->program.started;

        if (!job || job->claims != slot->claims) {
                pxr_observe_note(&q->options->observer.base,
                                 "a job was claimed by another process, and is left to it");
                return 0;
        }
        job->seconds += seconds;
        judge(q, slot, status, jobs->arena, job);
        if (pxr_store_release_job(q->options->store, job, q->diag))
                return -1;
        if (observer->ended)
                observer->ended(observer->base.context, job, slot->trial, seconds);
        if (status == 0 && q->options->plan->epochs && isnan(job->nats))
                return pxr_user_error(q->diag,
                                      "job %" PRId64 " has no validation NLL, which halving "
                                      "requires: has the data set a validation split?",
                                      job->number);
        /* Cluster tasks would each stop here and start again: the process waiting for them checks.
         */
        return q->options->task ? 0 : pxr_queue_check_errors(q, jobs, job, status == RUN_REFUSED);
}

static int collect(struct pxr_queue *q, struct slot *slot)
{
        struct pxr_jobs jobs = { 0 };
        int status = pxr_program_end(&slot->program), result = pxr_jobs_read(q, &jobs);

        slot->used = false;
        if (!result)
                result = close_job(q, slot, &jobs, status);
        pxr_jobs_free(&jobs);
        return result;
}

/* Wait until a run prints something or ends, but not for long. Returns 0 or -1. */
static int wait_for_runs(struct local *local)
{
        int status = 0;

        for (int i = 0; i < local->slots; i++)
                local->watched[i] = (struct pollfd) {
                        .fd = local->slot[i].used ? local->slot[i].program.messages : -1,
                        .events = POLLIN,
                };
        if (poll(local->watched, (nfds_t)local->slots, POLL) > 0)
                for (int i = 0; i < local->slots; i++)
                        if (local->watched[i].revents &&
                            !pxr_program_read(&local->slot[i].program) &&
                            collect(local->queue, &local->slot[i]))
                                status = -1;
        return status;
}

/* --- the loop ----------------------------------------------------------------------------------
 */

static int count_used(const struct local *local)
{
        int used = 0;

        for (int i = 0; i < local->slots; i++)
                used += local->slot[i].used;
        return used;
}

/* Count the jobs by state. Returns 0 or -1. */
static int count_jobs(struct local *local)
{
        struct pxr_queue *q = local->queue;
        struct pxr_jobs jobs = { 0 };
        int status = pxr_jobs_read(q, &jobs);

        q->seconds_here = 0;
        for (int i = 0; i < local->slots; i++)
                if (local->slot[i].used)
                        q->seconds_here += pxr_now() - local->slot[i].program.started;
        if (!status)
                pxr_queue_count(q, &jobs);
        pxr_jobs_free(&jobs);
        return status;
}

/* Show other hosts that the jobs here are at work. An error is left to the next change that must
 * succeed. */
static void send_heartbeat(struct local *local)
{
        if (pxr_now() - local->heartbeat < PXR_JOB_HEARTBEAT)
                return;
        local->heartbeat = pxr_now();
        pxr_store_keep_claims(local->queue->options->store, local->queue->self, NULL);
}

/* Start what can be started, and wait a while. False when nothing is left to do. */
static bool step(struct local *local)
{
        struct pxr_queue *q = local->queue;
        bool stopping;

        send_heartbeat(local);
        if (count_jobs(local))
                local->failed = true;
        stopping = local->failed || q->out_of_time || pxr_queue_report(q);
        if (stopping)
                stop_all(local);
        else if (fill(local))
                local->failed = true;
        if (!count_used(local) &&
            (stopping || local->failed || q->state->ending == 0 || q->options->task))
                return false;
        if (wait_for_runs(local))
                local->failed = true;
        return true;
}

int pxr_sweep_run_local(struct pxr_queue *q, struct pxr_arena *arena)
{
        struct local local = { .queue = q, .slots = q->options->jobs, .heartbeat = pxr_now() };

        local.slot = pxr_alloc_array(arena, (size_t)local.slots, sizeof(*local.slot));
        local.watched = pxr_alloc_array(arena, (size_t)local.slots, sizeof(*local.watched));
        if (!local.slot || !local.watched)
                return -1;
        while (step(&local))
                continue;
        /* Also retry the jobs that were at work when the first had all failed. */
        if (q->same_error)
                pxr_store_retry_jobs(q->options->store, q->sweep, q->diag);
        if (local.failed)
                return -1;
        if (pxr_queue_report(q))
                return PXR_SWEEP_INTERRUPTED;
        return q->out_of_time || q->out_of_runs ? PXR_SWEEP_SPENT : PXR_SWEEP_DONE;
}
