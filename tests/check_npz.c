/* SPDX-License-Identifier: MIT */
/* check_npz.c - images in NumPy's .npz files, in memory and in a temporary file. */
#include "config.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/hash.h"
#include "dataset.h"
#include "packing.h"

enum { SIDE = 4, PLANE = SIDE * SIDE, PIXELS = 3 * PLANE, HEAD = 128 };

static uint8_t value(int image, int at, int colour)
{
        return (uint8_t)(13 * image + 5 * at + 70 * colour);
}

/* A head as NumPy writes it, version 1, HEAD bytes in all. */
static void write_head(uint8_t *bytes, const char *descr, const char *order, const char *shape)
{
        int length;

        memcpy(bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
        length = snprintf((char *)bytes + 10, HEAD - 10,
                          "{'descr': %s, 'fortran_order': %s, 'shape': %s, }", descr, order, shape);
        ck_assert_int_lt(length, HEAD - 11);
        memset(bytes + 10 + length, ' ', (size_t)(HEAD - 11 - length));
        bytes[HEAD - 1] = '\n';
}

/* data.npy with images first .. first + count - 1. */
static struct packed array(int first, int count)
{
        size_t size = (size_t)(HEAD + count * PIXELS);
        uint8_t *bytes = pxr_alloc(arena, size + 1), *at = bytes + HEAD;

        ck_assert_ptr_nonnull(bytes);
        write_head(bytes, "'|u1'", "False", pxr_strf(arena, "(%d, %d)", count, PIXELS));
        for (int image = first; image < first + count; image++)
                for (int colour = 0; colour < 3; colour++)
                        for (int i = 0; i < PLANE; i++)
                                *at++ = value(image, i, colour);
        return (struct packed) { "data.npy", bytes, size };
}

static void put(const char *name, int first, int count)
{
        pack_zip(in_scratch(name), first % 2, /* stored, or deflated */
                 (struct packed[]) { { "labels.npy", "not looked at", 13 },
                                     array(first, count),
                                     { "mean.npy", "", 0 },
                                     { NULL, NULL, 0 } });
}

static void expect_image(const struct pxr_dataset *set, enum pxr_split split, int64_t index,
                         int image)
{
        uint8_t pixels[PIXELS];

        read_one(set, split, 0, index, pixels);
        for (int i = 0; i < PIXELS; i++)
                ck_assert_int_eq(pixels[i], value(image, i / 3, i % 3));
}

/* Images 0 .. 19 in ten training files, 20 .. 22 to validate with. */
static void put_all(void)
{
        for (int i = 0; i < 10; i++)
                put(pxr_strf(arena, "train_data_batch_%d.npz", i + 1), 2 * i, 2);
        put("val_data.npz", 20, 3);
        write_file(in_scratch("notes.npz"), "x", 1);
}

START_TEST(numbered_files_are_read_in_the_order_of_their_numbers)
{
        struct pxr_dataset *set;
        char hex[PXR_SHA256_HEX];
        int files = 0;

        put_all();
        set = sound(OPEN("{set: npz, path: %s, layout: chw}", scratch));
        ck_assert_int_eq(set->rows, SIDE);
        ck_assert_int_eq(set->cols, SIDE);
        ck_assert_int_eq(set->colours, 3);
        ck_assert_int_eq(set->count[PXR_TRAIN], 20);
        ck_assert_int_eq(set->count[PXR_VALID], 3);
        ck_assert_int_eq(set->count[PXR_TEST], 0);
        for (int i = 0; i < 20; i++)
                expect_image(set, PXR_TRAIN, i, i);
        for (int i = 0; i < 3; i++)
                expect_image(set, PXR_VALID, i, 20 + i);
        for (const struct pxr_data_file *file = set->files; file; file = file->next, files++) {
                OK(pxr_sha256_file(file->path, hex, diag));
                ck_assert_str_eq(file->sha256, hex);
        }
        ck_assert_int_eq(files, 11);
}
END_TEST

START_TEST(one_file_is_split_by_option)
{
        struct pxr_dataset *set, *part;

        put("some.npz", 0, 7);
        set = sound(OPEN("{set: npz, path: %s/some.npz, layout: chw, valid: 2}", scratch));
        ck_assert_int_eq(set->count[PXR_TRAIN], 5);
        ck_assert_int_eq(set->count[PXR_VALID], 2);
        expect_image(set, PXR_VALID, 0, 5);
        part = sound(OPEN("{set: npz, path: %s/some.npz, layout: chw, valid: 2, splits: [valid]}",
                          scratch));
        ck_assert_int_eq(part->count[PXR_TRAIN], 0);
        ck_assert_str_eq(part->digest[PXR_VALID], set->digest[PXR_VALID]);
        refused_at(OPEN("{valid: 7, set: npz, path: %s/some.npz, layout: chw}", scratch), 9,
                   "leaves no training images (there are 7");
        put("train.npz", 0, 2);
        put("val.npz", 0, 2);
        refused_at(OPEN("{valid: 1, set: npz, path: %s, layout: chw}", scratch), 9,
                   "'valid: 1' conflicts with the existing valid split");
}
END_TEST

START_TEST(the_content_does_not_depend_on_the_validation_split)
{
        struct pxr_dataset *whole, *cut;

        put("some.npz", 0, 7);
        whole = sound(OPEN("{set: npz, path: %s/some.npz, layout: chw}", scratch));
        ck_assert_str_eq(whole->content, whole->identity);
        for (int valid = 1; valid < 4; valid++) {
                cut = sound(
                        OPEN("{set: npz, path: %s/some.npz, layout: chw, valid: %d, grey: true}",
                             scratch, valid));
                ck_assert_str_eq(cut->content, whole->identity);
        }
}
END_TEST

START_TEST(pixels_read_from_a_file_are_the_same_as_in_memory)
{
        static const char *const budgets[] = { "0", "0.0001", "0.0005", "0.001052" };
        struct pxr_dataset *held, *filed;

        put_all();
        setenv("TMPDIR", scratch, 1);
        held = sound(OPEN("{set: npz, path: %s, layout: chw}", scratch));
        for (size_t i = 0; i < sizeof budgets / sizeof budgets[0]; i++) {
                filed = sound(
                        OPEN("{set: npz, path: %s, layout: chw, memory: %s}", scratch, budgets[i]));
                ck_assert_str_eq(filed->identity, held->identity);
                for (int j = 19; j >= 0; j--)
                        expect_image(filed, PXR_TRAIN, j, j);
                expect_image(filed, PXR_VALID, 1, 21);
        }
        ck_assert_int_eq(files_in_scratch(), 12); /* the temporary ones have no name */
}
END_TEST

/* Replaces the C library's function: every disk has this much free space. */
static bool nearly_full;

int fstatvfs(int file, struct statvfs *status)
{
        struct stat stat;

        if (fstat(file, &stat) != 0)
                return -1;
        *status = (struct statvfs) { .f_frsize = 1, .f_bavail = nearly_full ? 200 << 20 : 1 << 30 };
        return 0;
}

START_TEST(a_temporary_file_that_would_fill_the_disk_is_refused)
{
        put_all();
        setenv("TMPDIR", scratch, 1);
        sound(OPEN("{set: npz, path: %s, layout: chw, memory: 0}", scratch));
        nearly_full = true;
        ck_assert_ptr_null(OPEN("{set: npz, path: %s, layout: chw, memory: 0}", scratch));
        expect_error(PXR_FAULT_SYSTEM, "here: No space left on device");
        sound(OPEN("{set: npz, path: %s, layout: chw}", scratch));
}
END_TEST

START_TEST(a_temporary_file_that_cannot_be_created_is_an_error_of_the_system)
{
        put_all();
        setenv("TMPDIR", in_scratch("nowhere"), 1);
        ck_assert_ptr_null(OPEN("{set: npz, path: %s, layout: chw, memory: 0}", scratch));
        expect_error(PXR_FAULT_SYSTEM, "/nowhere: pixels beyond the 'memory' limit");
        setenv("TMPDIR", scratch, 1);
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit) { 500, 500 });
        ck_assert_ptr_null(OPEN("{set: npz, path: %s, layout: chw, memory: 0}", scratch));
        expect_error(PXR_FAULT_SYSTEM, "here: ");
}
END_TEST

