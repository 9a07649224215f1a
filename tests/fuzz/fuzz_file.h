/* SPDX-License-Identifier: MIT */
/*
 * fuzz_file.h - what the fuzz targets of files share: the input as a file in a folder of its own,
 * and a reader that either succeeds or says what is wrong. One target to a process.
 */
#ifndef PXR_TESTS_FUZZ_FILE_H
#define PXR_TESTS_FUZZ_FILE_H

#include <ftw.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "data/data.h"
#include "fuzz.h"
#include "config/yaml.h"

enum { FUZZ_MEMORY = 1 << 30 }; /* in an arena, by an input of some kB */

struct fuzz {
        struct pxr_arena *arena;
        struct pxr_diag *diag;
        const char *folder;
};

static char fuzz_folder[256];

static inline int fuzz_remove(const char *path, const struct stat *status, int kind,
                              struct FTW *walk)
{
        (void)status, (void)kind;
        return walk->level > 0 ? remove(path) : 0;
}

static inline void fuzz_empty(void)
{
        nftw(fuzz_folder, fuzz_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void fuzz_leave(void)
{
        fuzz_empty();
        rmdir(fuzz_folder);
}

/* A path in the folder. */
static inline char *fuzz_path(const struct fuzz *fuzz, const char *name)
{
        char *path = pxr_strf(fuzz->arena, "%s/%s", fuzz->folder, name);

        MUST(path);
        return path;
}

static inline void fuzz_put(const struct fuzz *fuzz, const char *name, const void *bytes,
                            size_t size)
{
        FILE *file = fopen(fuzz_path(fuzz, name), "wb");

        MUST(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

/* Begin an input, which is to be the file `name`. */
static inline struct fuzz fuzz_begin(const char *name, const void *bytes, size_t size)
{
        struct pxr_diag *diag = pxr_diag_new();
        struct fuzz fuzz = { pxr_arena_new(FUZZ_MEMORY, diag), diag, fuzz_folder };
        const char *base = getenv("TMPDIR");

        MUST(fuzz.arena && fuzz.diag);
        if (!*fuzz_folder) {
                snprintf(fuzz_folder, sizeof(fuzz_folder), "%s/pxr-fuzz-XXXXXX",
                         base && *base ? base : "/tmp");
                MUST(mkdtemp(fuzz_folder) && atexit(fuzz_leave) == 0);
        }
        fuzz_put(&fuzz, name, bytes, size);
        return fuzz;
}

/* End it. `read`: was it read without an error? */
static inline void fuzz_end(struct fuzz *fuzz, bool read)
{
        fuzz_check_errors(fuzz->diag, !read);
        pxr_diag_free(fuzz->diag);
        pxr_arena_free(fuzz->arena);
}

/* --- data sets ---------------------------------------------------------------------------------
 */

static inline void fuzz_read_image(const struct fuzz *fuzz, const struct pxr_dataset *set,
                                   enum pxr_split split, int64_t index)
{
        size_t size = (size_t)set->rows * (size_t)set->cols * (size_t)set->colours;
        uint8_t *pixels = malloc(size);

        MUST(pixels);
        MUST(pxr_dataset_read(set, split, 0, &index, 1, pixels, fuzz->diag) == 0);
        for (size_t i = 0; i < size; i++)
                MUST(pixels[i] < set->levels);
        free(pixels);
}

/* The input as the file `name` of the set that `spec` describes, with %s for its folder. What is
 * read has sound values; less than all of it cannot be more. */
static inline int fuzz_set(const char *name, const char *spec, const uint8_t *data, size_t size)
{
        struct fuzz fuzz = fuzz_begin(name, data, size);
        const char *at = strstr(spec, "%s");
        char *text = pxr_strf(fuzz.arena, "%.*s%s%s", (int)(at - spec), spec, fuzz.folder, at + 2);
        struct pxr_source source = { "x", text, text ? strlen(text) : 0 };
        struct pxr_yaml *tree = pxr_yaml_parse(fuzz.arena, &source, fuzz.diag);
        struct pxr_dataset *set;

        MUST(tree);
        set = pxr_dataset_open(fuzz.arena, tree, 1, fuzz.diag);
        for (int i = 0; set && i < PXR_SPLITS; i++)
                if (set->count[i] > 0) {
                        fuzz_read_image(&fuzz, set, i, 0);
                        fuzz_read_image(&fuzz, set, i, set->count[i] - 1);
                }
        fuzz_end(&fuzz, set != NULL);
        return 0;
}

#endif
