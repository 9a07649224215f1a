/* SPDX-License-Identifier: MIT */
/*
 * child.h - a program run as a process of its own, whose errors are read.
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
        char line[PXR_CHILD_LINE];  /* what has come of the line in hand */
        char error[PXR_CHILD_LINE]; /* the first error it told, without place; "": none */
        char last[PXR_CHILD_LINE];  /* the last line it wrote */
};

/* The path of the program `name` that lies beside the one that runs. NULL when memory is out. */
char *pxr_program_beside(struct pxr_arena *arena, const char *name);

/* Start a program, with arguments that end with NULL, in a process group of its own: what a
 * terminal sends to the group of this process does not reach it. Returns 0 or -1. */
int pxr_child_start(struct pxr_child *child, const char *const *arguments, struct pxr_diag *diag);

/* Read what there is to read. 1: there may be more, 0: it has closed its stderr. */
int pxr_child_read(struct pxr_child *child);

/* Wait for its end. Its exit status, or minus the number of the signal that killed it. */
int pxr_child_end(struct pxr_child *child);

/* What a program answered. */
struct pxr_answer {
        int status;           /* its exit status, or minus the number of a signal */
        const char *output;   /* its stdout */
        const char *messages; /* its stderr, without the last line break */
};

/* Run a program that ends soon, in a process group of its own, with `input` as its stdin. Returns
 * 0, or -1 when it could not be started; ENOENT in errno: it is not there, and no error is
 * recorded. */
int pxr_child_ask(struct pxr_arena *arena, const char *const *arguments, const char *input,
                  struct pxr_answer *answer, struct pxr_diag *diag);

/* Why a child failed that ended so, in one line: its error, its last words, or how it ended. */
char *pxr_child_reason(struct pxr_arena *arena, const struct pxr_child *child, int status);

/* A word as a shell reads it: in quotes where it needs them. NULL when memory is out. */
char *pxr_shell_word(struct pxr_arena *arena, const char *word);

/* End with the process that started this one: from now on, SIGTERM comes when that dies, and
 * perhaps more than once: as its threads end one by one. Returns its number. */
pid_t pxr_end_with_parent(void);

#endif
