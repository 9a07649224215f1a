/* SPDX-License-Identifier: MIT */
/*
 * pxr-bench.c - the command that measures how fast a spec's model is on this machine.
 *
 * Arguments and printing; what it does is in lib/experiment/speed.c.
 */
#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <pxr/version.h>

#include "experiment/speed.h"
#include "runner/common.h"
#include "runner/program.h"
#include "runner/json.h"
#include "sample/generate.h"
#include "tensor/gemm.h"

const char *argp_program_version = "pxr-bench " PXR_VERSION;

struct arguments {
        const char *spec;
        const char **overrides;
        size_t count;
        struct pxr_image_kind kind; /* rows 0: that of the data set */
        int threads, repetitions, images;
        bool scaling, naive, json, quiet;
};

enum { OPTION_IMAGE = 256, OPTION_IMAGES, OPTION_SCALING, OPTION_NAIVE, OPTION_JSON };

static const struct argp_option options[] = {
        { "threads", 't', "N", 0, "workers (default: one a processor)", 0 },
        { "scaling", OPTION_SCALING, NULL, 0, "measure on 1, 2, 4 ... threads too", 0 },
        { "repetitions", 'r', "N", 0, "of each measurement, after one not counted (default: 5)",
          0 },
        { "images", OPTION_IMAGES, "N", 0, "to evaluate and to draw (default: 64)", 0 },
        { "image", OPTION_IMAGE, "ROWSxCOLSxCOLOURS:LEVELS", 0,
          "the images' kind, as 32x32x3:256: the data set is then not needed", 0 },
        { "naive", OPTION_NAIVE, NULL, 0,
          "measure drawing by a whole pass for each value too: for small models", 0 },
        { "json", OPTION_JSON, NULL, 0, "print JSON", 0 },
        { "quiet", 'q', NULL, 0, "do not say what is being measured", 0 },
        { 0 },
};

static struct pxr_image_kind kind_of(const char *text, struct argp_state *state)
{
        struct pxr_image_kind kind;
        int end = 0;

        if (sscanf(text, "%4dx%4dx%1d:%3d%n", &kind.rows, &kind.cols, &kind.colours, &kind.levels,
                   &end) != 4 ||
            text[end] || kind.rows < 1 || kind.cols < 1 ||
            (kind.colours != 1 && kind.colours != 3) || kind.levels < 2 || kind.levels > 256)
                argp_error(state,
                           "--image wants ROWSxCOLSxCOLOURS:LEVELS with 1 or 3 colours of 2 to 256 "
                           "levels, as 28x28x1:2, not '%s'",
                           text);
        return kind;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
        struct arguments *arguments = state->input;

