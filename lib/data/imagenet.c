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

#include "data/known.h"
#include "data/png_files.h"

enum { SMALL, LARGE };

static const char *const sizes[] = { "32", "64", NULL };

struct imagenet {
        const char *path;
        int size;
        int64_t valid;
        double memory;
};

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

const struct pxr_data_format pxr_data_imagenet = {
        .name = "imagenet",
        .help = "downsampled ImageNet as PNG files in folders or archives, 32x32 or 64x64 in "
                "colour",
        .options = &options,
        .kind = set_kind,
        .open = open_set,
};
