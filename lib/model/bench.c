/* SPDX-License-Identifier: MIT */
/*
 * bench.c - images and parameters for the conformance tests.
 */
#include "model/bench.h"

#include <stdlib.h>

static void bench_free(void *what)
{
        struct pxr_bench *bench = what;

        free(bench->pixels);
        free(bench->small);
        free(bench->f64);
        free(bench->f32);
}

struct pxr_bench *pxr_bench_new(struct pxr_arena *arena, const struct pxr_graph *graph,
                                struct pxr_diag *diag)
{
        struct pxr_bench *bench = pxr_alloc(arena, sizeof(*bench));
        struct pxr_random random = pxr_random(2, PXR_RANDOM_TEST, 0, 0, 0);
        size_t values = (size_t)graph->rows * graph->cols * graph->colours;
        size_t all = values * PXR_BENCH_IMAGES * PXR_BENCH_BATCHES;

        if (!bench)
                return NULL;
        bench->graph = graph;
        bench->values = values;
        bench->pixels = malloc(all);
        bench->small = malloc(all);
        bench->f64 = calloc(graph->parameter_values + 1, sizeof(double));
        bench->f32 = calloc(graph->parameter_values + 1, sizeof(float));
        if (pxr_arena_defer(arena, bench_free, bench) || !bench->pixels || !bench->small ||
            !bench->f64 || !bench->f32 || pxr_graph_init(graph, 2, NULL, bench->f64, diag))
                return NULL;
        for (const struct pxr_parameter *p = graph->parameter; p; p = p->next)
                for (size_t i = 0; p->rank == 1 && i < p->size; i++)
                        bench->f64[p->offset + i] += 0.2 * pxr_random_normal(&random);
        for (size_t i = 0; i < graph->parameter_values; i++)
                bench->f32[i] = (float)bench->f64[i];
        for (size_t i = 0; i < all; i++)
                bench->pixels[i] = (uint8_t)pxr_random_below(&random, graph->levels);
        pxr_graph_subsample(graph, bench->pixels, PXR_BENCH_IMAGES, bench->small);
        return bench;
}

const uint8_t *pxr_bench_batch(const struct pxr_bench *bench, int batch)
{
        return bench->pixels + bench->values * PXR_BENCH_IMAGES * batch;
}

double pxr_bench_nll(struct pxr_workspace *workspace, const void *parameters)
{
        double nll[PXR_BENCH_IMAGES] = { 0 }, sum = 0;

        pxr_workspace_forward(workspace, parameters);
        pxr_workspace_loss(workspace, 1, nll);
        for (int i = 0; i < PXR_BENCH_IMAGES; i++)
                sum += nll[i];
        return sum;
}

void pxr_bench_train(const struct pxr_bench *bench, struct pxr_workspace *workspace, int batch,
                     float *gradient)
{
        pxr_workspace_load(workspace, pxr_bench_batch(bench, batch), PXR_BENCH_IMAGES);
        pxr_bench_nll(workspace, bench->f32);
        pxr_workspace_backward(workspace, bench->f32, gradient);
}
