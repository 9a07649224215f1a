/* SPDX-License-Identifier: MIT */
/*
 * run.h - a run: training, evaluation and samples of an experiment, all of it on record.
 */
#ifndef PXR_EXPERIMENT_RUN_H
#define PXR_EXPERIMENT_RUN_H

#include "base/progress.h"
#include "experiment/experiment.h"
#include "record/database.h"
#include "record/jobs.h"
#include "train/evaluate.h"

/* Follows a run. Any function may be NULL. */
struct pxr_run_observer {
        struct pxr_observer base; /* its context is that of all functions */
        /* An NLL was recorded. */
        void (*nll)(void *context, double epoch, const char *split, const struct pxr_nll *nll,
                    const char *suspect, bool final);
        /* A picture was recorded. */
        void (*picture)(void *context, int64_t run, const char *kind, int64_t step, const void *png,
                        size_t size);
};

struct pxr_run_order {
        struct pxr_experiment *experiment;
        struct pxr_store *store;
        const char *folder;            /* of the spec: whose git state is recorded */
        const char *command_line;      /* for the record */
        const struct pxr_run *resume;  /* NULL: a new run */
        const char *extension;         /* "train.epochs=N": it is finished, and to be extended */
        const struct pxr_run *repeats; /* that a new run is to be the same as; NULL: none */
        struct pxr_job_ticket job;     /* of a sweep, that a new run is for */
        int threads;
        struct pxr_ranks *ranks; /* that share the work, all agreed (share.h); NULL: none */
        struct pxr_run_observer observer;
};

enum pxr_run_end { PXR_RUN_FINISHED, PXR_RUN_INTERRUPTED };

/* Run an experiment, or resume it. *id becomes the run's number as soon as there is one. Returns an
 * enum pxr_run_end, or -1 after an error; either way the run is on record, with all that was
 * reached up to then. */
int pxr_run(const struct pxr_run_order *order, int64_t *id, struct pxr_diag *diag);

#endif
