/* SPDX-License-Identifier: MIT */
/* fuzz_labels.c - the reader of idx files of labels, under a fuzzer. See fuzz_spec.c for how to run
 * it. */
#include "config.h"

#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const uint8_t images[] = "\0\0\10\3\0\0\0\3\0\0\0\1\0\0\0\1abc"; /* of one pixel */
        struct fuzz fuzz = fuzz_begin("train-images-idx3-ubyte", images, sizeof images - 1);

        fuzz_end(&fuzz, true);
        return fuzz_set("train-labels-idx1-ubyte",
                        "{set: mnist, path: %s, splits: [train], valid: 1, labels: true}", data,
                        size);
}
