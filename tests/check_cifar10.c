/* SPDX-License-Identifier: MIT */
/* check_cifar10.c - CIFAR-10 in its binary version, and what every set can do to its images. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "dataset.h"
#include "packing.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, PIXELS = 3 * PLANE, RECORD = 1 + PIXELS };

/* What a test expects of image `image`: no two of the first 250 are equal, and none is its own
 * mirror image. */
static uint8_t value(int image, int row, int col, int colour)
{
        return (uint8_t)(image + 3 * row + 5 * col + 90 * colour);
}

/* `count` records, the first of which has image `first`. */
static uint8_t *records(int first, int count)
{
        uint8_t *bytes = pxr_alloc(arena, (size_t)count * RECORD + 1), *at = bytes;

        ck_assert_ptr_nonnull(bytes);
        for (int image = first; image < first + count; image++) {
                *at++ = (uint8_t)(image % 10);
                for (int colour = 0; colour < 3; colour++)
                        for (int i = 0; i < PLANE; i++)
                                *at++ = value(image, i / SIDE, i % SIDE, colour);
        }
        return bytes;
}

static void put(const char *name, int first, int count)
{
        write_file(in_scratch(name), records(first, count), (size_t)count * RECORD);
}

/* Training images 0 .. 6 in batches of 4, 1 and 2; test images 100 .. 102. */
static void put_all(void)
{
        put("data_batch_1.bin", 0, 4);
        put("data_batch_2.bin", 4, 1);
        put("data_batch_3.bin", 5, 2);
        put("test_batch.bin", 100, 3);
}

/* All pixels of an image, or of its mirror image. */
static const uint8_t *image_of(int image, bool mirrored)
{
        static uint8_t pixels[PIXELS];

        for (int i = 0; i < PIXELS; i++) {
                int col = i / 3 % SIDE;

                pixels[i] = value(image, i / 3 / SIDE, mirrored ? SIDE - 1 - col : col, i % 3);
        }
        return pixels;
}

static void expect_image(const struct pxr_dataset *set, enum pxr_split split, int64_t index,
                         int image)
{
        uint8_t pixels[PIXELS];

        read_one(set, split, 0, index, pixels);
        ck_assert_mem_eq(pixels, image_of(image, false), PIXELS);
}

START_TEST(batches_of_any_size_are_read_in_order)
{
        struct pxr_dataset *set;
        char hex[PXR_SHA256_HEX];

        put_all();
        set = sound(OPEN("{set: cifar10, path: %s}", scratch));
        ck_assert_int_eq(set->rows, SIDE);
        ck_assert_int_eq(set->cols, SIDE);
        ck_assert_int_eq(set->colours, 3);
        ck_assert_int_eq(set->levels, 256);
        ck_assert(isnan(set->entropy));
        ck_assert_int_eq(set->count[PXR_TRAIN], 7);
        ck_assert_int_eq(set->count[PXR_VALID], 0);
        ck_assert_int_eq(set->count[PXR_TEST], 3);
        for (int i = 0; i < 7; i++)
                expect_image(set, PXR_TRAIN, i, i);
        for (int i = 0; i < 3; i++)
                expect_image(set, PXR_TEST, i, 100 + i);
        pxr_sha256(records(0, 4), 4 * RECORD, hex);
        ck_assert_str_eq(set->files->sha256, hex);
        ck_assert_int_eq(set->files->size, 4 * RECORD);
}
END_TEST

START_TEST(the_validation_split_is_the_end_of_the_training_images)
{
        struct pxr_dataset *set, *plain, *part;

        put_all();
        plain = sound(OPEN("{set: cifar10, path: %s}", scratch));
        set = sound(OPEN("{set: cifar10, path: %s, valid: 3}", scratch));
        ck_assert_int_eq(set->count[PXR_TRAIN], 4);
        ck_assert_int_eq(set->count[PXR_VALID], 3);
        expect_image(set, PXR_TRAIN, 3, 3);
        expect_image(set, PXR_VALID, 0, 4);
        expect_image(set, PXR_VALID, 2, 6);
        ck_assert_str_ne(set->identity, plain->identity);
        ck_assert_ptr_nonnull(strstr(set->transforms, "valid = last 3 of train"));
        part = sound(OPEN("{set: cifar10, path: %s, valid: 3, splits: [valid]}", scratch));
        ck_assert_int_eq(part->count[PXR_TRAIN], 0);
        ck_assert_str_eq(part->digest[PXR_VALID], set->digest[PXR_VALID]);
        refused_at(OPEN("{valid: 7, set: cifar10, path: %s}", scratch), 9,
                   "leaves no training images (there are 7)");
}
END_TEST

