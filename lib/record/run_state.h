/* SPDX-License-Identifier: MIT */
/*
 * run_state.h - the state that a run or a sweep's job is in, which its row alone cannot tell.
 *
 * A process that is killed says nothing: its run is on record as 'running' for ever. One of this
 * host whose process is gone is 'killed'. Of other hosts nothing is known, and what is on record
 * holds. Only told, never written down.
 */
#ifndef PXR_RECORD_RUN_STATE_H
#define PXR_RECORD_RUN_STATE_H

#include "record/database.h"

/* 'killed', or the status on record. */
const char *pxr_run_state(const struct pxr_run *run);

/* The same in SQL: pxr_store_know_states() defines this function of these columns, and
 * process_lives(host, process_id, process_start), which is pxr_process_lives(). */
#define PXR_RUN_STATE "run_state(status, host, process_id, process_start)"

/* Of a job, LEFT JOINed with its run. One whose pxr-sweep is gone is in the state of its run, which
 * may have gone on by itself or have been ended by that. What a job took is on record when it ends:
 * till then it is what its run did at the least. */
#define PXR_JOB_STATE                                                                  \
        "CASE run_state(job.state, job.host, job.process_id, job.process_start) "      \
        "WHEN 'killed' THEN coalesce(run_state(run.status, run.host, run.process_id, " \
        "run.process_start), 'killed') ELSE job.state END"
#define PXR_JOB_SECONDS                                                                       \
        "CASE job.state WHEN 'running' THEN max(job.seconds, coalesce(run.wall_seconds, 0)) " \
        "ELSE job.seconds END"

#endif
