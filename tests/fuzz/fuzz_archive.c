/* SPDX-License-Identifier: MIT */
/* fuzz_archive.c - the reader of CIFAR-10's archive, tar or zip, under a fuzzer. See fuzz_spec.c
 * for how to run it. */
#include "config.h"

#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        return fuzz_set("cifar.tar", "{set: cifar10, path: %s/cifar.tar, splits: [train]}", data,
                        size);
}