START_TEST(batches_are_found_one_folder_deeper)
{
        struct pxr_dataset *inside, *around;

        ck_assert_int_eq(mkdir(in_scratch("cifar-10-batches-bin"), 0700), 0);
        put("cifar-10-batches-bin/data_batch_1.bin", 0, 2);
        put("cifar-10-batches-bin/test_batch.bin", 2, 1);
        around = sound(OPEN("{set: cifar10, path: %s}", scratch));
        inside = sound(OPEN("{set: cifar10, path: %s/cifar-10-batches-bin}", scratch));
        ck_assert_str_eq(around->identity, inside->identity);
}
END_TEST

START_TEST(the_identity_depends_on_pixels_but_not_on_labels)
{
        uint8_t *bytes = records(0, 2);
        struct pxr_dataset *before, *after;

        write_file(in_scratch("test_batch.bin"), bytes, 2 * RECORD);
        before = sound(OPEN("{set: cifar10, path: %s, splits: [test]}", scratch));
        bytes[RECORD] ^= 1;
        write_file(in_scratch("test_batch.bin"), bytes, 2 * RECORD);
        after = sound(OPEN("{set: cifar10, path: %s, splits: [test]}", scratch));
        ck_assert_str_eq(after->identity, before->identity);
        ck_assert_str_ne(after->files->sha256, before->files->sha256);
        bytes[RECORD + 1] ^= 1;
        write_file(in_scratch("test_batch.bin"), bytes, 2 * RECORD);
        after = sound(OPEN("{set: cifar10, path: %s, splits: [test]}", scratch));
        ck_assert_str_ne(after->identity, before->identity);
}
END_TEST

static void batch_refused(const void *bytes, size_t size, const char *message)
{
        write_file(in_scratch("test_batch.bin"), bytes, size);
        refused(OPEN("{set: cifar10, path: %s, splits: [test]}", scratch), message);
}

START_TEST(damaged_batches_are_refused_with_the_offset)
{
        uint8_t *bytes = records(0, 3);

        batch_refused(bytes, 0, "test_batch.bin: byte 0: the file is empty");
        batch_refused(bytes, 1, "byte 1: unexpected end of data in record 1, of 3073 bytes each");
        batch_refused(bytes, 3 * RECORD - 1,
                      "byte 9218: unexpected end of data in "
                      "record 3");
        batch_refused(bytes, 2 * RECORD + 1, "byte 6147: unexpected end of data in record 3");
        bytes[2 * RECORD] = 10;
        batch_refused(bytes, 3 * RECORD, "byte 6146: label 10 of record 3 is out of range, 0 to 9");
        batch_refused("<!DOCTYPE html>", 15, "byte 15: unexpected end of data in record 1");
}
END_TEST

START_TEST(missing_batches_are_named)
{
        put("test_batch.bin", 0, 1);
        refused(OPEN("{set: cifar10, path: %s}", scratch), "contains neither data_batch_1.bin nor");
        put("data_batch_1.bin", 0, 1);
        put("data_batch_3.bin", 1, 1);
        refused(OPEN("{set: cifar10, path: %s}", scratch), "contains neither data_batch_2.bin nor");
        put("data_batch_2.bin", 1, 1);
        sound(OPEN("{set: cifar10, path: %s}", scratch));
        remove(in_scratch("test_batch.bin"));
        refused(OPEN("{set: cifar10, path: %s}", scratch), "contains neither test_batch.bin nor");
        sound(OPEN("{set: cifar10, path: %s, splits: [train]}", scratch));
}
END_TEST

/* --- the archive -------------------------------------------------------------------------------*/

#define INNER "cifar-10-batches-bin/"

#define ARCHIVE "cifar-10-binary.tar.gz"

