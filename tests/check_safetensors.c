/* SPDX-License-Identifier: MIT */
/* check_safetensors.c - files of named arrays: what is written, and everything that is refused. */
#define _GNU_SOURCE /* nftw() */
#include <jansson.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "scratch.h"
#include "record/safetensors.h"

static const float weights[6] = { 1, 2, 3, 4, 5, -6.5f };

static struct pxr_safetensors everything(void)
{
        static struct pxr_array array[] = {
                { "a.column", 1, { 5 }, weights },          { "b.weights", 2, { 2, 3 }, weights },
                { "c.block", 3, { 1, 3, 1 }, weights + 1 }, { "d.scalar", 0, { 0 }, weights + 5 },
                { "e.empty", 2, { 4, 0 }, weights },
        };
        static struct pxr_text text[] = { { "step", "12" }, { "name", "\"Sätze\"\n" } };

        return (struct pxr_safetensors) { NULL, array, 5, text, 2 };
}

static void expect_everything(const struct pxr_safetensors *file)
{
        struct pxr_safetensors all = everything();

        ck_assert_msg(file != NULL, "%s", pxr_diag_text(diag, 0));
        ck_assert_int_eq(file->arrays, all.arrays);
        ck_assert_int_eq(file->texts, all.texts);
        for (int i = 0; i < all.arrays; i++) {
                const struct pxr_array *want = &all.array[i];
                const struct pxr_array *got = pxr_safetensors_array(file, want->name);

                ck_assert_ptr_nonnull(got);
                ck_assert_int_eq(got->rank, want->rank);
                for (int k = 0; k < want->rank; k++)
                        ck_assert_int_eq(got->shape[k], want->shape[k]);
                ck_assert_mem_eq(got->data, want->data, pxr_array_size(want) * sizeof(float));
                ck_assert_uint_eq((uintptr_t)got->data % sizeof(float), 0);
        }
        for (int i = 0; i < all.texts; i++)
                ck_assert_str_eq(pxr_safetensors_text(file, all.text[i].key), all.text[i].value);
        ck_assert_ptr_null(pxr_safetensors_array(file, "b"));
        ck_assert_ptr_null(pxr_safetensors_text(file, "b.weights"));
}

START_TEST(arrays_and_texts_read_back_the_same)
{
        struct pxr_safetensors all = everything();
        char *path = in_scratch("a.safetensors");

        OK(pxr_safetensors_write(path, &all, diag));
        expect_everything(pxr_safetensors_read(arena, path, diag));
        ck_assert_int_eq(files_in_scratch(), 1);
}
END_TEST

START_TEST(order_of_arrays_does_not_change_the_file)
{
        struct pxr_safetensors all = everything(), other = all;
        struct pxr_array reversed[5];
        struct pxr_text swapped[2] = { all.text[1], all.text[0] };
        size_t size[2];
        unsigned char *file[2];

        for (int i = 0; i < 5; i++)
                reversed[i] = all.array[4 - i];
        other.array = reversed;
        other.text = swapped;
        OK(pxr_safetensors_write(in_scratch("a"), &all, diag));
        OK(pxr_safetensors_write(in_scratch("b"), &other, diag));
        for (int i = 0; i < 2; i++)
                file[i] = file_bytes(in_scratch(i ? "b" : "a"), &size[i]);
        ck_assert_uint_eq(size[0], size[1]);
        ck_assert_mem_eq(file[0], file[1], size[0]);
}
END_TEST

/* Read as another program would, from the format's description alone. */
START_TEST(a_file_follows_the_format_byte_by_byte)
{
        struct pxr_safetensors all = everything();
        char *path = in_scratch("a.safetensors");
        unsigned char *file;
        size_t size, header = 0;
        json_t *json;
        json_int_t begin, end;
        const char *dtype;

        OK(pxr_safetensors_write(path, &all, diag));
        file = file_bytes(path, &size);
        for (int i = 7; i >= 0; i--)
                header = header << 8 | file[i];
        ck_assert_uint_eq((header + 8) % 8, 0);
        json = json_loadb((char *)file + 8, header, 0, NULL);
        ck_assert_int_eq(json_unpack(json, "{s:{s:s, s:[I, I]}}", "b.weights", "dtype", &dtype,
                                     "data_offsets", &begin, &end),
                         0);
        ck_assert_str_eq(dtype, "F32");
        ck_assert_int_eq(end - begin, sizeof(weights));
        ck_assert_mem_eq(file + 8 + header + begin, weights, sizeof(weights));
        ck_assert_uint_eq(size, 8 + header + (5 + 6 + 3 + 1) * sizeof(float));
        json_decref(json);
}
END_TEST

