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
        const struct pxr_yaml *node;
        struct anchor *next;
};

struct reader {
        yaml_parser_t parser;
        struct pxr_arena *arena;
        struct pxr_yaml_input input;
        struct pxr_bounds *bounds;
        struct pxr_diag *diag;
        int anchor_count;
        struct anchor *anchors;     /* the last one first */
        struct pxr_yaml *root;      /* NULL: nothing was read yet */
        struct pxr_yaml *parent;    /* the collection that is being read; NULL: none */
        const struct pxr_yaml *key; /* what the next node of a mapping is the value of, or NULL */
};

static struct pxr_location location_of(const struct reader *reader, const yaml_event_t *event)
{
        return pxr_event_location(&reader->input, event->start_mark, event->end_mark);
}

/* More was read than the bounds allow. Returns -1. */
static int too_much(const struct reader *reader, struct pxr_location location, size_t most,
                    const char *what)
{
        pxr_error_at(reader->diag, location, "a spec can have %zu %s and no more", most, what);
        pxr_note(reader->diag, "aliases count as often as they are used");
        return -1;
}

static struct pxr_yaml *new_node(struct reader *reader, enum pxr_yaml_kind kind,
                                 struct pxr_location location)
{
        struct pxr_yaml *node = NULL;

        if (++reader->bounds->nodes > reader->bounds->max_nodes)
                too_much(reader, location, (size_t)reader->bounds->max_nodes, "nodes");
        else
                node = pxr_alloc(reader->arena, sizeof(*node));
        if (node)
                *node = (struct pxr_yaml) { .kind = kind, .location = location };
        return node;
}