/* The batches of put_all() in disorder, among other files, as in the official archive. */
static void pack_all(const char *name)
{
        pack_tar(in_scratch(name), strstr(name, ".gz"),
                 (struct packed[]) { { INNER, NULL, 0 },
                                     { INNER "data_batch_3.bin", records(5, 2), 2 * RECORD },
                                     { INNER "batches.meta.txt", "airplane\n", 9 },
                                     { INNER "test_batch.bin", records(100, 3), 3 * RECORD },
                                     { INNER "data_batch_1.bin", records(0, 4), 4 * RECORD },
                                     { INNER "readme.html", "<html>", 6 },
                                     { INNER "data_batch_2.bin", records(4, 1), RECORD },
                                     { NULL, NULL, 0 } });
}

START_TEST(the_archive_is_the_same_set_as_its_files)
{
        static const char *const archives[] = { "plain.tar", ARCHIVE };
        struct pxr_dataset *folder, *set;
        char hex[PXR_SHA256_HEX];

        put_all();
        folder = sound(OPEN("{set: cifar10, path: %s, valid: 2}", scratch));
        for (int j = 0; j < 2; j++) {
                pack_all(archives[j]);
                set = sound(OPEN("{set: cifar10, path: %s/%s, valid: 2}", scratch, archives[j]));
                ck_assert_str_eq(set->identity, folder->identity);
                for (int i = 0; i < 5; i++)
                        expect_image(set, PXR_TRAIN, i, i);
                expect_image(set, PXR_VALID, 1, 6);
                for (int i = 0; i < 3; i++)
                        expect_image(set, PXR_TEST, i, 100 + i);
                ck_assert_int_eq(pxr_sha256_file(in_scratch(archives[j]), hex, diag), 0);
                ck_assert_str_eq(set->files->sha256, hex);
                ck_assert_ptr_null(set->files->next);
        }
        for (int i = 1; i <= 3; i++)
                remove(in_scratch(pxr_strf(arena, "data_batch_%d.bin", i)));
        set = sound(OPEN("{set: cifar10, path: %s, valid: 2}", scratch));
        ck_assert_str_eq(set->identity, folder->identity);
        set = sound(OPEN("{set: cifar10, path: %s, splits: [test]}", scratch));
        ck_assert_int_eq(set->count[PXR_TRAIN], 0);
        expect_image(set, PXR_TEST, 0, 100);
}
END_TEST

START_TEST(a_damaged_archive_is_refused)
{
        const char *path = in_scratch(ARCHIVE);
        size_t size;
        unsigned char *bytes;

        pack_all(ARCHIVE);
        bytes = file_bytes(path, &size);
        for (size_t cut = 2; cut < size; cut += cut < size - 20 ? 37 : 1) {
                write_file(path, bytes, cut);
                refused(OPEN("{set: cifar10, path: %s}", path), ARCHIVE);
        }
        bytes[size - 5] ^= 1; /* the check sum */
        write_file(path, bytes, size);
        refused(OPEN("{set: cifar10, path: %s}", path), "incorrect data check");
        write_file(path, "<!DOCTYPE html>", 15);
        refused(OPEN("{set: cifar10, path: %s}", path), "it is a web page, not data");
        write_file(in_scratch("page.tar"), "<!DOCTYPE html>", 15);
        refused(OPEN("{set: cifar10, path: %s}", in_scratch("page.tar")),
                "it is a web page, not data");
        write_file(path, "", 0);
        refused(OPEN("{set: cifar10, path: %s}", path), "byte 0: the file is empty");
}
END_TEST

START_TEST(the_python_version_is_refused_by_its_name)
{
        static const char words[] = "expected the binary version of CIFAR-10";
        struct packed entries[] = { { "cifar-10-batches-py/data_batch_1", "x", 1 },
                                    { NULL, NULL, 0 } };

        pack_tar(in_scratch("cifar-10-python.tar.gz"), true, entries);
        refused(OPEN("{set: cifar10, path: %s}", scratch), words);
        refused(OPEN("{set: cifar10, path: %s/cifar-10-python.tar.gz}", scratch), words);
        remove(in_scratch("cifar-10-python.tar.gz"));
        write_file(in_scratch("data_batch_1"), "x", 1);
        refused(OPEN("{set: cifar10, path: %s}", scratch), words);
        put_all();
        sound(OPEN("{set: cifar10, path: %s}", scratch));
}
END_TEST

