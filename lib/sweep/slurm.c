/* SPDX-License-Identifier: MIT */
/*
 * slurm.c - a sweep's jobs as tasks of Slurm's job arrays.
 *
 * A task is `pxr-sweep --slurm-task`, which takes one job up from the database, as every pxr-sweep
 * does, and runs it: which task has which job is nobody's plan. So all there is to do here is to
 * see that there are as many tasks to come as there are jobs to be begun, to notice the tasks that
 * Slurm has lost, and to wait.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "sweep/queue.h"

enum {
        MOST_TASKS = 1000, /* of an array: Slurm's own bound, unless it is set to another */
        WORDS = 32,        /* of a command, beside what users add */
        GO_ON = 16,        /* not an enum pxr_sweep_end: there is another round */
};

static const char launcher[] = "slurm";

/* A task as squeue lists it. */
struct task {
        int64_t array, index; /* index -1: several that never began */
        bool ended, cancelled, claimed;
};

/* What a job was like when it was last looked at. */
struct seen {
        enum pxr_job_state state;
        int64_t failures;
        double seconds;
};

struct cluster {
        struct pxr_queue *queue;
        struct pxr_arena *arena; /* of the last listing: */
        int64_t *array;          /* that the sweep had */
        int arrays;
        struct task *task; /* sorted */
        int tasks;
        struct seen *seen; /* by number - 1 */
        int known;
        bool mute;         /* squeue has failed, and it was told */
        int64_t submitted; /* the array submitted last; 0: none */
        int64_t joined; /* the newest array of an earlier process that was seen at work; 0: none */
        int64_t taken;  /* how often jobs had been taken up then */
        const char *output; /* of tasks */
};

/* --- asking Slurm ------------------------------------------------------------------------------
 */

static int missing(const char *program, struct pxr_diag *diag)
{
        return pxr_user_error(diag,
                              "%s was not found: --launcher slurm wants a machine from which jobs "
                              "can be submitted to Slurm",
                              program);
}

/* Of what one of Slurm's programs says, the line that tells most: that of what ended it, or the
 * first. */
static const char *main_line(struct pxr_arena *arena, const char *messages)
{
        const char *line = strstr(messages, "fatal: ");

        while (line && line > messages && line[-1] != '\n')
                line--;
        line = line ? line : messages;
        return pxr_strndup(arena, line, strcspn(line, "\n"));
}

/* Run one of Slurm's programs. What it says when it fails is passed on. */
static int ask(struct pxr_arena *arena, const char *const *arguments, const char *input,
               struct pxr_answer *answer, struct pxr_diag *diag)
{
        const char *line;

        if (pxr_child_ask(arena, arguments, input, answer, diag))
                return errno == ENOENT ? missing(arguments[0], diag) : -1;
        if (answer->status == 0)
                return 0;
        line = main_line(arena, answer->messages);
        if (!line)
                return pxr_out_of_memory(diag);
        return pxr_system_error(diag, "%s failed: %s", arguments[0],
                                *line ? line : "it does not say why");
}

static int by_place(const void *left, const void *right)
{
        const struct task *a = left, *b = right;

        if (a->array != b->array)
                return a->array < b->array ? -1 : 1;
        return a->index < b->index ? -1 : a->index > b->index;
}

static bool is_one_of(const char *word, const char *const *words)
{
        for (; *words; words++)
                if (strcmp(*words, word) == 0)
                        return true;
        return false;
}

/* "12 3 RUNNING" */
static bool read_task(const char *line, struct task *task)
{
        static const char *const ended[] = { "BOOT_FAIL",     "CANCELLED", "COMPLETED", "DEADLINE",
                                             "FAILED",        "NODE_FAIL", "PREEMPTED", "REVOKED",
                                             "OUT_OF_MEMORY", "TIMEOUT",   NULL };
        char index[64], state[32], *end;

        if (sscanf(line, "%" SCNd64 " %63s %31s", &task->array, index, state) != 3)
                return false;
        task->index = strtoll(index, &end, 10);
        if (*end || end == index)
                task->index = -1;
        task->ended = is_one_of(state, ended);
        task->cancelled = strcmp(state, "CANCELLED") == 0;
        task->claimed = false;
        return true;
}

static bool has_array(const struct cluster *c, int64_t array)
{
        for (int i = 0; i < c->arrays; i++)
                if (c->array[i] == array)
                        return true;
        return false;
}

static int read_tasks(struct cluster *c, const char *text)
{
        int lines = 1;

        for (const char *at = text; *at; at++)
                lines += *at == '\n';
        c->tasks = 0;
        c->task = pxr_alloc_array(c->arena, (size_t)lines, sizeof(*c->task));
        if (!c->task)
                return pxr_out_of_memory(c->queue->diag);
        for (const char *line = text; *line; line += *line == '\n') {
                if (read_task(line, &c->task[c->tasks]) && has_array(c, c->task[c->tasks].array))
                        c->tasks++;
                line += strcspn(line, "\n");
        }
        if (c->tasks > 1)
                qsort(c->task, (size_t)c->tasks, sizeof(*c->task), by_place);
        return 0;
}

