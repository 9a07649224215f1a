/* SPDX-License-Identifier: MIT */
/*
 * cifar10.c - CIFAR-10 in its binary version, whole or a part of it.
 *
 * Files data_batch_1.bin and so on, and test_batch.bin, in a folder or in the archive as
 * downloaded. They hold any number of records: a label (0 to 9) and 3072 bytes, a 32x32 image as
 * planes of red, green and blue. There is no validation split: `valid` takes it from the end of the
 * training images.
 */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/labels.h"
#include "data/pixels.h"
#include "data/recognize.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, PIXELS = 3 * PLANE, RECORD = 1 + PIXELS, LABELS = 10 };
enum { TEST = 6 }; /* the number of the test batch; the others are 1 to 5 */

static const char *const names[] = { NULL,
                                     "data_batch_1.bin",
                                     "data_batch_2.bin",
                                     "data_batch_3.bin",
                                     "data_batch_4.bin",
                                     "data_batch_5.bin",
                                     "test_batch.bin" };

struct cifar10 {
        const char *path;
        int64_t valid;
};

static int no_record(const struct pxr_reader *input, struct pxr_diag *diag)
{
        long long offset = (long long)pxr_reader_offset(input);

        if (offset == 0)
                return pxr_user_error(diag, "%s: byte 0: the file is empty",
                                      pxr_reader_path(input));
        return pxr_user_error(diag,
                              "%s: byte %lld: unexpected end of data in record %lld, of %d bytes "
                              "each (truncated?)",
                              pxr_reader_path(input), offset, offset / RECORD + 1, RECORD);
}

/* Read records up to the end of a batch. */
static int parse(struct pxr_opening *o, struct pxr_reader *input)
{
        for (;;) {
                uint8_t record[RECORD], *image;
                int64_t start = pxr_reader_offset(input);
                int64_t got = pxr_reader_read_all(input, record, RECORD, o->diag);

                if (got < 0)
                        return -1;
                if (got == 0 && start > 0)
                        return 0;
                if (got < RECORD)
                        return no_record(input, o->diag);
                if (record[0] >= LABELS)
                        return pxr_user_error(o->diag,
                                              "%s: byte %lld: label %d of record %lld is out of "
                                              "range, 0 to %d: damaged, or not CIFAR-10",
                                              pxr_reader_path(input), (long long)start, record[0],
                                              (long long)start / RECORD + 1, LABELS - 1);
                image = pxr_pixels_add(o);
                if (!image)
                        return -1;
                pxr_data_interleave(record + 1, PLANE, image);
                if (o->common.labels && pxr_labels_add(o, pxr_reader_path(input), record[0]))
                        return -1;
        }
}

/* --- finding the batches -----------------------------------------------------------------------*/

/* The batches that are wanted, and where they lie among the images read. */
struct batches {
        struct pxr_opening *o;
        bool wanted[TEST + 1];
        int64_t first[TEST + 1], count[TEST + 1];
};

/* A part of the set may have fewer batches, but without gaps. */
static int read_folder(struct batches *b, const char *folder)
{
        int last = 1;

        for (int i = 1; i < TEST; i++)
                if (pxr_reader_finds(folder, names[i]))
                        last = i;
        for (int i = 1; i <= TEST; i++) {
                b->first[i] = pxr_pixels_count(b->o);
                if (b->wanted[i] && (i <= last || i == TEST) &&
                    pxr_pixels_add_file(b->o, folder, names[i], parse, &b->count[i]))
                        return -1;
        }
        return 0;
}

/* Its files have the names of the binary version, but for the ending. */
static int refuse_python(const char *path, struct pxr_diag *diag)
{
        return pxr_user_error(diag,
                              "%s: expected the binary version of CIFAR-10 "
                              "(cifar-10-binary.tar.gz), got the Python version",
                              path);
}

/* Read batch `number`, which is the current entry. */
static int read_entry(struct batches *b, struct pxr_archive *archive, int number)
{
        struct pxr_reader *input = pxr_archive_entry(archive);
        int failed;

        if (b->count[number] > 0)
                return pxr_user_error(b->o->diag, "%s: duplicate file name",
                                      pxr_reader_path(input));
        b->first[number] = pxr_pixels_count(b->o);
        failed = parse(b->o, input);
        b->count[number] = pxr_pixels_count(b->o) - b->first[number];
        return failed;
}

static int read_entries(struct batches *b, struct pxr_archive *archive, const char *path)
{
        const char *name;
        int result;

        while ((result = pxr_archive_next(archive, &name, b->o->diag)) > 0) {
                if (strcmp(basename(name), "data_batch_1") == 0)
                        return refuse_python(path, b->o->diag);
                for (int i = 1; i <= TEST; i++)
                        if (b->wanted[i] && strcmp(basename(name), names[i]) == 0 &&
                            read_entry(b, archive, i))
                                return -1;
        }
        return result;
}

static int check_archive(const struct batches *b, const char *path)
{
        for (int i = 1, last = 1; i <= TEST; i++) {
                for (int j = i; j < TEST; j++)
                        last = b->count[j] > 0 ? j : last;
                if (b->wanted[i] && (i <= last || i == TEST) && b->count[i] == 0)
                        return pxr_user_error(b->o->diag, "%s: the archive does not contain %s",
                                              path, names[i]);
        }
        return 0;
}