START_TEST(a_failed_write_leaves_only_the_old_file)
{
        struct pxr_safetensors all = everything();
        static const float large[65536];
        struct pxr_array array = { "large", 1, { 65536 }, large };
        struct pxr_safetensors other = { NULL, &array, 1, NULL, 0 };
        char *path = in_scratch("a.safetensors");
        struct rlimit old, small;

        OK(pxr_safetensors_write(path, &all, diag));
        ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
        small = old;
        small.rlim_cur = 50000;
        signal(SIGXFSZ, SIG_IGN);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
        ck_assert_int_eq(pxr_safetensors_write(path, &other, diag), -1);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
        signal(SIGXFSZ, SIG_DFL);
        expect_error(PXR_FAULT_SYSTEM, "a.safetensors: File too large");
        ck_assert_int_eq(files_in_scratch(), 1);
        expect_everything(pxr_safetensors_read(arena, path, diag));
        OK(pxr_safetensors_write(path, &other, diag));
        ck_assert_ptr_nonnull(
                pxr_safetensors_array(pxr_safetensors_read(arena, path, diag), "large"));
}
END_TEST

START_TEST(write_errors_name_the_file)
{
        struct pxr_safetensors all = everything();

        ck_assert_int_eq(pxr_safetensors_write(in_scratch("no/a"), &all, diag), -1);
        expect_error(PXR_FAULT_SYSTEM, "no/a");
        ck_assert_int_eq(mkdir(in_scratch("folder"), 0777), 0);
        ck_assert_int_eq(pxr_safetensors_write(in_scratch("folder"), &all, diag), -1);
        expect_error(PXR_FAULT_SYSTEM, "folder: Is a directory");
        ck_assert_int_eq(files_in_scratch(), 1);
}
END_TEST

START_TEST(names_that_the_format_cannot_hold_are_refused)
{
        struct pxr_array array[2] = { { "a", 1, { 1 }, weights }, { "a", 1, { 1 }, weights } };
        struct pxr_text text[2] = { { "k", "1" }, { "k", "2" } };
        struct pxr_safetensors file = { NULL, array, 2, text, 1 };
        static const struct {
                const char *name, *error;
        } names[] = { { "a", "'a' is there twice" },
                      { "__metadata__", "'__metadata__' is there twice" },
                      { "\xff", "is not UTF-8" } };

        for (int i = 0; i < 3; i++) {
                array[0].name = "a";
                array[1].name = names[i].name;
                ck_assert_int_eq(pxr_safetensors_write(in_scratch("a"), &file, diag), -1);
                expect_error(PXR_FAULT_USER, names[i].error);
        }
        array[0].name = "a";
        array[1].name = "b";
        file.texts = 2;
        ck_assert_int_eq(pxr_safetensors_write(in_scratch("a"), &file, diag), -1);
        expect_error(PXR_FAULT_USER, "'k' is there twice");
        ck_assert_int_eq(files_in_scratch(), 0);
}
END_TEST

/* --- files that others wrote -------------------------------------------------------------------
 */

/* Write a file of this header and `data` zero bytes, and read it. */
static struct pxr_safetensors *read_made(const char *header, size_t data)
{
        size_t length = strlen(header), size = 8 + length + data;
        unsigned char *file = pxr_alloc(arena, size);
        char *path = in_scratch("made.safetensors");

        ck_assert_ptr_nonnull(file);
        for (int i = 0; i < 8; i++)
                file[i] = (unsigned char)((uint64_t)length >> (8 * i));
        memcpy(file + 8, header, length);
        write_file(path, file, size);
        return pxr_safetensors_read(arena, path, diag);
}

#define F32(name, shape, begin, end)                                                             \
        "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end \
        "]}"

