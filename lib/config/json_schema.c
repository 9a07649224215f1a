/* SPDX-License-Identifier: MIT */
/* json_schema.c - option tables as JSON Schema (draft 7). */
#include "config/json_schema.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "config/options.h"
#include "config/values.h"

/* --- values ------------------------------------------------------------------------------------
 */

/* An object of one key, whose value's reference is taken. */
static json_t *object_of(const char *key, json_t *value)
{
        json_t *object = json_object();

        pxr_json_add(&object, key, value);
        return object;
}

static json_t *number(double value)
{
        return fabs(value) < 9e15 && floor(value) == value ? json_integer((json_int_t)value)
                                                           : json_real(value);
}

static void add_range(json_t **schema, const struct pxr_option *row)
{
        if (isfinite(row->minimum))
                pxr_json_add(schema, "minimum", number(row->minimum));
        if (isfinite(row->maximum))
                pxr_json_add(schema, "maximum", number(row->maximum));
}

/* A name that looks like a number may be written without quotes. */
static json_t *names_of(const struct pxr_option *row)
{
        json_t *names = json_array();
        int64_t integer;

        for (int i = 0; row->names[i]; i++) {
                pxr_json_add(&names, NULL, json_string(row->names[i]));
                if (pxr_parse_int(row->names[i], &integer) == PXR_NUMBER)
                        pxr_json_add(&names, NULL, json_integer(integer));
        }
        return object_of("enum", names);
}

/* Any scalar is a string; nothing at all leaves an optional one unset. */
static json_t *string_schema(const struct pxr_option *row)
{
        json_t *types = json_pack("[s, s, s]", "string", "number", "boolean");

        if (row->initial && !*row->initial)
                pxr_json_add(&types, NULL, json_string("null"));
        return object_of("type", types);
}

static json_t *either(json_t *one, json_t *other)
{
        return json_pack("{s:[o, o]}", "anyOf", one, other);
}

static json_t *list_of(json_t *item)
{
        return json_pack("{s:s, s:o}", "type", "array", "items", item);
}

/* An object with this key and no other. */
static json_t *only(const char *key, json_t *value)
{
        return json_pack("{s:s, s:o, s:[s], s:b}", "type", "object", "properties",
                         object_of(key, value), "required", key, "additionalProperties", 0);
}

static json_t *row_schema(const struct pxr_option *row, bool strict);

static const struct pxr_option *main_row(const struct pxr_options *table)
{
        return table && table->main ? pxr_option_find(table, table->main) : NULL;
}

/* The options of a choice or a layer: a mapping, or a scalar for the main one. */
static json_t *options_schema(const struct pxr_options *table, bool strict)
{
        json_t *mapping = pxr_schema_mapping(&table, table != NULL, strict);

        return main_row(table) ? either(mapping, row_schema(main_row(table), strict)) : mapping;
}

/* NAME, where no option is required, or {NAME: options}. */
static json_t *choice_schema(const struct pxr_option *row, bool strict)
{
        json_t *names = json_array(), *forms = json_array();

        for (const struct pxr_variant *v = row->variants; v->name; v++) {
                json_t *value = options_schema(v->options, strict);

                pxr_json_add(&value, "description", json_string(v->help));
                pxr_json_add(&forms, NULL, only(v->name, value));
                if (!pxr_schema_requires(v->options))
                        pxr_json_add(&names, NULL, json_string(v->name));
        }
        if (json_array_size(names) > 0)
                pxr_json_add(&forms, NULL, object_of("enum", names));
        else
                json_decref(names);
        return object_of("anyOf", forms);
}

static json_t *layers_schema(void)
{
        return list_of(object_of("$ref", json_string("#/definitions/layer")));
}

static json_t *value_schema(const struct pxr_option *row, bool strict)
{
        switch (row->type) {
        case PXR_TYPE_BOOL:
                return object_of("type", json_string("boolean"));
        case PXR_TYPE_INT:
                return object_of("type", json_string("integer"));
        case PXR_TYPE_REAL:
                return object_of("type", json_string("number"));
        case PXR_TYPE_STRING:
                return string_schema(row);
        case PXR_TYPE_ENUM:
                return names_of(row);
        case PXR_TYPE_ENUM_SET:
                return either(list_of(names_of(row)), names_of(row));
        case PXR_TYPE_INTERVAL:
                return json_pack("{s:s, s:s}", "type", "string", "pattern",
                                 "^never$|^\\s*[+]?(0x|0o)?[0-9a-fA-F]+\\s+(step|epoch)s?\\s*$");
        case PXR_TYPE_CHOICE:
                return choice_schema(row, strict);
        case PXR_TYPE_SECTION:
                return pxr_schema_mapping(&row->section, 1, strict);
        case PXR_TYPE_LAYERS:
                return layers_schema();
        case PXR_TYPE_NODE:
        case PXR_TYPE_END:
                break;
        }
        return json_object(); /* anything */
}

/* The default of a row as JSON; NULL: it has none. */
static json_t *default_of(const struct pxr_option *row)
{
        struct pxr_arena *arena;
        struct pxr_yaml *value;
        json_t *json;

        if (!row->initial || !*row->initial || row->type == PXR_TYPE_SECTION)
                return NULL;
        arena = pxr_arena_new(0, NULL);
        value = arena ? pxr_yaml_parse(arena, pxr_source_new(arena, "default", row->initial), NULL)
                      : NULL;
        json = value ? json_loads(pxr_yaml_json(arena, value), JSON_DECODE_ANY, NULL) : NULL;
        pxr_arena_free(arena);
        return json;
}

