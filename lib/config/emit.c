/* SPDX-License-Identifier: MIT */
/*
 * emit.c - a spec's tree as YAML text, by libyaml's emitter.
 *
 * What is written here is read again when a run is resumed: a tree that would not be read, being
 * too large, is not written.
 */
#include <string.h>
#include <yaml.h>

#include "base/text.h"
#include "config/tree.h"

struct writer {
        yaml_emitter_t emitter;
        struct pxr_stream stream;
        int nodes, depth;
        bool one_line;
        const struct pxr_yaml *const *left_out; /* as pxr_yaml_emit_sorted() */
        const char *excess;                     /* what there is too much of, or NULL */
};

/* How a scalar is written; line breaks are escaped where all is to be one line. */
static yaml_scalar_style_t scalar_style(const struct writer *writer, const char *text, bool quoted)
{
        if (writer->one_line && !pxr_one_line(text))
                return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
        return quoted ? YAML_SINGLE_QUOTED_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE;
}

/* Another node, at the depth the writer is at: false if it is one too many. */
static bool count_node(struct writer *writer)
{
        if (ftell(writer->stream.to) > PXR_TREE_MAX_BYTES)
                writer->excess = "bytes";
        else if (++writer->nodes > PXR_TREE_MAX_NODES)
                writer->excess = "nodes";
        else if (writer->depth > PXR_TREE_MAX_DEPTH)
                writer->excess = "levels";
        return !writer->excess;
}

static bool emit_scalar(struct writer *writer, const char *text, bool quoted)
{
        yaml_event_t event;

        if (!count_node(writer))
                return false;
        return yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text,
                                            (int)strlen(text), !quoted, 1,
                                            scalar_style(writer, text, quoted)) &&
               yaml_emitter_emit(&writer->emitter, &event);
}

/* A key that is the sign of a merge was in quotes. */
static bool emit_key(struct writer *writer, const char *key)
{
        return emit_scalar(writer, key, strcmp(key, "<<") == 0);
}

static bool emit_node(struct writer *writer, const struct pxr_yaml *node);

static bool is_left_out(const struct writer *writer, const struct pxr_yaml *node)
{
        const struct pxr_yaml *const *left_out = writer->left_out;

        while (*left_out && *left_out != node)
                left_out++;
        return *left_out != NULL;
}

/* The child to be written after `last`, or first if that is NULL. NULL: no more. */
static const struct pxr_yaml *next_child(const struct writer *writer, const struct pxr_yaml *node,
                                         const struct pxr_yaml *last)
{
        const struct pxr_yaml *next = NULL;

        if (!writer->left_out || node->kind != PXR_YAML_MAPPING)
                return last ? last->next : node->first;
        for (const struct pxr_yaml *child = node->first; child; child = child->next)
                if ((!last || strcmp(child->key, last->key) > 0) &&
                    (!next || strcmp(child->key, next->key) < 0) && !is_left_out(writer, child))
                        next = child;
        return next;
}

static bool emit_children(struct writer *writer, const struct pxr_yaml *node)
{
        for (const struct pxr_yaml *child = next_child(writer, node, NULL); child;
             child = next_child(writer, node, child))
                if ((node->kind == PXR_YAML_MAPPING && !emit_key(writer, child->key)) ||
                    !emit_node(writer, child))
                        return false;
        return true;
}

static bool emit_node(struct writer *writer, const struct pxr_yaml *node)
{
        bool mapping = node->kind == PXR_YAML_MAPPING, flow = writer->one_line;
        yaml_event_t event;

        if (node->kind == PXR_YAML_SCALAR)
                return emit_scalar(writer, node->text, node->quoted);
        writer->depth++;
        if (!count_node(writer))
                return false;
        if (!(mapping ? yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
                                                            flow ? YAML_FLOW_MAPPING_STYLE
                                                                 : YAML_BLOCK_MAPPING_STYLE)
                      : yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
                                                             flow ? YAML_FLOW_SEQUENCE_STYLE
                                                                  : YAML_BLOCK_SEQUENCE_STYLE)) ||
            !yaml_emitter_emit(&writer->emitter, &event) || !emit_children(writer, node))
                return false;
        writer->depth--;
        return (mapping ? yaml_mapping_end_event_initialize(&event)
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

static void refuse(const struct writer *writer, struct pxr_diag *diag)
{
        if (writer->excess)
                pxr_user_error(diag,
                               "the spec is too large: with every default written out it has too "
                               "many %s",
                               writer->excess);
        else if (writer->emitter.error == YAML_EMITTER_ERROR)
                pxr_system_error(diag, "cannot write the spec as YAML: %s",
                                 writer->emitter.problem);
        else
                pxr_out_of_memory(diag);
}

static char *emit(struct pxr_arena *arena, const struct pxr_yaml *node, struct writer writer,
                  struct pxr_diag *diag)
{
        bool whole = false;
        char *text;

        if (pxr_stream_open(&writer.stream, arena))
                return NULL;
        if (yaml_emitter_initialize(&writer.emitter)) {
                yaml_emitter_set_output_file(&writer.emitter, writer.stream.to);
                yaml_emitter_set_unicode(&writer.emitter, 1);
                yaml_emitter_set_width(&writer.emitter, -1);
                whole = emit_document(&writer, node) && count_node(&writer);
        }
        if (!whole)
                refuse(&writer, diag);
        yaml_emitter_delete(&writer.emitter);
        text = pxr_stream_close(&writer.stream);
        return whole && !pxr_arena_failed(arena) ? text : NULL;
}

char *pxr_yaml_emit(struct pxr_arena *arena, const struct pxr_yaml *node, struct pxr_diag *diag)
{
        return emit(arena, node, (struct writer) { 0 }, diag);
}

char *pxr_yaml_emit_sorted(struct pxr_arena *arena, const struct pxr_yaml *node,
                           const struct pxr_yaml *const *left_out, struct pxr_diag *diag)
{
        return emit(arena, node, (struct writer) { .left_out = left_out }, diag);
}

char *pxr_yaml_emit_line(struct pxr_arena *arena, const struct pxr_yaml *node,
                         struct pxr_diag *diag)
{
        char *text = emit(arena, node, (struct writer) { .one_line = true }, diag);

        if (text)
                text[strcspn(text, "\n")] = '\0';
        return text;
}
