/* SPDX-License-Identifier: MIT */
/*
 * pxr-run.c - the command that trains, evaluates, samples and records one experiment.
 *
 * Arguments and printing; what it does is in lib/experiment.
 */
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/program.h"
#include "base/file.h"
#include "base/number.h"
#include "experiment/given.h"
#include "experiment/recorded.h"
#include "experiment/run.h"
#include "experiment/share.h"
#include "experiment/spec_schema.h"
#include "report/report.h"
#include "runner/command.h"
#include "runner/common.h"
#include "runner/texts.h"
#include "config/options.h"
#include "sweep/schedule.h"

static struct arguments {
        const char *db, *resume, *repeat, *explain, *out, *paper, *seed;
        int64_t job;
        int threads;
        double rank_timeout;
        bool dry_run, quiet, json, force, schema;
} args;

/* --- a dry run ---------------------------------------------------------------------------------
 */

/* Columns that the paths of all layers fit into, indented by their depth. */
static int path_width(const struct pxr_model *model)
{
        int width = 24;

        for (const struct pxr_built_layer *layer = model->layer; layer; layer = layer->next)
                if ((int)strlen(layer->path) + 2 * layer->depth > width)
                        width = (int)strlen(layer->path) + 2 * layer->depth;
        return width;
}

static void print_layers(const struct pxr_model *model)
{
        const struct pxr_graph *graph = model->graph;
        const int width = path_width(model);

        say(stdout, "%-*s %14s %12s %14s %12s\n", width, "layer", "output", "parameters",
            "multiply-adds", "sees");
        say(stdout, "%-*s %14s\n", width, "image",
            brief("%dx%dx%d", graph->rows, graph->cols, graph->colours));
        for (const struct pxr_built_layer *layer = model->layer; layer; layer = layer->next) {
                const struct pxr_shape *shape = &layer->output->shape;
                struct pxr_extent extent = pxr_receptive_extent(graph, layer->output);

                say(stdout, "%*s%-*s %14s %12zu %14.0f %12s\n", 2 * layer->depth, "",
                    width - 2 * layer->depth, layer->path,
                    brief("%dx%dx%d", shape->rows, shape->cols, shape->channels), layer->parameters,
                    layer->multiply_adds,
                    brief("%d up %d|%d", extent.above, extent.left, extent.right));
        }
}

/* All but the certificate, to be read while that is worked out. */
static void print_model(const struct pxr_experiment *e, const struct pxr_memory *memory,
                        int threads)
{
        const struct pxr_graph *graph = e->model->graph;
        const struct pxr_dataset *set = e->set;
        int64_t epochs = e->settings.train.epochs, steps = e->steps_per_epoch;

        print_layers(e->model);
        printf("\nparameters      %zu\n", graph->parameter_values);
        printf("multiply-adds   %.0f an image, forward\n", pxr_graph_multiply_adds(graph));
        printf("memory          %.1f MB at most with %d thread%s: %.1f MB to train (%.1f MB of it "
               "activations), %.1f MB to evaluate, %.1f MB to sample\n",
               memory->all / 1e6, threads, pxr_plural(threads), memory->train / 1e6,
               memory->activations / 1e6, memory->evaluate / 1e6, memory->sample / 1e6);
        say(stdout,
            "data            %s, %dx%dx%d, %d levels; train %" PRId64 ", valid %" PRId64
            ", test %" PRId64 "\n",
            set->name, set->rows, set->cols, set->colours, set->levels, set->count[PXR_TRAIN],
            set->count[PXR_VALID], set->count[PXR_TEST]);
        if (pxr_is_conditional(graph))
                printf("given           %s\n", pxr_given(e->arena, graph));
        printf("training        %" PRId64 " epoch%s of %" PRId64 " step%s\n", epochs,
               pxr_plural(epochs), steps, pxr_plural(steps));
        fflush(stdout);
}

static json_t *layers_as_json(const struct pxr_model *model)
{
        json_t *list = json_array();

        for (const struct pxr_built_layer *layer = model->layer; layer; layer = layer->next) {
                const struct pxr_shape *shape = &layer->output->shape;
                struct pxr_extent extent = pxr_receptive_extent(model->graph, layer->output);

                add_json(&list, NULL,
                         json_pack("{s:s, s:i, s:i, s:i, s:I, s:I, s:i, s:i, s:i}", "path",
                                   layer->path, "rows", shape->rows, "cols", shape->cols,
                                   "channels", shape->channels, "parameters",
                                   (json_int_t)layer->parameters, "multiply_adds",
                                   (json_int_t)layer->multiply_adds, "field_above", extent.above,
                                   "field_left", extent.left, "field_right", extent.right));
        }
        return list;
}

