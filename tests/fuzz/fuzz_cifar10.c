/* SPDX-License-Identifier: MIT */
/* fuzz_cifar10.c - the reader of CIFAR-10's batches, under a fuzzer. See fuzz_spec.c for how to run
 * it. */
#include "config.h"

#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        return fuzz_set("test_batch.bin", "{set: cifar10, path: %s, splits: [test]}", data, size);
}