static void array_refused(const void *bytes, size_t size, const char *message)
{
        pack_zip(in_scratch("a.npz"), false,
                 (struct packed[]) { { "data.npy", bytes, size }, { NULL, NULL, 0 } });
        refused(OPEN("{set: npz, path: %s/a.npz, layout: chw}", scratch), message);
}

static void head_refused(const char *descr, const char *order, const char *shape,
                         const char *message)
{
        struct packed good = array(0, 2);

        write_head((uint8_t *)good.bytes, descr, order, shape);
        array_refused(good.bytes, good.size, message);
}

START_TEST(invalid_arrays_are_refused)
{
        struct packed good = array(0, 2);
        uint8_t *bytes = (uint8_t *)good.bytes;

        head_refused("'|u1'", "False", "(2, -48)", "invalid array header");
        head_refused("'|u1'", "False", "(99999999999999999999, 48)", "invalid array header");
        head_refused("'|u1'", "False", "(1, 1, 1, 1, 1, 1, 1, 1, 1)", "invalid array header");
        head_refused("'|u1'", "False", "(2, 48), 'more': 1", "invalid array header");
        head_refused("[('x', '|u1')]", "False", "(2, 48)", "invalid array header");
        head_refused("'an extremely long dtype'", "False", "(2, 48)", "invalid array header");
        head_refused("'|u1'", "None", "(2, 48)", "invalid array header");
        head_refused("'|u1'", "False", "(0, 48)", "the array has no images");
        head_refused("'|u1'", "False", "(3, 48)",
                     "byte 224: unexpected end of data in image 3 of 3");
        head_refused("'|u1'", "False", "(9000000000000, 48)", "unexpected end of data in image 3");
        head_refused("'|u1'", "False", "(1, 48)", "byte 176: junk after the last of 1 images");
        for (size_t cut = 0; cut < HEAD; cut++)
                array_refused(bytes, cut, "unexpected end of data in the header");
        array_refused(bytes, good.size - 1, "unexpected end of data in image 2 of 2");
        bytes[9] = 0x7F;
        array_refused(bytes, good.size, "byte 8: the header has ");
        bytes[6] = 9;
        array_refused(bytes, good.size, "byte 0: not a NumPy array");
}
END_TEST

