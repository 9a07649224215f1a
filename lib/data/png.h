/* SPDX-License-Identifier: MIT */
/*
 * png.h - pictures of 8 bits a sample, to and from PNG, in memory and in files.
 */
#ifndef PXR_DATA_PNG_H
#define PXR_DATA_PNG_H

#include <stdint.h>

#include "tensor/graph.h"

/* A text kept inside a PNG: "Software", "Description" ... or keys of one's own. */
struct pxr_png_text {
        const char *key;   /* 1 to 79 characters of Latin-1 */
        const char *value; /* UTF-8 */
};

/* The texts of one picture. */
struct pxr_png_texts {
        const struct pxr_png_text *text;
        int count;
};

struct pxr_picture {
        int rows, cols;
        int colours;           /* 1 (grey) or 3 (red, green, blue) */
        const uint8_t *pixels; /* [row][col][colour], 0 to 255 */
        int bits;              /* per sample in the file that was decoded */
        struct pxr_png_texts texts;
};

/* Larger files are refused: a few bytes of PNG can decompress to gigabytes. */
enum { PXR_PNG_MAX_SIDE = 1 << 15, PXR_PNG_MAX_PIXELS = 1 << 26 };

/* Encode a picture with its texts. Returns the bytes, to be freed with free(), and sets *size;
 * or NULL after an error. The same picture gives the same bytes. */
uint8_t *pxr_png_encode(const struct pxr_picture *picture, size_t *size, struct pxr_diag *diag);

/* Decode a PNG of any kind to 8-bit grey or RGB: palettes are looked up, 16 bits become 8, alpha
 * is dropped. `name` names it in errors ("a.png"). NULL after an error; else in the arena. */
struct pxr_picture *pxr_png_decode(struct pxr_arena *arena, const char *name, const void *bytes,
                                   size_t size, struct pxr_diag *diag);

/* --- images of a number of levels, each in a file
 * ------------------------------------------------*/

/* Convert bytes, from 0 to 255, to levels. A byte that is not that of a level is an error at its
 * row and column of `name`. Returns 0 or -1. */
int pxr_png_to_levels(const char *name, const struct pxr_image_kind *kind, uint8_t *pixels,
                      struct pxr_diag *diag);

/* Decode a PNG of exactly this kind to pixels[row][col][colour], without loss: grey becomes RGB if
 * `colours` is 3, and opaque alpha is dropped. Colour if `colours` is 1, 16 bits, and transparent
 * pixels are errors. Returns 0 or -1. */
int pxr_png_decode_image(const char *name, const void *bytes, size_t size,
                         const struct pxr_image_kind *kind, uint8_t *pixels, struct pxr_diag *diag);

/* The same of a file. */
int pxr_png_read_image(const char *path, const struct pxr_image_kind *kind, uint8_t *pixels,
                       struct pxr_diag *diag);

/* Write a picture to a new file. Returns 0 or -1. */
int pxr_png_write(const char *path, const struct pxr_picture *picture, struct pxr_diag *diag);

/* Write images to the new or empty folder, as files of these names, with the texts of each (NULL:
 * none). After an error none of them is left, and no new folder. Returns 0 or -1. */
int pxr_png_write_images(const char *folder, const struct pxr_image_kind *kind, int64_t count,
                         const char *const *names, const uint8_t *pixels,
                         const struct pxr_png_texts *texts, struct pxr_diag *diag);

#endif
