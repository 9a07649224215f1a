/* SPDX-License-Identifier: MIT */
/* check_official.c - verifying against official files, finding a set by its files, converting. */
#include "config.h"

#include <sys/stat.h>
#include <zlib.h>

#include "base/hash.h"
#include "data/convert.h"
#include "data/format.h"
#include "data/official.h"
#include "pictures.h"

/* --- verifying ---------------------------------------------------------------------------------*/

static char sums[4][PXR_SHA256_HEX];
static struct pxr_official_file files[] = { { "one.bin", 1000, sums[0] },
                                            { "two.bin.gz", 0, sums[1] },
                                            { 0 } };
static struct pxr_official_file unpacked[] = { { "two.bin", 2000, sums[2] }, { 0 } };
static const struct pxr_official official = { .files = files, .unpacked = unpacked };
static const struct pxr_data_format set_of_two = { .name = "two", .official = &official };
static char verdicts[4096];

static void take(void *context, const struct pxr_verified *file)
{
        const char *name = strrchr(file->path, '/') + 1;

        (void)context;
        snprintf(verdicts + strlen(verdicts), sizeof verdicts - strlen(verdicts), "%s %s: %s\n",
                 name, pxr_verdict_names[file->verdict], file->text);
}

/* The verdicts on a path, a line each. */
static const char *verdicts_on(const char *path, int failures)
{
        verdicts[0] = '\0';
        ck_assert_int_eq(pxr_verify(&set_of_two, path, NULL, take, NULL, diag), failures);
        return verdicts;
}

static void pack(const char *name, const void *bytes, size_t size, const char *mode)
{
        gzFile file = gzopen(in_scratch(name), mode);

        ck_assert_ptr_nonnull(file);
        ck_assert_int_eq(gzwrite(file, bytes, (unsigned)size), (int)size);
        ck_assert_int_eq(gzclose(file), Z_OK);
}

/* The official files. */
static uint8_t *put_official(void)
{
        uint8_t *bytes = pxr_alloc(arena, 2000), *packed;
        size_t size;

        for (int i = 0; i < 2000; i++)
                bytes[i] = (uint8_t)(i / 3);
        write_file(in_scratch("one.bin"), bytes, 1000);
        pack("two.bin.gz", bytes, 2000, "wb9");
        packed = file_bytes(in_scratch("two.bin.gz"), &size);
        pxr_sha256(bytes, 1000, sums[0]);
        pxr_sha256(packed, size, sums[1]);
        pxr_sha256(bytes, 2000, sums[2]);
        files[1].size = (int64_t)size;
        return bytes;
}

START_TEST(official_files_are_recognized)
{
        uint8_t *bytes = put_official(), *packed;
        size_t size;

        ck_assert_str_eq(verdicts_on(scratch, 0), "one.bin official: \ntwo.bin.gz official: \n");
        pack("two.bin.gz", bytes, 2000, "wb1");
        ck_assert_str_eq(
                verdicts_on(in_scratch("two.bin.gz"), 0),
                "two.bin.gz official: compressed differently, but with the official content\n");
        bytes[5] ^= 1;
        write_file(in_scratch("one.bin"), bytes, 1000);
        pack("two.bin.gz", bytes, 2000, "wb1");
        ck_assert_str_eq(verdicts_on(scratch, 2),
                         "one.bin damaged: the size is right, but the content differs\n"
                         "two.bin.gz damaged: the size is right, but the content differs\n");
        write_file(in_scratch("one.bin"), bytes, 900);
        pack("two.bin.gz", bytes, 1999, "wb1");
        ck_assert_str_eq(
                verdicts_on(scratch, 2),
                "one.bin not official: expected 1000 bytes, got 900\n"
                "two.bin.gz not official: expected 2000 bytes after decompression, got 1999\n");
        packed = file_bytes(in_scratch("two.bin.gz"), &size);
        write_file(in_scratch("two.bin.gz"), packed, size - 9);
        remove(in_scratch("one.bin"));
        verdicts_on(scratch, 2);
        ck_assert_ptr_nonnull(strstr(verdicts, "one.bin missing: \n"));
        ck_assert_ptr_nonnull(strstr(verdicts, "two.bin.gz damaged: byte "));
}
END_TEST

