/* SPDX-License-Identifier: MIT */
/*
 * reader.h - reading a file of data from end to end: plain or gzip, hashed, with offsets.
 *
 * The SHA-256 is of the bytes on disk, computed while they are read. Memory is bounded whatever
 * sizes a file states: a compressed file unpacks to at most pxr_unpacked_most() bytes.
 */
#ifndef PXR_DATA_READER_H
#define PXR_DATA_READER_H

#include <stdbool.h>

#include "base/hash.h"

struct pxr_reader;

/* Images compress to a tenth of their size, empty ones to a hundredth. A file that compresses to a
 * thousandth, as zeros do, was made to fill memory. */
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

/* --- tar (plain or gzip) and zip files, entry by entry, in the order of the file
 * -----------------*/

/* Nothing is unpacked to disk. */
struct pxr_archive;

/* NULL after an error that names the file. */
struct pxr_archive *pxr_archive_open(const char *path, struct pxr_diag *diag);

/* Go to the next entry that is a file. Returns 1 and its name within the archive, which lasts
 * until the next call; 0 at the end; or -1 after an error. */
int pxr_archive_next(struct pxr_archive *archive, const char **name, struct pxr_diag *diag);

/* The size of the entry by its header; -1 if that has none. */
int64_t pxr_archive_size(const struct pxr_archive *archive);

/* The content of the entry, valid until the next one. Do not close it. */
struct pxr_reader *pxr_archive_entry(struct pxr_archive *archive);

/* The file of the archive itself. Read it to its end after the last entry, to record it. */
struct pxr_reader *pxr_archive_file(struct pxr_archive *archive);

/* NULL is allowed. */
void pxr_archive_close(struct pxr_archive *archive);

#endif
