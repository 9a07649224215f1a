/* SPDX-License-Identifier: MIT */
/*
 * speed.c - measuring how fast a model is.
 */
#include "experiment/speed.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "experiment/images.h"
#include "sample/generate.h"
#include "train/evaluate.h"
#include "tensor/generation_schedule.h"
#include "tensor/mixed.h"

enum { STOPPED = 1 };

/* What one measurement works on. */
struct bench {
        struct pxr_arena *arena, *scratch; /* for results; for what else it takes */
        const struct pxr_speed_order *order;
        const struct pxr_graph *graph;
        struct pxr_images images; /* random: as many as a batch or order->images need */
        uint8_t *drawn;           /* where generation puts its images */
        struct pxr_trainer *trainer;
        struct pxr_evaluation evaluation;
        struct pxr_generation generation; /* by advances, then by whole passes */
        struct pxr_progress progress;     /* of the measurement under way */
        struct pxr_observer stop;         /* shows nothing of the work itself */
};

/* --- the work ----------------------------------------------------------------------------------
 */

static int train(struct bench *bench, struct pxr_diag *diag)
{
        return pxr_trainer_step(bench->trainer, bench->images.pixels,
                                (int)bench->trainer->settings->batch, diag);
}

static int evaluate(struct bench *bench, struct pxr_diag *diag)
{
        struct pxr_nll nll;

        return pxr_evaluate(&bench->evaluation, &nll, diag);
}

static int generate(struct bench *bench, struct pxr_diag *diag)
{
        return pxr_generate(&bench->generation, bench->drawn, diag);
}

/* Images evaluated and drawn are not shown as progress, but the work can be stopped. */
static bool stop_asked(void *context, const struct pxr_progress *progress)
{
        const struct bench *bench = context;

        (void)progress;
        return pxr_observe(bench->order->observer, &bench->progress);
}

/* --- timing ------------------------------------------------------------------------------------
 */

struct pxr_timing pxr_timing_of(double *seconds, int repetitions)
{
        int last = repetitions - 1;

        qsort(seconds, repetitions, sizeof(*seconds), pxr_compare_numbers);
        return (struct pxr_timing) { repetitions,
                                     (seconds[last / 2] + seconds[repetitions / 2]) / 2, seconds[0],
                                     seconds[last] };
}

static int repeat(struct bench *bench, const char *what,
                  int (*work)(struct bench *bench, struct pxr_diag *diag),
                  struct pxr_timing *timing, struct pxr_diag *diag)
{
        int count = bench->order->repetitions;
        double *seconds = pxr_alloc_array(bench->arena, count, sizeof(*seconds));

        if (!seconds)
                return -1;
        for (int i = -1; i < count; i++) {
                double start = pxr_now();
                int status;

                bench->progress = (struct pxr_progress) {
                        .what = what, .unit = "repetitions", .done = i + 1, .all = count + 1
                };
                status = stop_asked(bench, NULL) ? STOPPED : work(bench, diag);
                if (status)
                        return status;
                if (i >= 0)
                        seconds[i] = pxr_now() - start;
        }
        *timing = pxr_timing_of(seconds, count);
        return 0;
}

/* --- by op -------------------------------------------------------------------------------------
 */

static const char *kind_of(struct pxr_arena *arena, const struct pxr_node *node)
{
        const int *shape = node->parameters ? node->parameter[0]->shape : NULL;

        if (node->parameters && node->parameter[0]->rank == 4)
                return pxr_strf(arena, "%s %dx%d %d>%d", node->op->name, shape[0], shape[1],
                                shape[2], shape[3]);
        if (node->parameters && node->parameter[0]->rank == 3)
                return pxr_strf(arena, "%s %d %d>%d", node->op->name, shape[0], shape[1], shape[2]);
        return pxr_strf(arena, "%s %d", node->op->name, node->shape.channels);
}

static struct pxr_op_speed *op_named(struct pxr_speed *speed, const char *name)
{
        for (int i = 0; i < speed->ops; i++)
                if (strcmp(speed->op[i].name, name) == 0)
                        return &speed->op[i];
        speed->op[speed->ops].name = name;
        return &speed->op[speed->ops++];
}

static double training_time(const struct pxr_op_speed *op)
{
        return op->seconds[PXR_PASS_FORWARD] + op->seconds[PXR_PASS_BACKWARD];
}

static int slowest_first(const void *a, const void *b)
{
        double left = training_time(a), right = training_time(b);

        return (left < right) - (left > right);
}