static json_t *row_schema(const struct pxr_option *row, bool strict)
{
        json_t *schema = value_schema(row, strict), *initial = default_of(row);

        if (row->type == PXR_TYPE_INT || row->type == PXR_TYPE_REAL)
                add_range(&schema, row);
        pxr_json_add(&schema, "description", json_string(row->help));
        if (initial)
                pxr_json_add(&schema, "default", initial);
        return schema;
}

/* --- mappings ----------------------------------------------------------------------------------
 */

#define FOR_ROWS(row, table)                                                \
        for (const struct pxr_option *row = (table) ? (table)->rows : NULL; \
             row && row->type != PXR_TYPE_END; row++)

static bool row_requires(const struct pxr_option *row)
{
        return !row->initial ||
               (row->type == PXR_TYPE_SECTION && pxr_schema_requires(row->section));
}

bool pxr_schema_requires(const struct pxr_options *table)
{
        FOR_ROWS(row, table)
        if (row_requires(row))
                return true;
        return false;
}

/* Add the properties and the names that are required of a table's rows, but for `left_out`. */
static void add_rows(const struct pxr_options *table, const char *left_out, bool strict,
                     json_t **properties, json_t **required)
{
        FOR_ROWS(row, table)
        {
                if (left_out && strcmp(row->name, left_out) == 0)
                        continue;
                pxr_json_add(properties, row->name, row_schema(row, strict));
                if (row_requires(row))
                        pxr_json_add(required, NULL, json_string(row->name));
        }
}

/* An empty value is an empty mapping, where nothing is required. */
static json_t *mapping_of(json_t *properties, json_t *required, bool strict)
{
        bool may_be_empty = !strict || json_array_size(required) == 0;
        json_t *schema = json_pack("{s:o, s:o, s:b}", "type",
                                   may_be_empty ? json_pack("[s, s]", "object", "null")
                                                : json_string("object"),
                                   "properties", properties, "additionalProperties", 0);

        if (may_be_empty)
                json_decref(required);
        else
                pxr_json_add(&schema, "required", required);
        return schema;
}

json_t *pxr_schema_mapping(const struct pxr_options *const *tables, size_t count, bool strict)
{
        json_t *properties = json_object(), *required = json_array();

        for (size_t i = 0; i < count; i++)
                add_rows(tables[i], NULL, strict, &properties, &required);
        return mapping_of(properties, required, strict);
}

/* What is required below a row; NULL: nothing. */
static json_t *required_below(const struct pxr_option *row)
{
        json_t *variants;

        if (row->type == PXR_TYPE_SECTION)
                return pxr_schema_requires(row->section) ? pxr_schema_required(row->section) : NULL;
        if (row->type != PXR_TYPE_CHOICE)
                return NULL;
        variants = json_object();
        for (const struct pxr_variant *v = row->variants; v->name; v++)
                if (pxr_schema_requires(v->options))
                        pxr_json_add(&variants, v->name, pxr_schema_required(v->options));
        return object_of("properties", variants);
}

json_t *pxr_schema_required(const struct pxr_options *table)
{
        json_t *names = json_array(), *below = json_object();

        FOR_ROWS(row, table)
        {
                json_t *inner = required_below(row);

                if (row_requires(row))
                        pxr_json_add(&names, NULL, json_string(row->name));
                if (inner)
                        pxr_json_add(&below, row->name, inner);
        }
        return json_pack("{s:o, s:o}", "required", names, "properties", below);
}

json_t *pxr_schema_if(const char *key, const char *value, json_t *then)
{
        json_t *condition = json_pack("{s:[s]}", "required", key);

        if (value)
                pxr_json_add(&condition, "properties",
                             object_of(key, object_of("const", json_string(value))));
        return json_pack("{s:o, s:o}", "if", condition, "then", then);
}

/* --- layers ------------------------------------------------------------------------------------
 */

/* {NAME: VALUE} with the options but `set`, which VALUE sets, beside it. */
static json_t *with_beside(const char *name, json_t *value, const struct pxr_options *options,
                           const char *set)
{
        json_t *properties = object_of(name, value), *required = json_pack("[s]", name);

        add_rows(options, set, true, &properties, &required);
        return mapping_of(properties, required, true);
}

json_t *pxr_schema_layer(const char *name, const struct pxr_options *options)
{
        json_t *forms = json_array();

        pxr_json_add(&forms, NULL, only(name, pxr_schema_mapping(&options, 1, true)));
        pxr_json_add(&forms, NULL,
                     with_beside(name, object_of("type", json_string("null")), options, NULL));
        if (main_row(options))
                pxr_json_add(&forms, NULL,
                             with_beside(name, row_schema(main_row(options), true), options,
                                         options->main));
        FOR_ROWS(row, options)
        if (row->type == PXR_TYPE_LAYERS)
                pxr_json_add(&forms, NULL, with_beside(name, layers_schema(), options, row->name));
        return object_of("anyOf", forms);
}

/* --- files -------------------------------------------------------------------------------------
 */

json_t *pxr_schema_file(json_t *schema, const char *title, json_t *required)
{
        json_t *properties = json_object_get(schema, "properties"); /* of the schema */
        json_t *bases = either(object_of("type", json_string("string")),
                               list_of(object_of("type", json_string("string"))));

        pxr_json_add(&bases, "description",
                     json_string("files whose keys are used where this "
                                 "file lacks them, relative to this file"));
        json_object_set_new(properties, "extends", bases);
        pxr_json_add(&schema, "$schema", json_string("http://json-schema.org/draft-07/schema#"));
        pxr_json_add(&schema, "title", json_string(title));
        pxr_json_add(&schema, "if", json_pack("{s:[s]}", "required", "extends"));
        pxr_json_add(&schema, "else", required);
        return schema;
}