/* --- layouts -----------------------------------------------------------------------------------*/

/* A file whose array has this head and counts up from 0, as bytes. */
static void put_counting(const char *name, const char *key, const char *descr, const char *order,
                         const char *shape, int size)
{
        uint8_t *bytes = pxr_alloc(arena, (size_t)(HEAD + size));

        write_head(bytes, descr, order, shape);
        for (int i = 0; i < size; i++)
                bytes[HEAD + i] = (uint8_t)i;
        pack_zip(in_scratch(name), false,
                 (struct packed[]) { { "labels.npy", "not looked at", 13 },
                                     { key, bytes, (size_t)(HEAD + size) },
                                     { NULL, NULL, 0 } });
}

static struct pxr_dataset *open_shape(const char *shape, int size, const char *options)
{
        put_counting("a.npz", "data.npy", "'|u1'", "False", shape, size);
        return OPEN("{set: npz, path: %s/a.npz%s}", scratch, options);
}

/* Image 1 of the array must have this size, and these bytes. */
static void expect_layout(const char *shape, const char *options, int rows, int cols, int colours,
                          bool planar)
{
        int plane = rows * cols, size = plane * colours;
        struct pxr_dataset *set = sound(open_shape(shape, 2 * size, options));
        uint8_t *pixels = pxr_alloc(arena, (size_t)size);

        ck_assert_int_eq(set->rows, rows);
        ck_assert_int_eq(set->cols, cols);
        ck_assert_int_eq(set->colours, colours);
        ck_assert_int_eq(set->count[PXR_TRAIN], 2);
        read_one(set, PXR_TRAIN, 0, 1, pixels);
        for (int i = 0; i < size; i++)
                ck_assert_int_eq(pixels[i],
                                 size + (planar ? i % colours * plane + i / colours : i));
}

START_TEST(unambiguous_shapes_need_no_layout)
{
        expect_layout("(2, 4, 6, 3)", "", 4, 6, 3, false);
        expect_layout("(2, 3, 4, 6)", "", 4, 6, 3, true);
        expect_layout("(2, 4, 6, 1)", "", 4, 6, 1, false);
        expect_layout("(2, 1, 4, 6)", "", 4, 6, 1, false);
        expect_layout("(2, 4, 6)", "", 4, 6, 1, false);
}
END_TEST

