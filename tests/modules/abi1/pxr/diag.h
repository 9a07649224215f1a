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

/* Who can correct an error; the value is the exit status of a command that ends with it. */
enum pxr_fault {
        PXR_FAULT_SYSTEM = 1, /* disk full, out of memory, a library failed */
        PXR_FAULT_USER = 2,   /* an invalid spec, file or argument */
};

/* A text that errors can point into: a spec file or a command-line argument. Both strings must
 * outlive every location and diag that refers to them. */
struct pxr_source {
        const char *name; /* shown before the line number */
        const char *text; /* the whole text, which need not end with NUL; NULL: not kept */
        size_t size;      /* bytes of text */
};

/* A location in a source. Lines and columns count from 1; line 0 means "no line". */
struct pxr_location {
        const struct pxr_source *source; /* NULL: no location */
        int line;
        int column; /* in characters, not bytes */
        int length; /* characters to underline; 0: only the caret */
};

struct pxr_diag;

/* An empty list of errors, freed by pxr_diag_free(). NULL when out of memory. */
struct pxr_diag *pxr_diag_new(void);
void pxr_diag_free(struct pxr_diag *diag);

/* Record an error without a location. Always returns -1. A NULL diag is allowed. */
int pxr_user_error(struct pxr_diag *diag, const char *format, ...) PXR_PRINTF(2, 3);
int pxr_system_error(struct pxr_diag *diag, const char *format, ...) PXR_PRINTF(2, 3);

/* Record a user's error at a location. Always returns -1. The line's text is copied. */
int pxr_error_at(struct pxr_diag *diag, struct pxr_location location, const char *format, ...)
        PXR_PRINTF(3, 4);

/* Record "out of memory". Always returns -1; needs no memory itself. Arenas call it themselves
 * (<pxr/arena.h>): call it only after malloc() and its like. */
int pxr_out_of_memory(struct pxr_diag *diag);

/* Whether "out of memory" was recorded. Nothing is written to a database or file from then on. */
bool pxr_diag_memory_out(const struct pxr_diag *diag);

/* Record a warning, which pxr_diag_errors() does not count. */
void pxr_warn(struct pxr_diag *diag, const char *format, ...) PXR_PRINTF(2, 3);

/* Add a hint ("did you mean 'kernel'?") after the caret of the last error, or on a line of its own
 * if the error has no location. A second hint to the same error replaces the first. */
void pxr_hint(struct pxr_diag *diag, const char *format, ...) PXR_PRINTF(2, 3);

/* Add a line "note: ..." below the last error or warning; several notes keep their order. */
void pxr_note(struct pxr_diag *diag, const char *format, ...) PXR_PRINTF(2, 3);

/* Errors recorded so far. Only the texts of the first 20 are kept. */
int pxr_diag_errors(const struct pxr_diag *diag);

/* The exit status: PXR_FAULT_USER if any error is the user's; PXR_FAULT_SYSTEM if all are the
 * system's, or if memory ran out, which may have caused the others; 0 without errors. */
int pxr_diag_status(const struct pxr_diag *diag);

/* The text of error (or warning) number `index`, from 0, without its location; NULL past the last.
 */
const char *pxr_diag_text(const struct pxr_diag *diag, int index);

/* The text of the first error, skipping warnings; NULL without errors. */
const char *pxr_diag_first_error(const struct pxr_diag *diag);

/* Write all errors and warnings. Those without a location begin with `program` ("pxr-run"). */
void pxr_diag_write(const struct pxr_diag *diag, const char *program, FILE *to);

/* Forget everything recorded. */
void pxr_diag_clear(struct pxr_diag *diag);

/* The one of `count` names nearest to `name`, by the number of letters changed, inserted, removed
 * or swapped, regardless of case; NULL if more than a third of its letters differ. */
const char *pxr_nearest(const char *name, const char *const *names, size_t count);

/* Hint at it ("did you mean 'kernel'?"). Returns whether there was one. */
bool pxr_hint_nearest(struct pxr_diag *diag, const char *name, const char *const *names,
                      size_t count);

#ifdef __cplusplus
}
#endif
#endif
