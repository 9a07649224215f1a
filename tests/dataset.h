/* SPDX-License-Identifier: MIT */
/* dataset.h - what the tests of data sets share: opening one from a text, reading it. */
#ifndef PXR_TESTS_DATASET_H
#define PXR_TESTS_DATASET_H

#include <stdio.h>
#include <string.h>

#include "data/data.h"
#include "spec/yaml.h"
#include "suite.h"

static struct pxr_arena *arena;
static struct pxr_diag *diag;

static inline void dataset_setup(void)
{
        arena = pxr_arena_new(0);
        diag = pxr_diag_new();
        ck_assert(arena && diag);
}

static inline void dataset_teardown(void)
{
        pxr_arena_free(arena);
        pxr_diag_free(diag);
}

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

static inline void read_one(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                            int64_t index, uint8_t *pixels)
{
        ck_assert_int_eq(pxr_dataset_read(set, split, epoch, &index, 1, pixels, diag), 0);
}

/* A case of its own for one test, with a fixture. */
#define ADD_DATA_TEST(suite, test, setup_, teardown_)                 \
        do {                                                          \
                TCase *tcase_ = tcase_create(#test);                  \
                tcase_add_checked_fixture(tcase_, setup_, teardown_); \
                tcase_add_test(tcase_, test);                         \
                tcase_set_timeout(tcase_, 120);                       \
                suite_add_tcase(suite, tcase_);                       \
        } while (0)

#endif
