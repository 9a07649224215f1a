/* SPDX-License-Identifier: MIT */
/*
 * imagenet.c - downsampled ImageNet as the release of 2016 has it: folders of PNG files
 * train_32x32 and valid_32x32, or train_64x64 and valid_64x64, or their tar archives as they were
 * distributed.
 *
 * The paper calls its valid split validation and has no other, so it is `valid` here; who wants to
 * choose by one split and report another takes `valid: N` from the end of train, and the
 * release's own becomes `test`.
 */
#include "config.h"

#include <math.h>
#include <unistd.h>

#include "data/png_files.h"

enum { SMALL, LARGE };

static const char *const sizes[] = { "32", "64", NULL };

struct imagenet {
        const char *path;
        int size;
        int64_t valid;
        double memory;
};

struct release {
        int year;
        int64_t train, valid; /* images */
};

static const struct release releases[] = {
        { 2016, 1281149, 49999 },
        { 2017, 1281167, 50000 },
};

enum { RELEASES = sizeof releases / sizeof releases[0] };

int pxr_imagenet_release(struct pxr_arena *arena, int64_t train, int64_t valid, const char **words,
                         struct pxr_diag *diag)
{
        int of_train = 0, of_valid = 0;

        for (int i = 0; i < RELEASES; i++) {
                of_train = releases[i].train == train ? releases[i].year : of_train;
                of_valid = releases[i].valid == valid ? releases[i].year : of_valid;
        }
        if (of_train && of_valid && of_train != of_valid)
                return pxr_user_error(diag,
                                      "downsampled ImageNet: the %lld training images are the "
                                      "release of %d, but the %lld of valid that of %d, which was "
                                      "downsampled in another way",
                                      (long long)train, of_train, (long long)valid, of_valid);
        if ((!of_train && train > 0) || (!of_valid && valid > 0) || of_train + of_valid == 0) {
                *words = "downsampled ImageNet, of neither release as a whole";
                return 0;
        }
        *words = pxr_strf(arena, "downsampled ImageNet, release of %d",
                          of_train ? of_train : of_valid);
        return *words ? 1 : pxr_out_of_memory(diag);
}

/* The folder, or the archive where there is that alone. */
static const char *either(struct pxr_arena *arena, const char *path)
{
        const char *archive = pxr_strf(arena, "%s.tar", path);

        return !archive || access(archive, F_OK) == 0 ? archive : path;
}

static int open_folder(struct pxr_arena *arena, const struct imagenet *options, const char *split,
                       struct pxr_png_split *files, struct pxr_diag *diag)
{
        const char *size = sizes[options->size];
        const char *path = pxr_strf(arena, "%s/%s_%sx%s", options->path, split, size, size);

        if (path && access(path, F_OK) != 0)
                path = either(arena, path);
        if (!path)
                return pxr_out_of_memory(diag);
        files->files = pxr_png_files_open(arena, path, diag);
        if (!files->files)
                return -1;
        files->count = files->files->count;
        return 0;
}

/* What the options ask for, of the two folders. */
static int find_splits(struct pxr_arena *arena, const struct pxr_data_common *common,
                       const struct imagenet *options, struct pxr_png_split splits[PXR_SPLITS],
                       struct pxr_dataset *set, struct pxr_diag *diag)
{
        enum pxr_split official = options->valid > 0 ? PXR_TEST : PXR_VALID;
        bool needs_train = pxr_data_wants(common, PXR_TRAIN) ||
                           (options->valid > 0 && pxr_data_wants(common, PXR_VALID));
        struct pxr_png_split *train = &splits[PXR_TRAIN];

