/* SPDX-License-Identifier: MIT */
/*
 * yaml.c - YAML text into a tree with marks, by libyaml's events, and back.
 *
 * Events rather than documents, so that the bounds on nodes and depth hold while reading. Uses
 * base/ and libyaml.
 */
#include "spec/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "spec/tree.h"

enum { MAX_KEYS = 1000 }; /* in one mapping */

struct anchor {
        const char *name;
        struct pxr_yaml *node;
        struct anchor *next;
};

struct reader {
        yaml_parser_t parser;
        struct pxr_arena *arena;
        const struct pxr_source *source;
        struct pxr_diag *diag;
        int column_shift; /* of the first line: an override's value stands behind its key */
        int nodes, depth;
        struct anchor *anchors;
};

static struct pxr_mark mark_of(const struct reader *reader, yaml_mark_t start, yaml_mark_t end)
{
        int shift = start.line == 0 ? reader->column_shift : 0;

        return (struct pxr_mark) {
                .source = reader->source,
                .line = (int)start.line + 1,
                .column = (int)start.column + 1 + shift,
                .length = end.line == start.line ? (int)(end.column - start.column) : 1,
        };
}

static int next_event(struct reader *reader, yaml_event_t *event)
{
        yaml_parser_t *parser = &reader->parser;
        yaml_mark_t mark;

        if (yaml_parser_parse(parser, event))
                return 0;
        if (parser->error == YAML_MEMORY_ERROR)
                return pxr_out_of_memory(reader->diag);
        /* The reader's own errors (bad UTF-8) have no mark; they arise where reading had got to. */
        mark = parser->error == YAML_READER_ERROR ? parser->mark : parser->problem_mark;
        pxr_error_at(reader->diag, mark_of(reader, mark, mark), "this is not YAML: %s",
                     parser->problem ? parser->problem : "unknown error");
        if (parser->context)
                pxr_note(reader->diag, "%s", parser->context);
        return -1;
}

static struct pxr_yaml *new_node(struct reader *reader, enum pxr_yaml_kind kind,
                                 struct pxr_mark mark)
{
        struct pxr_yaml *node;

        if (++reader->nodes > PXR_SPEC_MAX_NODES) {
                pxr_error_at(reader->diag, mark, "a spec can have %d nodes and no more",
                             PXR_SPEC_MAX_NODES);
                pxr_note(reader->diag, "aliases count as often as they are used");
                return NULL;
        }
        node = pxr_alloc(reader->arena, sizeof(*node));
        if (!node) {
                pxr_out_of_memory(reader->diag);
                return NULL;
        }
        node->kind = kind;
        node->mark = mark;
        return node;
}

/* A copy of an anchored node, which counts against the limit as if it were written out. */
static struct pxr_yaml *copy_node(struct reader *reader, const struct pxr_yaml *node)
{
        struct pxr_yaml *copy = new_node(reader, node->kind, node->mark);

        if (!copy)
                return NULL;
        copy->text = node->text;
        copy->quoted = node->quoted;
        for (const struct pxr_yaml *child = node->first; child; child = child->next) {
                struct pxr_yaml *inner = copy_node(reader, child);

                if (!inner)
                        return NULL;
                inner->key = child->key;
                inner->key_mark = child->key_mark;
                pxr_yaml_append(copy, inner);
        }
        return copy;
}

static struct pxr_yaml *read_alias(struct reader *reader, const yaml_event_t *event)
{
        const char *name = (const char *)event->data.alias.anchor;
        struct pxr_mark mark = mark_of(reader, event->start_mark, event->end_mark);

        for (const struct anchor *anchor = reader->anchors; anchor; anchor = anchor->next)
                if (strcmp(anchor->name, name) == 0)
                        return copy_node(reader, anchor->node);
        pxr_error_at(reader->diag, mark, "there is no anchor '&%s' that ends before this alias",
                     name);
        return NULL;
}

static int add_anchor(struct reader *reader, const yaml_char_t *name, struct pxr_yaml *node)
{
        struct anchor *anchor;

        if (!name)
                return 0;
        anchor = pxr_alloc(reader->arena, sizeof(*anchor));
        if (!anchor || !(anchor->name = pxr_strdup(reader->arena, (const char *)name)))
                return pxr_out_of_memory(reader->diag);
        anchor->node = node;
        anchor->next = reader->anchors;
        reader->anchors = anchor;
        return 0;
}

static struct pxr_yaml *read_node(struct reader *reader, yaml_event_t *event);