        switch (key) {
        case OPTION_IMAGE:
                arguments->kind = kind_of(text, state);
                return 0;
        case OPTION_IMAGES:
                arguments->images = (int)number_option("--images", text, 1, 4096, state);
                return 0;
        case OPTION_SCALING:
                arguments->scaling = true;
                return 0;
        case OPTION_NAIVE:
                arguments->naive = true;
                return 0;
        case OPTION_JSON:
                arguments->json = true;
                return 0;
        case 'q':
                arguments->quiet = true;
                return 0;
        case 'r':
                arguments->repetitions = (int)number_option("--repetitions", text, 1, 4096, state);
                return 0;
        case 't':
                arguments->threads = threads_option(text, state);
                return 0;
        case ARGP_KEY_ARG:
                if (!arguments->spec)
                        arguments->spec = text;
                else if (strchr(text, '='))
                        arguments->overrides[arguments->count++] = text;
                else
                        argp_error(state, "'%s' is neither an option nor KEY=VALUE", text);
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
        .args_doc = "SPEC [KEY=VALUE...]",
        .doc = "Measure how fast the model that SPEC (YAML) describes is trained, evaluated and "
               "drawn from on this machine.\v"
               "Speed is given as images a second, as GFLOP/s (counting two for each multiply-add "
               "that no mask zeroes), and as shares of what as many threads reach in the same run: "
               "SGEMM of the BLAS on square matrices, and the peak, which is that of multiply-adds "
               "in registers alone. Nothing is recorded. Let nothing else run meanwhile.\n\n"
               "Exit status: 0 done, 1 the system failed, 2 a mistake in spec, data or arguments, "
               "130 interrupted.",
};

/* --- printing ----------------------------------------------------------------------------------
 */

static bool print_progress(void *context, const struct pxr_progress *progress)
{
        const char **shown = context;

        if (*shown != progress->what)
                say(stderr, "%s ...\n", progress->what);
        *shown = progress->what;
        return stop_asked;
}

static bool print_nothing(void *context, const struct pxr_progress *progress)
{
        (void)context, (void)progress;
        return stop_asked;
}

static double gflops(double multiply_adds, double seconds)
{
        return 2e-9 * multiply_adds / seconds;
}

/* Four digits, without an exponent. */
static const char *four_digits(double value, char text[32])
{
        snprintf(text, 32, value < 1000 ? "%.4g" : "%.0f", value);
        return text;
}

static void print_rate(const struct pxr_speed *speed, const char *what,
                       const struct pxr_timing *timing, int images, double multiply_adds)
{
        double rate = gflops(multiply_adds * images, timing->median);

        char median[32], slowest[32], fastest[32], work[32];

        say(stdout, "%-11s %8d %12s %12s - %-9s %10s %8.1f %% %7.1f %%\n", what, speed->threads,
            four_digits(images / timing->median, median),
            four_digits(images / timing->slowest, slowest),
            four_digits(images / timing->fastest, fastest), four_digits(rate, work),
            100 * rate / speed->sgemm, 100 * rate / speed->peak);
}

static void print_speed(const struct pxr_speed *speed)
{
        print_rate(speed, "training", &speed->training, speed->batch,
                   speed->training_multiply_adds);
        print_rate(speed, "evaluation", &speed->evaluation, speed->images,
                   speed->forward_multiply_adds);
        print_rate(speed, "generation", &speed->generation, speed->images,
                   speed->forward_multiply_adds);
        if (speed->naive.repetitions)
                print_rate(speed, "naive", &speed->naive, speed->images,
                           speed->forward_multiply_adds);
}

static double busy(const struct pxr_op_speed *op)
{
        return op->seconds[PXR_PASS_FORWARD] + op->seconds[PXR_PASS_BACKWARD];
}

/* What is no op's: its seconds of the training step, or of drawing, or (NULL) none of one. */
static void print_other(const struct pxr_speed *speed, const char *name, const double *training,
                        const double *drawing)
{
        char training_ms[32] = "", share[32] = "", drawing_ms[32] = "";

        if (training) {
                snprintf(training_ms, sizeof(training_ms), "%.3f", 1e3 * *training);
                snprintf(share, sizeof(share), "%.1f %%",
                         100 * *training / speed->training_seconds);
        }
        if (drawing)
                snprintf(drawing_ms, sizeof(drawing_ms), "%.3f", 1e3 * *drawing);
        say(stdout, "%-28s %6s %11s %11s %8s %8s %11s\n", name, "", "", training_ms, share, "",
            drawing_ms);
}

static void print_ops(const struct pxr_speed *speed)
{
        const struct pxr_step_times *times = &speed->step_times;
        double rest = speed->training_seconds - times->loss - times->optimizer;
        double advances = speed->drawing_seconds;

        printf("\ntime by op: of one training step, all threads together; and of drawing %d images "
               "on one\n"
               "%-28s %6s %11s %11s %8s %8s %11s %8s\n",
               PXR_GENERATION_GROUP, "op", "nodes", "forward ms", "backward ms", "share", "GFLOP/s",
               "advance ms", "GFLOP/s");
        for (int i = 0; i < speed->ops; i++) {
                const struct pxr_op_speed *op = &speed->op[i];
                double work =
                        op->multiply_adds[PXR_PASS_FORWARD] + op->multiply_adds[PXR_PASS_BACKWARD];

                rest -= busy(op);
                say(stdout, "%-28s %6d %11.3f %11.3f %6.1f %% %8.3g %11.3f %8.3g\n", op->name,
                    op->nodes, 1e3 * op->seconds[PXR_PASS_FORWARD],
                    1e3 * op->seconds[PXR_PASS_BACKWARD], 100 * busy(op) / speed->training_seconds,
                    gflops(work, busy(op)), 1e3 * op->seconds[PXR_PASS_ADVANCE],
                    op->seconds[PXR_PASS_ADVANCE] > 0 ? gflops(op->multiply_adds[PXR_PASS_ADVANCE],
                                                               op->seconds[PXR_PASS_ADVANCE])
                                                      : 0);
                advances += op->seconds[PXR_PASS_ADVANCE];
        }
        advances = speed->advance_seconds - advances;
        print_other(speed, "loss", &times->loss, NULL);
        print_other(speed, "optimizer", &times->optimizer, NULL);
        print_other(speed, "drawing", NULL, &speed->drawing_seconds);
        print_other(speed, "all else", &rest, &advances);
}

static double peak_memory(void)
{
        struct rusage usage;

        return getrusage(RUSAGE_SELF, &usage) == 0 ? 1024.0 * usage.ru_maxrss : NAN;
}

static void print_table(const struct pxr_experiment *e, const struct pxr_speed *speed, int count)
{
        const struct pxr_graph *graph = e->model->graph;
        const struct pxr_speed *last = &speed[count - 1];

        say(stdout,
            "%s: %dx%dx%d, %zu parameters, %.4g MFLOP an image forward, %.4g to train; "
            "batch %d\n\n",
            e->settings.name, graph->rows, graph->cols, graph->colours, graph->parameter_values,
            2e-6 * last->forward_multiply_adds, 2e-6 * last->training_multiply_adds, last->batch);
        say(stdout, "%-11s %8s %12s %24s %10s %10s %9s\n", "", "threads", "images/s",
            "slowest - fastest  ", "GFLOP/s", "of SGEMM", "of peak");
        for (int i = 0; i < count; i++)
                print_speed(&speed[i]);
        for (int i = 0; i < count; i++) {
                say(stdout, "%-11s %8d %48.4g\n", "SGEMM", speed[i].threads, speed[i].sgemm);
                say(stdout, "%-11s %8d %48.4g\n", "peak", speed[i].threads, speed[i].peak);
        }
        printf("\ndrawing an image takes %.2f times as long as evaluating it; with a whole pass "
               "for "
               "each value it would be %zu",
               last->generation.median / last->evaluation.median, pxr_graph_values(graph));
        if (last->naive.repetitions)
                printf(" (measured: %.1f)", last->naive.median / last->evaluation.median);
        printf("\n");
        printf("memory: %.1f MB to train (%.1f MB of it activations), %.1f MB to evaluate, %.1f MB "
               "to draw; the whole bench, with all of these and the matrices of SGEMM, took %.1f "
               "MB "
               "at most\n",
               last->trainer_bytes / 1e6, last->activation_bytes / 1e6,
               last->evaluation_bytes / 1e6, last->generation_bytes / 1e6, peak_memory() / 1e6);
        print_ops(last);
}

static json_t *timing_as_json(const struct pxr_speed *speed, const struct pxr_timing *timing,
                              int images, double multiply_adds)
{
        double rate = gflops(multiply_adds * images, timing->median);

        return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:i}", "images_per_second",
                         images / timing->median, "slowest", images / timing->slowest, "fastest",
                         images / timing->fastest, "gflops", rate, "share_of_sgemm",
                         rate / speed->sgemm, "share_of_peak", rate / speed->peak, "repetitions",
                         timing->repetitions);
}

