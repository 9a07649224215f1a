/* SPDX-License-Identifier: MIT */
/* check_data.c - data sets in files, sound and broken, and their identities. */
#include "config.h"

#include <math.h>
#include <nettle/md5.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/hash.h"
#include "data/reader.h"
#include "dataset.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE, LINE = 2 * PIXELS };

static void put(const char *name, const void *bytes, size_t size)
{
        write_file(in_scratch(name), bytes, size);
}

static void remove_file(const char *name)
{
        ck_assert_int_eq(remove(in_scratch(name)), 0);
}

/* One member of a gzip file. Returns its size. */
static size_t pack(const void *bytes, size_t size, unsigned char *packed, size_t room)
{
        z_stream z = { .next_in = (void *)bytes,
                       .avail_in = (unsigned)size,
                       .next_out = packed,
                       .avail_out = (unsigned)room };

        ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
        ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
        deflateEnd(&z);
        return room - z.avail_out;
}

static void write_packed(const char *name, const void *bytes, size_t size)
{
        static unsigned char packed[1 << 18];

        put(name, packed, pack(bytes, size, packed, sizeof packed));
}

/* --- binarized_mnist ---------------------------------------------------------------------------*/

/* `count` lines; value j of line i is 1 if i + j is divisible by 3. */
static char *amat(int count)
{
        char *text = pxr_alloc(arena, (size_t)count * LINE + 1);

        ck_assert_ptr_nonnull(text);
        for (int i = 0; i < count; i++)
                for (int j = 0; j < PIXELS; j++) {
                        text[i * LINE + 2 * j] = (i + j) % 3 ? '0' : '1';
                        text[i * LINE + 2 * j + 1] = j + 1 < PIXELS ? ' ' : '\n';
                }
        return text;
}

static struct pxr_dataset *open_amat(void)
{
        return OPEN("{set: binarized_mnist, path: %s, splits: [test]}", scratch);
}

/* Write a text as the test split and expect an error. */
static void amat_refused(const char *text, size_t size, const char *message)
{
        put("binarized_mnist_test.amat", text, size);
        refused(open_amat(), message);
}

START_TEST(plain_and_compressed_amat_have_the_same_identity)
{
        struct pxr_dataset *plain, *packed;
        uint8_t pixels[PIXELS];
        char hex[PXR_SHA256_HEX];
        char *text = amat(5);

        put("binarized_mnist_train.amat", text, 5 * LINE);
        put("binarized_mnist_valid.amat", text, 2 * LINE);
        put("binarized_mnist_test.amat", text, 3 * LINE - 1); /* no newline at the end */
        plain = sound(OPEN("{set: binarized_mnist, path: %s}", scratch));
        ck_assert_int_eq(plain->count[PXR_TRAIN], 5);
        ck_assert_int_eq(plain->count[PXR_VALID], 2);
        ck_assert_int_eq(plain->count[PXR_TEST], 3);
        ck_assert_int_eq(plain->rows, SIDE);
        ck_assert_int_eq(plain->cols, SIDE);
        ck_assert_int_eq(plain->colours, 1);
        ck_assert_int_eq(plain->levels, 2);
        ck_assert(isnan(plain->entropy));
        ck_assert_int_eq(plain->files->size, 5 * LINE);
        pxr_sha256(text, 5 * LINE, hex);
        ck_assert_str_eq(plain->files->sha256, hex);
        read_one(plain, PXR_TRAIN, 0, 4, pixels);
        for (int j = 0; j < PIXELS; j++)
                ck_assert_int_eq(pixels[j], (4 + j) % 3 == 0);

        remove_file("binarized_mnist_train.amat");
        write_packed("binarized_mnist_train.amat.gz", text, 5 * LINE);
        packed = sound(OPEN("{set: binarized_mnist, path: %s}", scratch));
        ck_assert_str_eq(packed->identity, plain->identity);
        ck_assert_str_ne(packed->files->sha256, plain->files->sha256);
        ck_assert_str_eq(packed->digest[PXR_TRAIN], plain->digest[PXR_TRAIN]);

        text[2] ^= 1;
        write_packed("binarized_mnist_train.amat.gz", text, 5 * LINE);
        packed = sound(OPEN("{set: binarized_mnist, path: %s}", scratch));
        ck_assert_str_ne(packed->identity, plain->identity);
}
END_TEST

