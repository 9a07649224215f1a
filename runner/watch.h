/* SPDX-License-Identifier: MIT */
/* watch.h - the live view of runs at work. */
#ifndef PXR_RUNNER_WATCH_H
#define PXR_RUNNER_WATCH_H

#include "runner/command.h"

/* Show the runs that p->words names, or all that are running, until they have ended, or 'q' or a
 * signal ends it. `interval`: seconds between looks; 0: 1 on a terminal, else 10. Returns the exit
 * status, or -1. */
int watch_runs(struct program *p, const char *database, double interval);

#endif