static json_t *op_as_json(const struct pxr_op_speed *op)
{
        return json_pack("{s:s, s:i, s:f, s:f, s:f, s:f, s:f, s:f}", "op", op->name, "nodes",
                         op->nodes, "forward_seconds", op->seconds[PXR_PASS_FORWARD],
                         "backward_seconds", op->seconds[PXR_PASS_BACKWARD],
                         "forward_multiply_adds", op->multiply_adds[PXR_PASS_FORWARD],
                         "backward_multiply_adds", op->multiply_adds[PXR_PASS_BACKWARD],
                         "advance_seconds", op->seconds[PXR_PASS_ADVANCE], "advance_multiply_adds",
                         op->multiply_adds[PXR_PASS_ADVANCE]);
}

static json_t *speed_as_json(const struct pxr_speed *s)
{
        json_t *ops = json_array();

        for (int i = 0; i < s->ops; i++)
                json_array_append_new(ops, op_as_json(&s->op[i]));
        return json_pack(
                "{s:i, s:f, s:f, s:o, s:o, s:o, s:o*, s:f, s:f, s:f, s:f, s:f, s:o, s:I, s:I, s:I, "
                "s:I}",
                "threads", s->threads, "sgemm_gflops", s->sgemm, "peak_gflops", s->peak, "training",
                timing_as_json(s, &s->training, s->batch, s->training_multiply_adds), "evaluation",
                timing_as_json(s, &s->evaluation, s->images, s->forward_multiply_adds),
                "generation",
                timing_as_json(s, &s->generation, s->images, s->forward_multiply_adds), "naive",
                s->naive.repetitions
                        ? timing_as_json(s, &s->naive, s->images, s->forward_multiply_adds)
                        : NULL,
                "training_step_seconds", s->training_seconds, "loss_seconds", s->step_times.loss,
                "optimizer_seconds", s->step_times.optimizer, "advance_seconds", s->advance_seconds,
                "drawing_seconds", s->drawing_seconds, "ops", ops, "trainer_bytes",
                (json_int_t)s->trainer_bytes, "activation_bytes", (json_int_t)s->activation_bytes,
                "evaluation_bytes", (json_int_t)s->evaluation_bytes, "generation_bytes",
                (json_int_t)s->generation_bytes);
}