START_TEST(limit_takes_the_first_images_and_changes_the_identity)
{
        struct pxr_dataset *all, *some;
        uint8_t pixels[PIXELS];
        int64_t index = 2;

        put("binarized_mnist_test.amat", amat(3), 3 * LINE);
        all = sound(open_amat());
        some = sound(OPEN("{set: binarized_mnist, path: %s, splits: [test], limit: 2}", scratch));
        ck_assert_int_eq(some->count[PXR_TEST], 2);
        ck_assert_int_eq(some->count[PXR_TRAIN], 0);
        ck_assert_str_ne(some->identity, all->identity);
        ck_assert_ptr_nonnull(strstr(some->transforms, "first 2"));
        ck_assert_int_eq(pxr_dataset_read(some, PXR_TEST, 0, &index, 1, pixels, diag), -1);
        index = -1;
        ck_assert_int_eq(pxr_dataset_read(some, PXR_TEST, 0, &index, 1, pixels, diag), -1);
}
END_TEST

START_TEST(damaged_amat_is_refused_with_line_and_byte)
{
        char *text = amat(3);

        amat_refused(text, 0, "test.amat: byte 0: the file is empty");
        amat_refused(text, 2 * LINE + 5,
                     "line 3, byte 3141: unexpected end of data after 3 of 784 values");
        amat_refused(text, 2 * LINE + 6,
                     "line 3, byte 3142: unexpected end of data after 3 of 784 values");
        text[LINE + 4] = '2';
        amat_refused(text, 3 * LINE, "line 2, byte 1572: expected 0 or 1, got '2'");
        text[LINE + 4] = '\0';
        amat_refused(text, 3 * LINE, "line 2, byte 1572: expected 0 or 1, got byte 0x00");
        text[LINE + 4] = '\n';
        amat_refused(text, 3 * LINE, "line 2, byte 1572: expected 784 values, got 2");
        text[LINE + 4] = '0';
        text[LINE + 1] = '1';
        amat_refused(text, 3 * LINE, "line 2, byte 1569: expected a space, got '1'");
        text[LINE + 1] = ' ';
        text[LINE - 1] = ' ';
        amat_refused(text, 3 * LINE, "line 1, byte 1567: more than 784 values");
        text[LINE - 1] = '\r';
        amat_refused(text, 3 * LINE, "byte 1567: expected the end of the line, got byte 0x0D");
        text[LINE - 1] = '\n';
        text[3 * LINE - 1] = '\n';
        put("binarized_mnist_test.amat", text, 3 * LINE);
        sound(open_amat());
        text[2 * LINE] = '\n';
        amat_refused(text, 2 * LINE + 1, "line 3, byte 3136: expected 784 values, got 0");
        text[0] = 'P';
        amat_refused(text, 3 * LINE, "line 1, byte 0: expected 0 or 1, got 'P'");
}
END_TEST

/* --- files -------------------------------------------------------------------------------------*/

START_TEST(missing_files_and_folders_are_named)
{
        const char *path = in_scratch("binarized_mnist_test.amat");

        refused(open_amat(), "contains neither binarized_mnist_test.amat nor "
                             "binarized_mnist_test.amat.gz");
        refused(OPEN("{set: binarized_mnist, path: %s/nowhere, splits: [test]}", scratch),
                "/nowhere: no such file or folder");
        ck_assert_int_eq(mkdir(path, 0700), 0);
        refused(open_amat(), "binarized_mnist_test.amat: is a folder, not a file");
        ck_assert_int_eq(rmdir(path), 0);
        ck_assert_int_eq(mkfifo(path, 0600), 0);
        refused(open_amat(), "binarized_mnist_test.amat: is a device or pipe, not a file");
}
END_TEST