static int print_model_as_json(const struct pxr_experiment *e, const struct pxr_memory *memory,
                               int threads, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = e->model->graph;
        const struct pxr_dataset *set = e->set;
        const struct pxr_certificate *c = &e->certificate;
        struct pxr_extent extent = pxr_receptive_extent(graph, graph->logits);

        return print_json(
                json_pack("{s:s, s:o, s:I, s:I, s:i, s:{s:f, s:f, s:f, s:f, s:f}, "
                          "s:{s:s, s:i, s:i, s:i, s:i, s:I, s:I, s:I}, s:s*, s:I, s:I, "
                          "s:{s:s, s:i, s:i, s:i, s:i}}",
                          "name", e->settings.name, "layers", layers_as_json(e->model),
                          "parameters", (json_int_t)graph->parameter_values, "multiply_adds",
                          (json_int_t)pxr_graph_multiply_adds(graph), "threads", threads,
                          "memory_bytes", "all", memory->all, "train", memory->train, "activations",
                          memory->activations, "evaluate", memory->evaluate, "sample",
                          memory->sample, "data", "set", set->name, "rows", set->rows, "cols",
                          set->cols, "colours", set->colours, "levels", set->levels, "train",
                          (json_int_t)set->count[PXR_TRAIN], "valid",
                          (json_int_t)set->count[PXR_VALID], "test",
                          (json_int_t)set->count[PXR_TEST], "given", pxr_given(e->arena, graph),
                          "epochs", (json_int_t)e->settings.train.epochs, "steps_per_epoch",
                          (json_int_t)e->steps_per_epoch, "certificate", "digest", c->digest,
                          "values_changed", c->probes, "field_above", extent.above, "field_left",
                          extent.left, "field_right", extent.right),
                diag);
}

/* Print the model and what it needs, then certify it and print that; as JSON all at once, or the
 * error alone. Certified last: a model that is too large for it, or not causal, is worth looking
 * at. The exit status. */
static int dry_run(struct program *program, struct pxr_experiment *e,
                   const struct pxr_examination *how)
{
        const struct pxr_certificate *c = &e->certificate;
        struct pxr_memory memory = pxr_memory_of(e, how->threads);
        const char *warning = pxr_memory_warning(e, how->threads, &memory);
        struct pxr_extent extent;

        if (!args.json)
                print_model(e, &memory, how->threads);
        if (warning)
                pxr_warn(program->diag, "%s", warning);
        if (pxr_certify(program->arena, e->model, how, &e->certificate, program->diag))
                return -1;
        if (args.json)
                return print_model_as_json(e, &memory, how->threads, program->diag);
        extent = pxr_receptive_extent(e->model->graph, e->model->graph->logits);
        printf("receptive field %d rows up, %d columns left, %d right\n", extent.above, extent.left,
               extent.right);
        printf("causal          certificate %.16s, %d values changed\n", c->digest, c->probes);
        return 0;
}

/* --- printing ----------------------------------------------------------------------------------
 */

static struct pxr_run_order order;
static json_t *results;
static json_t *verdict_json; /* of a run that repeats another, else NULL */
static bool differs;         /* from the run it repeats */