START_TEST(the_layout_option_decides_an_ambiguous_shape)
{
        expect_layout("(2, 48)", ", layout: hwc", 4, 4, 3, false);
        expect_layout("(2, 48)", ", layout: chw", 4, 4, 3, true);
        expect_layout("(2, 36)", ", layout: hw", 6, 6, 1, false);
        expect_layout("(2, 36)", ", layout: hw, rows: 4", 4, 9, 1, false);
        expect_layout("(2, 48)", ", layout: hwc, rows: 2", 2, 8, 3, false);
        expect_layout("(2, 48)", ", layout: chw, rows: 8", 8, 2, 3, true);
        expect_layout("(2, 3, 5, 3)", ", layout: hwc", 3, 5, 3, false);
        expect_layout("(2, 3, 5, 3)", ", layout: chw", 5, 3, 3, true);
        expect_layout("(2, 8, 3)", ", layout: hw", 8, 3, 1, false);
}
END_TEST

START_TEST(an_ambiguous_layout_is_refused)
{
        refused(open_shape("(2, 48)", 96, ""), "the shape (2, 48) does not determine the layout");
        refused(open_shape("(2, 36)", 72, ""), "the shape (2, 36) does not determine the layout");
        refused(open_shape("(2, 48)", 96, ", layout: hwc, rows: 3"), "'layout: hwc' does not fit");
        refused(open_shape("(2, 48)", 96, ", layout: hw, rows: 5"), "'layout: hw' does not fit");
        refused(open_shape("(2, 3, 5, 3)", 90, ""), "does not determine the layout");
        refused(open_shape("(2, 1, 5, 3)", 30, ""), "does not determine the layout");
        refused(open_shape("(4, 4, 3)", 48, ""), "does not determine the layout");
        refused(open_shape("(2, 16, 3)", 96, ""), "does not determine the layout");
        refused(open_shape("(2, 1, 16)", 32, ""), "does not determine the layout");
        put("train.npz", 0, 2);
        refused(OPEN("{set: npz, path: %s/train.npz}", scratch), "does not determine the layout");
        put("val_data.npz", 0, 2);
        refused(OPEN("{set: npz, path: %s/val_data.npz}", scratch),
                "does not determine the layout");
}
END_TEST

/* Downsampled ImageNet, by the names and numbers of its files. */
START_TEST(the_layout_of_imagenet_is_known)
{
        static const struct {
                const char *name, *shape;
                int images;
        } files[] = { { "train_data_batch_1.npz", "(128116, 12)", 128116 },
                      { "train_data_batch_10.npz", "(128123, 12)", 128123 },
                      { "val_data.npz", "(50000, 12)", 50000 } };
        const uint8_t planes[] = { 0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11 };
        uint8_t pixels[12];

        for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
                put_counting(files[i].name, "data.npy", "'|u1'", "False", files[i].shape,
                             12 * files[i].images);
                read_one(sound(OPEN("{set: npz, path: %s/%s}", scratch, files[i].name)), PXR_TRAIN,
                         0, 0, pixels);
                ck_assert_mem_eq(pixels, planes, sizeof planes);
        }
}
END_TEST

START_TEST(a_layout_that_does_not_fit_is_refused)
{
        static const char *const shapes[] = {
                "(96,)",        "(2, 4, 0)", "(2, 4, 6, 4)",    "(2, 4, 6, 2)",
                "(2, 4097, 6)", "()",        "(2, 4, 2, 2, 3)",
        };

        for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
                refused(open_shape(shapes[i], 96, ""),
                        pxr_strf(arena, "an array of shape %s is not grey or RGB images",
                                 shapes[i]));
        refused_at(OPEN("{layout: hw, set: npz, path: %s/a.npz}", scratch), 10,
                   "'layout: hw' does not fit the shape (2, 4, 2, 2, 3)");
        refused(open_shape("(2, 48)", 96, ", layout: hw"), "does not fit the shape (2, 48)");
        refused(open_shape("(2, 0)", 0, ", layout: hw"), "does not fit the shape (2, 0)");
        refused(open_shape("(2, 9223372036854775807)", 96, ", layout: hw"), "does not fit");
        refused(open_shape("(2, 36)", 72, ", layout: hwc"), "does not fit the shape (2, 36)");
        refused(open_shape("(2, 4, 6, 3)", 144, ", layout: chw"), "does not fit the shape");
}
END_TEST

/* Opening failed with these words, in its error or a note. */
static void expect_words(const struct pxr_dataset *set, const char *words)
{
        const char *written = printed_errors(diag, "test");

        ck_assert_ptr_null(set);
        ck_assert_msg(strstr(written, words), "'%s' is not in '%s'", words, written);
        pxr_diag_clear(diag);
}

