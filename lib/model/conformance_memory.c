/* SPDX-License-Identifier: MIT */
/*
 * conformance_memory.c - threads and memory of one model: what an op keeps, and where it writes.
 */
#include "model/conformance_tests.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "model/bench.h"

static const char no_memory[] = "out of memory";

/* --- threads -----------------------------------------------------------------------------------
 */

enum { THREADS = PXR_BENCH_BATCHES, ROUNDS = 300 };

/* A workspace and a gradient for each batch, and what each batch gives by itself. */
struct crowd {
        const struct pxr_bench *bench;
        size_t size;
        struct pxr_workspace **workspace; /* [batch] */
        float *gradient, *alone;          /* [batch][size] */
};

static void crowd_free(void *what)
{
        struct crowd *crowd = what;

        pxr_workspaces_free(crowd->workspace, THREADS);
        free(crowd->gradient);
        free(crowd->alone);
}

/* For training in memory that is shared as in earnest; for generation with NaN in what is not there
 * yet. */
static struct crowd *crowd_new(struct pxr_arena *arena, const struct pxr_graph *graph,
                               enum pxr_use use, struct pxr_diag *diag)
{
        struct crowd *crowd = pxr_alloc(arena, sizeof(*crowd));

        if (!crowd)
                return NULL;
        crowd->bench = pxr_bench_new(arena, graph, diag);
        crowd->size = graph->parameter_values + 1;
        crowd->gradient = calloc(crowd->size * THREADS, sizeof(float));
        crowd->alone = calloc(crowd->size * THREADS, sizeof(float));
        if (pxr_arena_defer(arena, crowd_free, crowd) || !crowd->bench || !crowd->gradient ||
            !crowd->alone)
                return NULL;
        crowd->workspace =
                pxr_workspaces_new(pxr_workspace_new(graph, PXR_F32, use, PXR_BENCH_IMAGES,
                                                     use == PXR_FOR_INSPECTION, diag),
                                   THREADS, diag);
        return crowd->workspace ? crowd : NULL;
}

static bool as_alone(const struct crowd *crowd, int batch)
{
        size_t at = crowd->size * batch;

        return memcmp(crowd->gradient + at, crowd->alone + at, crowd->size * sizeof(float)) == 0;
}

/* All batches on one thread, each pass of one batch between those of the others. */
static const char *train_in_turns(struct crowd *crowd)
{
        const struct pxr_bench *bench = crowd->bench;

        memset(crowd->gradient, 0, crowd->size * THREADS * sizeof(float));
        for (int i = 0; i < THREADS; i++) {
                pxr_workspace_load(crowd->workspace[i], pxr_bench_batch(bench, i),
                                   PXR_BENCH_IMAGES);
                pxr_bench_nll(crowd->workspace[i], bench->f32);
        }
        for (int i = 0; i < THREADS; i++)
                pxr_workspace_backward(crowd->workspace[i], bench->f32,
                                       crowd->gradient + crowd->size * i);
        for (int i = 0; i < THREADS; i++)
                if (!as_alone(crowd, i))
                        return "gradients differ when another batch is computed between forward "
                               "and backward: an op keeps something outside its call";
        return NULL;
}

/* All at once, often enough for every kernel to meet every other. */
static const char *train_at_once(struct crowd *crowd)
{
        bool same = true;

#pragma omp parallel num_threads(THREADS) reduction(&& : same)
        for (int round = 0; round < ROUNDS && same; round++) {
                int own = omp_get_thread_num();
                float *gradient = crowd->gradient + crowd->size * own;

                memset(gradient, 0, crowd->size * sizeof(float));
                pxr_bench_train(crowd->bench, crowd->workspace[own], own, gradient);
                same = as_alone(crowd, own);
        }
        return same ? NULL
                    : "gradients differ when several threads compute at once: an op keeps "
                      "something outside its call";
}

/* Generate batch `from` up to, not including, `to`: pixel by pixel, the batches in turns. */
static void generate(struct crowd *crowd, int from, int to)
{
        const struct pxr_bench *bench = crowd->bench;
        const struct pxr_graph *graph = bench->graph;

        for (int i = from; i < to; i++)
                pxr_workspace_begin(crowd->workspace[i], bench->f32, PXR_BENCH_IMAGES);
        for (int order = 0; order < (int)bench->values; order++) {
                int pixel = order / graph->colours, colour = order % graph->colours;
                int row = pixel / graph->cols, col = pixel % graph->cols;

                for (int i = from; i < to; i++) {
                        const uint8_t *pixels = pxr_bench_batch(bench, i) + order;

                        pxr_workspace_advance(crowd->workspace[i], row, col, colour);
                        for (int image = 0; image < PXR_BENCH_IMAGES; image++)
                                pxr_workspace_set(crowd->workspace[i], row, col, colour, image,
                                                  pixels[image * bench->values]);
                }
        }
}

