/* SPDX-License-Identifier: MIT */
/*
 * npy.c - the header of an array as NumPy stores it.
 *
 * \x93NUMPY, two bytes of version, the length of a text (two bytes, from version 2 on four; little
 * endian), and the text: a Python dictionary with the keys descr, fortran_order and shape, then
 * spaces and a newline.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/format.h"
#include "data/npy.h"

enum { MAX_TEXT = 4096 };

/* Read array->text, "(60000, 28, 28)". */
static bool parse_shape(struct pxr_npy *array)
{
        const char *at = array->text + 1;

        if (array->text[0] != '(')
                return false;
        while (*at != ')') {
                char *end;

                errno = 0;
                if (array->dimensions == PXR_NPY_DIMENSIONS)
                        return false;
                array->shape[array->dimensions++] = strtoll(at, &end, 10);
                if (end == at || errno != 0 || (*end != ',' && *end != ')'))
                        return false;
                at = end + (*end == ',');
                at += strspn(at, " ");
        }
        return true;
}

/* Read one item of the dictionary. Returns its length, or 0. */
static int parse_item(const char *text, struct pxr_npy *array, char order[6])
{
        int length = 0;

        if (sscanf(text, " 'descr' : '%15[^']' %n", array->type, &length) == 1 && length > 0)
                return length;
        if (sscanf(text, " 'fortran_order' : %5[FTaelrsu] %n", order, &length) == 1)
                return length;
        if (sscanf(text, " 'shape' : %198[(0-9, ]) %n", array->text, &length) == 1 && length > 0) {
                strcat(array->text, ")");
                return length;
        }
        return 0;
}

/* Each of the three keys must be there once, and no other. */
static bool parse(const char *text, struct pxr_npy *array)
{
        char order[6] = "";
        int length;

        if (*text++ != '{')
                return false;
        for (int keys = 0; keys < 3; keys++, text += length + (text[length] == ',')) {
                length = parse_item(text, array, order);
                if (length == 0)
                        return false;
        }
        text += strspn(text, " ");
        array->by_columns = strcmp(order, "True") == 0;
        return strspn(text, "} \n") == strlen(text) && *text == '}' && array->type[0] &&
               (array->by_columns || strcmp(order, "False") == 0) && parse_shape(array);
}

int pxr_npy_read_header(struct pxr_reader *input, struct pxr_npy *array, struct pxr_diag *diag)
{
        unsigned char magic[8], length[4] = { 0 };
        char content[MAX_TEXT + 1];
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
        if (!parse(content, array)) {
                for (char *end = content + strlen(content);
                     end > content && (end[-1] == ' ' || end[-1] == '\n');)
                        *--end = '\0';
                return pxr_user_error(diag, "%s: invalid array header: %s", pxr_reader_path(input),
                                      content);
        }
        return 0;
}