START_TEST(other_types_and_keys_say_how_to_convert_them)
{
        static const struct {
                const char *key, *descr, *order, *words;
        } arrays[] = {
                { "data.npy", "'<f4'", "False", "expected an array of bytes (dtype uint8), got" },
                { "data.npy", "'<f4'", "False", "data=numpy.rint(255 * numpy.load('" },
                { "data.npy", "'|b1'", "False", "data=255 * numpy.load('" },
                { "data.npy", "'<i8'", "False", "a.npz')['data'].astype('uint8'))" },
                { "data.npy", "'|u1'", "True", "numpy.ascontiguousarray(numpy.load('" },
        };

        for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
                put_counting("a.npz", arrays[i].key, arrays[i].descr, arrays[i].order,
                             "(2, 4, 4, 3)", 96);
                expect_words(OPEN("{set: npz, path: %s/a.npz}", scratch), arrays[i].words);
        }
}
END_TEST

START_TEST(levels_are_spread_over_the_bytes)
{
        struct pxr_dataset *set;
        uint8_t bytes[HEAD + 8] = { [HEAD] = 0, 255, 255, 0, 255, 0, 0, 0 }, pixels[4];
        const struct packed entries[] = { { "data.npy", bytes, sizeof bytes }, { NULL, NULL, 0 } };

        write_head(bytes, "'|u1'", "False", "(2, 2, 2)");
        pack_zip(in_scratch("a.npz"), false, entries);
        set = sound(OPEN("{set: npz, path: %s/a.npz, levels: 2}", scratch));
        ck_assert_int_eq(set->levels, 2);
        read_one(set, PXR_TRAIN, 0, 0, pixels);
        ck_assert_mem_eq(pixels, "\0\1\1\0", 4);
        bytes[HEAD + 6] = 1;
        pack_zip(in_scratch("a.npz"), false, entries);
        refused(OPEN("{set: npz, path: %s/a.npz, levels: 2}", scratch),
                "a.npz: data.npy: image 2: row 1, column 0: the value 1 is not one of 2 levels");
}
END_TEST

START_TEST(headers_of_every_version_are_read)
{
        for (int version = 1; version <= 3; version++) {
                struct packed good = array(3, 1);
                size_t extra = version > 1 ? 2 : 0;
                uint8_t *bytes = pxr_alloc(arena, good.size + 2);

                memcpy(bytes, good.bytes, 10);
                memcpy(bytes + 10 + extra, (const char *)good.bytes + 10, good.size - 10);
                bytes[6] = (uint8_t)version;
                pack_zip(in_scratch("a.npz"), false,
                         (struct packed[]) { { "data.npy", bytes, good.size + extra },
                                             { NULL, NULL, 0 } });
                expect_image(sound(OPEN("{set: npz, path: %s/a.npz, layout: chw}", scratch)),
                             PXR_TRAIN, 0, 3);
        }
}
END_TEST

START_TEST(damaged_archives_are_refused)
{
        const char *path = in_scratch("a.npz");
        unsigned char *bytes;
        size_t size, data = 0;

        refused(OPEN("{set: npz, path: %s, layout: chw}", path), "a.npz: no such file or folder");
        refused(OPEN("{set: npz, path: %s}", scratch), "contains no train*.npz, val*.npz");
        write_file(path, "", 0);
        refused(OPEN("{set: npz, path: %s, layout: chw}", path), "a.npz: ");
        write_file(path, "<!DOCTYPE html>", 15);
        refused(OPEN("{set: npz, path: %s, layout: chw}", path), "it is a web page, not data");
        pack_zip(path, false, (struct packed[]) { { "x.npy", "x", 1 }, { NULL, NULL, 0 } });
        refused(OPEN("{set: npz, path: %s, layout: chw}", path), "x.npy: byte 1: unexpected end");
        pack_zip(path, false, (struct packed[]) { { "x.txt", "x", 1 }, { NULL, NULL, 0 } });
        refused(OPEN("{set: npz, path: %s, layout: chw}", path), "a.npz: contains no arrays");
        pack_zip(path, false, (struct packed[]) { array(0, 1), array(0, 1), { NULL, NULL, 0 } });
        refused(OPEN("{set: npz, path: %s, layout: chw}", path), "duplicate data.npy");
        for (int store = 0; store < 2; store++) {
                pack_zip(path, store, (struct packed[]) { array(0, 4), { NULL, NULL, 0 } });
                bytes = file_bytes(path, &size);
                for (size_t cut = 0; cut < size / 2; cut++) {
                        write_file(path, bytes, cut);
                        refused(OPEN("{set: npz, path: %s, layout: chw}", path), "a.npz");
                }
                for (data = 0; memcmp(bytes + data, "data.npy", 8) != 0;)
                        data++;
                bytes[data + 140] ^= 1; /* caught by the check sum, or by the unpacking */
                write_file(path, bytes, size);
                refused(OPEN("{set: npz, path: %s, layout: chw}", path), "a.npz");
        }
}
END_TEST

