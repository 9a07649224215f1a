/* SPDX-License-Identifier: MIT */
/* common.c - what all commands end with, and how they are asked to. */
#include "runner/common.h"

#include <errno.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *program_name;

static void close_stdout(void)
{
        bool failed = ferror(stdout), pending = __fpending(stdout) > 0;

        errno = 0;
        if (fclose(stdout) == 0 && !failed)
                return;
        if (!failed && !pending && errno == EBADF) /* closed from the start, and not missed */
                return;
        fprintf(stderr, "%s: error: stdout cannot be written%s%s\n", program_name,
                errno ? ": " : "", errno ? strerror(errno) : "");
        _exit(1);
}

void close_stdout_at_exit(const char *program)
{
        program_name = program;
        atexit(close_stdout);
}

volatile sig_atomic_t stop_asked;

static volatile sig_atomic_t patient;

static void on_signal(int number)
{
        stop_asked = number;
        if (!patient)
                signal(number, SIG_DFL);
}

void watch_signals(void)
{
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
}

void watch_signals_patiently(void)
{
        patient = 1;
        watch_signals();
}