START_TEST(a_set_may_be_unpacked_or_packed_again)
{
        uint8_t *bytes = put_official();
        int all;

        ck_assert_int_eq(pxr_official_present(&set_of_two, scratch, &all), 2);
        ck_assert_int_eq(all, 2);
        remove(in_scratch("one.bin"));
        ck_assert_int_eq(pxr_official_present(&set_of_two, scratch, &all), 1);
        remove(in_scratch("two.bin.gz"));
        ck_assert_int_eq(pxr_official_present(&set_of_two, scratch, &all), 0);
        write_file(in_scratch("two.bin"), bytes, 2000);
        ck_assert_str_eq(verdicts_on(scratch, 0), "two.bin official: \n");
        ck_assert_int_eq(pxr_official_present(&set_of_two, scratch, &all), 1);
        ck_assert_int_eq(all, 1);
        remove(in_scratch("two.bin"));
        pack("one.bin.gz", bytes, 1000, "wb5");
        ck_assert_str_eq(
                verdicts_on(in_scratch("one.bin.gz"), 0),
                "one.bin.gz official: compressed differently, but with the official content\n");
}
END_TEST

START_TEST(a_set_without_official_sums_cannot_be_verified)
{
        ck_assert_int_eq(pxr_verify(&set_of_two, in_scratch("no"), NULL, take, NULL, diag), -1);
        expect_error(PXR_FAULT_USER, "no: No such file");
        write_file(in_scratch("three.bin"), "x", 1);
        ck_assert_int_eq(pxr_verify(&set_of_two, in_scratch("three.bin"), NULL, take, NULL, diag),
                         -1);
        expect_error(PXR_FAULT_USER, "two has no official file of this name");
        ck_assert_ptr_null(pxr_official_find("cifar", diag));
        expect_error(PXR_FAULT_USER, "unknown data set 'cifar'");
        ck_assert_ptr_null(pxr_official_find("npz", diag));
        expect_error(PXR_FAULT_USER, "npz: this data set has no official files");
        ck_assert_str_eq(pxr_official_find("cifar10", diag)->name, "cifar10");
}
END_TEST

static bool stop_at_once(void *context, const struct pxr_progress *progress)
{
        (void)context, (void)progress;
        return true;
}

START_TEST(verifying_can_be_stopped)
{
        const struct pxr_observer observer = { .progress = stop_at_once };

        put_official();
        verdicts[0] = '\0';
        ck_assert_int_eq(pxr_verify(&set_of_two, scratch, &observer, take, NULL, diag),
                         PXR_VERIFY_STOPPED);
        ck_assert_str_eq(verdicts, "");
}
END_TEST

START_TEST(official_digests_are_hexadecimal)
{
        for (int i = 0; pxr_data_formats[i]; i++)
                for (int form = 0; pxr_data_formats[i]->official && form < 2; form++) {
                        const struct pxr_official *known = pxr_data_formats[i]->official;
                        const struct pxr_official_file *file =
                                form ? known->unpacked : known->files;

                        for (; file && file->name; file++) {
                                ck_assert_uint_eq(strlen(file->sha256), 64);
                                ck_assert_uint_eq(strspn(file->sha256, "0123456789abcdef"), 64);
                                ck_assert_int_gt(file->size, 0);
                                ck_assert(pxr_official_sha256(file->sha256));
                        }
                }
        ck_assert(!pxr_official_sha256(
                "ad693b29f94c14277b095f5238ddefbbdaaae0939789dd2f4f0205278cee"));
}
END_TEST

START_TEST(real_files_are_official)
{
        const char *path = real_data("binarized_mnist");

        if (!path)
                return;
        verdicts[0] = '\0';
        ck_assert_int_eq(pxr_verify(pxr_official_find("binarized_mnist", diag), path, NULL, take,
                                    NULL, diag),
                         0);
        path = real_data("mnist");
        if (!path)
                return;
        ck_assert_int_eq(pxr_verify(pxr_official_find("mnist", diag),
                                    pxr_strf(arena, "%s/t10k-images-idx3-ubyte.gz", path), NULL,
                                    take, NULL, diag),
                         0);
}
END_TEST

