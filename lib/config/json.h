/* SPDX-License-Identifier: MIT */
/*
 * json.h - values of a spec as JSON.
 */
#ifndef PXR_CONFIG_JSON_H
#define PXR_CONFIG_JSON_H

#include "config/yaml.h"

/* A value as JSON in one line. */
char *pxr_yaml_json(struct pxr_arena *arena, const struct pxr_yaml *node);

/* A text as a JSON string. */
char *pxr_json_string(struct pxr_arena *arena, const char *text);

/* A word as a number, if it is one, or as a string. */
char *pxr_json_word(struct pxr_arena *arena, const char *text);

#endif
