/* SPDX-License-Identifier: MIT */
/*
 * check_codec_file.c - the file of compressed images: written files are read, all others are
 * refused.
 */
#define _GNU_SOURCE /* nftw() */
#include <sys/stat.h>

#include "codec/codec_file.h"
#include "scratch.h"

#define HASH(digit) digit digit digit digit digit digit digit digit
#define A_HASH HASH("0123abcd")
#define OTHER_HASH HASH("4567cdef")

static const char *const names[] = { "a.png", "b c.png", "\xc3\xa9.png" };

/* Three images in two streams of 150 bytes and none, as no model would have them. */
static struct pxr_codec_file file_of(void)
{
        static uint8_t bytes[150];
        static struct pxr_stream_bytes streams[] = { { bytes, sizeof(bytes) }, { NULL, 0 } };

        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (uint8_t)(i * i);
        return (struct pxr_codec_file) {
                .run = "tiny",
                .uid = "01234567",
                .step = 12,
                .certificate = A_HASH,
                .parameters = OTHER_HASH,
                .rows = 12,
                .cols = 11,
                .colours = 3,
                .levels = 256,
                .program = "pxr",
                .numerics = "x86-64",
                .images = 3,
                .images_per_stream = 16,
                .pixels = A_HASH,
                .nats = 1234.5,
                .names = names,
                .streams = { .count = 1, .stream = streams },
        };
}

static char *write_one(struct pxr_codec_file *file)
{
        char *path = in_scratch("a.pxr");

        unlink(path);
        OK(pxr_codec_file_write(path, false, file, diag));
        return path;
}

START_TEST(a_written_file_reads_back_the_same)
{
        struct pxr_codec_file file = file_of(), *got;
        struct stat status;

        got = pxr_codec_file_read(arena, write_one(&file), diag);
        ck_assert_ptr_nonnull(got);
        ck_assert_int_eq(stat(in_scratch("a.pxr"), &status), 0);
        ck_assert_int_eq(status.st_size, (off_t)got->size);
        ck_assert_int_eq(files_in_scratch(), 1);
        ck_assert_str_eq(got->run, file.run);
        ck_assert_str_eq(got->uid, file.uid);
        ck_assert_int_eq(got->step, file.step);
        ck_assert_str_eq(got->certificate, file.certificate);
        ck_assert_str_eq(got->parameters, file.parameters);
        ck_assert_int_eq(got->rows, 12);
        ck_assert_int_eq(got->cols, 11);
        ck_assert_int_eq(got->colours, 3);
        ck_assert_int_eq(got->levels, 256);
        ck_assert_str_eq(got->program, file.program);
        ck_assert_str_eq(got->numerics, file.numerics);
        ck_assert_int_eq(got->images, 3);
        ck_assert_int_eq(got->images_per_stream, 16);
        ck_assert_str_eq(got->pixels, file.pixels);
        ck_assert_double_eq(got->nats, file.nats);
        for (int i = 0; i < 3; i++)
                ck_assert_str_eq(pxr_codec_file_names(arena, got)[i], names[i]);
        ck_assert_int_eq(got->streams.count, 1);
        ck_assert_uint_eq(got->streams.stream[0].size, 150);
        ck_assert_mem_eq(got->streams.stream[0].bytes, file.streams.stream[0].bytes, 150);
        ck_assert_uint_eq(got->payload, 152);
}
END_TEST

/* As many digits each as the largest has, of images up to class 12. */
START_TEST(the_classes_of_images_are_kept)
{
        static const int32_t classes[] = { 3, 12, 0 };
        struct pxr_codec_file file = file_of(), *got;

        got = pxr_codec_file_read(arena, write_one(&file), diag);
        ck_assert_ptr_nonnull(got);
        ck_assert_ptr_null(got->classes);
        file.classes = classes;
        got = pxr_codec_file_read(arena, write_one(&file), diag);
        ck_assert_ptr_nonnull(got);
        ck_assert_mem_eq(got->classes, classes, sizeof(classes));
}
END_TEST

START_TEST(images_of_a_split_keep_their_numbers)
{
        struct pxr_codec_file file = file_of(), *got;

        file.images = 17;
        file.streams.count = 2;
        file.names = NULL;
        file.split = "test";
        file.first = 98;
        file.data = OTHER_HASH;
        got = pxr_codec_file_read(arena, write_one(&file), diag);
        ck_assert_ptr_nonnull(got);
        ck_assert_str_eq(got->split, "test");
        ck_assert_int_eq(got->first, 98);
        ck_assert_str_eq(got->data, OTHER_HASH);
        ck_assert_int_eq(got->streams.count, 2);
        ck_assert_uint_eq(got->streams.stream[1].size, 0);
        ck_assert_str_eq(pxr_codec_file_names(arena, got)[0], "0000098.png");
        ck_assert_str_eq(pxr_codec_file_names(arena, got)[16], "0000114.png");
}
END_TEST

