/* SPDX-License-Identifier: MIT */
/*
 * generate.h - drawing images from a model, pixel by pixel and colour by colour.
 *
 * An image is drawn with random numbers of its own: image number i of a seed is the same however
 * many are drawn, and on however many threads.
 */
#ifndef PXR_SAMPLE_GENERATE_H
#define PXR_SAMPLE_GENERATE_H

#include "base/progress.h"
#include "tensor/graph.h"

/* Images a worker draws together at most: more rows in a product make better use of the weights
 * that are fetched for it, and take more memory. */
enum { PXR_GENERATION_GROUP = 32 };

/* What keys the random numbers of an image, beside the seed. */
struct pxr_image_key {
        uint32_t number;
        uint32_t again; /* one number can be drawn several times: below 2^20 */
};

struct pxr_generation {
        const struct pxr_graph *graph;
        const float *parameters;
        const uint8_t *small; /* [image][row][col][colour]: what a conditional model is given;
                                 NULL for any other */
        const bool *drawn;    /* [row][col]: the pixels to draw, the others being kept as they come;
                                 NULL: all */
        double temperature;   /* logits are divided by it; 0: by nothing, as by 1 */
        double *nats;       /* [image]: becomes -log p of the whole image under the model (whatever
                               the temperature); NULL: not wanted */
        double *drawn_nats; /* [image]: the part of it that the pixels to draw have; NULL: not
                               wanted */
        uint64_t seed;
        const struct pxr_image_key *key; /* [image]; NULL: its place among the images, and 0 */
        int count, threads;
        int batch;         /* images at work at once at most; 0: no limit */
        bool whole_passes; /* compute everything anew for each value, as is done without `advance`:
                              only for what that costs */
        const struct pxr_observer *observer; /* of the pixels drawn; NULL: none */
};

/* Draw images into pixels[image][row][col][colour]. Where `drawn` is false they hold the known
 * values: a pixel is drawn given all before it in raster order, known or drawn, so that images are
 * from the model's law given the known pixels when these come before all drawn ones. Returns 0, 1
 * when the observer stopped it, or -1 after an error. */
int pxr_generate(const struct pxr_generation *generation, uint8_t *pixels, struct pxr_diag *diag);

/* The probabilities of the levels that the logits divided by the temperature (0: by nothing) give:
 * p(k) to the power of 1 / temperature, normalized. */
void pxr_distribution_at(const struct pxr_graph *graph, const void *logits, double temperature,
                         double *probability);

/* A level drawn from them by one random number. */
int pxr_draw_level(const struct pxr_graph *graph, const void *logits, double temperature,
                   struct pxr_random *random);

/* Bytes of memory it takes besides the images; `batch` as above. */
size_t pxr_generation_bytes(const struct pxr_graph *graph, int count, int threads, int batch);

#endif
