/* SPDX-License-Identifier: MIT */
/*
 * slurm.c - a sweep's jobs as tasks of Slurm job arrays.
 *
 * A task is `pxr-sweep --slurm-task`, which claims one job from the database, as every pxr-sweep
 * does, and runs it: tasks are not assigned to jobs. What is left to do here is to submit as many
 * tasks as there are jobs to start, to notice the tasks that Slurm has lost, and to wait.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/number.h"
#include "sweep/queue.h"

enum {
        MAX_TASKS = 1000,       /* of an array: Slurm's own default limit */
        MOST_OUTPUT = 64 << 20, /* of one of Slurm's programs */
        CONTINUE = 16,          /* not an enum pxr_sweep_end: there is another round */
};

static const char launcher[] = "slurm";

/* A task as squeue lists it. */
struct task {
        int64_t array;
        const char *name; /* "slurm 12_3"; of several that never started no job's */
        bool ended, cancelled, claimed;
};

struct cluster {
        struct pxr_queue *queue;
        struct pxr_arena *arena; /* of the last listing: */
        int64_t *array;          /* that the sweep had submitted */
        int arrays;
        struct task *task;
        int tasks;
        struct pxr_jobs before; /* of the round before; none in the first */
        bool silent;            /* squeue has failed, and that was reported */
        int64_t submitted;      /* the last array submitted here; 0: none */
        int64_t joined;         /* the newest array of an earlier process found at work; 0: none */
        int64_t claims;         /* of all jobs, when that array was submitted */
        const char *output;     /* file of the tasks' errors */
};

/* --- calling Slurm -----------------------------------------------------------------------------
 */

/* The most telling line of what one of Slurm's programs printed: the fatal error, or the first. */
static const char *main_line(struct pxr_arena *arena, const char *messages)
{
        const char *line = strstr(messages, "fatal: ");

        while (line && line > messages && line[-1] != '\n')
                line--;
        line = line ? line : messages;
        return pxr_strndup(arena, line, strcspn(line, "\n"));
}

/* Run one of Slurm's programs. Its error, when it fails, is passed on. */
static int call(struct pxr_arena *arena, const char *const *arguments, const char *input,
                struct pxr_answer *answer, struct pxr_diag *diag)
{
        const char *line;

        if (pxr_program_ask(arena, arguments, input, MOST_OUTPUT, answer, diag))
                return errno == ENOENT ? pxr_user_error(diag,
                                                        "%s not found: --launcher slurm requires a "
                                                        "machine that can submit Slurm jobs",
                                                        arguments[0])
                                       : -1;
        if (answer->status == 0)
                return 0;
        line = main_line(arena, answer->messages);
        return pxr_system_error(diag, "%s failed: %s", arguments[0],
                                *line ? line : "it printed no reason");
}

static const char *const squeue[] = {
        "squeue", "--me", "--noheader", "--states=all", "--array", "--format=%F %K %T", NULL
};

int pxr_sweep_find_slurm(struct pxr_arena *arena, struct pxr_diag *diag)
{
        struct pxr_answer answer;

        return call(arena, squeue, "", &answer, diag);
}

/* --- the tasks there are -----------------------------------------------------------------------
 */

static bool has_array(const struct cluster *c, int64_t array)
{
        for (int i = 0; i < c->arrays; i++)
                if (c->array[i] == array)
                        return true;
        return false;
}

/* "12 3 RUNNING". False: it is of no array of the sweep. */
static bool read_task(const struct cluster *c, const char *line, struct task *task)
{
        static const char *const ended[] = { "BOOT_FAIL",     "CANCELLED", "COMPLETED", "DEADLINE",
                                             "FAILED",        "NODE_FAIL", "PREEMPTED", "REVOKED",
                                             "OUT_OF_MEMORY", "TIMEOUT",   NULL };
        char index[64], state[32];

        *task = (struct task) { 0 };
        if (sscanf(line, "%" SCNd64 " %63s %31s", &task->array, index, state) != 3 ||
            !has_array(c, task->array))
                return false;
        task->name = pxr_strf(c->arena, "%s %" PRId64 "_%s", launcher, task->array, index);
        for (int i = 0; ended[i]; i++)
                task->ended |= strcmp(ended[i], state) == 0;
        task->cancelled = strcmp(state, "CANCELLED") == 0;
        return true;
}

