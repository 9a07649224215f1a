/* SPDX-License-Identifier: MIT */
/* check_png_folder.c - folders and archives of PNG files; downsampled ImageNet. */
#include "config.h"

#include <math.h>
#include <png.h>

#include "base/hash.h"
#include "data/format.h"
#include "data/jpeg.h"
#include "packing.h"
#include "pictures.h"

/* --- splits ------------------------------------------------------------------------------------*/

START_TEST(images_are_read_in_the_order_of_their_names)
{
        struct pxr_dataset *set;

        put_ten();
        set = sound(OPEN("{set: png_folder, path: %s}", scratch));
        ck_assert_int_eq(set->rows, PICTURE_ROWS);
        ck_assert_int_eq(set->cols, PICTURE_COLS);
        ck_assert_int_eq(set->colours, 3);
        ck_assert_int_eq(set->levels, 256);
        ck_assert_int_eq(set->count[PXR_TRAIN], 10);
        ck_assert_int_eq(set->count[PXR_VALID] + set->count[PXR_TEST], 0);
        for (int i = 0; i < 10; i++)
                expect_picture(set, PXR_TRAIN, i, i);
}
END_TEST

START_TEST(splits_are_cut_from_the_end)
{
        struct pxr_dataset *set, *part;

        put_ten();
        set = sound(OPEN("{set: png_folder, path: %s, valid: 3, test: 2}", scratch));
        ck_assert_int_eq(set->count[PXR_TRAIN], 5);
        ck_assert_int_eq(set->count[PXR_VALID], 3);
        ck_assert_int_eq(set->count[PXR_TEST], 2);
        expect_picture(set, PXR_TRAIN, 4, 4);
        expect_picture(set, PXR_VALID, 0, 5);
        expect_picture(set, PXR_VALID, 2, 7);
        expect_picture(set, PXR_TEST, 1, 9);
        part = sound(
                OPEN("{set: png_folder, path: %s, valid: 3, test: 2, splits: [test]}", scratch));
        ck_assert_int_eq(part->count[PXR_TRAIN], 0);
        expect_picture(part, PXR_TEST, 0, 8);
        ck_assert_str_eq(part->digest[PXR_TEST], set->digest[PXR_TEST]);
        refused_at(OPEN("{valid: 5, test: 5, set: png_folder, path: %s}", scratch), 9,
                   "'valid: 5' leaves no training images (there are 5)");
}
END_TEST

START_TEST(folders_named_like_splits_are_splits)
{
        struct pxr_dataset *set;

        make_folder("train");
        make_folder("test");
        for (int i = 0; i < 4; i++)
                put_picture(pxr_strf(arena, "train/%d.png", i), i);
        put_picture("test/a.png", 9);
        set = sound(OPEN("{set: png_folder, path: %s, valid: 1}", scratch));
        ck_assert_int_eq(set->count[PXR_TRAIN], 3);
        expect_picture(set, PXR_VALID, 0, 3);
        expect_picture(set, PXR_TEST, 0, 9);
        refused_at(OPEN("{test: 1, set: png_folder, path: %s}", scratch), 8,
                   "'test: 1' conflicts with the existing folder");
        refused_at(OPEN("{splits: [valid], set: png_folder, path: %s}", scratch), 10, "no images");
}
END_TEST

/* --- other files -------------------------------------------------------------------------------*/

/* What was recorded, with its notes, has these words; forget it. */
static void expect_words(const char *words)
{
        const char *written = printed_errors(diag, "test");

        ck_assert_msg(strstr(written, words), "'%s' is not in '%s'", words, written);
        pxr_diag_clear(diag);
}

START_TEST(class_folders_are_read_in_the_order_of_their_paths)
{
        struct pxr_dataset *set;

        make_folder("dog");
        make_folder("cat");
        make_folder("cat/black");
        put_picture("dog/1.png", 5);
        put_picture("cat/10.png", 2);
        put_picture("cat/9.png", 3);
        put_picture("cat/black/1.png", 4);
        put_picture("cat/1.png", 1);
        ck_assert_int_eq(symlink("cat", in_scratch("a_link")), 0);
        set = sound(OPEN("{set: png_folder, path: %s}", scratch));
        ck_assert_int_eq(set->count[PXR_TRAIN], 5);
        for (int i = 0; i < 5; i++)
                expect_picture(set, PXR_TRAIN, i, i + 1);
        set = sound(OPEN("{set: png_folder, path: %s, memory: 0}", scratch));
        expect_picture(set, PXR_TRAIN, 3, 4);
        expect_words("skipped 1 symbolic link to folders, such as a_link");
        make_folder("cat/TEST");
        refused(OPEN("{set: png_folder, path: %s}", scratch),
                "the folder cat/TEST looks like a split");
}
END_TEST

