/* SPDX-License-Identifier: MIT */
/* dataset.c - opening and reading a data set. */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "data/fit.h"
#include "data/labels.h"
#include "data/official.h"
#include "config/options.h"

static const struct pxr_option common_rows[] = {
        PXR_STRING(struct pxr_data_common, set, NULL, "name of the data set"),
        PXR_ENUM_SET(struct pxr_data_common, splits, "[train, valid, test]", pxr_split_names,
                     "splits that are used; those that a spec names must be there"),
        PXR_INT(struct pxr_data_common, limit, "0", 0, 1e9,
                "use the first images of each split only; 0: all"),
        PXR_STRING(struct pxr_data_common, crop, PXR_UNSET,
                   "keep the middle of each image: ROWSxCOLUMNS, or 'square' for the largest "
                   "square"),
        PXR_STRING(struct pxr_data_common, resize, PXR_UNSET,
                   "resize images to ROWSxCOLUMNS after that, by averaging areas; or to a square: "
                   "N"),
        PXR_BOOL(struct pxr_data_common, grey, "false",
                 "turn colours to grey: 0.299 red + 0.587 green + 0.114 blue, rounded"),
        PXR_INT(struct pxr_data_common, downsample, "0", 0, 4096,
                "rows to subsample images to, columns in proportion: the pixel at the top left of "
                "each block is kept; 0: as they are"),
        PXR_BOOL(struct pxr_data_common, flip, "false",
                 "mirror half of the training images, drawn anew each epoch"),
        PXR_BOOL(struct pxr_data_common, labels, "false",
                 "read the labels of the images too, for layers that are given the class of an "
                 "image"),
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
                return pxr_data_format_find(set->text, set->location, diag);
        pxr_error_at(diag, set ? set->location : data->location, "data: expected 'set: NAME'");
        return NULL;
}

/* The identity the set would have with images of this size, by these transforms. */
static const char *identity_of(struct pxr_arena *arena, const struct pxr_dataset *set, int rows,
                               int cols, const char *transforms)
{
        char hex[PXR_SHA256_HEX];
        const char *text = pxr_strf(arena, "pxr data 1\nsize %d %d %d %d\ntransforms %s\n", rows,
                                    cols, set->colours, set->levels, transforms);

        for (int split = 0; split < PXR_SPLITS; split++)
                if (set->count[split] > 0)
                        text = pxr_strf(arena, "%s%s %lld %s\n", text, pxr_split_names[split],
                                        (long long)set->count[split], set->digest[split]);
        for (int split = 0; split < PXR_SPLITS; split++)
                if (set->count[split] > 0 && set->label_digest[split])
                        text = pxr_strf(arena, "%slabels of %s %s\n", text, pxr_split_names[split],
                                        set->label_digest[split]);
        pxr_sha256(text, strlen(text), hex);
        return pxr_strdup(arena, hex);
}

const char *pxr_dataset_small_identity(struct pxr_arena *arena, const struct pxr_dataset *set,
                                       int rows, int cols)
{
        return identity_of(arena, set, rows, cols, pxr_data_downsampled(arena, set, rows, cols));
}

/* The identity of the images as they are in the files. */
static const char *content_of(struct pxr_arena *arena, const struct pxr_dataset *set)
{
        struct pxr_dataset whole = *set;

        memset(whole.label_digest, 0, sizeof whole.label_digest);
        if (set->uncut) {
                whole.digest[PXR_TRAIN] = set->uncut;
                whole.count[PXR_TRAIN] += whole.count[PXR_VALID];
                whole.count[PXR_VALID] = 0;
        }
        return identity_of(arena, &whole, set->rows, set->cols, "none");
}