START_TEST(an_existing_file_is_not_overwritten)
{
        struct pxr_codec_file file = file_of();
        const char *path = in_scratch("a.pxr");
        size_t size;

        write_file(path, "mine", 4);
        ck_assert_int_eq(pxr_codec_file_write(path, false, &file, diag), -1);
        expect_error(PXR_FAULT_USER, "a.pxr: already exists");
        ck_assert_mem_eq(file_bytes(path, &size), "mine", 4);
        ck_assert_int_eq(pxr_codec_file_write(in_scratch("no/a.pxr"), false, &file, diag), -1);
        expect_error(PXR_FAULT_SYSTEM, "no/a.pxr");
        ck_assert_int_eq(files_in_scratch(), 1);
}
END_TEST

START_TEST(an_unreadable_file_is_never_written)
{
        struct pxr_codec_file file = file_of();

        file.nats = 0;
        ck_assert_int_eq(pxr_codec_file_write(in_scratch("a.pxr"), false, &file, diag), -1);
        expect_error(PXR_FAULT_USER, "NLL is 0 nats");
        ck_assert_int_eq(files_in_scratch(), 0);
}
END_TEST

/* --- damage ------------------------------------------------------------------------------------
 */

static void expect_refused(const void *bytes, size_t size, const char *text)
{
        const char *path = in_scratch("b.pxr");

        write_file(path, bytes, size);
        ck_assert_ptr_null(pxr_codec_file_read(arena, path, diag));
        expect_error(PXR_FAULT_USER, text);
}

START_TEST(every_truncation_is_refused)
{
        struct pxr_codec_file file = file_of();
        size_t size;
        unsigned char *bytes = file_bytes(write_one(&file), &size);

        for (size_t cut = 0; cut < size; cut++)
                expect_refused(bytes, cut,
                               cut < 12 ? "not a pxr-codec file" : "damaged: truncated or altered");
        expect_refused(bytes, size + 1, "damaged: truncated or altered"); /* with a NUL */
}
END_TEST

START_TEST(a_change_of_any_byte_is_refused)
{
        struct pxr_codec_file file = file_of();
        size_t size;
        unsigned char *bytes = file_bytes(write_one(&file), &size);

        for (size_t i = 0; i < size; i++)
                for (int bit = 0; bit < 8; bit += 3) {
                        bytes[i] ^= 1 << bit;
                        expect_refused(bytes, size,
                                       i < 10    ? "not a pxr-codec file"
                                       : i == 10 ? "another version"
                                       : i == 11 ? ""
                                                 : "damaged: truncated or altered");
                        bytes[i] ^= 1 << bit;
                }
}
END_TEST

START_TEST(a_missing_file_a_folder_and_a_pipe_are_refused)
{
        ck_assert_ptr_null(pxr_codec_file_read(arena, in_scratch("none"), diag));
        expect_error(PXR_FAULT_USER, "none: No such file");
        ck_assert_ptr_null(pxr_codec_file_read(arena, scratch, diag));
        expect_error(PXR_FAULT_USER, ": is a folder, not a file");
        ck_assert_int_eq(mkfifo(in_scratch("pipe"), 0600), 0);
        ck_assert_ptr_null(pxr_codec_file_read(arena, in_scratch("pipe"), diag));
        expect_error(PXR_FAULT_USER, "pipe: is a device or pipe, not a file");
}
END_TEST

/* --- malice ------------------------------------------------------------------------------------
 */

/* A file with another text in place of `from`, and the SHA-256 that goes with it. */
static void expect_forgery_refused(const char *from, const char *to, const char *text)
{
        struct pxr_codec_file file = file_of();
        unsigned char forged[4096];
        struct sha256_ctx hash;
        size_t size, at = 0, rest, length = strlen(from), new_length = strlen(to);
        unsigned char *bytes = file_bytes(write_one(&file), &size);

        while (at + length < size && memcmp(bytes + at, from, length) != 0)
                at++;
        ck_assert_msg(at + length < size, "'%s' is not in the file", from);
        rest = size - 32 - at - length;
        memcpy(forged, bytes, at);
        memcpy(forged + at, to, new_length);
        memcpy(forged + at + new_length, bytes + at + length, rest);
        sha256_init(&hash);
        sha256_update(&hash, at + new_length + rest, forged);
        sha256_digest(&hash, 32, forged + at + new_length + rest);
        expect_refused(forged, at + new_length + rest + 32, text);
}

