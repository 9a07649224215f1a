/* SPDX-License-Identifier: MIT */
/*
 * npz.c - images in NumPy's .npz files, as the later release of downsampled ImageNet has them.
 *
 * A file is a zip archive whose entry data.npy is an array of images (shapes: npy.h). Other
 * entries (labels, mean) are ignored. In a folder, train*.npz, val*.npz and test*.npz are the
 * splits; the files of a split are read in the order of the numbers in their names.
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
#include "data/npy.h"
#include "data/pixels.h"
#include "data/png.h"

enum { MB = 1 << 20, MAX_KEYS = 400 };

struct npz {
        const char *path;
        int layout;
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
        pxr_note(diag, "%s, in Python: numpy.savez('new.npz', data=%snumpy.load('%s')['%s']%s)",
                 why, before, quotable(path, "FILE"), quotable(key, "KEY"), after);
}

/* Only bytes are read, in C order. */
static int check_type(const char *path, const struct pxr_reader *input, const struct pxr_npy *array,
                      struct pxr_diag *diag)
{
        const char *type = array->type, *name = pxr_reader_path(input);

        if (strcmp(type, "|u1") != 0 && strcmp(type, "u1") != 0) {
                pxr_user_error(diag, "%s: expected an array of bytes (dtype uint8), got dtype '%s'",
                               name, type);
                if (strpbrk(type, "f"))
                        note_numpy("to convert values from 0 to 1", "numpy.rint(255 * ", path,
                                   "data", ").astype('uint8')", diag);
                else if (strpbrk(type, "b"))
                        note_numpy("to convert it to images of 'levels: 2'", "255 * ", path, "data",
                                   ".astype('uint8')", diag);
                else
                        note_numpy("to convert values from 0 to 255", "", path, "data",
                                   ".astype('uint8')", diag);
                return -1;
        }
        if (!array->by_columns)
                return 0;
        pxr_user_error(diag, "%s: expected an array in C order, got Fortran order", name);
        note_numpy("to convert it", "numpy.ascontiguousarray(", path, "data", ")", diag);
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

static int read_array(struct pxr_opening *o, const char *path, struct pxr_reader *input)
{
        const struct npz *options = o->options;
        const char *name = pxr_reader_path(input);
        struct pxr_layout layout;
        struct pxr_npy array;

        if (pxr_npy_read_header(input, &array, o->diag) ||
            check_type(path, input, &array, o->diag) ||
            pxr_layout_find(name, &array, (enum pxr_layout_name)options->layout,
                            pxr_data_location(o, "layout"), is_imagenet(path, &array), &layout,
                            o->diag) ||
            pxr_pixels_begin(o, name, layout.rows, layout.cols, layout.colours,
                             options->memory > 0 ? (int64_t)(options->memory * MB) : 1))
                return -1;
        if (array.shape[0] == 0)
                return pxr_user_error(o->diag, "%s: the array has no images", name);
        return read_images(o, input, array.shape[0], &layout);
}

/* The name of the first array in a file, and the names of all as text: "x, y". */
struct keys {
        const char *first, *all;
};

static void add_key(struct pxr_arena *arena, struct keys *keys, const char *entry)
{
        int length = (int)strlen(entry) - 4;

        if (fnmatch("*.npy", entry, 0) != 0)
                return;
        if (!keys->first)
                keys->first = keys->all = pxr_strf(arena, "%.*s", length, entry);
        else if (strlen(keys->all) + (size_t)length < MAX_KEYS)
                keys->all = pxr_strf(arena, "%s, %.*s", keys->all, length, entry);
        else if (fnmatch("*, ...", keys->all, 0) != 0)
                keys->all = pxr_strf(arena, "%s, ...", keys->all);
}

static int no_data(const char *path, const struct keys *keys, struct pxr_diag *diag)
{
        if (!keys->first)
                return pxr_user_error(diag,
                                      "%s: contains no arrays; the images must be an array "
                                      "'data' (data.npy)",
                                      path);
        pxr_user_error(diag, "%s: contains no array 'data' (data.npy), but: %s", path, keys->all);
        note_numpy("to save one of them under that name", "", path, keys->first, "", diag);
        return -1;
}

/* Read the entry data.npy. */
static int read_entries(struct pxr_opening *o, struct pxr_archive *archive, const char *path)
{
        struct keys keys = { 0 };
        const char *name;
        int result, found = 0;

        while ((result = pxr_archive_next(archive, &name, o->diag)) > 0) {
                add_key(o->arena, &keys, name);
                if (strcmp(name, "data.npy") != 0)
                        continue;
                if (found++)
                        return pxr_user_error(o->diag, "%s: duplicate data.npy", path);
                if (read_array(o, path, pxr_archive_entry(archive)))
                        return -1;
        }
        return result == 0 && !found ? no_data(path, &keys, o->diag) : result;
}

static int read_file(struct pxr_opening *o, const char *path)
{
        struct pxr_archive *archive = pxr_archive_open(path, o->diag);
        int failed;

        if (!archive)
                return -1;
        failed = read_entries(o, archive, path) || pxr_data_record(o, pxr_archive_file(archive));
        pxr_archive_close(archive);
        return failed;
}

/* --- finding the files -------------------------------------------------------------------------*/

/* The split of a file by its name; PXR_SPLITS: none. */
static enum pxr_split split_of(const char *name)
{
        static const char *const patterns[] = { "train*.npz", "val*.npz", "test*.npz" };
        int split = 0;

        while (split < PXR_SPLITS && fnmatch(patterns[split], name, FNM_CASEFOLD) != 0)
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
                                        "%s: contains no train*.npz, val*.npz or test*.npz", path);
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

/* Read what `path` names: a folder, or a file that is the train split. */
static int read_path(struct pxr_opening *o, const char *path, const bool wanted[PXR_SPLITS],
                     int64_t count[PXR_SPLITS])
{
        struct stat status;
        int failed;

        if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
                return read_folder(o, path, wanted, count);
        if (fnmatch("*.npy", path, FNM_CASEFOLD) == 0) {
                pxr_user_error(o->diag, "%s: expected an .npz file, got a single array (.npy)",
                               path);
                pxr_note(o->diag,
                         "to convert it, in Python: numpy.savez('new.npz', data=numpy.load('%s'))",
                         quotable(path, "FILE"));
                return -1;
        }
        failed = wanted[PXR_TRAIN] && read_file(o, path);
        count[PXR_TRAIN] = pxr_pixels_count(o);
        return failed;
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
                   "an .npz file, or a folder of train*.npz, val*.npz and test*.npz"),
        PXR_ENUM(struct npz, layout, "any", pxr_layout_names,
                 "order of the array 'data': hwc: N x rows x columns x colours; chw: N x colours x "
                 "rows x columns; hw: N x rows x columns, grey; any of them may be N flat rows of "
                 "square images; any: determined by the shape, if it is unambiguous"),
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
        .help = "images in NumPy's .npz files, as of downsampled ImageNet",
        .options = &options,
        .open = open_set,
        .patterns = patterns,
};
