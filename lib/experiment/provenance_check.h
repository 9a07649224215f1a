/* SPDX-License-Identifier: MIT */
/*
 * provenance_check.h - whether data, layers, program and what they compute are still those that a
 * run was made with.
 */
#ifndef PXR_EXPERIMENT_PROVENANCE_CHECK_H
#define PXR_EXPERIMENT_PROVENANCE_CHECK_H

#include "experiment/experiment.h"
#include "record/database.h"
#include "record/provenance.h"

/* What is here, compared with what a run was made with. */
struct pxr_build {
        struct pxr_run *now; /* this process */
        bool program;        /* version and revision of pxr are the run's */
        const char *plugins; /* the model's that are other files, with their versions or else their
                                hashes: "conv a982d8ce (here 36066ac8), relu 0.9 (here 1.0)" */
        const char *few;     /* the first of them, for a message */
        bool versions;       /* one has another version */
        bool known;          /* all that the run's model computed is on record */
};

/* What the run's model is for: drawing and decoding; training of another run like it; resuming it,
 * which takes the same versions of all layers. */
enum pxr_reuse { PXR_TO_DRAW, PXR_TO_TRAIN, PXR_TO_RESUME };

/* Whether the layers still make the model on record, by its certificate, and compute what it did
 * (model/fingerprint.h). Other builds of the same are allowed: *build lists them. Returns 0 or -1.
 */
int pxr_check_model(struct pxr_arena *arena, struct pxr_store *store, const struct pxr_run *run,
                    const struct pxr_experiment *experiment, enum pxr_reuse purpose,
                    struct pxr_build *build, struct pxr_diag *diag);

/* Whether a data set, by its identity, is the one that the run was trained on. Returns 0 or -1. */
int pxr_check_data(const struct pxr_run *run, const char *identity, struct pxr_diag *diag);

/* What another build means for the results. */
const char *pxr_build_text(const struct pxr_build *build);

/* "pxr 0.1.0 of revision 1a2b3c4"; the revision may be NULL. */
const char *pxr_program_text(struct pxr_arena *arena, const char *version, const char *revision);

#endif
