/* SPDX-License-Identifier: MIT */
/*
 * json.c - a spec, or a value of it, as JSON, so that SQL can query it.
 *
 * Numbers keep the value that was written; YAML's hexadecimal and octal ones become decimal.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/options.h"
#include "config/tree.h"

char *pxr_json_string(struct pxr_arena *arena, const char *text)
{
        json_t *string = json_string(text);
        char *encoded = json_dumps(string, JSON_ENCODE_ANY), *copy;

        if (!encoded)
                pxr_arena_fail(arena);
        copy = pxr_strdup(arena, encoded ? encoded : "");
        free(encoded);
        json_decref(string);
        return copy;
}

char *pxr_json_word(struct pxr_arena *arena, const char *text)
{
        char number[PXR_REAL_TEXT];
        int64_t integer;
        double real;

        if (pxr_parse_int(text, &integer) == PXR_NUMBER)
                return pxr_strf(arena, "%lld", (long long)integer);
        if (pxr_parse_real(text, &real) == PXR_NUMBER)
                return pxr_strdup(arena, pxr_format_real(real, number));
        return pxr_json_string(arena, text);
}

static const char *scalar(struct pxr_arena *arena, const struct pxr_yaml *node)
{
        static const char *const words[] = { "true", "false" };

        if (node->quoted)
                return pxr_json_string(arena, node->text);
        if (pxr_yaml_empty(node))
                return "null";
        for (size_t i = 0; i < PXR_COUNT(words); i++)
                if (strcmp(node->text, words[i]) == 0)
                        return words[i];
        return pxr_json_word(arena, node->text);
}

static void write_node(const struct pxr_stream *stream, const struct pxr_yaml *node)
{
        bool mapping = node->kind == PXR_YAML_MAPPING;

        if (node->kind == PXR_YAML_SCALAR) {
                fputs(scalar(stream->arena, node), stream->to);
                return;
        }
        fputc(mapping ? '{' : '[', stream->to);
        for (const struct pxr_yaml *child = node->first; child; child = child->next) {
                if (child != node->first)
                        fputs(", ", stream->to);
                if (mapping)
                        fprintf(stream->to, "%s: ", pxr_json_string(stream->arena, child->key));
                write_node(stream, child);
        }
        fputc(mapping ? '}' : ']', stream->to);
}

char *pxr_yaml_json(struct pxr_arena *arena, const struct pxr_yaml *node)
{
        struct pxr_stream stream;

        if (pxr_stream_open(&stream, arena))
                return pxr_strdup(arena, "");
        write_node(&stream, node);
        return pxr_stream_close(&stream);
}
