/* SPDX-License-Identifier: MIT */
/*
 * pxr-sweep.c - the command that runs one spec in many configurations.
 *
 * Arguments and printing; what it does is in lib/sweep.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/installed.h"
#include "base/number.h"
#include "base/program.h"
#include "runner/command.h"
#include "runner/common.h"
#include "runner/texts.h"
#include "sweep/schedule.h"

enum { BEST = 5 }; /* shown at the end */

static struct arguments {
        const char *db, *mpirun;
        struct pxr_arguments sbatch;
        int launcher, jobs, ranks, threads; /* threads 0: not given */
        bool dry_run, retry, quiet, json, no_wait, task, schema;
} args;

/* --- printing ----------------------------------------------------------------------------------
 */

/* Columns of a job's number, and of the longest label of a trial. */
static int number_width, label_width;

/* Shown on a terminal alone: elsewhere the end of each job shows how far it is. */
static bool on_progress(void *context, const struct pxr_progress *progress)
{
        return isatty(STDERR_FILENO) ? display.progress(context, progress) : stop_asked;
}

static void on_ended(void *context, const struct pxr_job *job, const struct pxr_trial *trial,
                     double seconds)
{
        const char *result = "interrupted and saved", *message = "";

        (void)context;
        if (job->state == PXR_JOB_FINISHED)
                result = isnan(job->nats) ? "no validation NLL"
                                          : brief("%9s nats/image%s", number_text(job->nats, 4),
                                                  job->suspect ? " SUSPECT" : "");
        else if (job->message) {
                result = job->state == PXR_JOB_WAITING ? "failed, will be retried: " : "failed: ";
                message = job->message;
        }
        display_line("job %*" PRId64 "  %-*s  %7s  %s%s", number_width, job->number, label_width,
                     trial->label, time_text(seconds), result, message);
}

static void print_runs(const struct pxr_sweep *sweep, const struct pxr_plan *plan)
{
        int lowest = 0;

        for (int i = 0; i < plan->trials; i++)
                if (plan->trial[i].rung == 0)
                        say(stdout, "%5d  %s\n", ++lowest, plan->trial[i].label);
        say(stdout, "%s: %d run%s of %s (%s)\n", sweep->name, lowest, pxr_plural(lowest),
            sweep->spec, sweep->search.variant->name);
        if (plan->repeated)
                printf("%d more would be the same as others of these\n", plan->repeated);
        for (int rung = 1; rung < sweep->rungs; rung++) {
                for (int i = 0; i < rung; i++)
                        lowest = i ? lowest / (int)sweep->draws.factor : lowest;
                say(stdout, "then about %d for %" PRId64 " epoch%s\n",
                    lowest / (int)sweep->draws.factor, plan->epochs[rung],
                    pxr_plural(plan->epochs[rung]));
        }
        if (sweep->budget.runs)
                printf("at most %" PRId64 " are started\n", sweep->budget.runs);
}

static void print_row(const struct pxr_job *job, const struct pxr_plan *plan)
{
        const struct pxr_trial *trial = pxr_plan_find(plan, job->spec_hash);

        say(stdout, "%5" PRId64 " %5" PRId64 "  %9s%-14s  %8s  %s%s%s\n", job->number, job->run,
            number_text(job->nats, 4), error_text(job->standard_error), number_text(job->bits, 4),
            trial ? trial->label : "", job->suspect ? "  SUSPECT: " : "",
            job->suspect ? job->suspect : "");
}

/* "2 of 3 runs finished" */
static const char *finished_text(const struct pxr_sweep_state *state)
{
        return brief("%d of %d run%s finished", state->finished, state->known,
                     pxr_plural(state->known));
}

/* The best, and how to see the rest: what can be typed, whatever the names are. */
static void print_best(struct pxr_arena *arena, const struct pxr_sweep_options *order,
                       const struct pxr_sweep_state *state, const struct pxr_job *jobs, int count)
{
        bool usual = strcmp(args.db, "pxr.db") == 0;
        const char *name = pxr_shell_word(arena, order->sweep->name);

        if (count > 0 && !isnan(jobs[0].nats))
                printf("\n%5s %5s  %-23s  %8s  of the validation split\n", "job", "run",
                       "nats/image", "bits/dim");
        for (int i = 0; i < count && i < BEST; i++)
                if (jobs[i].state == PXR_JOB_FINISHED && !isnan(jobs[i].nats) && !jobs[i].archived)
                        print_row(&jobs[i], order->plan);
        say(stdout, "%s; all of them: pxr-report sweep %s%s%s\n", finished_text(state),
            usual ? "" : pxr_strf(arena, "--db %s ", pxr_shell_word(arena, args.db)),
            *name == '-' ? "-- " : "", name);
}

