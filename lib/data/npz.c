/* SPDX-License-Identifier: MIT */
/*
 * npz.c - images in NumPy's files: .npz, as the later release of downsampled ImageNet has them, and
 * .npy.
 *
 * An .npz file is a zip archive of arrays; npz_keys.h says which of them are read, and npy.h what
 * shapes they have. In a folder, train*.npz, val*.npz and test*.npz are the splits, or train.npy
 * and so on; the files of a split are read in the order of the numbers in their names.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/number.h"
#include "data/labels.h"
#include "data/npy.h"
#include "data/npz_keys.h"
#include "data/pixels.h"
#include "data/png.h"
#include "data/recognize.h"

enum { MB = 1 << 20 };

struct npz {
        const char *path;
        const char *key;
        int layout;
        int64_t rows;
        int64_t levels;
        int64_t valid;
        double memory;
};

/* --- one file ----------------------------------------------------------------------------------*/

/* Whether this is a file of downsampled ImageNet, in which an image is a flat row of colour planes.
 * Other files may have the same names, so the number of images is compared too. */
static bool is_imagenet(const char *path, const struct pxr_npy *array)
{
        const char *name = basename(path);
        int64_t images = array->dimensions > 0 ? array->shape[0] : 0;
        int batch, end = 0;

        if (strcmp(name, "val_data.npz") == 0)
                return images == 50000;
        sscanf(name, "train_data_batch_%d.npz%n", &batch, &end);
        return end > 0 && name[end] == '\0' && images == (batch == 10 ? 128123 : 128116);
}

/* The text if it needs no escapes in a Python string, else `word`. */
static const char *quotable(const char *text, const char *word)
{
        return strpbrk(text, "'\\\n\r") ? word : text;
}

/* Hint at a line of Python that writes a readable file. `why`: "to ...". */
static void note_numpy(const char *why, const char *before, const char *path, const char *key,
                       const char *after, struct pxr_diag *diag)
{
        bool of_key = key && *key;

        pxr_note(diag, "%s, in Python: numpy.savez('new.npz', data=%snumpy.load('%s')%s%s%s%s)",
                 why, before, quotable(path, "FILE"), of_key ? "['" : "",
                 of_key ? quotable(key, "KEY") : "", of_key ? "']" : "", after);
}

/* Only bytes are read, in C order. */
static int check_type(const char *path, const char *key, const struct pxr_reader *input,
                      const struct pxr_npy *array, struct pxr_diag *diag)
{
        const char *type = array->type, *name = pxr_reader_path(input);

        if (strcmp(type, "|u1") != 0 && strcmp(type, "u1") != 0) {
                pxr_user_error(diag, "%s: expected an array of bytes (dtype uint8), got dtype '%s'",
                               name, type);
                if (strpbrk(type, "f"))
                        note_numpy("to convert values from 0 to 1", "numpy.rint(255 * ", path, key,
                                   ").astype('uint8')", diag);
                else if (strpbrk(type, "b"))
                        note_numpy("to convert it to images of 'levels: 2'", "255 * ", path, key,
                                   ".astype('uint8')", diag);
                else
                        note_numpy("to convert values from 0 to 255", "", path, key,
                                   ".astype('uint8')", diag);
                return -1;
        }
        if (!array->by_columns)
                return 0;
        pxr_user_error(diag, "%s: expected an array in C order, got Fortran order", name);
        note_numpy("to convert it", "numpy.ascontiguousarray(", path, key, ")", diag);
        return -1;
}

/* Convert image `number`, counted from 1, from its layout in the file to that in memory. */
static int take_image(const struct pxr_dataset *set, const struct pxr_reader *input,
                      const struct pxr_layout *layout, int64_t number, const uint8_t *bytes,
                      uint8_t *image, struct pxr_diag *diag)
{
        const struct pxr_image_kind kind = { set->rows, set->cols, set->colours, set->levels };
        size_t plane = (size_t)set->rows * (size_t)set->cols;
        char name[PATH_MAX + 64];

        if (layout->planar)
                pxr_data_interleave(bytes, plane, image);
        else
                memcpy(image, bytes, plane * (size_t)set->colours);
        if (set->levels == 256)
                return 0;
        snprintf(name, sizeof name, "%s: image %lld", pxr_reader_path(input), (long long)number);
        if (pxr_png_to_levels(name, &kind, image, diag) == 0)
                return 0;
        pxr_note(diag, "level k of %d is the byte 255 * k / %d, rounded", set->levels,
                 set->levels - 1);
        return -1;
}

