/* SPDX-License-Identifier: MIT */
/* fuzz_npz.c - the reader of NumPy's .npz and .npy files, with their labels, under a fuzzer. See
 * fuzz_spec.c for how to run it. */
#include "config.h"

#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        fuzz_set("a.npz", "{set: npz, path: %s/a.npz, layout: chw, labels: true}", data, size);
        return fuzz_set("a.npz", "{set: npz, path: %s/a.npz}", data, size);
}
