/* SPDX-License-Identifier: MIT */
/* watch.h - how far runs are, read again and again while other processes train them. */
#ifndef PXR_REPORT_WATCH_H
#define PXR_REPORT_WATCH_H

#include <stdio.h>

#include "report/curves.h"

struct pxr_watched {
        int64_t run;
        const char *name;
        const char *state;    /* "running", "killed", "finished", ... */
        const char *activity; /* "training", "evaluating valid"; NULL: not known */
        const char *message;  /* why it failed or was interrupted, or NULL */
        bool bits;            /* NLLs are in bits per dimension; else in nats per image */
        double progress;      /* 0 to 1; what is not known is NAN, here and below */
        double seconds_left;
        double wall_seconds;
        double epoch;
        double train_nll; /* of the last training images */
        double valid_nll; /* of the newest evaluation */
        double result;    /* of the split `result_split` */
        const char *result_split;
        double images_per_second, rate, gradient_norm;
        struct pxr_curve curve[2]; /* training by step, and validation */
};

/* The runs that are running, at most `most`. Returns how many, or -1 after an error. */
int pxr_watch_find(struct pxr_store *store, int64_t *run, int most, struct pxr_diag *diag);

/* How far a run is. Returns 0 or -1. */
int pxr_watch_read(struct pxr_arena *arena, struct pxr_store *store, int64_t run,
                   struct pxr_watched *watched, struct pxr_diag *diag);

/* Draw its learning curve as `rows` lines of `columns` characters, the last of them the axis. The
 * training is a line of Braille dots, validation NLLs are 'o'. Does nothing where there is no room
 * or no point. */
void pxr_watch_draw(FILE *to, const struct pxr_watched *watched, int rows, int columns);

#endif
