/* SPDX-License-Identifier: MIT */
/*
 * bench.h - random images and parameters, to examine what a graph computes.
 */
#ifndef PXR_MODEL_BENCH_H
#define PXR_MODEL_BENCH_H

#include "tensor/dependency.h"
#include "tensor/workspace.h"

struct pxr_bench {
        const struct pxr_graph *graph;
        int images;
        size_t values;    /* of one image */
        uint8_t *pixels;  /* [image][row][col][colour] */
        uint8_t *small;   /* their small images, for a conditional model */
        int32_t *classes; /* of each, for a model that is given them */
        float *f32;       /* parameters */
        double *f64;      /* the same in double precision; NULL if they are the initial ones */
};

/* Images and parameters that depend on `seed`. `change` changes the initial values of each
 * parameter; NULL: none. Lasts as long as the arena. NULL after an error. */
struct pxr_bench *pxr_bench_new(struct pxr_arena *arena, const struct pxr_graph *graph, int images,
                                uint64_t seed, pxr_init *change, struct pxr_diag *diag);

/* Load the bench's images from number `first` on. */
void pxr_bench_load(const struct pxr_bench *bench, struct pxr_workspace *workspace, int first,
                    int images);

/* The logits of value number `order` of an image. */
static inline const void *pxr_bench_logits(const struct pxr_workspace *workspace,
                                           const struct pxr_graph *graph, int order, int image)
{
        struct pxr_site site = pxr_site_at(graph->logits, order);

        return pxr_workspace_logits(workspace, site.row, site.col, site.colour, image);
}

/* Generate value number `order` of the bench's images from number `first` on, as many as the
 * workspace was begun with. */
void pxr_bench_advance(const struct pxr_bench *bench, struct pxr_workspace *workspace, int order,
                       int first, int images);

#endif
