/* SPDX-License-Identifier: MIT */
/*
 * failing.c - preloaded into a command of pxr: the allocation number $FAIL_ALLOCATION, from 0,
 * fails. What it begins (git, a shell) is left alone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static atomic_long until_failure = -1; /* allocations that still succeed; negative: all do */

__attribute__((constructor)) static void begin(void)
{
        const char *number = getenv("FAIL_ALLOCATION");

        if (number && strstr(program_invocation_short_name, "pxr-"))
                until_failure = strtol(number, NULL, 10);
}

static int fails_now(void)
{
        return until_failure >= 0 && until_failure-- == 0;
}

static void *failed(void)
{
        errno = ENOMEM;
        return NULL;
}

void *malloc(size_t size)
{
        return fails_now() ? failed() : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
        return fails_now() ? failed() : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
        return fails_now() ? failed() : __libc_realloc(memory, size);
}