/* The archive as downloaded. Its batches are in no order. */
static int read_archive(struct batches *b, const char *path)
{
        const unsigned reads = 1 << PXR_FILE_TAR | 1 << PXR_FILE_ZIP | 1 << PXR_FILE_GZIP;
        struct pxr_archive *archive;
        int failed;

        if (pxr_file_refuse(path, reads, b->o->diag))
                return -1;
        archive = pxr_archive_open(path, b->o->diag);
        if (!archive)
                return -1;
        failed = read_entries(b, archive, path) || check_archive(b, path) ||
                 pxr_data_record(b->o, pxr_archive_file(archive));
        pxr_archive_close(archive);
        return failed ? -1 : 0;
}

/* `path` is the archive, the folder it unpacks to, or a folder that holds one of these. */
static int read_batches(struct batches *b, const char *path)
{
        const char *inner = pxr_strf(b->o->arena, "%s/cifar-10-batches-bin", path);
        const char *packed = pxr_strf(b->o->arena, "%s/cifar-10-binary.tar.gz", path);
        struct stat status;

        if (stat(path, &status) == 0 && !S_ISDIR(status.st_mode))
                return read_archive(b, path);
        if (access(inner, F_OK) == 0)
                return read_folder(b, inner);
        if (access(packed, F_OK) == 0 && !pxr_reader_finds(path, names[1]))
                return read_archive(b, packed);
        if (!pxr_reader_finds(path, names[1]) && !pxr_reader_finds(path, names[TEST]) &&
            (pxr_reader_finds(path, "cifar-10-batches-py") ||
             pxr_reader_finds(path, "cifar-10-python.tar") ||
             pxr_reader_finds(path, "data_batch_1")))
                return refuse_python(path, b->o->diag);
        return read_folder(b, path);
}

/* Put the batches in the order of their numbers. */
static int set_order(const struct batches *b)
{
        int64_t filled = 0, *order = pxr_alloc_array(b->o->arena, (size_t)pxr_pixels_count(b->o),
                                                     sizeof *order);

        if (!order)
                return -1;
        for (int i = 1; i <= TEST; i++)
                for (int64_t j = 0; j < b->count[i]; j++)
                        order[filled++] = b->first[i] + j;
        pxr_pixels_reorder(b->o, order);
        return 0;
}

static const char *const class_names[LABELS] = {
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"
};

static void set_kind(const void *conf, struct pxr_dataset *set)
{
        (void)conf;
        set->classes = LABELS;
        set->class_names = class_names;
        set->rows = set->cols = SIDE;
        set->colours = 3;
        set->levels = 256;
}

static int open_set(struct pxr_opening *o)
{
        const struct cifar10 *options = o->options;
        struct batches b = { .o = o };
        int64_t count[PXR_SPLITS] = { 0 };

        b.wanted[TEST] = pxr_data_opens(o, PXR_TEST);
        for (int i = 1; i < TEST; i++)
                b.wanted[i] = pxr_data_opens(o, PXR_TRAIN) ||
                              (pxr_data_opens(o, PXR_VALID) && options->valid > 0);
        if (pxr_pixels_begin(o, options->path, SIDE, SIDE, 3, 0) ||
            read_batches(&b, options->path) || set_order(&b))
                return -1;
        if (options->valid > 0)
                o->set->transforms =
                        pxr_strf(o->arena, "valid = last %lld of train", (long long)options->valid);
        count[PXR_TEST] = b.count[TEST];
        count[PXR_TRAIN] = pxr_pixels_count(o) - count[PXR_TEST];
        return pxr_pixels_end(o, count, options->valid, options->path);
}

static const struct pxr_option rows[] = {
        PXR_STRING(struct cifar10, path, "data/cifar10",
                   "cifar-10-binary.tar.gz, the folder it unpacks to, or one that holds either"),
        PXR_INT(struct cifar10, valid, "0", 0, 1e9,
                "images at the end of the training batches that form the valid split (of the "
                "whole set, 5000 are usual); 0: there is none"),
        PXR_END,
};

static const struct pxr_options options = { .rows = rows, .size = sizeof(struct cifar10) };

static const struct pxr_official_file files[] = {
        { "cifar-10-binary.tar.gz", 170052171,
          "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd" },
        { 0 },
};

static const struct pxr_official_file unpacked[] = {
        { "data_batch_1.bin", 30730000,
          "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5" },
        { "data_batch_2.bin", 30730000,
          "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed" },
        { "data_batch_3.bin", 30730000,
          "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67" },
        { "data_batch_4.bin", 30730000,
          "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48" },
        { "data_batch_5.bin", 30730000,
          "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add" },
        { "test_batch.bin", 30730000,
          "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b" },
        { 0 },
};

static const struct pxr_official official = {
        .url = "https://www.cs.toronto.edu/~kriz/",
        .source = "A. Krizhevsky's page, University of Toronto",
        .files = files,
        .unpacked = unpacked,
        .unpacked_in = "cifar-10-batches-bin",
};

static const struct pxr_data_sign signs[] = {
        { "cifar-10-batches-bin", "train, valid, test", NULL },
        { "cifar-10-binary.tar", "train, valid, test", NULL },
        { "data_batch_1.bin", "train, valid", NULL },
        { "test_batch.bin", "test", NULL },
        { 0 },
};

/* The Python version too, which is then refused by name. */
static const char *const patterns[] = { "data_batch_1",         "cifar-10-batches-py",
                                        "cifar-10-python.tar*", "/*cifar*.tar",
                                        "/*cifar*.tar.gz",      NULL };

const struct pxr_data_format pxr_data_cifar10 = {
        .name = "cifar10",
        .help = "CIFAR-10, binary version, 32x32 in colour, 256 levels",
        .options = &options,
        .kind = set_kind,
        .open = open_set,
        .signs = signs,
        .patterns = patterns,
        .official = &official,
};