START_TEST(folders_of_splits_may_hold_class_folders)
{
        struct pxr_dataset *set;

        make_folder("train");
        make_folder("train/a");
        make_folder("test");
        make_folder("test/a");
        put_picture("train/a/0.png", 0);
        put_picture("test/a/0.png", 1);
        set = sound(OPEN("{set: png_folder, path: %s}", scratch));
        expect_picture(set, PXR_TRAIN, 0, 0);
        expect_picture(set, PXR_TEST, 0, 1);
        ck_assert_ptr_null(pxr_diag_text(diag, 0));
        make_folder("val");
        sound(OPEN("{set: png_folder, path: %s}", scratch));
        expect_words("skipped the folder val: splits are the folders train, valid and test");
}
END_TEST

START_TEST(folders_beside_image_files_are_skipped)
{
        struct pxr_dataset *before, *set;

        put_ten();
        before = sound(OPEN("{set: png_folder, path: %s}", scratch));
        ck_assert_ptr_null(pxr_diag_text(diag, 0)); /* of notes.txt */
        make_folder("more");
        put_picture("more/1.png", 5);
        set = sound(OPEN("{set: png_folder, path: %s}", scratch));
        expect_words("skipped 1 folder, such as more");
        ck_assert_str_eq(set->identity, before->identity);
}
END_TEST

/* They may lead anywhere, and round in a circle. */
START_TEST(links_to_folders_are_not_followed)
{
        make_folder("a");
        put_picture("a/0.png", 0);
        make_folder("links");
        ck_assert_int_eq(symlink("../a", in_scratch("links/b")), 0);
        ck_assert_ptr_null(OPEN("{set: png_folder, path: %s/links}", scratch));
        expect_words("it contains 1 symbolic link to folders, such as b");
}
END_TEST

START_TEST(other_images_are_named_when_they_are_skipped)
{
        put_ten();
        write_file(in_scratch("a.webp"), "x", 1);
        write_file(in_scratch("b.webp"), "x", 1);
        sound(OPEN("{set: png_folder, path: %s}", scratch));
        expect_words("skipped 3 files whose name does not end with .png or .jpg, such as a.webp");
        make_folder("other");
        make_folder("other/cat");
        write_file(in_scratch("other/cat/1.BMP"), "x", 1);
        ck_assert_ptr_null(OPEN("{set: png_folder, path: %s/other}", scratch));
        expect_words(
                "it contains 1 file whose name does not end with .png or .jpg, such as cat/1.BMP");
        ck_assert_ptr_null(OPEN("{set: png_folder, path: %s/other}", scratch));
        expect_words("'mogrify -format png *.BMP'");
        pack_tar(in_scratch("a.tar"), false,
                 (struct packed[]) { { "cat/1.gif", "x", 1 }, { NULL, NULL, 0 } });
        ck_assert_ptr_null(OPEN("{set: png_folder, path: %s/a.tar}", scratch));
        expect_words(
                "it contains 1 file whose name does not end with .png or .jpg, such as cat/1.gif");
        write_file(in_scratch("other/a.parquet"), "PAR1", 4);
        ck_assert_ptr_null(OPEN("{set: png_folder, path: %s/other}", scratch));
        expect_words("Parquet is not read");
        ck_assert_ptr_null(OPEN("{set: png_folder, path: %s/other/a.parquet}", scratch));
        expect_words("it is a Parquet file");
}
END_TEST

/* --- JPEG, cropping and resizing ---------------------------------------------------------------*/

/* A grey JPEG of 8 x 9 pixels, all of them 120, from the inputs of a fuzz target. */
static void put_jpeg(const char *name)
{
        const char *source = getenv("srcdir");
        size_t size;
        const void *bytes = file_bytes(
                pxr_strf(arena, "%s/tests/fuzz/corpus/jpeg/uniform", source ? source : "."), &size);

        write_file(in_scratch(name), bytes, size);
}