static int read_images(struct pxr_opening *o, struct pxr_reader *input, int64_t count,
                       const struct pxr_layout *layout)
{
        size_t size = pxr_image_size(o->set);
        uint8_t *bytes = malloc(size);
        int failed = bytes ? 0 : pxr_out_of_memory(o->diag);

        for (int64_t i = 0; i < count && !failed; i++) {
                uint8_t *image = pxr_pixels_add(o);
                char what[64];

                snprintf(what, sizeof what, "image %lld of %lld", (long long)i + 1,
                         (long long)count);
                failed = !image || pxr_data_read(input, bytes, size, what, o->diag) ||
                         take_image(o->set, input, layout, i + 1, bytes, image, o->diag);
        }
        free(bytes);
        return failed ? -1 : pxr_data_end(input, count, "images", o->diag);
}

/* What the options state of the layout; of downsampled ImageNet it is known. */
static struct pxr_layout_stated stated_layout(const struct pxr_opening *o, const char *path,
                                              const struct pxr_npy *array)
{
        const struct npz *options = o->options;
        struct pxr_layout_stated stated = { (enum pxr_layout_name)options->layout, options->rows,
                                            pxr_data_location(o, "layout") };

        if (stated.name != PXR_LAYOUT_ANY || array->dimensions != 2 || !is_imagenet(path, array))
                return stated;
        stated.name = PXR_LAYOUT_CHW;
        if (pxr_pixels_count(o) == 0)
                pxr_warn(o->diag,
                         "%s: read as downsampled ImageNet, by its name and number of images: flat "
                         "rows of "
                         "planes of red, green and blue ('layout: chw' states it)",
                         path);
        return stated;
}

/* Add the images of an array. */
static int read_array(struct pxr_opening *o, const char *path, const char *key,
                      struct pxr_reader *input)
{
        const struct npz *options = o->options;
        const char *name = pxr_reader_path(input);
        struct pxr_layout_stated stated;
        struct pxr_layout layout;
        struct pxr_npy array;

        if (pxr_npy_read_header(input, &array, o->diag) ||
            check_type(path, key, input, &array, o->diag))
                return -1;
        stated = stated_layout(o, path, &array);
        if (pxr_layout_find(name, &array, &stated, &layout, o->diag) ||
            pxr_pixels_begin(o, name, layout.rows, layout.cols, layout.colours,
                             options->memory > 0 ? (int64_t)(options->memory * MB) : 1))
                return -1;
        if (array.shape[0] == 0)
                return pxr_user_error(o->diag, "%s: the array has no images", name);
        return read_images(o, input, array.shape[0], &layout);
}

/* Add the labels of an array, which must be one for each image so far. */
static int read_labels(struct pxr_opening *o, const char *path, const char *key,
                       struct pxr_reader *input)
{
        int64_t before = pxr_labels_count(o), images = pxr_pixels_count(o) - before, label;
        const char *name = pxr_reader_path(input);
        struct pxr_npy array;

        (void)path, (void)key;
        if (pxr_npy_read_header(input, &array, o->diag))
                return -1;
        if (!pxr_npy_is_whole(&array) || array.dimensions < 1 || array.dimensions > 2 ||
            array.shape[0] != images || (array.dimensions == 2 && array.shape[1] != 1))
                return pxr_user_error(
                        o->diag,
                        "%s: expected a whole number for each of the %lld images, got "
                        "an array of dtype '%s' and shape %s",
                        name, (long long)images, array.type, array.text);
        for (int64_t i = 0; i < images; i++)
                if (pxr_npy_read_number(input, &array, &label, o->diag) ||
                    pxr_labels_add(o, name, label))
                        return -1;
        return pxr_data_end(input, images, "labels", o->diag);
}

typedef int take_array(struct pxr_opening *o, const char *path, const char *key,
                       struct pxr_reader *input);

/* Take the array `key` of a file that has it; `record` the file. */
static int take_entry(struct pxr_opening *o, const char *path, const char *key, bool record,
                      take_array *take)
{
        struct pxr_archive *archive = pxr_archive_open(path, o->diag);
        const char *entry = pxr_strf(o->arena, "%s.npy", key), *name;
        int result = -1, found = 0, failed = 0;

        while (archive && !failed && (result = pxr_archive_next(archive, &name, o->diag)) > 0) {
                if (strcmp(name, entry) != 0)
                        continue;
                failed = found++ ? pxr_user_error(o->diag, "%s: duplicate %s", path, entry)
                                 : take(o, path, key, pxr_archive_entry(archive));
        }
        failed = failed || result < 0 || (record && pxr_data_record(o, pxr_archive_file(archive)));
        pxr_archive_close(archive);
        return failed ? -1 : 0;
}