static const char *const squeue[] = {
        "squeue", "--me", "--noheader", "--states=all", "--array", "--format=%F %K %T", NULL
};

int pxr_sweep_find_slurm(struct pxr_arena *arena, struct pxr_diag *diag)
{
        struct pxr_answer answer;

        return ask(arena, squeue, "", &answer, diag);
}

/* The arrays are read first: of one that is submitted later nothing is known, be it listed or not.
 * When squeue fails after it has worked, the cluster may come back: until then nothing is known. */
static int list_tasks(struct cluster *c)
{
        struct pxr_queue *s = c->queue;
        struct pxr_answer answer;
        bool first = !c->arena;

        pxr_arena_free(c->arena);
        c->arena = pxr_arena_new(0, s->diag);
        if (!c->arena)
                return pxr_out_of_memory(s->diag);
        if (pxr_store_task_arrays(s->order->store, c->arena, s->sweep, launcher, &c->array,
                                  &c->arrays, s->diag))
                return -1;
        if (ask(c->arena, squeue, "", &answer, first ? s->diag : NULL) == 0) {
                c->mute = false;
                return read_tasks(c, answer.output);
        }
        if (first)
                return -1;
        if (!c->mute)
                pxr_queue_tell(s, "squeue does not answer; it will be asked again");
        c->mute = true;
        c->arrays = c->tasks = 0;
        return 0;
}

static struct task *find_task(const struct cluster *c, const char *name)
{
        struct task key = { 0 };

        if (!name || !c->tasks ||
            sscanf(name, "slurm %" SCNd64 "_%" SCNd64, &key.array, &key.index) != 2)
                return NULL;
        return bsearch(&key, c->task, (size_t)c->tasks, sizeof(key), by_place);
}

/* A task that has ended is listed for some minutes, and then no more. */
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
static int64_t awaited(const struct cluster *c)
{
        return c->submitted ? c->submitted : c->joined;
}

/* Tasks that have no job: `cancelled` ones, or those that may yet take one up. */
static int count_unclaimed(struct cluster *c, const struct pxr_view *view, bool cancelled)
{
        int count = 0;

        for (int i = 0; i < view->count; i++) {
                struct task *task = find_task(c, view->job[i].task);

                if (task)
                        task->claimed = true;
        }
        for (int i = 0; i < c->tasks; i++)
                count += !c->task[i].claimed &&
                         (cancelled ? c->task[i].cancelled && c->task[i].array == awaited(c)
                                    : !c->task[i].ended);
        return count;
}

/* "12 13": the arrays that have tasks which are yet to end. The newest is waited for. */
static void name_arrays(struct cluster *c)
{
        char *text = c->queue->state->array;
        size_t room = sizeof(c->queue->state->array), length = 0;
        int64_t last = 0;

        *text = '\0';
        for (int i = 0; i < c->tasks && length + 24 < room; i++) {
                if (c->task[i].ended || c->task[i].array == last)
                        continue;
                last = c->task[i].array;
                if (last > c->joined)
                        c->joined = last;
                length += (size_t)snprintf(text + length, room - length, "%s%" PRId64,
                                           length ? " " : "", last);
        }
}

/* --- submitting --------------------------------------------------------------------------------
 */

/* Where tasks write: their errors, all in one file. Slurm reads % in a name as it does in formats.
 */
static char *output_option(struct pxr_arena *arena, const char *path)
{
        static const char option[] = "--output=";
        char *text = pxr_alloc(arena, 2 * strlen(path) + sizeof(option)), *to;

        if (!text)
                return NULL;
        to = stpcpy(text, option);
        for (; *path; path++) {
                *to++ = *path;
                if (*path == '%')
                        *to++ = '%';
        }
        return text;
}

static size_t length_of(const char *const *list)
{
        size_t length = 0;

        while (list[length])
                length++;
        return length;
}

/* sbatch reads the script, and what it is given are arguments: no text of a user's goes through a
 * shell. */