START_TEST(jpeg_files_are_read_or_advice_is_given)
{
        uint8_t pixels[8 * 9], *bytes;
        struct pxr_dataset *set;
        size_t size;

        put_jpeg("a.jpg");
        set = OPEN("{set: png_folder, path: %s}", scratch);
        if (!pxr_jpeg_reads()) {
                ck_assert_ptr_null(set);
                expect_words("mogrify -format png *.jpg");
                return;
        }
        sound(set);
        ck_assert_int_eq(set->rows, 8);
        ck_assert_int_eq(set->cols, 9);
        ck_assert_int_eq(set->colours, 1);
        read_one(set, PXR_TRAIN, 0, 0, pixels);
        for (int i = 0; i < 8 * 9; i++)
                ck_assert_int_eq(pixels[i], 120);
        put_picture_of("b.png", 1, 8, 9, 1);
        set = sound(OPEN("{set: png_folder, path: %s, memory: 0, colours: rgb}", scratch));
        ck_assert_int_eq(set->count[PXR_TRAIN], 2);
        ck_assert_ptr_nonnull(strstr(set->files->path, "*.{png,jpg,jpeg}"));
        bytes = file_bytes(in_scratch("a.jpg"), &size);
        write_file(in_scratch("a.jpg"), bytes, size - 20);
        refused(OPEN("{set: png_folder, path: %s}", scratch), "a.jpg: invalid JPEG: ");
}
END_TEST

/* 6 x 4 and 8 x 4 pixels become 2 x 2: each new pixel is a mean of 2 x 2. */
START_TEST(pictures_of_different_sizes_are_cropped_and_resized)
{
        struct pxr_dataset *set, *other;
        uint8_t pixels[4];

        put_picture_of("a.png", 0, 6, 4, 1);
        put_picture_of("b.png", 0, 8, 4, 1);
        refused(OPEN("{set: png_folder, path: %s}", scratch), "b.png: expected 6 x 4 pixels");
        for (int memory = 0; memory < 2; memory++) {
                set = sound(OPEN("{set: png_folder, path: %s, crop: square, resize: 2, memory: %d}",
                                 scratch, memory));
                ck_assert_int_eq(set->rows * 10 + set->cols, 22);
                read_one(set, PXR_TRAIN, 0, 1, pixels);
                for (int row = 0; row < 2; row++)
                        for (int col = 0; col < 2; col++) {
                                int sum = 2; /* so that the mean is rounded */

                                for (int i = 0; i < 4; i++)
                                        sum += picture_value(0, (2 + 2 * row + i / 2) * 4 +
                                                                        2 * col + i % 2);
                                ck_assert_int_eq(pixels[2 * row + col], sum / 4);
                        }
        }
        ck_assert_str_eq(set->transforms,
                         "none; cropped to the central square; resized to 2 x 2 (area averages)");
        other = sound(OPEN("{set: png_folder, path: %s, crop: 4x4, resize: 2x2}", scratch));
        ck_assert_str_eq(other->digest[PXR_TRAIN], set->digest[PXR_TRAIN]);
        ck_assert_str_ne(other->identity, set->identity);
        refused(OPEN("{set: png_folder, path: %s, crop: 7x4}", scratch),
                "a.png: 6 x 4 pixels are fewer than 'crop: 7x4'");
        refused_at(OPEN("{resize: 0x4, set: png_folder, path: %s}", scratch), 10,
                   "data: resize: expected ROWSxCOLUMNS, from 1 to 4096 each, got '0x4'");
        refused_at(OPEN("{crop: 4x4x1, set: png_folder, path: %s}", scratch), 8,
                   "data: crop: expected ROWSxCOLUMNS or 'square'");
}
END_TEST

/* Sizes that do not divide each other: a mean of parts of pixels. A uniform image stays as it is,
 * and the mean of all pixels does too. */
START_TEST(every_set_can_be_cropped_and_resized)
{
        struct pxr_dataset *set;
        uint8_t pixels[16];

        put_picture_of("a.png", 0, 2, 3, 1); /* 0 7 14, 21 28 35 */
        set = sound(OPEN("{set: png_folder, path: %s, resize: 1x2}", scratch));
        read_one(set, PXR_TRAIN, 0, 0, pixels);
        ck_assert_int_eq(pixels[0], 13); /* (2 (0 + 21) + 7 + 28) / 6 = 12.8 */
        ck_assert_int_eq(pixels[1], 22); /* (7 + 28 + 2 (14 + 35)) / 6 = 22.2 */
        set = sound(OPEN("{set: markov_rgb, resize: 4x2, crop: 8x6, splits: [test]}"));
        ck_assert_int_eq(set->rows * 10 + set->cols, 42);
        ck_assert(isnan(set->entropy));
        ck_assert_ptr_null(set->nats);
        refused(OPEN("{set: markov_rgb, crop: 500x500, splits: [test]}"), "are fewer than 'crop");
}
END_TEST

