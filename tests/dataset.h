/* SPDX-License-Identifier: MIT */
/* dataset.h - what the tests of data sets share: opening one from a text, reading it; the real
 * data. */
#ifndef PXR_TESTS_DATASET_H
#define PXR_TESTS_DATASET_H

#include "data/data.h"
#include "config/yaml.h"
#include "scratch.h"

/* Open the set a `data` mapping describes, in a run of this seed. */
static inline struct pxr_dataset *open_seed(uint64_t seed, const char *format, ...)
{
        struct pxr_source *source = pxr_alloc(arena, sizeof *source);
        struct pxr_yaml *tree;
        va_list arguments;

        va_start(arguments, format);
        source->text = pxr_vstrf(arena, format, arguments);
        va_end(arguments);
        source->name = "test.yaml";
        source->size = strlen(source->text);
        tree = pxr_yaml_parse(arena, source, diag);
        ck_assert_ptr_nonnull(tree);
        return pxr_dataset_open(arena, tree, seed, diag);
}

#define OPEN(...) open_seed(1, __VA_ARGS__)

static inline struct pxr_dataset *sound(struct pxr_dataset *set)
{
        if (!set)
                pxr_diag_write(diag, "check_data", stderr);
        ck_assert_ptr_nonnull(set);
        return set;
}

/* The last open must have failed with `text` in its first error; forget it. */
static inline void refused(const struct pxr_dataset *set, const char *text)
{
        const char *got = pxr_diag_text(diag, 0);

        ck_assert_ptr_null(set);
        ck_assert_ptr_nonnull(got);
        ck_assert_msg(strstr(got, text), "'%s' is not in '%s'", text, got);
        ck_assert_int_eq(pxr_diag_status(diag), PXR_FAULT_USER);
        pxr_diag_clear(diag);
}

/* The same, and the error must underline `column` of line 1 of the mapping. */
static inline void refused_at(const struct pxr_dataset *set, int column, const char *text)
{
        const char *written = printed_errors(diag, "test");
        const char *place = pxr_strf(arena, "test.yaml:1:%d: error: ", column);

        ck_assert_msg(strncmp(written, place, strlen(place)) == 0, "not at %s but '%s'", place,
                      written);
        refused(set, text);
}

static inline void read_one(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                            int64_t index, uint8_t *pixels)
{
        ck_assert_int_eq(pxr_dataset_read(set, split, epoch, &index, 1, pixels, diag), 0);
}

/* The folder `name` of the real data, or NULL after saying that it is absent: the test is
 * then to return. */
static inline const char *real_data(const char *name)
{
        const char *given = getenv("PXR_TEST_DATA"), *source = getenv("srcdir");
        const char *path =
                given ? pxr_strf(arena, "%s/%s", given, name)
                      : pxr_strf(arena, "%s/../shared/data/%s", source ? source : ".", name);

        if (access(path, R_OK) == 0)
                return path;
        printf(SKIP "no real data at %s (PXR_TEST_DATA names another folder)\n", path);
        fflush(stdout);
        return NULL;
}

#endif