START_TEST(damaged_gzip_is_refused_with_the_offset)
{
        static const char name[] = "binarized_mnist_test.amat.gz";
        unsigned char packed[1 << 16];
        char *text = amat(3), message[64];
        size_t size = pack(text, 3 * LINE, packed, sizeof packed);

        put(name, packed, 0);
        refused(open_amat(), "amat.gz: byte 0: the file is empty");
        put(name, text, LINE);
        refused(open_amat(), "amat.gz: byte 0: not a gzip file");
        for (size_t cut = 2; cut < size; cut++) {
                put(name, packed, cut);
                snprintf(message, sizeof message, "byte %zu on disk: unexpected end of gzip data",
                         cut);
                refused(open_amat(), message);
        }
        packed[size - 6] ^= 0x10; /* the check sum */
        put(name, packed, size);
        refused(open_amat(), "corrupt gzip data: incorrect data check");
        packed[size - 6] ^= 0x10;
        memcpy(packed + size, "junk", 4);
        put(name, packed, size + 4);
        snprintf(message, sizeof message, "byte %zu on disk: junk after the gzip data", size);
        refused(open_amat(), message);
}
END_TEST

START_TEST(gzip_members_are_joined)
{
        static const char name[] = "binarized_mnist_test.amat.gz";
        unsigned char packed[1 << 16];
        char *text = amat(3);
        struct pxr_dataset *one, *two;
        size_t size;

        write_packed(name, text, 3 * LINE);
        one = sound(open_amat());
        size = pack(text, LINE + 7, packed, sizeof packed);
        size += pack(text + LINE + 7, 2 * LINE - 7, packed + size, sizeof packed - size);
        put(name, packed, size);
        two = sound(open_amat());
        ck_assert_str_eq(one->identity, two->identity);
        ck_assert_int_eq(two->files->size, (int64_t)size);
}
END_TEST

START_TEST(a_gzip_bomb_is_refused)
{
        enum { LINES = 25000, HALF = 1000 };
        char *text = amat(LINES);

        write_packed("binarized_mnist_test.amat.gz", text, (size_t)HALF * LINE);
        ck_assert_int_eq(sound(open_amat())->count[PXR_TEST], HALF); /* small, so that it may */
        write_packed("binarized_mnist_test.amat.gz", text, (size_t)LINES * LINE);
        refused(open_amat(),
                "binarized_mnist_test.amat.gz: decompresses to more than 200 times its");
        put("binarized_mnist_test.amat", text, (size_t)LINES * LINE);
        ck_assert_int_eq(sound(open_amat())->count[PXR_TEST], LINES);
}
END_TEST

/* --- mnist -------------------------------------------------------------------------------------*/

enum { IDX_HEAD = 16, IDX_ROWS = 3, IDX_COLS = 5, IDX_PIXELS = IDX_ROWS * IDX_COLS };

/* An idx file of `count` images; pixel j of image i is 17 j + i. Returns its size. */
static size_t idx(uint8_t *bytes, int count)
{
        const uint8_t head[IDX_HEAD] = { 0, 0, 8, 3,        0, 0, 0, (uint8_t)count,
                                         0, 0, 0, IDX_ROWS, 0, 0, 0, IDX_COLS };

        memcpy(bytes, head, sizeof head);
        for (int i = 0; i < count; i++)
                for (int j = 0; j < IDX_PIXELS; j++)
                        bytes[IDX_HEAD + i * IDX_PIXELS + j] = (uint8_t)(17 * j + i);
        return (size_t)(IDX_HEAD + count * IDX_PIXELS);
}

