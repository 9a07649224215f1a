/* SPDX-License-Identifier: MIT */
/*
 * npy.c - the head of an array as NumPy stores it.
 *
 * \x93NUMPY, two bytes of version, the length of a text (two bytes, from version 2 on four; little
 * endian), and the text: a Python dictionary with the keys descr, fortran_order and shape, then
 * spaces and a newline. Uses base/ and input.h.
 */
#include "config.h"

#include <string.h>

#include "data/npy.h"

enum { MAX_TEXT = 4096 };

/* The text of a head as it is parsed. */
struct text {
        const char *at;
        bool bytes, by_rows, two; /* what the dictionary says of the array */
        int64_t rows, cols;
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

/* A value that is not understood leaves the text where it stands. */
static bool parse_item(struct text *text)
{
        int key = take(text, "'descr'")           ? DESCR
                  : take(text, "'fortran_order'") ? ORDER
                  : take(text, "'shape'")         ? SHAPE
                                                  : 0;

        if (key == 0 || text->keys & key || !take(text, ":"))
                return false;
        text->keys |= key;
        if (key == DESCR)
                return text->bytes = take(text, "'|u1'") || take(text, "'u1'");
        if (key == ORDER)
                return text->by_rows = take(text, "False");
        text->two = take(text, "(") && take_number(text, &text->rows) && take(text, ",") &&
                    take_number(text, &text->cols);
        if (text->two)
                take(text, ",");
        return text->two = text->two && take(text, ")");
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

static int refuse(const struct pxr_input *input, const struct text *text, const char *start,
                  struct pxr_diag *diag)
{
        if (text->keys & DESCR && !text->bytes)
                return pxr_user_error(diag, "%s: an array of bytes (descr '|u1') is wanted, not %s",
                                      pxr_input_path(input), start);
        if (text->keys & ORDER && !text->by_rows)
                return pxr_user_error(diag, "%s: an array in C order is wanted, not %s",
                                      pxr_input_path(input), start);
        if (text->keys & SHAPE && !text->two)
                return pxr_user_error(diag, "%s: an array of two dimensions is wanted, not %s",
                                      pxr_input_path(input), start);
        return pxr_user_error(diag, "%s: a head that is not understood: %s", pxr_input_path(input),
                              start);
}

static int read_exactly(struct pxr_input *input, void *bytes, size_t size, struct pxr_diag *diag)
{
        int64_t got = pxr_input_read_all(input, bytes, size, diag);

        if (got < 0)
                return -1;
        if ((size_t)got < size)
                return pxr_user_error(diag,
                                      "%s: byte %lld: the array ends within its head (truncated?)",
                                      pxr_input_path(input), (long long)pxr_input_offset(input));
        return 0;
}

int pxr_npy_read_head(struct pxr_input *input, int64_t *rows, int64_t *cols, struct pxr_diag *diag)
{
        unsigned char magic[8], length[4] = { 0 };
        char content[MAX_TEXT + 1];
        struct text text = { .at = content };
        uint32_t size;

        if (read_exactly(input, magic, sizeof magic, diag))
                return -1;
        if (memcmp(magic, "\x93NUMPY", 6) != 0 || magic[6] < 1 || magic[6] > 3)
                return pxr_user_error(diag, "%s: byte 0: does not start like an array of NumPy",
                                      pxr_input_path(input));
        if (read_exactly(input, length, magic[6] == 1 ? 2 : 4, diag))
                return -1;
        size = (uint32_t)length[0] | (uint32_t)length[1] << 8 | (uint32_t)length[2] << 16 |
               (uint32_t)length[3] << 24;
        if (size > MAX_TEXT)
                return pxr_user_error(diag,
                                      "%s: byte 8: a head of %u bytes; %d at most are "
                                      "possible",
                                      pxr_input_path(input), (unsigned)size, MAX_TEXT);
        if (read_exactly(input, content, size, diag))
                return -1;
        content[size] = '\0';
        if (!parse(&text)) {
                for (char *end = content + strlen(content);
                     end > content && (end[-1] == ' ' || end[-1] == '\n');)
                        *--end = '\0';
                return refuse(input, &text, content, diag);
        }
        *rows = text.rows;
        *cols = text.cols;
        return 0;
}
