/* SPDX-License-Identifier: MIT */
/*
 * png_folder.c - any folder of PNG files of one size, grey or in colour.
 *
 * Either `path` holds the files (a folder, or a tar archive), or it holds folders train, valid and
 * test of them.
 */
#include "config.h"

#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "data/png_files.h"
#include "config/yaml.h"

enum colours { ANY, GREY, RGB };

static const char *const colour_names[] = { "any", "grey", "rgb", NULL };

struct png_folder {
        const char *path;
        int64_t valid, test;
        int colours;
        int64_t levels;
        double memory;
};

static bool is_folder(const char *path)
{
        struct stat status;

        return path && stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_split(const char *name)
{
        return pxr_split_find(name) >= 0;
}

/* Beside the folders of splits, a folder "val" is likely to be meant as one. */
static void report_others(const char *path, struct pxr_diag *diag)
{
        char example[NAME_MAX + 1] = "", below[PATH_MAX];
        DIR *folder = opendir(path);
        struct dirent *entry;

        while (folder && (entry = readdir(folder))) {
                const char *name = entry->d_name;

                snprintf(below, sizeof below, "%s/%s", path, name);
                if (name[0] != '.' && !is_split(name) && is_folder(below) &&
                    (!*example || strcmp(name, example) < 0))
                        snprintf(example, sizeof example, "%s", name);
        }
        if (folder)
                closedir(folder);
        if (*example)
                pxr_warn(diag,
                         "%s: skipped the folder %s: the folders of splits are train, valid "
                         "and test",
                         path, example);
}

/* All of a folder, if it is there. */
static int open_split(struct pxr_arena *arena, const char *path, struct pxr_png_split *split,
                      struct pxr_diag *diag)
{
        if (!is_folder(path))
                return 0;
        split->files = pxr_png_files_open(arena, path, diag);
        if (!split->files)
                return -1;
        split->count = split->files->count;
        return 0;
}

/* Move `count` images from the end of train to a split of their own. */
static int cut(const struct pxr_data_common *common, struct pxr_png_split splits[PXR_SPLITS],
               enum pxr_split number, int64_t count, struct pxr_diag *diag)
{
        const char *name = pxr_split_names[number];
        struct pxr_location place = pxr_data_place(common, name);
        struct pxr_png_split *train = &splits[PXR_TRAIN];

        if (count == 0)
                return 0;
        if (splits[number].count > 0)
                return pxr_error_at(diag, place,
                                    "'%s: %lld' cannot be taken from train: there is a folder %s",
                                    name, (long long)count, splits[number].files->path);
        if (count >= train->count)
                return pxr_error_at(diag, place,
                                    "%s: '%s: %lld' leaves none of %lld images to train on",
                                    train->files ? train->files->path : "no folder train", name,
                                    (long long)count, (long long)train->count);
        train->count -= count;
        splits[number] =
                (struct pxr_png_split) { train->files, train->first + train->count, count };
        return 0;
}

static int find_splits(struct pxr_arena *arena, const struct pxr_data_common *common,
                       const struct png_folder *options, struct pxr_png_split splits[PXR_SPLITS],
                       struct pxr_diag *diag)
{
        bool apart = false;

        for (int i = 0; i < PXR_SPLITS; i++) {
                const char *path = pxr_strf(arena, "%s/%s", options->path, pxr_split_names[i]);

                if (!path)
                        return pxr_out_of_memory(diag);
                if (open_split(arena, path, &splits[i], diag))
                        return -1;
                apart |= splits[i].files != NULL;
        }
        if (apart)
                report_others(options->path, diag);
        if (!apart) {
                splits[PXR_TRAIN].files = pxr_png_files_open(arena, options->path, diag);
                if (!splits[PXR_TRAIN].files)
                        return -1;
                splits[PXR_TRAIN].count = splits[PXR_TRAIN].files->count;
        }
        return cut(common, splits, PXR_TEST, options->test, diag) ||
                               cut(common, splits, PXR_VALID, options->valid, diag)
                       ? -1
                       : 0;
}

static const char *describe(struct pxr_arena *arena, const struct png_folder *options)
{
        const char *words = NULL;

        if (options->valid > 0 && options->test > 0)
                words = pxr_strf(arena, "test = last %lld of train, valid = last %lld of the rest",
                                 (long long)options->test, (long long)options->valid);
        else if (options->valid > 0)
                words = pxr_strf(arena, "valid = last %lld of train", (long long)options->valid);
        else if (options->test > 0)
                words = pxr_strf(arena, "test = last %lld of train", (long long)options->test);
        else
                words = "none";
        return words;
}

static bool is_default(const struct pxr_data_common *common, const char *option)
{
        const struct pxr_yaml *node = pxr_yaml_get(common->node, option);

        return !node || node->origin == PXR_ORIGIN_DEFAULT;
}

static int open_set(struct pxr_arena *arena, struct pxr_dataset *set,
                    const struct pxr_data_common *common, const void *conf, uint64_t seed,
                    struct pxr_diag *diag)
{
        const struct png_folder *options = conf;
        struct pxr_png_split splits[PXR_SPLITS] = { 0 };
        const struct pxr_png_split *sample = NULL;
        int bits = 0;

        (void)seed;
        set->levels = (int)options->levels;
        set->entropy = NAN;
        set->transforms = describe(arena, options);
        if (!set->transforms)
                return pxr_out_of_memory(diag);
        if (find_splits(arena, common, options, splits, diag))
                return -1;
        for (int i = PXR_SPLITS - 1; i >= 0; i--)
                if (splits[i].count > 0)
                        sample = &splits[i];
        if (pxr_png_files_size(sample->files, sample->first, set, &bits, diag))
                return -1;
        if (bits == 1 && set->colours == 1 && is_default(common, "levels"))
                pxr_warn(diag,
                         "%s: the pixels are black or white (1 bit each), but are read as 2 of 256 "
                         "levels: 'levels: 2' makes them binary",
                         sample->files->path);
        if (options->colours != ANY)
                set->colours = options->colours == RGB ? 3 : 1;
        for (int i = 0; i < PXR_SPLITS; i++)
                if (!pxr_data_wants(common, i))
                        splits[i].count = 0;
        return pxr_png_files_load(arena, set, splits, options->memory, diag);
}

static const struct pxr_option rows[] = {
        PXR_STRING(struct png_folder, path, "data/png_folder",
                   "folder or tar archive of PNG files of one size, or folder of folders train, "
                   "valid, test; where a folder has none, those below it, in the order of their "
                   "paths"),
        PXR_INT(struct png_folder, valid, "0", 0, 1e9,
                "images at the end of train that form the valid split"),
        PXR_INT(struct png_folder, test, "0", 0, 1e9,
                "images at the end of train, behind those of valid, that form the test split"),
        PXR_ENUM(struct png_folder, colours, "any", colour_names,
                 "grey; rgb, which takes grey files too; any: as the first file is"),
        PXR_INT(struct png_folder, levels, "256", 2, 256,
                "values of a pixel's colour, spread from 0 to 255 in the files"),
        PXR_REAL(struct png_folder, memory, "2048", 0, 1e9,
                 "MB of pixels to hold in memory; of more, each is decoded when it is read"),
        PXR_END,
};

static const struct pxr_options options = { .rows = rows, .size = sizeof(struct png_folder) };

static const struct pxr_data_sign signs[] = {
        { "train", "train, valid, test", NULL },
        { "valid", "train, valid, test", NULL },
        { "test", "train, valid, test", NULL },
        { 0 },
};

/* Formats that are not read get advice on how to convert them. */
static const char *const patterns[] = { "*.png",     "*.jpg", "*.jpeg", "*.webp",
                                        "*.parquet", "*/",    NULL };

const struct pxr_data_format pxr_data_png_folder = {
        .name = "png_folder",
        .help = "any folder of PNG files of one size, grey or in colour",
        .options = &options,
        .open = open_set,
        .signs = signs,
        .patterns = patterns,
};