static int print_as_json(const struct pxr_experiment *e, const struct pxr_speed *speed, int count,
                         struct pxr_diag *diag)
{
        const struct pxr_graph *graph = e->model->graph;
        json_t *list = json_array();

        for (int i = 0; i < count; i++)
                json_array_append_new(list, speed_as_json(&speed[i]));
        return print_json(json_pack("{s:s, s:[i,i,i], s:I, s:i, s:f, s:f, s:f, s:o}", "spec",
                                    e->settings.name, "image", graph->rows, graph->cols,
                                    graph->colours, "parameters",
                                    (json_int_t)graph->parameter_values, "batch", speed->batch,
                                    "forward_multiply_adds", speed->forward_multiply_adds,
                                    "training_multiply_adds", speed->training_multiply_adds,
                                    "peak_memory_bytes", peak_memory(), "measured", list),
                          diag);
}

/* --- doing it ----------------------------------------------------------------------------------
 */

enum { MOST_MEASURED = 16 };

static int measure(struct pxr_arena *arena, const struct arguments *arguments,
                   const struct pxr_experiment *experiment, struct pxr_diag *diag)
{
        struct pxr_speed speed[MOST_MEASURED];
        int count = 0, threads = arguments->scaling ? 1 : arguments->threads, status = 0;
        const char *shown = NULL;
        bool quiet = arguments->quiet || arguments->json;
        const struct pxr_observer observer = { .context = &shown,
                                               .progress = quiet ? print_nothing : print_progress };

        for (;;) {
                status = pxr_measure_speed(arena,
                                           &(struct pxr_speed_order) {
                                                   .experiment = experiment,
                                                   .threads = threads,
                                                   .repetitions = arguments->repetitions,
                                                   .images = arguments->images,
                                                   .naive = arguments->naive,
                                                   .observer = &observer,
                                           },
                                           &speed[count++], diag);
                if (status || threads == arguments->threads)
                        break;
                threads = 2 * threads < arguments->threads ? 2 * threads : arguments->threads;
        }
        if (status)
                return status > 0 ? 130 : pxr_diag_status(diag);
        if (arguments->json)
                return print_as_json(experiment, speed, count, diag) ? 1 : 0;
        print_table(experiment, speed, count);
        return 0;
}

/* Said beside the numbers that it is about: a share of SGEMM then tells nothing of pxr. */
static void warn_of_blas(void)
{
        const char *better, *taken_for = pxr_blas_taken_for(&better);

        if (!taken_for)
                return;
        say(stderr,
            "pxr-bench: warning: OpenBLAS takes this processor for an older one (%s) and leaves "
            "vector instructions unused: 'of SGEMM' is too high\n",
            taken_for);
        say(stderr, "note: OPENBLAS_CORETYPE=%s in the environment has it use them\n", better);
}

static int execute(struct pxr_arena *arena, const struct arguments *arguments,
                   struct pxr_diag *diag)
{
        const struct pxr_spec_origin origin = { .path = arguments->spec,
                                                .overrides = arguments->overrides,
                                                .count = arguments->count };
        struct pxr_experiment *experiment =
                arguments->kind.rows ? pxr_experiment_model(arena, &origin, &arguments->kind, diag)
                                     : pxr_experiment_build(arena, &origin, diag);

        if (!experiment)
                return pxr_diag_status(diag);
        warn_of_blas();
        watch_signals();
        return measure(arena, arguments, experiment, diag);
}

int main(int argc, char **argv)
{
        struct arguments arguments = { .threads = usual_threads(), .repetitions = 5, .images = 64 };
        struct program program;
        int status;

        program_begin(&program, "pxr-bench", argc, argv);
        arguments.overrides = program.words;
        program_parse(&program, &argp, argc, argv, &arguments);
        status = execute(program.arena, &arguments, program.diag);
        return program_end(&program, status);
}
