/* SPDX-License-Identifier: MIT */
/*
 * json.c - values of a spec as JSON, so that SQL can look into them.
 *
 * A number stays the number that was written.
 */
#include "sweep/json.h"

#include <jansson.h>
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

char *pxr_yaml_json(struct pxr_arena *arena, const struct pxr_yaml *node)
{
        bool mapping = node->kind == PXR_YAML_MAPPING;
        char *all;

        if (node->kind == PXR_YAML_SCALAR)
                return scalar(arena, node);
        all = pxr_strdup(arena, mapping ? "{" : "[");
        for (const struct pxr_yaml *child = node->first; child && all; child = child->next) {
                char *value = pxr_yaml_json(arena, child);
                char *key = mapping ? pxr_json_string(arena, child->key) : "";

                all = value && key
                              ? pxr_strf(arena, "%s%s%s%s%s", all, child == node->first ? "" : ", ",
                                         key, mapping ? ": " : "", value)
                              : NULL;
        }
        return all ? pxr_strf(arena, "%s%s", all, mapping ? "}" : "]") : NULL;
}
