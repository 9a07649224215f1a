/* SPDX-License-Identifier: MIT */
/*
 * caption.h - where a picture comes from, as the texts kept in its file.
 */
#ifndef PXR_EXPERIMENT_CAPTION_H
#define PXR_EXPERIMENT_CAPTION_H

#include "data/png.h"
#include "experiment/recorded.h"

enum { PXR_CAPTION_TEXTS = 20 };

struct pxr_caption {
        struct pxr_arena *arena; /* of the texts */
        struct pxr_png_text text[PXR_CAPTION_TEXTS];
        int count;
};

/* Begin a caption with Title, Software, pxr:run, pxr:uid, pxr:name, pxr:step, pxr:parameters (their
 * SHA-256) and pxr:nll (of that step, the result before those along the way, if it is on record).
 * Of `recorded`, its store, run, step and parameter_hash are used. Returns 0 or -1. */
int pxr_caption_begin(struct pxr_caption *caption, struct pxr_arena *arena,
                      const struct pxr_recorded *recorded, const char *title,
                      struct pxr_diag *diag);

/* Add a text unless it is NULL: pxr:given (what was given to the model), pxr:classes (of samples),
 * pxr:occluded, pxr:images
 * (that were completed or evaluated) and others. */
void pxr_caption_add(struct pxr_caption *caption, const char *key, const char *value);

/* Add how images were drawn: pxr:seed, pxr:temperature, pxr:log_likelihood (a mean in nats per
 * image; 0: left out). */
void pxr_caption_add_drawn(struct pxr_caption *caption, uint64_t seed, double temperature,
                           double log_likelihood);

#endif
