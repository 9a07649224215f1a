/* SPDX-License-Identifier: MIT */
/*
 * pxr-bench.c - the command that measures how fast a spec's model is on this machine.
 *
 * Arguments and printing; what it does is in lib/experiment/speed.c.
 */
#include <math.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/number.h"
#include "experiment/rank_speed.h"
#include "experiment/share.h"
#include "experiment/speed.h"
#include "runner/command.h"
#include "runner/common.h"
#include "runner/texts.h"
#include "sample/generate.h"
#include "tensor/gemm.h"
#include "tensor/mixed.h"

static struct arguments {
        const char *image;
        int threads, repetitions, images;
        double bandwidth, latency;
        bool scaling, naive, json, quiet, ranks;
} args = { .bandwidth = 10, .latency = 50 };

/* --- printing ----------------------------------------------------------------------------------
 */

static bool print_progress(void *context, const struct pxr_progress *progress)
{
        static const char *shown;

        (void)context;
        if (shown != progress->what && !args.quiet && !args.json)
                say(stderr, "%s ...\n", progress->what);
        shown = progress->what;
        return stop_asked;
}

static double gflops(double multiply_adds, double seconds)
{
        return 2e-9 * multiply_adds / seconds;
}

/* Four digits, without an exponent. */
static const char *four_digits(double value)
{
        return brief(value < 1000 ? "%.4g" : "%.0f", value);
}

/* One measurement, of work on so many images at once. */
struct measured {
        const char *name;
        const struct pxr_timing *timing;
        int images;
        double multiply_adds; /* of one image */
        enum pxr_precision precision;
};

enum { MEASUREMENTS = 4 };

/* Returns how many there are. */
static int list_measured(const struct pxr_speed *s, struct measured list[MEASUREMENTS])
{
        double forward = s->forward_multiply_adds;

        list[0] = (struct measured) { "training", &s->training, s->batch, s->training_multiply_adds,
                                      s->training_precision };
        list[1] = (struct measured) { "evaluation", &s->evaluation, s->images, forward,
                                      s->evaluation_precision };
        list[2] = (struct measured) { "generation", &s->generation, s->images, forward, PXR_F32 };
        list[3] = (struct measured) { "naive", &s->naive, s->images, forward, PXR_F32 };
        return s->naive.repetitions ? 4 : 3;
}

static double rate_of(const struct measured *m)
{
        return gflops(m->multiply_adds * m->images, m->timing->median);
}

static const char *name_of(enum pxr_precision precision)
{
        return pxr_precision_names[precision == PXR_BF16];
}

static void print_speed(const struct pxr_speed *speed)
{
        struct measured list[MEASUREMENTS];
        int count = list_measured(speed, list);

        for (const struct measured *m = list; m < list + count; m++) {
                double rate = rate_of(m), peak = pxr_peak_of(&speed->peaks, m->precision);

                say(stdout, "%-11s %8d %12s %12s - %-9s %-9s %10s %8.1f %%\n", m->name,
                    speed->threads, four_digits(m->images / m->timing->median),
                    four_digits(m->images / m->timing->slowest),
                    four_digits(m->images / m->timing->fastest), name_of(m->precision),
                    four_digits(rate), 100 * rate / peak);
        }
}

static void print_peaks(const struct pxr_speed *speed)
{
        const struct pxr_peaks *peaks = &speed->peaks;
        const char *format = "%-28s %8d %10s\n";

        say(stdout, format, "float32", speed->threads, four_digits(peaks->f32));
        if (pxr_peak_unit())
                say(stdout, format, brief("bfloat16 (%s)", pxr_peak_unit()), speed->threads,
                    four_digits(peaks->bf16));
        say(stdout, format, "SGEMM", speed->threads, four_digits(peaks->sgemm));
}

static double busy(const struct pxr_op_speed *op)
{
        return op->seconds[PXR_PASS_FORWARD] + op->seconds[PXR_PASS_BACKWARD];
}

