/* SPDX-License-Identifier: MIT */
/* pictures.h - PNG files for tests. */
#ifndef PXR_TESTS_PICTURES_H
#define PXR_TESTS_PICTURES_H

#include <sys/stat.h>

#include "data/png.h"
#include "dataset.h"

enum { PICTURE_ROWS = 6, PICTURE_COLS = 4, PICTURE_PIXELS = 3 * PICTURE_ROWS * PICTURE_COLS };

/* The value of picture `number` at `i`, of row, column, colour in one. */
static inline uint8_t picture_value(int number, int i)
{
        return (uint8_t)(31 * number + 7 * i);
}

/* Write picture `number`: rows x cols pixels of `colours` colours. */
static inline void put_picture_of(const char *name, int number, int rows, int cols, int colours)
{
        uint8_t pixels[4096], *bytes;
        struct pxr_picture picture = {
                .rows = rows, .cols = cols, .colours = colours, .pixels = pixels
        };
        size_t size;

        ck_assert_int_le(rows * cols * colours, (int)sizeof pixels);
        for (int i = 0; i < rows * cols * colours; i++)
                pixels[i] = picture_value(number, i);
        bytes = pxr_png_encode(&picture, &size, diag);
        ck_assert_ptr_nonnull(bytes);
        write_file(in_scratch(name), bytes, size);
        free(bytes);
}

static inline void put_picture(const char *name, int number)
{
        put_picture_of(name, number, PICTURE_ROWS, PICTURE_COLS, 3);
}

/* Pictures 0 .. 9, written in disorder, among other files. */
static inline void put_ten(void)
{
        for (int i = 0; i < 10; i++)
                put_picture(pxr_strf(arena, "%02d.%s", 7 * i % 10, i % 2 ? "png" : "PNG"),
                            7 * i % 10);
        write_file(in_scratch("notes.txt"), "x", 1);
        write_file(in_scratch(".10.png"), "x", 1);
}

static inline void make_folder(const char *name)
{
        ck_assert_int_eq(mkdir(in_scratch(name), 0700), 0);
}

/* Image `index` of a split is picture `number`. */
static inline void expect_picture(const struct pxr_dataset *set, enum pxr_split split,
                                  int64_t index, int number)
{
        uint8_t pixels[PICTURE_PIXELS], expected[PICTURE_PIXELS];

        ck_assert_int_eq(set->rows * set->cols * set->colours, PICTURE_PIXELS);
        for (int i = 0; i < PICTURE_PIXELS; i++)
                expected[i] = picture_value(number, i);
        read_one(set, split, 0, index, pixels);
        ck_assert_mem_eq(pixels, expected, sizeof expected);
}

#endif
