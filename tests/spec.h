/* SPDX-License-Identifier: MIT */
/* spec.h - what the tests of specs share: specs from texts, all an error shows, whole trees. */
#ifndef PXR_TESTS_SPEC_H
#define PXR_TESTS_SPEC_H

#define _GNU_SOURCE /* nftw() */

#include "scratch.h"
#include "config/yaml.h"
#include "spec_table.h"

/* Parse a text that may hold NUL bytes. Marks point into a copy. */
static inline struct pxr_yaml *parse_bytes(const char *text, size_t size)
{
        struct pxr_source *source = pxr_alloc(arena, sizeof(*source));

        *source = (struct pxr_source) { "x.yaml", pxr_strndup(arena, text, size), size };
        return pxr_yaml_parse(arena, source, diag);
}

static inline struct pxr_yaml *parse(const char *text)
{
        return parse_bytes(text, strlen(text));
}

/* A file of the scratch folder, which is the current folder. */
static inline void spec_file(const char *name, const char *text)
{
        write_file(in_scratch(name), text, strlen(text));
}

static inline void spec_setup(void)
{
        scratch_setup();
        ck_assert_int_eq(chdir(scratch), 0);
}

/* Load a file, the first of the words, with the others as overrides. */
static inline struct pxr_yaml *load_words(const char *const *words)
{
        size_t count = 0;

        while (words[count + 1])
                count++;
        return pxr_spec_load(arena, words[0], words + 1, NULL, count, diag);
}

#define LOAD(...) load_words((const char *const[]) { __VA_ARGS__, NULL })

/* The errors so far, as they are shown, must be exactly this; forget them. */
static inline void expect_shown(const char *expected)
{
        ck_assert_str_eq(printed_errors(diag, "pxr"), expected);
        pxr_diag_clear(diag);
}

/* A result that must be there. */
static inline void *sound(void *result)
{
        if (!result)
                pxr_diag_write(diag, "test", stderr);
        ck_assert_msg(result != NULL, "unexpected error: %s", pxr_diag_text(diag, 0));
        ck_assert_int_eq(pxr_diag_errors(diag), 0);
        return result;
}

/* A value of a tree as text. */
static inline const char *value_at(struct pxr_yaml *root, const char *path)
{
        const struct pxr_yaml *node = pxr_yaml_find(root, path);

        ck_assert_msg(node != NULL, "no node at '%s'", path);
        ck_assert_int_eq(node->kind, PXR_YAML_SCALAR);
        return node->text;
}

#define ADD_SPEC_TEST(suite, test)                                               \
        do {                                                                     \
                TCase *tcase_ = add_case(suite, #test);                          \
                tcase_add_checked_fixture(tcase_, spec_setup, scratch_teardown); \
                tcase_add_test(tcase_, test);                                    \
        } while (0)

#endif