/* --- finding a set -----------------------------------------------------------------------------*/

/* The mapping for a name, with overrides ended by NULL, in one line of YAML. */
static const char *mapping(const char *name, const char *const *overrides)
{
        size_t count = 0;
        struct pxr_yaml *data;
        char *text, *end;

        while (overrides && overrides[count])
                count++;
        data = pxr_data_mapping(arena, name, overrides, count, diag);
        if (!data)
                return NULL;
        text = pxr_yaml_emit(arena, data, diag);
        while ((end = strchr(text, '\n')))
                *end = *(end + 1) ? ' ' : '\0';
        return text;
}

static void expect_mapping(const char *name, const char *expected)
{
        const char *got = mapping(name, NULL);

        ck_assert_msg(got != NULL, "%s", got ? "" : pxr_diag_text(diag, 0));
        ck_assert_msg(strstr(got, expected), "'%s' is not in '%s'", expected, got);
        ck_assert_int_eq(pxr_diag_errors(diag), 0);
}

START_TEST(a_folder_shows_its_format)
{
        static const char *const signs[][2] = {
                { "binarized_mnist_test.amat.gz", "binarized_mnist" },
                { "t10k-images-idx3-ubyte", "mnist" },
                { "cifar-10-batches-bin", "cifar10" },
                { "cifar-10-binary.tar.gz", "cifar10" },
                { "test_batch.bin", "cifar10" },
                { "valid_64x64", "imagenet" },
                { "train", "png_folder" },
                { "some.npz", "npz" },
                { "some.PNG", "png_folder" },
                { "some.jpg", "png_folder" },
                { "some.parquet", "png_folder" },
                { "data_batch_1", "cifar10" },
                { "cifar-10-python.tar.gz", "cifar10" },
        };

        ck_assert_ptr_null(mapping(scratch, NULL));
        expect_error(PXR_FAULT_USER, "contains no data files of a known format");
        for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
                write_file(in_scratch(signs[i][0]), "x", 1);
                expect_mapping(scratch, pxr_strf(arena, "set: '%s'", signs[i][1]));
                remove(in_scratch(signs[i][0]));
        }
        make_folder("cats");
        expect_mapping(scratch, "set: 'png_folder'");
        write_file(in_scratch("t10k-images-idx3-ubyte"), "x", 1);
        ck_assert_ptr_nonnull(strstr(mapping(scratch, NULL), "test"));
        ck_assert_ptr_null(strstr(mapping(scratch, NULL), "train"));
}
END_TEST

START_TEST(files_specs_and_names_are_found)
{
        ck_assert_int_eq(chdir(scratch), 0);
        write_file("a.npz", "x", 1);
        expect_mapping("a.npz", "npz");
        write_file("a.npy", "x", 1);
        expect_mapping("a.npy", "npz");
        write_file("spec.yaml", "data: {set: markov_binary, rows: 4}\n", 36);
        expect_mapping("spec.yaml", "rows: 4");
        ck_assert_ptr_nonnull(
                strstr(mapping("spec.yaml", (const char *[]) { "rows=5", NULL }), "rows: 5"));
        expect_mapping("markov_rgb", "markov_rgb");
        expect_mapping("cifar10", "cifar10");
        ck_assert_ptr_nonnull(
                strstr(mapping("cifar10", (const char *[]) { "path=here", NULL }), "here"));
        ck_assert_ptr_null(mapping("./nowhere", NULL));
        expect_error(PXR_FAULT_USER, "./nowhere: no such file or folder");
        write_file("a.txt", "x", 1);
        ck_assert_ptr_null(mapping("a.txt", NULL));
        expect_error(PXR_FAULT_USER, "not a folder, a spec (.yaml) or a data file");
        ck_assert_ptr_null(mapping("markov_rgb", (const char *[]) { "rows", NULL }));
        expect_error(PXR_FAULT_USER, "invalid override 'rows': expected KEY=VALUE");
}
END_TEST