/* What is no op's: its seconds of the training step, and of drawing (NAN: none). */
static void print_other(const struct pxr_speed *speed, const char *name, double training,
                        double drawing)
{
        bool trains = !isnan(training);

        say(stdout, "%-28s %6s %11s %11s %8s %8s %11s\n", name, "", "",
            trains ? brief("%.3f", 1e3 * training) : "",
            trains ? brief("%.1f %%", 100 * training / speed->training_seconds) : "", "",
            isnan(drawing) ? "" : brief("%.3f", 1e3 * drawing));
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
        print_other(speed, "loss", times->loss, NAN);
        print_other(speed, "optimizer", times->optimizer, NAN);
        print_other(speed, "drawing", NAN, speed->drawing_seconds);
        print_other(speed, "all else", rest, advances);
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
            "batch %d\n",
            e->settings.name, graph->rows, graph->cols, graph->colours, graph->parameter_values,
            2e-6 * last->forward_multiply_adds, 2e-6 * last->training_multiply_adds, last->batch);
        putchar('\n');
        say(stdout, "%-11s %8s %12s %24s %-9s %10s %10s\n", "", "threads", "images/s",
            "slowest - fastest  ", "precision", "GFLOP/s", "of peak");
        for (int i = 0; i < count; i++)
                print_speed(&speed[i]);
        putchar('\n');
        say(stdout, "%-28s %8s %10s   (SGEMM: %s)\n", "peak on square matrices", "threads",
            "GFLOP/s", pxr_blas_name(e->arena));
        for (int i = 0; i < count; i++)
                print_peaks(&speed[i]);
        printf("\n"
               "drawing an image takes %.2f times as long as evaluating it; with a whole pass "
               "for each value it would be %zu",
               last->generation.median / last->evaluation.median, pxr_graph_values(graph));
        if (last->naive.repetitions)
                printf(" (measured: %.1f)", last->naive.median / last->evaluation.median);
        printf("\n");
        printf("memory: %.1f MB to train (%.1f MB of it activations), %.1f MB to evaluate, %.1f "
               "MB to draw; the whole bench, with all of these and the matrices of SGEMM, took "
               "%.1f MB at most\n",
               last->memory.train / 1e6, last->memory.activations / 1e6,
               last->memory.evaluate / 1e6, last->generation_bytes / 1e6, peak_memory() / 1e6);
        print_ops(last);
}

