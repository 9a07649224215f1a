/* SPDX-License-Identifier: MIT */
/*
 * pxr-sweep.c - the command that runs one spec in many configurations.
 *
 * Arguments and printing; what it does is in lib/sweep.
 */
#include <argp.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pxr/version.h>

#include "base/number.h"
#include "runner/common.h"
#include "runner/display.h"
#include "runner/program.h"
#include "runner/sweep_json.h"
#include "sweep/child.h"
#include "sweep/schedule.h"

const char *argp_program_version = "pxr-sweep " PXR_VERSION;

enum { BEST = 5 }; /* shown at the end */

struct arguments {
        const char *sweep, *database;
        const char **overrides;
        size_t count;
        const char **sbatch; /* options for it, NULL-ended */
        size_t sbatch_count;
        enum pxr_launcher launcher;
        int jobs, threads; /* threads 0: not said */
        bool dry_run, retry, quiet, json, no_wait, task;
};

enum {
        OPTION_DB = 256,
        OPTION_DRY_RUN,
        OPTION_RETRY,
        OPTION_JSON,
        OPTION_LAUNCHER,
        OPTION_SBATCH,
        OPTION_NO_WAIT,
        OPTION_TASK,
};

static const struct argp_option options[] = {
        { "db", OPTION_DB, "FILE", 0, "the run database (default: pxr.db)", 0 },
        { "jobs", 'j', "N", 0, "runs at a time (default: 1)", 0 },
        { "threads", 't', "N", 0,
          "workers of all runs together, shared out evenly (default: one a processor); with "
          "--launcher slurm, of each run (default: 1)",
          0 },
        { "dry-run", OPTION_DRY_RUN, NULL, 0, "list the runs; begin none", 0 },
        { "retry", OPTION_RETRY, NULL, 0, "give the runs that failed new tries", 0 },
        { "json", OPTION_JSON, NULL, 0, "print the result as JSON", 0 },
        { "quiet", 'q', NULL, 0, "print errors only", 0 },
        { "launcher", OPTION_LAUNCHER, "NAME", 0,
          "local (the default): runs are processes here; slurm: they are tasks of a job array", 1 },
        { "sbatch-option", OPTION_SBATCH, "OPTION", 0,
          "slurm: for sbatch, as --sbatch-option=--time=2:00:00; may be given several times", 1 },
        { "no-wait", OPTION_NO_WAIT, NULL, 0,
          "slurm: submit, and do not wait; the same command later goes on and shows the results",
          1 },
        { "slurm-task", OPTION_TASK, NULL, OPTION_HIDDEN, "", 1 },
        { 0 },
};

static void take_word(struct arguments *arguments, const char *text, struct argp_state *state)
{
        if (!arguments->sweep)
                arguments->sweep = text;
        else if (strchr(text, '='))
                arguments->overrides[arguments->count++] = text;
        else
                argp_error(state, "'%s' is neither an option nor KEY=VALUE", text);
}

static enum pxr_launcher launcher_named(const char *text, struct argp_state *state)
{
        if (strcmp(text, "slurm") != 0 && strcmp(text, "local") != 0)
                argp_error(state, "--launcher wants local or slurm, not '%s'", text);
        return strcmp(text, "slurm") == 0 ? PXR_LAUNCH_SLURM : PXR_LAUNCH_LOCAL;
}

/* What is for Slurm alone, where it is not asked for. */
static void check_launcher(const struct arguments *arguments, struct argp_state *state)
{
        if (arguments->launcher == PXR_LAUNCH_SLURM)
                return;
        if (arguments->no_wait)
                argp_error(state, "--no-wait is for --launcher slurm");
        if (arguments->sbatch_count)
                argp_error(state, "--sbatch-option is for --launcher slurm");
}