START_TEST(files_of_another_size_are_named)
{
        uint8_t bytes[HEAD + 12] = { 0 };

        put("train_data_batch_1.npz", 0, 2);
        write_head(bytes, "'|u1'", "False", "(1, 12)");
        pack_zip(in_scratch("train_data_batch_2.npz"), false,
                 (struct packed[]) { { "data.npy", bytes, sizeof bytes }, { NULL, NULL, 0 } });
        refused(OPEN("{set: npz, path: %s, layout: chw}", scratch),
                "train_data_batch_2.npz: data.npy: images of 2 x 2 x 3, but those of "
                "the first file are 4 x 4 x 3");
}
END_TEST

/* --- which arrays ------------------------------------------------------------------------------*/

/* `count` images of 2 x 2 pixels, all of which are `value` + the image's number; or labels. */
static struct packed small(const char *name, const char *descr, const char *shape, int bytes,
                           int value)
{
        uint8_t *array = pxr_alloc(arena, (size_t)(HEAD + bytes));

        write_head(array, descr, "False", shape);
        for (int i = 0; i < bytes; i++)
                array[HEAD + i] = (uint8_t)(value + i / 4);
        return (struct packed) { name, array, (size_t)(HEAD + bytes) };
}

static void expect_first(const struct pxr_dataset *set, enum pxr_split split, int value)
{
        uint8_t pixels[4];

        read_one(set, split, 0, 0, pixels);
        ck_assert_int_eq(pixels[0], value);
}

START_TEST(the_images_may_have_any_key)
{
        struct packed entries[] = { small("names.npy", "'<U4'", "(2,)", 32, 0),
                                    small("faces.npy", "'|u1'", "(2, 2, 2)", 8, 20),
                                    { NULL, NULL, 0 },
                                    { NULL, NULL, 0 } };

        pack_zip(in_scratch("a.npz"), false, entries);
        expect_first(sound(OPEN("{set: npz, path: %s/a.npz}", scratch)), PXR_TRAIN, 20);
        entries[2] = small("masks.npy", "'|u1'", "(2, 2, 2)", 8, 30);
        pack_zip(in_scratch("a.npz"), false, entries);
        expect_words(OPEN("{set: npz, path: %s/a.npz}", scratch),
                     "several may be the images: names, faces, masks");
        expect_first(sound(OPEN("{set: npz, path: %s/a.npz, key: masks}", scratch)), PXR_TRAIN, 30);
        refused_at(OPEN("{key: mask, set: npz, path: %s/a.npz}", scratch), 7,
                   "contains no array 'mask', but: names, faces, masks");
}
END_TEST

START_TEST(a_key_that_differs_only_in_case_is_another_array)
{
        const struct packed entries[] = { small("X.npy", "'|u1'", "(2, 2, 2)", 8, 20),
                                          small("x.npy", "'|u1'", "(2, 2, 2)", 8, 30),
                                          { NULL, NULL, 0 } };

        pack_zip(in_scratch("a.npz"), false, entries);
        expect_first(sound(OPEN("{set: npz, path: %s/a.npz, key: x}", scratch)), PXR_TRAIN, 30);
        expect_first(sound(OPEN("{set: npz, path: %s/a.npz, key: X}", scratch)), PXR_TRAIN, 20);
}
END_TEST

START_TEST(any_of_many_arrays_is_found)
{
        struct packed entries[101] = { 0 };
        char names[100][16];

        for (int i = 0; i < 100; i++) {
                snprintf(names[i], sizeof names[i], "arr_%d.npy", i);
                entries[i] = small(names[i], "'|u1'", "(2, 2, 2)", 8, i);
        }
        pack_zip(in_scratch("a.npz"), false, entries);
        expect_first(sound(OPEN("{set: npz, path: %s/a.npz, key: arr_99}", scratch)), PXR_TRAIN,
                     99);
        expect_words(OPEN("{set: npz, path: %s/a.npz}", scratch), "arr_19 and 80 more");
}
END_TEST

