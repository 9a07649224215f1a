/* SPDX-License-Identifier: MIT */
/* check_png.c - pictures to and from PNG, sound and broken. */
#include "config.h"

#include "data/png.h"
#include "dataset.h"

static uint8_t *png(int colours, size_t *size)
{
        static const struct pxr_png_text texts[] = { { "Description", "a tést" },
                                                     { "pxr:run", "17" } };
        static uint8_t pixels[7 * 9 * 3];
        struct pxr_picture picture = {
                .rows = 7, .cols = 9, .colours = colours, .pixels = pixels, .texts = { texts, 2 }
        };
        uint8_t *bytes;

        for (size_t i = 0; i < sizeof pixels; i++)
                pixels[i] = (uint8_t)(i * 37);
        bytes = pxr_png_encode(&picture, size, diag);
        ck_assert_ptr_nonnull(bytes);
        return bytes;
}

START_TEST(a_written_png_reads_back_the_same)
{
        for (int colours = 1; colours <= 3; colours += 2) {
                size_t size;
                uint8_t *bytes = png(colours, &size);
                struct pxr_picture *back = pxr_png_decode(arena, "x.png", bytes, size, diag);

                ck_assert_ptr_nonnull(back);
                ck_assert_int_eq(back->rows, 7);
                ck_assert_int_eq(back->cols, 9);
                ck_assert_int_eq(back->colours, colours);
                for (int i = 0; i < 7 * 9 * colours; i++)
                        ck_assert_int_eq(back->pixels[i], (uint8_t)(i * 37));
                ck_assert_int_eq(back->texts.count, 2);
                ck_assert_str_eq(back->texts.text[0].key, "Description");
                ck_assert_str_eq(back->texts.text[0].value, "a tést");
                ck_assert_str_eq(back->texts.text[1].value, "17");
                free(bytes);
        }
}
END_TEST

START_TEST(a_damaged_png_is_refused_with_the_offset)
{
        size_t size;
        uint8_t *bytes = png(3, &size), *copy = malloc(size);
        struct pxr_picture huge = {
                .rows = 1, .cols = PXR_PNG_MAX_SIDE + 1, .colours = 1, .pixels = bytes
        };
        int refusals = 0;

        ck_assert_ptr_nonnull(copy);
        for (size_t cut = 0; cut < size; cut++) {
                memcpy(copy, bytes, cut); /* so that a sanitizer sees reads past the end */
                ck_assert_ptr_null(pxr_png_decode(arena, "x.png", copy, cut, diag));
                ck_assert_ptr_nonnull(strstr(pxr_diag_text(diag, 0), "x.png: byte "));
                ck_assert_ptr_nonnull(strstr(pxr_diag_text(diag, 0), "truncated"));
                ck_assert_int_eq(pxr_diag_errors(diag), 1);
                pxr_diag_clear(diag);
        }
        for (size_t i = 0; i < size; i++) {
                memcpy(copy, bytes, size);
                copy[i] ^= 0x55;
                refusals += !pxr_png_decode(arena, "x.png", copy, size, diag);
                pxr_diag_clear(diag);
        }
        ck_assert_int_gt(refusals, (int)size / 3); /* texts may break and leave the picture whole */
        ck_assert_ptr_null(pxr_png_encode(&huge, &size, diag));
        free(copy);
        free(bytes);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("png");

        ADD_SCRATCH_TEST(suite, a_written_png_reads_back_the_same);
        ADD_SCRATCH_TEST(suite, a_damaged_png_is_refused_with_the_offset);
        return run_suite(suite);
}
