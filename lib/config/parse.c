/* SPDX-License-Identifier: MIT */
/*
 * parse.c - YAML text into a tree with locations, by libyaml's events.
 *
 * Events rather than documents, so that the bounds on nodes and depth hold while reading.
 */
#include "config/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/text.h"
#include "config/syntax.h"
#include "config/tree.h"

enum {
        MAX_KEYS = 1000,    /* in one mapping; looking for twins takes the square of it */
        MAX_ANCHORS = 1000, /* every alias looks through them */
};

struct anchor {
        const char *name;
        struct pxr_yaml *node;
        struct anchor *next;
};

struct reader {
        yaml_parser_t parser;
        struct pxr_arena *arena;
        struct pxr_yaml_input input;
        struct pxr_bounds *bounds;
        struct pxr_diag *diag;
        int anchor_count;
        struct anchor *anchors;
};

static struct pxr_location location_of(const struct reader *reader, const yaml_event_t *event)
{
        return pxr_event_location(&reader->input, event->start_mark, event->end_mark);
}

static int next_event(struct reader *reader, yaml_event_t *event)
{
        if (yaml_parser_parse(&reader->parser, event))
                return 0;
        return pxr_syntax_error(&reader->input, &reader->parser, reader->diag);
}

static struct pxr_yaml *new_node(struct reader *reader, enum pxr_yaml_kind kind,
                                 struct pxr_location location)
{
        struct pxr_yaml *node;

        if (++reader->bounds->nodes > reader->bounds->max_nodes) {
                pxr_error_at(reader->diag, location, "a spec can have %d nodes and no more",
                             reader->bounds->max_nodes);
                pxr_note(reader->diag, "aliases count as often as they are used");
                return NULL;
        }
        node = pxr_alloc(reader->arena, sizeof(*node));
        if (!node)
                return NULL;
        node->kind = kind;
        node->location = location;
        return node;
}

/* Charge the text of a scalar or a key to the account, wherever it comes from. */
static int charge(struct reader *reader, struct pxr_location location, const char *text)
{
        size_t size = strlen(text);

        if (size > reader->bounds->max_bytes - reader->bounds->bytes) {
                pxr_error_at(reader->diag, location, "a spec can hold %zu bytes and no more",
                             reader->bounds->max_bytes);
                pxr_note(reader->diag, "aliases count as often as they are used");
                return -1;
        }
        reader->bounds->bytes += size;
        return 0;
}

/* Go down into a collection. */
static int enter(struct reader *reader, const struct pxr_yaml *node)
{
        if (++reader->bounds->depth <= reader->bounds->max_depth)
                return 0;
        return pxr_error_at(reader->diag, node->location,
                            "a spec can be %d levels deep and no more", reader->bounds->max_depth);
}

/* A copy of an anchored node, which counts against the bounds as if it were written out. */
static struct pxr_yaml *copy_node(struct reader *reader, const struct pxr_yaml *node)
{
        struct pxr_yaml *copy = new_node(reader, node->kind, node->location);

        if (!copy)
                return NULL;
        copy->quoted = node->quoted;
        copy->text = node->text;
        if (node->kind == PXR_YAML_SCALAR)
                return charge(reader, node->location, node->text) ? NULL : copy;
        if (enter(reader, node))
                return NULL;
        for (const struct pxr_yaml *child = node->first; child; child = child->next) {
                struct pxr_yaml *inner = copy_node(reader, child);

                if (!inner || (child->key && charge(reader, child->key_location, child->key)))
                        return NULL;
                inner->key = child->key;
                inner->key_location = child->key_location;
                pxr_yaml_append(copy, inner);
        }
        reader->bounds->depth--;
        return copy;
}

static struct pxr_yaml *read_alias(struct reader *reader, const yaml_event_t *event)
{
        const char *name = (const char *)event->data.alias.anchor;

        for (const struct anchor *anchor = reader->anchors; anchor; anchor = anchor->next)
                if (strcmp(anchor->name, name) == 0)
                        return copy_node(reader, anchor->node);
        pxr_error_at(reader->diag, location_of(reader, event),
                     "there is no anchor '&%s' that ends before this alias", name);
        return NULL;
}

static int add_anchor(struct reader *reader, const yaml_char_t *name, struct pxr_yaml *node)
{
        struct anchor *anchor;

        if (!name)
                return 0;
        if (++reader->anchor_count > MAX_ANCHORS)
                return pxr_error_at(reader->diag, node->location,
                                    "a spec can have %d anchors and no more", MAX_ANCHORS);
        anchor = pxr_alloc(reader->arena, sizeof(*anchor));
        if (!anchor)
                return -1;
        anchor->name = pxr_strdup(reader->arena, (const char *)name);
        anchor->node = node;
        anchor->next = reader->anchors;
        reader->anchors = anchor;
        return 0;
}

static struct pxr_yaml *read_node(struct reader *reader, yaml_event_t *event);

static struct pxr_yaml *read_scalar(struct reader *reader, const yaml_event_t *event)
{
        struct pxr_yaml *node = new_node(reader, PXR_YAML_SCALAR, location_of(reader, event));
        const char *value = (const char *)event->data.scalar.value;

        if (!node)
                return NULL;
        if (strlen(value) != event->data.scalar.length) {
                pxr_error_at(reader->diag, node->location, "a spec cannot hold a NUL byte");
                return NULL;
        }
        node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        if (charge(reader, node->location, value))
                return NULL;
        node->text = pxr_strdup(reader->arena, value);
        return add_anchor(reader, event->data.scalar.anchor, node) ? NULL : node;
}

