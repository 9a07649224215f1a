/* SPDX-License-Identifier: MIT */
/* json.c - texts as JSON, and JSON of files. Uses text.h and jansson. */
#include "base/json.h"

#include <stdio.h>

#include "base/text.h"

json_t *pxr_json_text(const char *text)
{
        json_t *value = json_string(text);
        struct pxr_arena *arena = value ? NULL : pxr_arena_new(0);
        char *visible = arena ? pxr_visible(arena, text) : NULL;

        if (visible)
                value = json_string(visible);
        pxr_arena_free(arena);
        return value;
}

/* Each value but the first stands behind one of these, which texts may have as well. */
static size_t count_marks(const char *text, size_t size)
{
        size_t marks = 0;

        for (size_t i = 0; i < size; i++)
                marks += text[i] == '[' || text[i] == '{' || text[i] == ',' || text[i] == ':';
        return marks;
}

json_t *pxr_json_parse(const char *text, size_t size, size_t most, json_error_t *error)
{
        if (count_marks(text, size) <= most)
                return json_loadb(text, size, JSON_REJECT_DUPLICATES, error);
        *error = (json_error_t) { .line = -1 };
        snprintf(error->text, sizeof(error->text), "it has more than %zu values", most);
        return NULL;
}
