/* SPDX-License-Identifier: MIT */
/*
 * inspect.h - looking into a recorded model: its distributions at chosen pixels, and how many bits
 * each pixel costs.
 */
#ifndef PXR_EXPERIMENT_INSPECT_H
#define PXR_EXPERIMENT_INSPECT_H

#include "experiment/images.h"
#include "sample/figure.h"
#include "train/evaluate.h"

/* A pixel, and one of its colours; -1: all of them. */
struct pxr_chosen_pixel {
        int row, col, colour;
};

/* Read "ROW,COL" or "ROW,COL,COLOUR" (red, green or blue). Returns 0 or -1. */
int pxr_pixel_read(const char *text, const struct pxr_graph *graph, struct pxr_chosen_pixel *chosen,
                   struct pxr_diag *diag);

struct pxr_activations {
        int count;
        struct pxr_softmax_panel *list;
        uint64_t seed;      /* of the images */
        double temperature; /* 0: the images were not drawn, and there is no seed either */
};

/* "red", "green", "blue". */
extern const char *const pxr_colour_names[];

/* The distributions at `count` pixels of each image. How the images were drawn is the caller's to
 * fill in before: the distributions are those that they were drawn from, at their temperature.
 * Returns 0 or -1. */
int pxr_activations(struct pxr_recorded *recorded, const struct pxr_images *images,
                    const struct pxr_chosen_pixel *chosen, int count,
                    struct pxr_activations *activations, struct pxr_diag *diag);

/* As a plot (Figure 6): SVG, or NULL after an error. */
const char *pxr_activations_svg(struct pxr_recorded *recorded,
                                const struct pxr_activations *activations, struct pxr_diag *diag);

/* Bits of each pixel, a mean over images. */
struct pxr_bits_map {
        const char *images; /* "the first 10 of 256 images of valid" */
        const char *which;  /* as they were asked for: "valid" */
        int64_t all;        /* of which the first were taken, as many as nll has */
        double *bits;       /* [row][col] */
        struct pxr_nll nll; /* of the images */
};

/* The map of what `which` names: a split ("valid") or what pxr_images_take() takes, with a class,
 * the first `limit` images of it (0: all; more than there are is an error). Returns 0, 1 when the
 * observer stopped it, or -1. */
int pxr_bits_map(struct pxr_recorded *recorded, const char *which, const char *path, int class,
                 int64_t limit, int threads, const struct pxr_observer *observer,
                 struct pxr_bits_map *map, struct pxr_diag *diag);

/* As a heat map: SVG, or NULL after an error. */
const char *pxr_bits_map_svg(struct pxr_recorded *recorded, const struct pxr_bits_map *map,
                             struct pxr_diag *diag);

#endif