/* As Keras and MedMNIST have them. */
START_TEST(a_file_may_hold_several_splits_with_labels)
{
        static const char *const names[][4] = {
                { "x_test.npy", "x_train.npy", "y_train.npy", "y_test.npy" },
                { "test_images.npy", "train_images.npy", "train_labels.npy", "test_labels.npy" },
        };

        for (int i = 0; i < 2; i++) {
                struct packed entries[] = { small(names[i][0], "'|u1'", "(1, 2, 2)", 4, 9),
                                            small(names[i][1], "'|u1'", "(3, 2, 2)", 12, 1),
                                            small(names[i][2], "'<i4'", "(3, 1)", 12, 0),
                                            small(names[i][3], "'|u1'", "(1,)", 1, 5),
                                            { NULL, NULL, 0 } };
                struct pxr_dataset *set;

                memset((uint8_t *)entries[2].bytes + HEAD, 0, 12);
                ((uint8_t *)entries[2].bytes)[HEAD + 4] = 7;
                pack_zip(in_scratch("a.npz"), false, entries);
                set = sound(OPEN("{set: npz, path: %s/a.npz, labels: true, valid: 1}", scratch));
                ck_assert_int_eq(set->count[PXR_TRAIN], 2);
                expect_first(set, PXR_TRAIN, 1);
                expect_first(set, PXR_VALID, 3);
                expect_first(set, PXR_TEST, 9);
                ck_assert_int_eq(set->labels[PXR_TRAIN][1], 7);
                ck_assert_int_eq(set->labels[PXR_VALID][0], 0);
                ck_assert_int_eq(set->labels[PXR_TEST][0], 5);
                ck_assert_int_eq(set->classes, 8);
                ck_assert_ptr_null(set->files->next);
                set = sound(OPEN("{set: npz, path: %s/a.npz, labels: true, key: %.*s}", scratch,
                                 (int)strlen(names[i][1]) - 4, names[i][1]));
                ck_assert_int_eq(set->labels[PXR_TRAIN][1], 7);
        }
}
END_TEST

START_TEST(labels_that_do_not_fit_the_images_are_refused)
{
        static const struct {
                const char *descr, *shape, *message;
                int bytes;
        } labels[] = {
                { "'<f4'", "(2,)", "expected a whole number for each of the 2 images, got", 8 },
                { "'<i8'", "(3,)", "dtype '<i8' and shape (3,)", 24 },
                { "'|u1'", "(2, 10)", "dtype '|u1' and shape (2, 10)", 20 },
                { "'|i1'", "(2,)", "label -56 of image 1 is out of range", 2 },
                { "'>u4'", "(2,)", "is out of range, 0 to 65535", 8 },
                { "'<u2'", "(2,)", "y.npy: byte 131: unexpected end of data in the numbers", 3 },
        };
        struct packed entries[] = { small("x.npy", "'|u1'", "(2, 2, 2)", 8, 1),
                                    { NULL, NULL, 0 },
                                    { NULL, NULL, 0 } };

        pack_zip(in_scratch("a.npz"), false, entries);
        refused_at(OPEN("{labels: true, set: npz, path: %s/a.npz}", scratch), 10,
                   "requires an array of labels ('labels' or 'y') beside 'x'");
        for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
                entries[1] = small("y.npy", labels[i].descr, labels[i].shape, labels[i].bytes, 200);
                pack_zip(in_scratch("a.npz"), false, entries);
                refused(OPEN("{set: npz, path: %s/a.npz, labels: true, key: x}", scratch),
                        labels[i].message);
                sound(OPEN("{set: npz, path: %s/a.npz, key: x}", scratch));
        }
}
END_TEST

