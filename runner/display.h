/* SPDX-License-Identifier: MIT */
/*
 * display.h - shows the progress of long work: a bar on the last line of a terminal, or a plain
 * line every ten seconds.
 */
#ifndef PXR_RUNNER_DISPLAY_H
#define PXR_RUNNER_DISPLAY_H

#include <stdio.h>

#include "base/progress.h"
#include "pxr/diag.h"

struct display {
        struct pxr_observer observer; /* to hand to the work; asks it to stop after a signal */
        FILE *lines;                  /* where notes and other lines go; NULL: show nothing */
        bool terminal, bar;
        double next; /* when to draw again */
        char what[64];
        int64_t first, last; /* done when this work began, and at the last report */
        double began;
};

void display_init(struct display *display, FILE *lines);

/* The observer's function; `display` is a struct display. */
bool display_progress(void *display, const struct pxr_progress *progress);

/* Print a line above the bar. */
void display_line(struct display *display, const char *format, ...) PXR_PRINTF(2, 3);

/* Clear the bar. */
void display_end(struct display *display);

/* "1:05:09", "5:09"; "-:--" for a time that is unknown or over three years. */
void display_write_time(double seconds, char *text, size_t size);

/* "4.1 GB"; in a static buffer that is reused at the fourth call from then. */
const char *display_size(double bytes);

/* "  (epoch 3)"; in a static buffer that is reused at the next call. */
const char *display_epoch(double epoch);

#endif