/* Read the value of a mapping's key, and add it. */
static int read_pair(struct reader *reader, struct pxr_yaml *mapping, const struct pxr_yaml *key)
{
        const struct pxr_yaml *twin = pxr_yaml_get(mapping, key->text);
        struct pxr_yaml *value;
        yaml_event_t event;

        if (!key->quoted && strcmp(key->text, "<<") == 0) {
                pxr_error_at(reader->diag, key->location, "merge keys are not part of YAML 1.2");
                pxr_note(reader->diag, "'extends: FILE' at the top of a spec joins specs");
                return -1;
        }
        if (twin) {
                pxr_error_at(reader->diag, key->location, "the key '%s' is here twice", key->text);
                pxr_note(reader->diag, "it was first on line %d", twin->key_location.line);
                return -1;
        }
        if (mapping->count >= MAX_KEYS)
                return pxr_error_at(reader->diag, key->location, "more than %d keys in one mapping",
                                    MAX_KEYS);
        if (next_event(reader, &event))
                return -1;
        value = read_node(reader, &event);
        yaml_event_delete(&event);
        if (!value)
                return -1;
        value->key = key->text;
        value->key_location = key->location;
        pxr_yaml_append(mapping, value);
        return 0;
}

static struct pxr_yaml *read_collection(struct reader *reader, const yaml_event_t *start)
{
        bool mapping = start->type == YAML_MAPPING_START_EVENT;
        struct pxr_yaml *node = new_node(reader, mapping ? PXR_YAML_MAPPING : PXR_YAML_SEQUENCE,
                                         location_of(reader, start));
        const yaml_char_t *anchor =
                mapping ? start->data.mapping_start.anchor : start->data.sequence_start.anchor;

        if (!node || enter(reader, node))
                return NULL;
        for (;;) {
                yaml_event_t event;
                struct pxr_yaml *child;
                bool end;

                if (next_event(reader, &event))
                        return NULL;
                end = event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
                child = end ? NULL : read_node(reader, &event);
                yaml_event_delete(&event);
                if (end)
                        break;
                if (!child)
                        return NULL;
                if (mapping && child->kind != PXR_YAML_SCALAR) {
                        pxr_error_at(reader->diag, child->location,
                                     "a key must be a word, not a list or a mapping");
                        return NULL;
                }
                if (mapping && read_pair(reader, node, child))
                        return NULL;
                if (!mapping)
                        pxr_yaml_append(node, child);
        }
        reader->bounds->depth--;
        return add_anchor(reader, anchor, node) ? NULL : node;
}

static struct pxr_yaml *read_node(struct reader *reader, yaml_event_t *event)
{
        const yaml_char_t *tag = NULL;

        if (event->type == YAML_SCALAR_EVENT)
                tag = event->data.scalar.tag;
        else if (event->type == YAML_MAPPING_START_EVENT)
                tag = event->data.mapping_start.tag;
        else if (event->type == YAML_SEQUENCE_START_EVENT)
                tag = event->data.sequence_start.tag;
        if (tag) {
                pxr_error_at(reader->diag, location_of(reader, event),
                             "a spec has no use for tags, such as %s", (const char *)tag);
                return NULL;
        }
        if (event->type == YAML_ALIAS_EVENT)
                return read_alias(reader, event);
        if (event->type == YAML_SCALAR_EVENT)
                return read_scalar(reader, event);
        return read_collection(reader, event);
}

/* The one document of a stream; an empty scalar if there is none. */
static struct pxr_yaml *read_stream(struct reader *reader)
{
        struct pxr_yaml *root = NULL;
        yaml_event_type_t type;

        do {
                yaml_event_t event;
                bool wrong = false;

                if (next_event(reader, &event))
                        return NULL;
                type = event.type;
                if (type == YAML_DOCUMENT_START_EVENT && root) {
                        pxr_error_at(reader->diag, location_of(reader, &event),
                                     "a second document starts here: a spec is one document");
                        wrong = true;
                } else if (type == YAML_SCALAR_EVENT || type == YAML_ALIAS_EVENT ||
                           type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT) {
                        root = read_node(reader, &event);
                        wrong = !root;
                }
                yaml_event_delete(&event);
                if (wrong)
                        return NULL;
        } while (type != YAML_STREAM_END_EVENT);
        if (root)
                return root;
        root = new_node(
                reader, PXR_YAML_SCALAR,
                pxr_event_location(&reader->input, (yaml_mark_t) { 0 }, (yaml_mark_t) { 0 }));
        if (root)
                root->text = "";
        return root;
}

struct pxr_yaml *pxr_yaml_parse_at(struct pxr_arena *arena, const struct pxr_source *source,
                                   size_t from, struct pxr_bounds *bounds, struct pxr_diag *diag)
{
        struct reader reader = {
                .arena = arena,
                .input = { source, from, pxr_characters(source->text, source->text + from) },
                .bounds = bounds,
                .diag = diag,
        };
        struct pxr_yaml *root;

        if (source->size > bounds->max_bytes) {
                pxr_error_at(diag, (struct pxr_location) { .source = source },
                             "larger than %zu bytes, which no spec is", bounds->max_bytes);
                return NULL;
        }
        if (!yaml_parser_initialize(&reader.parser)) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&reader.parser, (const unsigned char *)source->text + from,
                                     source->size - from);
        root = read_stream(&reader);
        yaml_parser_delete(&reader.parser);
        return pxr_arena_failed(arena) ? NULL : root;
}

struct pxr_yaml *pxr_yaml_parse(struct pxr_arena *arena, const struct pxr_source *source,
                                struct pxr_diag *diag)
{
        struct pxr_bounds bounds = PXR_TREE_BOUNDS;
        struct pxr_yaml *root = pxr_yaml_parse_at(arena, source, 0, &bounds, diag);

        if (root && pxr_yaml_empty(root))
                pxr_yaml_become_mapping(root);
        return root;
}
