/* SPDX-License-Identifier: MIT */
/*
 * conformance_tests.c - gradients, causality and advance of one model.
 *
 * Each test runs the kernels that training and generation run.
 */
#include "model/conformance_tests.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/bench.h"
#include "model/certificate.h"
#include "model/op_gradients.h"
#include "tensor/dependency.h"

enum { MAX_PROBED = 48 };

static const char no_memory[] = "out of memory";

/* --- gradients ---------------------------------------------------------------------------------
 */

/* The slope of the NLL by one parameter, by central differences. */
static double slope(const struct pxr_bench *bench, struct pxr_workspace *workspace, size_t at)
{
        const double step = 1e-5, kept = bench->f64[at];
        double above, below;

        bench->f64[at] = kept + step;
        above = pxr_bench_nll(workspace, bench->f64);
        bench->f64[at] = kept - step;
        below = pxr_bench_nll(workspace, bench->f64);
        bench->f64[at] = kept;
        return (above - below) / (2 * step);
}

/* Compare up to MAX_PROBED values of each parameter, evenly spread. */
static const char *compare_slopes(struct pxr_arena *arena, const struct pxr_bench *bench,
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
                                                "the gradient of %s[%zu] is %.9g, but finite "
                                                "differences give %.9g",
                                                p->name, at, found, expected);
                }
        }
        return NULL;
}

/* Each op of the graph by itself: the slopes above say nothing of its gradient by the image. */
static const char *check_ops(struct pxr_arena *arena, const struct pxr_bench *bench)
{
        const struct pxr_graph *graph = bench->graph;
        const char *problem = NULL;

        for (int i = 1; i < graph->nodes && !problem; i++)
                problem = pxr_check_op_gradients(arena, graph->node[i], bench->f64, graph->levels);
        return problem;
}

/* Training runs in single precision, whose kernels may be others. */
static const char *compare_precisions(struct pxr_arena *arena, const struct pxr_bench *bench,
                                      const double *gradient, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = bench->graph;
        struct pxr_workspace *workspace =
                pxr_workspace_new(graph, PXR_F32, PXR_FOR_TRAINING, PXR_BENCH_IMAGES, true, diag);
        float *f32 = calloc(graph->parameter_values + 1, sizeof(float));
        const char *problem = workspace && f32 ? NULL : no_memory;

        if (!problem)
                pxr_bench_train(bench, workspace, 0, f32);
        for (const struct pxr_parameter *p = graph->parameter; p && !problem; p = p->next) {
                double most = 0;

                for (size_t i = p->offset; i < p->offset + p->size; i++)
                        most = fmax(most, fabs(gradient[i]));
                for (size_t i = p->offset; i < p->offset + p->size && !problem; i++)
                        if (!(fabs(f32[i] - gradient[i]) <= 1e-4 * (1 + most)))
                                problem = pxr_strf(arena,
                                                   "the gradient of %s[%zu] is %.9g in single and "
                                                   "%.9g in double precision",
                                                   p->name, i - p->offset, f32[i], gradient[i]);
        }
        pxr_workspace_free(workspace);
        free(f32);
        return problem;
}

const char *pxr_check_gradients(struct pxr_arena *arena, const struct pxr_model *model,
                                const char **skipped, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = model->graph;
        struct pxr_bench *bench = pxr_bench_new(arena, graph, diag);
        struct pxr_workspace *workspace =
                pxr_workspace_new(graph, PXR_F64, PXR_FOR_TRAINING, PXR_BENCH_IMAGES, true, diag);
        double *gradient = calloc(graph->parameter_values + 1, sizeof(double));
        const char *problem = no_memory;

        (void)skipped;
        if (bench && workspace && gradient) {
                pxr_workspace_load(workspace, pxr_bench_batch(bench, 0), PXR_BENCH_IMAGES);
                pxr_bench_nll(workspace, bench->f64);
                pxr_workspace_backward(workspace, bench->f64, gradient);
                problem = check_ops(arena, bench);
                if (!problem)
                        problem = compare_slopes(arena, bench, workspace, gradient);
                if (!problem)
                        problem = compare_precisions(arena, bench, gradient, diag);
        }
        pxr_workspace_free(workspace);
        free(gradient);
        return problem;
}

/* --- causality ---------------------------------------------------------------------------------
 */

