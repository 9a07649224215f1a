/* SPDX-License-Identifier: MIT */
/*
 * pxr-run.c - the command that trains, evaluates, samples and records one experiment.
 *
 * Arguments and printing; what it does is in lib/experiment.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pxr/version.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"
#include "experiment/memory.h"
#include "experiment/repeat.h"
#include "experiment/run.h"
#include "report/report.h"
#include "runner/common.h"
#include "runner/display.h"
#include "runner/program.h"
#include "runner/dry_run.h"
#include "runner/json.h"
#include "config/options.h"
#include "sweep/child.h"
#include "sweep/schedule.h"

const char *argp_program_version = "pxr-run " PXR_VERSION;

struct arguments {
        const char *spec, *database, *resume, *repeat, *explain, *out, *paper;
        const char **overrides;
        size_t count;
        int64_t job;
        int threads;
        bool dry_run, quiet, json;
        char seed[40];
};

enum {
        OPTION_DB = 256,
        OPTION_RESUME,
        OPTION_FROM_RUN,
        OPTION_DRY_RUN,
        OPTION_EXPLAIN,
        OPTION_SEED,
        OPTION_JSON,
        OPTION_OUT,
        OPTION_PAPER,
        OPTION_JOB
};

static const struct argp_option options[] = {
        { "db", OPTION_DB, "FILE", 0, "the run database (default: pxr.db)", 0 },
        { "resume", OPTION_RESUME, "RUN", 0, "go on with a run: its number, name, or 'last'", 0 },
        { "from-run", OPTION_FROM_RUN, "RUN", 0,
          "make a run on record once more, as a new run, and tell whether it is the same to the "
          "bit",
          0 },
        { "threads", 't', "N", 0, "workers (default: one a processor); changes no result", 0 },
        { "seed", OPTION_SEED, "N", 0, "the same as train.seed=N", 0 },
        { "out", OPTION_OUT, "FOLDER", 0, "also write the pictures as PNG files", 0 },
        { "paper", OPTION_PAPER, "FILE", 0,
          "the tables that have the row it reproduces (default: the file that came with pxr)", 0 },
        { "dry-run", OPTION_DRY_RUN, NULL, 0, "print the model and what it needs; train nothing",
          0 },
        { "explain", OPTION_EXPLAIN, "KEY", 0,
          "print what KEY is set to, where that comes from, and what it can be ('' for all keys)",
          0 },
        { "quiet", 'q', NULL, 0, "print errors only", 0 },
        { "json", OPTION_JSON, NULL, 0, "print the result, or the --dry-run, as JSON", 0 },
        { "job", OPTION_JOB, "ID", 0,
          "set by pxr-sweep: the job of its sweep that the run is for; the run ends with it", 0 },
        { 0 },
};

static int64_t job_of(const char *text, struct argp_state *state)
{
        char *end;
        long long job = strtoll(text, &end, 10);

        if (*end || job < 1)
                argp_error(state, "--job wants the number of a job, not '%s'", text);
        return job;
}

/* The spec, then what overrides it. For a run on record the first word is no spec: check_words().
 */
static void take_word(struct arguments *arguments, const char *text, struct argp_state *state)
{
        if (!arguments->spec)
                arguments->spec = text;
        else if (strchr(text, '='))
                arguments->overrides[arguments->count++] = text;
        else
                argp_error(state, "'%s' is neither an option nor KEY=VALUE", text);
}

/* Of a run on record: where the data lie now, NULL where nothing is said of it. */
static const char *data_path(const struct arguments *arguments)
{
        static const char key[] = "data.path=";

        return arguments->spec && strncmp(arguments->spec, key, strlen(key)) == 0
                       ? arguments->spec + strlen(key)
                       : NULL;
}

