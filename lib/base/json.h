/* SPDX-License-Identifier: MIT */
/* json.h - JSON strings of any bytes, and parsing JSON of files. */
#ifndef PXR_BASE_JSON_H
#define PXR_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* A JSON string of any bytes, such as a path; invalid UTF-8 is written as "\xff". NULL when out of
 * memory. */
json_t *pxr_json_text(const char *text);

/* Add a value to an object, or without a key to a list, and take its reference. When the value
 * could not be made, nor can the whole: it becomes NULL. */
void pxr_json_add(json_t **whole, const char *key, json_t *value);

/* Write a value as indented JSON and a line break. Characters that cannot be shown, such as those
 * that change the direction of text, are escaped. Returns 0, or -1 with nothing written: a string
 * is not UTF-8, a number is not finite, out of memory, or `value` is NULL. */
int pxr_json_write(const json_t *value, FILE *to);

/* Parse the JSON of a file. A value of three bytes can take hundreds in memory, so a text that may
 * have more than `most` values is refused unread; so are duplicate keys. NULL with the reason in
 * error->text, which may be that memory ran out. */
json_t *pxr_json_parse(const char *text, size_t size, size_t most, json_error_t *error);

/* Whether it was memory that pxr_json_parse() or json_unpack_ex() lacked: no fault of the text. */
bool pxr_json_memory_out(const json_error_t *error);

#endif
