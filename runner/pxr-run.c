/* SPDX-License-Identifier: MIT */
/*
 * pxr-run.c - the command that trains, evaluates, samples and records one experiment.
 *
 * Arguments and printing; what it does is in lib/experiment.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/program.h"
#include "base/file.h"
#include "base/number.h"
#include "experiment/memory.h"
#include "experiment/recorded.h"
#include "experiment/run.h"
#include "report/report.h"
#include "runner/command.h"
#include "runner/common.h"
#include "runner/display.h"
#include "runner/dry_run.h"
#include "runner/json.h"
#include "config/options.h"
#include "sweep/schedule.h"

struct arguments {
        const char *db, *resume, *repeat, *explain, *out, *paper, *seed;
        int64_t job;
        int threads;
        bool dry_run, quiet, json, force;
};

/* --- printing ----------------------------------------------------------------------------------
 */

struct printer {
        struct program *program;
        const struct arguments *arguments;
        struct display display;
        double entropy;
        bool given; /* the model is conditional */
        json_t *results;
        json_t *verdict; /* of a run that repeats another, else NULL */
        bool other;      /* it differs from the run it repeats */
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

static json_t *nll_as_json(const char *split, const struct pxr_nll *nll, const char *suspect,
                           const char *given)
{
        return json_pack("{s:s, s:o, s:o, s:o, s:I, s:s?, s:s?}", "split", split, "nats_per_image",
                         json_number(pxr_nats_per_image(nll)), "bits_per_dimension",
                         json_number(pxr_bits_per_dimension(nll)), "standard_error",
                         json_number(pxr_standard_error(nll)), "images", (json_int_t)nll->images,
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

/* Write a picture to --out. A failure is a warning: the picture is in the database. A resumed run
 * may draw its pictures once more. */
static void on_picture(void *context, int64_t run, const char *kind, int64_t step, const void *png,
                       size_t size)
{
        struct printer *printer = context;
        bool replace = printer->arguments->force || printer->arguments->resume;
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
        if (!diag || pxr_file_write(path, replace, png, size, diag)) {
                pxr_warn(printer->program->diag, "%s",
                         diag ? pxr_diag_first_error(diag) : "out of memory");
                if (!replace && access(path, F_OK) == 0)
                        pxr_note(printer->program->diag, "use --force to overwrite it");
        }
        pxr_diag_free(diag);
}

/* With the commands to continue with, ready to be copied. */
static void print_end(const struct printer *printer, int64_t id, int end)
{
        const char *database = printer->arguments->db;
        const char *word = pxr_shell_word(printer->program->arena, database);

        if (printer->arguments->json) {
                print_json(json_pack("{s:I, s:s, s:s, s:O, s:O*}", "run", (json_int_t)id, "status",
                                     end == PXR_RUN_FINISHED ? "finished" : "interrupted",
                                     "database", database, "final_nll", printer->results, "repeats",
                                     printer->verdict),
                           printer->program->diag);
        } else if (end == PXR_RUN_INTERRUPTED) {
                say(stderr, "interrupted; resume with: pxr-run --resume %" PRId64 " --db %s\n", id,
                    word);
        } else if (!printer->arguments->quiet) {
                say(stdout, "run %" PRId64 " is in %s; see also:\n", id, database);
                say(stdout, "  pxr-report show %" PRId64 " --db %s\n", id, word);
                say(stdout, "  pxr-sample %" PRId64 " --db %s%s\n", id, word,
                    printer->given ? " --from data" : "");
                if (printer->given)
                        puts("the model is conditional on small images: if the same database has a "
                             "run that models these, 'show' adds its NLL");
        }
}

static json_t *verdict_as_json(const struct pxr_repetition *verdict)
{
        const struct pxr_table *table = verdict->circumstances;
        json_t *list = json_array();

        for (size_t i = 0; table && i < table->rows; i++)
                json_array_append_new(list, json_string(table->cell[i * table->columns].text));
        return json_pack("{s:I, s:b, s:s, s:o}", "run", (json_int_t)verdict->of, "same",
                         verdict->same, "words", verdict->text, "circumstances", list);
}

/* After a run that repeats another: print whether it is the same. */
static int print_repetition(const struct pxr_run_order *order, int64_t id, struct printer *printer)
{
        const struct pxr_run *run = order->resume ? order->resume : order->repeats;
        struct pxr_arena *arena = printer->program->arena;
        struct pxr_diag *diag = printer->program->diag;
        const char *old = order->resume ? run->repeats : pxr_strf(arena, "%" PRId64, run->id);
        const char *new = pxr_strf(arena, "%" PRId64, id);
        struct pxr_repetition verdict;

        if (pxr_report_repetition(arena, order->store, new, old, &verdict, diag))
                return -1;
        printer->verdict = verdict_as_json(&verdict);
        printer->other = !verdict.same;
        if (printer->arguments->quiet || printer->arguments->json) {
                if (printer->other)
                        pxr_warn(diag, "run %" PRId64 ": %s", id, verdict.text);
                return 0;
        }
        display_line(&printer->display, "run %" PRId64 ": %s", id, verdict.text);
        if (verdict.circumstances)
                return pxr_tables_write(verdict.circumstances, PXR_FORMAT_TEXT, stdout, 0, diag);
        return 0;
}

/* --- running -----------------------------------------------------------------------------------
 */

/* The folder of a path, where git is asked for the revision. */
static char *folder_of(struct pxr_arena *arena, const char *path)
{
        const char *slash = path ? strrchr(path, '/') : NULL;

        return slash ? pxr_strndup(arena, path, slash > path ? slash - path : 1)
                     : pxr_strdup(arena, ".");
}

static int train(struct pxr_run_order *order, struct printer *printer)
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
        end = pxr_run(order, &id, printer->program->diag);
        display_end(&printer->display);
        if (end < 0)
                return -1;
        if (end == PXR_RUN_FINISHED &&
            (order->repeats || (order->resume && order->resume->repeats)) &&
            print_repetition(order, id, printer))
                return -1;
        print_end(printer, id, end);
        return end == PXR_RUN_INTERRUPTED ? 130 : printer->other;
}

/* Warnings so far, of the data for instance, are printed before the training, not after it. */
static void print_warnings(struct pxr_diag *diag)
{
        if (pxr_diag_errors(diag))
                return;
        pxr_diag_write(diag, "pxr-run", stderr);
        pxr_diag_clear(diag);
}

/* What can be said before the training: that its data differ from those of the run it repeats, and
 * that memory may not suffice. */
static void print_doubts(const struct pxr_run_order *order, struct printer *printer)
{
        struct pxr_memory memory = pxr_memory_of(order->experiment, order->threads);
        const char *warning = pxr_memory_warning(order->experiment, order->threads, &memory);
        const struct pxr_run *run = order->repeats;

        if (run && strcmp(order->experiment->set->identity, run->data_identity) != 0)
                display_line(&printer->display,
                             "the data differ from those of run %" PRId64
                             ": the results cannot be the same",
                             run->id);
        if (warning)
                display_line(&printer->display, "warning: %s", warning);
}

static int explain(const struct program *program, const struct pxr_experiment *experiment,
                   const char *key)
{
        char *text = pxr_yaml_explain(program->arena, experiment->root, key, program->diag), *more;

        if (!text)
                return -1;
        say_lines(stdout, text);
        more = pxr_option_text(program->arena, experiment->root, key);
        if (more && *more)
                printf("\noptions\n%s", more);
        return more ? 0 : -1;
}

/* --- what is run -------------------------------------------------------------------------------
 */

/* Of a run on record: where the data are now; NULL if that is not given. */
static const char *data_path(const struct program *program)
{
        static const char key[] = "data.path=";
        const char *word = program->words.text[0];

        return word && strncmp(word, key, strlen(key)) == 0 ? word + strlen(key) : NULL;
}

static int check_words(struct program *program)
{
        const struct arguments *arguments = program->arguments;
        struct list *words = &program->words;
        bool recorded = arguments->resume || arguments->repeat;

        if (arguments->resume && arguments->repeat)
                return pxr_user_error(program->diag, "--resume and --from-run exclude each other");
        if (recorded &&
            (words->count > 1 || arguments->seed || (words->count && !data_path(program))))
                return pxr_user_error(
                        program->diag,
                        "%s uses the spec of the run; only the path of its data can be "
                        "changed, by data.path=PATH",
                        arguments->resume ? "--resume" : "--from-run");
        if (!recorded && !words->count)
                return pxr_user_error(
                        program->diag,
                        "missing argument; expected: SPEC, --resume RUN or --from-run "
                        "RUN");
        if (arguments->seed)
                words->text[words->count++] =
                        pxr_strf(program->arena, "train.seed=%s", arguments->seed);
        return 0;
}

/* Open the database of the run to resume or to repeat, which must exist, and find the run; without
 * training, only to read. The spec is then the one on record. */
static int open_recorded(const struct program *program, struct pxr_run_order *order,
                         struct pxr_spec_origin *origin)
{
        const struct arguments *arguments = program->arguments;
        const char *which = arguments->resume ? arguments->resume : arguments->repeat;
        bool reads = arguments->dry_run || arguments->explain;
        const struct pxr_run *run;

        if (arguments->repeat)
                order->folder = NULL; /* the spec is not in this folder */
        if (pxr_store_exists(arguments->db, program->diag))
                return -1;
        order->store = pxr_store_open(arguments->db, !reads, program->diag);
        run = order->store ? pxr_store_find_run(order->store, program->arena, which, program->diag)
                           : NULL;
        if (arguments->repeat)
                order->repeats = run;
        else
                order->resume = run;
        if (!run)
                return -1;
        pxr_run_origin(program->arena, run, data_path(program), origin);
        return 0;
}

/* Make the folder of --out, unless it exists. */
static int make_folder(const char *path, bool *made, struct pxr_diag *diag)
{
        *made = path && mkdir(path, 0777) == 0;
        if (!path || *made || errno == EEXIST)
                return 0;
        return pxr_file_error(path, "cannot create directory", errno, diag);
}

static struct pxr_examination examination_of(struct printer *printer)
{
        return (struct pxr_examination) { .threads = printer->arguments->threads,
                                          .observer = &printer->display.observer };
}

/* An unknown table row of `reproduces` is refused here, before the slow causality proof: a finished
 * run cannot be given another. */
static struct pxr_experiment *open_experiment(struct printer *printer,
                                              const struct pxr_spec_origin *origin)
{
        const struct arguments *arguments = printer->arguments;
        struct pxr_arena *arena = printer->program->arena;
        struct pxr_diag *diag = printer->program->diag;
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

/* What is asked for, of the experiment. Returns the exit status. */
static int do_order(struct pxr_run_order *order, struct printer *printer)
{
        const struct arguments *arguments = printer->arguments;
        struct program *program = printer->program;
        struct pxr_examination how = examination_of(printer);

        if (arguments->explain)
                return explain(program, order->experiment, arguments->explain);
        if (arguments->dry_run)
                return dry_run(program->arena, order->experiment, &how, arguments->json,
                               program->diag);
        if (!order->store)
                order->store = pxr_store_open(arguments->db, true, program->diag);
        if (!order->store ||
            (arguments->job && pxr_sweep_attend(order, arguments->job, program->diag)))
                return 1;
        print_warnings(program->diag);
        print_doubts(order, printer);
        return train(order, printer);
}

static int run(struct program *program)
{
        const struct arguments *arguments = program->arguments;
        struct pxr_run_order order = { .command_line = command_line(program, NULL),
                                       .threads = arguments->threads };
        struct printer printer = { .program = program, .arguments = arguments };
        struct pxr_spec_origin origin = { 0 };
        int status = -1;

        if (check_words(program))
                return -1;
        printer.results = json_array();
        origin.path = program->words.text[0];
        origin.overrides = program->words.text + 1;
        origin.count = program->words.count ? program->words.count - 1 : 0;
        order.folder = folder_of(program->arena, origin.path);
        display_init(&printer.display, arguments->quiet || arguments->json ? NULL : stdout);
        if ((!arguments->resume && !arguments->repeat) ||
            open_recorded(program, &order, &origin) == 0)
                order.experiment = open_experiment(&printer, &origin);
        display_end(&printer.display); /* of the proof, which an error ends */
        if (order.repeats && !order.experiment)
                pxr_repeat_explain(program->arena, order.store, order.repeats, program->diag);
        if (order.experiment)
                status = do_order(&order, &printer);
        pxr_store_close(order.store);
        json_decref(printer.results);
        json_decref(printer.verdict);
        return pxr_diag_errors(program->diag) ? -1 : status;
}

static const struct command_option options[] = {
        OPTION_DB,
        { "resume", 0, "RUN", "resume a run, given by its number or name, or 'last'",
          FIELD(resume) },
        { "from-run", 0, "RUN",
          "repeat a recorded run as a new run, and print whether the results are identical",
          FIELD(repeat) },
        OPTION_THREADS("worker threads (default: one per processor); does not change results"),
        { "seed", 0, "N", "the same as train.seed=N", FIELD(seed) },
        { "out", 0, "FOLDER", "also write the pictures as PNG files", FIELD(out) },
        { "force", 'f', NULL, "overwrite existing pictures in the folder of --out", FIELD(force) },
        OPTION_PAPER,
        { "dry-run", 0, NULL, "print the model and what it needs, without training",
          FIELD(dry_run) },
        { "explain", 0, "KEY",
          "print the value of KEY, where it was set, and its possible values ('': all keys)",
          FIELD(explain) },
        OPTION_QUIET,
        { "json", 0, NULL, "print the result, or the --dry-run, as JSON", FIELD(json) },
        { "job", 0, "ID", "set by pxr-sweep: run as this job, and stop when the sweep stops",
          FIELD(job), .least = 1 },
        { 0 },
};

static const struct command_verb verbs[] = {
        { NULL, "[SPEC] [KEY=VALUE...]", "run", .run = run },
        { 0 },
};

static const struct command command = {
        .name = "pxr-run",
        .usage = "SPEC [KEY=VALUE...]\n"
                 "--resume RUN [data.path=PATH]\n"
                 "--from-run RUN [data.path=PATH]",
        .summary = "Train, evaluate, sample and record the experiment that SPEC (YAML) describes.",
        .text = "KEY=VALUE overrides a value of the spec; list items are numbered from 0:\n\n"
                "  pxr-run experiments/quickstart.yaml train.epochs=2 model.1.repeat=3\n\n"
                "--from-run trains the recorded spec of RUN again, as a new run, and compares "
                "parameters, NLLs and pictures with those of RUN. If they differ, it lists how "
                "the circumstances of the two runs differ. With --quiet, nothing is printed if "
                "they are identical. A relative data path is resolved from the folder RUN was "
                "started in.\n\n"
                "Exit status: 0 success, 1 system failure, or the results of --from-run differ, "
                "2 invalid spec, data or arguments, 130 interrupted (continue with --resume).",
        .options = options,
        .verbs = verbs,
};

int main(int argc, char **argv)
{
        return command_main(&command, argc, argv,
                            &(struct arguments) { .threads = usual_threads() });
}
