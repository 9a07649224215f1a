/* SPDX-License-Identifier: MIT */
/*
 * caption.h - where a picture comes from, as the texts kept in its PNG.
 */
#ifndef PXR_EXPERIMENT_CAPTION_H
#define PXR_EXPERIMENT_CAPTION_H

#include "data/png.h"
#include "experiment/recorded.h"
#include "record/database.h"

struct pxr_caption {
        const char *title; /* "samples" */
        int64_t run;
        const char *uid, *name; /* of the run */
        int64_t step;           /* of the parameters */
        const char *parameter_hash;
        uint64_t seed;
        double temperature;    /* 0: nothing is drawn, and there is no seed either */
        double log_likelihood; /* of what is drawn, a mean in nats per image */
        const char *given;     /* what was given to the model, in words; NULL: nothing */
        const char *occluded;  /* as pxr_occlusion_read() reads it; NULL: nothing */
        const char *images;    /* that were completed or evaluated, in words; NULL: none */
};

/* What a picture of a recorded run has from the run; the rest is the caller's to fill in. */
struct pxr_caption pxr_recorded_caption(const struct pxr_recorded *recorded, const char *title);

/* The texts: Title, Software, and pxr:run, pxr:uid, pxr:name, pxr:step, pxr:seed, pxr:temperature,
 * pxr:log_likelihood, pxr:parameters (their SHA-256), pxr:nll (of that step, the result before
 * those along the way, once it is on record), pxr:given, pxr:occluded and pxr:images. NULL after an
 * error. */
struct pxr_png_text *pxr_caption_texts(struct pxr_arena *arena, struct pxr_store *store,
                                       const struct pxr_caption *caption, int *count,
                                       struct pxr_diag *diag);

#endif
