/* SPDX-License-Identifier: MIT */
/*
 * pages.c - large blocks of memory.
 */
#include "base/pages.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { VECTOR_BYTES = 64, HUGE_PAGE = 2 << 20 };

void *pxr_pages_new(size_t size)
{
        size_t unit = size >= HUGE_PAGE ? HUGE_PAGE : VECTOR_BYTES;
        size_t bytes = size / unit * unit + (size % unit || !size ? unit : 0);
        void *block = aligned_alloc(unit, bytes);

#ifdef MADV_HUGEPAGE
        /* The system may ignore the advice. */
        if (block && unit == HUGE_PAGE)
                (void)madvise(block, bytes, MADV_HUGEPAGE);
#endif
        return block;
}

void *pxr_pages_new_zero(size_t size)
{
        void *block = pxr_pages_new(size);

        if (block)
                memset(block, 0, size);
        return block;
}
