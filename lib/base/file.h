/* SPDX-License-Identifier: MIT */
/*
 * file.h - plain files: opened, read into memory, and written whole or not at all.
 */
#ifndef PXR_BASE_FILE_H
#define PXR_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <pxr/arena.h>

/* Open what must be a plain file, to read. A pipe would be waited for and a device may never end,
 * so these are refused, as folders are. Returns a descriptor, or -1 with errno: EISDIR for a
 * folder, ENXIO for a pipe, a device or a socket. */
int pxr_open_plain(const char *path);

/* Record why pxr_open_plain() failed, from errno. Returns -1. */
int pxr_open_error(const char *path, struct pxr_diag *diag);

/* Both at once, as a stream. NULL after an error. */
FILE *pxr_file_open(const char *path, struct pxr_diag *diag);

/* Whether errno means that reading failed or the system is short of something, rather than that a
 * name is wrong or a right is missing. */
bool pxr_is_system_error(int error);

/* Record why something could not be done with a file: "PATH: cannot be opened: No such file or
 * directory". `error` is errno: that a name is wrong, or a right is missing, is the user's error;
 * that reading failed, or the system is short of something, is the system's. Returns -1. */
int pxr_file_error(const char *path, const char *what, int error, struct pxr_diag *diag);

/* All bytes of a plain file, which may be up to `limit`; in the arena. NULL after an error. */
uint8_t *pxr_file_read(struct pxr_arena *arena, const char *path, size_t limit, size_t *size,
                       struct pxr_diag *diag);

/* Have `write` write a file beside `path`, NAME.partial- and six random digits, sync it, and give
 * it that name. `write` returns false, with errno saying why, when it could not. What is there by
 * then is a user's error unless `replace`: then it is replaced and its mode kept, behind symbolic
 * links too. Returns 0, or -1 after an error; a file that was there before is then as it was. */
int pxr_file_write_by(const char *path, bool replace,
                      bool (*write)(FILE *file, const void *context), const void *context,
                      struct pxr_diag *diag);

/* Give a file that is whole and synced its name in the same file system, and without `replace` only
 * where nothing has it; it lasts through a power cut. Returns 0, or -1 with errno. */
int pxr_file_name(const char *partial, const char *target, bool replace);

/* The same as pxr_file_write_by(), of bytes at hand. */
int pxr_file_write(const char *path, bool replace, const void *bytes, size_t size,
                   struct pxr_diag *diag);

/* Have the file `from` also at `to`, where nothing may be yet: under another name of the same file
 * if it is to `link` and the file system can, else as a copy, whole or not at all. Returns 0 or
 * -1. */
int pxr_file_duplicate(const char *from, const char *to, bool link, struct pxr_diag *diag);

/* Can a file be written at `path`, as far as can be told before the work that makes it? One that is
 * there already is a user's error unless `replace`. Returns 0 or -1. */
int pxr_file_may_write(const char *path, bool replace, struct pxr_diag *diag);

/* Does a file lie on a file system that other hosts may have mounted too: where memory mapped from
 * it is not shared with them? False where that cannot be told. */
bool pxr_file_is_remote(const char *path);

/* The same, of a file system's type as statfs() gives it. */
bool pxr_remote_file_system(uint32_t type);

#endif
