/* SPDX-License-Identifier: MIT */
/*
 * mnist.c - MNIST and similar sets in the idx format, binarized or with all 256 levels.
 *
 * An idx3-ubyte file is a header of 16 bytes (0x00000803, images, rows, columns; big endian) and a
 * byte per pixel. Labels are in idx1-ubyte files: a header of 8 bytes (0x00000801, labels) and a
 * byte per label.
 */
#include "config.h"

#include <stdio.h>

#include <pxr/random.h>

#include "data/labels.h"
#include "data/pixels.h"

enum { HEADER = 16, MAGIC = 0x00000803, MAX_SIDE = 4096, SIDE = 28 };
enum { LABEL_HEADER = 8, LABEL_MAGIC = 0x00000801 };

enum binarization { THRESHOLD, STOCHASTIC, NONE };

static const char *const binarizations[] = { "threshold", "stochastic", "none", NULL };

struct mnist {
        const char *path;
        int binarization;
        int64_t threshold;
        int64_t valid;
        int64_t seed;
};

static uint32_t big_endian(const uint8_t *bytes)
{
        return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
               bytes[3];
}

static int check_magic(const char *path, const uint8_t *header, uint32_t magic, const char *what,
                       struct pxr_diag *diag)
{
        if (big_endian(header) == magic)
                return 0;
        return pxr_user_error(diag,
                              "%s: byte 0: expected 0x%08X, the magic number of a file of %s, got "
                              "0x%08X",
                              path, (unsigned)magic, what, (unsigned)big_endian(header));
}

/* Read the header of a file; begin the set, or compare the size of its images. Sets *count. */
static int read_header(struct pxr_opening *o, struct pxr_reader *input, int64_t *count)
{
        const char *path = pxr_reader_path(input);
        uint8_t header[HEADER];
        uint32_t rows, cols;

        if (pxr_data_read(input, header, sizeof header, "the header", o->diag))
                return -1;
        if (check_magic(path, header, MAGIC, "images (idx3-ubyte)", o->diag))
                return -1;
        *count = big_endian(header + 4);
        rows = big_endian(header + 8);
        cols = big_endian(header + 12);
        if (*count == 0)
                return pxr_user_error(o->diag, "%s: byte 4: the file has no images", path);
        if (rows < 1 || rows > MAX_SIDE || cols < 1 || cols > MAX_SIDE)
                return pxr_user_error(o->diag,
                                      "%s: byte 8: images of %u x %u pixels are out of range: 1 to "
                                      "%d on a side",
                                      path, (unsigned)rows, (unsigned)cols, MAX_SIDE);
        return pxr_pixels_begin(o, path, (int)rows, (int)cols, 1, 0);
}

static int parse(struct pxr_opening *o, struct pxr_reader *input)
{
        int64_t count = 0;

        if (read_header(o, input, &count))
                return -1;
        /* One by one, so that memory grows with the file and not with what its header claims. */
        for (int64_t i = 0; i < count; i++) {
                uint8_t *pixels = pxr_pixels_add(o);
                char what[64];

                snprintf(what, sizeof what, "image %lld of %lld", (long long)i + 1,
                         (long long)count);
                if (!pixels || pxr_data_read(input, pixels, pxr_image_size(o->set), what, o->diag))
                        return -1;
        }
        return pxr_data_end(input, count, "images", o->diag);
}

/* --- labels ------------------------------------------------------------------------------------*/

/* Add the labels of a file, which must be those of `images` images. */
static int parse_labels(struct pxr_opening *o, struct pxr_reader *input, int64_t images)
{
        const char *path = pxr_reader_path(input);
        uint8_t header[LABEL_HEADER], label;

        if (pxr_data_read(input, header, sizeof header, "the header", o->diag))
                return -1;
        if (check_magic(path, header, LABEL_MAGIC, "labels (idx1-ubyte)", o->diag))
                return -1;
        if (big_endian(header + 4) != images)
                return pxr_user_error(o->diag, "%s: byte 4: %u labels, but there are %lld images",
                                      path, (unsigned)big_endian(header + 4), (long long)images);
        for (int64_t i = 0; i < images; i++)
                if (pxr_data_read(input, &label, 1, "the labels", o->diag) ||
                    pxr_labels_add(o, path, label))
                        return -1;
        return pxr_data_end(input, images, "labels", o->diag);
}

/* Add the labels of `images` images, if they are asked for. */
static int add_labels(struct pxr_opening *o, const char *name, int64_t images)
{
        const struct mnist *options = o->options;
        struct pxr_reader *input;
        int failed;

        if (!o->common.labels)
                return 0;
        if (!pxr_reader_finds(options->path, name))
                return pxr_error_at(o->diag, pxr_data_location(o, "labels"),
                                    "'labels: true' requires %s/%s, or %s.gz", options->path, name,
                                    name);
        input = pxr_reader_open(options->path, name, o->diag);
        failed = !input || parse_labels(o, input, images) || pxr_data_record(o, input);
        pxr_reader_close(input);
        return failed ? -1 : 0;
}

/* --- binarization ------------------------------------------------------------------------------*/

/* A pixel of x is 1 with probability x / 255. */
static void draw(uint8_t *pixels, size_t size, struct pxr_random random)
{
        for (size_t i = 0; i < size; i++)
                pixels[i] = pxr_random_below(&random, 255) < pixels[i];
}

