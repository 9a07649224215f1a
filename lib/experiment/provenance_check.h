/* SPDX-License-Identifier: MIT */
/*
 * provenance_check.h - whether data, plugins, program, model and what it computes are still those
 * that a run was made with.
 */
#ifndef PXR_EXPERIMENT_PROVENANCE_CHECK_H
#define PXR_EXPERIMENT_PROVENANCE_CHECK_H

#include "model/certificate.h"
#include "record/database.h"
#include "record/provenance.h"

/* What is here beside what a run was made with. */
struct pxr_build {
        const struct pxr_provenance *now;
        bool program;        /* version and revision of pxr are the run's */
        const char *plugins; /* the model's that are other files, with their versions or else their
                                hashes: "conv a982d8ce (here 36066ac8), relu 0.9 (here 1.0)" */
        const char *few;     /* the first of them, for a message */
        bool versions;       /* one has another version */
        bool known;          /* is all of it on record what the run's model computed? */
};

/* Compare files and versions; `known` is left false. Returns 0 or -1. */
int pxr_compare_build(struct pxr_arena *arena, struct pxr_store *store, const struct pxr_run *run,
                      const struct pxr_model *model, struct pxr_build *build,
                      struct pxr_diag *diag);

/* Is a data set, by its identity, the one that the run was trained on? Returns 0 or -1. */
int pxr_check_data(const struct pxr_run *run, const char *identity, struct pxr_diag *diag);

/* Do the layers still make the model that the run has on record? Returns 0 or -1. */
int pxr_check_certificate(const struct pxr_run *run, const struct pxr_certificate *certificate,
                          struct pxr_diag *diag);

/* Do they still compute what the run's did (model/fingerprint.h): for `training` all of it, else
 * what drawing and decoding use? Sets build->known. Returns 0, or -1 where it is on record and they
 * do not. */
int pxr_check_fingerprint(const struct pxr_run *run, const struct pxr_model *model, bool training,
                          struct pxr_build *build, struct pxr_diag *diag);

/* What another build means where those found nothing, in words. */
const char *pxr_build_words(const struct pxr_build *build);

#endif