START_TEST(a_path_is_used_as_it_is_written)
{
        make_folder("- {a: *b}");
        put_picture("- {a: *b}/1.png", 1);
        sound(pxr_dataset_open(
                arena, pxr_data_mapping(arena, in_scratch("- {a: *b}"), NULL, 0, diag), 1, diag));
}
END_TEST

/* --- converting --------------------------------------------------------------------------------*/

START_TEST(every_level_has_its_own_byte)
{
        for (int levels = 2; levels <= 256; levels++) {
                int wrong = pxr_level_byte(levels - 1, levels) != 255;

                for (int level = 0; level < levels; level++)
                        wrong += pxr_byte_level(pxr_level_byte(level, levels), levels) != level;
                ck_assert_msg(wrong == 0, "%d of %d levels", wrong, levels);
        }
}
END_TEST

START_TEST(a_set_converted_to_png_is_the_same_set)
{
        struct pxr_dataset *set, *back;
        static const char *const sets[] = {
                "{set: markov_binary, train: 7, valid: 3, test: 2}",
                "{set: markov_rgb, levels: 7, train: 7, valid: 0, test: 2}",
        };

        for (int i = 0; i < 2; i++) {
                const char *folder = in_scratch(i ? "b" : "a");

                set = sound(OPEN("%s", sets[i]));
                OK(pxr_convert(set, PXR_TO_PNG, folder, NULL, diag));
                back = sound(OPEN("{set: png_folder, path: %s, levels: %d}", folder, set->levels));
                for (int split = 0; split < PXR_SPLITS; split++) {
                        ck_assert_int_eq(back->count[split], set->count[split]);
                        for (int j = 0; j < set->count[split]; j++) {
                                uint8_t a[4096], b[4096];
                                size_t size = (size_t)(set->rows * set->cols * set->colours);

                                read_one(set, split, 0, j, a);
                                read_one(back, split, 0, j, b);
                                ck_assert_mem_eq(a, b, size);
                        }
                }
        }
}
END_TEST

/* A spec without a path looks where 'pxr-data fetch' puts the files. */
START_TEST(every_set_with_files_has_a_default_folder)
{
        int sets = 0;

        for (int i = 0; pxr_data_formats[i]; i++)
                for (const struct pxr_option *row = pxr_data_formats[i]->options->rows; row->type;
                     row++)
                        if (strcmp(row->name, "path") == 0) {
                                ck_assert_str_eq(row->initial, pxr_strf(arena, "data/%s",
                                                                        pxr_data_formats[i]->name));
                                sets++;
                        }
        ck_assert_int_eq(sets, 6);
}
END_TEST

START_TEST(images_converted_to_npz_and_back_are_the_same)
{
        struct pxr_dataset *set, *back;

        make_folder("a");
        for (int i = 0; i < 5; i++)
                put_picture_of(pxr_strf(arena, "a/%d.png", i), i, 6, 4, 3);
        set = sound(OPEN("{set: png_folder, path: %s/a, valid: 2, memory: 0}", scratch));
        OK(pxr_convert(set, PXR_TO_NPZ, in_scratch("b"), NULL, diag));
        back = sound(OPEN("{set: npz, path: %s/b}", scratch));
        for (int split = 0; split < PXR_SPLITS; split++) {
                ck_assert_int_eq(back->count[split], set->count[split]);
                if (set->count[split] > 0)
                        ck_assert_str_eq(back->digest[split], set->digest[split]);
        }
        OK(pxr_convert(back, PXR_TO_PNG, in_scratch("c"), NULL, diag));
        set = sound(OPEN("{set: png_folder, path: %s/c}", scratch));
        ck_assert_str_eq(back->identity, set->identity);
}
END_TEST

