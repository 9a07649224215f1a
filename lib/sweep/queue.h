/* SPDX-License-Identifier: MIT */
/*
 * queue.h - the jobs of a sweep: which there are to be, how each stands, which is next, and what an
 * end makes of one. For schedule.c and those that launch jobs: local.c and slurm.c.
 *
 * Every decision is taken within a transaction, from the rows as they are then.
 */
#ifndef PXR_SWEEP_QUEUE_H
#define PXR_SWEEP_QUEUE_H

#include "sweep/child.h"
#include "sweep/schedule.h"

enum {
        PXR_RUN_SAVED = 130, /* exit status of a run that was interrupted, and saved */
        PXR_RUN_REFUSED = 2, /* ... of one with a mistake in it */
};

/* A job at work here. */
struct pxr_slot {
        bool used, told; /* to stop */
        bool resumed;
        struct pxr_child child;
        int64_t job, taken;
        const struct pxr_trial *trial;
};

struct pxr_queue {
        const struct pxr_sweep_order *order;
        struct pxr_diag *diag;
        int64_t sweep;
        const struct pxr_provenance *self;
        struct pxr_slot *slot; /* NULL: jobs run elsewhere */
        int slots;
        bool out_of_runs, out_of_time; /* of the budget */
        bool alike;                    /* the first jobs all failed of one error, which is told */
        /* What a cluster knows of the holder of a job that has a task: is it gone? NULL: nothing.
         */
        bool (*is_gone)(const void *cluster, const struct pxr_job *job);
        const void *cluster;
        struct pxr_sweep_state *state;
};

/* The jobs as they are, and memory for as long as they are looked at. */
struct pxr_view {
        struct pxr_arena *arena;
        struct pxr_job *job;
        int count;
};

/* Functions return 0 or -1 unless said otherwise. A view is closed whatever became of it. */
int pxr_view_open(struct pxr_queue *queue, struct pxr_view *view);
void pxr_view_close(struct pxr_view *view);

void pxr_queue_tell(const struct pxr_queue *queue, const char *text);

/* Find the sweep in the database, or make it, with a job for each trial of the lowest rung. */
int pxr_queue_enroll(struct pxr_queue *queue);

/* How the sweep stands: fills in queue->state, and notices that the budget of hours is used up. */
void pxr_queue_sum_up(struct pxr_queue *queue, const struct pxr_view *view);

/* Within a transaction: settle the jobs whose holder is gone. A run that had finished is finished;
 * one whose task of a cluster was lost has failed once more. */
int pxr_queue_settle(struct pxr_queue *queue, struct pxr_view *view);

/* Within a transaction: add the job that halving promotes next. 1: done, 0: there is none, or -1.
 * The view does not have it. */
int pxr_queue_promote(struct pxr_queue *queue, const struct pxr_view *view, struct pxr_job *job);

/* The jobs that can be begun, within the budget. */
int pxr_queue_free(const struct pxr_queue *queue, const struct pxr_view *view);

/* Choose a job and take it up. 1: done, 0: there is none, or -1. Opens the view. */
int pxr_queue_take(struct pxr_queue *queue, struct pxr_view *view, struct pxr_job *job);

/* What the end of its run, with that exit status, makes of a job. */
int pxr_queue_judge(struct pxr_queue *queue, const struct pxr_slot *slot, int status,
                    struct pxr_arena *arena, struct pxr_job *job);

/* When the first jobs all fail of one error, so would the rest: returns -1 with the error recorded,
 * once. `last` is one that failed; the error is not the jobs' own, and all will be tried again.
 * `refused`: the error is the user's. */
int pxr_queue_check_alike(struct pxr_queue *queue, const struct pxr_view *view,
                          const struct pxr_job *last, bool refused);

/* A validation NLL to compare, INFINITY for a run that failed; one that is flagged is as good as
 * that. */
double pxr_job_result(const struct pxr_job *job);

/* --- the ways to launch jobs: run what is left, and return an enum pxr_sweep_end or -1 --- */

int pxr_sweep_run_local(struct pxr_queue *queue);
int pxr_sweep_run_slurm(struct pxr_queue *queue);

#endif