/* Is any logit that must not depend on values from `order` on not finite? Returns its order, or
 * -1. */
static int poisoned_logit(const struct pxr_bench *bench, const struct pxr_workspace *workspace,
                          int order)
{
        const struct pxr_graph *graph = bench->graph;
        int group = graph->logits->shape.channels / graph->colours;

        for (int at = 0; at <= order; at++)
                for (int image = 0; image < PXR_BENCH_IMAGES; image++) {
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
static const char *poison(struct pxr_arena *arena, const struct pxr_bench *bench,
                          struct pxr_workspace *workspace, int order)
{
        const struct pxr_graph *graph = bench->graph;
        float *image = pxr_workspace_tensor(workspace, graph->node[0]);
        int leak;

        pxr_workspace_load(workspace, pxr_bench_batch(bench, 0), PXR_BENCH_IMAGES);
        pxr_workspace_forward(workspace, bench->f32);
        for (int at = order; at < (int)bench->values; at++)
                for (int i = 0; i < PXR_BENCH_IMAGES; i++)
                        image[((size_t)(at / graph->colours) * PXR_BENCH_IMAGES + i) *
                                      graph->colours +
                              at % graph->colours] = NAN;
        pxr_workspace_forward_from(workspace, bench->f32, 1);
        leak = poisoned_logit(bench, workspace, order);
        if (leak < 0)
                return NULL;
        return pxr_strf(arena,
                        "with NaN in all values from number %d on, the logits of value %d are NaN: "
                        "they read what comes later, if only to multiply it by zero",
                        order, leak);
}

/* For each site of each node, the image pixels it declares to depend on: [node][site][pixel]. */
static unsigned char *declared_fields(struct pxr_arena *arena, const struct pxr_graph *graph)
{
        size_t pixels = (size_t)graph->rows * graph->cols, sites = 0;
        unsigned char *fields, *field;

        for (int i = 0; i < graph->nodes; i++)
                sites += (size_t)graph->node[i]->shape.rows * graph->node[i]->shape.cols;
        field = fields = pxr_alloc_array(arena, sites, pixels);
        for (int i = 0; i < graph->nodes && fields; i++) {
                const struct pxr_node *node = graph->node[i];

                for (int row = 0; row < node->shape.rows; row++)
                        for (int col = 0; col < node->shape.cols; col++, field += pixels)
                                if (pxr_receptive_field(graph, node, row, col, field))
                                        return NULL;
        }
        return fields;
}

/* Look for a site that changed with a pixel it does not declare. */
static const char *find_undeclared(struct pxr_arena *arena, const struct pxr_graph *graph,
                                   struct pxr_workspace *const workspace[2],
                                   const unsigned char *fields, int pixel)
{
        size_t pixels = (size_t)graph->rows * graph->cols;

        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];
                const char *a = pxr_workspace_tensor(workspace[0], node);
                const char *b = pxr_workspace_tensor(workspace[1], node);
                int sites = node->shape.rows * node->shape.cols;
                size_t size = node->shape.channels * sizeof(float);

                for (int site = 0; site < sites; site++, fields += pixels)
                        if (a && memcmp(a + site * size, b + site * size, size) != 0 &&
                            !fields[pixel])
                                return pxr_strf(arena,
                                                "op '%s' reads more than its `depends` declares: "
                                                "its output at (%d, %d) changed with the pixel at "
                                                "(%d, %d)",
                                                node->op->name, site / node->shape.cols,
                                                site % node->shape.cols, pixel / graph->cols,
                                                pixel % graph->cols);
        }
        return NULL;
}

/* Change one pixel after another. */
static const char *check_declared(struct pxr_arena *arena, const struct pxr_bench *bench,
                                  struct pxr_diag *diag)
{
        const struct pxr_graph *graph = bench->graph;
        const unsigned char *fields = declared_fields(arena, graph);
        uint8_t *changed = pxr_alloc(arena, bench->values);
        struct pxr_workspace *workspace[2];
        const char *problem = fields && changed ? NULL : no_memory;