START_TEST(forged_headers_are_refused)
{
        static const char *const forgeries[][2] = {
                { "{\"model\"", "\"model\"" },
                { "{\"model\"", "[\"model\"" },
                { "\"model\"", "\"modal\"" },
                { "\"run\":\"tiny\"", "\"run\":4" },
                { "\"run\":\"tiny\"", "\"run\":\"t\\nx\"" },
                { "\"run\":\"tiny\"", "\"run\":\"t\",\"run\":\"u\"" },
                { "\"step\":12", "\"step\":\"12\"" },
                { "\"certificate\":\"0123", "\"certificate\":\"012" },
                { "\"parameters\":\"4567", "\"parameters\":\"X567" },
                { "[12,11,3,256]", "[12,11,2,256]" },
                { "[12,11,3,256]", "[12,11,3,257]" },
                { "[12,11,3,256]", "[0,11,3,256]" },
                { "[12,11,3,256]", "[12,-11,3,256]" },
                { "[12,11,3,256]", "[12,2000000000,3,256]" },
                { "[12,11,3,256]", "[12,11,3]" },
                { "\"count\":3", "\"count\":0" },
                { "\"count\":3", "\"count\":-3" },
                { "\"count\":3", "\"count\":2" },
                { "\"count\":3", "\"count\":4" },
                { "\"count\":3", "\"count\":9223372036854775807" },
                { "\"count\":3", "\"count\":40000000000" },
                { "\"per_stream\":16", "\"per_stream\":0" },
                { "\"per_stream\":16", "\"per_stream\":-16" },
                { "\"per_stream\":16", "\"per_stream\":17" },
                { "\"per_stream\":16", "\"per_stream\":1600000000" },
                { "\"per_stream\":16", "\"per_stream\":131072" },
                { "\"nats\":1234.5", "\"nats\":1234.5,\"classes\":\"\"" },
                { "\"nats\":1234.5", "\"nats\":1234.5,\"classes\":\"0123\"" },
                { "\"nats\":1234.5", "\"nats\":1234.5,\"classes\":\"01-\"" },
                { "\"nats\":1234.5", "\"nats\":1234.5,\"classes\":[0,1,2]" },
                { "\"nats\":1234.5", "\"nats\":0.0" },
                { "\"nats\":1234.5", "\"nats\":-1.5" },
                { "\"nats\":1234.5", "\"nats\":1e308" },
                { "\"a.png\"", "\"../a.png\"" },
                { "\"a.png\"", "\"/a.png\"" },
                { "\"a.png\"", "\".a.png\"" },
                { "\"a.png\"", "\".png\"" },
                { "\"a.png\"", "\"a.sh\"" },
                { "\"a.png\"", "\"\\u001b.png\"" },
                { "\"a.png\"", "\"a\\n.png\"" },
                { "\"a.png\"", "7" },
                { "{\"names\":", "{\"nomes\":" },
                { "{\"names\":[\"a.png\",\"b c.png\",\"\xc3\xa9.png\"]}", "{}" },
                { "{\"names\":[\"a.png\",\"b c.png\",\"\xc3\xa9.png\"]}",
                  "{\"split\":\"test\",\"first\":-1,\"data\":\"" A_HASH "\"}" },
                { "{\"names\":[\"a.png\",\"b c.png\",\"\xc3\xa9.png\"]}",
                  "{\"split\":\"test\",\"first\":1,\"data\":\"x\"}" },
                { "}}\n\x96\x01", "}}\n\x97\x01" },
                { "}}\n\x96\x01", "}}\n\x95\x01" },
                { "}}\n\x96\x01", "}}\n\xff\xff\xff\xff\xff\xff" },
                { "}}\n", "}}" },
        };
        const size_t count = sizeof(forgeries) / sizeof(forgeries[0]);

        for (size_t i = 0; i < count; i++)
                expect_forgery_refused(forgeries[i][0], forgeries[i][1], "invalid pxr-codec file");
}
END_TEST

START_TEST(only_plain_names_of_png_files_are_accepted)
{
        ck_assert(pxr_codec_name_fits("a.png"));
        ck_assert(pxr_codec_name_fits("a b.c.png"));
        ck_assert(!pxr_codec_name_fits(""));
        ck_assert(!pxr_codec_name_fits("a.jpg"));
        ck_assert(!pxr_codec_name_fits("a/b.png"));
        ck_assert(!pxr_codec_name_fits("\xff.png"));
        ck_assert(!pxr_codec_name_fits("\r.png"));
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("codec_file");

        ADD_SCRATCH_TEST(suite, a_written_file_reads_back_the_same);
        ADD_SCRATCH_TEST(suite, the_classes_of_images_are_kept);
        ADD_SCRATCH_TEST(suite, images_of_a_split_keep_their_numbers);
        ADD_SCRATCH_TEST(suite, an_existing_file_is_not_overwritten);
        ADD_SCRATCH_TEST(suite, an_unreadable_file_is_never_written);
        ADD_SCRATCH_TEST(suite, every_truncation_is_refused);
        ADD_SCRATCH_TEST(suite, a_change_of_any_byte_is_refused);
        ADD_SCRATCH_TEST(suite, a_missing_file_a_folder_and_a_pipe_are_refused);
        ADD_SCRATCH_TEST(suite, forged_headers_are_refused);
        ADD_SCRATCH_TEST(suite, only_plain_names_of_png_files_are_accepted);
        return run_suite(suite);
}
