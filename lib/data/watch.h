/* SPDX-License-Identifier: MIT */
/*
 * watch.h - following long work on data: fetching, verifying, converting.
 */
#ifndef PXR_DATA_WATCH_H
#define PXR_DATA_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct pxr_data_watcher {
        void *context;

        /* So many of `all` (0: unknown) bytes or images are done. Called often. Returning true
         * stops the work. */
        bool (*progress)(void *context, const char *what, int64_t done, int64_t all,
                         const char *unit);

        /* Something worth a line: a lost connection, a finished file. */
        void (*note)(void *context, const char *text);
};

/* `watcher` may be NULL, and so may its functions. */
static inline bool pxr_watch_progress(const struct pxr_data_watcher *watcher, const char *what,
                                      int64_t done, int64_t all, const char *unit)
{
        return watcher && watcher->progress &&
               watcher->progress(watcher->context, what, done, all, unit);
}

static inline void pxr_watch_note(const struct pxr_data_watcher *watcher, const char *text)
{
        if (watcher && watcher->note)
                watcher->note(watcher->context, text);
}

#endif