        for (int i = 0; i < 2; i++) {
                workspace[i] = pxr_workspace_new(graph, PXR_F32, PXR_FOR_INSPECTION, 1, true, diag);
                problem = workspace[i] ? problem : no_memory;
        }
        for (int pixel = 0; pixel < graph->rows * graph->cols && !problem; pixel++) {
                memcpy(changed, bench->pixels, bench->values);
                for (int at = pixel * graph->colours; at < (pixel + 1) * graph->colours; at++)
                        changed[at] = (uint8_t)((changed[at] + 1) % graph->levels);
                pxr_workspace_load(workspace[0], bench->pixels, 1);
                pxr_workspace_load(workspace[1], changed, 1);
                pxr_workspace_condition(workspace[1], bench->small, 1);
                for (int i = 0; i < 2; i++)
                        pxr_workspace_forward(workspace[i], bench->f32);
                problem = find_undeclared(arena, graph, workspace, fields, pixel);
        }
        pxr_workspace_free(workspace[0]);
        pxr_workspace_free(workspace[1]);
        return problem;
}

const char *pxr_check_causality(struct pxr_arena *arena, const struct pxr_model *model,
                                const char **skipped, struct pxr_diag *diag)
{
        struct pxr_certificate certificate = { 0 };
        struct pxr_bench *bench = pxr_bench_new(arena, model->graph, diag);
        struct pxr_workspace *workspace;
        const char *problem = NULL;

        (void)skipped;
        if (pxr_certify_dependencies(arena, model, &certificate, diag) ||
            pxr_certify_kernels(model, NULL, &certificate, diag))
                return pxr_diag_text(diag, pxr_diag_errors(diag) - 1);
        workspace = pxr_workspace_new(model->graph, PXR_F32, PXR_FOR_EVALUATION, PXR_BENCH_IMAGES,
                                      true, diag);
        if (!bench || !workspace)
                problem = no_memory;
        for (int order = 0; !problem && order < (int)bench->values; order++)
                problem = poison(arena, bench, workspace, order);
        pxr_workspace_free(workspace);
        return problem ? problem : check_declared(arena, bench, diag);
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
static const char *walk(struct pxr_arena *arena, const struct pxr_bench *bench,
                        enum pxr_precision precision, struct pxr_workspace *whole,
                        struct pxr_workspace *stepwise)
{
        const struct pxr_graph *graph = bench->graph;
        const void *parameters = precision == PXR_F32 ? (void *)bench->f32 : bench->f64;
        double tolerance = precision == PXR_F32 ? 1e-4 : 1e-11;
        int group = graph->logits->shape.channels / graph->colours;

        pxr_workspace_load(whole, pxr_bench_batch(bench, 0), PXR_BENCH_IMAGES);
        pxr_workspace_forward(whole, parameters);
        pxr_workspace_condition(stepwise, bench->small, PXR_BENCH_IMAGES);
        pxr_workspace_begin(stepwise, parameters, PXR_BENCH_IMAGES);
        for (int order = 0; order < (int)bench->values; order++) {
                int pixel = order / graph->colours, colour = order % graph->colours;
                int row = pixel / graph->cols, col = pixel % graph->cols;

                pxr_workspace_advance(stepwise, row, col, colour);
                for (int image = 0; image < PXR_BENCH_IMAGES; image++) {
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
                                          pxr_bench_batch(bench, 0)[image * bench->values + order]);
                }
        }
        return NULL;
}

/* In each precision, with whole maps and with what generation keeps of them. */
const char *pxr_check_advance(struct pxr_arena *arena, const struct pxr_model *model,
                              const char **skipped, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = model->graph;
        struct pxr_bench *bench = pxr_bench_new(arena, graph, diag);
        const char *problem = NULL;

        for (int i = 0; i < 2 * PXR_PRECISIONS && !problem; i++) {
                enum pxr_precision precision = i / 2 ? PXR_F64 : PXR_F32;
                struct pxr_workspace *whole = pxr_workspace_new(
                        graph, precision, PXR_FOR_EVALUATION, PXR_BENCH_IMAGES, true, diag);
                struct pxr_workspace *stepwise = pxr_workspace_new(
                        graph, precision, PXR_FOR_GENERATION, PXR_BENCH_IMAGES, i % 2 == 0, diag);

                if (!bench || !whole || !stepwise)
                        problem = no_memory;
                else if (pxr_workspace_fallback(stepwise))
                        *skipped = pxr_strf(arena,
                                            "op '%s' cannot be computed pixel by pixel: generation "
                                            "makes whole passes",
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