/* --- identity ----------------------------------------------------------------------------------*/

START_TEST(the_folders_digest_is_that_of_sha256sum)
{
        struct pxr_dataset *set;
        struct pxr_sha256 lines;
        char hex[PXR_SHA256_HEX];
        int64_t bytes = 0;

        make_folder("a");
        pxr_sha256_init(&lines);
        for (int i = 0; i < 3; i++) {
                const char *name = pxr_strf(arena, "a/%d.png", i), *line;
                size_t size;

                put_picture(name, i);
                file_bytes(in_scratch(name), &size);
                bytes += (int64_t)size;
                OK(pxr_sha256_file(in_scratch(name), hex, diag));
                line = pxr_strf(arena, "%s  %d.png\n", hex, i);
                pxr_sha256_update(&lines, line, strlen(line));
        }
        pxr_sha256_final(&lines, hex);
        set = sound(OPEN("{set: png_folder, path: %s/a, valid: 1}", scratch));
        ck_assert_ptr_null(set->files->next);
        ck_assert_str_eq(set->files->sha256, hex);
        ck_assert_int_eq(set->files->size, bytes);
}
END_TEST

START_TEST(the_identity_depends_on_pixels_and_order_but_not_on_names)
{
        struct pxr_dataset *before, *renamed, *changed;

        make_folder("a");
        put_picture("a/1.png", 1);
        put_picture("a/2.png", 2);
        before = sound(OPEN("{set: png_folder, path: %s/a}", scratch));
        ck_assert_int_eq(rename(in_scratch("a/1.png"), in_scratch("a/0.png")), 0);
        renamed = sound(OPEN("{set: png_folder, path: %s/a}", scratch));
        ck_assert_str_eq(renamed->identity, before->identity);
        ck_assert_str_ne(renamed->files->sha256, before->files->sha256);
        ck_assert_int_eq(rename(in_scratch("a/0.png"), in_scratch("a/3.png")), 0);
        changed = sound(OPEN("{set: png_folder, path: %s/a}", scratch));
        ck_assert_str_ne(changed->identity, before->identity);
}
END_TEST

/* --- kinds of PNG ------------------------------------------------------------------------------*/

/* A PNG of 4 x 8 pixels of any kind, all samples `value`. */
static void put_kind(const char *name, int type, int depth, int interlace, uint8_t value)
{
        FILE *file = fopen(in_scratch(name), "wb");
        png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
        png_infop info = png_create_info_struct(png);
        png_color colours[2] = { { 10, 20, 30 }, { 40, 50, 60 } };
        uint8_t row[8 * 8], *rows[4] = { row, row, row, row };
        png_byte clear[2] = { 0, 255 }; /* the first of the palette is transparent */

        ck_assert(file && png && info);
        memset(row, value, sizeof row);
        png_init_io(png, file);
        png_set_IHDR(png, info, 8, 4, depth, type, interlace, 0, 0);
        if (type == PNG_COLOR_TYPE_PALETTE)
                png_set_PLTE(png, info, colours, 2);
        if (type == PNG_COLOR_TYPE_PALETTE)
                png_set_tRNS(png, info, clear, 2, NULL);
        png_write_info(png, info);
        png_write_image(png, rows);
        png_write_end(png, info);
        png_destroy_write_struct(&png, &info);
        ck_assert_int_eq(fclose(file), 0);
}

static struct pxr_dataset *open_kind(const char *options, int type, int depth, int interlace,
                                     uint8_t value)
{
        put_kind("a.png", type, depth, interlace, value);
        return OPEN("{set: png_folder, path: %s%s}", scratch, options);
}

