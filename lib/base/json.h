/* SPDX-License-Identifier: MIT */
/* json.h - texts as JSON, and JSON of files. */
#ifndef PXR_BASE_JSON_H
#define PXR_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* A text that may hold any bytes, such as a path. In one that is not UTF-8, what JSON cannot have
 * stands as "\xff". NULL when memory is out. */
json_t *pxr_json_text(const char *text);

/* Write a value as indented JSON and a line break. Characters that are not shown, such as those
 * that change the direction of a text, are escaped. Returns 0, or -1 with nothing written: a text
 * is not UTF-8, a number is not finite or memory is out. `value` NULL is such a failure too. */
int pxr_json_write(const json_t *value, FILE *to);

/* Parse the JSON of a file. A value of three bytes can take hundreds in memory, so that a text that
 * may have more than `most` values is refused unread. No key may be there twice. NULL with what is
 * wrong in error->text, which may be that memory is out. */
json_t *pxr_json_parse(const char *text, size_t size, size_t most, json_error_t *error);

/* Whether it was memory that pxr_json_parse() or json_unpack_ex() lacked: no fault of the text. */
bool pxr_json_memory_out(const json_error_t *error);

#endif
