/* SPDX-License-Identifier: MIT */
/*
 * cifar10.c - CIFAR-10 in its binary version, whole or a part of it.
 *
 * Files data_batch_1.bin and so on, and test_batch.bin: records of a label (0 to 9) and 3072 bytes,
 * a 32x32 image as planes of red, green and blue; in a folder, or in the archive as downloaded. Any
 * whole number of records makes a batch. The
 * set has no validation split of its own: `valid` takes it from the end of the training images.
 */
#include "config.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/archive.h"
#include "data/format.h"
#include "data/pixels.h"

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

/* Where a batch lies among the images read. */
struct batch {
        int64_t first, count;
};

static int no_record(const struct pxr_input *input, int64_t got, struct pxr_diag *diag)
{
        long long offset = (long long)pxr_input_offset(input);

        if (offset == 0)
                return pxr_user_error(diag, "%s: byte 0: the file is empty", pxr_input_path(input));
        return pxr_user_error(diag,
                              "%s: byte %lld: the file ends after %lld bytes of record %lld, which "
                              "has %d (truncated?)",
                              pxr_input_path(input), offset, (long long)got, offset / RECORD + 1,
                              RECORD);
}

/* Read records up to the end of a batch. */
static int parse(struct pxr_pixels *pixels, struct pxr_input *input, struct batch *batch,
                 struct pxr_diag *diag)
{
        batch->first = pxr_pixels_count(pixels);
        for (;;) {
                uint8_t record[RECORD], *image;
                int64_t start = pxr_input_offset(input);
                int64_t got = pxr_input_read_all(input, record, RECORD, diag);

                if (got < 0)
                        return -1;
                if (got == 0 && start > 0)
                        return 0;
                if (got < RECORD)
                        return no_record(input, got, diag);
                if (record[0] >= LABELS)
                        return pxr_user_error(diag,
                                              "%s: byte %lld: label %d of record %lld; 0 to %d are "
                                              "possible: not a batch of CIFAR-10, or damaged",
                                              pxr_input_path(input), (long long)start, record[0],
                                              (long long)start / RECORD + 1, LABELS - 1);
                image = pxr_pixels_add(pixels, diag);
                if (!image)
                        return -1;
                pxr_data_interleave(record + 1, PLANE, image);
                batch->count++;
        }
}

/* --- finding the batches -----------------------------------------------------------------------*/

static int read_file(struct pxr_arena *arena, struct pxr_dataset *set, const char *folder,
                     const char *name, struct batch *batch, struct pxr_diag *diag)
{
        struct pxr_held *held = set->state;
        struct pxr_input *input = pxr_input_open(folder, name, diag);
        int failed;

        if (!input)
                return -1;
        failed = parse(held->pixels, input, batch, diag) ||
                 pxr_input_record(input, arena, set, diag);
        pxr_input_close(input);
        return failed ? -1 : 0;
}

/* Is there such a file, or `name`.gz? */
static bool has(const char *folder, const char *name)
{
        char path[PATH_MAX];

        for (int packed = 0; packed < 2; packed++) {
                int length =
                        snprintf(path, sizeof path, "%s/%s%s", folder, name, packed ? ".gz" : "");

                if (length > 0 && (size_t)length < sizeof path && access(path, F_OK) == 0)
                        return true;
        }
        return false;
}

/* A part of the set may have fewer batches, but none left out between two others. */
static int read_folder(struct pxr_arena *arena, struct pxr_dataset *set, const char *folder,
                       uint32_t wanted, struct batch *batches, struct pxr_diag *diag)
{
        int last = 1;

        for (int i = 1; i < TEST; i++)
                if (has(folder, names[i]))
                        last = i;
        for (int i = 1; i <= TEST; i++)
                if ((wanted >> i & 1) && (i <= last || i == TEST) &&
                    read_file(arena, set, folder, names[i], &batches[i], diag))
                        return -1;
        return 0;
}