START_TEST(kinds_of_png_without_loss_are_read)
{
        uint8_t pixels[3 * 32];
        struct pxr_dataset *set;

        set = sound(open_kind("", PNG_COLOR_TYPE_GRAY, 8, PNG_INTERLACE_NONE, 77));
        ck_assert_int_eq(set->colours, 1);
        read_one(set, PXR_TRAIN, 0, 0, pixels);
        ck_assert_int_eq(pixels[31], 77);
        set = sound(open_kind(", colours: rgb", PNG_COLOR_TYPE_GRAY, 8, PNG_INTERLACE_NONE, 78));
        ck_assert_int_eq(set->colours, 3);
        read_one(set, PXR_TRAIN, 0, 0, pixels);
        ck_assert_int_eq(pixels[95], 78);
        set = sound(open_kind("", PNG_COLOR_TYPE_GRAY, 1, PNG_INTERLACE_NONE, 0xAA));
        read_one(set, PXR_TRAIN, 0, 0, pixels);
        ck_assert_int_eq(pixels[0], 255);
        ck_assert_int_eq(pixels[1], 0);
        set = sound(open_kind("", PNG_COLOR_TYPE_PALETTE, 8, PNG_INTERLACE_NONE, 1));
        ck_assert_int_eq(set->colours, 3);
        read_one(set, PXR_TRAIN, 0, 0, pixels);
        ck_assert_mem_eq(pixels + 93, "\x28\x32\x3C", 3);
        set = sound(open_kind("", PNG_COLOR_TYPE_RGB, 8, PNG_INTERLACE_ADAM7, 99));
        read_one(set, PXR_TRAIN, 0, 0, pixels);
        for (int i = 0; i < 96; i++)
                ck_assert_int_eq(pixels[i], 99);
}
END_TEST

START_TEST(alpha_of_opaque_images_is_dropped)
{
        static const int interlaces[] = { PNG_INTERLACE_NONE, PNG_INTERLACE_ADAM7 };
        struct pxr_dataset *set;
        uint8_t pixels[3 * 32];

        for (int i = 0; i < 2; i++) {
                set = sound(open_kind("", PNG_COLOR_TYPE_RGB_ALPHA, 8, interlaces[i], 255));
                ck_assert_int_eq(set->colours, 3);
                read_one(set, PXR_TRAIN, 0, 0, pixels);
                for (int j = 0; j < 96; j++)
                        ck_assert_int_eq(pixels[j], 255);
                set = sound(open_kind("", PNG_COLOR_TYPE_GRAY_ALPHA, 8, interlaces[i], 255));
                ck_assert_int_eq(set->colours, 1);
        }
        set = sound(open_kind(", colours: rgb", PNG_COLOR_TYPE_GRAY_ALPHA, 8, 0, 255));
        ck_assert_int_eq(set->colours, 3);
        set = sound(open_kind("", PNG_COLOR_TYPE_PALETTE, 8, 0, 1));
        read_one(set, PXR_TRAIN, 0, 0, pixels);
        ck_assert_mem_eq(pixels + 93, "\x28\x32\x3C", 3);
}
END_TEST

START_TEST(kinds_of_png_that_would_lose_information_are_refused)
{
        refused(open_kind("", PNG_COLOR_TYPE_GRAY, 16, PNG_INTERLACE_NONE, 1),
                "a.png: expected 8 bits per sample, got 16");
        refused(open_kind("", PNG_COLOR_TYPE_RGB_ALPHA, 8, PNG_INTERLACE_NONE, 1),
                "a.png: row 0, column 0: transparent pixel (alpha 1)");
        refused(open_kind("", PNG_COLOR_TYPE_PALETTE, 8, PNG_INTERLACE_NONE, 0),
                "a.png: row 0, column 0: transparent pixel (alpha 0)");
        refused(open_kind(", colours: grey", PNG_COLOR_TYPE_RGB, 8, PNG_INTERLACE_NONE, 1),
                "a.png: expected a grey image, got colour");
}
END_TEST

START_TEST(levels_are_suggested_for_files_of_one_bit)
{
        sound(open_kind("", PNG_COLOR_TYPE_GRAY, 1, PNG_INTERLACE_NONE, 0xAA));
        expect_words("set 'levels: 2' to make them binary");
        sound(open_kind(", levels: 2", PNG_COLOR_TYPE_GRAY, 1, PNG_INTERLACE_NONE, 0xAA));
        sound(open_kind(", levels: 256", PNG_COLOR_TYPE_GRAY, 1, PNG_INTERLACE_NONE, 0xAA));
        sound(open_kind("", PNG_COLOR_TYPE_GRAY, 8, PNG_INTERLACE_NONE, 255));
        ck_assert_ptr_null(pxr_diag_text(diag, 0));
}
END_TEST

START_TEST(levels_are_spread_over_the_bytes)
{
        static const uint8_t bytes[] = { 0, 85, 170, 255 };
        struct pxr_picture picture = { .rows = 2, .cols = 2, .colours = 1, .pixels = bytes };
        struct pxr_dataset *set;
        uint8_t pixels[4], *png;
        size_t size;

        png = pxr_png_encode(&picture, &size, diag);
        write_file(in_scratch("a.png"), png, size);
        free(png);
        set = sound(OPEN("{set: png_folder, path: %s, levels: 4}", scratch));
        ck_assert_int_eq(set->levels, 4);
        read_one(set, PXR_TRAIN, 0, 0, pixels);
        for (int i = 0; i < 4; i++)
                ck_assert_int_eq(pixels[i], i);
        refused(OPEN("{set: png_folder, path: %s, levels: 2}", scratch),
                "a.png: row 0, column 1: the value 85 is not one of 2 levels");
}
END_TEST

