/* SPDX-License-Identifier: MIT */
/*
 * jobs.h - sweeps and their jobs in the run database.
 *
 * A sweep has a job for each of its runs, told apart by the hash of the resolved spec. A job that
 * is 'running' belongs to the process that took it up last: who took it up before can change it no
 * more. It says again and again that it is at work, so that others, on whatever host, notice when
 * it is no more. Functions return 0 or -1 unless said otherwise.
 */
#ifndef PXR_RECORD_JOBS_H
#define PXR_RECORD_JOBS_H

#include "record/database.h"
#include "record/provenance.h"

enum {
        PXR_JOB_HEARTBEAT = 60, /* seconds from one sign of life to the next */
        PXR_JOB_SILENCE = 600,  /* without any: clocks of hosts may differ by some minutes */
};

enum pxr_job_state { PXR_JOB_WAITING, PXR_JOB_RUNNING, PXR_JOB_FINISHED, PXR_JOB_FAILED };

/* A row of table `job`, with what is needed of its run. */
struct pxr_job {
        int64_t id, number;
        const char *spec_hash;
        const char *varied; /* JSON */
        int rung;
        bool wanted;
        enum pxr_job_state state;
        int64_t failures, taken;
        const char *message;
        double seconds;
        const char *host; /* of the sweep that has it, as has a run */
        int64_t process_id;
        const char *process_start;
        bool silent;      /* nothing was heard of that sweep for PXR_JOB_SILENCE */
        const char *task; /* of a cluster, that has or had it: "slurm 12_3"; NULL: none */
        int64_t run;      /* 0: none */
        const char *run_status, *run_host;
        int64_t run_process_id;
        const char *run_process_start;
        double nats, bits, standard_error; /* final validation NLL; NAN: none */
        const char *suspect;
        bool archived; /* its run: it is none of the best */
};

/* Find the sweep of this name, or make it; its definition becomes the one given. */
int pxr_store_take_sweep(struct pxr_store *store, const char *name, const char *search,
                         const char *definition, int64_t *sweep, struct pxr_diag *diag);

/* A sweep's jobs, by number. */
int pxr_store_jobs(struct pxr_store *store, struct pxr_arena *arena, int64_t sweep,
                   struct pxr_job **jobs, int *count, struct pxr_diag *diag);

/* Of a sweep's runs that have on record what their model computes, the newest of each set of
 * plugins: their numbers, in memory of the arena. Returns 0 or -1. */
int pxr_store_builds_of_sweep(struct pxr_store *store, struct pxr_arena *arena, const char *name,
                              int64_t **runs, int *count, struct pxr_diag *diag);

/* Record a new job, with the sweep's next number, which goes to job->number, as job->id. */
int pxr_store_add_job(struct pxr_store *store, int64_t sweep, struct pxr_job *job,
                      struct pxr_diag *diag);

/* Is a job still in the sweep's file? */
int pxr_store_want_job(struct pxr_store *store, int64_t job, bool wanted, struct pxr_diag *diag);

/* Take a job up, as it was when read, for the process that `now` names, which is `task` of a
 * cluster (NULL: none). 1: done, job->taken is ours; 0: another process was first. */
int pxr_store_take_job(struct pxr_store *store, struct pxr_job *job,
                       const struct pxr_provenance *now, const char *task, struct pxr_diag *diag);

/* A sign of life of who has taken a job up. */
int pxr_store_hold_job(struct pxr_store *store, int64_t job, int64_t taken, struct pxr_diag *diag);

/* What has become of a job that was taken up: job->state, run, failures, message and seconds. A job
 * that another process has taken up since stays as it is. */
int pxr_store_leave_job(struct pxr_store *store, const struct pxr_job *job, struct pxr_diag *diag);

/* Forget the failures of a sweep's jobs: they are tried again as often as new ones. */
int pxr_store_retry_jobs(struct pxr_store *store, int64_t sweep, struct pxr_diag *diag);

/* Record an array of tasks that a cluster has been given for a sweep. */
int pxr_store_add_task_array(struct pxr_store *store, int64_t sweep, const char *launcher,
                             int64_t array, int64_t tasks, struct pxr_diag *diag);

/* The numbers of a sweep's arrays, in order. */
int pxr_store_task_arrays(struct pxr_store *store, struct pxr_arena *arena, int64_t sweep,
                          const char *launcher, int64_t **arrays, int *count,
                          struct pxr_diag *diag);

/* The job that a run is for: its number in table `job`, and job.taken at the time. */
struct pxr_job_ticket {
        int64_t job; /* 0: none */
        int64_t taken;
};

/* Is the job taken up by process `holder`? Fills in ticket->taken. */
int pxr_store_check_job(struct pxr_store *store, struct pxr_job_ticket *ticket, int64_t holder,
                        struct pxr_diag *diag);

/* Make a run the job's. An error when another process has taken the job up since, or when the run
 * has another spec than the job. */
int pxr_store_link_job(struct pxr_store *store, const struct pxr_job_ticket *ticket, int64_t run,
                       const char *spec_hash, struct pxr_diag *diag);

#endif
