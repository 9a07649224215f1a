/* SPDX-License-Identifier: MIT */
/* json.h - JSON on stdout, for the commands that print any. */
#ifndef PXR_RUNNER_JSON_H
#define PXR_RUNNER_JSON_H

#include <jansson.h>

#include <pxr/diag.h>

/* Add a value to an object, or without a key to a list. When the value could not be made, nor can
 * the whole: it becomes NULL. */
void add_json(json_t **whole, const char *key, json_t *value);

/* A number; null for NaN and infinity, which JSON does not have. */
json_t *json_number(double value);

/* Print it, and free it. NULL, as jansson returns for what cannot be JSON, is an error. Returns 0
 * or -1. */
int print_json(json_t *root, struct pxr_diag *diag);

#endif
