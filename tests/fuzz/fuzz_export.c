/* SPDX-License-Identifier: MIT */
/* fuzz_export.c - unpacking an exported run under a fuzzer: nothing is written outside of the
 * folder that it is unpacked to. See fuzz_spec.c for how to run it. */
#include "config.h"

#include <dirent.h>
#include <sys/stat.h>

#include "fuzz_file.h"
#include "manage/manifest.h"

static int is_visible(const struct dirent *entry)
{
        return entry->d_name[0] != '.';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct fuzz fuzz = fuzz_begin("in", data, size);
        const char *folder = fuzz_path(&fuzz, "out");
        struct dirent **entries;
        int count;
        bool sound;

        MUST(mkdir(folder, 0700) == 0);
        sound = pxr_unpack(fuzz.arena, fuzz_path(&fuzz, "in"), folder, fuzz.diag) == 0 &&
                pxr_manifest_check(fuzz.arena, folder, "x", true, fuzz.diag) == 0;
        count = scandir(fuzz.folder, &entries, is_visible, alphasort);
        MUST(count == 2 && strcmp(entries[0]->d_name, "in") == 0);
        for (int i = 0; i < count; i++)
                free(entries[i]);
        free(entries);
        fuzz_end(&fuzz, sound);
        fuzz_empty();
        return 0;
}
