/* SPDX-License-Identifier: MIT */
/*
 * remember.h - digests of sets too large to read whole each time, kept between runs.
 *
 * They lie in small files in $XDG_CACHE_HOME/pxr, or else ~/.cache/pxr, that may be deleted at
 * any time. A key must hash everything the digests depend on: for files, their names, sizes,
 * inodes and times of last change (ctime, which no program can set back). Where there is no such
 * folder and none can be made, nothing is kept.
 */
#ifndef PXR_DATA_REMEMBER_H
#define PXR_DATA_REMEMBER_H

#include "data/data.h"

/* Set digests and files of a set whose counts are set. Returns 1, 0 when nothing is known under
 * this key, or -1 when memory is out. */
int pxr_recall_digests(struct pxr_arena *arena, const char *key, struct pxr_dataset *set,
                       struct pxr_diag *diag);

/* Keep them. A failure is no error: they are computed anew next time. */
void pxr_remember_digests(const char *key, const struct pxr_dataset *set);

#endif