static int read_tasks(struct cluster *c, const char *text)
{
        size_t lines = 1;

        for (const char *at = text; *at; at++)
                lines += *at == '\n';
        c->task = pxr_alloc_array(c->arena, lines, sizeof(*c->task));
        if (!c->task)
                return -1;
        for (const char *line = text; *line; line += *line == '\n') {
                c->tasks += read_task(c, line, &c->task[c->tasks]);
                line += strcspn(line, "\n");
        }
        return pxr_arena_failed(c->arena) ? -1 : 0;
}

/* The arrays are read first, so that nothing is assumed of one that is submitted later. When squeue
 * fails after it has worked, the cluster may come back: until then nothing is known. */
static int list_tasks(struct cluster *c)
{
        struct pxr_queue *q = c->queue;
        struct pxr_answer answer;
        bool first = !c->arena;

        pxr_arena_free(c->arena);
        c->arrays = c->tasks = 0;
        c->arena = pxr_arena_new(0, q->diag);
        if (!c->arena || pxr_store_task_arrays(q->options->store, c->arena, q->sweep, launcher,
                                               &c->array, &c->arrays, q->diag))
                return -1;
        if (call(c->arena, squeue, "", &answer, first ? q->diag : NULL) == 0) {
                c->silent = false;
                return read_tasks(c, answer.output);
        }
        if (first || pxr_diag_memory_out(q->diag))
                return -1;
        if (!c->silent)
                pxr_observe_note(&q->options->observer.base, "squeue does not answer; retrying");
        c->silent = true;
        c->arrays = 0;
        return 0;
}

static struct task *find_task(const struct cluster *c, const char *name)
{
        for (int i = 0; i < c->tasks && name; i++)
                if (strcmp(c->task[i].name, name) == 0)
                        return &c->task[i];
        return NULL;
}

/* A task that has ended is listed for some minutes, and then no longer. */
static bool is_gone(const void *cluster, const struct pxr_job *job)
{
        const struct cluster *c = cluster;
        const struct task *task = find_task(c, job->task);
        int64_t array;

        if (task)
                return task->ended;
        return sscanf(job->task, "slurm %" SCNd64 "_", &array) == 1 && has_array(c, array);
}

/* The array that is waited for. */
static int64_t current_array(const struct cluster *c)
{
        return c->submitted ? c->submitted : c->joined;
}

static void mark_claimed(struct cluster *c, const struct pxr_jobs *jobs)
{
        for (int i = 0; i < jobs->count; i++) {
                struct task *task = find_task(c, jobs->job[i].task);

                if (task)
                        task->claimed = true;
        }
}

/* Tasks without a job that may still claim one. */
static int count_pending(const struct cluster *c)
{
        int count = 0;

        for (int i = 0; i < c->tasks; i++)
                count += !c->task[i].claimed && !c->task[i].ended;
        return count;
}

static bool was_cancelled(const struct cluster *c)
{
        for (int i = 0; i < c->tasks; i++)
                if (!c->task[i].claimed && c->task[i].cancelled &&
                    c->task[i].array == current_array(c))
                        return true;
        return false;
}

/* Whether some of an array's tasks have not ended. */
static bool is_live(const struct cluster *c, int64_t array)
{
        for (int i = 0; i < c->tasks; i++)
                if (c->task[i].array == array && !c->task[i].ended)
                        return true;
        return false;
}

/* "12 13": the arrays at work. The newest is waited for. */
static void name_arrays(struct cluster *c)
{
        char *text = c->queue->state->array;
        size_t room = sizeof(c->queue->state->array), length = 0;

        *text = '\0';
        for (int i = 0; i < c->arrays && length + 24 < room; i++) {
                if (!is_live(c, c->array[i]))
                        continue;
                length += (size_t)snprintf(text + length, room - length, "%s%" PRId64,
                                           length ? " " : "", c->array[i]);
                if (c->array[i] > c->joined)
                        c->joined = c->array[i];
        }
}

/* --- submitting --------------------------------------------------------------------------------
 */

/* The file of the tasks' errors. Slurm expands % in its name. */
static char *output_option(struct pxr_arena *arena, const char *path)
{
        char *text = pxr_strdup(arena, "--output=");

        for (size_t part; *path; path += part) {
                part = *path == '%' ? 1 : strcspn(path, "%");
                text = pxr_strf(arena, "%s%.*s%s", text, (int)part, path, *path == '%' ? "%" : "");
        }
        return text;
}

