/* SPDX-License-Identifier: MIT */
/* json.c - texts as JSON. Uses text.h and jansson. */
#include "base/json.h"

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
