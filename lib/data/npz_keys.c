/* SPDX-License-Identifier: MIT */
/* npz_keys.c - which arrays of an .npz file are images and labels. */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "data/npy.h"
#include "data/npz_keys.h"

enum { MOST_KEYS = 1024, SHOWN_KEYS = 20 };

/* The arrays of a file, as far as they were looked at. */
struct listing {
        int count;
        struct {
                const char *name;
                bool like_images; /* bytes, in two dimensions or more */
        } of[MOST_KEYS];
};

/* Names of images and labels in files that hold several splits. */
static const struct {
        enum pxr_split split;
        const char *images, *labels;
} of_splits[] = {
        { PXR_TRAIN, "x_train", "y_train" },
        { PXR_TRAIN, "train_images", "train_labels" },
        { PXR_TRAIN, "train", "train_labels" },
        { PXR_VALID, "x_val", "y_val" },
        { PXR_VALID, "x_valid", "y_valid" },
        { PXR_VALID, "val_images", "val_labels" },
        { PXR_VALID, "valid_images", "valid_labels" },
        { PXR_VALID, "valid", "valid_labels" },
        { PXR_TEST, "x_test", "y_test" },
        { PXR_TEST, "test_images", "test_labels" },
        { PXR_TEST, "test", "test_labels" },
};

/* The array of this name; NULL: there is none. */
static const char *find_exactly(const struct listing *listing, const char *name)
{
        for (int i = 0; i < listing->count; i++)
                if (strcmp(listing->of[i].name, name) == 0)
                        return listing->of[i].name;
        return NULL;
}

/* ... or else the first one whose name differs only in case. */
static const char *find(const struct listing *listing, const char *name)
{
        const char *found = find_exactly(listing, name);

        for (int i = 0; i < listing->count && !found; i++)
                if (strcasecmp(listing->of[i].name, name) == 0)
                        found = listing->of[i].name;
        return found;
}

static int look(struct pxr_opening *o, const char *path, struct pxr_archive *archive,
                const char *entry, struct listing *listing)
{
        size_t length = strlen(entry);
        struct pxr_npy array;
        struct pxr_diag *quiet;

        if (length < 5 || strcmp(entry + length - 4, ".npy") != 0)
                return 0;
        if (listing->count == MOST_KEYS)
                return pxr_user_error(o->diag, "%s: contains more than %d arrays", path, MOST_KEYS);
        quiet = pxr_diag_new();
        if (!quiet)
                return pxr_out_of_memory(o->diag);
        listing->of[listing->count].name = pxr_strndup(o->arena, entry, length - 4);
        listing->of[listing->count++].like_images =
                pxr_npy_read_header(pxr_archive_entry(archive), &array, quiet) == 0 &&
                strcmp(array.type, "|u1") == 0 && array.dimensions > 1 && array.shape[1] > 1;
        pxr_diag_free(quiet);
        return 0;
}

/* List the arrays of a file, up to the images `key` unless labels are asked for. */
static int list(struct pxr_opening *o, const char *path, const char *key, struct listing *listing)
{
        struct pxr_archive *archive = pxr_archive_open(path, o->diag);
        const char *name;
        int result = 1;

        if (!archive)
                return -1;
        while (result > 0 && (o->common.labels || !find_exactly(listing, key)) &&
               (result = pxr_archive_next(archive, &name, o->diag)) > 0)
                if (look(o, path, archive, name, listing))
                        result = -1;
        pxr_archive_close(archive);
        return result < 0 ? -1 : 0;
}

static int refuse(struct pxr_opening *o, const char *path, const char *key,
                  const struct listing *listing)
{
        const char *all = "";

        for (int i = 0; i < listing->count && i < SHOWN_KEYS; i++)
                all = pxr_strf(o->arena, "%s%s%s", all, *all ? ", " : "", listing->of[i].name);
        if (listing->count > SHOWN_KEYS)
                all = pxr_strf(o->arena, "%s and %d more", all, listing->count - SHOWN_KEYS);
        if (listing->count == 0)
                return pxr_user_error(o->diag, "%s: contains no arrays", path);
        if (key)
                return pxr_error_at(o->diag, pxr_data_location(o, "key"),
                                    "%s: contains no array '%s', but: %s", path, key, all);
        pxr_user_error(o->diag,
                       "%s: none of its arrays is 'data', and several may be the images: %s", path,
                       all);
        pxr_note(o->diag, "name the images by 'key', such as 'key: %s'", listing->of[0].name);
        return -1;
}

/* The labels that belong to images of this name, as files that hold several splits have them. */
static const char *labels_of(const struct listing *listing, const char *images)
{
        const char *labels = NULL;

        for (size_t i = 0; i < PXR_COUNT(of_splits) && !labels; i++)
                if (strcasecmp(images, of_splits[i].images) == 0)
                        labels = find(listing, of_splits[i].labels);
        return labels;
}

static bool choose_splits(const struct listing *listing, struct pxr_npz_keys keys[PXR_SPLITS])
{
        bool found = false;

        for (size_t i = 0; i < PXR_COUNT(of_splits); i++) {
                struct pxr_npz_keys *of = &keys[of_splits[i].split];
                const char *images = find(listing, of_splits[i].images);

                if (!images || of->images)
                        continue;
                of->images = images;
                of->labels = find(listing, of_splits[i].labels);
                found = true;
        }
        return found;
}

/* The only array that can be images; NULL: there is none, or there are several. */
static const char *only(const struct listing *listing)
{
        const char *found = listing->count == 1 ? listing->of[0].name : NULL;
        int images = 0;

        for (int i = 0; i < listing->count; i++)
                if (listing->of[i].like_images && ++images)
                        found = listing->of[i].name;
        return images > 1 ? NULL : found;
}

int pxr_npz_choose(struct pxr_opening *o, const char *path, const char *key,
                   struct pxr_npz_keys keys[PXR_SPLITS])
{
        static const char *const labels[] = { "labels", "label", "y", "targets" };
        struct listing listing = { 0 };
        struct pxr_npz_keys *one = &keys[PXR_TRAIN];

        memset(keys, 0, PXR_SPLITS * sizeof *keys);
        if (list(o, path, key ? key : "data", &listing))
                return -1;
        if (key || find(&listing, "data"))
                one->images = find(&listing, key ? key : "data");
        else if (choose_splits(&listing, keys))
                return 0;
        else
                one->images = only(&listing);
        if (!one->images)
                return refuse(o, path, key, &listing);
        one->labels = labels_of(&listing, one->images);
        for (size_t i = 0; i < PXR_COUNT(labels) && !one->labels; i++)
                one->labels = find(&listing, labels[i]);
        return 0;
}
