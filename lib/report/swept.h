/* SPDX-License-Identifier: MIT */
/*
 * swept.h - a sweep as it is on record: its jobs, and the value of each swept key in each of them.
 *
 * For the files of report/.
 */
#ifndef PXR_REPORT_SWEPT_H
#define PXR_REPORT_SWEPT_H

#include <math.h>

#include "record/database.h"

/* A value as it is shown; its number, NAN where it is none. */
struct pxr_swept_value {
        const char *text; /* NULL: the job is of a time when the key did not vary */
        double number;
};

struct pxr_swept_job {
        int64_t number, rung, run, failures; /* run 0: none */
        const char *state, *message, *suspect, *identity;
        double valid, test, standard_error; /* final NLLs in the sweep's unit; NAN: none */
        double epoch, seconds;
        bool archived;                       /* its run */
        const struct pxr_swept_value *value; /* [keys] */
};

struct pxr_swept_key {
        const char *name;
        bool drawn; /* from a range: few jobs, if any, have the same */
};

struct pxr_swept {
        int64_t id;
        const char *name, *search, *definition;
        const char *unit; /* "nats/image" or "bits/dim" */
        struct pxr_swept_key *key;
        int keys;
        struct pxr_swept_job *job; /* that are in its file as it was last, by number */
        int jobs;
};

/* Read the sweep of that name. NULL after an error, which names those there are when there is none
 * so called. It lives as long as the arena. */
struct pxr_swept *pxr_swept_read(struct pxr_arena *arena, struct pxr_store *store, const char *name,
                                 struct pxr_diag *diag);

/* Has it an NLL of the validation split that could be the best? */
static inline bool pxr_swept_ranks(const struct pxr_swept_job *job)
{
        return isfinite(job->valid) && !job->suspect && !job->archived;
}

/* ... or one that tells what its values do: a bad one does, one that cannot be does not. */
bool pxr_swept_counts(const struct pxr_swept_job *job);

/* Have all runs the same data, so that their NLLs can be compared? */
bool pxr_swept_comparable(const struct pxr_swept *swept);

#endif