static void on_nll(void *context, double epoch, const char *split, const struct pxr_nll *nll,
                   const char *suspect, bool final)
{
        double nats = pxr_nats_per_image(nll), bits = pxr_bits_per_dimension(nll);
        double error = pxr_standard_error(nll), entropy = order.experiment->set->entropy;
        double part = 100 * (nats / entropy - 1);
        const char *given = pxr_given(order.experiment->arena, order.experiment->model->graph);

        (void)context;
        if (final)
                add_json(&results, NULL,
                         json_pack("{s:s, s:o, s:o, s:o, s:I, s:s?, s:s?}", "split", split,
                                   "nats_per_image", json_number(nats), "bits_per_dimension",
                                   json_number(bits), "standard_error", json_number(error),
                                   "images", (json_int_t)nll->images, "suspect", suspect, "given",
                                   given));
        display_line("%s %-5s  %9s nats/image%s  %s bits/dim%s%s%s%s%s", final ? "result" : "",
                     split, number_text(nats, 4), error_text(error), number_text(bits, 4),
                     given ? " given " : "", given ? given : "", suspect ? "  SUSPECT: " : "",
                     suspect ? suspect : "", final ? "" : brief("  (epoch %.4g)", epoch));
        if (final && !isnan(entropy) && !given && !nll->trained_on)
                display_line("              %s%s %% against the exact entropy of %.4f nats",
                             signbit(part) ? "" : "+", number_text(part, 2), entropy);
}

/* Write a picture to --out. A failure is a warning: the picture is in the database. A resumed run
 * may draw its pictures once more. */
static void on_picture(void *context, int64_t run, const char *kind, int64_t step, const void *png,
                       size_t size)
{
        struct pxr_diag *diag, *warnings = ((struct program *)context)->diag;
        bool replace = args.force || args.resume;
        char path[4096];
        int folder;

        if (!args.out)
                return;
        folder = snprintf(path, sizeof(path), "%s/", args.out);
        snprintf(path + folder, sizeof(path) - folder, "run-%" PRId64 "-%s-%08" PRId64 ".png", run,
                 kind, step);
        for (char *c = path + folder; *c; c++)
                *c = *c == ' ' ? '-' : *c;
        diag = pxr_diag_new();
        if (!diag || pxr_file_write(path, replace, png, size, diag)) {
                pxr_warn(warnings, "%s", diag ? pxr_diag_first_error(diag) : "out of memory");
                if (!replace && access(path, F_OK) == 0)
                        pxr_note(warnings, "use --force to overwrite it");
        }
        pxr_diag_free(diag);
}

/* With the commands to continue with, ready to be copied. */
static void print_end(const struct program *program, int64_t id, int end)
{
        bool given = order.experiment->model->graph->small_rows > 0;
        const char *word = pxr_shell_word(program->arena, args.db);

        if (args.json) {
                print_json(json_pack("{s:I, s:s, s:s, s:O, s:O*}", "run", (json_int_t)id, "status",
                                     end == PXR_RUN_FINISHED ? "finished" : "interrupted",
                                     "database", args.db, "final_nll", results, "repeats",
                                     verdict_json),
                           program->diag);
        } else if (end == PXR_RUN_INTERRUPTED) {
                say(stderr, "interrupted; resume with: pxr-run --resume %" PRId64 " --db %s\n", id,
                    word);
        } else if (!args.quiet) {
                say(stdout, "run %" PRId64 " is in %s; see also:\n", id, args.db);
                say(stdout, "  pxr-report show %" PRId64 " --db %s\n", id, word);
                say(stdout, "  pxr-sample %" PRId64 " --db %s%s\n", id, word,
                    given ? " --from data" : "");
                if (given)
                        puts("the model is conditional on small images: if the same database has a "
                             "run that models these, 'show' adds its NLL");
        }
}

static json_t *verdict_as_json(const struct pxr_repetition *verdict)
{
        const struct pxr_table *table = verdict->circumstances;
        json_t *list = json_array();

        for (size_t i = 0; table && i < table->rows; i++)
                add_json(&list, NULL, json_string(table->cell[i * table->columns].text));
        return json_pack("{s:I, s:b, s:s, s:o}", "run", (json_int_t)verdict->of, "same",
                         verdict->same, "text", verdict->text, "circumstances", list);
}

/* After a run that repeats another: print whether it is the same. */
static int print_repetition(const struct program *program, int64_t id)
{
        struct pxr_arena *arena = program->arena;
        const char *old = order.resume ? order.resume->repeats
                                       : pxr_strf(arena, "%" PRId64, order.repeats->id);
        const char *new = pxr_strf(arena, "%" PRId64, id);
        struct pxr_repetition verdict;

        if (pxr_report_repetition(arena, order.store, new, old, &verdict, program->diag))
                return -1;
        verdict_json = verdict_as_json(&verdict);
        differs = !verdict.same;
        if ((args.quiet || args.json) && differs)
                pxr_warn(program->diag, "run %" PRId64 ": %s", id, verdict.text);
        if (args.quiet || args.json)
                return 0;
        display_line("run %" PRId64 ": %s", id, verdict.text);
        return verdict.circumstances ? pxr_tables_write(verdict.circumstances, PXR_FORMAT_TEXT,
                                                        stdout, 0, program->diag)
                                     : 0;
}