START_TEST(an_archive_without_its_batches_is_refused)
{
        const char *path = in_scratch(ARCHIVE);

        pack_tar(path, true, (struct packed[]) { { "a", "b", 1 }, { NULL, NULL, 0 } });
        refused(OPEN("{set: cifar10, path: %s}", path),
                "the archive does not contain data_batch_1.bin");
        pack_tar(path, true,
                 (struct packed[]) { { "data_batch_1.bin", records(0, 1), RECORD },
                                     { "data_batch_3.bin", records(0, 1), RECORD },
                                     { "test_batch.bin", records(0, 1), RECORD },
                                     { NULL, NULL, 0 } });
        refused(OPEN("{set: cifar10, path: %s}", path),
                "the archive does not contain data_batch_2.bin");
        pack_tar(path, true,
                 (struct packed[]) { { "data_batch_1.bin", records(0, 1), RECORD },
                                     { "x/data_batch_1.bin", records(0, 1), RECORD },
                                     { NULL, NULL, 0 } });
        refused(OPEN("{set: cifar10, path: %s}", path), "x/data_batch_1.bin: duplicate file name");
        pack_tar(path, true,
                 (struct packed[]) { { "data_batch_1.bin", records(0, 1), RECORD - 1 },
                                     { NULL, NULL, 0 } });
        refused(OPEN("{set: cifar10, path: %s}", path),
                "tar.gz: data_batch_1.bin: byte 3072: unexpected end of data in record 1");
}
END_TEST

START_TEST(a_decompression_bomb_is_refused)
{
        enum { RECORDS = 13000 };
        const char *path = in_scratch(ARCHIVE);
        const void *zeros = pxr_alloc(arena, (size_t)RECORDS * RECORD);
        const struct packed entries[] = { { "data_batch_1.bin", zeros, (size_t)RECORDS * RECORD },
                                          { NULL, NULL, 0 } };

        ck_assert_ptr_nonnull(zeros);
        pack_tar(path, true, entries);
        refused(OPEN("{set: cifar10, path: %s, splits: [train]}", path),
                "tar.gz: decompresses to more than 200 times its size");
        path = in_scratch("cifar.zip");
        pack_zip(path, false, entries);
        refused(OPEN("{set: cifar10, path: %s, splits: [train]}", path),
                "cifar.zip: decompresses to more than 200 times its size");
        pack_zip(path, true, entries);
        ck_assert_int_eq(
                sound(OPEN("{set: cifar10, path: %s, splits: [train]}", path))->count[PXR_TRAIN],
                RECORDS);
}
END_TEST

/* --- what every set can do ---------------------------------------------------------------------*/

START_TEST(only_training_images_are_flipped_differently_in_each_epoch)
{
        enum { EPOCHS = 400 };
        struct pxr_dataset *set, *other;
        uint8_t pixels[PIXELS], other_pixels[PIXELS];
        int flips = 0, changed = 0, agree = 0;

        put_all();
        set = sound(open_seed(7, "{set: cifar10, path: %s, valid: 2, flip: true}", scratch));
        other = sound(open_seed(8, "{set: cifar10, path: %s, valid: 2, flip: true}", scratch));
        ck_assert_str_eq(set->identity, other->identity);
        for (int epoch = 0; epoch < EPOCHS; epoch++) {
                bool flipped[2];

                for (int image = 0; image < 2; image++) {
                        read_one(set, PXR_TRAIN, epoch, image, pixels);
                        flipped[image] = pixels[0] != value(image, 0, 0, 0);
                        ck_assert_mem_eq(pixels, image_of(image, flipped[image]), PIXELS);
                        flips += flipped[image];
                }
                agree += flipped[0] == flipped[1];
                read_one(other, PXR_TRAIN, epoch, 1, other_pixels);
                changed += memcmp(pixels, other_pixels, sizeof pixels) != 0;
        }
        /* Five standard deviations about the half. */
        ck_assert_int_le(abs(flips - EPOCHS), 5 * 14.2);
        ck_assert_int_le(abs(2 * agree - EPOCHS), 5 * 20);
        ck_assert_int_le(abs(2 * changed - EPOCHS), 5 * 20);
        for (int epoch = 0; epoch < 20; epoch++) {
                read_one(set, PXR_VALID, epoch, 0, pixels);
                ck_assert_int_eq(pixels[0], value(5, 0, 0, 0));
                read_one(set, PXR_TEST, epoch, 2, pixels);
                ck_assert_int_eq(pixels[0], value(102, 0, 0, 0));
        }
}
END_TEST

