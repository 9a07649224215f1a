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
#include "tensor/workspace.h"

/* The most images that a worker draws together. More rows in a product reuse the weights better,
 * and take more memory. */
enum { PXR_GENERATION_GROUP = 32 };

/* The key of an image's random numbers, besides the seed. */
struct pxr_image_key {
        uint32_t number;
        uint32_t again; /* number of the repetition, for several draws of one image; below 2^20 */
};

/* Draws from a model, one after the other. From one to the next anything but graph, count, threads,
 * batch and whole_passes may change. */
struct pxr_generation {
        struct pxr_arena *arena; /* for memory that the first draw takes and all use */
        const struct pxr_graph *graph;
        const float *parameters;
        const uint8_t *small;   /* [image][row][col][colour]: for a conditional model; else
                                   NULL */
        const int32_t *classes; /* [image]: for a model that is given the class; NULL: 0 of all */
        const bool *drawn;  /* [row][col]: the pixels to draw; the others are kept. NULL: draw all
                             */
        double temperature; /* logits are divided by it; 0 means 1 */
        double *nats;       /* [image]: becomes -log p of the whole image under the model (whatever
                               the temperature); NULL: not wanted */
        double *drawn_nats; /* [image]: the part of it that the pixels to draw have; NULL: not
                               wanted */
        uint64_t seed;
        const struct pxr_image_key *key; /* [image]; NULL: the image's index, and 0 */
        int count, threads;
        int batch;         /* the most images drawn at once; 0: no limit */
        bool whole_passes; /* make a whole pass for each value, as without `advance`: to measure
                              the cost of that */
        const struct pxr_observer *observer; /* of the pixels drawn; NULL: none */
        double *const
                *seconds; /* for one thread: as pxr_workspace_time() has them; NULL: not wanted */
        double *choice_seconds; /* for one thread: of probabilities and random numbers, added to it;
                                   NULL: not wanted */
        struct pxr_generation_memory *memory; /* NULL at first */
};

/* Draw images into pixels[image][row][col][colour]. Where `drawn` is false they hold known values
 * on entry. Each pixel is drawn given all pixels before it in raster order, known or drawn. So
 * images follow the model's distribution given the known pixels only if these precede all drawn
 * ones. Returns 0, 1 when the observer stopped it, or -1 after an error. */
int pxr_generate(struct pxr_generation *generation, uint8_t *pixels, struct pxr_diag *diag);

/* The probabilities of the levels of one colour of a pixel of an image, its logits divided by the
 * temperature (0 means 1): p(k)^(1 / temperature), normalized. */
void pxr_distribution_at(const struct pxr_graph *graph, const struct pxr_workspace *workspace,
                         int row, int col, int colour, int image, double temperature,
                         double *probability);

/* Bytes of memory it takes besides the images; `batch` as above. */
size_t pxr_generation_bytes(const struct pxr_graph *graph, int count, int threads, int batch);

#endif
