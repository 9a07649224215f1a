/* SPDX-License-Identifier: MIT */
/*
 * speed.c - measuring how fast a model is.
 */
#include "experiment/speed.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sample/generate.h"
#include "tensor/gemm.h"
#include "tensor/generation_schedule.h"

enum { STOPPED = 1 };

/* What one measurement works on. */
struct bench {
        struct pxr_arena *arena;
        const struct pxr_speed_order *order;
        const struct pxr_graph *graph;
        uint8_t *pixels; /* random images: as many as a batch or order->images need */
        uint8_t *drawn;  /* where generation puts its images */
        uint8_t *small;  /* what a conditional model is given there */
        struct pxr_trainer *trainer;
        struct pxr_workspace **evaluator; /* [threads] */
        double **nll;                     /* [threads][micro-batch] */
        int images;                       /* to evaluate and to draw */
        struct pxr_progress progress;     /* of the measurement under way */
};

/* --- the machine -------------------------------------------------------------------------------
 */

/* pxr_gemm_f32() or the BLAS's. */
typedef void gemm_function(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k,
                           float alpha, const float *a, size_t lda, const float *b, size_t ldb,
                           float beta, float *c, size_t ldc);

static double larger(double a, double b)
{
        return a > b ? a : b;
}

/* What a thread does again and again: products of square matrices, or, `gemm` NULL, multiply-adds
 * in registers. */
struct load {
        gemm_function *gemm;
        int size;
        float *const *matrix; /* of each thread: three, one behind the other */
};

/* Returns the multiply-adds. */
static double work_once(const struct load *load, int thread)
{
        size_t size = (size_t)load->size;
        float *a;

        if (!load->gemm)
                return pxr_multiply_adds(10000);
        a = load->matrix[thread];
        load->gemm(false, false, size, size, size, 1, a, size, a + size * size, size, 0,
                   a + 2 * size * size, size);
        return (double)size * size * size;
}

/* GFLOP/s of all threads at once, each at its best: a thread that something else interrupts is no
 * slower for it. */
static double best_rate(const struct load *load, int threads)
{
        const double least = 0.2;
        double start = pxr_now(), sum = 0;

#pragma omp parallel num_threads(threads) reduction(+ : sum)
        {
                double best = 0, began, ended;

                do {
                        double done;

                        began = pxr_now();
                        done = work_once(load, omp_get_thread_num());
                        ended = pxr_now();
                        if (ended > began)
                                best = larger(best, done / (ended - began));
                } while (ended - start < least);
                sum += best;
        }
        return 2e-9 * sum;
}

/* The peak is what the processor can do without memory, or the most of what was seen. */
static int measure_peaks(struct pxr_arena *arena, int threads, struct pxr_speed *speed,
                         struct pxr_diag *diag)
{
        static const int sizes[] = { 256, 512, 768 };
        enum { SIZES = 3, MOST = 768 };
        float **matrix = pxr_alloc_array(arena, threads, sizeof(*matrix));
        int status = matrix ? 0 : -1;

        for (int i = 0; !status && i < threads; i++)
                if (!(matrix[i] = calloc(3 * (size_t)MOST * MOST, sizeof(float))))
                        status = pxr_out_of_memory(diag);
        for (int i = 0; !status && i < SIZES; i++) {
                struct load own = { pxr_gemm_f32, sizes[i], matrix };
                struct load blas = { pxr_blas_f32, sizes[i], matrix };

                speed->peak = larger(speed->peak, best_rate(&own, threads));
                speed->sgemm = larger(speed->sgemm, best_rate(&blas, threads));
        }
        if (!status) {
                speed->peak =
                        larger(speed->peak, best_rate(&(struct load) { .gemm = NULL }, threads));
                speed->peak = larger(speed->peak, speed->sgemm);
        }
        for (int i = 0; matrix && i < threads; i++)
                free(matrix[i]);
        return status;
}

/* --- the work ----------------------------------------------------------------------------------
 */

static int train(struct bench *bench, struct pxr_diag *diag)
{
        return pxr_trainer_step(bench->trainer, bench->pixels, (int)bench->trainer->settings->batch,
                                diag);
}

static int evaluate(struct bench *bench, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = bench->graph;
        int size = (int)bench->trainer->settings->micro_batch, images = bench->images;

        (void)diag;
#pragma omp parallel for num_threads(bench->order->threads) schedule(dynamic, 1)
        for (int first = 0; first < images; first += size) {
                int worker = omp_get_thread_num();
                struct pxr_workspace *workspace = bench->evaluator[worker];
                int count = images - first < size ? images - first : size;

                pxr_workspace_load(workspace, bench->pixels + first * pxr_graph_values(graph),
                                   count);
                pxr_workspace_forward(workspace, bench->trainer->parameters);
                pxr_workspace_loss(workspace, 0, bench->nll[worker]);
        }
        return 0;
}