/* --- running -----------------------------------------------------------------------------------
 */

static int train(struct program *program)
{
        int64_t id = 0;
        int end;

        order.observer = (struct pxr_run_observer) { display, on_nll, on_picture };
        order.observer.base.context = program;
        /* A sweep that dies can send SIGTERM once for each of its threads, mpirun several times. */
        watch_signals(order.job.job || order.ranks);
        if (order.ranks)
                watch_signal(
                        SIGUSR1); /* mpirun passes it on, but SIGTERM only just before the end */
        end = pxr_run(&order, &id, program->diag);
        display_end();
        if (end < 0)
                return -1;
        if (order.ranks && order.ranks->lost)
                pxr_warn(program->diag, "%s", order.ranks->lost);
        if (end == PXR_RUN_FINISHED && (order.repeats || (order.resume && order.resume->repeats)) &&
            print_repetition(program, id))
                return -1;
        print_end(program, id, end);
        return end == PXR_RUN_INTERRUPTED ? 130 : differs;
}

/* What can be said before the training: the warnings so far, that the data differ from those of the
 * run it repeats, and that memory may not suffice. */
static void print_doubts(struct pxr_diag *diag)
{
        struct pxr_memory memory = pxr_memory_of(order.experiment, args.threads);
        const char *warning = pxr_memory_warning(order.experiment, args.threads, &memory);
        const struct pxr_run *run = order.repeats;

        if (pxr_diag_errors(diag))
                return;
        pxr_diag_write(diag, "pxr-run", stderr);
        pxr_diag_clear(diag);
        if (run && strcmp(order.experiment->set->identity, run->data_identity) != 0)
                display_line("the data differ from those of run %" PRId64
                             ": the results cannot be the same",
                             run->id);
        if (warning)
                display_line("warning: %s", warning);
}

static int explain(const struct program *program)
{
        struct pxr_yaml *root = order.experiment->root;
        char *text = pxr_yaml_explain(program->arena, root, args.explain, program->diag), *more;

        if (!text)
                return -1;
        say_lines(stdout, text, 0);
        more = pxr_option_text(program->arena, root, args.explain);
        if (more && *more)
                printf("\noptions\n%s", more);
        return more ? 0 : -1;
}

/* --- what is run -------------------------------------------------------------------------------
 */

/* For a run on record: the argument that begins with `key`, or NULL. */
static const char *find_word(const struct program *program, const char *key)
{
        const struct pxr_arguments *words = &program->words;

        for (size_t i = 0; i < words->count; i++)
                if (strncmp(words->text[i], key, strlen(key)) == 0)
                        return words->text[i];
        return NULL;
}

/* Of a run on record: where the data are now; NULL if that is not given. */
static const char *data_path(const struct program *program)
{
        const char *word = find_word(program, "data.path=");

        return word ? strchr(word, '=') + 1 : NULL;
}

/* "train.epochs=N", for a run that is to be extended; or NULL. */
static const char *extension(const struct program *program)
{
        return args.resume ? find_word(program, "train.epochs=") : NULL;
}

static int check_words(struct program *program)
{
        struct pxr_arguments *words = &program->words;
        bool recorded = args.resume || args.repeat;
        size_t known = (data_path(program) != NULL) + (extension(program) != NULL);

        if (args.resume && args.repeat)
                return pxr_user_error(program->diag, "--resume and --from-run exclude each other");
        if (recorded && (words->count != known || args.seed))
                return pxr_user_error(
                        program->diag,
                        args.resume
                                ? "--resume uses the spec of the run; only the path of its data "
                                  "can be changed, by data.path=PATH, and a finished run "
                                  "extended, by train.epochs=N"
                                : "--from-run uses the spec of the run; only the path of its "
                                  "data can be changed, by data.path=PATH");
        if (!recorded && !words->count)
                return pxr_user_error(
                        program->diag,
                        "missing argument; expected: SPEC, --resume RUN or --from-run "
                        "RUN");
        if (args.seed)
                words->text[words->count++] = pxr_strf(program->arena, "train.seed=%s", args.seed);
        return 0;
}