START_TEST(flips_do_not_depend_on_the_batch)
{
        struct pxr_dataset *set;
        uint8_t many[3][PIXELS], one[PIXELS];
        int64_t index[3] = { 5, 0, 3 };

        put_all();
        set = sound(OPEN("{set: cifar10, path: %s, flip: true, downsample: 32}", scratch));
        for (int epoch = 0; epoch < 8; epoch++) {
                ck_assert_int_eq(pxr_dataset_read(set, PXR_TRAIN, epoch, index, 3, many[0], diag),
                                 0);
                for (int i = 0; i < 3; i++) {
                        read_one(set, PXR_TRAIN, epoch, index[i], one);
                        ck_assert_mem_eq(one, many[i], PIXELS);
                }
        }
}
END_TEST

START_TEST(downsampling_keeps_the_top_left_of_each_block)
{
        enum { SMALL = 8, STEP = SIDE / SMALL };
        struct pxr_dataset *set, *plain;
        uint8_t pixels[3][3 * SMALL * SMALL];
        int64_t index[3] = { 2, 6, 0 };

        put_all();
        plain = sound(OPEN("{set: cifar10, path: %s}", scratch));
        set = sound(OPEN("{set: cifar10, path: %s, downsample: 8}", scratch));
        ck_assert_int_eq(set->rows, SMALL);
        ck_assert_int_eq(set->cols, SMALL);
        ck_assert_int_eq(set->colours, 3);
        ck_assert_int_eq(pxr_dataset_read(set, PXR_TRAIN, 0, index, 3, pixels[0], diag), 0);
        for (int image = 0; image < 3; image++)
                for (int i = 0; i < 3 * SMALL * SMALL; i++)
                        ck_assert_int_eq(pixels[image][i],
                                         value((int)index[image], STEP * (i / 3 / SMALL),
                                               STEP * (i / 3 % SMALL), i % 3));
        ck_assert_str_ne(set->identity, plain->identity);
        ck_assert_ptr_nonnull(strstr(set->transforms, "downsampled to 8 x 8"));
        refused(OPEN("{set: cifar10, path: %s, downsample: 12}", scratch),
                "downsample: images of 32 x 32 pixels cannot be divided into blocks that give 12 "
                "rows");
        refused(OPEN("{set: cifar10, path: %s, downsample: 64}", scratch), "give 64 rows");
        refused_at(OPEN("{downsample: 2, set: markov_binary, rows: 8, cols: 6}"), 14,
                   "give 2 rows");
        set = sound(OPEN("{set: markov_binary, rows: 8, cols: 4, downsample: 2}"));
        ck_assert_int_eq(set->cols, 1);
        ck_assert(isnan(set->entropy) && isnan(set->floor) && !set->nats);
}
END_TEST

START_TEST(grey_is_the_weighted_sum_of_the_colours)
{
        uint8_t *bytes = pxr_alloc(arena, RECORD), pixels[PLANE];
        static const uint8_t in[6][3] = { { 0, 0, 0 },   { 255, 255, 255 }, { 255, 0, 0 },
                                          { 0, 255, 0 }, { 0, 0, 255 },     { 200, 100, 50 } };
        static const uint8_t out[6] = { 0, 255, 76, 150, 29, 124 };
        struct pxr_dataset *set;

        for (int i = 0; i < 6; i++)
                for (int colour = 0; colour < 3; colour++)
                        bytes[1 + colour * PLANE + i] = in[i][colour];
        write_file(in_scratch("test_batch.bin"), bytes, RECORD);
        set = sound(OPEN("{set: cifar10, path: %s, splits: [test], grey: true}", scratch));
        ck_assert_int_eq(set->colours, 1);
        ck_assert_ptr_nonnull(strstr(set->transforms, "grey"));
        read_one(set, PXR_TEST, 0, 0, pixels);
        for (int i = 0; i < 6; i++)
                ck_assert_int_eq(pixels[i], out[i]);
}
END_TEST

