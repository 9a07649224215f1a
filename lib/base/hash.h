/* SPDX-License-Identifier: MIT */
/*
 * hash.h - SHA-256 of memory and of files, in hexadecimal.
 */
#ifndef PXR_BASE_HASH_H
#define PXR_BASE_HASH_H

#include <nettle/sha2.h>

#include <pxr/diag.h>

enum { PXR_SHA256_HEX = 65 }; /* characters of a digest, its NUL included */

/* The state of a digest. */
struct pxr_sha256 {
        struct sha256_ctx context;
};

void pxr_sha256_init(struct pxr_sha256 *hash);
void pxr_sha256_update(struct pxr_sha256 *hash, const void *bytes, size_t size);
void pxr_sha256_final(struct pxr_sha256 *hash, char hex[PXR_SHA256_HEX]);

/* Of `size` bytes of memory. */
void pxr_sha256(const void *bytes, size_t size, char hex[PXR_SHA256_HEX]);

/* Of a file. Returns 0, or -1 after an error that names it. */
int pxr_sha256_file(const char *path, char hex[PXR_SHA256_HEX], struct pxr_diag *diag);

#endif
