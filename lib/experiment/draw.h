/* SPDX-License-Identifier: MIT */
/*
 * draw.h - images drawn from recorded runs: samples, chains of scales, completions.
 */
#ifndef PXR_EXPERIMENT_DRAW_H
#define PXR_EXPERIMENT_DRAW_H

#include "experiment/images.h"
#include "sample/generate.h"
#include "sample/occlusion.h"

struct pxr_draw_order {
        struct pxr_recorded *const *chain; /* chain[0] is the run to draw from; each is given what
                                              the one after it draws (section 3.6) */
        int length;                        /* of the chain */
        bool from_data; /* the last of it is given small images of its data set; needed where it
                           takes some, and no images are completed */
        bool alone;     /* no other run can draw the small images: an error does not suggest it */
        uint64_t seed;
        double temperature;
        int class; /* of all images, for models that are given the class; -1: that of the images to
                      be completed, or all classes in turn */
        int count; /* images; where there are some to complete: completions of each */
        bool grid; /* one picture of all is wanted */
        int threads;
        int batch;                       /* images at work at once at most; 0: no limit */
        const struct pxr_images *images; /* to be completed; NULL: none. The chain is then of 1 */
        struct pxr_occlusion occlusion;  /* what is hidden of them */
        const char *data; /* where the data set lies now; NULL: where the spec says */
        const struct pxr_observer *observer; /* of the pixels that one run draws; NULL: none */
};

/* What one run of the chain drew. */
struct pxr_drawn {
        int count;
        uint8_t *pixels; /* [image][row][col][colour]; completion k of image i is image number
                            k x (images to be completed) + i */
        const int32_t *classes; /* [image]: that the run was given; NULL: none */
        double *nats;           /* [image]: -log p under the model at temperature 1, given what
                                   the run is given */
        double *hidden_nats;    /* [image]: of it the part of the pixels that were hidden; NULL: all
                                   are drawn */
};

/* Check that the runs of a chain fit one another, and that the grid fits a PNG. Returns 0 or -1. */
int pxr_draw_check(const struct pxr_draw_order *order, struct pxr_diag *diag);

/* Whether completions follow the model's distribution given the known pixels. They do not if known
 * pixels come after hidden ones, nor if a conditional model is given small versions, which show
 * part of what is hidden. */
bool pxr_completions_exact(const struct pxr_draw_order *order);

/* Draw with each run of a chain that fits: drawn[length], in the arena. Returns 0, 1 when
 * the observer stopped it, or -1 after an error. */
int pxr_draw(struct pxr_arena *arena, const struct pxr_draw_order *order, struct pxr_drawn *drawn,
             struct pxr_diag *diag);

/* What was drawn as a PNG with a caption: a grid, or for each image to be completed a row of the
 * image with its hidden part, the completions and the image itself. NULL after an error. */
uint8_t *pxr_drawn_png(struct pxr_arena *arena, const struct pxr_draw_order *order,
                       const struct pxr_drawn *drawn, size_t *size, struct pxr_diag *diag);

/* What was drawn as plain images, each in a PNG of its own: 0000000.png on, in the order of
 * `drawn`, in a new or empty folder. The texts of each say where it comes from, also pxr:image (its
 * number), pxr:log_likelihood, pxr:class if it was given one, and of a completion pxr:of,
 * pxr:completion and pxr:drawn_log_likelihood. Returns 0, or -1 with no folder. */
int pxr_drawn_write(struct pxr_arena *arena, const struct pxr_draw_order *order,
                    const struct pxr_drawn *drawn, const char *folder, struct pxr_diag *diag);

#endif