static const char *const *sbatch_arguments(const struct cluster *c, struct pxr_arena *arena,
                                           int tasks, int at_a_time)
{
        const struct pxr_sweep_order *order = c->queue->order;
        const char *const fixed[] = {
                "sbatch",
                "--parsable",
                "--no-requeue", /* a try that is lost is counted here */
                "--open-mode=append",
                "--ntasks=1",
                pxr_strf(arena, "--array=1-%d%%%d", tasks, at_a_time),
                pxr_strf(arena, "--cpus-per-task=%d", order->threads),
                pxr_strf(arena, "--job-name=%s", order->sweep->name),
                output_option(arena, c->output),
        };
        const char *const last[] = { "--db",      order->database,
                                     "--threads", pxr_strf(arena, "%d", order->threads),
                                     "--quiet",   "--slurm-task" };
        size_t options = length_of(order->options), given = length_of(order->task_arguments);
        size_t fixed_count = PXR_COUNT(fixed), last_count = PXR_COUNT(last);
        const char **list = pxr_alloc_array(arena, WORDS + options + given, sizeof(*list)),
                   **to = list;

        if (!list)
                return NULL;
        for (size_t i = 0; i < fixed_count; i++)
                *to++ = fixed[i];
        for (size_t i = 0; i < options; i++)
                *to++ = order->options[i];
        *to++ = "/dev/stdin";
        *to++ = order->task_program;
        for (size_t i = 0; i < last_count; i++)
                *to++ = last[i];
        for (size_t i = 0; i < given; i++)
                *to++ = order->task_arguments[i];
        for (const char **at = list; at < to; at++)
                if (!*at)
                        return NULL;
        return list;
}

static int submit(struct cluster *c, struct pxr_arena *arena, int tasks, int at_a_time)
{
        static const char script[] = "#!/bin/sh\nexec \"$@\"\n";
        struct pxr_queue *s = c->queue;
        const char *const *arguments = sbatch_arguments(c, arena, tasks, at_a_time);
        struct pxr_answer answer;
        char text[128], *end;

        if (!arguments)
                return pxr_out_of_memory(s->diag);
        if (ask(arena, arguments, script, &answer, s->diag))
                return -1;
        c->submitted = strtoll(answer.output, &end, 10);
        if (end == answer.output || c->submitted <= 0)
                return pxr_system_error(s->diag, "sbatch does not say what it has submitted: '%s'",
                                        answer.output);
        if (pxr_store_add_task_array(s->order->store, s->sweep, launcher, c->submitted, tasks,
                                     s->diag)) {
                pxr_note(s->diag, "cancel what was submitted with: scancel %" PRId64, c->submitted);
                return -1;
        }
        snprintf(text, sizeof(text), "Slurm array %" PRId64 ": %d task%s, %d at a time",
                 c->submitted, tasks, pxr_plural(tasks), at_a_time < tasks ? at_a_time : tasks);
        pxr_queue_tell(s, text);
        snprintf(s->state->array, sizeof(s->state->array), "%" PRId64, c->submitted);
        return 0;
}

/* --- what has become of jobs -------------------------------------------------------------------
 */

/* Room to remember as many. */
static int make_room(struct cluster *c, int count)
{
        struct seen *seen = realloc(c->seen, ((size_t)count + 1) * sizeof(*seen));

        if (!seen)
                return pxr_out_of_memory(c->queue->diag);
        c->seen = seen;
        for (; c->known < count; c->known++)
                c->seen[c->known] = (struct seen) { .state = PXR_JOB_WAITING };
        return 0;
}

/* Tell who watches what has changed since the last time (`first`: there was none). *failed is a job
 * that has failed once more, or NULL. */
static int report(struct cluster *c, const struct pxr_view *view, bool first,
                  const struct pxr_job **failed)
{
        const struct pxr_sweep_order *order = c->queue->order;
        const struct pxr_sweep_watcher *watcher = &order->watcher;

        *failed = NULL;
        if (make_room(c, view->count)) /* numbers have no gaps */
                return -1;
        for (int i = 0; i < view->count; i++) {
                const struct pxr_job *job = &view->job[i];
                struct seen *seen = &c->seen[i], now = { job->state, job->failures, job->seconds };
                bool ended = now.state == PXR_JOB_FINISHED && seen->state != PXR_JOB_FINISHED;

                if (job->wanted && !first && now.failures > seen->failures)
                        *failed = job;
                if (job->wanted && !first && (ended || now.failures > seen->failures) &&
                    watcher->ended)
                        watcher->ended(watcher->context, job,
                                       pxr_plan_find(order->plan, job->spec_hash),
                                       now.seconds - seen->seconds);
                *seen = now;
        }
        if (watcher->progress)
                watcher->progress(watcher->context, c->queue->state);
        return 0;
}

static int64_t times_taken(const struct pxr_view *view)
{
        int64_t taken = 0;

        for (int i = 0; i < view->count; i++)
                taken += view->job[i].taken;
        return taken;
}

/* --- rounds ------------------------------------------------------------------------------------
 */

