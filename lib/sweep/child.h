/* SPDX-License-Identifier: MIT */
/*
 * child.h - running other programs and reading their errors.
 */
#ifndef PXR_SWEEP_CHILD_H
#define PXR_SWEEP_CHILD_H

#include <sys/types.h>

#include <pxr/arena.h>

enum { PXR_CHILD_LINE = 512 };

struct pxr_child {
        pid_t process;
        int output;                 /* its stderr, to be read when poll() says so */
        double started;             /* of pxr_now() */
        char line[PXR_CHILD_LINE];  /* the start of a line that is not complete */
        char error[PXR_CHILD_LINE]; /* the first error it printed, without location; "": none */
        char last[PXR_CHILD_LINE];  /* the last line it printed */
};

/* The path of the program `name` in the directory of the running one. */
char *pxr_program_beside(struct pxr_arena *arena, const char *name);

/* Lists of arguments, each ended by NULL, as one; a NULL in place of a list ends them. */
const char *const *pxr_join_arguments(struct pxr_arena *arena, const char *const *const *lists);

/* Start a program in a process group of its own, which signals from the terminal do not reach.
 * `arguments` end with NULL. Returns 0 or -1. */
int pxr_child_start(struct pxr_child *child, const char *const *arguments, struct pxr_diag *diag);

/* Read what it has printed. 1: there may be more, 0: it has closed its stderr. */
int pxr_child_read(struct pxr_child *child);

/* Wait for its end. Its exit status, or minus the number of the signal that killed it. */
int pxr_child_end(struct pxr_child *child);

/* The result of a program. */
struct pxr_answer {
        int status;           /* its exit status, or minus the number of a signal */
        const char *output;   /* its stdout */
        const char *messages; /* its stderr, without the last line break */
};

/* Run a program that ends soon, in a process group of its own, with `input` as its stdin. Returns
 * 0, or -1 when it could not be started. When it was not found, errno is ENOENT and no error is
 * recorded. */
int pxr_child_ask(struct pxr_arena *arena, const char *const *arguments, const char *input,
                  struct pxr_answer *answer, struct pxr_diag *diag);

/* Why a child failed, in one line: its first error, else its last line, else its status. */
char *pxr_child_reason(struct pxr_arena *arena, const struct pxr_child *child, int status);

/* A word as a shell reads it, in quotes if necessary; and a line of words (NULL: ""). */
char *pxr_shell_word(struct pxr_arena *arena, const char *word);
char *pxr_shell_line(struct pxr_arena *arena, const char *const *words);

/* Have SIGTERM sent to this process when its parent dies, perhaps more than once, as the parent's
 * threads end one by one. Returns the parent's number. */
pid_t pxr_end_with_parent(void);

#endif