START_TEST(options_without_effect_do_not_change_the_identity)
{
        struct pxr_dataset *plain, *set;

        put_all();
        plain = sound(OPEN("{set: cifar10, path: %s, splits: [test]}", scratch));
        set = sound(OPEN("{set: cifar10, path: %s, splits: [test], flip: true, downsample: 32}",
                         scratch));
        ck_assert_str_eq(set->identity, plain->identity);
        plain = sound(OPEN("{set: markov_binary}"));
        set = sound(OPEN("{set: markov_binary, grey: true}"));
        ck_assert_str_eq(set->identity, plain->identity);
        ck_assert_double_eq(set->entropy, plain->entropy);
}
END_TEST

START_TEST(a_flipped_synthetic_set_keeps_its_entropy)
{
        struct pxr_dataset *plain = sound(OPEN("{set: markov_binary}"));
        struct pxr_dataset *set = sound(OPEN("{set: markov_binary, flip: true}"));
        uint8_t pixels[4096];

        read_one(set, PXR_TEST, 0, 5, pixels);
        ck_assert_double_eq(set->nats(set, pixels), plain->nats(plain, pixels));
}
END_TEST

/* --- the real thing ----------------------------------------------------------------------------*/

START_TEST(real_cifar10_is_read)
{
        const char *path = real_data("cifar-10");
        struct pxr_dataset *set;
        uint8_t pixels[PIXELS];
        double sum = 0;

        if (!path)
                return;
        set = sound(OPEN("{set: cifar10, path: %s, valid: 500}", path));
        ck_assert_int_gt(set->count[PXR_TRAIN], 500);
        ck_assert_int_eq(set->count[PXR_VALID], 500);
        ck_assert_int_gt(set->count[PXR_TEST], 500);
        /* Photographs: a pixel is near the one to its right, and near the other colours. */
        for (int image = 0; image < 200; image++) {
                read_one(set, PXR_TRAIN, 0, image, pixels);
                for (int i = 0; i < PIXELS - 3; i++)
                        sum += abs(pixels[i] - pixels[i + 3]);
        }
        ck_assert_double_lt(sum / (200.0 * PIXELS), 16);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("cifar10");

        ADD_SCRATCH_TEST(suite, batches_of_any_size_are_read_in_order);
        ADD_SCRATCH_TEST(suite, the_validation_split_is_the_end_of_the_training_images);
        ADD_SCRATCH_TEST(suite, batches_are_found_one_folder_deeper);
        ADD_SCRATCH_TEST(suite, the_identity_depends_on_pixels_but_not_on_labels);
        ADD_SCRATCH_TEST(suite, damaged_batches_are_refused_with_the_offset);
        ADD_SCRATCH_TEST(suite, missing_batches_are_named);
        ADD_SCRATCH_TEST(suite, the_archive_is_the_same_set_as_its_files);
        ADD_SCRATCH_TEST(suite, a_damaged_archive_is_refused);
        ADD_SCRATCH_TEST(suite, the_python_version_is_refused_by_its_name);
        ADD_SCRATCH_TEST(suite, an_archive_without_its_batches_is_refused);
        ADD_SCRATCH_TEST(suite, a_decompression_bomb_is_refused);
        ADD_SCRATCH_TEST(suite, only_training_images_are_flipped_differently_in_each_epoch);
        ADD_SCRATCH_TEST(suite, flips_do_not_depend_on_the_batch);
        ADD_SCRATCH_TEST(suite, downsampling_keeps_the_top_left_of_each_block);
        ADD_SCRATCH_TEST(suite, grey_is_the_weighted_sum_of_the_colours);
        ADD_SCRATCH_TEST(suite, options_without_effect_do_not_change_the_identity);
        ADD_SCRATCH_TEST(suite, a_flipped_synthetic_set_keeps_its_entropy);
        ADD_SCRATCH_TEST(suite, real_cifar10_is_read);
        return run_suite(suite);
}
