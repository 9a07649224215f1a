/* SPDX-License-Identifier: MIT */
/*
 * read.c - reading a mapping, or a layer's item, by its option tables.
 *
 * Defaults are texts that go the same way as what the user wrote.
 */
#include "config/options.h"

#include <string.h>

#include "base/text.h"
#include "config/tree.h"
#include "config/values.h"

/* The row of a key, and the struct it fills. */
static const struct pxr_option *find_row(const struct pxr_reading *readings, int count,
                                         const char *key, void **conf)
{
        for (int i = 0; i < count; i++) {
                const struct pxr_option *row = pxr_option_find(readings[i].options, key);

                *conf = readings[i].conf;
                if (row)
                        return row;
        }
        return NULL;
}

static int unknown_key(struct pxr_arena *arena, const struct pxr_yaml *node, const char *what,
                       const struct pxr_reading *readings, int count, struct pxr_diag *diag)
{
        const char *names[PXR_MOST_NAMES];
        size_t known = 0;
        char *meant;

        for (int i = 0; i < count; i++) {
                const struct pxr_option *row = readings[i].options->rows;

                for (; row && row->type != PXR_TYPE_END && known < PXR_MOST_NAMES; row++)
                        names[known++] = row->name;
        }
        pxr_error_at(diag, node->key_location, "%s: unknown option '%s'", what, node->key);
        meant = pxr_option_meant(arena, node, node->key, "", names, known);
        if (meant)
                pxr_hint(diag, "did you mean %s?", meant);
        else if (known == 0)
                pxr_note(diag, "%s takes no options", what);
        else
                pxr_note(diag, "options of %s: %s", what, pxr_join(arena, names, known, ", "));
        return -1;
}

/* Add a row's default to the mapping, as a node like those the user writes, and read it. */
static int set_default(struct pxr_arena *arena, struct pxr_yaml *mapping, const char *what,
                       const struct pxr_option *row, void *conf, struct pxr_diag *diag)
{
        struct pxr_yaml *value;

        if (!row->initial) {
                pxr_error_at(diag, mapping->key ? mapping->key_location : mapping->location,
                             "%s: the option '%s' is missing", what, row->name);
                pxr_hint(diag, "%s: %s", row->name, row->help);
                return -1;
        }
        if (!*row->initial)
                return 0;
        value = pxr_yaml_parse(arena, pxr_source_new(arena, "default", row->initial), diag);
        if (!value)
                return -1;
        value->key = row->name;
        value->key_location = mapping->key ? mapping->key_location : mapping->location;
        value->location = value->key_location;
        pxr_yaml_set_origin(value, PXR_ORIGIN_DEFAULT);
        pxr_yaml_append(mapping, value);
        return pxr_value_read(arena, value, what, row, conf, diag);
}

/* Let a table look at several fields at once. */
static int check_together(const struct pxr_yaml *mapping, const char *what,
                          const struct pxr_reading *reading, struct pxr_diag *diag)
{
        const char *message = "is wrong", *name;
        const struct pxr_yaml *node;

        if (!reading->options->check)
                return 0;
        name = reading->options->check(reading->conf, &message);
        if (!name)
                return 0;
        node = pxr_yaml_get(mapping, name);
        return pxr_error_at(diag, node ? node->location : mapping->location, "%s: '%s' %s", what,
                            name, message);
}

/* A scalar where a mapping is due sets the main option of a table that has one. */
static int open_main(struct pxr_arena *arena, struct pxr_yaml *node,
                     const struct pxr_reading *readings, int count)
{
        for (int i = 0; i < count; i++)
                if (readings[i].options->main)
                        return pxr_yaml_wrap(arena, node, readings[i].options->main);
        return 0;
}

/* Read what the mapping has. */
static int read_given(struct pxr_arena *arena, struct pxr_yaml *node, const char *what,
                      const struct pxr_reading *readings, int count, struct pxr_diag *diag)
{
        int status = 0;

        for (struct pxr_yaml *child = node->first; child; child = child->next) {
                void *conf;
                const struct pxr_option *row = find_row(readings, count, child->key, &conf);

                if (!row)
                        status = unknown_key(arena, child, what, readings, count, diag);
                else if (pxr_value_read(arena, child, what, row, conf, diag))
                        status = -1;
        }
        return status;
}

/* Add what the mapping lacks of one table, and read that too. */
static int read_defaults(struct pxr_arena *arena, struct pxr_yaml *node, const char *what,
                         const struct pxr_reading *reading, struct pxr_diag *diag)
{
        const struct pxr_option *row = reading->options->rows;
        int status = 0;

        for (; row && row->type != PXR_TYPE_END; row++)
                if (!pxr_yaml_get(node, row->name) &&
                    set_default(arena, node, what, row, reading->conf, diag))
                        status = -1;
        return status;
}