/* Charge the text of a scalar or a key to the account, wherever it comes from. */
static int charge(struct reader *reader, struct pxr_location location, const char *text)
{
        size_t size = strlen(text);

        if (size > reader->bounds->max_bytes - reader->bounds->bytes)
                return too_much(reader, location, reader->bounds->max_bytes, "bytes");
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

/* Make a node a mapping's next key, which must be a scalar that is not a key already. */
static int set_key(struct reader *reader, const struct pxr_yaml *key)
{
        const struct pxr_yaml *twin;

        if (key->kind != PXR_YAML_SCALAR)
                return pxr_error_at(reader->diag, key->location,
                                    "a key must be a word, not a list or a mapping");
        if (!key->quoted && strcmp(key->text, "<<") == 0) {
                pxr_error_at(reader->diag, key->location, "merge keys are not part of YAML 1.2");
                pxr_note(reader->diag, "'extends: FILE' at the top of a spec joins specs");
                return -1;
        }
        twin = pxr_yaml_get(reader->parent, key->text);
        if (twin) {
                pxr_error_at(reader->diag, key->location, "the key '%s' is here twice", key->text);
                pxr_note(reader->diag, "it was first on line %d", twin->key_location.line);
                return -1;
        }
        if (reader->parent->count >= MAX_KEYS)
                return pxr_error_at(reader->diag, key->location, "more than %d keys in one mapping",
                                    MAX_KEYS);
        reader->key = key;
        return 0;
}

/* Put a node where it stands in the tree. */
static int add(struct reader *reader, struct pxr_yaml *node)
{
        if (!reader->parent) {
                reader->root = node;
                return 0;
        }
        if (reader->parent->kind == PXR_YAML_MAPPING && !reader->key)
                return set_key(reader, node);
        if (reader->key) {
                node->key = reader->key->text;
                node->key_location = reader->key->location;
                reader->key = NULL;
        }
        pxr_yaml_append(reader->parent, node);
        return 0;
}

static int add_anchor(struct reader *reader, const char *name, const struct pxr_yaml *node)
{
        struct anchor *anchor;

        if (++reader->anchor_count > MAX_ANCHORS)
                return pxr_error_at(reader->diag, node->location,
                                    "a spec can have %d anchors and no more", MAX_ANCHORS);
        anchor = pxr_alloc(reader->arena, sizeof(*anchor));
        if (!anchor)
                return -1;
        *anchor = (struct anchor) { pxr_strdup(reader->arena, name), node, reader->anchors };
        reader->anchors = anchor;
        return 0;
}

/* A new node of an event. Events of scalars, lists and mappings begin with the same members. */
static struct pxr_yaml *begin_node(struct reader *reader, enum pxr_yaml_kind kind,
                                   const yaml_event_t *event)
{
        const char *anchor = (const char *)event->data.scalar.anchor;
        struct pxr_yaml *node;

        if (event->data.scalar.tag) {
                pxr_error_at(reader->diag, location_of(reader, event),
                             "a spec has no use for tags, such as %s",
                             (const char *)event->data.scalar.tag);
                return NULL;
        }
        node = new_node(reader, kind, location_of(reader, event));
        return node && anchor && add_anchor(reader, anchor, node) ? NULL : node;
}

static int read_scalar(struct reader *reader, const yaml_event_t *event)
{
        const char *value = (const char *)event->data.scalar.value;
        struct pxr_yaml *node = begin_node(reader, PXR_YAML_SCALAR, event);

        if (!node)
                return -1;
        if (strlen(value) != event->data.scalar.length)
                return pxr_error_at(reader->diag, node->location, "a spec cannot hold a NUL byte");
        if (charge(reader, node->location, value))
                return -1;
        node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        node->text = pxr_strdup(reader->arena, value);
        return add(reader, node);
}

static int begin_collection(struct reader *reader, enum pxr_yaml_kind kind,
                            const yaml_event_t *event)
{
        struct pxr_yaml *node = begin_node(reader, kind, event);

        if (!node || enter(reader, node) || add(reader, node))
                return -1;
        reader->parent = node;
        return 0;
}

/* Whether a node is a collection that is still being read. */
static bool is_open(const struct reader *reader, const struct pxr_yaml *node)
{
        const struct pxr_yaml *open = reader->parent;

        while (open && open != node)
                open = open->parent;
        return open != NULL;
}

static int read_alias(struct reader *reader, const yaml_event_t *event)
{
        const char *name = (const char *)event->data.alias.anchor;
        const struct anchor *anchor = reader->anchors;
        struct pxr_yaml *copy;

        while (anchor && (strcmp(anchor->name, name) != 0 || is_open(reader, anchor->node)))
                anchor = anchor->next;
        if (!anchor)
                return pxr_error_at(reader->diag, location_of(reader, event),
                                    "there is no anchor '&%s' that ends before this alias", name);
        copy = copy_node(reader, anchor->node);
        return copy ? add(reader, copy) : -1;
}

static int read_event(struct reader *reader, const yaml_event_t *event)
{
        switch (event->type) {
        case YAML_DOCUMENT_START_EVENT:
                if (!reader->root)
                        return 0;
                return pxr_error_at(reader->diag, location_of(reader, event),
                                    "a second document starts here: a spec is one document");
        case YAML_ALIAS_EVENT:
                return read_alias(reader, event);
        case YAML_SCALAR_EVENT:
                return read_scalar(reader, event);
        case YAML_SEQUENCE_START_EVENT:
                return begin_collection(reader, PXR_YAML_SEQUENCE, event);
        case YAML_MAPPING_START_EVENT:
                return begin_collection(reader, PXR_YAML_MAPPING, event);
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
                reader->parent = reader->parent->parent;
                reader->bounds->depth--;
                return 0;
        default:
                return 0;
        }
}

/* Read the one document of a stream; an empty scalar if there is none. */
static int read_stream(struct reader *reader)
{
        yaml_event_type_t type;

        do {
                yaml_event_t event;
                int status;

                if (!yaml_parser_parse(&reader->parser, &event))
                        return pxr_syntax_error(&reader->input, &reader->parser, reader->diag);
                type = event.type;
                status = read_event(reader, &event);
                yaml_event_delete(&event);
                if (status)
                        return -1;
        } while (type != YAML_STREAM_END_EVENT);
        if (!reader->root) {
                yaml_mark_t start = { 0 };

                reader->root = new_node(reader, PXR_YAML_SCALAR,
                                        pxr_event_location(&reader->input, start, start));
                if (reader->root)
                        reader->root->text = "";
        }
        return 0;
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
        int status;

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
        status = read_stream(&reader);
        yaml_parser_delete(&reader.parser);
        return status || pxr_arena_failed(arena) ? NULL : reader.root;
}

struct pxr_source *pxr_source_new(struct pxr_arena *arena, const char *name, const char *text)
{
        struct pxr_source *source = pxr_alloc(arena, sizeof(*source));

        if (source)
                *source = (struct pxr_source) { name, text, strlen(text) };
        return source;
}

struct pxr_yaml *pxr_yaml_parse(struct pxr_arena *arena, const struct pxr_source *source,
                                struct pxr_diag *diag)
{
        struct pxr_bounds bounds = PXR_TREE_BOUNDS;
        struct pxr_yaml *root = source ? pxr_yaml_parse_at(arena, source, 0, &bounds, diag) : NULL;

        if (root && pxr_yaml_empty(root))
                pxr_yaml_become_mapping(root);
        return root;
}