/* --- faults ------------------------------------------------------------------------------------*/

START_TEST(files_of_another_size_or_kind_are_named)
{
        size_t size;
        unsigned char *bytes;

        refused(OPEN("{set: png_folder, path: %s/nowhere}", scratch),
                "/nowhere: no such file or folder");
        refused(OPEN("{set: png_folder, path: %s}", scratch), "contains no PNG or JPEG files");
        put_ten();
        refused(OPEN("{set: png_folder, path: %s/03.png}", scratch), "it is a PNG picture");
        put_picture_of("05.png", 5, 4, 6, 3);
        refused(OPEN("{set: png_folder, path: %s}", scratch),
                "05.png: expected 6 x 4 pixels, got 4 x 6");
        put_picture("05.png", 5);
        bytes = file_bytes(in_scratch("05.png"), &size);
        for (size_t cut = 0; cut < size; cut += 5) {
                write_file(in_scratch("05.png"), bytes, cut);
                refused(OPEN("{set: png_folder, path: %s}", scratch), "05.png: byte ");
                refused(OPEN("{set: png_folder, path: %s, memory: 0}", scratch), "05.png: byte ");
        }
        remove(in_scratch("05.png"));
        make_folder("05.png");
        refused(OPEN("{set: png_folder, path: %s}", scratch), "05.png: not an image file");
}
END_TEST

/* --- archives ----------------------------------------------------------------------------------*/

/* Pictures 0 .. 9 in disorder, in a tar archive of libarchive's format `set`. */
static void tar_ten(const char *name, int (*set)(struct archive *), const char *folder)
{
        struct packed entries[14] = { { "folder/", NULL, 0 }, { "folder/notes.txt", "x", 1 } };
        struct archive *archive = archive_write_new();

        for (int i = 0; i < 10; i++) {
                int number = 7 * i % 10;
                struct packed *entry = &entries[i + 2];

                put_picture("one.png", number);
                entry->bytes = file_bytes(in_scratch("one.png"), &entry->size);
                entry->name = pxr_strf(arena, "%s/%02d.png", folder, number);
        }
        remove(in_scratch("one.png"));
        entries[12] = (struct packed) { "folder/.hidden.png", "x", 1 };
        ck_assert_int_eq(set(archive), ARCHIVE_OK);
        pack_as(archive, in_scratch(name), entries);
}

START_TEST(an_archive_is_the_same_set_as_its_folder)
{
        static int (*const formats[])(struct archive *) = { archive_write_set_format_ustar,
                                                            archive_write_set_format_pax,
                                                            archive_write_set_format_gnutar };
        static const char *const memories[] = { "2048", "0" };
        char deep[200];
        struct pxr_dataset *folder, *set;

        memset(deep, 'd', sizeof deep - 1); /* a name that needs more than one head */
        deep[sizeof deep - 1] = '\0';
        deep[99] = '/';
        make_folder("a");
        for (int i = 0; i < 10; i++)
                put_picture(pxr_strf(arena, "a/%02d.png", i), i);
        folder = sound(OPEN("{set: png_folder, path: %s/a, valid: 3}", scratch));
        for (int i = 0; i < 6; i++) {
                tar_ten("a.tar", formats[i / 2], i < 2 ? "folder" : deep);
                set = sound(OPEN("{set: png_folder, path: %s/a.tar, valid: 3, memory: %s}", scratch,
                                 memories[i % 2]));
                ck_assert_str_eq(set->identity, folder->identity);
                ck_assert_str_eq(set->files->sha256, folder->files->sha256);
                for (int j = 0; j < 7; j++)
                        expect_picture(set, PXR_TRAIN, j, j);
                expect_picture(set, PXR_VALID, 2, 9);
        }
}
END_TEST