START_TEST(idx_files_are_split_and_binarized)
{
        uint8_t bytes[4096], pixels[IDX_PIXELS];
        struct pxr_dataset *set, *packed;
        size_t size = idx(bytes, 20);

        put("train-images-idx3-ubyte", bytes, size);
        put("t10k-images-idx3-ubyte", bytes, idx(bytes, 4));
        set = sound(OPEN("{set: mnist, path: %s, binarization: none, valid: 5}", scratch));
        ck_assert_int_eq(set->rows, IDX_ROWS);
        ck_assert_int_eq(set->cols, IDX_COLS);
        ck_assert_int_eq(set->levels, 256);
        ck_assert_int_eq(set->count[PXR_TRAIN], 15);
        ck_assert_int_eq(set->count[PXR_VALID], 5);
        ck_assert_int_eq(set->count[PXR_TEST], 4);
        read_one(set, PXR_VALID, 3, 1, pixels);
        for (int j = 0; j < IDX_PIXELS; j++)
                ck_assert_int_eq(pixels[j], (uint8_t)(17 * j + 16));

        set = sound(OPEN("{set: mnist, path: %s, threshold: 100, valid: 5}", scratch));
        ck_assert_int_eq(set->levels, 2);
        read_one(set, PXR_TRAIN, 0, 2, pixels);
        for (int j = 0; j < IDX_PIXELS; j++)
                ck_assert_int_eq(pixels[j], 17 * j + 2 >= 100);

        remove_file("t10k-images-idx3-ubyte");
        write_packed("t10k-images-idx3-ubyte.gz", bytes, idx(bytes, 4));
        packed = sound(OPEN("{set: mnist, path: %s, threshold: 100, valid: 5}", scratch));
        ck_assert_str_eq(packed->identity, set->identity);
        packed = sound(OPEN("{set: mnist, path: %s, threshold: 101, valid: 5}", scratch));
        ck_assert_str_ne(packed->identity, set->identity);
        refused_at(OPEN("{valid: 20, set: mnist, path: %s}", scratch), 9,
                   "leaves no training images (there are 20)");
}
END_TEST

START_TEST(compressed_idx_with_too_many_images_in_its_header_is_refused)
{
        uint8_t bytes[4096];
        size_t size = idx(bytes, 4);

        bytes[4] = 0x10; /* 2^28 images and some */
        write_packed("t10k-images-idx3-ubyte.gz", bytes, size);
        refused(OPEN("{set: mnist, path: %s, splits: [test]}", scratch),
                "t10k-images-idx3-ubyte.gz: byte 76: unexpected end of data in image 5 of ");
}
END_TEST

START_TEST(stochastic_binarization_changes_each_epoch_for_training_images_only)
{
        uint8_t bytes[4096], a[IDX_PIXELS], b[IDX_PIXELS];
        struct pxr_dataset *set, *other;
        double sum[IDX_PIXELS] = { 0 };
        int draws = 4000, changed = 0;

        put("train-images-idx3-ubyte", bytes, idx(bytes, 3));
        put("t10k-images-idx3-ubyte", bytes, idx(bytes, 3));
        set = sound(open_seed(7, "{set: mnist, path: %s, binarization: stochastic, valid: 1}",
                              scratch));
        other = sound(open_seed(8, "{set: mnist, path: %s, binarization: stochastic, valid: 1}",
                                scratch));
        ck_assert_str_eq(set->identity, other->identity);
        for (int epoch = 0; epoch < draws; epoch++) {
                read_one(set, PXR_TRAIN, epoch, 0, a);
                read_one(set, PXR_TRAIN, epoch, 0, b);
                ck_assert_mem_eq(a, b, sizeof a);
                for (int j = 0; j < IDX_PIXELS; j++)
                        sum[j] += a[j];
                read_one(other, PXR_TRAIN, epoch, 0, b);
                changed += memcmp(a, b, sizeof a) != 0;
        }
        ck_assert_int_gt(changed, draws / 2); /* the run's seed matters to train ... */
        for (int j = 0; j < IDX_PIXELS; j++) {
                double p = (uint8_t)(17 * j) / 255.0;

                ck_assert_double_le(fabs(sum[j] / draws - p), 5 * sqrt(p * (1 - p) / draws));
        }
        for (int split = PXR_VALID; split <= PXR_TEST; split++) {
                read_one(set, split, 0, 0, a);
                read_one(other, split, 9, 0, b);
                ck_assert_mem_eq(a, b, sizeof a); /* ... and neither seed nor epoch to these */
        }
        other = sound(OPEN("{set: mnist, path: %s, binarization: stochastic, valid: 1, seed: 2}",
                           scratch));
        ck_assert_str_ne(set->identity, other->identity);
}
END_TEST

