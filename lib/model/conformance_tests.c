/* SPDX-License-Identifier: MIT */
/*
 * conformance_tests.c - gradients, causality, advance, threads and memory of one model.
 *
 * Each test runs the kernels that training and generation run. Uses base/, tensor/ and
 * certificate.h.
 */
#include "model/conformance_tests.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/certificate.h"
#include "tensor/workspace.h"

enum { IMAGES = 3, MAX_PROBED = 48, THREADS = 3 };

static const char no_memory[] = "out of memory";

/* What the tests start from: images, and parameters in both precisions with nothing left at zero
 * but what a mask keeps there. */
struct bench {
        const struct pxr_graph *graph;
        size_t values; /* of one image */
        uint8_t *pixels, *small;
        double *twice;
        float *single;
};

static void bench_free(void *what)
{
        struct bench *bench = what;

        free(bench->pixels);
        free(bench->small);
        free(bench->twice);
        free(bench->single);
}

static struct bench *bench_new(struct pxr_arena *arena, const struct pxr_graph *graph,
                               struct pxr_diag *diag)
{
        struct bench *bench = pxr_alloc(arena, sizeof(*bench));
        struct pxr_random random = pxr_random(2, PXR_RANDOM_TEST, 0, 0, 0);

        if (!bench)
                return NULL;
        bench->graph = graph;
        bench->values = (size_t)graph->rows * graph->cols * graph->colours;
        bench->pixels = malloc(bench->values * IMAGES);
        bench->small = malloc(bench->values * IMAGES);
        bench->twice = calloc(graph->parameter_values + 1, sizeof(double));
        bench->single = calloc(graph->parameter_values + 1, sizeof(float));
        if (pxr_arena_defer(arena, bench_free, bench) || !bench->pixels || !bench->small ||
            !bench->twice || !bench->single || pxr_graph_init(graph, 2, NULL, bench->twice, diag))
                return NULL;
        for (const struct pxr_parameter *p = graph->parameter; p; p = p->next)
                for (size_t i = 0; p->rank == 1 && i < p->size; i++)
                        bench->twice[p->offset + i] += 0.2 * pxr_random_normal(&random);
        for (size_t i = 0; i < graph->parameter_values; i++)
                bench->single[i] = (float)bench->twice[i];
        for (size_t i = 0; i < bench->values * IMAGES; i++)
                bench->pixels[i] = (uint8_t)pxr_random_below(&random, graph->levels);
        pxr_graph_subsample(graph, bench->pixels, IMAGES, bench->small);
        return bench;
}

static double total_nll(struct pxr_workspace *workspace, const void *parameters)
{
        double nll[IMAGES] = { 0 }, sum = 0;

        pxr_workspace_forward(workspace, parameters);
        pxr_workspace_loss(workspace, 1, nll);
        for (int i = 0; i < IMAGES; i++)
                sum += nll[i];
        return sum;
}

/* --- gradients ---------------------------------------------------------------------------------
 */

/* The slope of the NLL by one parameter, by central differences. */
static double slope(const struct bench *bench, struct pxr_workspace *workspace, size_t at)
{
        const double step = 1e-5, kept = bench->twice[at];
        double above, below;

        bench->twice[at] = kept + step;
        above = total_nll(workspace, bench->twice);
        bench->twice[at] = kept - step;
        below = total_nll(workspace, bench->twice);
        bench->twice[at] = kept;
        return (above - below) / (2 * step);
}

/* Compare up to MAX_PROBED values of each parameter, evenly spread. */
static const char *compare_slopes(struct pxr_arena *arena, const struct bench *bench,
                                  struct pxr_workspace *workspace, const double *gradient)
{
        const struct pxr_parameter *p;