/* Read the images of a split, and their labels if they are asked for. */
static int read_keys(struct pxr_opening *o, const char *path, const struct pxr_npz_keys *keys,
                     bool record)
{
        if (take_entry(o, path, keys->images, record, read_array))
                return -1;
        if (!o->common.labels)
                return 0;
        if (!keys->labels)
                return pxr_error_at(o->diag, pxr_data_location(o, "labels"),
                                    "%s: 'labels: true' requires an array of labels ('labels' or "
                                    "'y') beside '%s'",
                                    path, keys->images);
        return take_entry(o, path, keys->labels, false, read_labels);
}

static int read_npy(struct pxr_opening *o, const char *path)
{
        const struct npz *options = o->options;
        struct pxr_reader *input;
        int failed;

        if (options->key)
                return pxr_error_at(o->diag, pxr_data_location(o, "key"),
                                    "%s: an .npy file has one array, without a key", path);
        input = pxr_reader_open(NULL, path, o->diag);
        failed = !input || read_array(o, path, NULL, input) || pxr_data_record(o, input);
        pxr_reader_close(input);
        return failed ? -1 : 0;
}

/* Read a file that is one split. */
static int read_file(struct pxr_opening *o, const char *path)
{
        const struct npz *options = o->options;
        struct pxr_npz_keys keys[PXR_SPLITS];

        if (pxr_file_refuse(path, 1 << PXR_FILE_NPY | 1 << PXR_FILE_ZIP, o->diag))
                return -1;
        if (pxr_file_kind(path) == PXR_FILE_NPY)
                return read_npy(o, path);
        if (pxr_npz_choose(o, path, options->key, keys))
                return -1;
        if (keys[PXR_VALID].images || keys[PXR_TEST].images) {
                pxr_user_error(o->diag, "%s: holds several splits, but is in a folder of splits",
                               path);
                pxr_note(o->diag, "give the path of the file, or name one array by 'key'");
                return -1;
        }
        return read_keys(o, path, &keys[PXR_TRAIN], true);
}

/* Read a file that may hold several splits. The splits are stored in the order in which they are
 * read. */
static int read_splits(struct pxr_opening *o, const char *path, const bool wanted[PXR_SPLITS],
                       int64_t count[PXR_SPLITS])
{
        const struct npz *options = o->options;
        struct pxr_npz_keys keys[PXR_SPLITS] = { 0 };
        bool several = pxr_file_kind(path) == PXR_FILE_ZIP, record = true;
        int failed = 0;

        if (several && pxr_npz_choose(o, path, options->key, keys))
                return -1;
        several = keys[PXR_VALID].images || keys[PXR_TEST].images;
        for (int split = 0; split < PXR_SPLITS && !failed; split++) {
                int64_t before = pxr_pixels_count(o);

                if (several && wanted[split] && keys[split].images) {
                        failed = read_keys(o, path, &keys[split], record);
                        record = false;
                } else if (!several && wanted[split] && split == PXR_TRAIN) {
                        failed = read_file(o, path);
                }
                count[split] = pxr_pixels_count(o) - before;
        }
        return failed;
}

/* --- finding the files -------------------------------------------------------------------------*/

/* The split of a file by its name; PXR_SPLITS: none. */
static enum pxr_split split_of(const char *name)
{
        static const char *const patterns[] = { "@(train*.npz|train.npy)",
                                                "@(val*.npz|val.npy|valid.npy)",
                                                "@(test*.npz|test.npy)" };
        int split = 0;

        while (split < PXR_SPLITS &&
               fnmatch(patterns[split], name, FNM_CASEFOLD | FNM_EXTMATCH) != 0)
                split++;
        return split;
}

static int is_of_a_split(const struct dirent *entry)
{
        return split_of(entry->d_name) < PXR_SPLITS;
}

/* Read those files of a folder that are of splits which are wanted. The splits are stored in the
 * order in which they are read. */
