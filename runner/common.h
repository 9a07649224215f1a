/* SPDX-License-Identifier: MIT */
/*
 * common.h - what the commands share: safe printing, file names, and signals.
 */
#ifndef PXR_RUNNER_COMMON_H
#define PXR_RUNNER_COMMON_H

#include <signal.h>

#include "experiment/run.h"

/* Print what may hold other people's text: names from a database, a spec or a file. Every command
 * prints it so and in no other way, for it could move the cursor of a terminal or look like
 * another text. Line breaks at the ends of `format` are printed; whatever else cannot be shown
 * comes out as "\x1b". */
void say(FILE *to, const char *format, ...) PXR_PRINTF(2, 3);
void vsay(FILE *to, const char *format, va_list arguments);

/* The same of a text of lines; NULL: nothing. */
void say_lines(FILE *to, const char *text);

/* " (+- 0.1)", or nothing for the standard error of one image, which is not known (NAN). Returns
 * `text`. */
enum { ERROR_TEXT = 64 };
const char *error_text(double error, char text[ERROR_TEXT]);

/* A name for a file that was not asked for by name: `usual`, or where that is there already
 * "samples-2.png" and so on. In a buffer of its own. */
const char *free_name(const char *usual);

/* Whether --out may be written, as far as can be told before the work: the rule of all commands is
 * that an existing file is overwritten only with --force. Returns 0 or -1. */
int may_write(const char *path, bool force, struct pxr_diag *diag);

/* Becomes nonzero at the first SIGINT or SIGTERM after watch_signals(), which asks the work to
 * stop; a second one ends the program at once. */
extern volatile sig_atomic_t stop_asked;
void watch_signals(void);

/* The same, but a second signal asks once more: for a program that is sent several at once. */
void watch_signals_patiently(void);

#endif
