/* SPDX-License-Identifier: MIT */
/* json.c - texts as JSON, and JSON of files. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

json_t *pxr_json_text(const char *text)
{
        json_t *value = json_string(text);
        struct pxr_arena *arena = value ? NULL : pxr_arena_new(0, NULL);
        char *visible = arena ? pxr_visible(arena, text) : NULL;

        if (visible)
                value = json_string(visible);
        pxr_arena_free(arena);
        return value;
}

/* jansson has escaped the control characters of ASCII. */
static void write_character(FILE *to, const char *at, size_t size)
{
        uint32_t code = pxr_code_of(at, size);

        if (code < 0x7f || pxr_shown(at, size))
                fwrite(at, 1, size, to);
        else if (code < 0x10000)
                fprintf(to, "\\u%04x", (unsigned)code);
        else
                fprintf(to, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (code >> 10)),
                        (unsigned)(0xdc00 + (code & 0x3ff)));
}

void pxr_json_add(json_t **whole, const char *key, json_t *value)
{
        if ((key ? json_object_set_new(*whole, key, value)
                 : json_array_append_new(*whole, value)) == 0)
                return;
        json_decref(*whole);
        *whole = NULL;
}

int pxr_json_write(const json_t *value, FILE *to)
{
        char *text = value ? json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) : NULL;
        const char *end = text ? text + strlen(text) : NULL;

        for (const char *at = text; at && at < end;) {
                size_t size = pxr_step(at, end);

                write_character(to, at, size);
                at += size;
        }
        if (text)
                putc('\n', to);
        free(text);
        return text ? 0 : -1;
}

/* Every value but the first follows one of these characters, which strings may contain too. */
static size_t count_marks(const char *text, size_t size)
{
        size_t marks = 0;

        for (size_t i = 0; i < size; i++)
                marks += text[i] == '[' || text[i] == '{' || text[i] == ',' || text[i] == ':';
        return marks;
}

/* Out of memory, jansson reports a syntax error or drops values. */
static _Thread_local bool allocation_failed;
static const char memory_out[] = "out of memory";

static void *allocate(size_t size)
{
        void *memory = malloc(size);

        allocation_failed |= !memory;
        return memory;
}

json_t *pxr_json_parse(const char *text, size_t size, size_t most, json_error_t *error)
{
        json_t *value;

        *error = (json_error_t) { .line = -1 };
        if (count_marks(text, size) > most) {
                snprintf(error->text, sizeof(error->text), "it has more than %zu values", most);
                return NULL;
        }
        json_set_alloc_funcs(allocate, free);
        allocation_failed = false;
        value = json_loadb(text, size, JSON_REJECT_DUPLICATES, error);
        if (!allocation_failed)
                return value;
        json_decref(value);
        strcpy(error->text, memory_out);
        return NULL;
}

bool pxr_json_memory_out(const json_error_t *error)
{
        return strcasecmp(error->text, memory_out) == 0;
}
