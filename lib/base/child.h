/* SPDX-License-Identifier: MIT */
/*
 * child.h - running a task in a child process within limits: for code that may crash, exit, take
 * all memory, or never return.
 */
#ifndef PXR_BASE_CHILD_H
#define PXR_BASE_CHILD_H

#include <stddef.h>

/* Memory shared by the two processes. The task keeps `doing` up to date ("while it was loaded"),
 * and may leave results in `count`, `shown` and `text`. */
struct pxr_child_notes {
        char doing[256];
        int count, shown;
        char text[1024];
};

struct pxr_task {
        int (*work)(void *context, struct pxr_child_notes *notes);
        void *context;
        int seconds;   /* limit of processor time; that of wall time is ten times as long */
        size_t memory; /* limit of resident memory in bytes */
};

enum {
        PXR_CHILD_FAILED = -1, /* the process could not be started: errno */
        PXR_CHILD_DIED = -2,   /* it did not return from the task */
};

/* Run task->work() in a child of this process, which must not have other threads. Returns what
 * work() returned, from 0 to 125; or PXR_CHILD_DIED, with the reason in `how`. *notes is what the
 * child left. */
int pxr_child_run(const struct pxr_task *task, struct pxr_child_notes *notes, char *how,
                  size_t size);

#endif