/* Images drawn are not shown as progress, but drawing can be stopped. */
static bool stop_asked(void *context, const struct pxr_progress *progress)
{
        const struct bench *bench = context;

        (void)progress;
        return pxr_observe(bench->order->observer, &bench->progress);
}

static int draw(struct bench *bench, bool whole_passes, struct pxr_diag *diag)
{
        const struct pxr_observer observer = { .context = bench, .progress = stop_asked };

        return pxr_generate(&(struct pxr_generation) { .graph = bench->graph,
                                                       .parameters = bench->trainer->parameters,
                                                       .small = bench->small,
                                                       .seed = 1,
                                                       .count = bench->images,
                                                       .threads = bench->order->threads,
                                                       .whole_passes = whole_passes,
                                                       .observer = &observer },
                            bench->drawn, diag);
}

static int generate(struct bench *bench, struct pxr_diag *diag)
{
        return draw(bench, false, diag);
}

static int generate_naively(struct bench *bench, struct pxr_diag *diag)
{
        return draw(bench, true, diag);
}

/* --- timing ------------------------------------------------------------------------------------
 */

static int by_value(const void *a, const void *b)
{
        double left = *(const double *)a, right = *(const double *)b;

        return (left > right) - (left < right);
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
        qsort(seconds, count, sizeof(*seconds), by_value);
        *timing = (struct pxr_timing) { count, (seconds[(count - 1) / 2] + seconds[count / 2]) / 2,
                                        seconds[0], seconds[count - 1] };
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

                if (!op)
                        return -1;
                op->nodes++;
                op->multiply_adds[PXR_PASS_FORWARD] += forward * speed->batch;
                op->multiply_adds[PXR_PASS_BACKWARD] +=
                        pxr_backward_multiply_adds(node, trained) * speed->batch;
                op->multiply_adds[PXR_PASS_ADVANCE] += forward * PXR_GENERATION_GROUP;
                for (int k = 0; k < threads; k++)
                        for (int pass = 0; pass < PXR_PASSES; pass++)
                                op->seconds[pass] += clocks[k].seconds[pass][i];
        }
        qsort(speed->op, speed->ops, sizeof(*speed->op), slowest_first);
        return 0;
}

static void advance(struct pxr_workspace *workspace, const struct pxr_graph *graph, int order,
                    struct pxr_speed *speed)
{
        int pixel = order / graph->colours, colour = order % graph->colours;
        int row = pixel / graph->cols, col = pixel % graph->cols;
        int level[PXR_GENERATION_GROUP];
        double start;

        pxr_workspace_advance(workspace, row, col, colour);
        start = pxr_now();
        for (int image = 0; image < PXR_GENERATION_GROUP; image++) {
                struct pxr_random random = pxr_random(1, PXR_RANDOM_SAMPLE, image, pixel, colour);

                level[image] = pxr_draw_level(
                        graph, pxr_workspace_logits(workspace, row, col, colour, image), 1,
                        &random);
        }
        speed->drawing_seconds += pxr_now() - start;
        for (int image = 0; image < PXR_GENERATION_GROUP; image++)
                pxr_workspace_set(workspace, row, col, colour, image, level[image]);
}

/* One group drawn with a clock in it. What is computed once, before the first advance, is by
 * forward kernels, but no part of the training's. */
static int time_advances(struct bench *bench, double *seconds, struct pxr_speed *speed,
                         struct pxr_diag *diag)
{
        const struct pxr_graph *graph = bench->graph;
        struct pxr_workspace *workspace = pxr_workspace_new(graph, PXR_F32, PXR_FOR_GENERATION,
                                                            PXR_GENERATION_GROUP, false, diag);
        struct clocks *clocks = new_clocks(bench->arena, graph->nodes, 1);
        double start = pxr_now();

        if (!workspace || !clocks) {
                pxr_workspace_free(workspace);
                return -1;
        }
        pxr_workspace_time(workspace, clocks->seconds);
        pxr_workspace_begin(workspace, bench->trainer->parameters, PXR_GENERATION_GROUP);
        for (size_t order = 0; order < pxr_graph_values(graph) && !stop_asked(bench, NULL); order++)
                advance(workspace, graph, (int)order, speed);
        speed->advance_seconds = pxr_now() - start;
        pxr_workspace_free(workspace);
        for (int i = 0; i < graph->nodes; i++)
                seconds[i] +=
                        clocks->seconds[PXR_PASS_FORWARD][i] + clocks->seconds[PXR_PASS_ADVANCE][i];
        return stop_asked(bench, NULL) ? STOPPED : 0;
}