static error_t parse(int key, char *text, struct argp_state *state)
{
        struct arguments *arguments = state->input;

        switch (key) {
        case OPTION_DB:
                arguments->database = text;
                return 0;
        case OPTION_DRY_RUN:
                arguments->dry_run = true;
                return 0;
        case OPTION_RETRY:
                arguments->retry = true;
                return 0;
        case 'j':
                arguments->jobs = (int)number_option("--jobs", text, 1, 1024, state);
                return 0;
        case 't':
                arguments->threads = threads_option(text, state);
                return 0;
        case 'q':
                arguments->quiet = true;
                return 0;
        case OPTION_JSON:
                arguments->json = true;
                return 0;
        case OPTION_LAUNCHER:
                arguments->launcher = launcher_named(text, state);
                return 0;
        case OPTION_SBATCH:
                if (*text != '-')
                        argp_error(state,
                                   "--sbatch-option wants an option, like --time=60, not '%s'",
                                   text);
                arguments->sbatch[arguments->sbatch_count++] = text;
                return 0;
        case OPTION_NO_WAIT:
                arguments->no_wait = true;
                return 0;
        case OPTION_TASK:
                arguments->task = true;
                return 0;
        case ARGP_KEY_END:
                check_launcher(arguments, state);
                return 0;
        case ARGP_KEY_ARG:
                take_word(arguments, text, state);
                return 0;
        case ARGP_KEY_NO_ARGS:
                argp_usage(state);
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "SWEEP [KEY=VALUE...]",
        .doc = "Run the spec that SWEEP (YAML) names in many configurations, each as a run of its "
               "own in the run database.\v"
               "KEY=VALUE sets a value of the spec for all runs. A sweep:\n\n"
               "  name: rates\n"
               "  spec: quickstart.yaml      # relative to this file\n"
               "  set: {train.epochs: 2}     # for all runs\n"
               "  vary:                      # lists, or ranges to draw from\n"
               "    train.batch: [16, 32]\n"
               "    train.optimizer.adam.rate: {log_uniform: [1e-4, 1e-2]}\n"
               "    layers: {cases: {two: {model.1.repeat: 2}}}\n"
               "  search: {random: {runs: 12, seed: 1}}\n"
               "  retries: 1                 # of a run that fails\n"
               "  budget: {runs: 0, hours: 0}  # of all runs together; 0: no limit\n\n"
               "search: grid (every combination), {random: {runs: N}}, or {halving: {runs: N, "
               "factor: 3, epochs: 1}} (ASHA): configurations are trained for `epochs` epochs at "
               "first, and the best third of them for three times as long, up to train.epochs. A "
               "longer training is begun anew, since the schedule of the rate depends on its "
               "length. Ranges are uniform, log_uniform and integer.\n\n"
               "Runs are compared by their final NLL on the validation split. Stopped, killed or "
               "at its end, a sweep goes on when the same command is given again: no finished "
               "run is repeated, and an interrupted one is gone on with.\n\n"
               "With --launcher slurm, jobs are tasks of a Slurm job array, --jobs at a time, each "
               "with --threads processors. Every task takes one job up from the database and "
               "writes to it. So the nodes must have it, sweep, spec, data and pxr under the same "
               "paths as this machine, on a file system whose locks hold between hosts (NFS "
               "version 4, Lustre with flock, GPFS, CephFS); where there is none, give each "
               "machine a database of its own, to be put together by pxr-report merge. A task that "
               "is killed, cancelled or out of its "
               "time is a failed try; its run goes on from where it was saved. What tasks say "
               "beside that is in the file DATABASE.slurm.log. Interrupted, pxr-sweep leaves the "
               "array to run on.\n\n"
               "Exit status: 0 done (or the budget is used up), 1 a run or the system failed, 2 a "
               "mistake in sweep, spec, data or arguments, 130 interrupted.",
};

/* --- printing ----------------------------------------------------------------------------------
 */

struct printer {
        const struct arguments *arguments;
        struct display display;
        bool shown;
        int width; /* of a job's number */
        int words; /* columns of the longest words for what varied */
};

static bool on_progress(void *context, const struct pxr_progress *progress)
{
        struct printer *printer = context;

        return printer->display.terminal ? display_progress(&printer->display, progress)
                                         : stop_asked;
}

static void print_failure(const struct pxr_job *job)
{
        say(stdout, "failed%s: %s\n", job->state == PXR_JOB_WAITING ? ", to be tried again" : "",
            job->message);
}

static void on_ended(void *context, const struct pxr_job *job, const struct pxr_trial *trial,
                     double seconds)
{
        struct printer *printer = context;
        char time[32], result[96], number[PXR_NUMBER_TEXT];

        if (!printer->shown)
                return;
        display_end(&printer->display);
        display_write_time(seconds, time, sizeof(time));
        if (job->state == PXR_JOB_FINISHED && isnan(job->nats))
                snprintf(result, sizeof(result), "no validation NLL");
        else if (job->state == PXR_JOB_FINISHED)
                snprintf(result, sizeof(result), "%9s nats/image%s",
                         pxr_number_text(job->nats, 4, number), job->suspect ? " SUSPECT" : "");
        else if (!job->message)
                snprintf(result, sizeof(result), "interrupted, and saved");
        else
                *result = '\0';
        say(stdout, "job %*" PRId64 "  %-*s  %7s  ", printer->width, job->number, printer->words,
            trial->label, time);
        if (*result)
                say(stdout, "%s\n", result);
        else
                print_failure(job);
        fflush(stdout);
}

static void on_note(void *context, const char *text)
{
        struct printer *printer = context;

        display_line(&printer->display, "%s", text);
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
                printf("no more than %" PRId64 " are begun\n", sweep->budget.runs);
}

static void print_row(const struct pxr_job *job, const struct pxr_plan *plan)
{
        const struct pxr_trial *trial = pxr_plan_find(plan, job->spec_hash);
        char number[2][PXR_NUMBER_TEXT], error[ERROR_TEXT];

        say(stdout, "%5" PRId64 " %5" PRId64 "  %9s%-14s  %8s  %s%s%s\n", job->number, job->run,
            pxr_number_text(job->nats, 4, number[0]), error_text(job->standard_error, error),
            pxr_number_text(job->bits, 4, number[1]), trial ? trial->label : "",
            job->suspect ? "  SUSPECT: " : "", job->suspect ? job->suspect : "");
}

/* How to see the rest: what can be typed, whatever the names are. */
static void print_report(const struct pxr_sweep *sweep, const struct pxr_sweep_state *state,
                         const char *database)
{
        char *file = pxr_shell_word(sweep->arena, database);
        char *name = pxr_shell_word(sweep->arena, sweep->name);
        bool option = name && *name == '-';

        if (file && name)
                say(stdout, "%d of %d run%s finished; all of them: pxr-report sweep %s%s%s%s\n",
                    state->finished, state->known, pxr_plural(state->known),
                    strcmp(database, "pxr.db") == 0 ? "" : "--db ",
                    strcmp(database, "pxr.db") == 0 ? "" : pxr_strf(sweep->arena, "%s ", file),
                    option ? "-- " : "", name);
}

static void print_best(const struct printer *printer, const struct pxr_sweep *sweep,
                       const struct pxr_plan *plan, const struct pxr_sweep_state *state,
                       const struct pxr_job *jobs, int count)
{
        if (count > 0 && !isnan(jobs[0].nats))
                printf("\n%5s %5s  %-23s  %8s  of the validation split\n", "job", "run",
                       "nats/image", "bits/dim");
        for (int i = 0; i < count && i < BEST; i++)
                if (jobs[i].state == PXR_JOB_FINISHED && !isnan(jobs[i].nats) && !jobs[i].archived)
                        print_row(&jobs[i], plan);
        print_report(sweep, state, printer->arguments->database);
}

/* The cluster goes on without this program. */
static int print_left(const struct pxr_sweep_state *state, int end, const char *command)
{
        say(stderr, "%d of %d run%s finished", state->finished, state->known,
            pxr_plural(state->known));
        if (*state->array)
                say(stderr, "; Slurm array %s goes on. Cancel it with: scancel %s", state->array,
                    state->array);
        say(stderr, "\ngo on and see the results with: %s\n", command);
        return end == PXR_SWEEP_INTERRUPTED ? 130 : 0;
}

/* How it ended, on stderr where there is more to be done. The exit status. */
static int print_end(const struct pxr_sweep *sweep, const struct pxr_sweep_state *state, int end,
                     const char *command)
{
        if (end == PXR_SWEEP_LEFT || (end == PXR_SWEEP_INTERRUPTED && *state->array))
                return print_left(state, end, command);
        if (end == PXR_SWEEP_INTERRUPTED) {
                say(stderr, "interrupted with %d of %d run%s finished; go on with: %s\n",
                    state->finished, state->known, pxr_plural(state->known), command);
                return 130;
        }
        if (end == PXR_SWEEP_SPENT) {
                char spent[48];

                if (sweep->budget.hours > 0 && state->seconds >= 3600 * sweep->budget.hours)
                        snprintf(spent, sizeof(spent), "%.4g hours (%.4g)", sweep->budget.hours,
                                 state->seconds / 3600);
                else
                        snprintf(spent, sizeof(spent), "%" PRId64 " run%s", sweep->budget.runs,
                                 pxr_plural(sweep->budget.runs));
                fprintf(stderr,
                        "the budget of %s is used up, with %d of %d run%s finished; with more of "
                        "it in %s, go on with: %s\n",
                        spent, state->finished, state->known, pxr_plural(state->known), sweep->path,
                        command);
        }
        if (state->elsewhere)
                say(stderr, "%d run%s at work elsewhere,%s by process %" PRId64 " on host %s\n",
                    state->elsewhere, pxr_plural(state->elsewhere),
                    state->elsewhere == 1 ? "" : " one of them", state->elsewhere_process,
                    state->elsewhere_host);
        if (!state->failed)
                return 0;
        say(stderr, "%d of %d run%s failed; to try again: %s --retry\n", state->failed,
            state->known, pxr_plural(state->known), command);
        return 1;
}

/* --- doing it ----------------------------------------------------------------------------------
 */

static int run(struct pxr_sweep_options *order, struct printer *printer, const char *command,
               struct pxr_diag *diag)
{
        struct pxr_arena *arena = order->sweep->arena;
        struct pxr_sweep_state state;
        struct pxr_job *jobs;
        int count, end;

        printer->width = snprintf(NULL, 0, "%d", order->plan->trials);
        for (int i = 0; i < order->plan->trials; i++)
                if ((int)strlen(order->plan->trial[i].label) > printer->words)
                        printer->words = (int)strlen(order->plan->trial[i].label);
        display_init(&printer->display, printer->shown ? stdout : NULL);
        order->observer = (struct pxr_sweep_observer) { .base = { printer, on_progress, on_note },
                                                        .ended = on_ended };
        watch_signals();
        end = pxr_sweep_run(order, &state, diag);
        display_end(&printer->display);
        if (end >= 0 && printer->arguments->json && print_sweep_json(order, &state, end, diag))
                return pxr_diag_status(diag);
        if (end >= 0 && state.finished > 0 && printer->shown) {
                if (pxr_sweep_best(order->store, arena, state.sweep, &jobs, &count, diag))
                        return pxr_diag_status(diag);
                print_best(printer, order->sweep, order->plan, &state, jobs, count);
        }
        if (end >= 0 && order->task) /* who waits for all of them tells how they ended */
                return end == PXR_SWEEP_INTERRUPTED ? 130 : 0;
        return end < 0 ? pxr_diag_status(diag) : print_end(order->sweep, &state, end, command);
}

/* The task of Slurm's that this process is; NULL after an error. */
static const char *task_name(struct pxr_arena *arena, struct pxr_diag *diag)
{
        const char *array = getenv("SLURM_ARRAY_JOB_ID"), *index = getenv("SLURM_ARRAY_TASK_ID");
        char *name = array && index ? pxr_strf(arena, "slurm %s_%s", array, index) : NULL;

        if (!array || !index)
                pxr_user_error(diag, "--slurm-task is for tasks that pxr-sweep submits");
        else if (!name)
                pxr_out_of_memory(diag);
        return name;
}

/* How many threads a run has. */
static int share(const struct arguments *arguments)
{
        int all = arguments->threads ? arguments->threads : usual_threads();

        if (arguments->launcher == PXR_LAUNCH_SLURM)
                return arguments->threads ? arguments->threads : 1;
        return all < arguments->jobs ? 1 : all / arguments->jobs;
}

/* Returns 0 or -1. */
static int make_order(struct pxr_arena *arena, const struct arguments *arguments,
                      struct pxr_sweep_options *order, struct pxr_diag *diag)
{
        const char **words = pxr_alloc_array(arena, arguments->count + 2, sizeof(*words));

        *order =
                (struct pxr_sweep_options) { .database = arguments->database,
                                             .program = pxr_program_beside(arena, "pxr-run"),
                                             .jobs = arguments->jobs,
                                             .threads = share(arguments),
                                             .retry = arguments->retry,
                                             .launcher = arguments->launcher,
                                             .task_program = pxr_program_beside(arena, "pxr-sweep"),
                                             .task_arguments = words,
                                             .sbatch_options = arguments->sbatch,
                                             .no_wait = arguments->no_wait };
        if (!words || !order->program || !order->task_program)
                return pxr_out_of_memory(diag);
        words[0] = arguments->sweep;
        for (size_t i = 0; i < arguments->count; i++)
                words[i + 1] = arguments->overrides[i];
        if (arguments->task && !(order->task = task_name(arena, diag)))
                return -1;
        order->sweep = pxr_sweep_read(arena, arguments->sweep, arguments->overrides,
                                      arguments->count, diag);
        return order->sweep ? 0 : -1;
}

static int execute(struct pxr_arena *arena, const struct arguments *arguments, const char *command,
                   struct pxr_diag *diag)
{
        struct printer printer = { .arguments = arguments,
                                   .shown = !arguments->quiet && !arguments->json };
        struct pxr_sweep_options order;
        struct pxr_plan plan;
        int status;

        if (!command)
                pxr_out_of_memory(diag);
        if (!command || make_order(arena, arguments, &order, diag) ||
            pxr_sweep_plan(order.sweep, &plan, diag))
                return pxr_diag_status(diag);
        order.plan = &plan;
        if (arguments->dry_run && arguments->json)
                return print_plan_json(order.sweep, &plan, diag) ? pxr_diag_status(diag) : 0;
        if (arguments->dry_run) {
                print_runs(order.sweep, &plan);
                return 0;
        }
        if (arguments->launcher == PXR_LAUNCH_SLURM && pxr_sweep_find_slurm(arena, diag))
                return pxr_diag_status(diag);
        /* A task leaves it to the sweep that submitted it: there are many at once. */
        order.store = arguments->task ? pxr_store_open(arguments->database, true, diag)
                                      : pxr_store_open_sound(arguments->database, diag);
        status = order.store ? run(&order, &printer, command, diag) : pxr_diag_status(diag);
        pxr_store_close(order.store);
        return status;
}

/* The command line, to be typed again. */
static char *join(struct pxr_arena *arena, int count, char **words)
{
        char *line = pxr_strdup(arena, "pxr-sweep");

        for (int i = 1; i < count && line; i++) {
                char *word = pxr_shell_word(arena, words[i]);

                if (strcmp(words[i], "--retry") != 0 && strcmp(words[i], "--no-wait") != 0)
                        line = word ? pxr_strf(arena, "%s %s", line, word) : NULL;
        }
        return line;
}

int main(int argc, char **argv)
{
        struct arguments arguments = { .database = "pxr.db", .jobs = 1 };
        struct program program;
        char *command;
        int status;

        program_begin(&program, "pxr-sweep", argc, argv);
        arguments.overrides = program.words;
        arguments.sbatch = pxr_alloc_array(program.arena, (size_t)argc + 1, sizeof(char *));
        if (!arguments.sbatch) {
                pxr_out_of_memory(program.diag);
                return program_end(&program, 1);
        }
        command = join(program.arena, argc, argv); /* before argp puts the words in another order */
        program_parse(&program, &argp, argc, argv, &arguments);
        status = execute(program.arena, &arguments, command, program.diag);
        return program_end(&program, status);
}
