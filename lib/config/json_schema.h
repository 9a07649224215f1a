/* SPDX-License-Identifier: MIT */
/*
 * json_schema.h - option tables as JSON Schema (draft 7), by which an editor completes and checks a
 * spec.
 *
 * What a table's own `check` refuses is not in a schema. All functions return a new reference, or
 * NULL when out of memory.
 */
#ifndef PXR_CONFIG_JSON_SCHEMA_H
#define PXR_CONFIG_JSON_SCHEMA_H

#include <jansson.h>

#include <pxr/option.h>

/* A mapping whose keys are the rows of `count` tables together. `strict`: what is required must be
 * there, which a spec that extends another leaves to that one. */
json_t *pxr_schema_mapping(const struct pxr_options *const *tables, size_t count, bool strict);

/* What a mapping of a table must have, in its sections and choices too: to be added to a schema
 * that is not strict. */
json_t *pxr_schema_required(const struct pxr_options *table);

/* An item of a list of layers that has the key `name`: {NAME: {options}}, `NAME: 7` with further
 * options beside it, and so on. `options` may be NULL. */
json_t *pxr_schema_layer(const char *name, const struct pxr_options *options);

/* Whether a table, which may be NULL, has an option without a default. */
bool pxr_schema_requires(const struct pxr_options *table);

/* {"if": the mapping has `key` (with the value `value`, unless that is NULL), "then": `then`},
 * whose reference is taken. */
json_t *pxr_schema_if(const char *key, const char *value, json_t *then);

/* Complete the schema of a file: the dialect, the key `extends`, and what is required without it.
 * Takes the reference of `schema`, a mapping by `table` that is not strict, and of `required`. */
json_t *pxr_schema_file(json_t *schema, const char *title, json_t *required);

#endif
