/* SPDX-License-Identifier: MIT */
/* hash.c - SHA-256, by nettle. */
#include "config.h"

#include "base/hash.h"

#include <errno.h>
#include <nettle/base16.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

void pxr_sha256_init(struct pxr_sha256 *hash)
{
        sha256_init(&hash->context);
}

void pxr_sha256_update(struct pxr_sha256 *hash, const void *bytes, size_t size)
{
        sha256_update(&hash->context, size, bytes);
}

void pxr_sha256_final(struct pxr_sha256 *hash, char hex[PXR_SHA256_HEX])
{
        uint8_t digest[SHA256_DIGEST_SIZE];

        sha256_digest(&hash->context, sizeof(digest), digest);
        base16_encode_update(hex, sizeof(digest), digest);
        hex[2 * sizeof(digest)] = '\0';
}

void pxr_sha256(const void *bytes, size_t size, char hex[PXR_SHA256_HEX])
{
        struct pxr_sha256 hash;

        pxr_sha256_init(&hash);
        pxr_sha256_update(&hash, bytes, size);
        pxr_sha256_final(&hash, hex);
}

int pxr_sha256_file(const char *path, char hex[PXR_SHA256_HEX], struct pxr_diag *diag)
{
        struct pxr_sha256 hash;
        char buffer[1 << 16];
        FILE *file = pxr_file_open(path, diag);
        size_t size;
        int failed;

        if (!file)
                return -1;
        pxr_sha256_init(&hash);
        while ((size = fread(buffer, 1, sizeof(buffer), file)) > 0)
                pxr_sha256_update(&hash, buffer, size);
        failed = ferror(file) ? errno : 0;
        fclose(file);
        if (failed)
                return pxr_system_error(diag, "cannot read %s: %s", path, strerror(failed));
        pxr_sha256_final(&hash, hex);
        return 0;
}