static void check_words(const struct arguments *arguments, struct argp_state *state)
{
        const char *given = arguments->resume ? "--resume" : "--from-run";

        if (arguments->resume && arguments->repeat)
                argp_error(state, "--resume and --from-run are two different things");
        if ((arguments->resume || arguments->repeat) &&
            (arguments->count || (arguments->spec && !data_path(arguments))))
                argp_error(
                        state,
                        "%s has the run's own spec: the one thing to be given beside it is where "
                        "its data lie now, data.path=PATH",
                        given);
        if (!arguments->resume && !arguments->repeat && !arguments->spec)
                argp_usage(state);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
        struct arguments *arguments = state->input;

        switch (key) {
        case OPTION_DB:
                arguments->database = text;
                return 0;
        case OPTION_RESUME:
                arguments->resume = text;
                return 0;
        case OPTION_FROM_RUN:
                arguments->repeat = text;
                return 0;
        case OPTION_EXPLAIN:
                arguments->explain = text;
                return 0;
        case OPTION_OUT:
                arguments->out = text;
                return 0;
        case OPTION_PAPER:
                arguments->paper = text;
                return 0;
        case OPTION_JOB:
                arguments->job = job_of(text, state);
                return 0;
        case OPTION_DRY_RUN:
                arguments->dry_run = true;
                return 0;
        case OPTION_JSON:
                arguments->json = true;
                return 0;
        case OPTION_SEED:
                snprintf(arguments->seed, sizeof(arguments->seed), "train.seed=%s", text);
                arguments->overrides[arguments->count++] = arguments->seed;
                return 0;
        case 'q':
                arguments->quiet = true;
                return 0;
        case 't':
                arguments->threads = threads_option(text, state);
                return 0;
        case ARGP_KEY_ARG:
                take_word(arguments, text, state);
                return 0;
        case ARGP_KEY_END:
                check_words(arguments, state);
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "SPEC [KEY=VALUE...]\n--resume RUN [data.path=PATH]\n--from-run RUN "
                    "[data.path=PATH]",
        .doc = "Train, evaluate, sample and record the experiment that SPEC (YAML) describes.\v"
               "Any value of the spec can be given another on the command line:\n\n"
               "  pxr-run experiments/quickstart.yaml train.epochs=2 model.1.repeat=3\n\n"
               "--from-run takes the spec that is on record of RUN, trains it anew as a run of its "
               "own, and compares parameters, NLLs and pictures with those of RUN. Where they "
               "differ "
               "it tells in what the two were made under different circumstances. With --quiet it "
               "says nothing where they are the same. A data path that "
               "is relative is seen from the folder that RUN was started in.\n\n"
               "Exit status: 0 done, 1 the system failed or a run of --from-run is not the same to "
               "the bit, 2 a mistake in spec, data or arguments, "
               "130 interrupted (go on with --resume).",
};

/* --- printing ----------------------------------------------------------------------------------
 */

struct printer {
        const struct arguments *arguments;
        struct display display;
        struct pxr_diag *diag;
        double entropy;
        bool given; /* the model is conditional */
        json_t *results;
        json_t *verdict; /* of a repetition; NULL: it is none */
        bool other;      /* it is not the same as what it repeats */
};

static bool on_progress(void *context, const struct pxr_progress *progress)
{
        struct printer *printer = context;

        return display_progress(&printer->display, progress);
}

static void on_note(void *context, const char *text)
{
        struct printer *printer = context;

        display_line(&printer->display, "%s", text);
}

/* JSON has no number that is none: null. */
static json_t *number(double value)
{
        return isfinite(value) ? json_real(value) : json_null();
}

static json_t *nll_as_json(const char *split, const struct pxr_nll *nll, const char *suspect,
                           const char *given)
{
        return json_pack("{s:s, s:o, s:o, s:o, s:I, s:s?, s:s?}", "split", split, "nats_per_image",
                         number(pxr_nats_per_image(nll)), "bits_per_dimension",
                         number(pxr_bits_per_dimension(nll)), "standard_error",
                         number(pxr_standard_error(nll)), "images", (json_int_t)nll->images,
                         "suspect", suspect, "given", given);
}

static void on_nll(void *context, double epoch, const char *split, const struct pxr_nll *nll,
                   const char *suspect, bool final)
{
        struct printer *printer = context;
        double nats = pxr_nats_per_image(nll), part = 100 * (nats / printer->entropy - 1);
        char number[2][PXR_NUMBER_TEXT], error[ERROR_TEXT], given[48] = "";

        if (nll->given_rows)
                snprintf(given, sizeof(given), " given %dx%d", nll->given_rows, nll->given_cols);
        if (final)
                json_array_append_new(printer->results,
                                      nll_as_json(split, nll, suspect, *given ? given + 7 : NULL));
        display_line(&printer->display, "%s %-5s  %9s nats/image%s  %s bits/dim%s%s%s%s",
                     final ? "result" : "", split, pxr_number_text(nats, 4, number[0]),
                     error_text(pxr_standard_error(nll), error),
                     pxr_number_text(pxr_bits_per_dimension(nll), 4, number[1]), given,
                     suspect ? "  SUSPECT: " : "", suspect ? suspect : "",
                     final ? "" : display_epoch(epoch));
        if (final && !isnan(printer->entropy) && nll->given_rows == 0 && !nll->trained_on)
                display_line(&printer->display,
                             "              %s%s %% against the exact entropy of %.4f nats",
                             signbit(part) ? "" : "+", pxr_number_text(part, 2, number[0]),
                             printer->entropy);
}

/* Write a picture to --out. A failure is a warning: the picture is in the database. */
static void on_picture(void *context, int64_t run, const char *kind, int64_t step, const void *png,
                       size_t size)
{
        struct printer *printer = context;
        char path[4096], name[64];
        struct pxr_diag *diag;

        if (!printer->arguments->out)
                return;
        snprintf(name, sizeof(name), "%s", kind);
        for (char *c = name; *c; c++)
                *c = *c == ' ' ? '-' : *c;
        snprintf(path, sizeof(path), "%s/run-%" PRId64 "-%s-%08" PRId64 ".png",
                 printer->arguments->out, run, name, step);
        diag = pxr_diag_new();
        if (!diag || pxr_file_write(path, true, png, size, diag))
                pxr_warn(printer->diag, "%s", diag ? pxr_diag_first_error(diag) : "out of memory");
        pxr_diag_free(diag);
}

/* With what there is to do next, which can be copied. */
static void print_end(struct pxr_arena *arena, const struct printer *printer, int64_t id, int end)
{
        const char *database = printer->arguments->database;
        const char *word = pxr_shell_word(arena, database);

        word = word ? word : database;
        if (printer->arguments->json) {
                print_json(json_pack("{s:I, s:s, s:s, s:O, s:O*}", "run", (json_int_t)id, "status",
                                     end == PXR_RUN_FINISHED ? "finished" : "interrupted",
                                     "database", database, "final_nll", printer->results, "repeats",
                                     printer->verdict),
                           printer->diag);
        } else if (end == PXR_RUN_INTERRUPTED) {
                say(stderr, "interrupted; go on with: pxr-run --resume %" PRId64 " --db %s\n", id,
                    word);
        } else if (!printer->arguments->quiet) {
                say(stdout, "run %" PRId64 " is in %s; to look further:\n", id, database);
                say(stdout, "  pxr-report show %" PRId64 " --db %s\n", id, word);
                say(stdout, "  pxr-sample %" PRId64 " --db %s%s\n", id, word,
                    printer->given ? " --from data" : "");
                if (printer->given)
                        puts("it is given a small image: with a run of these in the same database, "
                             "'show' adds the NLL of that");
        }
}

/* What was compared, as JSON; NULL when memory is out. */
static json_t *verdict_as_json(const struct pxr_repetition *verdict)
{
        const struct pxr_table *table = verdict->circumstances;
        json_t *list = json_array();

        for (size_t i = 0; table && i < table->rows; i++)
                json_array_append_new(list, json_string(table->cell[i * table->columns].text));
        return json_pack("{s:I, s:b, s:s, s:o}", "run", (json_int_t)verdict->of, "same",
                         verdict->same, "words", verdict->words, "circumstances", list);
}

/* A run that has ended, and repeats another: is it the same? */
static int tell_repetition(struct pxr_arena *arena, const struct pxr_run_order *order, int64_t id,
                           struct printer *printer, struct pxr_diag *diag)
{
        const struct pxr_run *run = order->resume ? order->resume : order->repeats;
        const char *old = order->resume ? run->repeats : pxr_strf(arena, "%" PRId64, run->id);
        const char *new = pxr_strf(arena, "%" PRId64, id);
        struct pxr_repetition verdict;

        if (!old || !new)
                return pxr_out_of_memory(diag);
        if (pxr_report_repetition(arena, order->store, new, old, &verdict, diag))
                return -1;
        printer->verdict = verdict_as_json(&verdict);
        printer->other = !verdict.same;
        if (printer->arguments->quiet || printer->arguments->json) {
                if (printer->other)
                        pxr_warn(diag, "run %" PRId64 ": %s", id, verdict.words);
                return 0;
        }
        display_line(&printer->display, "run %" PRId64 ": %s", id, verdict.words);
        if (verdict.circumstances)
                return pxr_tables_write(verdict.circumstances, PXR_FORMAT_TEXT, stdout, 0, diag);
        return 0;
}

/* --- doing it ----------------------------------------------------------------------------------
 */

/* The folder of a path, for git's state. */
static char *folder_of(struct pxr_arena *arena, const char *path)
{
        const char *slash = path ? strrchr(path, '/') : NULL;

        return slash ? pxr_strndup(arena, path, slash > path ? slash - path : 1)
                     : pxr_strdup(arena, ".");
}

static int run(struct pxr_arena *arena, struct pxr_run_order *order, struct printer *printer,
               struct pxr_diag *diag)
{
        int64_t id = 0;
        int end;

        printer->entropy = order->experiment->set->entropy;
        printer->given = order->experiment->model->graph->small_rows > 0;
        order->observer = (struct pxr_run_observer) { .base = { printer, on_progress, on_note },
                                                      .nll = on_nll,
                                                      .picture = on_picture };
        if (order->job.job) /* a sweep that dies can send SIGTERM once for each of its threads */
                watch_signals_patiently();
        else
                watch_signals();
        end = pxr_run(order, &id, diag);
        display_end(&printer->display);
        if (end < 0)
                return pxr_diag_status(diag);
        if (end == PXR_RUN_FINISHED &&
            (order->repeats || (order->resume && order->resume->repeats)) &&
            tell_repetition(arena, order, id, printer, diag))
                return pxr_diag_status(diag);
        print_end(arena, printer, id, end);
        return end == PXR_RUN_INTERRUPTED ? 130 : printer->other;
}

/* Open the database for the run to go on with, or to repeat, and find it there: only to read, where
 * nothing is trained. A database that is not there is not made. */
static int open_recorded(struct pxr_arena *arena, const struct arguments *arguments,
                         struct pxr_run_order *order, const struct pxr_run **run,
                         struct pxr_diag *diag)
{
        const char *which = arguments->resume ? arguments->resume : arguments->repeat;
        bool reads = arguments->dry_run || arguments->explain;

        if (pxr_store_exists(arguments->database, diag))
                return -1;
        order->store = pxr_store_open(arguments->database, !reads, diag);
        if (order->store)
                *run = pxr_store_find_run(order->store, arena, which, diag);
        return *run ? 0 : -1;
}

/* Where the spec comes from, when that is a run on record. Returns 0 or -1. */
static int take_recorded(struct pxr_arena *arena, const struct arguments *arguments,
                         struct pxr_run_order *order, struct pxr_spec_origin *origin,
                         struct pxr_diag *diag)
{
        if (arguments->repeat) {
                order->folder = NULL; /* the spec's is another one */
                return open_recorded(arena, arguments, order, &order->repeats, diag)
                               ? -1
                               : pxr_run_origin(arena, order->repeats, data_path(arguments), origin,
                                                diag);
        }
        if (open_recorded(arena, arguments, order, &order->resume, diag))
                return -1;
        return pxr_run_origin(arena, order->resume, data_path(arguments), origin, diag);
}

/* Warnings so far, of the data for instance, show before the training and not behind it. */
static void tell_warnings(struct pxr_diag *diag)
{
        if (pxr_diag_errors(diag))
                return;
        pxr_diag_write(diag, "pxr-run", stderr);
        pxr_diag_clear(diag);
}

/* Said before the work is begun: the data of the run to be repeated are others now. */
static void tell_other_data(const struct pxr_run_order *order, struct printer *printer)
{
        const struct pxr_run *run = order->repeats;

        if (run && strcmp(order->experiment->set->identity, run->data_identity) != 0)
                display_line(&printer->display,
                             "these are other data than those of run %" PRId64
                             ": it cannot be the same",
                             run->id);
}

/* Before the training, for the system asks nobody whom it ends. */
static void tell_memory(const struct pxr_run_order *order, struct printer *printer)
{
        struct pxr_memory memory = pxr_memory_of(order->experiment, order->threads);
        const char *warning = pxr_memory_warning(order->experiment, order->threads, &memory);

        if (warning)
                display_line(&printer->display, "warning: %s", warning);
}

static void explain(struct pxr_arena *arena, const struct pxr_experiment *experiment,
                    const char *key, struct pxr_diag *diag)
{
        char *text = pxr_yaml_explain(arena, experiment->root, key, diag), *more;

        if (!text)
                return;
        say_lines(stdout, text);
        more = pxr_option_text(arena, experiment->root, key);
        if (!more)
                pxr_out_of_memory(diag);
        else if (*more)
                printf("\noptions\n%s", more);
}

static struct pxr_examination examination_of(struct printer *printer)
{
        return (struct pxr_examination) { .threads = printer->arguments->threads,
                                          .observer = &printer->display.observer };
}

/* What is asked for, of the experiment; its exit status. */
static int do_order(struct pxr_arena *arena, struct pxr_run_order *order, struct printer *printer,
                    struct pxr_diag *diag)
{
        const struct arguments *arguments = printer->arguments;
        struct pxr_examination how = examination_of(printer);

        if (arguments->explain) {
                explain(arena, order->experiment, arguments->explain, diag);
                return 0;
        }
        if (arguments->dry_run)
                return dry_run(arena, order->experiment, &how, arguments->json, diag);
        if (!order->store)
                order->store = pxr_store_open(arguments->database, true, diag);
        if (!order->store || (arguments->job && pxr_sweep_attend(order, arguments->job, diag)))
                return 1;
        tell_warnings(diag);
        tell_other_data(order, printer);
        tell_memory(order, printer);
        return run(arena, order, printer, diag);
}

/* Make the folder of --out, unless it is there. */
static int make_folder(const char *path, bool *made, struct pxr_diag *diag)
{
        *made = path && mkdir(path, 0777) == 0;
        if (!path || *made || errno == EEXIST)
                return 0;
        return pxr_file_error(path, "the folder cannot be made", errno, diag);
}

/* A row that there is not is told before the proof, which may take minutes, and not by the report,
 * when no run can be given another. */
static struct pxr_experiment *open_experiment(struct pxr_arena *arena, struct printer *printer,
                                              const struct pxr_spec_origin *origin,
                                              struct pxr_diag *diag)
{
        const struct arguments *arguments = printer->arguments;
        struct pxr_examination how = examination_of(printer);
        struct pxr_experiment *experiment;
        bool made = false;

        if (arguments->explain)
                return pxr_experiment_read(arena, origin, diag);
        experiment = pxr_experiment_build(arena, origin, diag);
        if (!experiment)
                return NULL;
        if (!origin->recorded && pxr_paper_check(arena, arguments->paper, experiment->root, diag))
                return NULL;
        if (!arguments->dry_run && (make_folder(arguments->out, &made, diag) ||
                                    pxr_experiment_prove(experiment, &how, diag))) {
                if (made)
                        rmdir(arguments->out);
                return NULL;
        }
        return experiment;
}

/* Everything between the arguments and the exit status. */
static int execute(struct pxr_arena *arena, const struct arguments *arguments,
                   const char *command_line, struct pxr_diag *diag)
{
        struct pxr_spec_origin origin = { .path = arguments->spec,
                                          .overrides = arguments->overrides,
                                          .count = arguments->count };
        struct pxr_run_order order = { .folder = folder_of(arena, arguments->spec),
                                       .command_line = command_line,
                                       .threads = arguments->threads };
        struct printer printer = { .arguments = arguments, .diag = diag, .results = json_array() };
        bool recorded = arguments->resume || arguments->repeat;
        int status = 1;

        display_init(&printer.display, arguments->quiet || arguments->json ? NULL : stdout);
        if (!recorded || take_recorded(arena, arguments, &order, &origin, diag) == 0)
                order.experiment = open_experiment(arena, &printer, &origin, diag);
        display_end(&printer.display); /* of the examination, which an error ends */
        if (order.repeats && !order.experiment)
                pxr_repeat_explain(arena, order.store, order.repeats, diag);
        if (order.experiment)
                status = do_order(arena, &order, &printer, diag);
        pxr_store_close(order.store);
        json_decref(printer.results);
        json_decref(printer.verdict);
        return pxr_diag_errors(diag) ? pxr_diag_status(diag) : status;
}

/* The arguments joined by spaces. */
static char *join(struct pxr_arena *arena, int count, char **words)
{
        char *line = pxr_strdup(arena, "pxr-run");

        for (int i = 1; i < count && line; i++)
                line = pxr_strf(arena, "%s %s", line, words[i]);
        return line;
}

int main(int argc, char **argv)
{
        struct arguments arguments = { .database = "pxr.db", .threads = usual_threads() };
        struct program program;
        int status = 1;

        program_begin(&program, "pxr-run", argc, argv);
        arguments.overrides = program.words;
        program_parse(&program, &argp, argc, argv, &arguments);
        if (!pxr_diag_errors(program.diag))
                status = execute(program.arena, &arguments, join(program.arena, argc, argv),
                                 program.diag);
        else
                status = pxr_diag_status(program.diag);
        return program_end(&program, status);
}
