/* SPDX-License-Identifier: MIT */
/* bench.c - random images and parameters, to examine what a graph computes. */
#include "model/bench.h"

struct pxr_bench *pxr_bench_new(struct pxr_arena *arena, const struct pxr_graph *graph, int images,
                                uint64_t seed, pxr_init *change, struct pxr_diag *diag)
{
        struct pxr_bench *bench = pxr_alloc(arena, sizeof(*bench));
        struct pxr_random random = pxr_random(seed, PXR_RANDOM_TEST, 0, 0, 0);
        size_t all = pxr_graph_values(graph) * images, parameters = graph->parameter_values;

        if (!bench)
                return NULL;
        bench->graph = graph;
        bench->images = images;
        bench->values = pxr_graph_values(graph);
        bench->pixels = pxr_alloc(arena, all);
        bench->small = pxr_alloc(arena, all);
        bench->classes = pxr_alloc_array(arena, images, sizeof(*bench->classes));
        bench->f32 = pxr_alloc_array(arena, parameters + 1, sizeof(float));
        if (change)
                bench->f64 = pxr_alloc_array(arena, parameters + 1, sizeof(double));
        if (pxr_arena_failed(arena) ||
            pxr_graph_init(graph, seed, change ? NULL : bench->f32, bench->f64, diag))
                return NULL;
        for (const struct pxr_parameter *p = graph->parameter; p && change; p = p->next)
                change(p, &random, bench->f64 + p->offset);
        for (size_t i = 0; i < parameters && change; i++)
                bench->f32[i] = (float)bench->f64[i];
        for (size_t i = 0; i < all; i++)
                bench->pixels[i] = (uint8_t)pxr_random_below(&random, graph->levels);
        pxr_graph_subsample(graph, bench->pixels, images, bench->small);
        for (int i = 0; i < images && graph->classes > 0; i++)
                bench->classes[i] = (int32_t)pxr_random_below(&random, graph->classes);
        return bench;
}

void pxr_bench_load(const struct pxr_bench *bench, struct pxr_workspace *workspace, int first,
                    int images)
{
        pxr_workspace_load(workspace, bench->pixels + bench->values * first, images);
        pxr_workspace_classes(workspace, bench->classes + first, images);
}

void pxr_bench_advance(const struct pxr_bench *bench, struct pxr_workspace *workspace, int order,
                       int first, int images)
{
        struct pxr_site at = pxr_site_at(bench->graph->node[0], order);

        pxr_workspace_advance(workspace, at.row, at.col, at.colour);
        for (int image = 0; image < images; image++)
                pxr_workspace_set(workspace, at.row, at.col, at.colour, image,
                                  bench->pixels[(first + image) * bench->values + order]);
}
