/* SPDX-License-Identifier: MIT */
/* dataset.c - opening and reading a data set. */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "data/format.h"
#include "data/official.h"
#include "config/options.h"

static const struct pxr_option common_rows[] = {
        PXR_STRING(struct pxr_data_common, set, NULL, "name of the data set"),
        PXR_ENUM_SET(struct pxr_data_common, splits, "[train, valid, test]", pxr_split_names,
                     "splits that are used; those that a spec names must be there"),
        PXR_INT(struct pxr_data_common, limit, "0", 0, 1e9,
                "use the first images of each split only; 0: all"),
        PXR_BOOL(struct pxr_data_common, grey, "false",
                 "turn colours to grey: 0.299 red + 0.587 green + 0.114 blue, rounded"),
        PXR_INT(struct pxr_data_common, downsample, "0", 0, 4096,
                "rows to subsample images to, columns in proportion: the pixel at the top left of "
                "each block is kept; 0: as they are"),
        PXR_BOOL(struct pxr_data_common, flip, "false",
                 "mirror half of the training images, drawn anew each epoch"),
        PXR_END,
};

const struct pxr_options pxr_data_common_options = {
        .rows = common_rows,
        .size = sizeof(struct pxr_data_common),
        .main = "set",
};

/* The format a `data` mapping names, or NULL after an error. */
static const struct pxr_data_format *find(const struct pxr_yaml *data, struct pxr_diag *diag)
{
        const struct pxr_yaml *set = data;

        if (data->kind == PXR_YAML_MAPPING)
                set = pxr_yaml_get(data, "set");
        if (set && set->kind == PXR_YAML_SCALAR && *set->text)
                return pxr_data_format_find(set->text, set->mark, diag);
        pxr_error_at(diag, set ? set->mark : data->mark, "data: expected 'set: NAME'");
        return NULL;
}

/* The identity of the set, had it images of this size by these transforms. */
static const char *identity_of(struct pxr_arena *arena, const struct pxr_dataset *set, int rows,
                               int cols, const char *transforms, struct pxr_diag *diag)
{
        char *text = transforms ? pxr_strf(arena, "pxr data 1\nsize %d %d %d %d\ntransforms %s\n",
                                           rows, cols, set->colours, set->levels, transforms)
                                : NULL;

        for (int split = 0; text && split < PXR_SPLITS; split++)
                if (set->count[split] > 0)
                        text = pxr_strf(arena, "%s%s %lld %s\n", text, pxr_split_names[split],
                                        (long long)set->count[split], set->digest[split]);
        if (!text) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        return pxr_data_digest(arena, text, strlen(text), diag);
}

const char *pxr_dataset_small_identity(struct pxr_arena *arena, const struct pxr_dataset *set,
                                       int rows, int cols, struct pxr_diag *diag)
{
        return identity_of(arena, set, rows, cols, pxr_data_downsampled(arena, set, rows, cols),
                           diag);
}

static int finish(struct pxr_arena *arena, struct pxr_dataset *set,
                  const struct pxr_data_common *common, uint64_t seed, struct pxr_diag *diag)
{
        int64_t images = 0;

        for (int split = 0; split < PXR_SPLITS; split++)
                images += set->count[split];
        if (images == 0)
                return pxr_error_at(diag, pxr_data_place(common, "splits"),
                                    "data: %s: no images in the splits asked for", set->name);
        if (pxr_data_transform(arena, set, common, seed, diag))
                return -1;
        if (set->slow && pxr_data_read_ahead(arena, set, diag))
                return -1;
        set->floor = set->entropy;
        set->identity = identity_of(arena, set, set->rows, set->cols, set->transforms, diag);
        return set->identity ? 0 : -1;
}

/* How to get the official files, unless the folder has them all. */
static void note_fetch(const struct pxr_data_format *format, const char *path,
                       struct pxr_diag *diag)
{
        struct stat status;
        int all;

        if (!format->official || (stat(path, &status) == 0 && !S_ISDIR(status.st_mode)) ||
            pxr_official_present(format, path, &all) == all)
                return;
        if (format->official->url)
                pxr_note(diag, "'pxr-data fetch %s' puts the official files into %s", format->name,
                         pxr_official_folder(format));
        else
                pxr_note(diag, "its files were distributed by %s", format->official->source);
}

/* Errors of files name the file; say also where the spec names its folder, and how to get it. */
static void note_path(struct pxr_arena *arena, const struct pxr_yaml *data,
                      const struct pxr_data_format *format, struct pxr_diag *diag)
{
        const struct pxr_yaml *path = pxr_yaml_get(data, "path");
        const char *origin;

        if (!path || path->kind != PXR_YAML_SCALAR)
                return;
        origin = path->mark.line > 0 ? pxr_yaml_origin(arena, path) : NULL;
        if (path->origin == PXR_ORIGIN_DEFAULT)
                pxr_note(diag, "without a 'path', %s is expected in %s below the current folder",
                         format->name, path->text);
        else if (origin)
                pxr_note(diag, "'path: %s' comes from %s", path->text, origin);
        note_fetch(format, path->text, diag);
}