        for (p = bench->graph->parameter; p; p = p->next) {
                size_t count = p->size < MAX_PROBED ? p->size : MAX_PROBED;

                for (size_t i = 0; i < count; i++) {
                        size_t at = count > 1 ? i * (p->size - 1) / (count - 1) : 0;
                        double expected = slope(bench, workspace, p->offset + at);
                        double found = gradient[p->offset + at];

                        if (!(fabs(found - expected) <= 1e-6 * (1 + fabs(expected))))
                                return pxr_strf(arena,
                                                "the gradient of %s[%zu] is %.9g, and finite "
                                                "differences give %.9g",
                                                p->name, at, found, expected);
                }
        }
        return NULL;
}

const char *pxr_check_gradients(struct pxr_arena *arena, const struct pxr_model *model,
                                const char **skipped, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = model->graph;
        struct bench *bench = bench_new(arena, graph, diag);
        struct pxr_workspace *workspace =
                pxr_workspace_new(graph, PXR_F64, PXR_FOR_TRAINING, IMAGES, true, diag);
        double *gradient = calloc(graph->parameter_values + 1, sizeof(double));
        const char *problem = no_memory;

        if (graph->parameter_values == 0)
                *skipped = "there are no parameters";
        if (bench && workspace && gradient) {
                pxr_workspace_load(workspace, bench->pixels, IMAGES);
                total_nll(workspace, bench->twice);
                pxr_workspace_backward(workspace, bench->twice, gradient);
                problem = compare_slopes(arena, bench, workspace, gradient);
        }
        pxr_workspace_free(workspace);
        free(gradient);
        return problem;
}

/* --- causality ---------------------------------------------------------------------------------
 */

/* Is any logit that must not depend on values from `order` on not finite? Returns its order, or
 * -1. */
static int poisoned_logit(const struct bench *bench, const struct pxr_workspace *workspace,
                          int order)
{
        const struct pxr_graph *graph = bench->graph;
        int group = graph->logits->shape.channels / graph->colours;

        for (int at = 0; at <= order; at++)
                for (int image = 0; image < IMAGES; image++) {
                        int pixel = at / graph->colours;
                        const float *logits = pxr_workspace_logits(workspace, pixel / graph->cols,
                                                                   pixel % graph->cols,
                                                                   at % graph->colours, image);

                        for (int i = 0; i < group; i++)
                                if (!isfinite(logits[i]))
                                        return at;
                }
        return -1;
}

/* Turn the image's values from `order` on into NaN, and look whether an earlier logit notices. */
static const char *poison(struct pxr_arena *arena, const struct bench *bench,
                          struct pxr_workspace *workspace, int order)
{
        const struct pxr_graph *graph = bench->graph;
        float *image = pxr_workspace_tensor(workspace, graph->node[0]);
        int leak;

        pxr_workspace_load(workspace, bench->pixels, IMAGES);
        pxr_workspace_forward(workspace, bench->single);
        for (int at = order; at < (int)bench->values; at++)
                for (int i = 0; i < IMAGES; i++)
                        image[((size_t)(at / graph->colours) * IMAGES + i) * graph->colours +
                              at % graph->colours] = NAN;
        pxr_workspace_forward_from(workspace, bench->single, 1);
        leak = poisoned_logit(bench, workspace, order);
        if (leak < 0)
                return NULL;
        return pxr_strf(arena,
                        "with NaN in all values from number %d on, the logits of value %d are NaN: "
                        "they read what comes later, if only to multiply it by zero",
                        order, leak);
}

const char *pxr_check_causality(struct pxr_arena *arena, const struct pxr_model *model,
                                const char **skipped, struct pxr_diag *diag)
{
        struct pxr_certificate certificate = { 0 };
        struct bench *bench = bench_new(arena, model->graph, diag);
        struct pxr_workspace *workspace;
        const char *problem = NULL;

        (void)skipped;
        if (pxr_certify_dependencies(arena, model, &certificate, diag) ||
            pxr_certify_kernels(model, &certificate, diag))
                return pxr_diag_text(diag, pxr_diag_errors(diag) - 1);
        workspace =
                pxr_workspace_new(model->graph, PXR_F32, PXR_FOR_EVALUATION, IMAGES, true, diag);
        if (!bench || !workspace)
                problem = no_memory;
        for (int order = 0; !problem && order < (int)bench->values; order++)
                problem = poison(arena, bench, workspace, order);
        pxr_workspace_free(workspace);
        return problem;
}