static const char *generate_in_turns(struct pxr_arena *arena, struct crowd *crowd)
{
        const struct pxr_node *logits = crowd->bench->graph->logits;
        size_t size = pxr_map_size(logits, PXR_BENCH_IMAGES) * sizeof(float);
        char *alone = pxr_alloc(arena, size * THREADS);

        if (!alone)
                return no_memory;
        for (int i = 0; i < THREADS; i++) {
                generate(crowd, i, i + 1);
                memcpy(alone + size * i, pxr_workspace_tensor(crowd->workspace[i], logits), size);
        }
        generate(crowd, 0, THREADS);
        for (int i = 0; i < THREADS; i++)
                if (memcmp(alone + size * i, pxr_workspace_tensor(crowd->workspace[i], logits),
                           size) != 0)
                        return "logits differ when several batches are generated by turns: an op "
                               "keeps something outside its call";
        return NULL;
}

const char *pxr_check_threads(struct pxr_arena *arena, const struct pxr_model *model,
                              const char **skipped, struct pxr_diag *diag)
{
        struct crowd *training = crowd_new(arena, model->graph, PXR_FOR_TRAINING, diag);
        struct crowd *generating = crowd_new(arena, model->graph, PXR_FOR_INSPECTION, diag);
        const char *problem;

        (void)skipped;
        if (!training || !generating)
                return no_memory;
        for (int i = 0; i < THREADS; i++)
                pxr_bench_train(training->bench, training->workspace[i], i,
                                training->alone + training->size * i);
        problem = train_in_turns(training);
        if (!problem)
                problem = train_at_once(training);
        return problem ? problem : generate_in_turns(arena, generating);
}

/* --- memory ------------------------------------------------------------------------------------
 */

/* Gradients must be added: starting at 1 they end 1 higher. */
static const char *compare_started_at_one(struct pxr_arena *arena, const struct pxr_graph *graph,
                                          const float *from_zero, const float *from_one)
{
        const struct pxr_parameter *p;

        for (p = graph->parameter; p; p = p->next)
                for (size_t i = p->offset; i < p->offset + p->size; i++)
                        if (!(fabs((double)from_one[i] - from_zero[i] - 1) <=
                              1e-4 * (1 + fabs(from_zero[i]))))
                                return pxr_strf(
                                        arena,
                                        "the gradient of %s is overwritten instead of added to",
                                        p->name);
        return NULL;
}

/* What a checked workspace has noticed in a training pass. */
static const char *find_damage(struct pxr_arena *arena, const struct pxr_workspace *workspace)
{
        const struct pxr_node *node = pxr_workspace_damaged(workspace);

        if (node)
                return pxr_strf(arena, "op '%s' writes outside its memory", node->op->name);
        node = pxr_workspace_nonfinite(workspace, false);
        if (node)
                return pxr_strf(arena,
                                "the output of op '%s' is not finite: it reads scratch before "
                                "it has written it, or leaves part of its output unwritten",
                                node->op->name);
        node = pxr_workspace_nonfinite(workspace, true);
        if (node)
                return pxr_strf(arena,
                                "the gradient of op '%s' is not finite: what is above it reads "
                                "scratch before it has written it, or leaves part of its "
                                "gradient unwritten",
                                node->op->name);
        return NULL;
}

const char *pxr_check_memory(struct pxr_arena *arena, const struct pxr_model *model,
                             const char **skipped, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = model->graph;
        struct pxr_bench *bench = pxr_bench_new(arena, graph, diag);
        struct pxr_workspace *apart =
                pxr_workspace_new(graph, PXR_F32, PXR_FOR_TRAINING, PXR_BENCH_IMAGES, true, diag);
        struct pxr_workspace *shared =
                pxr_workspace_new(graph, PXR_F32, PXR_FOR_TRAINING, PXR_BENCH_IMAGES, false, diag);
        struct pxr_workspace *checkpointed = pxr_workspace_new(
                graph, PXR_F32, PXR_FOR_CHECKPOINTED_TRAINING, PXR_BENCH_IMAGES, false, diag);
        size_t size = graph->parameter_values + 1;
        float *gradient = calloc(4 * size, sizeof(float));
        const char *problem = no_memory;

        (void)skipped;
        if (bench && apart && shared && checkpointed && gradient) {
                pxr_bench_train(bench, apart, 0, gradient);
                pxr_bench_train(bench, shared, 0, gradient + size);
                for (size_t i = 0; i < size; i++)
                        gradient[2 * size + i] = 1;
                pxr_bench_train(bench, shared, 0, gradient + 2 * size);
                pxr_bench_train(bench, checkpointed, 0, gradient + 3 * size);
                problem = find_damage(arena, apart);
                if (!problem && memcmp(gradient, gradient + size, size * sizeof(float)) != 0)
                        problem = "gradients change when tensors share memory: an op reads in "
                                  "backward what its flags do not declare";
                if (!problem && memcmp(gradient, gradient + 3 * size, size * sizeof(float)) != 0)
                        problem = "gradients change when outputs are recomputed in the backward "
                                  "pass: an op's forward pass is not deterministic";
                if (!problem)
                        problem =
                                compare_started_at_one(arena, graph, gradient, gradient + 2 * size);
        }
        pxr_workspace_free(apart);
        pxr_workspace_free(shared);
        pxr_workspace_free(checkpointed);
        free(gradient);
        return problem;
}
