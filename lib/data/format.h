/* SPDX-License-Identifier: MIT */
/*
 * format.h - the descriptor of a data set, and what data sets share.
 *
 * A new data set is one file that ends with a `struct pxr_data_format`, its line in Makefile.am,
 * and a row of the list in sets.c.
 */
#ifndef PXR_DATA_FORMAT_H
#define PXR_DATA_FORMAT_H

#include <pxr/option.h>

#include "data/data.h"
#include "data/reader.h"

/* The options every set has. */
struct pxr_data_common {
        const char *set;
        uint32_t splits; /* bit PXR_TRAIN and so on: the splits to open */
        int64_t limit;   /* images of each split; 0: all */
        bool grey;
        int64_t downsample; /* rows to keep; 0: all */
        bool flip;
        bool labels;
        const char *crop, *resize; /* NULL: not asked for */
};

struct pxr_size {
        int rows, cols;
};

/* What `crop` and `resize` ask for (fit.h). */
struct pxr_fit {
        bool square;          /* crop to the largest square */
        struct pxr_size crop; /* or to this size; 0: as they are */
        struct pxr_size resize;
};

struct pxr_data_format;

/* A set that is being opened, and what with. */
struct pxr_opening {
        struct pxr_arena *arena;
        struct pxr_dataset *set;
        const struct pxr_yaml *node; /* the `data` mapping, for errors */
        const struct pxr_data_format *format;
        struct pxr_data_common common;
        struct pxr_fit fit;
        struct pxr_labels *labels; /* of the images added so far (labels.h); NULL: none */
        const void *options;       /* the checked struct of the format's own table */
        uint64_t seed;             /* of the run */
        struct pxr_diag *diag;
};

/* A file that the authors of a set distribute, or that their archive holds. */
struct pxr_official_file {
        const char *name; /* NULL ends a list */
        int64_t size;
        const char *sha256;
};

/* Sizes and check sums are those that independent projects agree on. */
struct pxr_official {
        const char *url;    /* of the folder on the web that has the files; NULL: none any more */
        const char *source; /* where they come from, as text */
        const struct pxr_official_file *files;    /* as distributed */
        const struct pxr_official_file *unpacked; /* what they hold; NULL: not known */
        const char *unpacked_in; /* the folder that the archive unpacks to, or NULL */
};

/* A file or folder by which a set is recognized in the folder that holds it. */
struct pxr_data_sign {
        const char *name;     /* or NAME.gz; NULL ends a list */
        const char *splits;   /* that it holds: "train, valid" */
        const char *override; /* of another option, which this sign implies; or NULL */
};

struct pxr_data_format {
        const char *name;
        const char *help;
        const struct pxr_options *options; /* beside the common ones */

        /* How pxr-data recognizes the set in a folder; NULL: it does not. If no set has a sign
         * there, `patterns` decide, which match names in the folder (with a slash at the end: any
         * folder) or the path of a file; with a slash in front, only the latter. */
        const struct pxr_data_sign *signs;
        const char *const *patterns;

        const struct pxr_official *official; /* NULL: none */

        /* Whether `open` crops and resizes the images itself, since they have different sizes. */
        bool fits;

        /* Set rows, cols, colours and levels of `set` as the options say them, before any file is
         * read; what the files say stays 0. NULL: nothing is known. */
        void (*kind)(const void *conf, struct pxr_dataset *set);

        /* Fill in o->set but for name, identity, floor and what `kind` has set. The caller applies
         * what every set can do (limit, grey, downsample, flip). Returns 0 or -1. */
        int (*open)(struct pxr_opening *o);
};

/* All formats; NULL ends the list. */
extern const struct pxr_data_format *const pxr_data_formats[];

/* The format of that name; NULL after an error at `location` (no line: none), with the nearest. */
const struct pxr_data_format *pxr_data_format_find(const char *name, struct pxr_location location,
                                                   struct pxr_diag *diag);

/* The options every set has, for listings. */
extern const struct pxr_options pxr_data_common_options;

/* The release of downsampled ImageNet that has so many images (0: not read), as a text for the
 * transforms. The releases of 2016 and 2017 were downsampled differently, and results on one
 * cannot be compared with results on the other: a mixture is an error. Returns 1; 0 for other
 * numbers of images; or -1. */
int pxr_imagenet_release(struct pxr_arena *arena, int64_t train, int64_t valid, const char **text,
                         struct pxr_diag *diag);

/* Put the transforms every set can have on top of a format's images. Returns 0 or -1. */
int pxr_data_transform(struct pxr_opening *o);

/* The chain of transforms, as text, that the set would have if its images were downsampled to rows
 * x cols. */
const char *pxr_data_downsampled(struct pxr_arena *arena, const struct pxr_dataset *set, int rows,
                                 int cols);

/* --- what formats share (format.c) -------------------------------------------------------------*/

/* Whether the set is opened with this split. */
static inline bool pxr_data_opens(const struct pxr_opening *o, enum pxr_split split)
{
        return o->common.splits >> split & 1;
}

/* Bytes of an image. */
static inline size_t pxr_image_size(const struct pxr_dataset *set)
{
        return (size_t)set->rows * (size_t)set->cols * (size_t)set->colours;
}

/* The byte, 0 to 255, that stands for a level in a picture. */
static inline uint8_t pxr_level_byte(int level, int levels)
{
        return (uint8_t)((level * 255 + (levels - 1) / 2) / (levels - 1));
}

/* The level whose byte is `byte`, or the nearest to it. */
static inline int pxr_byte_level(uint8_t byte, int levels)
{
        return (byte * (levels - 1) + 127) / 255;
}

/* Where an option is set, for errors found once the files are open; if it is a default, where the
 * mapping is. */
struct pxr_location pxr_data_location(const struct pxr_opening *o, const char *option);

/* Take `count` images from the end of the *train that `path` has, as the option `option` asks;
 * `own`: a file or folder that holds that split already, or NULL. Returns 0 or -1. */
int pxr_data_cut(const struct pxr_opening *o, const char *option, int64_t count, const char *own,
                 const char *path, int64_t *train);

/* Planes of red, green and blue, of `plane` bytes each, become pixels of three colours. */
void pxr_data_interleave(const uint8_t *planes, size_t plane, uint8_t *pixels);

/* Read `size` bytes of `what` ("header"), or fail because the file is truncated. Returns 0 or -1.
 */
int pxr_data_read(struct pxr_reader *input, void *bytes, size_t size, const char *what,
                  struct pxr_diag *diag);

/* Check that nothing follows the last of `count` things ("images"). Returns 0 or -1. */
int pxr_data_end(struct pxr_reader *input, int64_t count, const char *things,
                 struct pxr_diag *diag);

/* Record a file as the last of set->files; the strings are copied. Returns 0 or -1. */
int pxr_data_add_file(struct pxr_opening *o, const char *path, int64_t size, const char *sha256);

/* The same of an input, which is read to its end first. */
int pxr_data_record(struct pxr_opening *o, struct pxr_reader *input);

#endif
