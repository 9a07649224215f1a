/* SPDX-License-Identifier: MIT */
/*
 * jobs.h - sweeps and their jobs in the run database.
 *
 * A sweep has one job per run, identified by the hash of the resolved spec. A 'running' job belongs
 * to the process that claimed it last; earlier claims cannot change it. The claim is renewed
 * periodically, so that other hosts notice when its process is gone. Functions return 0 or -1
 * unless said otherwise.
 */
#ifndef PXR_RECORD_JOBS_H
#define PXR_RECORD_JOBS_H

#include "record/database.h"
#include "record/provenance.h"

enum {
        PXR_JOB_HEARTBEAT = 60, /* seconds between renewals of a claim */
        PXR_JOB_SILENCE = 600,  /* until a claim expires: clocks of hosts may differ by minutes */
};

enum pxr_job_state { PXR_JOB_WAITING, PXR_JOB_RUNNING, PXR_JOB_FINISHED, PXR_JOB_FAILED };

/* A row of table `job`, with what is needed of its run. */
struct pxr_job {
#define COLUMN(kind, name, sql) PXR_COLUMN_##kind name;
#include "record/job_columns.h"
};

/* Find or create the sweep of this name, and set its definition. */
int pxr_store_add_sweep(struct pxr_store *store, const char *name, const char *search,
                        const char *definition, int64_t *sweep, struct pxr_diag *diag);

/* A sweep's jobs, by number. With `best_first` those in its file alone: the best validation NLL
 * first, then those that are suspect or archived or have none, by number. */
int pxr_store_jobs(struct pxr_store *store, struct pxr_arena *arena, int64_t sweep, bool best_first,
                   struct pxr_job **jobs, int *count, struct pxr_diag *diag);

/* The newest run with a fingerprint for each set of plugins that a sweep's runs used. */
int pxr_store_builds_of_sweep(struct pxr_store *store, struct pxr_arena *arena, const char *name,
                              int64_t **runs, int *count, struct pxr_diag *diag);

/* Record a job that is in the sweep's file, with the sweep's next number if it is new. Sets job->id
 * and job->number. */
int pxr_store_add_job(struct pxr_store *store, int64_t sweep, struct pxr_job *job,
                      struct pxr_diag *diag);

/* Record whether a job is in the sweep's file; spec_hash NULL: of all jobs. */
int pxr_store_list_job(struct pxr_store *store, int64_t sweep, const char *spec_hash, bool listed,
                       struct pxr_diag *diag);

/* Claim a job, unless it changed since it was read, for the process `now`, which is `task` of a
 * cluster (NULL: none). Returns 1, 0 if another process was first, or -1. */
int pxr_store_claim_job(struct pxr_store *store, struct pxr_job *job, const struct pxr_run *now,
                        const char *task, struct pxr_diag *diag);

/* Renew all claims of the process `now`. */
int pxr_store_keep_claims(struct pxr_store *store, const struct pxr_run *now,
                          struct pxr_diag *diag);

/* Record the outcome of a claimed job: job->state, run, failures, message and seconds. Does nothing
 * if another process has claimed it since. */
int pxr_store_release_job(struct pxr_store *store, const struct pxr_job *job,
                          struct pxr_diag *diag);

/* Reset the failures of a sweep's jobs, so that they are tried again. */
int pxr_store_retry_jobs(struct pxr_store *store, int64_t sweep, struct pxr_diag *diag);

/* Record an array of tasks that was submitted to a cluster for a sweep. */
int pxr_store_add_task_array(struct pxr_store *store, int64_t sweep, const char *launcher,
                             int64_t array, int64_t tasks, struct pxr_diag *diag);

/* The numbers of a sweep's arrays, in order. */
int pxr_store_task_arrays(struct pxr_store *store, struct pxr_arena *arena, int64_t sweep,
                          const char *launcher, int64_t **arrays, int *count,
                          struct pxr_diag *diag);

/* The job that a run is for: its id, and job.claims at that time. */
struct pxr_job_ticket {
        int64_t job; /* 0: none */
        int64_t claim;
};

/* The environment variable by which a process shows the runs it starts that it has claimed a job;
 * and its value for a job that was just claimed. */
extern const char pxr_claim_variable[];
char *pxr_claim_text(struct pxr_arena *arena, const struct pxr_job *job, const struct pxr_run *now);

/* Check that `claim`, the value of that variable (NULL: not set), is the job's last, and that the
 * process that has claimed it lives, if it is of this host. Sets ticket->claim. */
int pxr_store_check_job(struct pxr_store *store, struct pxr_job_ticket *ticket, const char *claim,
                        struct pxr_diag *diag);

/* Record `run` as the job's run. An error if another process has claimed the job since, or if the
 * run's spec is not the job's. */
int pxr_store_link_job(struct pxr_store *store, const struct pxr_job_ticket *ticket, int64_t run,
                       const char *spec_hash, struct pxr_diag *diag);

#endif