static json_t *measured_as_json(const struct pxr_speed *speed, const struct measured *m)
{
        const struct pxr_timing *timing = m->timing;
        double rate = rate_of(m);

        return json_pack("{s:f, s:f, s:f, s:s, s:f, s:f, s:i}", "images_per_second",
                         m->images / timing->median, "slowest", m->images / timing->slowest,
                         "fastest", m->images / timing->fastest, "precision", name_of(m->precision),
                         "gflops", rate, "share_of_peak",
                         rate / pxr_peak_of(&speed->peaks, m->precision), "repetitions",
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
        struct measured list[MEASUREMENTS];
        int count = list_measured(s, list);
        json_t *speed, *ops = json_array();

        for (int i = 0; i < s->ops; i++)
                add_json(&ops, NULL, op_as_json(&s->op[i]));
        speed = json_pack("{s:i, s:f, s:o, s:f, s:f, s:f, s:f, s:f, s:f, s:o, s:I, s:I, s:I, s:I}",
                          "threads", s->threads, "peak_f32_gflops", s->peaks.f32,
                          "peak_bf16_gflops", json_number(s->peaks.bf16 > 0 ? s->peaks.bf16 : NAN),
                          "sgemm_gflops", s->peaks.sgemm, "training_step_seconds",
                          s->training_seconds, "loss_seconds", s->step_times.loss,
                          "optimizer_seconds", s->step_times.optimizer, "advance_seconds",
                          s->advance_seconds, "drawing_seconds", s->drawing_seconds, "ops", ops,
                          "trainer_bytes", (json_int_t)s->memory.train, "activation_bytes",
                          (json_int_t)s->memory.activations, "evaluation_bytes",
                          (json_int_t)s->memory.evaluate, "generation_bytes",
                          (json_int_t)s->generation_bytes);
        for (int i = 0; i < count; i++)
                add_json(&speed, list[i].name, measured_as_json(s, &list[i]));
        return speed;
}

/* Whether SGEMM says little about this machine. */
static bool blas_fell_back(const struct pxr_speed *speed)
{
        const char *better;

        return pxr_blas_taken_for(&better) || speed->peaks.sgemm < speed->peaks.own / 2;
}

static int print_as_json(const struct pxr_experiment *e, const struct pxr_speed *speed, int count,
                         struct pxr_diag *diag)
{
        const struct pxr_graph *graph = e->model->graph;
        json_t *list = json_array();

        for (int i = 0; i < count; i++)
                add_json(&list, NULL, speed_as_json(&speed[i]));
        return print_json(
                json_pack("{s:s, s:[i,i,i], s:I, s:i, s:f, s:f, s:f, s:s?, s:s, s:b, "
                          "s:o}",
                          "spec", e->settings.name, "image", graph->rows, graph->cols,
                          graph->colours, "parameters", (json_int_t)graph->parameter_values,
                          "batch", speed->batch, "forward_multiply_adds",
                          speed->forward_multiply_adds, "training_multiply_adds",
                          speed->training_multiply_adds, "peak_memory_bytes", peak_memory(),
                          "bf16_unit", pxr_peak_unit(), "blas", pxr_blas_name(e->arena),
                          "blas_fell_back", blas_fell_back(&speed[count - 1]), "measured", list),
                diag);
}

static void warn_of_blas(struct pxr_arena *arena, const struct pxr_speed *speed)
{
        const char *better, *taken_for = pxr_blas_taken_for(&better);

        if (!blas_fell_back(speed))
                return;
        say(stderr,
            "pxr-bench: warning: SGEMM of %s reaches %.0f GFLOP/s, pxr's own products %.0f\n",
            pxr_blas_name(arena), speed->peaks.sgemm, speed->peaks.own);
        if (taken_for)
                say(stderr,
                    "note: OpenBLAS takes this processor for an older one (%s) and leaves vector "
                    "instructions unused; set OPENBLAS_CORETYPE=%s in the environment to use "
                    "them\n",
                    taken_for, better);
}

/* --- doing it ----------------------------------------------------------------------------------
 */

enum { MOST_MEASURED = 16 };

static int measure(const struct program *program, const struct pxr_experiment *experiment)
{
        struct pxr_speed speed[MOST_MEASURED];
        const struct pxr_observer observer = { .progress = print_progress };
        struct pxr_speed_order order = { .experiment = experiment,
                                         .threads = args.scaling ? 1 : args.threads,
                                         .repetitions = args.repetitions,
                                         .images = args.images,
                                         .naive = args.naive,
                                         .observer = &observer };
        int count = 0, status;

        for (;; order.threads *= 2) {
                if (order.threads > args.threads)
                        order.threads = args.threads;
                status = pxr_measure_speed(program->arena, &order, &speed[count++], program->diag);
                if (status)
                        return status > 0 ? 130 : -1;
                if (order.threads == args.threads)
                        break;
        }
        warn_of_blas(program->arena, &speed[count - 1]);
        if (args.json)
                return print_as_json(experiment, speed, count, program->diag);
        print_table(experiment, speed, count);
        return 0;
}

static void note_fallback(const struct pxr_experiment *e)
{
        const struct pxr_node *node = pxr_mixed_fallback(e->model->graph);

        if (node && pxr_precision_of(e->settings.train.precision) == PXR_BF16 && !args.quiet)
                say(stderr,
                    "note: %s: op '%s' has no kernels for bfloat16: it is computed in float32\n",
                    node->layer, node->op->name);
}

static int read_kind(const char *text, struct pxr_image_kind *kind, struct pxr_diag *diag)
{
        int end = 0;

        if (sscanf(text, "%4dx%4dx%1d:%3d%n", &kind->rows, &kind->cols, &kind->colours,
                   &kind->levels, &end) == 4 &&
            !text[end] && kind->rows >= 1 && kind->cols >= 1 &&
            (kind->colours == 1 || kind->colours == 3) && kind->levels >= 2 && kind->levels <= 256)
                return 0;
        return pxr_user_error(
                diag,
                "--image: expected ROWSxCOLSxCOLOURS:LEVELS with 1 or 3 colours and 2 "
                "to 256 levels, such as 28x28x1:2, got '%s'",
                text);
}

/* --- ranks -------------------------------------------------------------------------------------
 */

static const int predicted[] = { 8, 64, 512 };

/* Without options, the network is the one that joins the ranks, unless they share a machine. */
static void choose_network(const struct program *program, const struct pxr_ranks *ranks,
                           const struct pxr_rank_speed *speed)
{
        if (!pxr_ranks_several(ranks) || ranks->here == ranks->size)
                return;
        if (!option_given(program, "bandwidth"))
                args.bandwidth = speed->bandwidth * 8e-9;
        if (!option_given(program, "latency"))
                args.latency = speed->latency * 1e6;
}

static double predicted_rate(const struct pxr_rank_speed *speed, int ranks)
{
        return speed->batch /
               pxr_predict_step(speed, ranks, args.bandwidth * 1e9 / 8, args.latency * 1e-6);
}

static json_t *ranks_as_json(const struct pxr_rank_speed *speed)
{
        json_t *list = json_array();

        for (size_t i = 0; i < PXR_COUNT(predicted); i++)
                add_json(&list, NULL,
                         json_pack("{s:i, s:f}", "ranks", predicted[i], "images_per_second",
                                   predicted_rate(speed, predicted[i])));
        return json_pack("{s:i, s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:o, s:o, s:f, s:f, s:o}",
                         "ranks", speed->ranks, "threads", speed->threads, "batch", speed->batch,
                         "images_per_second", speed->batch / speed->step.median, "step_seconds",
                         speed->step.median, "own_seconds", speed->worked, "wait_seconds",
                         speed->waited, "bytes_sent", speed->sent, "measured_bandwidth_gbit",
                         json_number(speed->bandwidth * 8e-9), "measured_latency_us",
                         json_number(speed->latency * 1e6), "bandwidth_gbit", args.bandwidth,
                         "latency_us", args.latency, "predicted", list);
}

static void print_ranks(const struct pxr_rank_speed *speed)
{
        say(stdout, "%d rank%s of %d thread%s, batch %d: %s images/s (%s - %s)\n", speed->ranks,
            pxr_plural(speed->ranks), speed->threads, pxr_plural(speed->threads), speed->batch,
            four_digits(speed->batch / speed->step.median),
            four_digits(speed->batch / speed->step.slowest),
            four_digits(speed->batch / speed->step.fastest));
        say(stdout,
            "a step of rank 0: %.3g ms, %.3g ms of it gradients, %.3g ms (%.0f %%) waiting; "
            "it sends %s\n",
            1e3 * speed->mean, 1e3 * speed->worked, 1e3 * speed->waited,
            100 * speed->waited / speed->mean, size_text(speed->sent));
        if (speed->ranks > 1)
                say(stdout, "rank 0 and rank %d are joined by %.4g Gbit/s, with %.4g us\n",
                    speed->ranks - 1, speed->bandwidth * 8e-9, speed->latency * 1e6);
        putchar('\n');
        say(stdout, "prediction for a network of %.4g Gbit/s and %.4g us:\n", args.bandwidth,
            args.latency);
        for (size_t i = 0; i < PXR_COUNT(predicted); i++)
                say(stdout, "%8d ranks %12s images/s%s\n", predicted[i],
                    four_digits(predicted_rate(speed, predicted[i])),
                    predicted[i] > speed->micro_batches
                            ? brief("  (%d have work: %d micro-batches in a batch)",
                                    speed->micro_batches, speed->micro_batches)
                            : "");
}

/* Measure training by all ranks of an MPI launcher. Those other than 0 print nothing. */
static int measure_ranks(struct program *program, const struct pxr_experiment *experiment,
                         struct pxr_ranks *ranks)
{
        const struct pxr_observer observer = { .progress = print_progress };
        const struct pxr_speed_order order = { .experiment = experiment,
                                               .threads = args.threads,
                                               .repetitions = args.repetitions,
                                               .observer = &observer };
        struct pxr_rank_speed speed;
        int status = pxr_measure_ranks(ranks, &order, &speed, program->diag);

        if (ranks)
                ranks->status = status > 0 ? 130 : 1;
        if (ranks && ranks->lost)
                return pxr_system_error(program->diag, "%s", ranks->lost);
        if (status || (ranks && ranks->rank != 0))
                return status > 0 ? 130 : status;
        choose_network(program, ranks, &speed);
        if (args.json)
                return print_json(ranks_as_json(&speed), program->diag);
        print_ranks(&speed);
        return 0;
}

/* Refuse options that have no effect with --ranks, or without it. */
static int check_options(const struct program *program)
{
        static const char *const others[] = { "scaling", "naive", "images" };
        static const char *const own[] = { "bandwidth", "latency" };

        for (size_t i = 0; args.ranks && i < PXR_COUNT(others); i++)
                if (option_given(program, others[i]))
                        return pxr_user_error(program->diag, "--%s cannot be used with --ranks",
                                              others[i]);
        for (size_t i = 0; !args.ranks && i < PXR_COUNT(own); i++)
                if (option_given(program, own[i]))
                        return pxr_user_error(program->diag, "--%s needs --ranks", own[i]);
        return 0;
}

static int run(struct program *program)
{
        const struct pxr_spec_origin origin = { .path = program->words.text[0],
                                                .overrides = program->words.text + 1,
                                                .count = program->words.count - 1 };
        struct pxr_experiment *experiment;
        struct pxr_ranks *ranks = NULL;
        struct pxr_image_kind kind;

        if (check_options(program))
                return -1;
        if (args.ranks && join_ranks(program->arena, 60, &ranks, program->diag))
                return -1;
        if (ranks && !option_given(program, "threads"))
                args.threads = usual_threads_of_rank(ranks->here);
        if (args.image && read_kind(args.image, &kind, program->diag))
                return -1;
        experiment =
                args.image ? pxr_experiment_model(program->arena, &origin, &kind, 0, program->diag)
                           : pxr_experiment_build(program->arena, &origin, program->diag);
        if (pxr_ranks_several(ranks) && pxr_share_agree(ranks, experiment, program->diag))
                return ranks->rank ? 0 : -1;
        if (!experiment)
                return -1;
        if (args.ranks) {
                watch_signals(true);
                return measure_ranks(program, experiment, ranks);
        }
        note_fallback(experiment);
        watch_signals(false);
        return measure(program, experiment);
}

static const struct command_option options[] = {
        { OPTION_WORKERS("") },
        { "scaling", 0, NULL, "also measure with 1, 2, 4 ... threads", FIELD(scaling) },
        { "ranks", 0, NULL, "under mpirun: measure how fast all ranks train together",
          FIELD(ranks) },
        { "bandwidth", 0, "GBIT",
          "of --ranks: Gbit/s of the network to predict for (default: as measured "
          "between machines, else 10)",
          FIELD(bandwidth), .least = 0.001, .most = 1e6 },
        { "latency", 0, "MICROSECONDS",
          "of --ranks: that of the network to predict for (default: as measured "
          "between machines, else 50)",
          FIELD(latency), .least = 0, .most = 1e6 },
        { "repetitions", 'r', "N", "repeat each measurement N times, after one warm-up",
          FIELD(repetitions), .least = 1, .most = 4096, .initial = "5" },
        { "images", 0, "N", "number of images to evaluate and to draw", FIELD(images), .least = 1,
          .most = 4096, .initial = "64" },
        { "image", 0, "ROWSxCOLSxCOLOURS:LEVELS",
          "kind of the images, such as 32x32x3:256; the data set is then not needed",
          FIELD(image) },
        { "naive", 0, NULL, "also measure drawing by one whole pass per value; for small models",
          FIELD(naive) },
        { OPTION_JSON },
        { "quiet", 'q', NULL, "do not print what is being measured", FIELD(quiet) },
        { 0 },
};

const struct command command = {
        .name = "pxr-bench",
        .summary =
                "Measure how fast the model of SPEC (YAML) trains, evaluates and draws images on "
                "this machine.",
        .text = PXR_BENCH_TEXT,
        .options = options,
        .verbs = (const struct command_verb[]) { { NULL, "SPEC [KEY=VALUE...]", "run", .run = run },
                                                 { 0 } },
};