static struct pxr_yaml *read_scalar(struct reader *reader, const yaml_event_t *event)
{
        struct pxr_mark mark = mark_of(reader, event->start_mark, event->end_mark);
        struct pxr_yaml *node = new_node(reader, PXR_YAML_SCALAR, mark);
        const char *value = (const char *)event->data.scalar.value;

        if (!node)
                return NULL;
        if (strlen(value) != event->data.scalar.length) {
                pxr_error_at(reader->diag, mark, "a value cannot hold a NUL byte");
                return NULL;
        }
        node->text = pxr_strdup(reader->arena, value);
        node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        if (!node->text) {
                pxr_out_of_memory(reader->diag);
                return NULL;
        }
        return add_anchor(reader, event->data.scalar.anchor, node) ? NULL : node;
}

/* Read the value of a mapping's key, and add it. */
static int read_pair(struct reader *reader, struct pxr_yaml *mapping, const struct pxr_yaml *key)
{
        const struct pxr_yaml *twin = pxr_yaml_get(mapping, key->text);
        struct pxr_yaml *value;
        yaml_event_t event;

        if (!key->quoted && strcmp(key->text, "<<") == 0) {
                pxr_error_at(reader->diag, key->mark, "merge keys are not part of YAML 1.2");
                pxr_note(reader->diag, "'extends: FILE' at the top of a spec joins specs");
                return -1;
        }
        if (twin) {
                pxr_error_at(reader->diag, key->mark, "the key '%s' is here twice", key->text);
                pxr_note(reader->diag, "it was first on line %d", twin->key_mark.line);
                return -1;
        }
        if (mapping->count >= MAX_KEYS)
                return pxr_error_at(reader->diag, key->mark, "more than %d keys in one mapping",
                                    MAX_KEYS);
        if (next_event(reader, &event))
                return -1;
        value = read_node(reader, &event);
        yaml_event_delete(&event);
        if (!value)
                return -1;
        value->key = key->text;
        value->key_mark = key->mark;
        pxr_yaml_append(mapping, value);
        return 0;
}

static struct pxr_yaml *read_collection(struct reader *reader, const yaml_event_t *start)
{
        bool mapping = start->type == YAML_MAPPING_START_EVENT;
        struct pxr_yaml *node = new_node(reader, mapping ? PXR_YAML_MAPPING : PXR_YAML_SEQUENCE,
                                         mark_of(reader, start->start_mark, start->end_mark));
        const yaml_char_t *anchor =
                mapping ? start->data.mapping_start.anchor : start->data.sequence_start.anchor;

        if (!node)
                return NULL;
        if (++reader->depth > PXR_SPEC_MAX_DEPTH) {
                pxr_error_at(reader->diag, node->mark, "a spec can be %d levels deep and no more",
                             PXR_SPEC_MAX_DEPTH);
                return NULL;
        }
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
                        pxr_error_at(reader->diag, child->mark, "a key must be a plain word");
                        return NULL;
                }
                if (mapping && read_pair(reader, node, child))
                        return NULL;
                if (!mapping)
                        pxr_yaml_append(node, child);
        }
        reader->depth--;
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
                pxr_error_at(reader->diag, mark_of(reader, event->start_mark, event->end_mark),
                             "a spec has no use for tags, such as %s", (const char *)tag);
                return NULL;
        }
        if (event->type == YAML_ALIAS_EVENT)
                return read_alias(reader, event);
        if (event->type == YAML_SCALAR_EVENT)
                return read_scalar(reader, event);
        return read_collection(reader, event);
}

/* The one document of a stream. */
static struct pxr_yaml *read_stream(struct reader *reader)
{
        struct pxr_yaml *root = NULL;

        for (;;) {
                yaml_event_t event;
                yaml_event_type_t type;
                bool second = false;

                if (next_event(reader, &event))
                        return NULL;
                type = event.type;
                if (type == YAML_DOCUMENT_START_EVENT && root) {
                        pxr_error_at(reader->diag,
                                     mark_of(reader, event.start_mark, event.end_mark),
                                     "a second document starts here: a spec is one document");
                        second = true;
                } else if (type == YAML_SCALAR_EVENT || type == YAML_ALIAS_EVENT ||
                           type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT) {
                        root = read_node(reader, &event);
                        second = !root;
                }
                yaml_event_delete(&event);
                if (second)
                        return NULL;
                if (type == YAML_STREAM_END_EVENT)
                        break;
        }
        if (root)
                return root;
        return new_node(reader, PXR_YAML_MAPPING,
                        (struct pxr_mark) { .source = reader->source, .line = 1, .column = 1 });
}