/* --- advance -----------------------------------------------------------------------------------
 */

static double logit_at(const struct pxr_workspace *workspace, enum pxr_precision precision,
                       const struct pxr_graph *graph, int order, int image, int i)
{
        int pixel = order / graph->colours;
        const void *logits = pxr_workspace_logits(
                workspace, pixel / graph->cols, pixel % graph->cols, order % graph->colours, image);

        return precision == PXR_F32 ? ((const float *)logits)[i] : ((const double *)logits)[i];
}

/* Generate the bench's own images, and compare each logit when it is made. */
static const char *walk(struct pxr_arena *arena, const struct bench *bench,
                        enum pxr_precision precision, struct pxr_workspace *whole,
                        struct pxr_workspace *stepwise)
{
        const struct pxr_graph *graph = bench->graph;
        const void *parameters = precision == PXR_F32 ? (void *)bench->single : bench->twice;
        double tolerance = precision == PXR_F32 ? 1e-4 : 1e-11;
        int group = graph->logits->shape.channels / graph->colours;

        pxr_workspace_load(whole, bench->pixels, IMAGES);
        pxr_workspace_forward(whole, parameters);
        pxr_workspace_condition(stepwise, bench->small, IMAGES);
        pxr_workspace_begin(stepwise, parameters, IMAGES);
        for (int order = 0; order < (int)bench->values; order++) {
                int pixel = order / graph->colours, colour = order % graph->colours;
                int row = pixel / graph->cols, col = pixel % graph->cols;

                pxr_workspace_advance(stepwise, parameters, row, col, colour);
                for (int image = 0; image < IMAGES; image++) {
                        for (int i = 0; i < group; i++) {
                                double want = logit_at(whole, precision, graph, order, image, i);
                                double have = logit_at(stepwise, precision, graph, order, image, i);

                                if (!(fabs(have - want) <= tolerance * (1 + fabs(want))))
                                        return pxr_strf(arena,
                                                        "at (%d, %d), colour %d, advance gives "
                                                        "%.9g and forward %.9g",
                                                        row, col, colour, have, want);
                        }
                        pxr_workspace_set(stepwise, row, col, colour, image,
                                          bench->pixels[image * bench->values + order]);
                }
        }
        return NULL;
}

const char *pxr_check_advance(struct pxr_arena *arena, const struct pxr_model *model,
                              const char **skipped, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = model->graph;
        struct bench *bench = bench_new(arena, graph, diag);
        const char *problem = NULL;

        for (int precision = PXR_F32; precision < PXR_PRECISIONS && !problem; precision++) {
                struct pxr_workspace *whole =
                        pxr_workspace_new(graph, precision, PXR_FOR_EVALUATION, IMAGES, true, diag);
                struct pxr_workspace *stepwise =
                        pxr_workspace_new(graph, precision, PXR_FOR_GENERATION, IMAGES, true, diag);

                if (!bench || !whole || !stepwise)
                        problem = no_memory;
                else if (pxr_workspace_fallback(stepwise))
                        *skipped = pxr_strf(arena,
                                            "op '%s' has no advance: generation makes whole "
                                            "passes",
                                            pxr_workspace_fallback(stepwise));
                else
                        problem = walk(arena, bench, precision, whole, stepwise);
                if (!problem && pxr_workspace_damaged(stepwise))
                        problem = pxr_strf(arena, "advance of op '%s' writes outside its memory",
                                           pxr_workspace_damaged(stepwise)->op->name);
                pxr_workspace_free(whole);
                pxr_workspace_free(stepwise);
        }
        return problem;
}

/* --- threads and memory ------------------------------------------------------------------------
 */

