/* SPDX-License-Identifier: MIT */
/*
 * program.h - running other programs, and command lines.
 *
 * Each runs in a process group of its own, which signals from the terminal do not reach.
 */
#ifndef PXR_BASE_PROGRAM_H
#define PXR_BASE_PROGRAM_H

#include <sys/types.h>

#include <pxr/arena.h>

enum { PXR_PROGRAM_LINE = 512 };

/* A program at work. */
struct pxr_program {
        pid_t process;
        int messages;                 /* its stderr, to be read when poll() says so */
        double started;               /* of pxr_now() */
        char line[PXR_PROGRAM_LINE];  /* the start of a line that is not complete */
        char error[PXR_PROGRAM_LINE]; /* the first error it printed, without location; "": none */
        char last[PXR_PROGRAM_LINE];  /* the last line it printed that says something */
};

/* Start a program, whose stdout is ignored. `arguments` end with NULL. Returns 0 or -1. */
int pxr_program_start(struct pxr_program *program, const char *const *arguments,
                      struct pxr_diag *diag);

/* Read what it has printed on stderr. False: it has closed it. */
bool pxr_program_read(struct pxr_program *program);

/* Wait for its end. Its exit status, or minus the number of the signal that killed it. */
int pxr_program_end(struct pxr_program *program);

/* Why it failed, in one line: its first error, else its last line, else its status. */
char *pxr_program_reason(struct pxr_arena *arena, const struct pxr_program *program, int status);

/* The result of a program. */
struct pxr_answer {
        int status;           /* its exit status, or minus the number of a signal */
        const char *output;   /* its stdout without line breaks at the end, up to the limit */
        const char *messages; /* the same of its stderr */
        bool cut;             /* there was more output */
};

/* Run a program that ends soon, with `input`, a few lines, as its stdin. Returns 0, or -1 when it
 * could not be started. When it was not found, errno is ENOENT and no error is recorded. */
int pxr_program_ask(struct pxr_arena *arena, const char *const *arguments, const char *input,
                    size_t limit, struct pxr_answer *answer, struct pxr_diag *diag);

/* Lists of arguments, each ended by NULL, as one; a NULL in place of a list ends them. */
const char *const *pxr_join_arguments(struct pxr_arena *arena, const char *const *const *lists);

/* A word as a shell reads it, in quotes if necessary; and a line of words (NULL: ""). */
char *pxr_shell_word(struct pxr_arena *arena, const char *word);
char *pxr_shell_line(struct pxr_arena *arena, const char *const *words);

#endif
