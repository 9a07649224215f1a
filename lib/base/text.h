/* SPDX-License-Identifier: MIT */
/*
 * text.h - characters and lines of UTF-8 text that may be invalid; texts made of several.
 */
#ifndef PXR_BASE_TEXT_H
#define PXR_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <pxr/arena.h>

/* Bytes of the character at `at`: 1 to 4, or 0 for invalid UTF-8 (or if `at` is `end`). */
size_t pxr_character(const char *at, const char *end);

/* The same, but 1 for an invalid byte, so that every text can be walked through. */
size_t pxr_step(const char *at, const char *end);

/* Characters from `at` to `end`; an invalid byte counts as one. */
int pxr_characters(const char *at, const char *end);

/* Bytes of the line break at `at`: LF, CR, CR LF, and the three of Unicode that YAML accepts (NEL,
 * LS, PS). 0: none. */
size_t pxr_line_break(const char *at, const char *end);

/* Whether the character of `size` bytes at `at` is a control character. */
bool pxr_control(const char *at, size_t size);

/* Its code point. */
uint32_t pxr_code_of(const char *at, size_t size);

/* Whether the character can be shown as it is: no control character, and none that changes the
 * direction or position of what follows, by which a text could look like another. */
bool pxr_shown(const char *at, size_t size);

/* A copy that every format accepts: characters that cannot be shown, and invalid bytes, as "\xff".
 */
char *pxr_visible(struct pxr_arena *arena, const char *text);

/* Whether a NUL-terminated text is valid UTF-8. */
bool pxr_is_utf8(const char *text);

/* Whether a NUL-terminated text has no line breaks or control characters. */
bool pxr_one_line(const char *text);

/* Whether all its characters can be shown as they are. */
bool pxr_all_shown(const char *text);

/* Arguments of a command: runs, files, tags and so on. */
struct pxr_arguments {
        const char **text; /* ended by NULL once it is not empty */
        size_t count;
};

/* "A, B or C": words joined by commas, the last two by `last`. */
char *pxr_join(struct pxr_arena *arena, const char *const *words, size_t count, const char *last);

/* A text that is written to a stream. */
struct pxr_stream {
        struct pxr_arena *arena;
        FILE *to;
        char *text;
        size_t size;
};

/* Begin one. Returns 0, or -1 when out of memory: then it needs no end. */
int pxr_stream_open(struct pxr_stream *stream, struct pxr_arena *arena);

/* What was written, in the arena. Never NULL: "" when out of memory. */
char *pxr_stream_close(struct pxr_stream *stream);

#endif