START_TEST(a_part_of_an_archive_is_refused)
{
        size_t size;
        unsigned char *bytes;

        tar_ten("a.tar", archive_write_set_format_ustar, "a");
        bytes = file_bytes(in_scratch("a.tar"), &size);
        for (size_t cut = 0; cut < size - 10240; cut += 300) {
                write_file(in_scratch("a.tar"), bytes, cut);
                refused(OPEN("{set: png_folder, path: %s/a.tar}", scratch), "a.tar: ");
        }
        pack_tar(in_scratch("a.tar"), false,
                 (struct packed[]) { { "x.png", "x", 1 }, { "x.png", "x", 1 }, { NULL, NULL, 0 } });
        refused(OPEN("{set: png_folder, path: %s/a.tar}", scratch), "a.tar: contains x.png twice");
        pack_tar(in_scratch("a.tar"), false,
                 (struct packed[]) { { "x.txt", "x", 1 }, { NULL, NULL, 0 } });
        refused(OPEN("{set: png_folder, path: %s/a.tar}", scratch),
                "a.tar: contains no PNG or JPEG files");
        pack_tar(in_scratch("a.tar"), false,
                 (struct packed[]) { { "b/x.png", "x", 1 }, { NULL, NULL, 0 } });
        refused(OPEN("{set: png_folder, path: %s/a.tar}", scratch), "a.tar: b/x.png: byte ");
        tar_ten("a.tar", archive_write_set_format_ustar, "a");
        bytes = file_bytes(in_scratch("a.tar"), &size);
        memset(bytes + 512, 7, 512); /* the second head */
        write_file(in_scratch("a.tar"), bytes, size);
        refused(OPEN("{set: png_folder, path: %s/a.tar}", scratch), "a.tar: ");
}
END_TEST

/* --- downsampled ImageNet ----------------------------------------------------------------------*/

static void put_small(const char *folder, int first, int count)
{
        make_folder(folder);
        for (int i = first; i < first + count; i++)
                put_picture_of(pxr_strf(arena, "%s/%05d.png", folder, i), i, 32, 32, 3);
}

/* A folder of put_small() becomes an archive of the same name. */
static void tar_folder(const char *folder, int first, int count)
{
        struct packed entries[8] = { 0 };

        for (int i = 0; i < count; i++) {
                entries[i].name = pxr_strf(arena, "%s/%05d.png", folder, first + i);
                entries[i].bytes = file_bytes(in_scratch(entries[i].name), &entries[i].size);
                remove(in_scratch(entries[i].name));
        }
        remove(in_scratch(folder));
        pack_tar(in_scratch(pxr_strf(arena, "%s.tar", folder)), false, entries);
}

START_TEST(imagenet_is_read_from_the_folders_of_its_release)
{
        struct pxr_dataset *set, *other;

        put_small("train_32x32", 0, 5);
        put_small("valid_32x32", 5, 2);
        set = sound(OPEN("{set: imagenet, path: %s}", scratch));
        ck_assert_int_eq(set->rows, 32);
        ck_assert_int_eq(set->colours, 3);
        ck_assert_int_eq(set->count[PXR_TRAIN], 5);
        ck_assert_int_eq(set->count[PXR_VALID], 2);
        ck_assert_int_eq(set->count[PXR_TEST], 0);
        ck_assert_ptr_nonnull(strstr(set->transforms, "neither release"));
        other = sound(OPEN("{set: imagenet, path: %s, valid: 1}", scratch));
        ck_assert_int_eq(other->count[PXR_TRAIN], 4);
        ck_assert_int_eq(other->count[PXR_VALID], 1);
        ck_assert_int_eq(other->count[PXR_TEST], 2);
        ck_assert_str_eq(other->digest[PXR_TEST], set->digest[PXR_VALID]);
        refused_at(OPEN("{valid: 5, set: imagenet, path: %s}", scratch), 9,
                   "leaves no training images (there are 5)");
        tar_folder("valid_32x32", 5, 2);
        other = sound(OPEN("{set: imagenet, path: %s}", scratch));
        ck_assert_str_eq(other->identity, set->identity);
        put_small("valid_32x32", 5, 2);
        refused(OPEN("{set: imagenet, path: %s, size: 64}", scratch), "train_64x64: no such");
        put_picture_of("valid_32x32/00005.png", 5, 16, 16, 3);
        refused(OPEN("{set: imagenet, path: %s}", scratch),
                "00005.png: expected 32 x 32 pixels, got 16 x 16");
}
END_TEST

