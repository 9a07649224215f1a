/* SPDX-License-Identifier: MIT */
/*
 * mnist.c - MNIST and its kin in the idx format, binarized or with all 256 levels.
 *
 * An idx3-ubyte file is a head of 16 bytes (0x00000803, images, rows, columns; big endian) and a
 * byte for each pixel.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <pxr/random.h>

#include "data/format.h"

enum { HEAD = 16, MAGIC = 0x00000803, MAX_SIDE = 4096, SIDE = 28 };

enum binarization { THRESHOLD, STOCHASTIC, NONE };

static const char *const binarizations[] = { "threshold", "stochastic", "none", NULL };

struct mnist {
        const char *path;
        int binarization;
        int64_t threshold;
        int64_t valid;
        int64_t seed;
};

struct state {
        const uint8_t *pixels[PXR_SPLITS];
        const struct mnist *options;
        uint64_t seed; /* of the run */
};

/* A file as it is read. */
struct idx {
        struct pxr_images images;
        int64_t count;
        int rows, cols;
        const char *path;
};

/* Exactly `size` bytes. */
static int read_exactly(struct pxr_input *input, void *bytes, size_t size, struct pxr_diag *diag)
{
        int64_t got = pxr_input_read_all(input, bytes, size, diag);

        if (got < 0)
                return -1;
        if ((size_t)got < size)
                return pxr_user_error(diag,
                                      "%s: byte %lld: the file ends, where %zu more bytes were "
                                      "expected (truncated?)",
                                      pxr_input_path(input), (long long)pxr_input_offset(input),
                                      size - (size_t)got);
        return 0;
}

static uint32_t big_endian(const uint8_t *bytes)
{
        return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
               bytes[3];
}

static int read_head(struct idx *idx, struct pxr_input *input, struct pxr_diag *diag)
{
        uint8_t head[HEAD];
        uint32_t rows, cols;

        if (read_exactly(input, head, sizeof head, diag))
                return -1;
        if (big_endian(head) != MAGIC)
                return pxr_user_error(diag,
                                      "%s: byte 0: 0x%08X where 0x%08X was expected: not a file "
                                      "of images (idx3-ubyte)",
                                      idx->path, (unsigned)big_endian(head), (unsigned)MAGIC);
        idx->count = big_endian(head + 4);
        rows = big_endian(head + 8);
        cols = big_endian(head + 12);
        if (idx->count == 0)
                return pxr_user_error(diag, "%s: byte 4: no images", idx->path);
        if (rows < 1 || rows > MAX_SIDE || cols < 1 || cols > MAX_SIDE)
                return pxr_user_error(diag,
                                      "%s: byte 8: images of %u x %u pixels; 1 to %d are possible",
                                      idx->path, (unsigned)rows, (unsigned)cols, MAX_SIDE);
        idx->rows = (int)rows;
        idx->cols = (int)cols;
        return 0;
}

static int parse(struct idx *idx, struct pxr_input *input, struct pxr_diag *diag)
{
        char more;
        int64_t got;

        if (read_head(idx, input, diag))
                return -1;
        idx->images.size = (size_t)idx->rows * (size_t)idx->cols;
        if (pxr_input_expect(input, idx->count * (int64_t)idx->images.size, diag))
                return -1;
        /* One by one, so that memory grows with the file and not with what its head says. */
        for (int64_t i = 0; i < idx->count; i++) {
                uint8_t *pixels = pxr_images_add(&idx->images);

                if (!pixels)
                        return pxr_out_of_memory(diag);
                if (read_exactly(input, pixels, idx->images.size, diag)) {
                        pxr_note(diag, "this is image %lld of the %lld the head promises",
                                 (long long)i + 1, (long long)idx->count);
                        return -1;
                }
        }
        got = pxr_input_read(input, &more, 1, diag);
        if (got > 0)
                return pxr_user_error(diag, "%s: byte %lld: junk behind the last of %lld images",
                                      idx->path, (long long)pxr_input_offset(input) - 1,
                                      (long long)idx->count);
        return got ? -1 : 0;
}

static int read_idx(struct pxr_arena *arena, struct pxr_dataset *set, const char *folder,
                    const char *name, struct idx *idx, struct pxr_diag *diag)
{
        struct pxr_input *input = pxr_input_open(folder, name, diag);
        int failed;

        if (!input)
                return -1;
        *idx = (struct idx) { .path = pxr_input_path(input) };
        failed = parse(idx, input, diag);
        if (!failed && set->rows && (idx->rows != set->rows || idx->cols != set->cols))
                failed = pxr_user_error(diag,
                                        "%s: byte 8: images of %d x %d pixels, but those of the "
                                        "training file have %d x %d",
                                        idx->path, idx->rows, idx->cols, set->rows, set->cols);
        if (!failed)
                failed = pxr_input_record(input, arena, set, diag);
        pxr_input_close(input);
        if (failed) {
                free(idx->images.pixels);
                return -1;
        }
        set->rows = idx->rows;
        set->cols = idx->cols;
        return pxr_images_keep(&idx->images, arena, diag);
}

