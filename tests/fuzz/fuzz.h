/* SPDX-License-Identifier: MIT */
/* fuzz.h - what the fuzz targets share. A target is LLVMFuzzerTestOneInput() in a file of its own;
 * replay.c runs it over its corpus where there is no fuzzer. */
#ifndef PXR_TESTS_FUZZ_H
#define PXR_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <pxr/diag.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold of every input: otherwise the input is a finding, as if it had crashed. */
#define MUST(condition)                                                                 \
        do {                                                                            \
                if (!(condition)) {                                                     \
                        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
                        abort();                                                        \
                }                                                                       \
        } while (0)

/* Are there errors, if `wanted`? Everything recorded is the user's fault and can be shown, a line
 * each. */
static inline void fuzz_check_errors(struct pxr_diag *diag, bool wanted)
{
        char *shown = NULL;
        size_t size;
        FILE *stream = open_memstream(&shown, &size);

        MUST(stream);
        pxr_diag_write(diag, "pxr", stream);
        MUST(fclose(stream) == 0);
        MUST((pxr_diag_errors(diag) > 0) == wanted);
        MUST(!wanted || pxr_diag_status(diag) == PXR_FAULT_USER);
        for (int i = 0; pxr_diag_text(diag, i); i++)
                MUST(pxr_one_line(pxr_diag_text(diag, i)));
        for (const char *at = shown; at < shown + size; at++)
                MUST(pxr_character(at, shown + size) > 0 || ((unsigned char)*at & 0xC0) == 0x80);
        free(shown);
        pxr_diag_clear(diag);
}

#endif
