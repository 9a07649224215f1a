/* SPDX-License-Identifier: MIT */
/*
 * file.h - plain files: opened, read into memory, and written whole or not at all.
 */
#ifndef PXR_BASE_FILE_H
#define PXR_BASE_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <pxr/arena.h>

/* Open a plain file for reading. Pipes, which may block, and devices, which may never end, are
 * refused, as folders are. Returns a descriptor, or -1 with errno: EISDIR for a folder, ENXIO for a
 * pipe, a device or a socket. */
int pxr_open_plain(const char *path);

/* The same as a stream. NULL after an error. */
FILE *pxr_file_open(const char *path, struct pxr_diag *diag);

/* Whether errno is a failure of the system (I/O, no space), not a wrong name or missing permission.
 */
bool pxr_is_system_error(int error);

/* Record an error "cannot VERB PATH: No such file or directory", of errno `error`: a user's error
 * if pxr_is_system_error() is false of it. Returns -1. */
int pxr_file_error(const char *path, const char *verb, int error, struct pxr_diag *diag);

/* The same, where a file names the other: a user's error is then at this location. */
int pxr_file_error_at(struct pxr_location location, const char *path, const char *verb, int error,
                      struct pxr_diag *diag);

/* All bytes of a plain file, which may be up to `limit`; in the arena. NULL after an error. */
uint8_t *pxr_file_read(struct pxr_arena *arena, const char *path, size_t limit, size_t *size,
                       struct pxr_diag *diag);

/* Have `write` write a file beside `path` (NAME.partial- and six random digits), sync it, and
 * rename it to `path`. `write` returns false with errno after a failure. An existing file is a
 * user's error unless `replace`: then it is replaced and its mode kept, through symbolic links too.
 * Returns 0, or -1 after an error, which leaves an existing file untouched. */
int pxr_file_write_by(const char *path, bool replace,
                      bool (*write)(FILE *file, const void *context), const void *context,
                      struct pxr_diag *diag);

/* A name for a temporary file or folder: `prefix` and six random digits. Returns 0, or -1 with
 * errno. */
int pxr_temporary_name(char path[PATH_MAX], const char *prefix);

/* Rename a file or folder that is complete and synced, within its file system, such that it
 * survives a power cut. Without `replace`, `target` must not exist. Returns 0, or -1 with errno. */
int pxr_file_name(const char *partial, const char *target, bool replace);

/* The same as pxr_file_write_by(), of bytes at hand. */
int pxr_file_write(const char *path, bool replace, const void *bytes, size_t size,
                   struct pxr_diag *diag);

/* Copy the file `from` to `to`, which must not exist: as a hard link with `link`, if the file
 * system can, else as a copy, whole or not at all. Returns 0 or -1. */
int pxr_file_duplicate(const char *from, const char *to, bool link, struct pxr_diag *diag);

/* Check, before the work that makes it, whether a file can be written at `path`. An existing one is
 * a user's error unless `replace`. Returns 0 or -1. */
int pxr_file_may_write(const char *path, bool replace, struct pxr_diag *diag);

/* Whether two paths lead to the same file. */
bool pxr_same_file(const char *a, const char *b);

/* Whether a file is on a network file system, where memory mapped from it is not shared with other
 * hosts. False if unknown. */
bool pxr_file_is_remote(const char *path);

/* The same, of a file system's type as statfs() gives it. */
bool pxr_remote_file_system(uint32_t type);

#endif
