/* SPDX-License-Identifier: MIT */
/*
 * failing.c - preloaded into a command of pxr: the allocation number $FAIL_ALLOCATION fails, and
 * the file number $KILL_SYNC that is synced kills it; both count from 0. What the command begins
 * (git, a shell) is left alone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

/* Calls that still succeed; negative: all do. */
static atomic_long until_failure = -1, until_killed = -1;

static long number(const char *name)
{
        const char *text = getenv(name);

        return text ? strtol(text, NULL, 10) : -1;
}

__attribute__((constructor)) static void begin(void)
{
        if (!strstr(program_invocation_short_name, "pxr-"))
                return;
        until_killed = number("KILL_SYNC");
        until_failure = number("FAIL_ALLOCATION");
}

static int sync_by(long call, int file)
{
        if (until_killed >= 0 && until_killed-- == 0)
                kill(getpid(), SIGKILL);
        return (int)syscall(call, file);
}

int fsync(int file)
{
        return sync_by(SYS_fsync, file);
}

int fdatasync(int file)
{
        return sync_by(SYS_fdatasync, file);
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