static json_t *job_as_json(const struct pxr_job *job)
{
        static const char *const states[] = { "waiting", "running", "finished", "failed" };

        return json_pack("{s:I, s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:s?, s:I, s:f, s:s?}", "job",
                         (json_int_t)job->number, "rung", job->rung, "state", states[job->state],
                         "values", json_loads(job->varied, 0, NULL), "run",
                         job->run ? json_integer(job->run) : json_null(), "nats_per_image",
                         json_number(job->nats), "bits_per_dimension", json_number(job->bits),
                         "standard_error", json_number(job->standard_error), "suspect",
                         job->suspect, "failures", (json_int_t)job->failures, "seconds",
                         job->seconds, "message", job->message);
}

static int print_sweep_json(const struct pxr_sweep *sweep, const struct pxr_sweep_state *state,
                            int end, const struct pxr_job *jobs, int count, struct pxr_diag *diag)
{
        static const char *const ends[] = {
                [PXR_SWEEP_DONE] = "done",
                [PXR_SWEEP_INTERRUPTED] = "interrupted",
                [PXR_SWEEP_LEFT] = "submitted",
                [PXR_SWEEP_SPENT] = "budget used up",
        };
        json_t *list = json_array();

        for (int i = 0; i < count; i++)
                add_json(&list, NULL, job_as_json(&jobs[i]));
        return print_json(json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:s?, s:o}", "sweep",
                                    sweep->name, "spec", sweep->spec, "search",
                                    sweep->search.variant->name, "end", ends[end], "finished",
                                    state->finished, "failed", state->failed, "waiting",
                                    state->waiting, "running", state->running + state->elsewhere,
                                    "array", *state->array ? state->array : NULL, "jobs", list),
                          diag);
}

static int print_plan_json(const struct pxr_sweep *sweep, const struct pxr_plan *plan,
                           struct pxr_diag *diag)
{
        json_t *list = json_array(), *epochs = json_array();
        int lowest = 0;

        for (int i = 0; i < plan->trials; i++)
                if (plan->trial[i].rung == 0)
                        add_json(&list, NULL,
                                 json_pack("{s:i, s:o}", "number", ++lowest, "values",
                                           json_loads(plan->trial[i].varied, 0, NULL)));
        for (int rung = 0; plan->epochs && rung < sweep->rungs; rung++)
                add_json(&epochs, NULL, json_integer(plan->epochs[rung]));
        return print_json(
                json_pack("{s:s, s:s, s:s, s:o, s:i, s:o, s:I, s:f}", "sweep", sweep->name, "spec",
                          sweep->spec, "search", sweep->search.variant->name, "runs", list,
                          "repeated", plan->repeated, "rung_epochs", epochs, "budget_runs",
                          (json_int_t)sweep->budget.runs, "budget_hours", sweep->budget.hours),
                diag);
}

/* The cluster continues without this program. */
static int print_left(const struct pxr_sweep_state *state, int end, const char *command)
{
        const char *array = state->array;

        say(stderr, "%s%s\n", finished_text(state),
            *array ? brief("; Slurm array %s continues. Cancel it with: scancel %s", array, array)
                   : "");
        say(stderr, "continue and see the results with: %s\n", command);
        return end == PXR_SWEEP_INTERRUPTED ? 130 : 0;
}