START_TEST(single_arrays_are_read)
{
        struct packed images = small("a.npy", "'|u1'", "(3, 2, 2)", 12, 1);
        struct pxr_dataset *set;

        write_file(in_scratch("a.npy"), images.bytes, images.size);
        set = sound(OPEN("{set: npz, path: %s/a.npy, valid: 1}", scratch));
        expect_first(set, PXR_TRAIN, 1);
        expect_first(set, PXR_VALID, 3);
        refused_at(OPEN("{key: x, set: npz, path: %s/a.npy}", scratch), 7, "without a key");
        write_file(in_scratch("train.npy"), images.bytes, images.size);
        write_file(in_scratch("test.npy"), images.bytes, images.size);
        set = sound(OPEN("{set: npz, path: %s}", scratch));
        ck_assert_int_eq(set->count[PXR_TRAIN] + set->count[PXR_TEST], 6);
        write_file(in_scratch("a.npy"), images.bytes, images.size - 1);
        refused(OPEN("{set: npz, path: %s/a.npy}", scratch), "unexpected end of data in image 3");
        write_head((uint8_t *)images.bytes, "'<f4'", "False", "(3, 2, 2)");
        write_file(in_scratch("a.npy"), images.bytes, images.size);
        expect_words(OPEN("{set: npz, path: %s/a.npy}", scratch), "a.npy')).astype('uint8'))");
}
END_TEST

/* Files that people have, by their first bytes whatever their names. */
START_TEST(other_kinds_of_files_are_recognized)
{
        static const struct {
                const char *bytes;
                int size;
                const char *words;
        } files[] = {
                { "PAR1\25\4\25", 7, "a.npz: cannot be read here: it is a Parquet file" },
                { "PAR1\25\4\25", 7, "pyarrow.parquet.read_table" },
                { "\x80\2}q\1(U\13batch_label", 18, "it is a Python pickle" },
                { "\x80\4\x95\1\0", 5, "'pxr-data fetch cifar10'" },
                { "\x89HDF\r\n\x1a\n", 8, "it is an HDF5 file" },
                { "\12\0\0\0\0\0\0\0\xae\xa3\xbf\x3a", 12, "it is a TFRecord file" },
                { "\xff\xd8\xff\xe0", 4, "it is a JPEG picture" },
                { "\x1f\x8b\10", 3, "it is a gzip file" },
        };

        for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
                write_file(in_scratch("a.npz"), files[i].bytes, (size_t)files[i].size);
                expect_words(OPEN("{set: npz, path: %s/a.npz}", scratch), files[i].words);
        }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("npz");

        ADD_SCRATCH_TEST(suite, numbered_files_are_read_in_the_order_of_their_numbers);
        ADD_SCRATCH_TEST(suite, one_file_is_split_by_option);
        ADD_SCRATCH_TEST(suite, the_content_does_not_depend_on_the_validation_split);
        ADD_SCRATCH_TEST(suite, pixels_read_from_a_file_are_the_same_as_in_memory);
        ADD_SCRATCH_TEST(suite, a_temporary_file_that_would_fill_the_disk_is_refused);
        ADD_SCRATCH_TEST(suite, a_temporary_file_that_cannot_be_created_is_an_error_of_the_system);
        ADD_SCRATCH_TEST(suite, invalid_arrays_are_refused);
        ADD_SCRATCH_TEST(suite, unambiguous_shapes_need_no_layout);
        ADD_SCRATCH_TEST(suite, the_layout_option_decides_an_ambiguous_shape);
        ADD_SCRATCH_TEST(suite, an_ambiguous_layout_is_refused);
        ADD_SCRATCH_TEST(suite, the_layout_of_imagenet_is_known);
        ADD_SCRATCH_TEST(suite, a_layout_that_does_not_fit_is_refused);
        ADD_SCRATCH_TEST(suite, other_types_and_keys_say_how_to_convert_them);
        ADD_SCRATCH_TEST(suite, levels_are_spread_over_the_bytes);
        ADD_SCRATCH_TEST(suite, headers_of_every_version_are_read);
        ADD_SCRATCH_TEST(suite, damaged_archives_are_refused);
        ADD_SCRATCH_TEST(suite, files_of_another_size_are_named);
        ADD_SCRATCH_TEST(suite, the_images_may_have_any_key);
        ADD_SCRATCH_TEST(suite, a_key_that_differs_only_in_case_is_another_array);
        ADD_SCRATCH_TEST(suite, any_of_many_arrays_is_found);
        ADD_SCRATCH_TEST(suite, a_file_may_hold_several_splits_with_labels);
        ADD_SCRATCH_TEST(suite, labels_that_do_not_fit_the_images_are_refused);
        ADD_SCRATCH_TEST(suite, single_arrays_are_read);
        ADD_SCRATCH_TEST(suite, other_kinds_of_files_are_recognized);
        return run_suite(suite);
}
