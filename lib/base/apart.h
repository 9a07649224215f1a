/* SPDX-License-Identifier: MIT */
/*
 * apart.h - work in a process of its own, within limits: for code that may crash, end the program,
 * take all memory, or never come back.
 */
#ifndef PXR_BASE_APART_H
#define PXR_BASE_APART_H

#include <stddef.h>

/* What the two processes share. The work keeps `doing` up to date ("while it was loaded"), and may
 * leave results in `count` and `text`. */
struct pxr_apart_notes {
        char doing[256];
        int count;
        char text[1024];
};

struct pxr_apart {
        int (*work)(void *context, struct pxr_apart_notes *notes);
        void *context;
        int seconds;   /* of processor time, and ten times as many by the clock */
        size_t memory; /* bytes that it may really use */
};

enum {
        PXR_APART_FAILED = -1, /* the process could not be made: errno */
        PXR_APART_DIED = -2,   /* it did not come to its end */
};

/* Run work() in a child of this process, which must not have threads at work. Returns what work()
 * returned, from 0 to 125; or PXR_APART_DIED with `how`, which says in a few words what became of
 * it. *notes is what the child left. */
int pxr_apart(const struct pxr_apart *apart, struct pxr_apart_notes *notes, char *how, size_t size);

#endif