/* Open the database of the run to resume or to repeat, which must exist, and find the run; without
 * training, only to read. The spec is then the one on record. */
static int open_recorded(const struct program *program, struct pxr_spec_origin *origin)
{
        const char *which = args.resume ? args.resume : args.repeat;
        bool reads = args.dry_run || args.explain;
        const struct pxr_run *run;

        if (args.repeat)
                order.folder = NULL; /* the spec is not in this folder */
        if (pxr_store_exists(args.db, program->diag))
                return -1;
        order.store = pxr_store_open(args.db, !reads, program->diag);
        run = order.store ? pxr_store_find_run(order.store, program->arena, which, program->diag)
                          : NULL;
        if (args.repeat)
                order.repeats = run;
        else
                order.resume = run;
        if (!run)
                return -1;
        *origin = pxr_run_origin(program->arena, run, data_path(program));
        origin->extension = order.extension = extension(program);
        return 0;
}

/* Whether this process works for rank 0 of several. */
static bool is_helper(void)
{
        return order.ranks && order.ranks->rank != 0;
}

/* Make the folder of --out, unless it exists. */
static int make_folder(const char *path, bool *made, struct pxr_diag *diag)
{
        *made = path && mkdir(path, 0777) == 0;
        if (!path || *made || errno == EEXIST)
                return 0;
        return pxr_file_error(path, "create directory", errno, diag);
}

/* An unknown table row of `reproduces` is refused here, before the slow causality proof: a finished
 * run cannot be given another. */
static struct pxr_experiment *open_experiment(const struct program *program,
                                              const struct pxr_spec_origin *origin,
                                              const struct pxr_examination *how)
{
        struct pxr_arena *arena = program->arena;
        struct pxr_diag *diag = program->diag;
        struct pxr_experiment *experiment;
        bool made = false;

        if (args.explain)
                return pxr_experiment_read(arena, origin, diag);
        experiment = pxr_experiment_build(arena, origin, diag);
        if (pxr_ranks_several(order.ranks) && !args.dry_run &&
            pxr_share_agree(order.ranks, experiment, diag))
                return NULL;
        if (!experiment || is_helper())
                return experiment;
        if (!origin->recorded && pxr_paper_check(arena, args.paper, experiment->root, diag))
                return NULL;
        if (!args.dry_run &&
            (make_folder(args.out, &made, diag) ||
             pxr_certify(arena, experiment->model, how, &experiment->certificate, diag))) {
                if (made)
                        rmdir(args.out);
                return NULL;
        }
        return experiment;
}

/* What is asked for, of the experiment. Returns the exit status. */
static int do_order(struct program *program, const struct pxr_examination *how)
{
        if (args.explain)
                return explain(program);
        if (args.dry_run)
                return dry_run(program, order.experiment, how);
        if (!order.store)
                order.store = pxr_store_open(args.db, true, program->diag);
        if (!order.store || (args.job && pxr_sweep_attend(&order, args.job, program->diag)))
                return 1;
        print_doubts(program->diag);
        return train(program);
}

static int print_schema(const struct program *program)
{
        struct pxr_plugins *plugins = pxr_plugins_open(program->arena, program->diag);

        if (!plugins)
                return -1;
        for (const struct pxr_plugin_file *file = plugins->file; file; file = file->next)
                if (file->problem)
                        pxr_warn(program->diag, "%s: %s", file->path, file->problem);
        return print_json(pxr_spec_schema(plugins), program->diag);
}

/* Under an MPI launcher: join the other processes. All but rank 0 are silent, and leave it to it
 * to stop. */
static int join(struct program *program)
{
        if (join_ranks(program->arena, args.rank_timeout, &order.ranks, program->diag))
                return -1;
        if (!order.ranks)
                return 0;
        if (order.ranks->rank != 0) {
                signal(SIGUSR1, SIG_IGN);
                signal(SIGINT, SIG_IGN);
                signal(SIGTERM, SIG_IGN);
        }
        if (!option_given(program, "threads"))
                args.threads = usual_threads_of_rank(order.ranks->here);
        return is_helper() && (args.dry_run || args.explain) ? 1 : 0;
}

