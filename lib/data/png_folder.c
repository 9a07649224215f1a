/* SPDX-License-Identifier: MIT */
/*
 * png_folder.c - any folder of PNG and JPEG files, grey or in colour, of one size unless they are
 * cropped and resized.
 *
 * `path` is a folder or tar archive of the files, or a folder with folders train, valid and test of
 * them.
 */
#include "config.h"

#include <dirent.h>
#include <limits.h>
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

/* Warn about other folders beside those of splits: "val" is likely to be meant as one. */
static void report_others(const char *path, struct pxr_diag *diag)
{
        char example[NAME_MAX + 1] = "", below[PATH_MAX];
        DIR *folder = opendir(path);
        struct dirent *entry;

        while (folder && (entry = readdir(folder))) {
                const char *name = entry->d_name;

                snprintf(below, sizeof below, "%s/%s", path, name);
                if (name[0] != '.' && pxr_split_find(name) < 0 && is_folder(below) &&
                    (!*example || strcmp(name, example) < 0))
                        snprintf(example, sizeof example, "%s", name);
        }
        if (folder)
                closedir(folder);
        if (*example)
                pxr_warn(diag,
                         "%s: skipped the folder %s: splits are the folders train, valid and "
                         "test",
                         path, example);
}

static int find_splits(struct pxr_opening *o, struct pxr_png_split splits[PXR_SPLITS])
{
        const struct png_folder *options = o->options;
        bool separate = false;

        for (int i = 0; i < PXR_SPLITS; i++) {
                const char *path = pxr_strf(o->arena, "%s/%s", options->path, pxr_split_names[i]);

                if (!is_folder(path))
                        continue;
                if (pxr_png_split_open(o, path, &splits[i]))
                        return -1;
                separate = true;
        }
        if (separate)
                report_others(options->path, o->diag);
        else if (pxr_png_split_open(o, options->path, &splits[PXR_TRAIN]))
                return -1;
        return pxr_png_split_cut(o, splits, PXR_TEST, options->test) ||
                               pxr_png_split_cut(o, splits, PXR_VALID, options->valid)
                       ? -1
                       : 0;
}

static const char *describe(struct pxr_arena *arena, const struct png_folder *options)
{
        if (options->valid > 0 && options->test > 0)
                return pxr_strf(arena, "test = last %lld of train, valid = last %lld of the rest",
                                (long long)options->test, (long long)options->valid);
        if (options->valid > 0)
                return pxr_strf(arena, "valid = last %lld of train", (long long)options->valid);
        if (options->test > 0)
                return pxr_strf(arena, "test = last %lld of train", (long long)options->test);
        return "none";
}

/* Take the size of all images from the first. */
static int set_size(struct pxr_opening *o, const struct pxr_png_split splits[PXR_SPLITS])
{
        const struct png_folder *options = o->options;
        const struct pxr_png_split *first = splits;
        const struct pxr_yaml *levels = pxr_yaml_get(o->node, "levels");
        int bits = 0;

        while (first->count == 0)
                first++;
        if (pxr_png_files_size(o, first, &bits))
                return -1;
        if (bits == 1 && o->set->colours == 1 && (!levels || levels->origin == PXR_ORIGIN_DEFAULT))
                pxr_warn(o->diag,
                         "%s: the pixels are black or white (1 bit each), but are read as 2 of 256 "
                         "levels (set 'levels: 2' to make them binary)",
                         first->files->path);
        if (options->colours != ANY)
                o->set->colours = options->colours == RGB ? 3 : 1;
        return 0;
}

static int open_set(struct pxr_opening *o)
{
        const struct png_folder *options = o->options;
        struct pxr_png_split splits[PXR_SPLITS] = { 0 };

        o->set->levels = (int)options->levels;
        o->set->transforms = describe(o->arena, options);
        return find_splits(o, splits) || set_size(o, splits) ||
                               pxr_png_files_load(o, splits, options->memory)
                       ? -1
                       : 0;
}

static const struct pxr_option rows[] = {
        PXR_STRING(struct png_folder, path, "data/png_folder",
                   "folder or tar archive of PNG and JPEG files, or folder of folders train, "
                   "valid, test; a folder without pictures is searched recursively, in the order "
                   "of paths"),
        PXR_INT(struct png_folder, valid, "0", 0, 1e9,
                "images at the end of train that form the valid split"),
        PXR_INT(struct png_folder, test, "0", 0, 1e9,
                "images at the end of train, after those of valid, that form the test split"),
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
        .help = "any folder of PNG and JPEG files, grey or in colour; of one size, unless they are "
                "cropped or resized",
        .options = &options,
        .open = open_set,
        .fits = true,
        .signs = signs,
        .patterns = patterns,
};
