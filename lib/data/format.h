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
#include "data/input.h"

/* The options every set has. */
struct pxr_data_common {
        const char *set;
        uint32_t splits; /* bit PXR_TRAIN and so on: splits that are wanted */
        int64_t limit;   /* images of each split; 0: all */
        bool grey;
        int64_t downsample; /* rows to keep; 0: all */
        bool flip;

        const struct pxr_yaml *node; /* the mapping that was read, for errors */
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
        const char *source; /* where they come from, in words */
        const struct pxr_official_file *files;    /* as distributed */
        const struct pxr_official_file *unpacked; /* what they hold; NULL: not known */
        const char *unpacked_in; /* the folder that the archive unpacks to, or NULL */
};

/* A file or folder by which a set is recognized in the folder that holds it. */
struct pxr_data_sign {
        const char *name;     /* or NAME.gz; NULL ends a list */
        const char *splits;   /* that it holds: "train, valid" */
        const char *override; /* of another option, as it then has to be; or NULL */
};

struct pxr_data_format {
        const char *name;
        const char *help;
        const struct pxr_options *options; /* beside the common ones */

        /* How pxr-data recognizes the set in a folder; NULL: it does not. Where no set has a sign
         * there, `patterns` decide: of the name of a file in the folder ("*.npz"; "*" + "/": any
         * folder), or of the path of a file itself; of the latter alone where a slash precedes it.
         */
        const struct pxr_data_sign *signs;
        const char *const *patterns;

        const struct pxr_official *official; /* NULL: none */

        /* Set rows, cols, colours and levels of `set` as the options say them, before any file is
         * read; what the files say stays 0. NULL: nothing is known. */
        void (*kind)(const void *conf, struct pxr_dataset *set);

        /* Fill in everything of `set` but name, identity, floor and what `kind` has set. `conf` is
         * the checked struct of `options`, `seed` that of the run. What every set can do (limit,
         * grey, downsample, flip) is done by the caller. */
        int (*open)(struct pxr_arena *arena, struct pxr_dataset *set,
                    const struct pxr_data_common *common, const void *conf, uint64_t seed,
                    struct pxr_diag *diag);
};

/* All formats; NULL ends the list. */
extern const struct pxr_data_format *const pxr_data_formats[];

/* The format of that name; NULL after an error at `location` (no line: none), with the nearest. */
const struct pxr_data_format *pxr_data_format_find(const char *name, struct pxr_location location,
                                                   struct pxr_diag *diag);

/* The options every set has, for listings. */
extern const struct pxr_options pxr_data_common_options;

/* Which release of downsampled ImageNet has so many images (0: not read), in words for the
 * transforms. The releases of 2016 and 2017 were downsampled differently, and results on one
 * cannot be compared with results on the other: a mixture is an error. Returns 1; 0 for other
 * numbers of images; or -1. */
int pxr_imagenet_release(struct pxr_arena *arena, int64_t train, int64_t valid, const char **words,
                         struct pxr_diag *diag);

static inline bool pxr_data_wants(const struct pxr_data_common *common, enum pxr_split split)
{
        return common->splits >> split & 1;
}

/* Where an option is set, for errors that show only when the files are open; the mapping's place
 * for a default. */
struct pxr_location pxr_data_place(const struct pxr_data_common *common, const char *option);

/* Put the transforms every set can have on top of a format's images. Returns 0 or -1. */
int pxr_data_transform(struct pxr_arena *arena, struct pxr_dataset *set,
                       const struct pxr_data_common *common, uint64_t seed, struct pxr_diag *diag);

/* The chain of transforms that the set has when it is downsampled to rows x cols instead of what it
 * is, in words; NULL when memory is out. */
const char *pxr_data_downsampled(struct pxr_arena *arena, const struct pxr_dataset *set, int rows,
                                 int cols);

/* Have a slow set read what is expected in a thread. Returns 0 or -1. */
int pxr_data_read_ahead(struct pxr_arena *arena, struct pxr_dataset *set, struct pxr_diag *diag);

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

/* Images of `size` bytes each, growing while a file is read. */
struct pxr_images {
        uint8_t *pixels; /* of malloc() */
        size_t size;
        int64_t count, room;
};

/* Room for one more image, which counts from now on; NULL when memory is out. */
uint8_t *pxr_images_add(struct pxr_images *images);

/* Hand the pixels over to the arena. Returns 0, or -1 after an error; either way
 * images->pixels is no longer the caller's to free. */
int pxr_images_keep(struct pxr_images *images, struct pxr_arena *arena, struct pxr_diag *diag);

/* Planes of red, green and blue, of `plane` bytes each, become pixels of three colours. */
void pxr_data_interleave(const uint8_t *planes, size_t plane, uint8_t *pixels);

/* SHA-256 of `size` bytes in hexadecimal, in the arena; NULL after an error. */
const char *pxr_data_digest(struct pxr_arena *arena, const void *bytes, size_t size,
                            struct pxr_diag *diag);

/* Record a file as the last of set->files. Copies the strings; a NULL path is memory that ran out.
 * Returns 0 or -1. */
int pxr_data_add_file(struct pxr_arena *arena, struct pxr_dataset *set, const char *path,
                      int64_t size, const char *sha256, struct pxr_diag *diag);

#endif