static int read_folder(struct pxr_opening *o, const char *path, const bool wanted[PXR_SPLITS],
                       int64_t count[PXR_SPLITS])
{
        struct dirent **entries;
        int files = scandir(path, &entries, is_of_a_split, versionsort), failed = 0;

        if (files < 0)
                return pxr_file_error(path, "open", errno, o->diag);
        if (files == 0)
                failed = pxr_user_error(o->diag,
                                        "%s: contains no train*.npz, val*.npz or test*.npz, nor "
                                        "train.npy, valid.npy or test.npy",
                                        path);
        for (int split = 0; split < PXR_SPLITS; split++) {
                int64_t before = pxr_pixels_count(o);

                for (int i = 0; i < files && !failed && wanted[split]; i++)
                        if ((int)split_of(entries[i]->d_name) == split)
                                failed = read_file(
                                        o, pxr_strf(o->arena, "%s/%s", path, entries[i]->d_name));
                count[split] = pxr_pixels_count(o) - before;
        }
        for (int i = 0; i < files; i++)
                free(entries[i]);
        free(entries);
        return failed;
}

/* Read what `path` names: a folder, or a file of one split (train) or several. */
static int read_path(struct pxr_opening *o, const char *path, const bool wanted[PXR_SPLITS],
                     int64_t count[PXR_SPLITS])
{
        struct stat status;

        if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
                return read_folder(o, path, wanted, count);
        return read_splits(o, path, wanted, count);
}

/* --- opening -----------------------------------------------------------------------------------*/

static int describe(struct pxr_opening *o, const int64_t count[PXR_SPLITS])
{
        const struct npz *options = o->options;
        const char *release;
        int known = pxr_imagenet_release(o->arena, count[PXR_TRAIN], count[PXR_VALID], &release,
                                         o->diag);

        if (known > 0)
                o->set->transforms = release;
        if (options->valid > 0)
                o->set->transforms = pxr_strf(o->arena, "%s%svalid = last %lld of train",
                                              known > 0 ? release : "", known > 0 ? "; " : "",
                                              (long long)options->valid);
        return known < 0 ? -1 : 0;
}

static int open_set(struct pxr_opening *o)
{
        const struct npz *options = o->options;
        int64_t count[PXR_SPLITS] = { 0 };
        bool wanted[PXR_SPLITS];

        for (int i = 0; i < PXR_SPLITS; i++)
                wanted[i] = pxr_data_opens(o, i);
        wanted[PXR_TRAIN] |= options->valid > 0 && pxr_data_opens(o, PXR_VALID);
        o->set->levels = (int)options->levels;
        return read_path(o, options->path, wanted, count) || describe(o, count) ||
                               pxr_pixels_end(o, count, options->valid, options->path)
                       ? -1
                       : 0;
}

static const struct pxr_option rows[] = {
        PXR_STRING(struct npz, path, "data/npz",
                   "an .npz or .npy file, or a folder of train*.npz, val*.npz and test*.npz, or of "
                   "train.npy, valid.npy and test.npy"),
        PXR_STRING(
                struct npz, key, PXR_UNSET,
                "the array of images in an .npz file; else 'data', x_train, x_val and x_test (or "
                "train_images and so on), or the only array of bytes"),
        PXR_ENUM(
                struct npz, layout, "any", pxr_layout_names,
                "order of the images' array: hwc: N x rows x columns x colours; chw: N x colours x "
                "rows x columns; hw: N x rows x columns, grey; any of them may be N flat rows; "
                "any: "
                "determined by the shape, if it is unambiguous, and never of flat rows"),
        PXR_INT(struct npz, rows, "0", 0, 4096,
                "rows of each image in an array of flat rows; 0: images are square"),
        PXR_INT(struct npz, levels, "256", 2, 256,
                "values of a pixel's colour, spread from 0 to 255 in the files"),
        PXR_INT(struct npz, valid, "0", 0, 1e9,
                "images at the end of train that form the valid split"),
        PXR_REAL(struct npz, memory, "2048", 0, 1e9,
                 "MB of pixels to hold in memory; more go to a temporary file in $TMPDIR, or else "
                 "/var/tmp"),
        PXR_END,
};

static const struct pxr_options options = { .rows = rows, .size = sizeof(struct npz) };

static const char *const patterns[] = { "*.npz", "/*.npy", NULL };

const struct pxr_data_format pxr_data_npz = {
        .name = "npz",
        .help = "images in NumPy's .npz and .npy files, as of downsampled ImageNet",
        .options = &options,
        .open = open_set,
        .patterns = patterns,
};
