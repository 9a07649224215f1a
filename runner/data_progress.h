/* SPDX-License-Identifier: MIT */
/*
 * data_progress.h - showing how far work on data is: a bar on a terminal, plain lines otherwise.
 */
#ifndef PXR_RUNNER_DATA_PROGRESS_H
#define PXR_RUNNER_DATA_PROGRESS_H

#include <signal.h>

#include "data/watch.h"

struct data_progress {
        bool quiet;
        const volatile sig_atomic_t *stop; /* set by a signal */
        struct pxr_data_watcher watcher;   /* to be handed to the work */

        /* Of its own. */
        bool terminal, bar;
        char what[64];
        int64_t first; /* done when it began */
        double began, next;
};

void data_progress_init(struct data_progress *progress, bool quiet,
                        const volatile sig_atomic_t *stop);

/* Take the bar away. */
void data_progress_end(struct data_progress *progress);

/* "4.1 GB": in a buffer of its own that lasts until the fourth call from then. */
const char *data_size(double bytes);

#endif