/* sbatch is given a script that runs its arguments: no text of a user's goes through a shell. */
static const char *const *sbatch_arguments(const struct cluster *c, struct pxr_arena *arena,
                                           int tasks, int at_a_time)
{
        const struct pxr_sweep_options *options = c->queue->options;
        const char *threads = pxr_strf(arena, "%d", options->threads);
        const char *ranks = pxr_strf(arena, "%d", options->ranks);
        const char *const sbatch[] = {
                "sbatch",
                "--parsable",
                "--no-requeue", /* a lost try is counted here */
                "--open-mode=append",
                pxr_strf(arena, "--ntasks=%s", ranks),
                pxr_strf(arena, "--array=1-%d%%%d", tasks, at_a_time),
                pxr_strf(arena, "--cpus-per-task=%s", threads),
                pxr_strf(arena, "--job-name=%s", options->sweep->name),
                output_option(arena, c->output),
                NULL,
        };
        const char *const task[] = {
                "/dev/stdin", options->task_program,
                "--db",       options->database,
                "--threads",  threads,
                "--ranks",    ranks,
                "--mpirun",   options->mpirun,
                "--quiet",    "--slurm-task",
                NULL,
        };
        const char *const *const lists[] = { sbatch, options->sbatch_options, task,
                                             options->task_arguments, NULL };

        return pxr_join_arguments(arena, lists);
}

static int submit(struct cluster *c, struct pxr_arena *arena, int tasks, int at_a_time)
{
        static const char script[] = "#!/bin/sh\nexec \"$@\"\n";
        struct pxr_queue *q = c->queue;
        const char *const *arguments = sbatch_arguments(c, arena, tasks, at_a_time);
        struct pxr_answer answer;
        char text[128], *end;

        if (pxr_arena_failed(arena) || call(arena, arguments, script, &answer, q->diag))
                return -1;
        c->submitted = strtoll(answer.output, &end, 10);
        if (end == answer.output || c->submitted <= 0)
                return pxr_system_error(q->diag, "sbatch printed '%s' instead of an array's number",
                                        answer.output);
        if (pxr_store_add_task_array(q->options->store, q->sweep, launcher, c->submitted, tasks,
                                     q->diag)) {
                pxr_note(q->diag, "cancel the submitted array with: scancel %" PRId64,
                         c->submitted);
                return -1;
        }
        snprintf(text, sizeof(text), "Slurm array %" PRId64 ": %d task%s, %d at a time",
                 c->submitted, tasks, pxr_plural(tasks), at_a_time < tasks ? at_a_time : tasks);
        pxr_observe_note(&q->options->observer.base, text);
        snprintf(q->state->array, sizeof(q->state->array), "%" PRId64, c->submitted);
        return 0;
}

static int64_t count_claims(const struct pxr_jobs *jobs)
{
        int64_t claims = 0;

        for (int i = 0; i < jobs->count; i++)
                claims += jobs->job[i].claims;
        return claims;
}

/* Submit no more tasks when those of the last array ended without a job: the next would, too. */
static int check_tasks(struct cluster *c, const struct pxr_jobs *jobs)
{
        struct pxr_diag *diag = c->queue->diag;
        int64_t array = current_array(c);

        if (array && was_cancelled(c))
                pxr_user_error(diag,
                               "tasks of Slurm array %" PRId64
                               " were cancelled before all jobs were done",
                               array);
        else if (c->submitted && count_claims(jobs) == c->claims)
                pxr_system_error(diag,
                                 "the tasks of Slurm array %" PRId64 " ended without claiming a "
                                 "job; their errors are in %s",
                                 c->submitted, c->output);
        else
                return 0;
        pxr_note(diag, "run the same command again to continue");
        return -1;
}

/* Submit tasks for the `ready` jobs once all earlier tasks have a job. */
static int provide(struct cluster *c, const struct pxr_jobs *jobs, int ready, int running)
{
        const struct pxr_sweep_options *options = c->queue->options;

        mark_claimed(c, jobs);
        if (c->silent || running >= options->jobs || count_pending(c) > 0)
                return 0;
        if (check_tasks(c, jobs))
                return -1;
        c->claims = count_claims(jobs);
        return submit(c, jobs->arena, ready < MAX_TASKS ? ready : MAX_TASKS,
                      options->jobs - running);
}

static void cancel_all(struct cluster *c, struct pxr_arena *arena)
{
        const char *arguments[8] = { "scancel" };
        struct pxr_answer answer;
        int count = 1;

        for (int i = 0; i < c->arrays && count < 7; i++)
                if (is_live(c, c->array[i]))
                        arguments[count++] = pxr_strf(arena, "%" PRId64, c->array[i]);
        if (count > 1 && !pxr_arena_failed(arena))
                call(arena, arguments, "", &answer, c->queue->diag);
}

