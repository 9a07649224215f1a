/* SPDX-License-Identifier: MIT */
/* fuzz.h - what the fuzz targets share. A target is LLVMFuzzerTestOneInput() in a file of its own;
 * replay.c runs it over its corpus where there is no fuzzer. */
#ifndef PXR_TESTS_FUZZ_H
#define PXR_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold of every input: otherwise the input is a finding, as if it had crashed. */
#define MUST(condition)                                                                 \
        do {                                                                            \
                if (!(condition)) {                                                     \
                        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
                        abort();                                                        \
                }                                                                       \
        } while (0)

#endif
