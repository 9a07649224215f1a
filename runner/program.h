/* SPDX-License-Identifier: MIT */
/*
 * program.h - what every command begins and ends with, and reads from its arguments.
 */
#ifndef PXR_RUNNER_PROGRAM_H
#define PXR_RUNNER_PROGRAM_H

#include <argp.h>
#include <stdint.h>

#include <pxr/arena.h>
#include <pxr/diag.h>

struct program {
        const char *name; /* "pxr-run" */
        struct pxr_arena *arena;
        struct pxr_diag *diag;
        const char **words; /* room for as many words as there are arguments, and a NULL */
};

/* Make ready, before program_parse(): wrong arguments exit with 2, output that cannot be written
 * with 1, and so does the program where memory is out. */
void program_begin(struct program *program, const char *name, int argc, char **argv);

/* argp_parse(), which needs memory: exit with 1 where it fails. */
void program_parse(const struct program *program, const struct argp *argp, int argc, char **argv,
                   void *arguments);

/* Print the messages, free everything, and return `status`. */
int program_end(struct program *program, int status);

/* The number that an option ("--threads") is given. One out of bounds ends the program. */
int64_t number_option(const char *option, const char *text, int64_t least, int64_t most,
                      struct argp_state *state);

/* The number of workers that --threads is given; and what it is where it is not given, one a
 * processor. OpenBLAS is built with room for a number of callers (on Debian 128), takes more in
 * with a warning, and dies of 512. */
enum { MOST_THREADS = 256 };
int threads_option(const char *text, struct argp_state *state);
int usual_threads(void);

#endif
