/* SPDX-License-Identifier: MIT */
/* fuzz_codec.c - the reader of files of compressed images under a fuzzer. An input is a file but
 * for the SHA-256 at its end, which would keep a fuzzer out. See fuzz_spec.c for how to run it. */
#include "config.h"

#include <nettle/sha2.h>

#include "fuzz_file.h"
#include "codec/codec_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        uint8_t *bytes = malloc(size + SHA256_DIGEST_SIZE);
        const struct pxr_codec_file *file;
        struct sha256_ctx hash;
        struct fuzz fuzz;

        MUST(bytes);
        memcpy(bytes, data, size);
        sha256_init(&hash);
        sha256_update(&hash, size, data);
        sha256_digest(&hash, SHA256_DIGEST_SIZE, bytes + size);
        fuzz = fuzz_begin("in", bytes, size + SHA256_DIGEST_SIZE);
        free(bytes);
        file = pxr_codec_file_read(fuzz.arena, fuzz_path(&fuzz, "in"), fuzz.diag);
        if (file) {
                MUST(file->payload < size);
                for (int64_t i = 0; file->names && i < file->images; i++)
                        MUST(pxr_codec_name_fits(file->names[i]));
        }
        fuzz_end(&fuzz, file != NULL);
        return 0;
}
