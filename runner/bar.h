/* SPDX-License-Identifier: MIT */
/*
 * bar.h - a progress bar on the last line of stderr, and a plain line where there is no terminal.
 */
#ifndef PXR_RUNNER_BAR_H
#define PXR_RUNNER_BAR_H

#include <stddef.h>

/* Draw, or draw again, "what [####....]  50%  numbers" in one line of the terminal. */
void bar_draw(const char *what, double part, const char *numbers);

/* Take it away. */
void bar_clear(void);

/* "what  50%  numbers" */
void bar_print_plain(const char *what, double part, const char *numbers);

/* "1:05:09", "5:09"; "-:--" for what is not known or not worth waiting for. */
void bar_write_time(double seconds, char *text, size_t size);

#endif
