/* SPDX-License-Identifier: MIT */
/*
 * schedule.h - running a sweep: its jobs in the database, one process each, here or on a cluster.
 *
 * All that is decided is in the database: a sweep that was stopped or killed goes on where it was
 * when it is run again, and several processes can work on one sweep.
 */
#ifndef PXR_SWEEP_SCHEDULE_H
#define PXR_SWEEP_SCHEDULE_H

#include <signal.h>

#include "experiment/run.h"
#include "record/jobs.h"
#include "sweep/sweep.h"

/* How a sweep stands. */
struct pxr_sweep_state {
        int64_t sweep;                          /* in the database; 0: not there yet */
        int known;                              /* jobs so far; halving adds to them */
        int waiting, running, finished, failed; /* of them; running: here */
        int elsewhere;                          /* ... in another process, one of them: */
        char elsewhere_host[65];
        int64_t elsewhere_process;
        char array[64];      /* "12": of the cluster, with tasks yet to end; "": none */
        int dying;           /* whose sweep was killed, and whose run is about to end */
        double seconds;      /* that all have taken */
        double seconds_left; /* of the jobs known; NAN: not known yet */
};

/* Who watches a sweep. Any function may be NULL. */
struct pxr_sweep_watcher {
        void *context;
        /* A job has been begun, or gone on with. */
        void (*begun)(void *context, const struct pxr_job *job, const struct pxr_trial *trial);
        /* A job's run has ended: job->state says how; 'waiting' after a failure: it is tried again,
         * after none: it was interrupted. */
        void (*ended)(void *context, const struct pxr_job *job, const struct pxr_trial *trial,
                      double seconds);
        void (*progress)(void *context, const struct pxr_sweep_state *state);
        void (*note)(void *context, const char *text);
};

/* Where the runs are made. */
enum pxr_launcher {
        PXR_LAUNCH_LOCAL, /* here, as processes of their own */
        PXR_LAUNCH_SLURM, /* on a cluster, as tasks of a job array */
};

struct pxr_sweep_order {
        struct pxr_sweep *sweep;
        const struct pxr_plan *plan;
        struct pxr_store *store;
        const char *database; /* path of the store */
        const char *program;  /* path of pxr-run */
        int jobs;             /* at a time */
        int threads;          /* of each */
        bool retry;           /* failed jobs are given new tries */
        enum pxr_launcher launcher;
        const char *task; /* local: run one job at most, as this task of a cluster; NULL: all */
        /* Of a cluster: */
        const char *task_program;          /* path of pxr-sweep, and what it is given: */
        const char *const *task_arguments; /* the sweep and its overrides, NULL-ended */
        const char *const *options;        /* for sbatch, NULL-ended */
        bool no_wait;                      /* submit, and leave the rest to the tasks */
        const volatile sig_atomic_t *stop;
        struct pxr_sweep_watcher watcher;
};

enum pxr_sweep_end {
        PXR_SWEEP_DONE,        /* no job is left to do here */
        PXR_SWEEP_INTERRUPTED, /* runs were saved */
        PXR_SWEEP_LEFT,        /* to tasks of a cluster, which go on */
        PXR_SWEEP_SPENT,       /* the budget is used up, and jobs are left */
};

/* Does Slurm answer? To be asked before a database is made for nothing. Returns 0 or -1. */
int pxr_sweep_find_slurm(struct pxr_arena *arena, struct pxr_diag *diag);

/* Run what is left of a sweep. *state is how it stands at the end. Returns an enum pxr_sweep_end,
 * or -1 after an error, also when the first jobs all failed of the same. */
int pxr_sweep_run(const struct pxr_sweep_order *order, struct pxr_sweep_state *state,
                  struct pxr_diag *diag);

/* For a run that pxr-sweep starts: make it the job's, and let it end when the sweep does. Refused
 * when the parent process has not taken that job up. Returns 0 or -1. */
int pxr_sweep_attend(struct pxr_run_order *order, int64_t job, struct pxr_diag *diag);

/* The jobs of a sweep (its state.sweep) that are in its file: best validation NLL first, then those
 * that are suspect or have none, by number. Returns 0 or -1. */
int pxr_sweep_best(struct pxr_store *store, struct pxr_arena *arena, int64_t sweep,
                   struct pxr_job **jobs, int *count, struct pxr_diag *diag);

#endif
