/* SPDX-License-Identifier: MIT */
/* fuzz_manifest.c - the reader of an export's MANIFEST.sha256 under a fuzzer, beside a run.db of
 * "x\n". See fuzz_spec.c for how to run it. */
#include "config.h"

#include "fuzz_file.h"
#include "manage/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct fuzz fuzz = fuzz_begin(PXR_MANIFEST, data, size);
        bool sound;

        fuzz_put(&fuzz, "run.db", "x\n", 2);
        sound = pxr_manifest_check(fuzz.arena, fuzz.folder, "x", true, fuzz.diag) == 0;
        fuzz_end(&fuzz, sound);
        return 0;
}
