/* SPDX-License-Identifier: MIT */
/*
 * diag.h - the one error type of pxr.
 *
 * A function that can fail takes a `struct pxr_diag *` and returns 0 or -1 (or NULL). It records
 * at least one error before it returns -1. Nothing in the library prints, exits or aborts; the
 * commands print what was recorded, in the form of a compiler:
 *
 *     experiments/a.yaml:14:7: error: row_lstm: unknown option 'hiden'
 *        14 |       hiden: 16
 *           |       ^~~~~ did you mean 'hidden'?
 */
#ifndef PXR_DIAG_H
#define PXR_DIAG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define PXR_PRINTF(format_at, arguments_at) __attribute__((format(printf, format_at, arguments_at)))
#else
#define PXR_PRINTF(format_at, arguments_at)
#endif

/* Whose fault an error is; the value is the exit status of a command that ends with it. */
enum pxr_fault {
        PXR_FAULT_SYSTEM = 1, /* the disk is full, memory is short, a library failed */
        PXR_FAULT_USER = 2,   /* a wrong spec, file or argument: something the user can mend */
};

/* A text that errors can point into: a spec file, or an argument of the command line.
 * Both strings outlive every location and diag that refers to them. */
struct pxr_source {
        const char *name; /* as shown before the line number */
        const char *text; /* the whole text, not necessarily ended by NUL; NULL if not kept */
        size_t size;      /* bytes of text */
};

/* A place in a source. Lines and columns count from 1; line 0 means "no line". */
struct pxr_location {
        const struct pxr_source *source; /* NULL: no place */
        int line;
        int column; /* in characters, not bytes */
        int length; /* characters to underline; 0 draws the caret alone */
};

struct pxr_diag;

/* An empty list of errors, or NULL when memory is out. Freed by pxr_diag_free(). */
struct pxr_diag *pxr_diag_new(void);
void pxr_diag_free(struct pxr_diag *diag);

/* Record an error without a place in a source. Always returns -1. A NULL diag is allowed. */
int pxr_user_error(struct pxr_diag *diag, const char *format, ...) PXR_PRINTF(2, 3);
int pxr_system_error(struct pxr_diag *diag, const char *format, ...) PXR_PRINTF(2, 3);

/* Record a user's error at a place of a spec. Always returns -1. The line's text is copied. */
int pxr_error_at(struct pxr_diag *diag, struct pxr_location location, const char *format, ...)
        PXR_PRINTF(3, 4);

/* Record "out of memory". Always returns -1; needs no memory itself. Arenas do so by themselves
 * (<pxr/arena.h>): only what takes memory from elsewhere calls it. */
int pxr_out_of_memory(struct pxr_diag *diag);

/* Whether "out of memory" was recorded. Nothing is written to a database or file from then on. */
bool pxr_diag_memory_out(const struct pxr_diag *diag);

/* Record a warning, which is no failure: pxr_diag_errors() does not count it. */
void pxr_warn(struct pxr_diag *diag, const char *format, ...) PXR_PRINTF(2, 3);

/* Add a hint ("did you mean 'kernel'?") behind the caret of the last error, or on a line of its
 * own where that has no place. A second hint to the same error replaces the first. */
void pxr_hint(struct pxr_diag *diag, const char *format, ...) PXR_PRINTF(2, 3);

/* Add a line "note: ..." below the last error or warning; several notes keep their order. */
void pxr_note(struct pxr_diag *diag, const char *format, ...) PXR_PRINTF(2, 3);

/* Errors recorded so far. Only the first 20 are kept, before warnings; the rest are counted. */
int pxr_diag_errors(const struct pxr_diag *diag);

/* PXR_FAULT_USER if any error is the user's, PXR_FAULT_SYSTEM if all are the system's or memory ran
 * out, which other errors may come of; 0 if there is none: the exit status. */
int pxr_diag_status(const struct pxr_diag *diag);

/* The text of error (or warning) number `index`, from 0, without its place; NULL past the end. */
const char *pxr_diag_text(const struct pxr_diag *diag, int index);

/* The text of the first error, which is no warning; NULL when there is none. */
const char *pxr_diag_first_error(const struct pxr_diag *diag);

/* Write all errors and warnings. `program` stands before those without a place ("pxr-run"). */
void pxr_diag_write(const struct pxr_diag *diag, const char *program, FILE *to);

/* Forget everything recorded. */
void pxr_diag_clear(struct pxr_diag *diag);

/* Of `count` names the one nearest to `name` (edits and swaps, a third of its length at most; case
 * does not count), or NULL. The same rule serves misspelt keys, values, layers and data sets. */
const char *pxr_nearest(const char *name, const char *const *names, size_t count);

#ifdef __cplusplus
}
#endif
#endif