START_TEST(the_releases_of_imagenet_are_told_apart)
{
        const char *words[4];

        ck_assert_int_eq(pxr_imagenet_release(arena, 1281149, 49999, &words[0], diag), 1);
        ck_assert_int_eq(pxr_imagenet_release(arena, 0, 49999, &words[1], diag), 1);
        ck_assert_int_eq(pxr_imagenet_release(arena, 1281167, 50000, &words[2], diag), 1);
        ck_assert_int_eq(pxr_imagenet_release(arena, 1281149, 400, &words[3], diag), 0);
        ck_assert_ptr_nonnull(strstr(words[0], "2016"));
        ck_assert_str_eq(words[0], words[1]);
        ck_assert_ptr_nonnull(strstr(words[2], "2017"));
        ck_assert_ptr_nonnull(strstr(words[3], "neither"));
        ck_assert_int_eq(pxr_imagenet_release(arena, 1281149, 50000, &words[0], diag), -1);
        expect_error(PXR_FAULT_USER,
                     "the release of 2016, but the 50000 of valid from that of 2017");
        ck_assert_int_eq(pxr_imagenet_release(arena, 1281167, 49999, &words[0], diag), -1);
        expect_error(PXR_FAULT_USER, "the release of 2017");
}
END_TEST

START_TEST(real_small_imagenet_is_read_and_streamed)
{
        const char *path = real_data("small-imagenet");
        struct pxr_dataset *held, *streamed;
        static uint8_t a[3 * 64 * 64], b[3 * 64 * 64];

        if (!path)
                return;
        setenv("XDG_CACHE_HOME", scratch, 1);
        for (int size = 32; size <= 64; size += 32) {
                held = sound(OPEN("{set: imagenet, path: %s, size: %d}", path, size));
                streamed =
                        sound(OPEN("{set: imagenet, path: %s, size: %d, memory: 0.1}", path, size));
                ck_assert_int_eq(held->rows, size);
                ck_assert_int_eq(held->count[PXR_TRAIN], 400);
                ck_assert_int_eq(held->count[PXR_VALID], 100);
                ck_assert_str_eq(held->identity, streamed->identity);
                for (int i = 0; i < 400; i += 7) {
                        read_one(held, PXR_TRAIN, 0, i, a);
                        read_one(streamed, PXR_TRAIN, 0, i, b);
                        ck_assert_mem_eq(a, b, (size_t)(3 * size * size));
                }
        }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("png_folder");

        ADD_SCRATCH_TEST(suite, images_are_read_in_the_order_of_their_names);
        ADD_SCRATCH_TEST(suite, splits_are_cut_from_the_end);
        ADD_SCRATCH_TEST(suite, folders_named_like_splits_are_splits);
        ADD_SCRATCH_TEST(suite, class_folders_are_read_in_the_order_of_their_paths);
        ADD_SCRATCH_TEST(suite, folders_of_splits_may_hold_class_folders);
        ADD_SCRATCH_TEST(suite, folders_beside_image_files_are_skipped);
        ADD_SCRATCH_TEST(suite, links_to_folders_are_not_followed);
        ADD_SCRATCH_TEST(suite, other_images_are_named_when_they_are_skipped);
        ADD_SCRATCH_TEST(suite, jpeg_files_are_read_or_advice_is_given);
        ADD_SCRATCH_TEST(suite, pictures_of_different_sizes_are_cropped_and_resized);
        ADD_SCRATCH_TEST(suite, every_set_can_be_cropped_and_resized);
        ADD_SCRATCH_TEST(suite, the_folders_digest_is_that_of_sha256sum);
        ADD_SCRATCH_TEST(suite, the_identity_depends_on_pixels_and_order_but_not_on_names);
        ADD_SCRATCH_TEST(suite, kinds_of_png_without_loss_are_read);
        ADD_SCRATCH_TEST(suite, alpha_of_opaque_images_is_dropped);
        ADD_SCRATCH_TEST(suite, kinds_of_png_that_would_lose_information_are_refused);
        ADD_SCRATCH_TEST(suite, levels_are_suggested_for_files_of_one_bit);
        ADD_SCRATCH_TEST(suite, levels_are_spread_over_the_bytes);
        ADD_SCRATCH_TEST(suite, files_of_another_size_or_kind_are_named);
        ADD_SCRATCH_TEST(suite, an_archive_is_the_same_set_as_its_folder);
        ADD_SCRATCH_TEST(suite, a_part_of_an_archive_is_refused);
        ADD_SCRATCH_TEST(suite, imagenet_is_read_from_the_folders_of_its_release);
        ADD_SCRATCH_TEST(suite, the_releases_of_imagenet_are_told_apart);
        ADD_SCRATCH_TEST(suite, real_small_imagenet_is_read_and_streamed);
        return run_suite(suite);
}
