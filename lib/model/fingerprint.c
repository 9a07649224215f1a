/* SPDX-License-Identifier: MIT */
/* fingerprint.c - what a model computes, in three numbers. */
#include "model/fingerprint.h"

#include <math.h>
#include <stdlib.h>

#include "tensor/workspace.h"

/* The image and the parameters, in both precisions. */
struct subject {
        const struct pxr_graph *graph;
        uint8_t *pixels; /* [row][col][colour] */
        double *f64;
        float *f32;
        struct pxr_diag *diag;
};

/* All values are drawn, for what they start from may be edited too. Zeros among others stay: a mask
 * keeps them. Those of a vector are positive, for it may be a scale. */
static void draw(const struct pxr_parameter *p, double *value, struct pxr_random *random)
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

static int make_subject(struct subject *s)
{
        const struct pxr_graph *graph = s->graph;
        struct pxr_random random = pxr_random(3, PXR_RANDOM_TEST, 0, 0, 0);
        size_t values = (size_t)graph->rows * graph->cols * graph->colours;

        s->pixels = malloc(values);
        s->f64 = calloc(graph->parameter_values + 1, sizeof(double));
        s->f32 = calloc(graph->parameter_values + 1, sizeof(float));
        if (!s->pixels || !s->f64 || !s->f32)
                return pxr_out_of_memory(s->diag);
        if (pxr_graph_init(graph, 3, NULL, s->f64, s->diag))
                return -1;
        for (const struct pxr_parameter *p = graph->parameter; p; p = p->next)
                draw(p, s->f64 + p->offset, &random);
        for (size_t i = 0; i < graph->parameter_values; i++)
                s->f32[i] = (float)s->f64[i];
        for (size_t i = 0; i < values; i++)
                s->pixels[i] = (uint8_t)pxr_random_below(&random, graph->levels);
        return 0;
}

static void free_subject(struct subject *s)
{
        free(s->pixels);
        free(s->f64);
        free(s->f32);
}

/* A sum in which no two gradients cancel, nor can they be exchanged. */
static int sum_gradient(const struct subject *s, struct pxr_workspace *workspace, double *sum)
{
        struct pxr_random random = pxr_random(4, PXR_RANDOM_TEST, 0, 0, 0);
        double *gradient = calloc(s->graph->parameter_values + 1, sizeof(double));

        if (!gradient)
                return pxr_out_of_memory(s->diag);
        pxr_workspace_backward(workspace, s->f64, gradient);
        *sum = 0;
        for (size_t i = 0; i < s->graph->parameter_values; i++)
                *sum += fabs(gradient[i]) * (0.5 + pxr_random_uniform(&random));
        free(gradient);
        return 0;
}

/* Of the image's pixels, in raster order, those of which `single` is the NLL: with steps each costs
 * as much as drawing it. */
static int first_pixels(const struct pxr_graph *graph)
{
        enum { VALUES = 1024 };
        int pixels = graph->rows * graph->cols, most = VALUES / graph->colours;

        return pixels < most ? pixels : most;
}

/* In double precision by a training step's passes. */
static int take_f64(const struct subject *s, struct pxr_fingerprint *fingerprint)
{
        struct pxr_workspace *workspace = pxr_workspace_new(
                s->graph, PXR_F64, PXR_FOR_CHECKPOINTED_TRAINING, 1, false, s->diag);
        int status;

        if (!workspace)
                return -1;
        fingerprint->nll = 0;
        pxr_workspace_load(workspace, s->pixels, 1);
        pxr_workspace_forward(workspace, s->f64);
        pxr_workspace_loss(workspace, 1, &fingerprint->nll);
        status = sum_gradient(s, workspace, &fingerprint->gradient);
        pxr_workspace_free(workspace);
        return status;
}

/* In single precision by a whole pass. */
static int take_whole(const struct subject *s, double *nll)
{
        const struct pxr_graph *graph = s->graph;
        struct pxr_workspace *workspace =
                pxr_workspace_new(graph, PXR_F32, PXR_FOR_EVALUATION, 1, false, s->diag);
        int pixels = first_pixels(graph);

        if (!workspace)
                return -1;
        *nll = 0;
        pxr_workspace_load(workspace, s->pixels, 1);
        pxr_workspace_forward(workspace, s->f32);
        for (int i = 0; i < pixels; i++)
                pxr_workspace_pixel_loss(workspace, i / graph->cols, i % graph->cols, nll);
        pxr_workspace_free(workspace);
        return 0;
}

/* In single precision pixel by pixel. */
static int take_steps(const struct subject *s, double *nll)
{
        const struct pxr_graph *graph = s->graph;
        struct pxr_workspace *workspace =
                pxr_workspace_new(graph, PXR_F32, PXR_FOR_GENERATION, 1, false, s->diag);
        const uint8_t *value = s->pixels;
        int pixels = first_pixels(graph);

        if (!workspace)
                return -1;
        if (pxr_workspace_fallback(workspace)) { /* to whole passes, one a value */
                pxr_workspace_free(workspace);
                return take_whole(s, nll);
        }
        *nll = 0;
        pxr_workspace_load(workspace, s->pixels, 1); /* for the small image */
        pxr_workspace_begin(workspace, s->f32, 1);
        for (int i = 0; i < pixels; i++) {
                int row = i / graph->cols, col = i % graph->cols;

                for (int colour = 0; colour < graph->colours; colour++) {
                        pxr_workspace_advance(workspace, row, col, colour);
                        pxr_workspace_set(workspace, row, col, colour, 0, *value++);
                }
                pxr_workspace_pixel_loss(workspace, row, col, nll);
        }
        pxr_workspace_free(workspace);
        return 0;
}

int pxr_fingerprint_take(const struct pxr_model *model, struct pxr_fingerprint *fingerprint,
                         struct pxr_diag *diag)
{
        struct subject s = { .graph = model->graph, .diag = diag };
        int status = make_subject(&s);

        *fingerprint = (struct pxr_fingerprint) { NAN, NAN, NAN };
        if (!status)
                status = take_f64(&s, fingerprint);
        if (!status)
                status = take_whole(&s, &fingerprint->single);
        free_subject(&s);
        return status;
}

int pxr_fingerprint_use(const struct pxr_model *model, double *single, struct pxr_diag *diag)
{
        struct subject s = { .graph = model->graph, .diag = diag };
        int status = make_subject(&s);

        if (!status)
                status = take_steps(&s, single);
        free_subject(&s);
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