/* Seconds of each pass and node, for each worker. */
struct clocks {
        double *seconds[PXR_PASSES];
};

static struct clocks *new_clocks(struct pxr_arena *arena, int nodes, int threads)
{
        struct clocks *clocks = pxr_alloc_array(arena, threads, sizeof(*clocks));

        for (int i = 0; clocks && i < threads; i++)
                for (int pass = 0; pass < PXR_PASSES; pass++)
                        if (!(clocks[i].seconds[pass] =
                                      pxr_alloc_array(arena, nodes, sizeof(double))))
                                return NULL;
        return clocks;
}

static int add_times(struct bench *bench, const struct clocks *clocks, int threads,
                     struct pxr_speed *speed)
{
        const struct pxr_graph *graph = bench->graph;
        bool *trained = pxr_alloc_array(bench->arena, graph->nodes, sizeof(*trained));

        speed->op = pxr_alloc_array(bench->arena, graph->nodes, sizeof(*speed->op));
        if (!trained || !speed->op)
                return -1;
        pxr_graph_needs_grad(graph, trained);
        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];
                const char *name = kind_of(bench->arena, node);
                struct pxr_op_speed *op = name ? op_named(speed, name) : NULL;
                double forward = node->op->multiply_adds ? node->op->multiply_adds(node) : 0;
                double backward = pxr_backward_multiply_adds(node, trained);

                if (!op)
                        return -1;
                speed->forward_multiply_adds += forward;
                speed->training_multiply_adds += forward + backward;
                op->nodes++;
                op->multiply_adds[PXR_PASS_FORWARD] += forward * speed->batch;
                op->multiply_adds[PXR_PASS_BACKWARD] += backward * speed->batch;
                op->multiply_adds[PXR_PASS_ADVANCE] += forward * PXR_GENERATION_GROUP;
                for (int k = 0; k < threads; k++)
                        for (int pass = 0; pass < PXR_PASSES; pass++)
                                op->seconds[pass] += clocks[k].seconds[pass][i];
        }
        qsort(speed->op, speed->ops, sizeof(*speed->op), slowest_first);
        return 0;
}

/* One group drawn with a clock in it. What is computed once, before the first advance, is by
 * forward kernels, but no part of the training's. */
static int time_advances(struct bench *bench, double *seconds, struct pxr_speed *speed,
                         struct pxr_diag *diag)
{
        const struct pxr_graph *graph = bench->graph;
        struct pxr_generation generation = bench->generation;
        struct clocks *clocks = new_clocks(bench->scratch, graph->nodes, 1);
        uint8_t *pixels =
                pxr_alloc_array(bench->scratch, PXR_GENERATION_GROUP, pxr_graph_values(graph));
        double start = pxr_now();
        int status;

        if (!clocks || !pixels)
                return -1;
        generation.memory = NULL;
        generation.count = PXR_GENERATION_GROUP;
        generation.threads = 1;
        generation.seconds = clocks->seconds;
        generation.choice_seconds = &speed->drawing_seconds;
        status = pxr_generate(&generation, pixels, diag);
        speed->advance_seconds = pxr_now() - start;
        for (int i = 0; i < graph->nodes; i++)
                seconds[i] +=
                        clocks->seconds[PXR_PASS_FORWARD][i] + clocks->seconds[PXR_PASS_ADVANCE][i];
        return status;
}

/* One training step more, and one group drawn, with a clock in them. */
static int divide_time(struct bench *bench, struct pxr_speed *speed, struct pxr_diag *diag)
{
        struct pxr_trainer *trainer = bench->trainer;
        struct clocks *clocks = new_clocks(bench->scratch, bench->graph->nodes, trainer->threads);
        double start = pxr_now();
        int status;

        if (!clocks)
                return -1;
        for (int i = 0; i < trainer->threads; i++)
                pxr_workspace_time(trainer->workspace[i], clocks[i].seconds);
        trainer->times = &speed->step_times;
        status = train(bench, diag);
        trainer->times = NULL;
        speed->training_seconds = (pxr_now() - start) * trainer->threads;
        for (int i = 0; i < trainer->threads; i++)
                pxr_workspace_time(trainer->workspace[i], NULL);
        if (!status && !pxr_graph_fallback(bench->graph, PXR_F32))
                status = time_advances(bench, clocks[0].seconds[PXR_PASS_ADVANCE], speed, diag);
        return status ? status : add_times(bench, clocks, trainer->threads, speed);
}

/* --- the whole ---------------------------------------------------------------------------------
 */