/* Which batch an entry of the archive is, by the last part of its name; 0: none. */
static int batch_number(const char *path)
{
        const char *slash = strrchr(path, '/');

        for (int i = 1; i <= TEST; i++)
                if (strcmp(slash ? slash + 1 : path, names[i]) == 0)
                        return i;
        return 0;
}

/* Its files have the names of the binary version, but for the ending. */
static int refuse_python(const char *path, struct pxr_diag *diag)
{
        return pxr_user_error(diag,
                              "%s: is CIFAR-10's Python version, but the binary version is "
                              "expected (cifar-10-binary.tar.gz)",
                              path);
}

static int read_entry(struct pxr_archive *archive, struct pxr_pixels *pixels, struct batch *batch,
                      struct pxr_diag *diag)
{
        struct pxr_input *input = pxr_archive_entry(archive, diag);
        int failed;

        if (!input)
                return -1;
        if (batch->count > 0)
                failed = pxr_user_error(diag, "%s: a second file of that name",
                                        pxr_input_path(input));
        else
                failed = parse(pixels, input, batch, diag);
        pxr_input_close(input);
        return failed;
}

static int read_entries(struct pxr_archive *archive, const char *path, struct pxr_pixels *pixels,
                        uint32_t wanted, struct batch *batches, struct pxr_diag *diag)
{
        const char *name;
        int result;

        while ((result = pxr_archive_next(archive, &name, diag)) > 0) {
                const char *slash = strrchr(name, '/');
                int i = batch_number(name);

                if (strcmp(slash ? slash + 1 : name, "data_batch_1") == 0)
                        return refuse_python(path, diag);
                if ((wanted >> i & 1) && read_entry(archive, pixels, &batches[i], diag))
                        return -1;
        }
        return result;
}

static int check_archive(const char *path, uint32_t wanted, const struct batch *batches,
                         struct pxr_diag *diag)
{
        for (int i = 1, last = 1; i <= TEST; i++) {
                for (int j = i; j < TEST; j++)
                        last = batches[j].count > 0 ? j : last;
                if ((wanted >> i & 1) && (i <= last || i == TEST) && batches[i].count == 0)
                        return pxr_user_error(diag, "%s: holds no %s", path, names[i]);
        }
        return 0;
}

/* The archive as it is downloaded, whose batches are in no order. */
static int read_archive(struct pxr_arena *arena, struct pxr_dataset *set, const char *path,
                        uint32_t wanted, struct batch *batches, struct pxr_diag *diag)
{
        struct pxr_held *held = set->state;
        struct pxr_archive *archive = pxr_archive_open(path, diag);
        int failed;

        if (!archive)
                return -1;
        failed = read_entries(archive, path, held->pixels, wanted, batches, diag) ||
                 check_archive(path, wanted, batches, diag) ||
                 pxr_archive_record(archive, arena, set, diag);
        pxr_archive_close(archive);
        return failed ? -1 : 0;
}

/* `path` is the archive, the folder it unpacks to, or a folder that holds one of these. */
static int read_batches(struct pxr_arena *arena, struct pxr_dataset *set, const char *path,
                        uint32_t wanted, struct batch *batches, struct pxr_diag *diag)
{
        const char *inner = pxr_strf(arena, "%s/cifar-10-batches-bin", path);
        const char *packed = pxr_strf(arena, "%s/cifar-10-binary.tar.gz", path);
        struct stat status;

        if (!inner || !packed)
                return pxr_out_of_memory(diag);
        if (stat(path, &status) == 0 && !S_ISDIR(status.st_mode))
                return read_archive(arena, set, path, wanted, batches, diag);
        if (access(inner, F_OK) == 0)
                return read_folder(arena, set, inner, wanted, batches, diag);
        if (access(packed, F_OK) == 0 && !has(path, names[1]))
                return read_archive(arena, set, packed, wanted, batches, diag);
        if (!has(path, names[1]) && !has(path, names[TEST]) &&
            (has(path, "cifar-10-batches-py") || has(path, "cifar-10-python.tar") ||
             has(path, "data_batch_1")))
                return refuse_python(path, diag);
        return read_folder(arena, set, path, wanted, batches, diag);
}