static int finish(struct pxr_opening *o)
{
        struct pxr_dataset *set = o->set;
        int64_t images = 0;

        for (int split = 0; split < PXR_SPLITS; split++)
                images += set->count[split];
        if (images == 0)
                return pxr_error_at(o->diag, pxr_data_location(o, "splits"),
                                    "data: %s: the selected splits have no images", set->name);
        set->content = content_of(o->arena, set);
        if (pxr_labels_finish(o))
                return -1;
        if (pxr_data_transform(o))
                return -1;
        set->floor = set->entropy;
        set->identity = identity_of(o->arena, set, set->rows, set->cols, set->transforms);
        return pxr_arena_failed(o->arena) ? -1 : 0;
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

/* Errors name a file; add where its folder is set, and how to get the file. */
static void note_path(const struct pxr_opening *o, struct pxr_diag *diag)
{
        const struct pxr_yaml *path = pxr_yaml_get(o->node, "path");
        const char *origin;

        if (!path || path->kind != PXR_YAML_SCALAR)
                return;
        origin = path->location.line > 0 ? pxr_yaml_origin(o->arena, path) : NULL;
        if (path->origin == PXR_ORIGIN_DEFAULT)
                pxr_note(diag, "the default 'path' of %s is %s in the current folder",
                         o->format->name, path->text);
        else if (origin)
                pxr_note(diag, "'path: %s' comes from %s", path->text, origin);
        note_fetch(o->format, path->text, diag);
}

int pxr_dataset_check(struct pxr_arena *arena, struct pxr_yaml *data, struct pxr_opening **opening,
                      struct pxr_diag *diag)
{
        const struct pxr_data_format *format = find(data, diag);
        void *options = format ? pxr_alloc(arena, format->options->size) : NULL;
        struct pxr_opening *o = format ? pxr_alloc(arena, sizeof *o) : NULL;
        int failed;

        *opening = NULL;
        if (!o)
                return -1;
        *o = (struct pxr_opening) { .arena = arena,
                                    .set = pxr_alloc(arena, sizeof *o->set),
                                    .node = data,
                                    .format = format,
                                    .options = options };
        if (!options || !o->set)
                return -1;
        failed = pxr_options_read(arena, data, format->name,
                                  (struct pxr_reading[]) { { &pxr_data_common_options, &o->common },
                                                           { format->options, options } },
                                  2, diag);
        *o->set = (struct pxr_dataset) {
                .name = format->name, .opening = o, .entropy = NAN, .transforms = "none"
        };
        if (format->kind)
                format->kind(options, o->set);
        *opening = o;
        return pxr_fit_read(o, diag) ? -1 : failed;
}

int pxr_dataset_find(const struct pxr_opening *o, struct pxr_diag *diag)
{
        const struct pxr_yaml *path = pxr_yaml_get(o->node, "path");
        struct stat status;

        if (!path || path->kind != PXR_YAML_SCALAR || stat(path->text, &status) == 0 ||
            errno != ENOENT)
                return 0;
        pxr_user_error(diag, "%s: no such file or folder", path->text);
        note_path(o, diag);
        return -1;
}

struct pxr_dataset *pxr_dataset_foresee(struct pxr_opening *o)
{
        if (o->set->rows < 1 || o->set->cols < 1 || o->set->colours < 1 ||
            o->set->levels < 2) /* unknown, or of a wrong option */
                return NULL;
        o->diag = NULL;
        return pxr_data_transform(o) ? NULL : o->set;
}

struct pxr_dataset *pxr_dataset_open_checked(struct pxr_opening *o, uint64_t seed,
                                             struct pxr_diag *diag)
{
        o->seed = seed;
        o->diag = diag;
        if (pxr_dataset_find(o, diag))
                return NULL;
        if (o->format->open(o)) {
                note_path(o, diag);
                return NULL;
        }
        return finish(o) ? NULL : o->set;
}

struct pxr_dataset *pxr_dataset_open(struct pxr_arena *arena, struct pxr_yaml *data, uint64_t seed,
                                     struct pxr_diag *diag)
{
        struct pxr_opening *o;

        return pxr_dataset_check(arena, data, &o, diag) ? NULL
                                                        : pxr_dataset_open_checked(o, seed, diag);
}

int pxr_dataset_read(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                     const int64_t *index, int count, uint8_t *pixels, struct pxr_diag *diag)
{
        for (int i = 0; i < count; i++)
                if (index[i] < 0 || index[i] >= set->count[split])
                        return pxr_system_error(diag, "%s: no image %lld among the %lld of %s",
                                                set->name, (long long)index[i],
                                                (long long)set->count[split],
                                                pxr_split_names[split]);
        return set->read(set, split, epoch, index, count, pixels, diag);
}
