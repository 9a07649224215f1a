/* SPDX-License-Identifier: MIT */
/* fuzz_idx.c - the reader of idx files, as MNIST has them, under a fuzzer. See fuzz_spec.c for how
 * to run it. */
#include "config.h"

#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        return fuzz_set("train-images-idx3-ubyte",
                        "{set: mnist, path: %s, splits: [train], valid: 1}", data, size);
}
