/* SPDX-License-Identifier: MIT */
/*
 * text.c - characters and lines of UTF-8 text that may be invalid; texts made of several.
 */
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t pxr_character(const char *at, const char *end)
{
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 }; /* of so many bytes */
        unsigned char lead = at < end ? (unsigned char)*at : 0xFF;
        uint32_t code;
        size_t size;

        if (lead < 0x80)
                return 1;
        size = (lead & 0xE0) == 0xC0   ? 2
               : (lead & 0xF0) == 0xE0 ? 3
               : (lead & 0xF8) == 0xF0 ? 4
                                       : 0;
        if (size == 0 || (size_t)(end - at) < size)
                return 0;
        for (size_t i = 1; i < size; i++)
                if (((unsigned char)at[i] & 0xC0) != 0x80)
                        return 0;
        code = pxr_code_of(at, size);
        return code < least[size] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ? 0
                                                                                          : size;
}

size_t pxr_step(const char *at, const char *end)
{
        size_t size = pxr_character(at, end);

        return size ? size : 1;
}

int pxr_characters(const char *at, const char *end)
{
        int count = 0;

        for (; at < end; at += pxr_step(at, end))
                count++;
        return count;
}

size_t pxr_line_break(const char *at, const char *end)
{
        size_t left = (size_t)(end - at);

        if (left >= 2 && memcmp(at, "\r\n", 2) == 0)
                return 2;
        if (left >= 1 && (*at == '\n' || *at == '\r'))
                return 1;
        if (left >= 2 && memcmp(at, "\xC2\x85", 2) == 0)
                return 2;
        if (left >= 3 && (memcmp(at, "\xE2\x80\xA8", 3) == 0 || memcmp(at, "\xE2\x80\xA9", 3) == 0))
                return 3;
        return 0;
}

bool pxr_control(const char *at, size_t size)
{
        const unsigned char *byte = (const unsigned char *)at;

        return (size == 1 && (byte[0] < ' ' || byte[0] == 0x7F)) ||
               (size == 2 && byte[0] == 0xC2 && byte[1] < 0xA0);
}

uint32_t pxr_code_of(const char *at, size_t size)
{
        const unsigned char *byte = (const unsigned char *)at;
        uint32_t code = size == 1 ? byte[0] : byte[0] & (0x7Fu >> size);

        for (size_t i = 1; i < size; i++)
                code = code << 6 | (byte[i] & 0x3F);
        return code;
}

bool pxr_shown(const char *at, size_t size)
{
        uint32_t code = pxr_code_of(at, size);

        return !pxr_control(at, size) && code != 0x061C && code != 0xFEFF &&
               !(code >= 0x200B && code <= 0x200F) && !(code >= 0x2028 && code <= 0x202E) &&
               !(code >= 0x2060 && code <= 0x206F);
}

bool pxr_is_utf8(const char *text)
{
        const char *end = text + strlen(text);

        while (text < end && pxr_character(text, end))
                text += pxr_character(text, end);
        return text == end;
}

bool pxr_one_line(const char *text)
{
        const char *end = text + strlen(text);

        for (size_t size; text < end; text += size) {
                size = pxr_step(text, end);
                if (pxr_control(text, size) || pxr_line_break(text, end))
                        return false;
        }
        return true;
}

char *pxr_visible(struct pxr_arena *arena, const char *text)
{
        const char *end = text + strlen(text);
        char *copy = pxr_alloc_array(arena, (size_t)(end - text) + 1, 4), *to = copy;

        for (size_t size; copy && text < end; text += size) {
                bool shown;

                size = pxr_character(text, end);
                shown = size > 0 && pxr_shown(text, size);
                size += size == 0;
                for (size_t i = 0; i < size; i++)
                        to += sprintf(to, shown ? "%c" : "\\x%02x", (unsigned char)text[i]);
        }
        return copy;
}

bool pxr_all_shown(const char *text)
{
        const char *end = text + strlen(text);

        while (text < end && pxr_shown(text, pxr_step(text, end)))
                text += pxr_step(text, end);
        return text == end;
}

char *pxr_join(struct pxr_arena *arena, const char *const *words, size_t count, const char *last)
{
        char *list = pxr_strdup(arena, count ? words[0] : "");

        for (size_t i = 1; i < count; i++)
                list = pxr_strf(arena, "%s%s%s", list, i + 1 < count ? ", " : last, words[i]);
        return list;
}

int pxr_stream_open(struct pxr_stream *stream, struct pxr_arena *arena)
{
        *stream = (struct pxr_stream) { .arena = arena };
        stream->to = open_memstream(&stream->text, &stream->size);
        return stream->to ? 0 : pxr_arena_fail(arena);
}

char *pxr_stream_close(struct pxr_stream *stream)
{
        bool failed = ferror(stream->to) | fclose(stream->to);
        char *kept;

        if (failed)
                pxr_arena_fail(stream->arena);
        kept = pxr_strndup(stream->arena, stream->text ? stream->text : "",
                           failed ? 0 : stream->size);
        free(stream->text);
        return kept;
}