/* How it ended, on stderr where there is more to be done. The exit status. */
static int print_end(const struct pxr_sweep *sweep, const struct pxr_sweep_state *state, int end,
                     const char *command)
{
        if (end == PXR_SWEEP_LEFT || (end == PXR_SWEEP_INTERRUPTED && *state->array))
                return print_left(state, end, command);
        if (end == PXR_SWEEP_INTERRUPTED) {
                say(stderr, "interrupted with %s; resume with: %s\n", finished_text(state),
                    command);
                return 130;
        }
        if (end == PXR_SWEEP_SPENT) {
                bool time = sweep->budget.hours > 0 && state->seconds >= 3600 * sweep->budget.hours;
                const char *spent = time ? brief("%.4g hours (%.4g)", sweep->budget.hours,
                                                 state->seconds / 3600)
                                         : brief("%" PRId64 " run%s", sweep->budget.runs,
                                                 pxr_plural(sweep->budget.runs));

                say(stderr,
                    "the budget of %s is used up, with %s; to continue, raise it in %s and run: "
                    "%s\n",
                    spent, finished_text(state), sweep->path, command);
        }
        if (state->elsewhere)
                say(stderr, "%d run%s active elsewhere,%s in process %" PRId64 " on host %s\n",
                    state->elsewhere, pxr_plural(state->elsewhere),
                    state->elsewhere == 1 ? "" : " one of them", state->elsewhere_process,
                    state->elsewhere_host);
        if (!state->failed)
                return 0;
        say(stderr, "%d of %d run%s failed; retry with: %s --retry\n", state->failed, state->known,
            pxr_plural(state->known), command);
        return 1;
}

/* --- running -----------------------------------------------------------------------------------
 */

static int run_sweep(struct pxr_sweep_options *order, const struct program *program)
{
        const char *again = command_line(program, "--retry, --no-wait");
        const bool shown = !args.quiet && !args.json;
        struct pxr_diag *diag = program->diag;
        struct pxr_sweep_state state;
        struct pxr_job *jobs;
        int count, end;

        number_width = snprintf(NULL, 0, "%d", order->plan->trials);
        for (int i = 0; i < order->plan->trials; i++)
                if ((int)strlen(order->plan->trial[i].label) > label_width)
                        label_width = (int)strlen(order->plan->trial[i].label);
        begin_work(shown ? stdout : NULL);
        order->observer = (struct pxr_sweep_observer) { .base = { NULL, on_progress, display.note },
                                                        .ended = on_ended };
        end = pxr_sweep_run(order, &state, diag);
        display_end();
        if (end < 0 ||
            pxr_store_jobs(order->store, program->arena, state.sweep, true, &jobs, &count, diag))
                return -1;
        if (args.json && print_sweep_json(order->sweep, &state, end, jobs, count, diag))
                return -1;
        if (state.finished > 0 && shown)
                print_best(program->arena, order, &state, jobs, count);
        if (order->task) /* the command that waits for all tasks prints how they ended */
                return end == PXR_SWEEP_INTERRUPTED ? 130 : 0;
        return print_end(order->sweep, &state, end, again);
}

/* The Slurm task that this process is; NULL after an error. */
static const char *task_name(struct pxr_arena *arena, struct pxr_diag *diag)
{
        const char *array = getenv("SLURM_ARRAY_JOB_ID"), *index = getenv("SLURM_ARRAY_TASK_ID");

        if (array && index)
                return pxr_strf(arena, "slurm %s_%s", array, index);
        pxr_user_error(diag, "--slurm-task is for tasks that pxr-sweep submits");
        return NULL;
}

/* Threads of one rank of a run. */
static int share(void)
{
        int all = args.threads ? args.threads : usual_threads(), ranks = args.jobs * args.ranks;

        if (args.launcher == PXR_LAUNCH_SLURM || args.task)
                return args.threads ? args.threads : 1;
        return all < ranks ? 1 : all / ranks;
}

static int check_cluster_options(const struct program *program)
{
        if (args.ranks > 1 && strspn(args.mpirun, " ") == strlen(args.mpirun))
                return pxr_user_error(program->diag, "--mpirun: expected a command, got '%s'",
                                      args.mpirun);
        if (args.launcher != PXR_LAUNCH_SLURM && (args.no_wait || args.sbatch.count))
                return pxr_user_error(program->diag, "%s needs --launcher slurm",
                                      args.no_wait ? "--no-wait" : "--sbatch-option");
        for (size_t i = 0; i < args.sbatch.count; i++)
                if (*args.sbatch.text[i] != '-')
                        return pxr_user_error(program->diag,
                                              "--sbatch-option: expected an option such as "
                                              "--time=60, got '%s'",
                                              args.sbatch.text[i]);
        return 0;
}

