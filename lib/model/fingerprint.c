/* SPDX-License-Identifier: MIT */
/* fingerprint.c - what a model computes, in three numbers. */
#include "model/fingerprint.h"

#include <math.h>

#include "model/bench.h"

enum { SEED = 3 };

/* All values are drawn, for what they start from may be edited too. Zeros among others stay: a mask
 * keeps them. Those of a vector are positive, for it may be a scale. */
static void draw(const struct pxr_parameter *p, struct pxr_random *random, double *value)
{
        double scale = p->rank > 1 ? sqrt((double)p->shape[p->rank - 1] / (double)p->size) : 0.2;
        bool masked = false;

        for (size_t i = 0; i < p->size; i++)
                masked |= p->rank > 1 && value[i] != 0;
        for (size_t i = 0; i < p->size; i++)
                if (!masked || value[i] != 0)
                        value[i] = scale * pxr_random_normal(random);
        for (size_t i = 0; i < p->size && p->rank < 2; i++)
                value[i] = fabs(value[i]);
}

/* Of the image's pixels, in raster order, those of which `single` is the NLL: with steps each costs
 * as much as drawing it. */
static int first_pixels(const struct pxr_graph *graph)
{
        enum { VALUES = 1024 };
        int pixels = graph->rows * graph->cols, most = VALUES / graph->colours;

        return pixels < most ? pixels : most;
}

/* In double precision by a training step's passes. The gradient's sum is one in which no two values
 * cancel, nor can be exchanged. */
static int take_f64(struct pxr_arena *arena, const struct pxr_bench *bench,
                    struct pxr_fingerprint *fingerprint, struct pxr_diag *diag)
{
        size_t values = bench->graph->parameter_values;
        struct pxr_random random = pxr_random(4, PXR_RANDOM_TEST, 0, 0, 0);
        double *gradient = pxr_alloc_array(arena, values + 1, sizeof(double));
        struct pxr_workspace *workspace = pxr_workspace_new(
                bench->graph, PXR_F64, PXR_FOR_CHECKPOINTED_TRAINING, 1, false, diag);

        if (!workspace || !gradient) {
                pxr_workspace_free(workspace);
                return -1;
        }
        fingerprint->nll = fingerprint->gradient = 0;
        pxr_bench_load(bench, workspace, 0, 1);
        pxr_workspace_forward(workspace, bench->f64);
        pxr_workspace_loss(workspace, 1, &fingerprint->nll);
        pxr_workspace_backward(workspace, bench->f64, gradient);
        for (size_t i = 0; i < values; i++)
                fingerprint->gradient += fabs(gradient[i]) * (0.5 + pxr_random_uniform(&random));
        pxr_workspace_free(workspace);
        return 0;
}

/* In single precision: pixel by pixel for PXR_FOR_GENERATION, else, and where that would make a
 * whole pass for each value, by one whole pass. */
static int take_f32(const struct pxr_bench *bench, enum pxr_use use, double *nll,
                    struct pxr_diag *diag)
{
        const struct pxr_graph *graph = bench->graph;
        struct pxr_workspace *workspace = pxr_workspace_new(graph, PXR_F32, use, 1, false, diag);
        bool steps = use == PXR_FOR_GENERATION;
        int pixels = first_pixels(graph);

        if (!workspace)
                return -1;
        if (steps && pxr_workspace_fallback(workspace)) {
                pxr_workspace_free(workspace);
                return take_f32(bench, PXR_FOR_EVALUATION, nll, diag);
        }
        *nll = 0;
        pxr_bench_load(bench, workspace, 0, 1); /* for steps, what they are given */
        if (steps)
                pxr_workspace_begin(workspace, bench->f32, 1);
        else
                pxr_workspace_forward(workspace, bench->f32);
        for (int i = 0; i < pixels; i++) {
                for (int colour = 0; colour < graph->colours && steps; colour++)
                        pxr_bench_advance(bench, workspace, i * graph->colours + colour, 0, 1);
                pxr_workspace_pixel_loss(workspace, i / graph->cols, i % graph->cols, nll);
        }
        pxr_workspace_free(workspace);
        return 0;
}

int pxr_fingerprint_take(const struct pxr_model *model, bool drawing,
                         struct pxr_fingerprint *fingerprint, struct pxr_diag *diag)
{
        struct pxr_arena *arena = pxr_arena_new(0, diag);
        struct pxr_bench *bench =
                arena ? pxr_bench_new(arena, model->graph, 1, SEED, draw, diag) : NULL;
        int status = -1;

        if (bench && (drawing || !take_f64(arena, bench, fingerprint, diag)))
                status = take_f32(bench, drawing ? PXR_FOR_GENERATION : PXR_FOR_EVALUATION,
                                  &fingerprint->single, diag);
        pxr_arena_free(arena);
        return status;
}

/* Sums of doubles keep more than nine digits, those of floats more than five. */
bool pxr_fingerprint_same(double now, double was, enum pxr_precision precision)
{
        double tolerance = precision == PXR_F32 ? 1e-5 : 1e-9;

        if (!isfinite(now) || !isfinite(was))
                return isnan(was) || now == was;
        return fabs(now - was) <= tolerance * fmax(fabs(now), fabs(was));
}

bool pxr_fingerprint_known(const struct pxr_fingerprint *fingerprint)
{
        return isfinite(fingerprint->nll) && isfinite(fingerprint->gradient) &&
               isfinite(fingerprint->single);
}
