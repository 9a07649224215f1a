/* SPDX-License-Identifier: MIT */
/*
 * imagenet.c - downsampled ImageNet as the release of 2016 has it: folders of PNG files
 * train_32x32 and valid_32x32, or train_64x64 and valid_64x64, or their tar archives as they were
 * distributed.
 *
 * The release has one split besides train, which is `valid` here as in the paper. With `valid: N`,
 * validation images come from the end of train and the release's own become `test`.
 */
#include "config.h"

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

int pxr_imagenet_release(struct pxr_arena *arena, int64_t train, int64_t valid, const char **text,
                         struct pxr_diag *diag)
{
        int of_train = 0, of_valid = 0;

        for (size_t i = 0; i < PXR_COUNT(releases); i++) {
                of_train = releases[i].train == train ? releases[i].year : of_train;
                of_valid = releases[i].valid == valid ? releases[i].year : of_valid;
        }
        if (of_train && of_valid && of_train != of_valid)
                return pxr_user_error(diag,
                                      "downsampled ImageNet: the %lld training images are from the "
                                      "release of %d, but the %lld of valid from that of %d, which "
                                      "was downsampled differently",
                                      (long long)train, of_train, (long long)valid, of_valid);
        if ((!of_train && train > 0) || (!of_valid && valid > 0) || of_train + of_valid == 0) {
                *text = "downsampled ImageNet, of neither release as a whole";
                return 0;
        }
        *text = pxr_strf(arena, "downsampled ImageNet, release of %d",
                         of_train ? of_train : of_valid);
        return 1;
}

static int open_folder(struct pxr_opening *o, const char *split, struct pxr_png_split *files)
{
        const struct imagenet *options = o->options;
        const char *size = sizes[options->size];
        const char *path = pxr_strf(o->arena, "%s/%s_%sx%s", options->path, split, size, size);
        const char *archive = pxr_strf(o->arena, "%s.tar", path);

        if (access(path, F_OK) != 0 && access(archive, F_OK) == 0)
                path = archive;
        return pxr_png_split_open(o, path, files);
}

/* What the options ask for, of the two folders. */
static int find_splits(struct pxr_opening *o, struct pxr_png_split splits[PXR_SPLITS])
{
        const struct imagenet *options = o->options;
        enum pxr_split official_valid = options->valid > 0 ? PXR_TEST : PXR_VALID;
        bool needs_train = pxr_data_opens(o, PXR_TRAIN) ||
                           (options->valid > 0 && pxr_data_opens(o, PXR_VALID));

        if (needs_train && open_folder(o, "train", &splits[PXR_TRAIN]))
                return -1;
        if (pxr_data_opens(o, official_valid) && open_folder(o, "valid", &splits[official_valid]))
                return -1;
        if (pxr_imagenet_release(o->arena, splits[PXR_TRAIN].count, splits[official_valid].count,
                                 &o->set->transforms, o->diag) < 0)
                return -1;
        if (options->valid == 0 || !needs_train)
                return 0;
        o->set->transforms =
                pxr_strf(o->arena, "%s; valid = last %lld of train, test = its own valid",
                         o->set->transforms, (long long)options->valid);
        return pxr_png_split_cut(o, splits, PXR_VALID, options->valid);
}

static void set_kind(const void *conf, struct pxr_dataset *set)
{
        const struct imagenet *options = conf;

        set->rows = set->cols = options->size == SMALL ? 32 : 64;
        set->colours = 3;
        set->levels = 256;
}

static int open_set(struct pxr_opening *o)
{
        const struct imagenet *options = o->options;
        struct pxr_png_split splits[PXR_SPLITS] = { 0 };

        return find_splits(o, splits) || pxr_png_files_load(o, splits, options->memory) ? -1 : 0;
}

static const struct pxr_option rows[] = {
        PXR_STRING(
                struct imagenet, path, "data/imagenet",
                "folder that holds train_32x32 and valid_32x32, or train_64x64 and valid_64x64, or "
                "their archives (train_32x32.tar ...)"),
        PXR_ENUM(struct imagenet, size, "32", sizes, "pixels on a side"),
        PXR_INT(struct imagenet, valid, "0", 0, 1e9,
                "images at the end of train that form the valid split, while the set's own becomes "
                "test; 0: its own is valid, without a test split"),
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
