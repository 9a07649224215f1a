/* SPDX-License-Identifier: MIT */
/* check_file.c - files that are written whole or not at all. */
#include "config.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hash.h"
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
        OK(pxr_file_write(in_scratch("a"), true, "one", 3, diag));
        expect_content("a", "one");
        OK(pxr_file_write(in_scratch("a"), true, "fifteen", 7, diag));
        expect_content("a", "fifteen");
        ck_assert_int_eq(files_in_scratch(), 1);
        OK(pxr_file_write(in_scratch("empty"), true, NULL, 0, diag));
        expect_content("empty", "");
}
END_TEST

START_TEST(only_plain_files_are_opened)
{
        char hex[PXR_SHA256_HEX];
        size_t size;

        OK(pxr_file_write(in_scratch("a"), true, "one", 3, diag));
        ck_assert_mem_eq(pxr_file_read(arena, in_scratch("a"), 3, &size, diag), "one", 3);
        ck_assert_uint_eq(size, 3);
        ck_assert_ptr_null(pxr_file_read(arena, in_scratch("a"), 2, &size, diag));
        expect_error(PXR_FAULT_USER, "/a: larger than the limit of 2 bytes");
        ck_assert_int_eq(mkfifo(in_scratch("pipe"), 0600), 0);
        ck_assert_int_eq(symlink("/dev/zero", in_scratch("zero")), 0);
        for (int i = 0; i < 2; i++) {
                const char *path = in_scratch(i ? "zero" : "pipe");

                ck_assert_ptr_null(pxr_file_read(arena, path, 1 << 20, &size, diag));
                expect_error(PXR_FAULT_USER, ": is a device or pipe, not a file");
                ck_assert_int_eq(pxr_sha256_file(path, hex, diag), -1);
                expect_error(PXR_FAULT_USER, ": is a device or pipe, not a file");
                ck_assert_int_eq(pxr_file_duplicate(path, in_scratch("b"), false, diag), -1);
                expect_error(PXR_FAULT_USER, ": is a device or pipe, not a file");
        }
        ck_assert_ptr_null(pxr_file_read(arena, scratch, 1 << 20, &size, diag));
        expect_error(PXR_FAULT_USER, ": is a folder, not a file");
        ck_assert_ptr_null(pxr_file_read(arena, in_scratch("none"), 1, &size, diag));
        expect_error(PXR_FAULT_USER, "/none: No such file");
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
        OK(pxr_file_write(in_scratch("a"), true, "one", 3, diag));
        ck_assert_int_eq(pxr_file_write_by(in_scratch("a"), true, write_half, "two", diag), -1);
        expect_error(PXR_FAULT_SYSTEM, ": No space left on device");
        expect_content("a", "one");
        ck_assert_int_eq(files_in_scratch(), 1);
        ck_assert_int_eq(pxr_file_write(in_scratch("no/b"), true, "one", 3, diag), -1);
        expect_error(PXR_FAULT_SYSTEM, "no/b: No such file");
}
END_TEST

START_TEST(a_path_that_cannot_be_written_is_refused_before_the_work)
{
        char name[5000];

        OK(pxr_file_may_write(in_scratch("a"), false, diag));
        ck_assert_int_eq(files_in_scratch(), 0);
        OK(pxr_file_write(in_scratch("a"), true, "one", 3, diag));
        ck_assert_int_eq(pxr_file_may_write(in_scratch("a"), false, diag), -1);
        expect_error(PXR_FAULT_USER, "/a: already exists");
        OK(pxr_file_may_write(in_scratch("a"), true, diag));
        ck_assert_int_eq(pxr_file_may_write(in_scratch("no/a"), true, diag), -1);
        expect_error(PXR_FAULT_USER, "no/a: No such file");
        ck_assert_int_eq(mkdir(in_scratch("folder"), 0700), 0);
        ck_assert_int_eq(pxr_file_may_write(in_scratch("folder"), true, diag), -1);
        expect_error(PXR_FAULT_USER, "folder: not a plain file");
        memset(name, 'x', sizeof(name));
        name[sizeof(name) - 1] = '\0';
        ck_assert_int_eq(pxr_file_may_write(name, true, diag), -1);
        expect_error(PXR_FAULT_USER, "name too long");
}
END_TEST

