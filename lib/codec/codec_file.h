/* SPDX-License-Identifier: MIT */
/*
 * codec_file.h - the file of compressed images, with a description of them and of the model.
 *
 *     pxr-codec 1                      the first line
 *     {"model": {...}, ...}            the second: JSON. "classes" is one text, with a number for
 *                                      each image, all of them with equally many digits
 *     the sizes of the streams         7 bits a byte, the lowest first; the last is below 128
 *     the streams
 *     32 bytes                         SHA-256 of all before
 */
#ifndef PXR_CODEC_CODEC_FILE_H
#define PXR_CODEC_CODEC_FILE_H

#include <pxr/arena.h>

#include "base/hash.h"
#include "codec/codec.h"

struct pxr_codec_file {
        /* The model: its run, and what must be the same for decoding. */
        const char *run, *uid;
        int64_t step;
        const char *certificate, *parameters; /* SHA-256 in hexadecimal */
        int rows, cols, colours, levels;

        /* What the last bits of its probabilities depend on. */
        const char *program, *numerics;

        int64_t images, images_per_stream;
        const char *pixels;     /* SHA-256 of [image][row][col][colour], in hexadecimal */
        const int32_t *classes; /* [images], for a model that is given the class; else NULL */
        double nats;            /* their NLL */

        const char *const *names; /* [images], of PNG files; NULL: they are of a split */
        const char *split;        /* "test" */
        int64_t first;            /* of the split */
        const char *data;         /* identity of the data set; NULL if there are names */

        struct pxr_streams streams; /* not freed with this struct */
        size_t size, payload; /* bytes of the whole, and of its streams with their sizes: set by
                                 writing and reading */
};

/* Write a new file, whole or not at all. Returns 0 or -1. */
int pxr_codec_file_write(const char *path, bool replace, struct pxr_codec_file *file,
                         struct pxr_diag *diag);

/* Read and check a file. It lives as long as the arena. NULL after an error. */
struct pxr_codec_file *pxr_codec_file_read(struct pxr_arena *arena, const char *path,
                                           struct pxr_diag *diag);

/* The names of the images' PNG files, [images]: their own, or the numbers in the split. NULL after
 * an error. */
const char *const *pxr_codec_file_names(struct pxr_arena *arena, const struct pxr_codec_file *file);

/* Whether a name is a PNG file's, without folders, that can be written safely as it is. */
bool pxr_codec_name_fits(const char *name);

#endif