/* Within a transaction: settle what is lost, and promote all that can be. */
static int bring_up_to_date(struct pxr_queue *s, struct pxr_view *view)
{
        struct pxr_job added;
        int status = pxr_view_open(s, view);

        if (!status)
                status = pxr_queue_settle(s, view);
        while (!status && (status = pxr_queue_promote(s, view, &added)) == 1) {
                pxr_view_close(view);
                status = pxr_view_open(s, view);
        }
        if (!status)
                pxr_queue_sum_up(s, view);
        return status;
}

static int look(struct pxr_queue *s, struct pxr_view *view)
{
        if (pxr_store_begin(s->order->store, s->diag))
                return -1;
        if (bring_up_to_date(s, view)) {
                pxr_store_rollback(s->order->store);
                return -1;
        }
        return pxr_store_commit(s->order->store, s->diag);
}

/* No more tasks are submitted when those of the last array ended without a job, which the next
 * would do as well. */
static int check_progress(struct cluster *c, const struct pxr_view *view)
{
        struct pxr_diag *diag = c->queue->diag;
        int cancelled;

        if (!awaited(c))
                return 0;
        cancelled = count_unclaimed(c, view, true);
        if (cancelled)
                pxr_user_error(diag,
                               "tasks of Slurm array %" PRId64 " were cancelled, and jobs wait",
                               awaited(c));
        else if (c->submitted && times_taken(view) == c->taken)
                pxr_system_error(diag,
                                 "the tasks of Slurm array %" PRId64 " ended without taking up a "
                                 "job; what they said is in %s",
                                 c->submitted, c->output);
        else
                return 0;
        pxr_note(diag, "the same command goes on");
        return -1;
}

/* Give Slurm the tasks that there are jobs for, when those it has all have one. */
static int provide(struct cluster *c, const struct pxr_view *view, int free, int running)
{
        const struct pxr_sweep_order *order = c->queue->order;

        if (c->mute || running >= order->jobs || count_unclaimed(c, view, false) > 0)
                return 0;
        if (check_progress(c, view))
                return -1;
        c->taken = times_taken(view);
        return submit(c, view->arena, free < MOST_TASKS ? free : MOST_TASKS, order->jobs - running);
}

static void cancel_all(struct cluster *c, struct pxr_arena *arena)
{
        const char *arguments[8] = { "scancel" }, *at = c->queue->state->array;
        struct pxr_answer answer;

        for (int i = 1; i < 7 && *at; i++) {
                arguments[i] = pxr_strndup(arena, at, strcspn(at, " "));
                at += strcspn(at, " ");
                at += *at == ' ';
        }
        if (arguments[1])
                ask(arena, arguments, "", &answer, c->queue->diag);
}

/* An enum pxr_sweep_end, -1, or GO_ON. */
static int decide(struct cluster *c, struct pxr_view *view, const struct pxr_job *failed)
{
        struct pxr_queue *s = c->queue;
        int free = s->out_of_time ? 0 : pxr_queue_free(s, view);
        int running = s->state->elsewhere + s->state->dying;

        name_arrays(c);
        if (failed && pxr_queue_check_alike(s, view, failed, false)) {
                cancel_all(c, view->arena);
                return -1;
        }
        if (free == 0 && running == 0)
                return s->state->waiting > 0 ? PXR_SWEEP_SPENT : PXR_SWEEP_DONE;
        if (*s->order->stop)
                return PXR_SWEEP_INTERRUPTED;
        if (free > 0 && provide(c, view, free, running))
                return -1;
        return s->order->no_wait ? PXR_SWEEP_LEFT : GO_ON;
}

static int go_round(struct cluster *c, bool first)
{
        const struct pxr_job *failed;
        struct pxr_view view = { 0 };
        int status = list_tasks(c);

        if (!status)
                status = look(c->queue, &view);
        if (!status)
                status = report(c, &view, first, &failed);
        if (!status)
                status = decide(c, &view, failed);
        pxr_view_close(&view);
        return status;
}

/* From a round to the next: often at first, when somebody is looking, and then every ten seconds,
 * which does a cluster no harm. */
static int pause_after(double seconds)
{
        return (int)(1000 * (seconds < 190 ? 0.5 + seconds / 20 : 10));
}

int pxr_sweep_run_slurm(struct pxr_queue *s)
{
        struct pxr_arena *arena = pxr_arena_new(0, s->diag);
        struct cluster c = { .queue = s };
        double began = pxr_now();
        int status;

        s->is_gone = is_gone;
        s->cluster = &c;
        c.output = arena ? pxr_strf(arena, "%s.slurm.log", s->order->database) : NULL;
        status = c.output ? go_round(&c, true) : pxr_out_of_memory(s->diag);
        while (status == GO_ON) {
                poll(NULL, 0, pause_after(pxr_now() - began));
                status = go_round(&c, false);
        }
        s->is_gone = NULL;
        free(c.seen);
        pxr_arena_free(c.arena);
        pxr_arena_free(arena);
        return status;
}
