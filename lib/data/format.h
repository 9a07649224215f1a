/* SPDX-License-Identifier: MIT */
/*
 * format.h - what a format of data sets is, and what formats share.
 *
 * A new format is a file of this folder that ends with a `struct pxr_data_format`, and a row of
 * the table in formats.c.
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

struct pxr_data_format {
        const char *name;
        const char *help;
        const struct pxr_options *options; /* beside the common ones */

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

/* The table in formats.c: NULL ends it. For listings. */
extern const struct pxr_data_format *const pxr_data_formats[];

/* The options every set has, for listings. */
extern const struct pxr_options pxr_data_common_options;

extern const struct pxr_data_format pxr_data_binarized_mnist;
extern const struct pxr_data_format pxr_data_cifar10;
extern const struct pxr_data_format pxr_data_imagenet;
extern const struct pxr_data_format pxr_data_markov_binary;
extern const struct pxr_data_format pxr_data_markov_rgb;
extern const struct pxr_data_format pxr_data_mnist;
extern const struct pxr_data_format pxr_data_npz;
extern const struct pxr_data_format pxr_data_png_folder;

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
