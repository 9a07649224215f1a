/* SPDX-License-Identifier: MIT */
/*
 * bench.h - images and parameters of one graph, for the conformance tests.
 */
#ifndef PXR_MODEL_BENCH_H
#define PXR_MODEL_BENCH_H

#include "tensor/workspace.h"

enum { PXR_BENCH_IMAGES = 3, PXR_BENCH_BATCHES = 3 };

/* Batches of images, all different, and parameters in both precisions, all of them not zero except
 * masked weights. */
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

/* Forward pass and loss of the loaded batch; returns the sum of its NLL in nats. */
double pxr_bench_nll(struct pxr_workspace *workspace, const void *parameters);

/* Forward, loss and backward in single precision; adds to `gradient`. */
void pxr_bench_train(const struct pxr_bench *bench, struct pxr_workspace *workspace, int batch,
                     float *gradient);

#endif
