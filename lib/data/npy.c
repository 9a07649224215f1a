/* SPDX-License-Identifier: MIT */
/*
 * npy.c - the header of an array as NumPy stores it.
 *
 * \x93NUMPY, two bytes of version, the length of a text (two bytes, from version 2 on four; little
 * endian), and the text: a Python dictionary with the keys descr, fortran_order and shape, then
 * spaces and a newline.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "data/format.h"
#include "data/npy.h"

enum { MAX_TEXT = 4096 };

/* The text of a header as it is parsed. */
struct text {
        const char *at;
        struct pxr_npy *array;
        int keys; /* found: a bit each */
};

enum { DESCR = 1, ORDER = 2, SHAPE = 4 };

static void skip_spaces(struct text *text)
{
        text->at += strspn(text->at, " ");
}

static bool take(struct text *text, const char *word)
{
        size_t length = strlen(word);

        skip_spaces(text);
        if (strncmp(text->at, word, length) != 0)
                return false;
        text->at += length;
        return true;
}

static bool take_number(struct text *text, int64_t *number)
{
        skip_spaces(text);
        if (*text->at < '0' || *text->at > '9')
                return false;
        for (*number = 0; *text->at >= '0' && *text->at <= '9'; text->at++)
                if (__builtin_mul_overflow(*number, 10, number) ||
                    __builtin_add_overflow(*number, *text->at - '0', number))
                        return false;
        return true;
}

static bool take_type(struct text *text)
{
        size_t length;

        if (!take(text, "'"))
                return false;
        length = strcspn(text->at, "'");
        if (text->at[length] != '\'' || length >= PXR_NPY_TYPE)
                return false;
        memcpy(text->array->type, text->at, length);
        text->at += length + 1;
        return true;
}

static bool take_order(struct text *text)
{
        text->array->by_columns = take(text, "True");
        return text->array->by_columns || take(text, "False");
}

static bool take_shape(struct text *text)
{
        struct pxr_npy *array = text->array;

        if (!take(text, "("))
                return false;
        while (!take(text, ")")) {
                if (array->dimensions == PXR_NPY_DIMENSIONS ||
                    !take_number(text, &array->shape[array->dimensions]))
                        return false;
                array->dimensions++;
                skip_spaces(text);
                if (!take(text, ",") && *text->at != ')')
                        return false;
        }
        return true;
}

static bool parse_item(struct text *text)
{
        int key = take(text, "'descr'")           ? DESCR
                  : take(text, "'fortran_order'") ? ORDER
                  : take(text, "'shape'")         ? SHAPE
                                                  : 0;

        if (key == 0 || text->keys & key || !take(text, ":"))
                return false;
        text->keys |= key;
        return key == DESCR ? take_type(text) : key == ORDER ? take_order(text) : take_shape(text);
}

static bool parse(struct text *text)
{
        if (!take(text, "{"))
                return false;
        while (!take(text, "}"))
                if (!parse_item(text) || (!take(text, ",") && *text->at != '}'))
                        return false;
        skip_spaces(text);
        return text->keys == (DESCR | ORDER | SHAPE) && strcmp(text->at, "\n") == 0;
}

int pxr_npy_read_header(struct pxr_reader *input, struct pxr_npy *array, struct pxr_diag *diag)
{
        unsigned char magic[8], length[4] = { 0 };
        char content[MAX_TEXT + 1];
        struct text text = { .at = content, .array = array };
        uint32_t size;

        if (pxr_data_read(input, magic, sizeof magic, "the header", diag))
                return -1;
        if (memcmp(magic, "\x93NUMPY", 6) != 0 || magic[6] < 1 || magic[6] > 3)
                return pxr_user_error(diag, "%s: byte 0: not a NumPy array",
                                      pxr_reader_path(input));
        if (pxr_data_read(input, length, magic[6] == 1 ? 2 : 4, "the header", diag))
                return -1;
        size = (uint32_t)length[0] | (uint32_t)length[1] << 8 | (uint32_t)length[2] << 16 |
               (uint32_t)length[3] << 24;
        if (size > MAX_TEXT)
                return pxr_user_error(diag, "%s: byte 8: the header has %u bytes; the limit is %d",
                                      pxr_reader_path(input), (unsigned)size, MAX_TEXT);
        if (pxr_data_read(input, content, size, "the header", diag))
                return -1;
        content[size] = '\0';
        *array = (struct pxr_npy) { 0 };
        if (!parse(&text)) {
                for (char *end = content + strlen(content);
                     end > content && (end[-1] == ' ' || end[-1] == '\n');)
                        *--end = '\0';
                return pxr_user_error(diag, "%s: invalid array header: %s", pxr_reader_path(input),
                                      content);
        }
        return 0;
}

const char *pxr_npy_shape(const struct pxr_npy *array, char text[PXR_NPY_SHAPE_TEXT])
{
        int length = snprintf(text, PXR_NPY_SHAPE_TEXT, "(");

        for (int i = 0; i < array->dimensions; i++)
                length += snprintf(text + length, PXR_NPY_SHAPE_TEXT - (size_t)length, "%s%lld",
                                   i ? ", " : "", (long long)array->shape[i]);
        snprintf(text + length, PXR_NPY_SHAPE_TEXT - (size_t)length,
                 array->dimensions == 1 ? ",)" : ")");
        return text;
}