static int set_split(struct pxr_arena *arena, struct pxr_dataset *set, enum pxr_split split,
                     const uint8_t *pixels, int64_t count, struct pxr_diag *diag)
{
        struct state *state = set->state;
        size_t size = (size_t)set->rows * (size_t)set->cols * (size_t)count;

        state->pixels[split] = pixels;
        set->count[split] = count;
        set->digest[split] = pxr_data_digest(arena, pixels, size, diag);
        return set->digest[split] ? 0 : -1;
}

/* The training file holds train and, at its end, valid. */
static int open_train(struct pxr_arena *arena, struct pxr_dataset *set,
                      const struct pxr_data_common *common, const struct mnist *options,
                      struct pxr_diag *diag)
{
        struct idx idx;
        int64_t train;

        if (read_idx(arena, set, options->path, "train-images-idx3-ubyte", &idx, diag))
                return -1;
        train = idx.count - options->valid;
        if (train < 1)
                return pxr_error_at(diag, pxr_data_place(common, "valid"),
                                    "%s/train-images-idx3-ubyte: has %lld images: 'valid: %lld' "
                                    "leaves none to train on",
                                    options->path, (long long)idx.count, (long long)options->valid);
        if (pxr_data_wants(common, PXR_TRAIN) &&
            set_split(arena, set, PXR_TRAIN, idx.images.pixels, train, diag))
                return -1;
        if (pxr_data_wants(common, PXR_VALID) && options->valid > 0)
                return set_split(arena, set, PXR_VALID,
                                 idx.images.pixels + (size_t)train * idx.images.size,
                                 options->valid, diag);
        return 0;
}

static int open_test(struct pxr_arena *arena, struct pxr_dataset *set, const struct mnist *options,
                     struct pxr_diag *diag)
{
        struct idx idx;

        if (read_idx(arena, set, options->path, "t10k-images-idx3-ubyte", &idx, diag))
                return -1;
        return set_split(arena, set, PXR_TEST, idx.images.pixels, idx.count, diag);
}

/* A pixel of x is 1 with probability x / 255. */
static void draw(uint8_t *pixels, size_t size, struct pxr_random random)
{
        for (size_t i = 0; i < size; i++)
                pixels[i] = pxr_random_below(&random, 255) < pixels[i];
}

static int read_images(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                       const int64_t *index, int count, uint8_t *pixels, struct pxr_diag *diag)
{
        const struct state *state = set->state;
        const struct mnist *options = state->options;
        size_t size = (size_t)set->rows * (size_t)set->cols;
        bool anew = split == PXR_TRAIN;

        (void)diag;
        for (int i = 0; i < count; i++, pixels += size) {
                memcpy(pixels, state->pixels[split] + (size_t)index[i] * size, size);
                if (options->binarization == STOCHASTIC)
                        draw(pixels, size,
                             pxr_random(anew ? state->seed : (uint64_t)options->seed,
                                        PXR_RANDOM_BINARIZE, anew ? (uint32_t)epoch : 0,
                                        (uint32_t)index[i], (uint32_t)split));
                else if (options->binarization == THRESHOLD)
                        for (size_t j = 0; j < size; j++)
                                pixels[j] = pixels[j] >= options->threshold;
        }
        return 0;
}

static const char *describe(struct pxr_arena *arena, const struct mnist *options)
{
        const char *split =
                pxr_strf(arena, "valid = last %lld of train; ", (long long)options->valid);

        if (!split)
                return NULL;
        switch ((enum binarization)options->binarization) {
        case THRESHOLD:
                return pxr_strf(arena, "%sthreshold binarization at %lld", split,
                                (long long)options->threshold);
        case STOCHASTIC:
                return pxr_strf(arena, "%sstochastic binarization, seed %lld", split,
                                (long long)options->seed);
        case NONE:
                break;
        }
        return pxr_strf(arena, "%s256 levels", split);
}

static void set_kind(const void *conf, struct pxr_dataset *set)
{
        const struct mnist *options = conf;

        set->rows = set->cols = SIDE; /* the files of its kin may say otherwise */
        set->colours = 1;
        set->levels = options->binarization == NONE ? 256 : 2;
}

static int open_set(struct pxr_arena *arena, struct pxr_dataset *set,
                    const struct pxr_data_common *common, const void *conf, uint64_t seed,
                    struct pxr_diag *diag)
{
        const struct mnist *options = conf;
        struct state *state = pxr_alloc(arena, sizeof *state);
        int failed = 0;

        set->rows = set->cols = 0; /* until a file is read */
        set->entropy = NAN;
        set->transforms = describe(arena, options);
        set->read = read_images;
        set->state = state;
        if (!state || !set->transforms)
                return pxr_out_of_memory(diag);
        *state = (struct state) { .options = options, .seed = seed };
        if (pxr_data_wants(common, PXR_TRAIN) || pxr_data_wants(common, PXR_VALID))
                failed |= open_train(arena, set, common, options, diag);
        if (pxr_data_wants(common, PXR_TEST))
                failed |= open_test(arena, set, options, diag);
        return failed ? -1 : 0;
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
        { 0 },
};

static const struct pxr_official_file unpacked[] = {
        { "train-images-idx3-ubyte", 47040016,
          "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db" },
        { "t10k-images-idx3-ubyte", 7840016,
          "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7" },
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
        .help = "MNIST and its kin in idx files, binarized or with 256 levels",
        .options = &options,
        .kind = set_kind,
        .open = open_set,
        .signs = signs,
        .official = &official,
};
