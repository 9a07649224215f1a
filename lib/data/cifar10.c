/* SPDX-License-Identifier: MIT */
/*
 * cifar10.c - CIFAR-10 in its binary version, whole or a part of it.
 *
 * Files data_batch_1.bin and so on, and test_batch.bin: records of a label (0 to 9) and 3072 bytes,
 * a 32x32 image as planes of red, green and blue. Any whole number of records makes a batch. The
 * set has no validation split of its own: `valid` takes it from the end of the training images.
 * Uses base/ and format.h.
 */
#include "config.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data/format.h"
#include "data/pixels.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, PIXELS = 3 * PLANE, RECORD = 1 + PIXELS, LABELS = 10 };
enum { BATCHES = 5 };

struct cifar10 {
        const char *path;
        int64_t valid;
};

/* The planes of a record become pixels of three colours. */
static void interleave(const uint8_t *planes, uint8_t *pixels)
{
        for (int at = 0; at < PLANE; at++)
                for (int colour = 0; colour < 3; colour++)
                        pixels[3 * at + colour] = planes[colour * PLANE + at];
}

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
static int parse(struct pxr_pixels *pixels, struct pxr_input *input, struct pxr_diag *diag)
{
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
                interleave(record + 1, image);
        }
}

static int read_batch(struct pxr_arena *arena, struct pxr_dataset *set, const char *folder,
                      const char *name, struct pxr_diag *diag)
{
        struct pxr_held *held = set->state;
        struct pxr_input *input = pxr_input_open(folder, name, diag);
        int failed;

        if (!input)
                return -1;
        failed = parse(held->pixels, input, diag) || pxr_input_record(input, arena, set, diag);
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
static int read_training(struct pxr_arena *arena, struct pxr_dataset *set, const char *folder,
                         struct pxr_diag *diag)
{
        char name[32];
        int last = 1;

        for (int batch = 2; batch <= BATCHES; batch++) {
                snprintf(name, sizeof name, "data_batch_%d.bin", batch);
                if (has(folder, name))
                        last = batch;
        }
        for (int batch = 1; batch <= last; batch++) {
                snprintf(name, sizeof name, "data_batch_%d.bin", batch);
                if (read_batch(arena, set, folder, name, diag))
                        return -1;
        }
        return 0;
}

static int set_splits(struct pxr_arena *arena, struct pxr_dataset *set,
                      const struct pxr_data_common *common, const struct cifar10 *options,
                      int64_t training, struct pxr_diag *diag)
{
        struct pxr_held *held = set->state;
        int64_t train = training - options->valid;

        if (training > 0 && train < 1)
                return pxr_user_error(diag,
                                      "%s: has %lld training images: 'valid: %lld' leaves none to "
                                      "train on",
                                      options->path, (long long)training,
                                      (long long)options->valid);
        if (training > 0 && pxr_data_wants(common, PXR_TRAIN) &&
            pxr_held_split(arena, set, PXR_TRAIN, 0, train, diag))
                return -1;
        if (training > 0 && pxr_data_wants(common, PXR_VALID) && options->valid > 0 &&
            pxr_held_split(arena, set, PXR_VALID, train, options->valid, diag))
                return -1;
        if (!pxr_data_wants(common, PXR_TEST))
                return 0;
        return pxr_held_split(arena, set, PXR_TEST, training,
                              pxr_pixels_count(held->pixels) - training, diag);
}

/* The folder itself, or the one within that the archive unpacks to. */
static const char *find_folder(struct pxr_arena *arena, const char *path)
{
        const char *inner = pxr_strf(arena, "%s/cifar-10-batches-bin", path);

        return inner && access(inner, F_OK) == 0 ? inner : path;
}

static int open_set(struct pxr_arena *arena, struct pxr_dataset *set,
                    const struct pxr_data_common *common, const void *conf, uint64_t seed,
                    struct pxr_diag *diag)
{
        const struct cifar10 *options = conf;
        const char *folder = find_folder(arena, options->path);
        struct pxr_held *held = pxr_alloc(arena, sizeof *held);
        int64_t training;

        (void)seed;
        set->rows = set->cols = SIDE;
        set->colours = 3;
        set->levels = 256;
        set->entropy = NAN;
        set->transforms = options->valid > 0 ? pxr_strf(arena, "valid = last %lld of train",
                                                        (long long)options->valid)
                                             : "none";
        set->read = pxr_held_read;
        set->state = held;
        if (!held || !set->transforms)
                return pxr_out_of_memory(diag);
        held->pixels = pxr_pixels_new(arena, PIXELS, 0, diag);
        if (!held->pixels)
                return -1;
        if ((pxr_data_wants(common, PXR_TRAIN) ||
             (pxr_data_wants(common, PXR_VALID) && options->valid > 0)) &&
            read_training(arena, set, folder, diag))
                return -1;
        training = pxr_pixels_count(held->pixels);
        if (pxr_data_wants(common, PXR_TEST) &&
            read_batch(arena, set, folder, "test_batch.bin", diag))
                return -1;
        return pxr_pixels_end(held->pixels, diag) ||
                               set_splits(arena, set, common, options, training, diag)
                       ? -1
                       : 0;
}

static const struct pxr_option rows[] = {
        PXR_STRING(struct cifar10, path, NULL,
                   "folder of data_batch_1.bin and so on, and test_batch.bin"),
        PXR_INT(struct cifar10, valid, "0", 0, 1e9,
                "images at the end of the training batches that form the valid split (of the "
                "whole set, 5000 are usual); 0: there is none"),
        PXR_END,
};

static const struct pxr_options options = { .rows = rows, .size = sizeof(struct cifar10) };

const struct pxr_data_format pxr_data_cifar10 = {
        .name = "cifar10",
        .help = "CIFAR-10, binary version, 32x32 in colour, 256 levels",
        .options = &options,
        .open = open_set,
};