/* Is what `path` names there? Said once, and before each split is looked for in it. */
static int check_path(struct pxr_arena *arena, const struct pxr_yaml *data,
                      const struct pxr_data_format *format, struct pxr_diag *diag)
{
        const struct pxr_yaml *path = pxr_yaml_get(data, "path");
        struct stat status;

        if (!path || path->kind != PXR_YAML_SCALAR || stat(path->text, &status) == 0 ||
            errno != ENOENT)
                return 0;
        pxr_user_error(diag, "%s: no such file or folder", path->text);
        note_path(arena, data, format, diag);
        return -1;
}

/* The format a `data` mapping names, with the options of both tables. */
static int choose(struct pxr_arena *arena, struct pxr_yaml *data,
                  const struct pxr_data_format **format, struct pxr_data_common **common,
                  void **conf, struct pxr_diag *diag)
{
        *format = find(data, diag);
        if (!*format)
                return -1;
        *common = pxr_alloc(arena, sizeof **common);
        *conf = pxr_alloc(arena, (*format)->options->size);
        if (!*common || !*conf)
                return pxr_out_of_memory(diag);
        (*common)->node = data;
        return pxr_options_read(arena, data, (*format)->name,
                                (struct pxr_reading[]) { { &pxr_data_common_options, *common },
                                                         { (*format)->options, *conf } },
                                2, diag);
}

int pxr_dataset_check(struct pxr_arena *arena, struct pxr_yaml *data, struct pxr_diag *diag)
{
        const struct pxr_data_format *format;
        struct pxr_data_common *common;
        void *conf;

        return choose(arena, data, &format, &common, &conf, diag);
}

int pxr_dataset_find(struct pxr_arena *arena, struct pxr_yaml *data, struct pxr_diag *diag)
{
        const struct pxr_data_format *format = find(data, diag);

        return format ? check_path(arena, data, format, diag) : -1;
}

struct pxr_dataset *pxr_dataset_foresee(struct pxr_arena *arena, struct pxr_yaml *data,
                                        struct pxr_diag *diag)
{
        struct pxr_dataset *set = pxr_alloc(arena, sizeof *set);
        const struct pxr_data_format *format;
        struct pxr_data_common *common;
        void *conf;

        if (!set) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        if (choose(arena, data, &format, &common, &conf, NULL) && (!format || !common || !conf))
                return NULL;
        if (!format->kind)
                return NULL;
        format->kind(conf, set);
        if (set->rows < 1 || set->cols < 1 || set->colours < 1 || set->levels < 2)
                return NULL; /* of a wrong option */
        set->transforms = "none";
        return pxr_data_transform(arena, set, common, 0, NULL) ? NULL : set;
}

struct pxr_dataset *pxr_dataset_open(struct pxr_arena *arena, struct pxr_yaml *data, uint64_t seed,
                                     struct pxr_diag *diag)
{
        struct pxr_dataset *set = pxr_alloc(arena, sizeof *set);
        const struct pxr_data_format *format;
        struct pxr_data_common *common;
        void *conf;

        if (!set) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        if (choose(arena, data, &format, &common, &conf, diag))
                return NULL;
        set->name = format->name;
        if (check_path(arena, data, format, diag))
                return NULL;
        if (format->kind)
                format->kind(conf, set);
        if (format->open(arena, set, common, conf, seed, diag)) {
                note_path(arena, data, format, diag);
                return NULL;
        }
        return finish(arena, set, common, seed, diag) ? NULL : set;
}

static int check_index(const struct pxr_dataset *set, enum pxr_split split, const int64_t *index,
                       int count, struct pxr_diag *diag)
{
        for (int i = 0; i < count; i++)
                if (index[i] < 0 || index[i] >= set->count[split])
                        return pxr_system_error(diag, "%s: no image %lld among the %lld of %s",
                                                set->name, (long long)index[i],
                                                (long long)set->count[split],
                                                pxr_split_names[split]);
        return 0;
}

int pxr_dataset_read(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                     const int64_t *index, int count, uint8_t *pixels, struct pxr_diag *diag)
{
        if (check_index(set, split, index, count, diag))
                return -1;
        return set->read(set, split, epoch, index, count, pixels, diag);
}

void pxr_dataset_expect(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                        const int64_t *index, int count)
{
        if (set->expect && count > 0 && check_index(set, split, index, count, NULL) == 0)
                set->expect(set, split, epoch, index, count);
}