START_TEST(existing_files_are_kept_without_force)
{
        OK(pxr_file_write(in_scratch("a.partial"), false, "mine", 4, diag));
        OK(pxr_file_write(in_scratch("a"), false, "one", 3, diag));
        expect_content("a.partial", "mine");
        ck_assert_int_eq(pxr_file_write(in_scratch("a"), false, "two", 3, diag), -1);
        expect_error(PXR_FAULT_USER, "/a: already exists");
        expect_content("a", "one");
        ck_assert_int_eq(files_in_scratch(), 2);
}
END_TEST

/* As another program, and as a second writer of the same file, would meanwhile. */
static bool write_while_others_do(FILE *file, const void *context)
{
        OK(pxr_file_write(in_scratch("a"), false, "theirs", 6, diag));
        return fputs(context, file) >= 0;
}

START_TEST(a_file_that_appears_meanwhile_is_not_overwritten)
{
        ck_assert_int_eq(
                pxr_file_write_by(in_scratch("a"), false, write_while_others_do, "mine", diag), -1);
        expect_error(PXR_FAULT_USER, "/a: already exists");
        expect_content("a", "theirs");
        ck_assert_int_eq(files_in_scratch(), 1);
        ck_assert_int_eq(remove(in_scratch("a")), 0);
        OK(pxr_file_write_by(in_scratch("a"), true, write_while_others_do, "mine", diag));
        expect_content("a", "mine");
        ck_assert_int_eq(files_in_scratch(), 1);
}
END_TEST

static unsigned mode_of(const char *name)
{
        struct stat status;

        ck_assert_int_eq(stat(in_scratch(name), &status), 0);
        return status.st_mode & 0777;
}

START_TEST(the_mode_is_kept_or_follows_the_umask)
{
        mode_t mask = umask(027);

        OK(pxr_file_write(in_scratch("a"), true, "one", 3, diag));
        ck_assert_uint_eq(mode_of("a"), 0640);
        ck_assert_int_eq(chmod(in_scratch("a"), 0606), 0);
        OK(pxr_file_write(in_scratch("a"), true, "two", 3, diag));
        ck_assert_uint_eq(mode_of("a"), 0606);
        umask(mask);
}
END_TEST

START_TEST(a_symbolic_link_is_followed)
{
        ck_assert_int_eq(mkdir(in_scratch("folder"), 0700), 0);
        OK(pxr_file_write(in_scratch("folder/a"), false, "one", 3, diag));
        ck_assert_int_eq(symlink("folder/a", in_scratch("link")), 0);
        OK(pxr_file_may_write(in_scratch("link"), true, diag));
        OK(pxr_file_write(in_scratch("link"), true, "two", 3, diag));
        expect_content("folder/a", "two");
        expect_content("link", "two");
        ck_assert_int_eq(unlink(in_scratch("folder/a")), 0);
        ck_assert_int_eq(pxr_file_may_write(in_scratch("link"), true, diag), -1);
        expect_error(PXR_FAULT_USER, "link: No such");
        ck_assert_int_eq(pxr_file_may_write(in_scratch("link"), false, diag), -1);
        expect_error(PXR_FAULT_USER, "link: already exists");
        ck_assert_int_eq(pxr_file_write(in_scratch("link"), false, "two", 3, diag), -1);
        expect_error(PXR_FAULT_USER, "link: already exists");
        ck_assert_int_eq(files_in_scratch(), 2);
}
END_TEST

START_TEST(network_file_systems_are_recognized)
{
        ck_assert(!pxr_file_is_remote("/proc/self/stat"));
        ck_assert(!pxr_file_is_remote(in_scratch("none")));
        ck_assert(pxr_remote_file_system(0x6969)); /* as statfs(2) lists them */
        ck_assert(pxr_remote_file_system(0xfe534d42));
        ck_assert(!pxr_remote_file_system(0xef53));
        ck_assert(!pxr_remote_file_system(0x58465342));
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("file");

        ADD_SCRATCH_TEST(suite, a_file_is_written_and_replaced);
        ADD_SCRATCH_TEST(suite, only_plain_files_are_opened);
        ADD_SCRATCH_TEST(suite, a_file_that_cannot_be_written_stays_as_it_was);
        ADD_SCRATCH_TEST(suite, a_path_that_cannot_be_written_is_refused_before_the_work);
        ADD_SCRATCH_TEST(suite, existing_files_are_kept_without_force);
        ADD_SCRATCH_TEST(suite, a_file_that_appears_meanwhile_is_not_overwritten);
        ADD_SCRATCH_TEST(suite, the_mode_is_kept_or_follows_the_umask);
        ADD_SCRATCH_TEST(suite, a_symbolic_link_is_followed);
        ADD_SCRATCH_TEST(suite, network_file_systems_are_recognized);
        return run_suite(suite);
}
