/* SPDX-License-Identifier: MIT */
/* fuzz_png.c - the reader of PNG files, under a fuzzer. See fuzz_spec.c for how to run it. */
#include "config.h"

#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        return fuzz_set("a.png", "{set: png_folder, path: %s}", data, size);
}
