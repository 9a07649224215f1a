/* SPDX-License-Identifier: MIT */
/*
 * order.h - what a run is to be made of, and who follows it.
 */
#ifndef PXR_EXPERIMENT_ORDER_H
#define PXR_EXPERIMENT_ORDER_H

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
        const struct pxr_run *repeats; /* that a new run is to be the same as; NULL: none */
        struct pxr_job_ticket job;     /* of a sweep, that a new run is for */
        int threads;
        struct pxr_run_observer observer;
};

#endif
