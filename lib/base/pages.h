/* SPDX-License-Identifier: MIT */
/*
 * pages.h - large blocks of memory, for tensors.
 */
#ifndef PXR_BASE_PAGES_H
#define PXR_BASE_PAGES_H

#include <stddef.h>

/* Memory for `size` bytes, aligned for vectors, on huge pages where it is large and the system
 * grants them: fewer misses of the TLB, and fewer faults at the first touch. What it holds is
 * not set, but for pages the system gives out as zeros. NULL when there is none; free() it. */
void *pxr_pages_new(size_t size);

/* The same, all zeros. */
void *pxr_pages_new_zero(size_t size);

#endif
