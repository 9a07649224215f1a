/* SPDX-License-Identifier: MIT */
/*
 * display.h - shows the progress of long work: a bar on the last line of a terminal, or a plain
 * line every ten seconds.
 */
#ifndef PXR_RUNNER_DISPLAY_H
#define PXR_RUNNER_DISPLAY_H

#include <stdio.h>

#include "base/progress.h"
#include "tensor/graph.h"

/* From now on notes and other lines go to `lines`; NULL: show nothing. */
void display_begin(FILE *lines);

/* To hand to the work: shows its progress and notes, and asks it to stop after a signal. */
extern const struct pxr_observer display;

/* Print a line above the bar. */
void display_line(const char *format, ...) PXR_PRINTF(1, 2);

/* Print a line if drawing from the model, or decoding, is slow. */
void display_slow(const struct pxr_graph *graph);

/* Clear the bar. */
void display_end(void);

/* After work that returned 0, 1 when it was stopped, or -1 after an error: clear the bar, and say
 * so if it was stopped. Returns an exit status, or -1. */
int display_stopped(int status);

#endif
