/* SPDX-License-Identifier: MIT */
/*
 * schedule.h - running a sweep: its jobs in the database, each a process here or on a cluster.
 *
 * All state is in the database: a sweep that was stopped or killed continues when it is run again,
 * and several processes can work on one sweep.
 */
#ifndef PXR_SWEEP_SCHEDULE_H
#define PXR_SWEEP_SCHEDULE_H

#include "experiment/run.h"
#include "record/jobs.h"
#include "sweep/sweep.h"

/* How a sweep stands. */
struct pxr_sweep_state {
        int64_t sweep;                          /* in the database; 0: not yet */
        int known;                              /* jobs so far; halving adds to them */
        int waiting, running, finished, failed; /* of them; running: here */
        int elsewhere;                          /* ... in another process, one of them: */
        char elsewhere_host[65];
        int64_t elsewhere_process;
        char array[64];      /* "12": of the cluster, with tasks yet to end; "": none */
        int ending;          /* whose sweep was killed, and whose run is about to end */
        double seconds;      /* taken by all runs */
        double seconds_left; /* of the jobs known; NAN: not known yet */
};

/* Called while a sweep runs. Any function may be NULL. */
struct pxr_sweep_observer {
        struct pxr_observer base; /* its context is that of all functions */
        /* A job's run has ended. job->state is 'waiting' after a failure that will be retried, and
         * after an interruption, without a message. */
        void (*ended)(void *context, const struct pxr_job *job, const struct pxr_trial *trial,
                      double seconds);
};

/* Where runs are made. */
enum pxr_launcher {
        PXR_LAUNCH_LOCAL, /* here, as processes */
        PXR_LAUNCH_SLURM, /* on a cluster, as tasks of a job array */
};

struct pxr_sweep_options {
        struct pxr_sweep *sweep;
        const struct pxr_plan *plan;
        struct pxr_store *store;
        const char *database; /* path of the store */
        const char *program;  /* path of pxr-run */
        int jobs;             /* at a time */
        int ranks;            /* of each, joined by MPI if more than 1 */
        const char *mpirun;   /* command that starts ranks: words between spaces */
        int threads;          /* of each rank */
        bool retry;           /* give failed jobs new tries */
        enum pxr_launcher launcher;
        const char *task; /* local: run at most one job, as this cluster task; NULL: run all */
        /* Of a cluster: */
        const char *task_program;          /* path of pxr-sweep, and its arguments: */
        const char *const *task_arguments; /* the sweep and its overrides, NULL-ended */
        const char *const *sbatch_options; /* NULL-ended */
        bool no_wait;                      /* submit tasks and return */
        struct pxr_sweep_observer observer;
};

enum pxr_sweep_end {
        PXR_SWEEP_DONE,        /* no job is left to run here */
        PXR_SWEEP_INTERRUPTED, /* runs were saved */
        PXR_SWEEP_LEFT,        /* cluster tasks are still at work */
        PXR_SWEEP_SPENT,       /* the budget is used up, and jobs are left */
};

/* Whether Slurm answers; to be asked before a database is created in vain. Returns 0 or -1. */
int pxr_sweep_find_slurm(struct pxr_arena *arena, struct pxr_diag *diag);

/* Run what is left of a sweep. *state is how it stands at the end. Returns an enum pxr_sweep_end,
 * or -1 after an error, also when the first jobs all failed with the same error. */
int pxr_sweep_run(const struct pxr_sweep_options *options, struct pxr_sweep_state *state,
                  struct pxr_diag *diag);

/* For a run that pxr-sweep started: make it the job's, and end it when its sweep ends. Refused
 * unless the environment has the claim of that job (jobs.h). Returns 0 or -1. */
int pxr_sweep_attend(struct pxr_run_order *order, int64_t job, struct pxr_diag *diag);

#endif