void pxr_random_images(const struct pxr_graph *graph, size_t images, uint8_t *pixels)
{
        struct pxr_random random = pxr_random(1, PXR_RANDOM_SAMPLE, 0, 0, 0);

        for (size_t i = 0; i < images * pxr_graph_values(graph); i++)
                pixels[i] = (uint8_t)(pxr_random_uniform(&random) * graph->levels);
}

static int set_up(struct bench *bench, struct pxr_diag *diag)
{
        const struct pxr_speed_order *order = bench->order;
        const struct pxr_train_settings *settings = &order->experiment->settings.train;
        const struct pxr_graph *graph = bench->graph;
        size_t values = pxr_graph_values(graph);
        size_t small = (size_t)graph->small_rows * graph->small_cols * graph->colours;
        int most = order->images > settings->batch ? order->images : (int)settings->batch;
        uint8_t *pixels = pxr_alloc_array(bench->scratch, most, values);
        uint8_t *given = pxr_alloc_array(bench->scratch, order->images, small);

        bench->drawn = pxr_alloc_array(bench->scratch, order->images, values);
        bench->images = (struct pxr_images) {
                .count = order->images,
                .pixels = pixels,
                .classes = pxr_sample_classes(bench->scratch, graph, order->images, -1),
        };
        bench->trainer = pxr_trainer_new(graph, settings, order->threads, 1000000, diag);
        if (!bench->trainer || pxr_arena_failed(bench->scratch))
                return -1;
        pxr_random_images(graph, most, pixels);
        pxr_graph_subsample(graph, pixels, small ? order->images : 0, given);
        bench->evaluation = (struct pxr_evaluation) {
                .arena = bench->scratch,
                .graph = graph,
                .parameters = bench->trainer->parameters,
                .set = pxr_images_dataset(bench->scratch, &bench->images, graph),
                .split = PXR_TEST,
                .micro_batch = (int)settings->micro_batch,
                .threads = order->threads,
                .precision = pxr_precision_of(order->experiment->settings.evaluate.precision),
                .observer = &bench->stop,
        };
        bench->generation = (struct pxr_generation) {
                .arena = bench->scratch,
                .graph = graph,
                .parameters = bench->trainer->parameters,
                .small = small ? given : NULL,
                .seed = 1,
                .count = order->images,
                .threads = order->threads,
                .observer = &bench->stop,
        };
        return bench->evaluation.set ? 0 : -1;
}

static int measure(struct bench *bench, struct pxr_speed *speed, struct pxr_diag *diag)
{
        int threads = bench->order->threads, status = set_up(bench, diag);

        if (status || pxr_peaks_measure(threads, &speed->peaks, diag))
                return -1;
        status = repeat(bench, "measuring training", train, &speed->training, diag);
        if (!status)
                status = divide_time(bench, speed, diag);
        if (!status)
                status = repeat(bench, "measuring evaluation", evaluate, &speed->evaluation, diag);
        if (!status)
                status = repeat(bench, "measuring generation", generate, &speed->generation, diag);
        if (!status && bench->order->naive) {
                bench->generation.memory = NULL;
                bench->generation.whole_passes = true;
                status = repeat(bench, "measuring naive generation", generate, &speed->naive, diag);
        }
        if (status)
                return status;
        /* Again, for other load may have changed. */
        if (pxr_peaks_measure(threads, &speed->peaks, diag))
                return -1;
        speed->memory = pxr_memory_of(bench->order->experiment, threads);
        speed->generation_bytes = pxr_generation_bytes(bench->graph, speed->images, threads, 0);
        return 0;
}

int pxr_measure_speed(struct pxr_arena *arena, const struct pxr_speed_order *order,
                      struct pxr_speed *speed, struct pxr_diag *diag)
{
        struct bench bench = { .arena = arena,
                               .scratch = pxr_arena_new(0, diag),
                               .order = order,
                               .graph = order->experiment->model->graph,
                               .stop = { .context = &bench, .progress = stop_asked } };
        const struct pxr_settings *settings = &order->experiment->settings;
        int status = -1;

        *speed = (struct pxr_speed) {
                .threads = order->threads,
                .batch = (int)settings->train.batch,
                .images = order->images,
                .training_precision = pxr_precision_of(settings->train.precision),
                .evaluation_precision = pxr_precision_of(settings->evaluate.precision),
        };
        if (bench.scratch)
                status = measure(&bench, speed, diag);
        pxr_trainer_free(bench.trainer);
        pxr_arena_free(bench.scratch);
        return status;
}
