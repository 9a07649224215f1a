/* SPDX-License-Identifier: MIT */
/* fuzz_sweep.c - the reader of sweeps' files under a fuzzer. See fuzz_spec.c for how to run it. */
#include "config.h"

#include "fuzz_file.h"
#include "sweep/sweep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct fuzz fuzz = fuzz_begin("in.yaml", data, size);
        const char *path = fuzz_path(&fuzz, "in.yaml");
        struct pxr_sweep *sweep = pxr_sweep_read(fuzz.arena, path, NULL, 0, fuzz.diag);

        fuzz_end(&fuzz, sweep != NULL);
        return 0;
}
