/* SPDX-License-Identifier: MIT */
/*
 * digest_cache.h - digests of sets too large to read whole each time, kept between runs.
 *
 * They lie in small files in $XDG_CACHE_HOME/pxr, or else ~/.cache/pxr, that may be deleted at
 * any time. A key must hash everything the digests depend on: for files, their names, sizes,
 * inodes and times of last change (ctime, which no program can set back). If there is no such
 * folder and it cannot be made, nothing is kept.
 */
#ifndef PXR_DATA_DIGEST_CACHE_H
#define PXR_DATA_DIGEST_CACHE_H

#include "data/format.h"

/* Set digests and files of a set whose counts are set. False if this key is not in the cache. */
bool pxr_digests_load(struct pxr_opening *o, const char *key);

/* Keep them. A failure is ignored: they are computed again next time. */
void pxr_digests_save(const struct pxr_opening *o, const char *key);

#endif