/* --- rounds ------------------------------------------------------------------------------------
 */

/* Show what has changed since the round before; in the first, nothing has. Returns a job that has
 * failed once more, or NULL. Jobs are in the order of their numbers, which have no gaps. */
static const struct pxr_job *show_changes(struct cluster *c, const struct pxr_jobs *jobs)
{
        static const struct pxr_job new = { .state = PXR_JOB_WAITING };
        const struct pxr_sweep_options *options = c->queue->options;
        const struct pxr_sweep_observer *observer = &options->observer;
        const struct pxr_job *failed = NULL;

        for (int i = 0; c->before.arena && i < jobs->count; i++) {
                const struct pxr_job *job = &jobs->job[i];
                const struct pxr_job *before = i < c->before.count ? &c->before.job[i] : &new;
                const struct pxr_trial *trial;
                bool again = job->failures > before->failures;
                bool ended = job->state == PXR_JOB_FINISHED && before->state != PXR_JOB_FINISHED;

                if (!job->listed || !(again || ended))
                        continue;
                trial = pxr_plan_find(options->plan, job->spec_hash);
                if (!trial) /* only another process with a newer file has it */
                        continue;
                if (again)
                        failed = job;
                if (observer->ended)
                        observer->ended(observer->base.context, job, trial,
                                        job->seconds - before->seconds);
        }
        pxr_queue_report(c->queue);
        return failed;
}

/* Settle the jobs of lost tasks, and promote all that can be. */
static int update_jobs(struct pxr_queue *q, struct pxr_jobs *jobs)
{
        struct pxr_job added;
        int status;

        if (pxr_store_begin(q->options->store, q->diag))
                return -1;
        status = pxr_jobs_read(q, jobs) || pxr_queue_settle(q, jobs) ? -1 : 0;
        while (!status && (status = pxr_queue_promote(q, jobs, &added)) == 1) {
                pxr_jobs_free(jobs);
                status = pxr_jobs_read(q, jobs);
        }
        if (!status)
                pxr_queue_count(q, jobs);
        return pxr_store_conclude(q->options->store, status, q->diag);
}

/* An enum pxr_sweep_end, -1, or CONTINUE. */
static int decide(struct cluster *c, struct pxr_jobs *jobs, const struct pxr_job *failed)
{
        struct pxr_queue *q = c->queue;
        int ready = q->out_of_time ? 0 : pxr_queue_ready(q, jobs);
        int running = q->state->elsewhere + q->state->ending;

        name_arrays(c);
        if (failed && pxr_queue_check_errors(q, jobs, failed, false)) {
                cancel_all(c, jobs->arena);
                return -1;
        }
        if (ready == 0 && running == 0)
                return q->state->waiting > 0 ? PXR_SWEEP_SPENT : PXR_SWEEP_DONE;
        if (pxr_queue_report(q))
                return PXR_SWEEP_INTERRUPTED;
        if (ready > 0 && provide(c, jobs, ready, running))
                return -1;
        return q->options->no_wait ? PXR_SWEEP_LEFT : CONTINUE;
}

static int step(struct cluster *c)
{
        struct pxr_jobs jobs = { 0 };
        int status = list_tasks(c) || update_jobs(c->queue, &jobs)
                             ? -1
                             : decide(c, &jobs, show_changes(c, &jobs));

        pxr_jobs_free(&c->before);
        c->before = jobs;
        return status;
}

/* Milliseconds to the next round: short at first, when somebody is watching, then ten seconds, to
 * spare the cluster. */
static int pause_after(double seconds)
{
        return (int)(1000 * (seconds < 190 ? 0.5 + seconds / 20 : 10));
}

/* Absolute: an option of sbatch may give the tasks another folder. */
static const char *output_of(struct pxr_arena *arena, const char *database)
{
        char folder[PATH_MAX];

        if (*database == '/' || !getcwd(folder, sizeof(folder)))
                return pxr_strf(arena, "%s.slurm.log", database);
        return pxr_strf(arena, "%s/%s.slurm.log", folder, database);
}

int pxr_sweep_run_slurm(struct pxr_queue *q, struct pxr_arena *arena)
{
        struct cluster c = { .queue = q, .output = output_of(arena, q->options->database) };
        double started = pxr_now();
        int status;

        q->is_gone = is_gone;
        q->cluster = &c;
        while ((status = step(&c)) == CONTINUE)
                poll(NULL, 0, pause_after(pxr_now() - started));
        q->is_gone = NULL;
        pxr_jobs_free(&c.before);
        pxr_arena_free(c.arena);
        return status;
}
