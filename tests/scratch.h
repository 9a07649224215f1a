/* SPDX-License-Identifier: MIT */
/* scratch.h - what tests that write files share: a folder of their own, files, expected errors. */
#ifndef PXR_TESTS_SCRATCH_H
#define PXR_TESTS_SCRATCH_H

#include <dirent.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <pxr/arena.h>

#include "suite.h"

static struct pxr_arena *arena;
static struct pxr_diag *diag;
static char scratch[256]; /* the folder */

static inline void scratch_setup(void)
{
        const char *base = getenv("TMPDIR");

        snprintf(scratch, sizeof(scratch), "%s/pxr-test-XXXXXX", base && *base ? base : "/tmp");
        ck_assert_ptr_nonnull(mkdtemp(scratch));
        diag = pxr_diag_new();
        arena = pxr_arena_new(0, diag);
        ck_assert(arena && diag);
}

static inline int scratch_remove(const char *path, const struct stat *status, int kind,
                                 struct FTW *walk)
{
        (void)status, (void)kind, (void)walk;
        return remove(path);
}

static inline void scratch_teardown(void)
{
        pxr_arena_free(arena);
        pxr_diag_free(diag);
        nftw(scratch, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* A path in the folder. */
static inline char *in_scratch(const char *name)
{
        char *path = pxr_strf(arena, "%s/%s", scratch, name);

        ck_assert_ptr_nonnull(path);
        return path;
}

static inline void write_file(const char *path, const void *bytes, size_t size)
{
        FILE *file = fopen(path, "wb");

        ck_assert_ptr_nonnull(file);
        ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
        ck_assert_int_eq(fclose(file), 0);
}

/* All of a file, in the arena. */
static inline unsigned char *file_bytes(const char *path, size_t *size)
{
        FILE *file = fopen(path, "rb");
        unsigned char *bytes;
        long end;

        ck_assert_msg(file != NULL, "%s is not there", path);
        ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
        end = ftell(file);
        ck_assert_int_ge(end, 0);
        rewind(file);
        bytes = pxr_alloc(arena, (size_t)end + 1);
        ck_assert_ptr_nonnull(bytes);
        ck_assert_uint_eq(fread(bytes, 1, (size_t)end, file), (size_t)end);
        fclose(file);
        *size = (size_t)end;
        return bytes;
}

/* How many files the folder holds. */
static inline int files_in_scratch(void)
{
        DIR *folder = opendir(scratch);
        struct dirent *entry;
        int files = 0;

        ck_assert_ptr_nonnull(folder);
        while ((entry = readdir(folder)))
                files += entry->d_name[0] != '.';
        closedir(folder);
        return files;
}

/* Exactly one error was recorded, by `fault`, with `text` in it; forget it. */
static inline void expect_error(enum pxr_fault fault, const char *text)
{
        const char *got = pxr_diag_text(diag, 0);

        ck_assert_msg(got && strstr(got, text), "expected '...%s...', got '%s'", text,
                      got ? got : "no error");
        ck_assert_int_eq(pxr_diag_errors(diag), 1);
        ck_assert_int_eq(pxr_diag_status(diag), fault);
        pxr_diag_clear(diag);
}

/* It worked, or the test ends with the error. */
#define OK(call)                                                                            \
        do {                                                                                \
                int status_ = (call);                                                       \
                ck_assert_msg(status_ == 0, "%s: %s", #call,                                \
                              pxr_diag_errors(diag) ? pxr_diag_text(diag, 0) : "no error"); \
        } while (0)

/* Add a case of its own for one test, in a folder of its own. */
#define ADD_SCRATCH_TEST(suite, test)                                               \
        do {                                                                        \
                TCase *tcase_ = add_case(suite, #test);                             \
                tcase_add_checked_fixture(tcase_, scratch_setup, scratch_teardown); \
                tcase_add_test(tcase_, test);                                       \
        } while (0)

#endif
