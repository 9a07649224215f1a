/* SPDX-License-Identifier: MIT */
/*
 * text.h - characters and lines of UTF-8 text that may be broken.
 */
#ifndef PXR_BASE_TEXT_H
#define PXR_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pxr/arena.h>

/* Bytes of the character at `at`: 1 to 4, or 0 where the bytes are no UTF-8 (or `at` is `end`). */
size_t pxr_character(const char *at, const char *end);

/* The same, but 1 for a byte that is no UTF-8, so that every text can be walked through. */
size_t pxr_step(const char *at, const char *end);

/* Characters from `at` to `end`; a byte that is no UTF-8 counts as one. */
int pxr_characters(const char *at, const char *end);

/* Bytes of the line break at `at`: LF, CR, CR LF, and the three that YAML takes over from Unicode
 * (NEL, LS, PS). 0 where there is none. */
size_t pxr_line_break(const char *at, const char *end);

/* Is the character at `at`, `size` bytes long, a control character? */
bool pxr_control(const char *at, size_t size);

/* Its number in Unicode. */
uint32_t pxr_code_of(const char *at, size_t size);

/* Can the character be shown as it is? Control characters cannot, nor can those that change the
 * direction or the place of what follows: a text could then look like another. */
bool pxr_shown(const char *at, size_t size);

/* A copy that every format takes: characters that are not shown, and bytes that are no UTF-8, as
 * "\xff". NULL when memory is out. */
char *pxr_visible(struct pxr_arena *arena, const char *text);

/* Does a text ended by NUL have neither line breaks nor control characters? */
bool pxr_one_line(const char *text);

#endif
