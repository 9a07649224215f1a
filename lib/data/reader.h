/* SPDX-License-Identifier: MIT */
/*
 * reader.h - reading a file of data from end to end: plain or gzip, hashed, with offsets.
 *
 * The SHA-256 is of the bytes on disk, taken while they are parsed. Memory is bounded whatever a
 * file claims: compressed files give at most pxr_unpacked_most() bytes.
 */
#ifndef PXR_DATA_READER_H
#define PXR_DATA_READER_H

#include <stdbool.h>

#include "base/hash.h"

struct pxr_reader;

/* Images compress to a tenth of their size, empty ones to a hundredth. Deflate can compress zeros
 * to a thousandth: a file made to fill memory. */
enum { PXR_UNPACKED_TIMES = 200, PXR_UNPACKED_ALWAYS = 16 << 20 };

/* The bytes that a compressed file of `size` bytes may unpack to. */
static inline int64_t pxr_unpacked_most(int64_t size)
{
        return size < INT64_MAX / 2 / PXR_UNPACKED_TIMES
                       ? PXR_UNPACKED_ALWAYS + size * PXR_UNPACKED_TIMES
                       : INT64_MAX;
}

/* Whether there is `folder`/`name` or `folder`/`name`.gz. */
bool pxr_reader_finds(const char *folder, const char *name);

/* Open `folder`/`name`, or else `folder`/`name`.gz; without a folder (NULL), `name` is the path.
 * Gzip is recognized by its first bytes, whatever the name. NULL after an error. */
struct pxr_reader *pxr_reader_open(const char *folder, const char *name, struct pxr_diag *diag);

/* An input whose bytes come from `read`, which works like pxr_reader_read(): the entry `name` of
 * the archive `path`. It has no file to record. NULL after an error. */
struct pxr_reader *pxr_reader_from(const char *path, const char *name,
                                   int64_t (*read)(void *context, void *bytes, size_t size,
                                                   struct pxr_diag *diag),
                                   void *context, struct pxr_diag *diag);

/* Up to `size` bytes of content. Returns how many (0: the end), or -1 after an error. */
int64_t pxr_reader_read(struct pxr_reader *input, void *bytes, size_t size, struct pxr_diag *diag);

/* The same, but with fewer than `size` bytes only at the end. */
int64_t pxr_reader_read_all(struct pxr_reader *input, void *bytes, size_t size,
                            struct pxr_diag *diag);

/* Check that the file may unpack to so many bytes, by pxr_unpacked_most(). Returns 0 or -1. */
int pxr_reader_limit(const struct pxr_reader *input, int64_t bytes, struct pxr_diag *diag);

/* The path that was opened; for an entry of an archive, "PATH: NAME". */
const char *pxr_reader_path(const struct pxr_reader *input);

/* Bytes of content read so far. */
int64_t pxr_reader_offset(const struct pxr_reader *input);

/* SHA-256 and size of what was read from disk so far: of the whole file once pxr_reader_read() has
 * returned 0. */
void pxr_reader_hash(const struct pxr_reader *input, char hex[PXR_SHA256_HEX], int64_t *size);

/* NULL is allowed. */
void pxr_reader_close(struct pxr_reader *input);

#endif