/* Put what the mapping has in the tables' order, so that one meaning has one text: runs are known
 * to be of the same spec by its hash. */
static void put_in_order(struct pxr_yaml *node, const struct pxr_reading *readings, int count)
{
        for (int i = 0; i < count; i++) {
                const struct pxr_option *row = readings[i].options->rows;

                for (; row && row->type != PXR_TYPE_END; row++) {
                        struct pxr_yaml *child = pxr_yaml_get(node, row->name);

                        if (!child)
                                continue;
                        pxr_yaml_remove(child);
                        pxr_yaml_append(node, child);
                }
        }
}

int pxr_options_read(struct pxr_arena *arena, struct pxr_yaml *node, const char *what,
                     const struct pxr_reading *readings, int count, struct pxr_diag *diag)
{
        int status;

        if (!node->parent)
                node->table = readings[0].options;
        if (pxr_yaml_empty(node))
                pxr_yaml_become_mapping(node);
        else if (node->kind == PXR_YAML_SCALAR && open_main(arena, node, readings, count))
                return -1;
        if (node->kind != PXR_YAML_MAPPING)
                return pxr_error_at(diag, node->location, "%s: expected a mapping of options",
                                    what);
        status = read_given(arena, node, what, readings, count, diag);
        for (int i = 0; i < count; i++)
                if (read_defaults(arena, node, what, &readings[i], diag))
                        status = -1;
        if (!status)
                put_in_order(node, readings, count);
        for (int i = 0; i < count && !status; i++)
                status = check_together(node, what, &readings[i], diag);
        return pxr_arena_failed(arena) ? -1 : status;
}

/* --- layers ------------------------------------------------------------------------------------
 */

static const char *list_option(const struct pxr_options *options)
{
        for (const struct pxr_option *row = options->rows; row && row->type != PXR_TYPE_END; row++)
                if (row->type == PXR_TYPE_LAYERS)
                        return row->name;
        return NULL;
}

/* Make the value behind a layer's name a mapping of its options: it is one already, or is what its
 * main option, or its list of layers, is set to. */
static int open_options(struct pxr_arena *arena, struct pxr_yaml *value,
                        const struct pxr_options *options, struct pxr_diag *diag)
{
        const char *name;

        if (pxr_yaml_empty(value))
                pxr_yaml_become_mapping(value);
        if (value->kind == PXR_YAML_MAPPING)
                return 0;
        name = value->kind == PXR_YAML_SEQUENCE ? list_option(options) : options->main;
        if (name)
                return pxr_yaml_wrap(arena, value, name);
        return pxr_error_at(diag, value->location, "%s%s", value->key,
                            !options->rows         ? " takes no options"
                            : list_option(options) ? ": expected a list of layers"
                                                   : ": expected a mapping of options");
}

/* Move the keys that stand beside a layer's name (`repeat: 7`, `layers: [...]`) in among its
 * options. */
static int take_in(struct pxr_yaml *mapping, bool written_out, struct pxr_diag *diag)
{
        struct pxr_yaml *next;

        for (struct pxr_yaml *beside = mapping->next; beside; beside = next) {
                next = beside->next;
                if (written_out)
                        return pxr_error_at(diag, beside->key_location,
                                            "'%s' stands beside the layer '%s', not among its "
                                            "options: check the indentation",
                                            beside->key, mapping->key);
                if (pxr_yaml_get(mapping, beside->key))
                        return pxr_error_at(diag, beside->key_location,
                                            "%s: '%s' is set already, by what stands behind '%s:'",
                                            mapping->key, beside->key, mapping->key);
                pxr_yaml_remove(beside);
                pxr_yaml_append(mapping, beside);
        }
        return 0;
}

struct pxr_yaml *pxr_layer_name(struct pxr_arena *arena, struct pxr_yaml *item,
                                struct pxr_diag *diag)
{
        if (item->kind == PXR_YAML_SCALAR && !pxr_yaml_empty(item) &&
            pxr_yaml_name_to_mapping(arena, item))
                return NULL;
        if (item->kind == PXR_YAML_MAPPING && item->first)
                return item->first;
        pxr_error_at(diag, item->location, "expected a layer: NAME, or NAME: {options}");
        return NULL;
}

int pxr_layer_options(struct pxr_arena *arena, struct pxr_yaml *name,
                      const struct pxr_options *options, struct pxr_diag *diag)
{
        /* What the command line sets (`model.1.repeat.count=3`) may be a mapping all the same. */
        bool written_out = name->kind == PXR_YAML_MAPPING && name->origin != PXR_ORIGIN_OVERRIDE;

        if (!options && name->next)
                pxr_note(diag, "the first key of an item is the name of its layer");
        if (!options)
                return -1;
        return open_options(arena, name, options, diag) || take_in(name, written_out, diag) ? -1
                                                                                            : 0;
}
