/* SPDX-License-Identifier: MIT */
/*
 * npy.c - arrays as NumPy stores them.
 *
 * \x93NUMPY, two bytes of version, the length of a text (two bytes, from version 2 on four; little
 * endian), and the text: a Python dictionary with the keys descr, fortran_order and shape, then
 * spaces and a newline.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/format.h"
#include "data/npy.h"

enum { MAX_TEXT = 4096, MAX_SIDE = 4096 };

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

/* --- numbers -----------------------------------------------------------------------------------*/

bool pxr_npy_is_whole(const struct pxr_npy *array)
{
        const char *type = array->type + (strchr("<>|=", array->type[0]) ? 1 : 0);

        return strchr("iu", type[0]) && strchr("1248", type[1]) && type[1] && !type[2];
}

int pxr_npy_read_number(struct pxr_reader *input, const struct pxr_npy *array, int64_t *number,
                        struct pxr_diag *diag)
{
        size_t size = (size_t)(array->type[strlen(array->type) - 1] - '0');
        bool big = array->type[0] == '>';
        uint64_t value = 0;
        uint8_t bytes[8];

        if (pxr_data_read(input, bytes, size, "the numbers", diag))
                return -1;
        for (size_t i = 0; i < size; i++)
                value |= (uint64_t)bytes[big ? size - 1 - i : i] << 8 * i;
        if (strchr(array->type, 'i') && size < 8 && value >> (8 * size - 1))
                value |= UINT64_MAX << 8 * size;
        *number = (int64_t)value;
        return 0;
}

/* --- how the images of an array lie
 * --------------------------------------------------------------*/

/* A wrong guess would scramble every image silently. So a shape decides only if it is unambiguous;
 * otherwise the user states the layout. */
const char *const pxr_layout_names[] = { "any", "hwc", "chw", "hw", NULL };

/* The side of a square image of `colours` colours in a flat row of `size` bytes; 0: none. */
static int64_t side_of(int64_t size, int colours)
{
        int64_t side = lround(sqrt((double)size / colours));

        return side <= MAX_SIDE && side * side * colours == size ? side : 0;
}

/* `flat_rows`: of the images in a flat array; 0: they are square. */
static bool fits(const struct pxr_npy *array, enum pxr_layout_name name, int64_t flat_rows,
                 struct pxr_layout *layout)
{
        const int64_t *shape = array->shape;
        int colours_at = name == PXR_LAYOUT_HWC ? 3 : 1, rows_at = name == PXR_LAYOUT_CHW ? 2 : 1;
        bool in_colour = name != PXR_LAYOUT_HW;
        int64_t rows, cols, colours;

        if (array->dimensions == 2) {
                colours = in_colour ? 3 : 1;
                rows = flat_rows ? flat_rows : side_of(shape[1], (int)colours);
                cols = flat_rows && shape[1] % (rows * colours) == 0 ? shape[1] / (rows * colours)
                       : flat_rows                                   ? 0
                                                                     : rows;
        } else if (array->dimensions == (in_colour ? 4 : 3)) {
                colours = in_colour ? shape[colours_at] : 1;
                rows = shape[rows_at];
                cols = shape[rows_at + 1];
        } else {
                return false;
        }
        if (rows < 1 || rows > MAX_SIDE || cols < 1 || cols > MAX_SIDE ||
            (colours != 1 && colours != 3))
                return false;
        *layout = (struct pxr_layout) { .rows = (int)rows,
                                        .cols = (int)cols,
                                        .colours = (int)colours,
                                        .planar = name == PXR_LAYOUT_CHW && colours == 3 };
        return true;
}

/* An array of grey images that are 1 or 3 pixels wide or high is more likely one image in colour,
 * or N x pixels x colours. */
static bool is_doubtful(const struct pxr_npy *array)
{
        for (int i = 1; array->dimensions == 3 && i < 3; i++)
                if (array->shape[i] == 1 || array->shape[i] == 3)
                        return true;
        return false;
}

static int refuse(const char *name, const struct pxr_npy *array, struct pxr_diag *diag)
{
        pxr_user_error(diag, "%s: an array of shape %s is not grey or RGB images", name,
                       array->text);
        pxr_note(diag,
                 "expected N x rows x columns x colours, N x colours x rows x columns, or N x rows "
                 "x columns, with 1 to %d rows and columns and 1 or 3 colours, or N flat rows",
                 MAX_SIDE);
        if (array->dimensions == 4)
                pxr_note(diag, "use data[..., :3] to drop the fourth of four channels");
        return -1;
}

static int ask(const char *name, const struct pxr_npy *array, struct pxr_diag *diag)
{
        pxr_user_error(diag, "%s: the shape %s does not determine the layout of the images", name,
                       array->text);
        if (array->dimensions == 2)
                pxr_note(diag,
                         "state how each row is an image: 'layout: hw' if it is grey, 'layout: "
                         "hwc' if the colours of a pixel are adjacent, 'layout: chw' if it is "
                         "planes of red, green and blue; and 'rows: N' unless it is square");
        else if (array->dimensions == 3)
                pxr_note(diag,
                         "set 'layout: hw' if these are N grey images; images in colour have the "
                         "shape N x rows x columns x colours");
        else
                pxr_note(diag, "set 'layout: hwc' if the colours of a pixel are adjacent (N x "
                               "rows x columns x colours), 'layout: chw' if each image is planes "
                               "of red, green and blue (N x colours x rows x columns)");
        return -1;
}

int pxr_layout_find(const char *name, const struct pxr_npy *array,
                    const struct pxr_layout_stated *stated, struct pxr_layout *layout,
                    struct pxr_diag *diag)
{
        int found = 0;

        if (stated->name != PXR_LAYOUT_ANY) {
                if (fits(array, stated->name, stated->rows, layout))
                        return 0;
                return pxr_error_at(diag, stated->location,
                                    "%s: 'layout: %s' does not fit the shape %s", name,
                                    pxr_layout_names[stated->name], array->text);
        }
        if (array->dimensions == 2)
                return ask(name, array, diag);
        for (int i = PXR_LAYOUT_HWC; i <= PXR_LAYOUT_HW; i++)
                found += fits(array, (enum pxr_layout_name)i, 0, layout);
        if (found == 0)
                return refuse(name, array, diag);
        return found > 1 || is_doubtful(array) ? ask(name, array, diag) : 0;
}