/* --- opening -----------------------------------------------------------------------------------*/

/* Put the batches in the order of their numbers. Returns how many training images there are, or
 * -1. */
static int64_t set_order(struct pxr_arena *arena, struct pxr_held *held,
                         const struct batch *batches, struct pxr_diag *diag)
{
        int64_t count = pxr_pixels_count(held->pixels), filled = 0;
        int64_t *order = pxr_alloc_array(arena, (size_t)count, sizeof *order);

        if (!order)
                return pxr_out_of_memory(diag);
        for (int i = 1; i <= TEST; i++)
                for (int64_t j = 0; j < batches[i].count; j++)
                        order[filled++] = batches[i].first + j;
        held->order = order;
        return count - batches[TEST].count;
}

static int set_splits(struct pxr_arena *arena, struct pxr_dataset *set,
                      const struct pxr_data_common *common, const struct cifar10 *options,
                      const struct batch *batches, struct pxr_diag *diag)
{
        int64_t training = set_order(arena, set->state, batches, diag);
        int64_t train = training - options->valid;

        if (training < 0)
                return -1;
        if (training > 0 && train < 1)
                return pxr_error_at(diag, pxr_data_place(common, "valid"),
                                    "%s: has %lld training images: 'valid: %lld' leaves none to "
                                    "train on",
                                    options->path, (long long)training, (long long)options->valid);
        if (training > 0 && pxr_data_wants(common, PXR_TRAIN) &&
            pxr_held_split(arena, set, PXR_TRAIN, 0, train, diag))
                return -1;
        if (training > 0 && pxr_data_wants(common, PXR_VALID) && options->valid > 0 &&
            pxr_held_split(arena, set, PXR_VALID, train, options->valid, diag))
                return -1;
        if (!pxr_data_wants(common, PXR_TEST))
                return 0;
        return pxr_held_split(arena, set, PXR_TEST, training, batches[TEST].count, diag);
}

static uint32_t wanted_batches(const struct pxr_data_common *common, const struct cifar10 *options)
{
        uint32_t wanted = 0;

        if (pxr_data_wants(common, PXR_TRAIN) ||
            (pxr_data_wants(common, PXR_VALID) && options->valid > 0))
                for (int i = 1; i < TEST; i++)
                        wanted |= 1u << i;
        if (pxr_data_wants(common, PXR_TEST))
                wanted |= 1u << TEST;
        return wanted;
}

static void set_kind(const void *conf, struct pxr_dataset *set)
{
        (void)conf;
        set->rows = set->cols = SIDE;
        set->colours = 3;
        set->levels = 256;
}

static int open_set(struct pxr_arena *arena, struct pxr_dataset *set,
                    const struct pxr_data_common *common, const void *conf, uint64_t seed,
                    struct pxr_diag *diag)
{
        const struct cifar10 *options = conf;
        struct pxr_held *held = pxr_alloc(arena, sizeof *held);
        struct batch batches[TEST + 1] = { 0 };

        (void)seed;
        set->entropy = NAN;
        set->transforms = options->valid > 0 ? pxr_strf(arena, "valid = last %lld of train",
                                                        (long long)options->valid)
                                             : "none";
        set->read = pxr_held_read;
        set->state = held;
        if (!held || !set->transforms)
                return pxr_out_of_memory(diag);
        held->pixels = pxr_pixels_new(arena, PIXELS, 0, diag);
        if (!held->pixels ||
            read_batches(arena, set, options->path, wanted_batches(common, options), batches,
                         diag) ||
            pxr_pixels_end(held->pixels, diag))
                return -1;
        return set_splits(arena, set, common, options, batches, diag);
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