        if (needs_train && open_folder(arena, options, "train", train, diag))
                return -1;
        if (pxr_data_wants(common, official) &&
            open_folder(arena, options, "valid", &splits[official], diag))
                return -1;
        if (pxr_imagenet_release(arena, train->count, splits[official].count, &set->transforms,
                                 diag) < 0)
                return -1;
        if (options->valid == 0 || !needs_train)
                return 0;
        if (options->valid >= train->count)
                return pxr_error_at(diag, pxr_data_place(common, "valid"),
                                    "%s: 'valid: %lld' leaves none of %lld images to train on",
                                    train->files->path, (long long)options->valid,
                                    (long long)train->count);
        train->count -= options->valid;
        splits[PXR_VALID] = (struct pxr_png_split) { train->files, train->count, options->valid };
        set->transforms = pxr_strf(arena, "%s; valid = last %lld of train, test = its own valid",
                                   set->transforms, (long long)options->valid);
        return set->transforms ? 0 : pxr_out_of_memory(diag);
}

static void set_kind(const void *conf, struct pxr_dataset *set)
{
        const struct imagenet *options = conf;

        set->rows = set->cols = options->size == SMALL ? 32 : 64;
        set->colours = 3;
        set->levels = 256;
}

static int open_set(struct pxr_arena *arena, struct pxr_dataset *set,
                    const struct pxr_data_common *common, const void *conf, uint64_t seed,
                    struct pxr_diag *diag)
{
        const struct imagenet *options = conf;
        struct pxr_png_split splits[PXR_SPLITS] = { 0 };

        (void)seed;
        set->entropy = NAN;
        if (find_splits(arena, common, options, splits, set, diag))
                return -1;
        for (int i = 0; i < PXR_SPLITS; i++)
                if (!pxr_data_wants(common, i))
                        splits[i].count = 0;
        return pxr_png_files_load(arena, set, splits, options->memory, diag);
}

static const struct pxr_option rows[] = {
        PXR_STRING(
                struct imagenet, path, "data/imagenet",
                "folder that holds train_32x32 and valid_32x32, or train_64x64 and valid_64x64, or "
                "their archives (train_32x32.tar ...)"),
        PXR_ENUM(struct imagenet, size, "32", sizes, "pixels on a side"),
        PXR_INT(struct imagenet, valid, "0", 0, 1e9,
                "images at the end of train that form the valid split, while the set's own becomes "
                "test; 0: its own is valid, and there is no test"),
        PXR_REAL(struct imagenet, memory, "2048", 0, 1e9,
                 "MB of pixels to hold in memory; of more, each is decoded when it is read"),
        PXR_END,
};

static const struct pxr_options options = { .rows = rows, .size = sizeof(struct imagenet) };

static const struct pxr_official_file files[] = {
        { "train_32x32.tar", 4113018880,
          "244a323d48f8d72f65ad8b54658c01fed68d2d7bdc77ccb43da58c11e94224e5" },
        { "valid_32x32.tar", 161474560,
          "862e559462b24cf736212a19f6b0d47b55c2dc8ebdaa95ccecfe71260124c8f7" },
        { "train_64x64.tar", 12112588800,
          "e2a2c1947a748d0d256e98e6d82800d855441dc9e4de2e71a773f1324c4524d7" },
        { "valid_64x64.tar", 477255680,
          "eeac03ec4f585baf871d2b4cb9c974bfe345e74878a74e5820fe6eb1041629cd" },
        { 0 },
};

static const struct pxr_official official = {
        .source =
                "image-net.org, which now distributes another release (2017) under the same name, "
                "whose results are not comparable; use --url to name a mirror",
        .files = files,
};

static const struct pxr_data_sign signs[] = {
        { "train_32x32", "train", "size=32" },
        { "train_32x32.tar", "train", "size=32" },
        { "valid_32x32", "valid", "size=32" },
        { "valid_32x32.tar", "valid", "size=32" },
        { "train_64x64", "train", "size=64" },
        { "train_64x64.tar", "train", "size=64" },
        { "valid_64x64", "valid", "size=64" },
        { "valid_64x64.tar", "valid", "size=64" },
        { 0 },
};

const struct pxr_data_format pxr_data_imagenet = {
        .name = "imagenet",
        .help = "downsampled ImageNet as PNG files in folders or archives, 32x32 or 64x64 in "
                "colour",
        .options = &options,
        .kind = set_kind,
        .open = open_set,
        .signs = signs,
        .official = &official,
};
