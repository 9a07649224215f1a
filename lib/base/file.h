/* SPDX-License-Identifier: MIT */
/*
 * file.h - whole files: read into memory, and written so that they are there whole or not at all.
 */
#ifndef PXR_BASE_FILE_H
#define PXR_BASE_FILE_H

#include <stdint.h>

#include <pxr/arena.h>

/* All bytes of a file, which may be up to `limit`; in the arena. NULL after an error. */
uint8_t *pxr_file_read(struct pxr_arena *arena, const char *path, size_t limit, size_t *size,
                       struct pxr_diag *diag);

/* Can a file of this name be made? It is an error if there is one. For asking before long work.
 * Returns 0 or -1. */
int pxr_file_check_new(const char *path, struct pxr_diag *diag);

/* Write a new file. Returns 0 or -1. */
int pxr_file_write_new(const char *path, const void *bytes, size_t size, struct pxr_diag *diag);

#endif
