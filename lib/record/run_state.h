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

#endif