/* One training pass; gradients are added to `gradient`. */
static void train_pass(const struct bench *bench, struct pxr_workspace *workspace, float *gradient)
{
        pxr_workspace_load(workspace, bench->pixels, IMAGES);
        total_nll(workspace, bench->single);
        pxr_workspace_backward(workspace, bench->single, gradient);
}

const char *pxr_check_threads(struct pxr_arena *arena, const struct pxr_model *model,
                              const char **skipped, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = model->graph;
        struct bench *bench = bench_new(arena, graph, diag);
        struct pxr_workspace *workspace[THREADS + 1] = { 0 };
        size_t size = graph->parameter_values + 1;
        float *gradient = calloc(size * (THREADS + 1), sizeof(float));
        const char *problem = bench && gradient ? NULL : no_memory;

        (void)skipped;
        for (int i = 0; i <= THREADS; i++) {
                workspace[i] =
                        pxr_workspace_new(graph, PXR_F32, PXR_FOR_TRAINING, IMAGES, false, diag);
                problem = workspace[i] ? problem : no_memory;
        }
        if (!problem) {
                train_pass(bench, workspace[THREADS], gradient + size * THREADS);
#pragma omp parallel for num_threads(THREADS) schedule(static, 1)
                for (int i = 0; i < THREADS; i++)
                        train_pass(bench, workspace[i], gradient + size * i);
                for (int i = 0; i < THREADS; i++)
                        if (memcmp(gradient + size * i, gradient + size * THREADS,
                                   size * sizeof(float)) != 0)
                                problem = "gradients differ when several threads compute at once: "
                                          "an op keeps something outside its call";
        }
        for (int i = 0; i <= THREADS; i++)
                pxr_workspace_free(workspace[i]);
        free(gradient);
        return problem;
}

/* Gradients must be added: starting at 1 they end 1 higher. */
static const char *compare_started_at_one(struct pxr_arena *arena, const struct pxr_graph *graph,
                                          const float *from_zero, const float *from_one)
{
        const struct pxr_parameter *p;

        for (p = graph->parameter; p; p = p->next)
                for (size_t i = p->offset; i < p->offset + p->size; i++)
                        if (!(fabs((double)from_one[i] - from_zero[i] - 1) <=
                              1e-4 * (1 + fabs(from_zero[i]))))
                                return pxr_strf(arena,
                                                "the gradient of %s is not added to what was "
                                                "there",
                                                p->name);
        return NULL;
}

const char *pxr_check_memory(struct pxr_arena *arena, const struct pxr_model *model,
                             const char **skipped, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = model->graph;
        struct bench *bench = bench_new(arena, graph, diag);
        struct pxr_workspace *apart =
                pxr_workspace_new(graph, PXR_F32, PXR_FOR_TRAINING, IMAGES, true, diag);
        struct pxr_workspace *shared =
                pxr_workspace_new(graph, PXR_F32, PXR_FOR_TRAINING, IMAGES, false, diag);
        size_t size = graph->parameter_values + 1;
        float *gradient = calloc(3 * size, sizeof(float));
        const char *problem = no_memory;

        (void)skipped;
        if (bench && apart && shared && gradient) {
                train_pass(bench, apart, gradient);
                train_pass(bench, shared, gradient + size);
                for (size_t i = 0; i < size; i++)
                        gradient[2 * size + i] = 1;
                train_pass(bench, shared, gradient + 2 * size);
                if (pxr_workspace_damaged(apart))
                        problem = pxr_strf(arena, "op '%s' writes outside its memory",
                                           pxr_workspace_damaged(apart)->op->name);
                else if (memcmp(gradient, gradient + size, size * sizeof(float)) != 0)
                        problem = "gradients change when tensors share memory: an op reads in "
                                  "backward what its flags do not declare";
                else
                        problem =
                                compare_started_at_one(arena, graph, gradient, gradient + 2 * size);
        }
        pxr_workspace_free(apart);
        pxr_workspace_free(shared);
        free(gradient);
        return problem;
}
