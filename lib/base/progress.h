/* SPDX-License-Identifier: MIT */
/*
 * progress.h - how long work reports how far it is.
 */
#ifndef PXR_BASE_PROGRESS_H
#define PXR_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Numbers that are not known are 0. */
struct pxr_progress {
        const char *what; /* "training", "evaluating", or the name of a file */
        const char *unit; /* that is counted: "images", "bytes" */
        int64_t done, all;
        double epoch;
        double rate;         /* units a second, lately; unknown: the observer may measure it */
        double nll;          /* of this epoch so far */
        bool in_bits;        /* ... in bits per dimension; else in nats per image */
        double seconds_left; /* to the end of the whole run; unknown: as `rate` */
        const char *detail;  /* more to show, or NULL */
};

/* Called often, by one thread at a time. Returns true to ask the work to stop. */
typedef bool pxr_progress_function(void *context, const struct pxr_progress *progress);

/* Either function may be NULL, and so may a pointer to the observer. */
struct pxr_observer {
        void *context;
        pxr_progress_function *progress;
        void (*note)(void *context, const char *text); /* an event: "lost the connection" */
};

static inline bool pxr_observe(const struct pxr_observer *observer,
                               const struct pxr_progress *progress)
{
        return observer && observer->progress && observer->progress(observer->context, progress);
}

static inline bool pxr_observe_count(const struct pxr_observer *observer, const char *what,
                                     const char *unit, int64_t done, int64_t all)
{
        return pxr_observe(
                observer,
                &(struct pxr_progress) { .what = what, .unit = unit, .done = done, .all = all });
}

static inline void pxr_observe_note(const struct pxr_observer *observer, const char *text)
{
        if (observer && observer->note)
                observer->note(observer->context, text);
}

#endif
