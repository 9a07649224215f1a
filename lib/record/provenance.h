/* SPDX-License-Identifier: MIT */
/*
 * provenance.h - what a run was made with: program, machine, libraries, git state; and processes.
 *
 * What cannot be found out is NULL and no error.
 */
#ifndef PXR_RECORD_PROVENANCE_H
#define PXR_RECORD_PROVENANCE_H

#include <stdbool.h>
#include <stdint.h>

#include <pxr/arena.h>

struct pxr_provenance {
        const char *program_version, *program_revision;
        const char *git_revision; /* of the folder asked about */
        /* What is not committed there: untracked files as "?? NAME", then the difference; NULL also
         * where git did not say in time, or cannot be asked safely. */
        const char *git_difference;
        const char *host, *processor, *instruction_set, *libraries;
        int64_t process_id;
        const char *process_start; /* with the id, names a process for good */
};

/* Gather it; `folder` is where the spec lies, NULL: git is not asked. NULL when memory is out. */
struct pxr_provenance *pxr_provenance(struct pxr_arena *arena, const char *folder);

/* Is this the name of the host we are on? */
bool pxr_process_host(const char *host);

/* Is the process that a run names still at work? Only ever true for this host. */
bool pxr_process_lives(const char *host, int64_t process_id, const char *process_start);

#endif