START_TEST(invalid_headers_are_refused)
{
        static const struct {
                const char *header;
                size_t data;
                const char *error;
        } wrong[] = {
                { "", 0, "not a JSON object" },
                { "[]", 0, "not a JSON object" },
                { "{", 0, "not a JSON object" },
                { "{}", 4, "data that belong to no array" },
                { "{\"a\":1}", 0, "'a' lacks" },
                { "{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}", 0, "'a' lacks" },
                { "{\"a\":{\"dtype\":\"F32\",\"shape\":3,\"data_offsets\":[0,4]}}", 4,
                  "'a' lacks" },
                { "{\"a\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[0,2]}}", 2,
                  "'a' is of dtype 'BF16'" },
                { "{" F32("a", "[1,1,1,1,1,1,1,1,1]", 0, 4) "}", 4, "'a' has 9 dimensions" },
                { "{" F32("a", "[-1]", 0, 4) "}", 4, "'a' has an invalid shape" },
                { "{" F32("a", "[1.5]", 0, 4) "}", 4, "'a' has an invalid shape" },
                { "{" F32("a", "[4294967296,4294967296]", 0, 0) "}", 0,
                  "'a' has an invalid shape" },
                { "{" F32("a", "[4611686018427387904]", 0, 0) "}", 0, "'a' has data_offsets that" },
                { "{" F32("a", "[1]", 0, 5) "}", 5, "'a' has data_offsets that" },
                { "{" F32("a", "[2]", 0, 4) "}", 4, "'a' has data_offsets that" },
                { "{" F32("a", "[2]", 0, 8) "}", 7, "'a' has data_offsets that" },
                { "{" F32("a", "[1]", -4, 0) "}", 4, "'a' has data_offsets that" },
                { "{" F32("a", "[0]", 4, 0) "}", 4, "'a' has data_offsets that" },
                { "{" F32("a", "[1]", 4, 8) "}", 8, "data that belong to no array, before 'a'" },
                { "{" F32("a", "[1]", 0, 4) "," F32("b", "[1]", 8, 12) "}", 12, "before 'b'" },
                { "{" F32("a", "[2]", 0, 8) "," F32("b", "[2]", 0, 8) "}", 16,
                  "'b' lies over another array" },
                { "{" F32("a", "[2]", 0, 8) "," F32("b", "[1]", 4, 8) "}", 8,
                  "'b' lies over another array" },
                { "{" F32("a", "[1]", 0, 4) "}", 8, "data that belong to no array" },
                { "{" F32("a", "[1]", 0, 4) "," F32("a", "[1]", 0, 4) "}", 4, "duplicate" },
                { "{\"__metadata__\":{\"a\":1}}", 0, "metadata" },
                { "{\"__metadata__\":[\"a\"]}", 0, "metadata" },
        };

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                ck_assert_msg(!read_made(wrong[i].header, wrong[i].data), "taken: %s",
                              wrong[i].header);
                ck_assert_ptr_nonnull(strstr(pxr_diag_text(diag, 0), "made.safetensors"));
                expect_error(PXR_FAULT_USER, wrong[i].error);
        }
}
END_TEST

/* A header of an opening brace and a character again and again. */
static void expect_header_refused(size_t length, char fill, const char *text)
{
        char *header = pxr_alloc(arena, length + 1);

        ck_assert_ptr_nonnull(header);
        memset(header, fill, length);
        header[0] = '{';
        ck_assert_ptr_null(read_made(header, 0));
        expect_error(PXR_FAULT_USER, text);
}

/* Three bytes of "{},{}," take 250 in memory. */
START_TEST(headers_with_huge_sizes_are_refused)
{
        expect_header_refused(17 << 20, ' ', "its header of 17.0 MB is larger than 16 MB");
        expect_header_refused(2 << 20, '{', "it has more than 1048576 values");
        expect_header_refused(1 << 20, '{', "not a JSON object: string or '}' expected");
}
END_TEST

