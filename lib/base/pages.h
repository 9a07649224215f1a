/* SPDX-License-Identifier: MIT */
/*
 * pages.h - large blocks of memory, for tensors.
 */
#ifndef PXR_BASE_PAGES_H
#define PXR_BASE_PAGES_H

#include <stddef.h>

/* Uninitialized memory for `size` bytes, aligned for vectors; if large, on huge pages, which save
 * TLB misses and page faults. NULL when out of memory; free() it. */
void *pxr_pages_new(size_t size);

/* The same, zeroed. */
void *pxr_pages_new_zero(size_t size);

#endif
