/* SPDX-License-Identifier: MIT */
/*
 * common.h - what the commands share: safe printing, short texts, JSON, the progress of long work
 * (a bar on the last line of a terminal, or a plain line every ten seconds), file names, and
 * signals.
 */
#ifndef PXR_RUNNER_COMMON_H
#define PXR_RUNNER_COMMON_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/progress.h"
#include "tensor/graph.h"
#include "train/ranks.h"

/* Print what may hold other people's text: names from a database, a spec or a file. Every command
 * prints it so and in no other way, for it could move the cursor of a terminal or look like
 * another text. A line break at the end of `format` is printed; whatever else cannot be shown comes
 * out as "\x1b". */
void say(FILE *to, const char *format, ...) PXR_PRINTF(2, 3);
void vsay(FILE *to, const char *format, va_list arguments);

/* The same of a text of lines, each set in by `indent`; NULL: nothing. */
void say_lines(FILE *to, const char *text, int indent);

/* A text of up to 399 bytes, in a static buffer that is reused at the 16th call from then. The
 * others return the same kind of text. */
const char *brief(const char *format, ...) PXR_PRINTF(1, 2);
const char *number_text(double value, int decimals); /* see pxr_number_text() */
const char *size_text(double bytes);                 /* "4.1 GB" */
const char *time_text(double seconds); /* "1:05:09", "5:09"; "-:--": unknown or over three years */

/* " (+- 0.1)"; "" for the standard error of one image, which is not known (NAN). */
const char *error_text(double error);

/* The same as pxr_json_add(). */
void add_json(json_t **whole, const char *key, json_t *value);

/* A number; null for NaN and infinity, which JSON does not have. */
json_t *json_number(double value);

/* Print it, and free it. NULL, as jansson returns for what cannot be JSON, is an error. Returns 0
 * or -1. */
int print_json(json_t *root, struct pxr_diag *diag);

/* From now on notes and other lines go to `lines`; NULL: show nothing. begin_work() also watches
 * signals. */
void display_begin(FILE *lines);
void begin_work(FILE *lines);

/* To hand to the work: shows its progress and notes, and asks it to stop after a signal. */
extern const struct pxr_observer display;

/* Print a line above the bar. */
void display_line(const char *format, ...) PXR_PRINTF(1, 2);

/* Print a line if drawing from the model, or decoding, is slow. */
void display_slow(const struct pxr_graph *graph);

/* Clear the bar. */
void display_end(void);

/* After work that returned 0, 1 when it was stopped, or -1 after an error: clear the bar, and say
 * so if it was stopped. Returns an exit status, or -1. */
int display_stopped(int status);

/* The file to write without --out: `usual`, or if that exists "samples-2.png" and so on. In a
 * static buffer of its own. */
const char *free_name(const char *usual);

/* Check before the work whether --out can be written. In all commands an existing file is
 * overwritten only with --force. Returns 0 or -1. */
int may_write(const char *path, bool force, struct pxr_diag *diag);

/* Becomes nonzero at the first SIGINT or SIGTERM after watch_signals(), which asks the work to
 * stop; a second one ends the program at once. With `patient` it asks once more: for a program that
 * is sent several at once. */
extern volatile sig_atomic_t stop_asked;
void watch_signals(bool patient);

/* Let another signal ask the work to stop too. */
void watch_signal(int number);

/* pxr_ranks_join(), which waits until all processes of the launcher have reached it: after ten
 * times the time-out this process is ended with a message. */
int join_ranks(struct pxr_arena *arena, double timeout, struct pxr_ranks **ranks,
               struct pxr_diag *diag);

#endif