START_TEST(a_conversion_overwrites_nothing)
{
        struct pxr_dataset *set = sound(OPEN("{set: markov_binary, train: 2}"));
        const struct pxr_observer observer = { .progress = stop_at_once };

        make_folder("a");
        write_file(in_scratch("a/mine"), "x", 1);
        ck_assert_int_eq(pxr_convert(set, PXR_TO_PNG, in_scratch("a"), NULL, diag), -1);
        expect_error(PXR_FAULT_USER, "/a: the folder is not empty");
        make_folder("dated");
        make_folder("dated/convert-202611");
        write_file(in_scratch("dated/convert-202611/thesis"), "x", 1);
        ck_assert_int_eq(pxr_convert(set, PXR_TO_PNG, in_scratch("dated"), NULL, diag), -1);
        expect_error(PXR_FAULT_USER, "/dated: the folder is not empty");
        ck_assert_int_eq(access(in_scratch("dated/convert-202611/thesis"), F_OK), 0);
        ck_assert_int_eq(pxr_convert(set, PXR_TO_PNG, in_scratch("a/mine"), NULL, diag), -1);
        expect_error(PXR_FAULT_USER, "/mine: not a folder");
        ck_assert_int_eq(pxr_convert(set, PXR_TO_PNG, in_scratch("c"), &observer, diag), 1);
}
END_TEST

static bool stop_at_second(void *context, const struct pxr_progress *progress)
{
        (void)context;
        return progress->done == 1;
}

/* Half a set would look like a whole one. */
START_TEST(an_interrupted_conversion_leaves_nothing)
{
        struct pxr_dataset *set = sound(OPEN("{set: markov_rgb, train: 2}"));
        const struct pxr_observer observer = { .progress = stop_at_second };

        make_folder("empty");
        for (int container = 0; container < 2; container++) {
                ck_assert_int_eq(pxr_convert(set, container, in_scratch("new"), &observer, diag),
                                 1);
                ck_assert_int_eq(access(in_scratch("new"), F_OK), -1);
                ck_assert_int_eq(pxr_convert(set, container, in_scratch("empty"), &observer, diag),
                                 1);
                ck_assert_int_eq(rmdir(in_scratch("empty")), 0);
                make_folder("empty");
        }
        make_folder("empty/.pxr-partial-00beef"); /* a killed one's */
        OK(pxr_convert(set, PXR_TO_PNG, in_scratch("empty"), NULL, diag));
        ck_assert_int_eq(access(in_scratch("empty/.pxr-partial-00beef"), F_OK), -1);
        ck_assert_int_eq(access(in_scratch("empty/train/0000001.png"), F_OK), 0);
        make_folder("new.pxr-partial-00beef");
        OK(pxr_convert(set, PXR_TO_PNG, in_scratch("new/"), NULL, diag));
        ck_assert_int_eq(access(in_scratch("new.pxr-partial-00beef"), F_OK), -1);
        ck_assert_int_eq(access(in_scratch("new/train/0000001.png"), F_OK), 0);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("official");

        ADD_SCRATCH_TEST(suite, official_files_are_recognized);
        ADD_SCRATCH_TEST(suite, a_set_may_be_unpacked_or_packed_again);
        ADD_SCRATCH_TEST(suite, a_set_without_official_sums_cannot_be_verified);
        ADD_SCRATCH_TEST(suite, verifying_can_be_stopped);
        ADD_SCRATCH_TEST(suite, official_digests_are_hexadecimal);
        ADD_SCRATCH_TEST(suite, real_files_are_official);
        ADD_SCRATCH_TEST(suite, a_folder_shows_its_format);
        ADD_SCRATCH_TEST(suite, files_specs_and_names_are_found);
        ADD_SCRATCH_TEST(suite, a_path_is_used_as_it_is_written);
        ADD_SCRATCH_TEST(suite, every_level_has_its_own_byte);
        ADD_SCRATCH_TEST(suite, a_set_converted_to_png_is_the_same_set);
        ADD_SCRATCH_TEST(suite, every_set_with_files_has_a_default_folder);
        ADD_SCRATCH_TEST(suite, images_converted_to_npz_and_back_are_the_same);
        ADD_SCRATCH_TEST(suite, a_conversion_overwrites_nothing);
        ADD_SCRATCH_TEST(suite, an_interrupted_conversion_leaves_nothing);
        return run_suite(suite);
}