struct pxr_yaml *pxr_yaml_parse_at(struct pxr_arena *arena, const struct pxr_source *source,
                                   size_t from, struct pxr_diag *diag)
{
        struct reader reader = {
                .arena = arena, .source = source, .diag = diag, .column_shift = (int)from
        };
        struct pxr_yaml *root;

        if (source->size > PXR_SPEC_MAX_BYTES) {
                pxr_user_error(diag, "%s: larger than %d bytes, which no spec is", source->name,
                               PXR_SPEC_MAX_BYTES);
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
        return root;
}

struct pxr_yaml *pxr_yaml_parse(struct pxr_arena *arena, const struct pxr_source *source,
                                struct pxr_diag *diag)
{
        return pxr_yaml_parse_at(arena, source, 0, diag);
}

/* --- and back ----------------------------------------------------------------------------------
 */

struct writer {
        yaml_emitter_t emitter;
        char *text;
        size_t size, capacity;
};

static int append_text(void *context, unsigned char *bytes, size_t size)
{
        struct writer *writer = context;

        if (writer->size + size + 1 > writer->capacity) {
                size_t capacity = 2 * (writer->size + size + 1);
                char *grown = realloc(writer->text, capacity);

                if (!grown)
                        return 0;
                writer->text = grown;
                writer->capacity = capacity;
        }
        memcpy(writer->text + writer->size, bytes, size);
        writer->size += size;
        writer->text[writer->size] = '\0';
        return 1;
}

static bool emit_scalar(struct writer *writer, const char *text, bool quoted)
{
        yaml_event_t event;

        return yaml_scalar_event_initialize(
                       &event, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text), !quoted, 1,
                       quoted ? YAML_SINGLE_QUOTED_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE) &&
               yaml_emitter_emit(&writer->emitter, &event);
}

static bool emit_node(struct writer *writer, const struct pxr_yaml *node)
{
        yaml_event_t event;

        if (node->kind == PXR_YAML_SCALAR)
                return emit_scalar(writer, node->text, node->quoted);
        if (!(node->kind == PXR_YAML_MAPPING
                      ? yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
                                                            YAML_BLOCK_MAPPING_STYLE)
                      : yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
                                                             YAML_BLOCK_SEQUENCE_STYLE)) ||
            !yaml_emitter_emit(&writer->emitter, &event))
                return false;
        for (const struct pxr_yaml *child = node->first; child; child = child->next)
                if ((node->kind == PXR_YAML_MAPPING && !emit_scalar(writer, child->key, false)) ||
                    !emit_node(writer, child))
                        return false;
        return (node->kind == PXR_YAML_MAPPING ? yaml_mapping_end_event_initialize(&event)
                                               : yaml_sequence_end_event_initialize(&event)) &&
               yaml_emitter_emit(&writer->emitter, &event);
}

static bool emit_document(struct writer *writer, const struct pxr_yaml *root)
{
        yaml_event_t event;

        return yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING) &&
               yaml_emitter_emit(&writer->emitter, &event) &&
               yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1) &&
               yaml_emitter_emit(&writer->emitter, &event) && emit_node(writer, root) &&
               yaml_document_end_event_initialize(&event, 1) &&
               yaml_emitter_emit(&writer->emitter, &event) &&
               yaml_stream_end_event_initialize(&event) &&
               yaml_emitter_emit(&writer->emitter, &event);
}

char *pxr_yaml_emit(struct pxr_arena *arena, const struct pxr_yaml *node, struct pxr_diag *diag)
{
        struct writer writer = { 0 };
        char *text = NULL;

        if (!yaml_emitter_initialize(&writer.emitter)) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        yaml_emitter_set_output(&writer.emitter, append_text, &writer);
        yaml_emitter_set_unicode(&writer.emitter, 1);
        yaml_emitter_set_width(&writer.emitter, -1);
        if (!emit_document(&writer, node))
                pxr_system_error(diag, "the spec cannot be written as YAML: %s",
                                 writer.emitter.problem ? writer.emitter.problem : "no memory");
        else if (!(text = pxr_strdup(arena, writer.text ? writer.text : "")))
                pxr_out_of_memory(diag);
        yaml_emitter_delete(&writer.emitter);
        free(writer.text);
        return text;
}
