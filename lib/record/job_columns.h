/* SPDX-License-Identifier: MIT */
/*
 * job_columns.h - what is read of a job and its run: one line a field of struct pxr_job (jobs.h).
 *
 * Include it with COLUMN(kind, name, sql) defined; run_columns.h tells the kinds. ?2 is
 * PXR_JOB_SILENCE.
 */
/* clang-format off */
COLUMN(INTEGER, id, "job.id")
COLUMN(INTEGER, number, "number")
COLUMN(TEXT, spec_hash, "job.spec_hash")
COLUMN(TEXT, varied, "varied") /* JSON */
COLUMN(SMALL, rung, "rung")
COLUMN(FLAG, listed, "listed")
COLUMN(SMALL, state, "CASE state WHEN 'running' THEN 1 WHEN 'finished' THEN 2 WHEN 'failed' THEN 3 ELSE 0 END") /* enum pxr_job_state */
COLUMN(INTEGER, failures, "failures")
COLUMN(INTEGER, claims, "job.claims")
COLUMN(OPTIONAL, message, "job.message")
COLUMN(REAL, seconds, "seconds")
COLUMN(OPTIONAL, host, "job.host") /* of the pxr-sweep that claimed it, as the next two */
COLUMN(INTEGER, process_id, "job.process_id")
COLUMN(OPTIONAL, process_start, "job.process_start")
COLUMN(FLAG, silent, "seen_at < datetime('now', -?2 || ' seconds')") /* its claim was not renewed */
COLUMN(OPTIONAL, task, "task") /* of a cluster: "slurm 12_3"; NULL: none */
COLUMN(INTEGER, run, "job.run") /* 0: none */
COLUMN(OPTIONAL, run_status, "run.status")
COLUMN(OPTIONAL, run_host, "run.host")
COLUMN(INTEGER, run_process_id, "run.process_id")
COLUMN(OPTIONAL, run_process_start, "run.process_start")
COLUMN(REAL, nats, "nats_per_image") /* final validation NLL; NAN: none */
COLUMN(REAL, bits, "bits_per_dimension")
COLUMN(REAL, standard_error, "standard_error")
COLUMN(OPTIONAL, suspect, "suspect")
COLUMN(FLAG, archived, "run.archived_at IS NOT NULL") /* then it cannot be the best */
/* clang-format on */
#undef COLUMN
