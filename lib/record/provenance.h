/* SPDX-License-Identifier: MIT */
/*
 * provenance.h - what a run was made with: program, machine, libraries, git state; and processes.
 *
 * What cannot be found out is NULL and no error.
 */
#ifndef PXR_RECORD_PROVENANCE_H
#define PXR_RECORD_PROVENANCE_H

#include "record/database.h"

/* A run of this process, of which the columns of program, host and process are filled; with the
 * folder of the spec also those of git, unless that did not answer in time, or cannot be asked
 * safely. git_difference lists untracked files as "?? NAME", then the difference. NULL when out of
 * memory. */
struct pxr_run *pxr_provenance(struct pxr_arena *arena, const char *folder);

/* Is this the name of the host we are on? */
bool pxr_process_host(const char *host);

/* Is the process that a run names still at work? Only ever true for this host. */
bool pxr_process_lives(const char *host, int64_t process_id, const char *process_start);

#endif
