/* SPDX-License-Identifier: MIT */
/*
 * queue.h - the jobs of a sweep: which there are, how each stands, which is next, and what the end
 * of a run makes of its job. For run.c and the launchers, local.c and slurm.c.
 *
 * Every decision is made within a transaction, from the rows as they are then.
 */
#ifndef PXR_SWEEP_QUEUE_H
#define PXR_SWEEP_QUEUE_H

#include "base/program.h"
#include "record/cursor.h"
#include "sweep/schedule.h"

struct pxr_queue {
        const struct pxr_sweep_options *options;
        struct pxr_diag *diag;
        int64_t sweep;
        const struct pxr_run *self;
        double seconds_here;           /* that the runs of this process have taken so far */
        bool out_of_runs, out_of_time; /* of the budget */
        bool same_error;               /* the first jobs all failed with one error: reported */
        /* Whether a cluster knows that the task of a job is gone; NULL: no cluster. */
        bool (*is_gone)(const void *cluster, const struct pxr_job *job);
        const void *cluster;
        struct pxr_sweep_state *state;
};

/* The jobs at one moment, and memory for as long as they are used. */
struct pxr_jobs {
        struct pxr_arena *arena;
        struct pxr_job *job;
        int count;
};

/* Functions return 0 or -1 unless said otherwise. pxr_jobs_free() is due whatever was returned. */
int pxr_jobs_read(struct pxr_queue *queue, struct pxr_jobs *jobs);
void pxr_jobs_free(struct pxr_jobs *jobs);

/* Report how many jobs are done; true when the sweep is asked to stop. */
bool pxr_queue_report(const struct pxr_queue *queue);

/* Find the sweep in the database, or add it, with a job for each trial of the lowest rung. */
int pxr_queue_enroll(struct pxr_queue *queue);

/* Fill in queue->state, and note when the budget of hours is used up. */
void pxr_queue_count(struct pxr_queue *queue, const struct pxr_jobs *jobs);

/* Within a transaction: settle the jobs whose process is gone. A run that had finished is finished;
 * one whose cluster task was lost has failed once more. */
int pxr_queue_settle(struct pxr_queue *queue, struct pxr_jobs *jobs);

/* Within a transaction: add the job that halving promotes next. 1: done, 0: there is none, or -1.
 * `jobs` does not include it. */
int pxr_queue_promote(struct pxr_queue *queue, const struct pxr_jobs *jobs, struct pxr_job *job);

/* The jobs, as rows of their spec_hash, that are among the best 1/`factor` of those that have ended
 * in their rung. Rungs go from the highest below the last (`rungs` - 1) downwards, and in each the
 * best is first; of equal NLLs the earlier. Those promoted already are among them. */
struct pxr_cursor pxr_halving_candidates(struct pxr_store *store, int64_t sweep, int rungs,
                                         int64_t factor, struct pxr_diag *diag);

/* How many jobs can be started, within the budget. */
int pxr_queue_ready(const struct pxr_queue *queue, const struct pxr_jobs *jobs);

/* Read the jobs, choose one and claim it. 1: done, 0: there is none, or -1. */
int pxr_queue_claim(struct pxr_queue *queue, struct pxr_jobs *jobs, struct pxr_job *job);

/* Whether a job has a run of this status. */
bool pxr_job_has_run(const struct pxr_job *job, const char *status);

/* Count a failed try, for the reason in job->message. */
void pxr_queue_count_failure(const struct pxr_queue *queue, struct pxr_job *job);

/* When the first jobs all fail with one error, so would the rest: returns -1 with the error
 * recorded, once. `last` is one that failed; all will be tried again. `refused`: the error is the
 * user's. */
int pxr_queue_check_errors(struct pxr_queue *queue, const struct pxr_jobs *jobs,
                           const struct pxr_job *last, bool refused);

/* --- the launchers: run what is left, and return an enum pxr_sweep_end or -1 --- */

int pxr_sweep_run_local(struct pxr_queue *queue, struct pxr_arena *arena);
int pxr_sweep_run_slurm(struct pxr_queue *queue, struct pxr_arena *arena);

#endif