/* A header of any length and arrays in any order are allowed; pointers are aligned all the same. */
START_TEST(unusual_but_valid_files_are_read)
{
        struct pxr_safetensors *file;

        for (int spaces = 0; spaces < 8; spaces++) {
                file = read_made(pxr_strf(arena,
                                          "{%s,\"u\":{\"dtype\":\"F32\",\"shape\":[3],"
                                          "\"data_offsets\":[0,12]}}%.*s",
                                          F32("f", "[2,1]", 12, 20), spaces, "        "),
                                 20);
                ck_assert_msg(file != NULL, "%s", pxr_diag_text(diag, 0));
                ck_assert_uint_eq((uintptr_t)pxr_safetensors_array(file, "f")->data % 4, 0);
        }
        ck_assert_ptr_nonnull(read_made("{}", 0));
        ck_assert_ptr_nonnull(read_made("{" F32("a", "[5,0,7]", 0, 0) "}", 0));
}
END_TEST

START_TEST(every_truncation_is_refused)
{
        struct pxr_safetensors all = everything();
        char *path = in_scratch("a.safetensors");
        unsigned char *file;
        size_t size;

        OK(pxr_safetensors_write(path, &all, diag));
        file = file_bytes(path, &size);
        for (size_t cut = 0; cut < size; cut++) {
                write_file(path, file, cut);
                ck_assert_msg(!pxr_safetensors_read(arena, path, diag),
                              "read with %zu of %zu bytes", cut, size);
                expect_error(PXR_FAULT_USER, "a.safetensors: ");
        }
}
END_TEST

/* Whatever a byte of the header becomes, what is read lies inside the file's bytes. */
START_TEST(damaged_headers_are_refused_or_read_safely)
{
        struct pxr_safetensors all = everything(), *read;
        char *path = in_scratch("a.safetensors");
        static const unsigned char damage[] = { 0, '9', '"', '}', '-', 0xff };
        unsigned char *file;
        size_t size, refused = 0;
        volatile unsigned sum = 0;

        OK(pxr_safetensors_write(path, &all, diag));
        file = file_bytes(path, &size);
        for (size_t at = 0; at < size - 80; at++) {
                unsigned char old = file[at];

                file[at] = damage[at % sizeof(damage)];
                write_file(path, file, size);
                file[at] = old;
                read = pxr_safetensors_read(arena, path, diag);
                refused += !read;
                pxr_diag_clear(diag);
                for (int i = 0; read && i < read->arrays; i++)
                        for (size_t k = 0; k < 4 * pxr_array_size(&read->array[i]); k++)
                                sum += ((const unsigned char *)read->array[i].data)[k];
        }
        ck_assert_uint_gt(refused, 100);
        (void)sum;
}
END_TEST

START_TEST(a_missing_file_a_folder_and_a_pipe_are_refused)
{
        ck_assert_ptr_null(pxr_safetensors_read(arena, in_scratch("absent"), diag));
        expect_error(PXR_FAULT_USER, "absent: No such file");
        ck_assert_ptr_null(pxr_safetensors_read(arena, scratch, diag));
        expect_error(PXR_FAULT_USER, ": is a folder, not a file");
        ck_assert_int_eq(mkfifo(in_scratch("pipe"), 0600), 0);
        ck_assert_ptr_null(pxr_safetensors_read(arena, in_scratch("pipe"), diag));
        expect_error(PXR_FAULT_USER, "pipe: is a device or pipe, not a file");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("safetensors");

        ADD_SCRATCH_TEST(suite, arrays_and_texts_read_back_the_same);
        ADD_SCRATCH_TEST(suite, order_of_arrays_does_not_change_the_file);
        ADD_SCRATCH_TEST(suite, a_file_follows_the_format_byte_by_byte);
        ADD_SCRATCH_TEST(suite, a_failed_write_leaves_only_the_old_file);
        ADD_SCRATCH_TEST(suite, write_errors_name_the_file);
        ADD_SCRATCH_TEST(suite, names_that_the_format_cannot_hold_are_refused);
        ADD_SCRATCH_TEST(suite, invalid_headers_are_refused);
        ADD_SCRATCH_TEST(suite, headers_with_huge_sizes_are_refused);
        ADD_SCRATCH_TEST(suite, unusual_but_valid_files_are_read);
        ADD_SCRATCH_TEST(suite, every_truncation_is_refused);
        ADD_SCRATCH_TEST(suite, damaged_headers_are_refused_or_read_safely);
        ADD_SCRATCH_TEST(suite, a_missing_file_a_folder_and_a_pipe_are_refused);
        return run_suite(suite);
}