/* Open the experiment, of a recorded spec or another. In ranks other than 0 a recorded one comes
 * from rank 0, which alone opens the database. */
static void open_ordered(const struct program *program, struct pxr_spec_origin *origin,
                         const struct pxr_examination *how)
{
        bool recorded = args.resume || args.repeat, found = true;

        if (recorded && !is_helper())
                found = open_recorded(program, origin) == 0;
        if (recorded && pxr_ranks_several(order.ranks) &&
            pxr_share_origin(order.ranks, program->arena, origin, found))
                found = false;
        if (found)
                order.experiment = open_experiment(program, origin, how);
}

static int run(struct program *program)
{
        struct pxr_examination how = { 0, &display };
        struct pxr_spec_origin origin = { 0 };
        int status = -1;

        order.command_line = command_line(program, NULL);
        if (args.schema)
                return print_schema(program);
        if (check_words(program))
                return -1;
        status = join(program);
        if (status)
                return status < 0 ? -1 : 0;
        order.threads = how.threads = args.threads;
        results = json_array();
        origin.path = program->words.text[0];
        origin.overrides = program->words.text + 1;
        origin.count = program->words.count ? program->words.count - 1 : 0;
        /* Where git is asked for the revision. */
        order.folder = dirname(origin.path ? pxr_strdup(program->arena, origin.path) : NULL);
        display_begin(args.quiet || args.json || is_helper() ? NULL : stdout);
        open_ordered(program, &origin, &how);
        display_end(); /* of the proof, which an error ends */
        if (order.repeats && !order.experiment)
                pxr_repeat_explain(program->arena, order.store, order.repeats, program->diag);
        status = -1;
        if (order.experiment && is_helper())
                pxr_share_serve(order.ranks, order.experiment, args.threads, NULL, program->diag);
        else if (order.experiment)
                status = do_order(program, &how);
        if (is_helper())
                status = 0;
        pxr_store_close(order.store);
        json_decref(results);
        json_decref(verdict_json);
        status = pxr_diag_errors(program->diag) ? -1 : status;
        if (order.ranks)
                order.ranks->status = status < 0 ? pxr_diag_status(program->diag) : status;
        return status;
}

static const struct command_option options[] = {
        { OPTION_DB },
        { "resume", 0, "RUN", "resume a run, given by its number or name, or 'last'",
          FIELD(resume) },
        { "from-run", 0, "RUN",
          "repeat a recorded run as a new run, and print whether the results are identical",
          FIELD(repeat) },
        { OPTION_WORKERS("; does not change results") },
        { "seed", 0, "N", "the same as train.seed=N", FIELD(seed) },
        { "out", 0, "FOLDER", "also write the pictures as PNG files", FIELD(out) },
        { "force", 'f', NULL, "overwrite pictures that exist in --out", FIELD(force) },
        { OPTION_PAPER },
        { "dry-run", 0, NULL, "print the model and what it needs, without training",
          FIELD(dry_run) },
        { "explain", 0, "KEY",
          "print the value of KEY, where it was set, and its possible values ('': all keys)",
          FIELD(explain) },
        { "schema", 0, NULL,
          "print the JSON Schema of specs, with the options of all layers found, for an editor",
          FIELD(schema) },
        { OPTION_QUIET },
        { "json", 0, NULL, "print the result, or the --dry-run, as JSON", FIELD(json) },
        { "rank-timeout", 0, "SECONDS",
          "under MPI: how long a rank may not answer before the run is saved and ended",
          FIELD(rank_timeout), .least = 0.1, .most = 1e6, .initial = "60" },
        { "job", 0, "ID", "set by pxr-sweep: run as this job, and stop when the sweep stops",
          FIELD(job), .least = 1 },
        { 0 },
};

const struct command command = {
        .name = "pxr-run",
        .usage = "SPEC [KEY=VALUE...]\n"
                 "--resume RUN [train.epochs=N] [data.path=PATH]\n"
                 "--from-run RUN [data.path=PATH]\n"
                 "--schema",
        .summary = "Train, evaluate, sample and record the experiment that SPEC (YAML) describes.",
        .text = PXR_RUN_TEXT,
        .options = options,
        .verbs =
                (const struct command_verb[]) {
                        { NULL, "[SPEC] [KEY=VALUE...]", "run", .run = run }, { 0 } },
};
