/* SPDX-License-Identifier: MIT */
/*
 * safetensors.h - named arrays in a file that Python reads as it is.
 *
 * A file is written whole or not at all: beside the target, synced, then renamed over it. The same
 * contents give the same bytes.
 */
#ifndef PXR_RECORD_SAFETENSORS_H
#define PXR_RECORD_SAFETENSORS_H

#include <stdint.h>

#include <pxr/arena.h>

enum { PXR_TENSOR_RANK = 8 };

/* An array of floats (dtype F32, the only one that pxr writes and reads). */
struct pxr_array {
        const char *name;
        int rank;
        int64_t shape[PXR_TENSOR_RANK];
        const void *data;
};

/* A pair of the file's metadata. */
struct pxr_text {
        const char *key, *value;
};

struct pxr_safetensors {
        const char *path;
        struct pxr_array *array;
        int arrays;
        struct pxr_text *text;
        int texts;
};

/* Values in an array. */
size_t pxr_array_size(const struct pxr_array *array);

/* Sorts the arrays by name. Returns 0, or -1 after an error; a file that was there before is then
 * as it was. */
int pxr_safetensors_write(const char *path, struct pxr_safetensors *contents,
                          struct pxr_diag *diag);

/* Read and check a file. The data lie in the arena. NULL after an error that says what is wrong
 * with it. */
struct pxr_safetensors *pxr_safetensors_read(struct pxr_arena *arena, const char *path,
                                             struct pxr_diag *diag);

/* By name; NULL if there is none. */
const struct pxr_array *pxr_safetensors_array(const struct pxr_safetensors *file, const char *name);
const char *pxr_safetensors_text(const struct pxr_safetensors *file, const char *key);

#endif