static void idx_refused(const uint8_t *bytes, size_t size, const char *message)
{
        put("t10k-images-idx3-ubyte", bytes, size);
        refused(OPEN("{set: mnist, path: %s, splits: [test]}", scratch), message);
}

START_TEST(damaged_idx_is_refused_with_the_offset)
{
        uint8_t bytes[4096];
        size_t size = idx(bytes, 4);

        idx_refused(bytes, 0,
                    "t10k-images-idx3-ubyte: byte 0: unexpected end of data in the header");
        idx_refused(bytes, 11, "byte 11: unexpected end of data in the header");
        idx_refused(bytes, size - 1, "byte 75: unexpected end of data in image 4 of 4");
        bytes[size] = 0;
        idx_refused(bytes, size + 1, "byte 76: junk after the last of 4 images");
        bytes[3] = 1;
        idx_refused(bytes, size,
                    "byte 0: expected 0x00000803, the magic number of a file of images "
                    "(idx3-ubyte), got 0x00000801");
        bytes[3] = 3;
        bytes[7] = 0;
        idx_refused(bytes, size, "byte 4: the file has no images");
        memset(bytes + 4, 0xFF, 4); /* four thousand million images */
        idx_refused(bytes, size, "byte 76: unexpected end of data in image 5 of ");
        bytes[8] = 0xFF;
        idx_refused(bytes, size, "byte 8: images of ");
        idx(bytes, 4);
        bytes[11] = 0;
        idx_refused(bytes, size, "byte 8: images of 0 x 5 pixels");
        idx(bytes, 4);
        put("train-images-idx3-ubyte", bytes, size);
        bytes[11] = IDX_COLS;
        bytes[15] = IDX_ROWS;
        put("t10k-images-idx3-ubyte", bytes, size);
        refused(OPEN("{set: mnist, path: %s, valid: 1}", scratch),
                "images of 5 x 3 x 1, but those of the first file are 3 x 5 x 1");
}
END_TEST

/* --- the spec ----------------------------------------------------------------------------------*/

START_TEST(unknown_sets_and_options_are_refused_with_their_location)
{
        const char *text;

        ck_assert_ptr_null(OPEN("set: binarised_mnist\npath: x\n"));
        text = printed_errors(diag, "check_data");
        ck_assert_ptr_nonnull(strstr(text, "test.yaml:1:6: error: unknown data set"));
        ck_assert_ptr_nonnull(strstr(text, "did you mean 'binarized_mnist'?"));
        ck_assert_ptr_nonnull(strstr(text, "data sets: binarized_mnist, cifar10, "));
        pxr_diag_clear(diag);
        refused(OPEN("path: x\n"), "expected 'set: NAME'");
        refused(OPEN("set: [mnist]\n"), "expected 'set: NAME'");
        refused(OPEN("{set: markov_binary, row: 3}"), "unknown option 'row'");
        refused(OPEN("{set: markov_binary, cols: 17}"), "17");
        refused(OPEN("{set: markov_binary, splits: [valid], valid: 0}"), "no images");
        refused(OPEN("{set: binarized_mnist}"), "data/binarized_mnist: no such file or folder");
}
END_TEST

/* --- the real thing ----------------------------------------------------------------------------*/

