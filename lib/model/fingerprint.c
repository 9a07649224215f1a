/* SPDX-License-Identifier: MIT */
/* fingerprint.c - what a model computes, in two numbers. Uses base/ and tensor/. */
#include "model/fingerprint.h"

#include <math.h>
#include <stdlib.h>

#include "tensor/workspace.h"

/* What a mask keeps at zero stays there; all else is drawn anew. */
static int set_parameters(const struct pxr_graph *graph, double *values, struct pxr_diag *diag)
{
        struct pxr_random random = pxr_random(3, PXR_RANDOM_TEST, 0, 0, 0);

        if (pxr_graph_init(graph, 3, NULL, values, diag))
                return -1;
        for (const struct pxr_parameter *p = graph->parameter; p; p = p->next) {
                double *value = values + p->offset;
                double scale = p->rank > 1 ? sqrt((double)p->shape[p->rank - 1] / p->size) : 0.2;

                for (size_t i = 0; i < p->size; i++)
                        if (p->rank == 1 || value[i] != 0)
                                value[i] = scale * pxr_random_normal(&random);
        }
        return 0;
}

/* One fixed image, computed with the parameters. Returns 0 or -1. */
static int load_image(struct pxr_workspace *workspace, const struct pxr_graph *graph,
                      const double *parameters, struct pxr_diag *diag)
{
        size_t values = (size_t)graph->rows * graph->cols * graph->colours;
        struct pxr_random random = pxr_random(4, PXR_RANDOM_TEST, 0, 0, 0);
        uint8_t *pixels = malloc(values);

        if (!pixels)
                return pxr_out_of_memory(diag);
        for (size_t i = 0; i < values; i++)
                pixels[i] = (uint8_t)pxr_random_below(&random, graph->levels);
        pxr_workspace_load(workspace, pixels, 1);
        pxr_workspace_forward(workspace, parameters);
        free(pixels);
        return 0;
}

/* The gradient as a sum in which no two values cancel, nor can they be exchanged. */
static int sum_gradient(struct pxr_workspace *workspace, const struct pxr_graph *graph,
                        const double *parameters, double *sum, struct pxr_diag *diag)
{
        struct pxr_random random = pxr_random(5, PXR_RANDOM_TEST, 0, 0, 0);
        double *gradient = calloc(graph->parameter_values + 1, sizeof(double));

        if (!gradient)
                return pxr_out_of_memory(diag);
        pxr_workspace_backward(workspace, parameters, gradient);
        *sum = 0;
        for (size_t i = 0; i < graph->parameter_values; i++)
                *sum += fabs(gradient[i]) * (0.5 + pxr_random_uniform(&random));
        free(gradient);
        return 0;
}

int pxr_fingerprint_take(const struct pxr_model *model, bool gradient,
                         struct pxr_fingerprint *fingerprint, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = model->graph;
        enum pxr_use use = gradient ? PXR_FOR_LEAN_TRAINING : PXR_FOR_EVALUATION;
        struct pxr_workspace *workspace = pxr_workspace_new(graph, PXR_F64, use, 1, false, diag);
        double *parameters = calloc(graph->parameter_values + 1, sizeof(double));
        int status = -1;

        *fingerprint = (struct pxr_fingerprint) { .gradient = NAN };
        if (workspace && !parameters)
                pxr_out_of_memory(diag);
        else if (workspace && !set_parameters(graph, parameters, diag))
                status = load_image(workspace, graph, parameters, diag);
        if (!status) {
                pxr_workspace_loss(workspace, 1, &fingerprint->nll);
                if (gradient)
                        status = sum_gradient(workspace, graph, parameters, &fingerprint->gradient,
                                              diag);
        }
        pxr_workspace_free(workspace);
        free(parameters);
        return status;
}

/* Sums of a double's 16 digits keep more than 9 of them. */
bool pxr_fingerprint_same(double a, double b)
{
        if (!isfinite(a) || !isfinite(b))
                return isnan(a) || isnan(b) || a == b;
        return fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b));
}
