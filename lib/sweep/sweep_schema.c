/* SPDX-License-Identifier: MIT */
/* sweep_schema.c - the JSON Schema of sweeps, for editors. */
#include "config/json_schema.h"
#include "sweep/sweep.h"

/* {NAME: VALUE} and nothing else. */
static json_t *mapping_of(const char *name, json_t *value)
{
        return json_pack("{s:s, s:{s:o}, s:[s], s:b}", "type", "object", "properties", name, value,
                         "required", name, "additionalProperties", 0);
}

/* {uniform: [LOW, HIGH]} */
static json_t *range_of(const char *name, const char *type)
{
        return mapping_of(name, json_pack("{s:s, s:{s:s}, s:i, s:i}", "type", "array", "items",
                                          "type", type, "minItems", 2, "maxItems", 2));
}

/* {cases: {NAME: {KEY: VALUE}}} */
static json_t *cases(void)
{
        return mapping_of("cases", json_pack("{s:s, s:i, s:{s:s, s:i}}", "type", "object",
                                             "minProperties", 1, "additionalProperties", "type",
                                             "object", "minProperties", 1));
}

static json_t *vary_schema(void)
{
        return json_pack("{s:s, s:s, s:i, s:{s:[{s:s, s:i}, o, o, o, o]}}", "description",
                         "keys of the spec, each with a list of values, a range to draw from, or "
                         "cases that set several keys at once",
                         "type", "object", "minProperties", 1, "additionalProperties", "anyOf",
                         "type", "array", "minItems", 1, range_of("uniform", "number"),
                         range_of("log_uniform", "number"), range_of("integer", "integer"),
                         cases());
}

json_t *pxr_sweep_schema(void)
{
        const struct pxr_options *const table = &pxr_sweep_table;
        json_t *schema = pxr_schema_mapping(&table, 1, false);
        json_t *properties = json_object_get(schema, "properties"); /* of the schema */

        json_object_set_new(properties, "vary", vary_schema());
        json_object_set_new(properties, "set",
                            json_pack("{s:s, s:[s, s]}", "description",
                                      "keys of the spec and their value in all runs", "type",
                                      "object", "null"));
        return pxr_schema_file(schema, "pxr sweep", pxr_schema_required(table));
}