/* Returns 0 or -1. */
static int make_order(const struct program *program, struct pxr_sweep_options *order)
{
        const struct pxr_arguments *words = &program->words;
        struct pxr_arena *arena = program->arena;

        *order = (struct pxr_sweep_options) {
                .database = args.db,
                .program = pxr_program_beside(arena, "pxr-run"),
                .jobs = args.jobs,
                .ranks = args.ranks,
                .mpirun = args.mpirun,
                .threads = share(),
                .retry = args.retry,
                .launcher = (enum pxr_launcher)args.launcher,
                .task_program = pxr_program_beside(arena, "pxr-sweep"),
                .task_arguments = words->text,
                .sbatch_options = args.sbatch.count ? args.sbatch.text : words->text + words->count,
                .no_wait = args.no_wait
        };
        if (args.task && !(order->task = task_name(arena, program->diag)))
                return -1;
        order->sweep = pxr_sweep_read(arena, words->text[0], words->text + 1, words->count - 1,
                                      program->diag);
        return order->sweep ? 0 : -1;
}

static int run(struct program *program)
{
        struct pxr_sweep_options order;
        struct pxr_plan plan;
        int status;

        if (args.schema)
                return print_json(pxr_sweep_schema(), program->diag);
        if (!program->words.count)
                return pxr_user_error(program->diag, "missing argument; expected: SWEEP");
        if (check_cluster_options(program) || make_order(program, &order) ||
            pxr_sweep_plan(order.sweep, &plan, program->diag))
                return -1;
        order.plan = &plan;
        if (args.dry_run && args.json)
                return print_plan_json(order.sweep, &plan, program->diag);
        if (args.dry_run) {
                print_runs(order.sweep, &plan);
                return 0;
        }
        if (args.launcher == PXR_LAUNCH_SLURM &&
            pxr_sweep_find_slurm(program->arena, program->diag))
                return -1;
        /* The sweep that submits tasks checks the database for all of them. */
        order.store = args.task ? pxr_store_open(args.db, true, program->diag)
                                : pxr_store_open_sound(args.db, program->diag);
        status = order.store ? run_sweep(&order, program) : -1;
        pxr_store_close(order.store);
        return status;
}

/* --- the command -------------------------------------------------------------------------------
 */

static const char *const launchers[] = { "local", "slurm", NULL }; /* as enum pxr_launcher */

static const struct command_option options[] = {
        { OPTION_DB },
        { "jobs", 'j', "N", "number of runs at a time", FIELD(jobs), .least = 1, .most = 1024,
          .initial = "1" },
        { OPTION_THREADS("worker threads of all runs together, divided evenly (default: one per "
                         "processor); with --launcher slurm, of each rank (default: 1)") },
        { "dry-run", 0, NULL, "list the runs without starting any", FIELD(dry_run) },
        { "retry", 0, NULL, "run failed runs again", FIELD(retry) },
        { OPTION_JSON },
        { OPTION_QUIET },
        { .help = "Clusters:" },
        { "launcher", 0, "NAME", "run as processes here, or as tasks of a Slurm job array",
          FIELD(launcher), .choices = launchers, .initial = "local" },
        { "ranks", 0, "N", "number of processes that share each run, started by --mpirun",
          FIELD(ranks), .least = 1, .most = 65536, .initial = "1" },
        { "mpirun", 0, "COMMAND", "command that starts ranks, to which -n N is added",
          FIELD(mpirun), .initial = "mpirun --bind-to none" },
        { "sbatch-option", 0, "OPTION",
          "option for sbatch, such as --sbatch-option=--time=2:00:00; can be repeated",
          FIELD(sbatch) },
        { "no-wait", 0, NULL,
          "submit and exit; the same command later continues and shows the results",
          FIELD(no_wait) },
        { "schema", 0, NULL, "print the JSON Schema of sweeps, for an editor", FIELD(schema) },
        { "slurm-task", 0, NULL, "set by pxr-sweep: run as one task of its job array", FIELD(task),
          .hidden = true },
        { 0 },
};

const struct command command = {
        .name = "pxr-sweep",
        .usage = "SWEEP [KEY=VALUE...]\n"
                 "--schema",
        .summary = "Run the spec that SWEEP (YAML) names in many configurations, each as a run of "
                   "its own in the run database.",
        .text = PXR_SWEEP_TEXT,
        .options = options,
        .verbs =
                (const struct command_verb[]) {
                        { NULL, "[SWEEP] [KEY=VALUE...]", "run", .run = run }, { 0 } },
};
