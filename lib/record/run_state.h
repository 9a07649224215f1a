/* SPDX-License-Identifier: MIT */
/*
 * run_state.h - the state of a run or of a sweep's job.
 *
 * The run of a process that was killed stays 'running' on record. It is shown as 'killed' if its
 * process was one of this host; processes of other hosts cannot be seen. The record does not
 * change.
 */
#ifndef PXR_RECORD_RUN_STATE_H
#define PXR_RECORD_RUN_STATE_H

#include "record/database.h"

/* 'killed', or the status on record. */
const char *pxr_run_state(const struct pxr_run *run);

/* The same in SQL: pxr_store_know_states() defines this function of these columns, and
 * process_lives(host, process_id, process_start), which is pxr_process_lives(). */
#define PXR_RUN_STATE "run_state(status, host, process_id, process_start)"

/* Of a job, LEFT JOINed with its run. When its pxr-sweep was killed, it has the state of its run,
 * which may have continued by itself. Its seconds are on record once it has ended: until then they
 * are at least those of its run. */
#define PXR_JOB_STATE                                                                  \
        "CASE run_state(job.state, job.host, job.process_id, job.process_start) "      \
        "WHEN 'killed' THEN coalesce(run_state(run.status, run.host, run.process_id, " \
        "run.process_start), 'killed') ELSE job.state END"
#define PXR_JOB_SECONDS                                                                       \
        "CASE job.state WHEN 'running' THEN max(job.seconds, coalesce(run.wall_seconds, 0)) " \
        "ELSE job.seconds END"

#endif
