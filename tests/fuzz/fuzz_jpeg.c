/* SPDX-License-Identifier: MIT */
/* fuzz_jpeg.c - the reader of JPEG files, cropped and resized, under a fuzzer. See fuzz_spec.c for
 * how to run it. */
#include "config.h"

#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        return fuzz_set("a.jpg", "{set: png_folder, path: %s, crop: square, resize: 5}", data,
                        size);
}