static void expect_md5(const char *path, const char *name, const char *expected)
{
        struct pxr_reader *input = pxr_reader_open(path, name, diag);
        uint8_t buffer[1 << 15], digest[MD5_DIGEST_SIZE];
        struct md5_ctx md5;
        char hex[2 * MD5_DIGEST_SIZE + 1];
        int64_t got;

        ck_assert_ptr_nonnull(input);
        md5_init(&md5);
        while ((got = pxr_reader_read(input, buffer, sizeof buffer, diag)) > 0)
                md5_update(&md5, (size_t)got, buffer);
        ck_assert_int_eq(got, 0);
        pxr_reader_close(input);
        md5_digest(&md5, sizeof digest, digest);
        for (size_t i = 0; i < sizeof digest; i++)
                sprintf(hex + 2 * i, "%02x", digest[i]);
        ck_assert_str_eq(hex, expected);
}

START_TEST(real_binarized_mnist_is_the_official_one)
{
        const char *path = real_data("binarized_mnist");
        struct pxr_dataset *set;
        char hex[PXR_SHA256_HEX];

        if (!path)
                return;
        expect_md5(path, "binarized_mnist_train.amat", "db28b1a6ae0fe70cbd3da91acf46e477");
        expect_md5(path, "binarized_mnist_valid.amat", "bf37822a04e94123630de6a7dfd9c9ef");
        expect_md5(path, "binarized_mnist_test.amat", "14e41ae11040adba6ab8cb291eda0dd8");
        set = sound(OPEN("{set: binarized_mnist, path: %s}", path));
        ck_assert_int_eq(set->count[PXR_TRAIN], 50000);
        ck_assert_int_eq(set->count[PXR_VALID], 10000);
        ck_assert_int_eq(set->count[PXR_TEST], 10000);
        for (struct pxr_data_file *file = set->files; file; file = file->next) {
                ck_assert_int_eq(pxr_sha256_file(file->path, hex, diag), 0);
                ck_assert_str_eq(file->sha256, hex);
        }
}
END_TEST

START_TEST(real_mnist_test_file_is_read)
{
        const char *path = real_data("mnist");
        struct pxr_dataset *set;

        if (!path)
                return;
        set = sound(OPEN("{set: mnist, path: %s, splits: [test]}", path));
        ck_assert_int_eq(set->count[PXR_TEST], 10000);
        ck_assert_int_eq(set->rows, SIDE);
        ck_assert_int_eq(set->cols, SIDE);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("data");

        ADD_SCRATCH_TEST(suite, plain_and_compressed_amat_have_the_same_identity);
        ADD_SCRATCH_TEST(suite, limit_takes_the_first_images_and_changes_the_identity);
        ADD_SCRATCH_TEST(suite, damaged_amat_is_refused_with_line_and_byte);
        ADD_SCRATCH_TEST(suite, missing_files_and_folders_are_named);
        ADD_SCRATCH_TEST(suite, damaged_gzip_is_refused_with_the_offset);
        ADD_SCRATCH_TEST(suite, gzip_members_are_joined);
        ADD_SCRATCH_TEST(suite, a_gzip_bomb_is_refused);
        ADD_SCRATCH_TEST(suite, idx_files_are_split_and_binarized);
        ADD_SCRATCH_TEST(suite, compressed_idx_with_too_many_images_in_its_header_is_refused);
        ADD_SCRATCH_TEST(suite,
                         stochastic_binarization_changes_each_epoch_for_training_images_only);
        ADD_SCRATCH_TEST(suite, damaged_idx_is_refused_with_the_offset);
        ADD_SCRATCH_TEST(suite, unknown_sets_and_options_are_refused_with_their_location);
        ADD_SCRATCH_TEST(suite, real_binarized_mnist_is_the_official_one);
        ADD_SCRATCH_TEST(suite, real_mnist_test_file_is_read);
        return run_suite(suite);
}