static int read_images(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                       const int64_t *index, int count, uint8_t *pixels, struct pxr_diag *diag)
{
        const struct mnist *options = set->opening->options;
        size_t size = pxr_image_size(set);
        bool anew = split == PXR_TRAIN;

        if (pxr_pixels_read(set, split, epoch, index, count, pixels, diag))
                return -1;
        for (int i = 0; i < count; i++, pixels += size)
                if (options->binarization == STOCHASTIC)
                        draw(pixels, size,
                             pxr_random(anew ? set->opening->seed : (uint64_t)options->seed,
                                        PXR_RANDOM_BINARIZE, anew ? (uint32_t)epoch : 0,
                                        (uint32_t)index[i], (uint32_t)split));
                else if (options->binarization == THRESHOLD)
                        for (size_t j = 0; j < size; j++)
                                pixels[j] = pixels[j] >= options->threshold;
        return 0;
}

static const char *describe(struct pxr_arena *arena, const struct mnist *options)
{
        const char *split =
                pxr_strf(arena, "valid = last %lld of train; ", (long long)options->valid);

        if (options->binarization == THRESHOLD)
                return pxr_strf(arena, "%sthreshold binarization at %lld", split,
                                (long long)options->threshold);
        if (options->binarization == STOCHASTIC)
                return pxr_strf(arena, "%sstochastic binarization, seed %lld", split,
                                (long long)options->seed);
        return pxr_strf(arena, "%s256 levels", split);
}

static void set_kind(const void *conf, struct pxr_dataset *set)
{
        const struct mnist *options = conf;

        set->rows = set->cols = SIDE; /* similar sets may have another size */
        set->colours = 1;
        set->levels = options->binarization == NONE ? 256 : 2;
}

/* --- opening -----------------------------------------------------------------------------------*/

/* Add the images of train ("train") or test ("t10k"), and their labels. */
static int add_files(struct pxr_opening *o, const char *part, int64_t *count)
{
        const struct mnist *options = o->options;
        const char *images = pxr_strf(o->arena, "%s-images-idx3-ubyte", part);
        const char *labels = pxr_strf(o->arena, "%s-labels-idx1-ubyte", part);

        return pxr_pixels_add_file(o, options->path, images, parse, count) ||
                               add_labels(o, labels, *count)
                       ? -1
                       : 0;
}

static int open_set(struct pxr_opening *o)
{
        const struct mnist *options = o->options;
        int64_t count[PXR_SPLITS] = { 0 };
        int failed = 0;

        if (pxr_data_opens(o, PXR_TRAIN) || pxr_data_opens(o, PXR_VALID))
                failed |= add_files(o, "train", &count[PXR_TRAIN]);
        if (pxr_data_opens(o, PXR_TEST))
                failed |= add_files(o, "t10k", &count[PXR_TEST]);
        if (failed)
                return -1;
        o->set->transforms = describe(o->arena, options);
        o->set->read = read_images;
        return pxr_pixels_end(o, count, options->valid,
                              pxr_strf(o->arena, "%s/train-images-idx3-ubyte", options->path));
}

static const struct pxr_option rows[] = {
        PXR_STRING(struct mnist, path, "data/mnist",
                   "folder of train-images-idx3-ubyte and t10k-images-idx3-ubyte, or .gz"),
        PXR_ENUM(struct mnist, binarization, "threshold", binarizations,
                 "how a pixel becomes 0 or 1: by the threshold; stochastic: 1 with probability "
                 "x / 255, anew each epoch of training; none: 256 levels"),
        PXR_INT(struct mnist, threshold, "128", 1, 255, "a pixel of this value or more is 1"),
        PXR_INT(struct mnist, valid, "10000", 0, 1e9,
                "images at the end of the training file that form the valid split"),
        PXR_INT(struct mnist, seed, "1", 0, 0x1p53,
                "keys the stochastic binarization of valid and test, which is drawn once"),
        PXR_END,
};

static const struct pxr_options options = { .rows = rows, .size = sizeof(struct mnist) };

static const struct pxr_official_file files[] = {
        { "train-images-idx3-ubyte.gz", 9912422,
          "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609" },
        { "t10k-images-idx3-ubyte.gz", 1648877,
          "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6" },
        { "train-labels-idx1-ubyte.gz", 28881,
          "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c" },
        { "t10k-labels-idx1-ubyte.gz", 4542,
          "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6" },
        { 0 },
};

static const struct pxr_official_file unpacked[] = {
        { "train-images-idx3-ubyte", 47040016,
          "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db" },
        { "t10k-images-idx3-ubyte", 7840016,
          "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7" },
        { "train-labels-idx1-ubyte", 60008,
          "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5" },
        { "t10k-labels-idx1-ubyte", 10008,
          "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2" },
        { 0 },
};

static const struct pxr_official official = {
        .url = "https://storage.googleapis.com/cvdf-datasets/mnist/",
        .source = "a mirror of Y. LeCun's files",
        .files = files,
        .unpacked = unpacked,
};

static const struct pxr_data_sign signs[] = {
        { "train-images-idx3-ubyte", "train, valid", NULL },
        { "t10k-images-idx3-ubyte", "test", NULL },
        { 0 },
};

const struct pxr_data_format pxr_data_mnist = {
        .name = "mnist",
        .help = "MNIST and similar sets in idx files, binarized or with 256 levels",
        .options = &options,
        .kind = set_kind,
        .open = open_set,
        .signs = signs,
        .official = &official,
};
