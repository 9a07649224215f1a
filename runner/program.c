/* SPDX-License-Identifier: MIT */
/* program.c - what every command begins and ends with, and reads from its arguments. */
#include "runner/program.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runner/common.h"

/* As it is loaded, OpenBLAS starts a thread for each processor but one. Each needs 128 MB of
 * addresses, and tries for ever to get them. Workers have threads of their own: where `ulimit -v`
 * limits the addresses, begin again without those. */
static void begin_without_blas_threads(char **argv)
{
        static const char variable[] = "OPENBLAS_NUM_THREADS";
        const char *threads = getenv(variable);
        char path[PATH_MAX];
        struct rlimit limit;
        ssize_t length;

        if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
            (threads && strcmp(threads, "1") == 0))
                return;
        length = readlink("/proc/self/exe", path, sizeof(path) - 1);
        if (length <= 0 || setenv(variable, "1", 1) != 0)
                return;
        path[length] = '\0';
        execv(path, argv);
}

void program_begin(struct program *program, const char *name, int argc, char **argv)
{
        begin_without_blas_threads(argv);
        close_stdout_at_exit(name);
        signal(SIGXFSZ, SIG_IGN); /* a write past `ulimit -f` fails with EFBIG, which is reported */
        argp_err_exit_status = 2;
        *program = (struct program) { .name = name, .diag = pxr_diag_new() };
        program->arena = pxr_arena_new(0, program->diag);
        if (program->arena)
                program->words = pxr_alloc_array(program->arena, (size_t)argc + 1, sizeof(char *));
        if (program->diag && program->words)
                return;
        fprintf(stderr, "%s: out of memory\n", name);
        exit(1);
}

void program_parse(const struct program *program, const struct argp *argp, int argc, char **argv,
                   void *arguments)
{
        error_t failed;

        /* Errors begin with the first argument, which may be the path of a file in a build tree. */
        if (argc > 0)
                argv[0] = (char *)program->name;
        failed = argp_parse(argp, argc, argv, 0, NULL, arguments);
        if (!failed)
                return;
        fprintf(stderr, "%s: cannot read the arguments: %s\n", program->name, strerror(failed));
        exit(1);
}

int program_end(struct program *program, int status)
{
        if (status == 0)
                status = pxr_diag_status(program->diag);
        pxr_diag_write(program->diag, program->name, stderr);
        pxr_diag_free(program->diag);
        pxr_arena_free(program->arena);
        return status;
}

int64_t number_option(const char *option, const char *text, int64_t least, int64_t most,
                      struct argp_state *state)
{
        long long number;
        char *end;

        errno = 0;
        number = strtoll(text, &end, 10);
        if (*end || end == text || errno == ERANGE || number < least || number > most)
                argp_error(state, "%s wants a number from %" PRId64 " to %" PRId64 ", not '%s'",
                           option, least, most, text);
        return number;
}

int threads_option(const char *text, struct argp_state *state)
{
        return (int)number_option("--threads", text, 1, MOST_THREADS, state);
}
