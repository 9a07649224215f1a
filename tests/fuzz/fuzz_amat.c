/* SPDX-License-Identifier: MIT */
/* fuzz_amat.c - the reader of binarized MNIST, under a fuzzer. See fuzz_spec.c for how to run it.
 */
#include "config.h"

#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        return fuzz_set("binarized_mnist_test.amat",
                        "{set: binarized_mnist, path: %s, splits: [test]}", data, size);
}