/* One training step more, and one group drawn, with a clock in them. */
static int divide_time(struct bench *bench, struct pxr_speed *speed, struct pxr_diag *diag)
{
        struct pxr_trainer *trainer = bench->trainer;
        struct clocks *clocks = new_clocks(bench->arena, bench->graph->nodes, trainer->threads);
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

static int set_up(struct bench *bench, struct pxr_diag *diag)
{
        const struct pxr_train_settings *settings = &bench->order->experiment->settings.train;
        const struct pxr_graph *graph = bench->graph;
        size_t images = bench->images;
        size_t most = images > (size_t)settings->batch ? images : (size_t)settings->batch;
        size_t small = (size_t)graph->small_rows * graph->small_cols * graph->colours;
        struct pxr_random random = pxr_random(1, PXR_RANDOM_SAMPLE, 0, 0, 0);

        bench->pixels = pxr_alloc_array(bench->arena, most, pxr_graph_values(graph));
        bench->drawn = pxr_alloc_array(bench->arena, images, pxr_graph_values(graph));
        bench->small = small ? pxr_alloc_array(bench->arena, images, small) : NULL;
        bench->evaluator =
                pxr_alloc_array(bench->arena, bench->order->threads, sizeof(*bench->evaluator));
        bench->nll = pxr_alloc_array(bench->arena, bench->order->threads, sizeof(*bench->nll));
        if (!bench->pixels || !bench->drawn || (small && !bench->small) || !bench->evaluator ||
            !bench->nll)
                return -1;
        for (size_t i = 0; i < most * pxr_graph_values(graph); i++)
                bench->pixels[i] = (uint8_t)(pxr_random_uniform(&random) * graph->levels);
        if (small)
                pxr_graph_subsample(graph, bench->pixels, (int)images, bench->small);
        bench->trainer = pxr_trainer_new(graph, settings, bench->order->threads, 1000000, diag);
        for (int i = 0; bench->trainer && i < bench->order->threads; i++) {
                bench->evaluator[i] = pxr_workspace_new(graph, PXR_F32, PXR_FOR_EVALUATION,
                                                        (int)settings->micro_batch, false, diag);
                bench->nll[i] =
                        pxr_alloc_array(bench->arena, settings->micro_batch, sizeof(double));
                if (!bench->evaluator[i] || !bench->nll[i])
                        return -1;
        }
        return bench->trainer ? 0 : -1;
}

static void take_down(struct bench *bench)
{
        for (int i = 0; bench->evaluator && i < bench->order->threads; i++)
                pxr_workspace_free(bench->evaluator[i]);
        pxr_trainer_free(bench->trainer);
}

static void describe(const struct bench *bench, struct pxr_speed *speed)
{
        const struct pxr_graph *graph = bench->graph;
        const struct pxr_train_settings *settings = bench->trainer->settings;
        int threads = bench->order->threads;
        double backward = 0;

        for (int i = 0; i < speed->ops; i++)
                backward += speed->op[i].multiply_adds[PXR_PASS_BACKWARD] / speed->batch;
        speed->forward_multiply_adds = pxr_graph_multiply_adds(graph);
        speed->training_multiply_adds = speed->forward_multiply_adds + backward;
        speed->trainer_bytes = pxr_trainer_bytes(graph, settings, threads);
        speed->activation_bytes = pxr_trainer_activation_bytes(graph, settings, threads);
        speed->evaluation_bytes = threads * pxr_workspace_bytes(graph, PXR_F32, PXR_FOR_EVALUATION,
                                                                (int)settings->micro_batch);
        speed->generation_bytes = pxr_generation_bytes(graph, speed->images, threads, 0);
}

int pxr_measure_speed(struct pxr_arena *arena, const struct pxr_speed_order *order,
                      struct pxr_speed *speed, struct pxr_diag *diag)
{
        struct bench bench = { .arena = arena,
                               .order = order,
                               .graph = order->experiment->model->graph,
                               .images = order->images };
        int status;

        *speed = (struct pxr_speed) { .threads = order->threads,
                                      .batch = (int)order->experiment->settings.train.batch,
                                      .images = bench.images };
        status = set_up(&bench, diag);
        if (!status)
                status = measure_peaks(arena, order->threads, speed, diag);
        if (!status)
                status = repeat(&bench, "measuring training", train, &speed->training, diag);
        if (!status)
                status = divide_time(&bench, speed, diag);
        if (!status)
                status = repeat(&bench, "measuring evaluation", evaluate, &speed->evaluation, diag);
        if (!status)
                status = repeat(&bench, "measuring generation", generate, &speed->generation, diag);
        if (!status && order->naive)
                status = repeat(&bench, "measuring naive generation", generate_naively,
                                &speed->naive, diag);
        /* Again: what else runs on the machine may have changed. */
        if (!status)
                status = measure_peaks(arena, order->threads, speed, diag);
        if (!status)
                describe(&bench, speed);
        take_down(&bench);
        return status;
}
