/* SPDX-License-Identifier: MIT */
/* spec_schema.c - the JSON Schema of specs: sections, data sets, and the layers of all plugins. */
#include "experiment/spec_schema.h"

#include <string.h>

#include "base/json.h"
#include "config/json_schema.h"
#include "data/format.h"
#include "experiment/experiment.h"

/* --- data --------------------------------------------------------------------------------------
 */

/* The name of a set, or a mapping by the tables of the set that it names. */
static json_t *data_schema(void)
{
        json_t *names = json_array(), *all = json_array(), *rules = json_array();

        for (int i = 0; pxr_data_formats[i]; i++) {
                const struct pxr_data_format *format = pxr_data_formats[i];
                const struct pxr_options *const tables[] = { &pxr_data_common_options,
                                                             format->options };
                json_t *mapping = pxr_schema_mapping(tables, 2, false);

                pxr_json_add(&mapping, "description", json_string(format->help));
                pxr_json_add(&rules, NULL, pxr_schema_if("set", format->name, mapping));
                pxr_json_add(&all, NULL, json_string(format->name));
                if (!pxr_schema_requires(format->options))
                        pxr_json_add(&names, NULL, json_string(format->name));
        }
        return json_pack("{s:s, s:[{s:o}, {s:s, s:{s:{s:o, s:s}}, s:o}]}", "description",
                         "the data set and its options", "anyOf", "enum", names, "type", "object",
                         "properties", "set", "enum", all, "description", "name of the data set",
                         "allOf", rules);
}

/* A mapping needs the name of its set, and what that set requires. */
static json_t *required_data(void)
{
        json_t *required = json_pack("{s:[s]}", "required", "set"), *rules = json_array();

        for (int i = 0; pxr_data_formats[i]; i++)
                if (pxr_schema_requires(pxr_data_formats[i]->options))
                        pxr_json_add(
                                &rules, NULL,
                                pxr_schema_if("set", pxr_data_formats[i]->name,
                                              pxr_schema_required(pxr_data_formats[i]->options)));
        if (json_array_size(rules) > 0)
                pxr_json_add(&required, "allOf", rules);
        else
                json_decref(rules);
        return required;
}

/* --- layers ------------------------------------------------------------------------------------
 */

/* Whether a file before this one offers its layer. */
static bool is_repeated(const struct pxr_plugins *plugins, const struct pxr_plugin_file *file)
{
        for (const struct pxr_plugin_file *f = plugins->file; f != file; f = f->next)
                if (f->layer && strcmp(f->layer->name, file->layer->name) == 0)
                        return true;
        return false;
}

/* An item of a list of layers: NAME, where no option is required, or a mapping with the key NAME.
 */
static json_t *layer_schema(const struct pxr_plugins *plugins)
{
        json_t *names = json_array(), *properties = json_object(), *one_of = json_array();
        json_t *rules = json_array();

        for (const struct pxr_plugin_file *file = plugins->file; file; file = file->next) {
                const struct pxr_layer *layer = file->layer;

                if (!layer || is_repeated(plugins, file))
                        continue;
                if (!pxr_schema_requires(layer->options))
                        pxr_json_add(&names, NULL, json_string(layer->name));
                pxr_json_add(&properties, layer->name,
                             json_pack("{s:s}", "description", layer->summary));
                pxr_json_add(&one_of, NULL, json_pack("{s:[s]}", "required", layer->name));
                pxr_json_add(&rules, NULL,
                             pxr_schema_if(layer->name, NULL,
                                           pxr_schema_layer(layer->name, layer->options)));
        }
        return json_pack("{s:[{s:o}, {s:s, s:o, s:o, s:o}]}", "anyOf", "enum", names, "type",
                         "object", "properties", properties, "anyOf", one_of, "allOf", rules);
}

/* --- the spec ----------------------------------------------------------------------------------
 */

json_t *pxr_spec_schema(const struct pxr_plugins *plugins)
{
        const struct pxr_options *const table = &pxr_settings_options;
        json_t *schema = pxr_schema_mapping(&table, 1, false);
        json_t *required = pxr_schema_required(table);

        json_object_set_new(json_object_get(schema, "properties"), "data",
                            json_pack("{s:s}", "$ref", "#/definitions/data"));
        json_object_set_new(json_object_get(required, "properties"), "data", required_data());
        pxr_json_add(
                &schema, "definitions",
                json_pack("{s:o, s:o}", "data", data_schema(), "layer", layer_schema(plugins)));
        return pxr_schema_file(schema, "pxr spec", required);
}
