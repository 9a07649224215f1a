/* SPDX-License-Identifier: MIT */
/*
 * bench.h - what the conformance tests start from: images and parameters of one graph.
 */
#ifndef PXR_MODEL_BENCH_H
#define PXR_MODEL_BENCH_H

#include "tensor/workspace.h"

enum { PXR_BENCH_IMAGES = 3, PXR_BENCH_BATCHES = 3 };

/* Batches of images that all differ, and parameters in both precisions with nothing left at zero
 * but what a mask keeps there. */
struct pxr_bench {
        const struct pxr_graph *graph;
        size_t values;   /* of one image */
        uint8_t *pixels; /* [batch][image][row][col][colour] */
        uint8_t *small;  /* the small images of batch 0, for a conditional model */
        double *f64;
        float *f32;
};

/* Lasts as long as the arena. NULL after an error. */
struct pxr_bench *pxr_bench_new(struct pxr_arena *arena, const struct pxr_graph *graph,
                                struct pxr_diag *diag);

/* Pixels of one batch. */
const uint8_t *pxr_bench_batch(const struct pxr_bench *bench, int batch);

/* Forward pass and loss of the batch that is loaded; the sum of its nats. */
double pxr_bench_nll(struct pxr_workspace *workspace, const void *parameters);

/* A whole training pass in single precision; gradients are added to `gradient`. */
void pxr_bench_train(const struct pxr_bench *bench, struct pxr_workspace *workspace, int batch,
                     float *gradient);

#endif
