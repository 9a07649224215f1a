/* SPDX-License-Identifier: MIT */
/* check_file.c - files that are written whole or not at all. */
#include "config.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/file.h"
#include "scratch.h"

static void expect_content(const char *name, const char *text)
{
        size_t size;
        unsigned char *bytes = file_bytes(in_scratch(name), &size);

        ck_assert_uint_eq(size, strlen(text));
        ck_assert_mem_eq(bytes, text, size);
}

START_TEST(a_file_is_written_and_replaced)
{
        OK(pxr_file_write(in_scratch("a"), "one", 3, diag));
        expect_content("a", "one");
        OK(pxr_file_write(in_scratch("a"), "fifteen", 7, diag));
        expect_content("a", "fifteen");
        ck_assert_int_eq(files_in_scratch(), 1);
}
END_TEST

static bool write_half(FILE *file, const void *context)
{
        fwrite(context, 1, 2, file);
        errno = ENOSPC;
        return false;
}

START_TEST(a_file_that_cannot_be_written_stays_as_it_was)
{
        OK(pxr_file_write(in_scratch("a"), "one", 3, diag));
        ck_assert_int_eq(pxr_file_replace(in_scratch("a"), write_half, "two", diag), -1);
        expect_error(PXR_FAULT_SYSTEM, "cannot be written: No space left on device");
        expect_content("a", "one");
        ck_assert_int_eq(files_in_scratch(), 1);
        ck_assert_int_eq(pxr_file_write(in_scratch("no/b"), "one", 3, diag), -1);
        expect_error(PXR_FAULT_SYSTEM, "no/b.partial: cannot be written: No such file");
}
END_TEST

START_TEST(what_cannot_be_written_is_known_before)
{
        char name[5000];

        OK(pxr_file_may_write(in_scratch("a"), false, diag));
        ck_assert_int_eq(files_in_scratch(), 0);
        OK(pxr_file_write(in_scratch("a"), "one", 3, diag));
        ck_assert_int_eq(pxr_file_may_write(in_scratch("a"), false, diag), -1);
        expect_error(PXR_FAULT_USER, "/a: is there already");
        OK(pxr_file_may_write(in_scratch("a"), true, diag));
        ck_assert_int_eq(pxr_file_may_write(in_scratch("no/a"), true, diag), -1);
        expect_error(PXR_FAULT_USER, "no/a: cannot be written: No such file");
        ck_assert_int_eq(mkdir(in_scratch("folder"), 0700), 0);
        ck_assert_int_eq(pxr_file_may_write(in_scratch("folder"), true, diag), -1);
        expect_error(PXR_FAULT_USER, "folder: is not a plain file");
        memset(name, 'x', sizeof(name));
        name[sizeof(name) - 1] = '\0';
        ck_assert_int_eq(pxr_file_may_write(name, true, diag), -1);
        expect_error(PXR_FAULT_USER, "the name is too long");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("file");

        ADD_SCRATCH_TEST(suite, a_file_is_written_and_replaced);
        ADD_SCRATCH_TEST(suite, a_file_that_cannot_be_written_stays_as_it_was);
        ADD_SCRATCH_TEST(suite, what_cannot_be_written_is_known_before);
        return run_suite(suite);
}
