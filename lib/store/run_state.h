/* SPDX-License-Identifier: MIT */
/*
 * run_state.h - the state that a run is in, which its row alone cannot tell.
 *
 * A process that is killed says nothing: its run is on record as 'running' for ever. One of this
 * host whose process is gone is 'killed'. Of other hosts nothing is known, and what is on record
 * holds. Only told, never written down. Uses provenance.h and SQLite.
 */
#ifndef PXR_STORE_RUN_STATE_H
#define PXR_STORE_RUN_STATE_H

#include "store/database.h"

/* 'killed', or the status on record. */
const char *pxr_run_state(const struct pxr_run *run);

/* The same for statements on this database, as the function of these columns. Returns 0 or -1. */
#define PXR_RUN_STATE "run_state(status, host, process_id, process_start)"
int pxr_store_know_states(struct pxr_store *store, struct pxr_diag *diag);

#endif
