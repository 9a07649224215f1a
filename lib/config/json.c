/* SPDX-License-Identifier: MIT */
/*
 * json.c - a spec, or a value of it, as JSON, so that SQL can query it.
 *
 * Numbers keep the value that was written; YAML's hexadecimal and octal ones become decimal.
 */
#include "config/json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/options.h"

char *pxr_json_string(struct pxr_arena *arena, const char *text)
{
        json_t *string = json_string(text);
        char *encoded = json_dumps(string, JSON_ENCODE_ANY), *copy = NULL;

        if (encoded)
                copy = pxr_strdup(arena, encoded);
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

static char *scalar(struct pxr_arena *arena, const struct pxr_yaml *node)
{
        static const char *const words[] = { "true", "false", "null" };

        if (node->quoted)
                return pxr_json_string(arena, node->text);
        for (int i = 0; i < 3; i++)
                if (strcmp(node->text, words[i]) == 0)
                        return pxr_strdup(arena, words[i]);
        if (!*node->text || strcmp(node->text, "~") == 0)
                return pxr_strdup(arena, "null");
        return pxr_json_word(arena, node->text);
}

/* False when memory is out. */
static bool write_node(FILE *to, struct pxr_arena *arena, const struct pxr_yaml *node)
{
        bool mapping = node->kind == PXR_YAML_MAPPING;

        if (node->kind == PXR_YAML_SCALAR) {
                const char *text = scalar(arena, node);

                return text && fputs(text, to) >= 0;
        }
        fputc(mapping ? '{' : '[', to);
        for (const struct pxr_yaml *child = node->first; child; child = child->next) {
                const char *key = mapping ? pxr_json_string(arena, child->key) : "";

                if (!key)
                        return false;
                fprintf(to, "%s%s%s", child == node->first ? "" : ", ", key, mapping ? ": " : "");
                if (!write_node(to, arena, child))
                        return false;
        }
        return fputc(mapping ? '}' : ']', to) != EOF;
}

char *pxr_yaml_json(struct pxr_arena *arena, const struct pxr_yaml *node)
{
        char *text = NULL, *copy = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);
        bool whole = file && write_node(file, arena, node);

        if (file && fclose(file) == 0 && whole)
                copy = pxr_strdup(arena, text);
        free(text);
        return copy;
}
