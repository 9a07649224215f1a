/* SPDX-License-Identifier: MIT */
/* check_fetch.c - downloading from servers that drop, truncate, corrupt and redirect. */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "data/fetch.h"
#include "scratch.h"
#include "server.h"

enum { SIZE = 300000, RETRIES = 3 };

static uint8_t content[SIZE];
static char sha256[PXR_SHA256_HEX];
static struct pxr_official_file known = { "a.bin", SIZE, sha256 };
static struct server server;
static char notes[4096];

static void take_note(void *context, const char *text)
{
        (void)context;
        ck_assert_uint_lt(strlen(notes) + strlen(text) + 2, sizeof notes);
        strcat(strcat(notes, text), "\n");
}

static struct pxr_observer observer = { .note = take_note };
static struct pxr_fetch order = {
        .retries = RETRIES, .pause = 0.01, .stall = 1, .observer = &observer
};

/* Fetch the file into the folder `got` from a server with this script. */
static int fetch_by(const enum act *script, int acts)
{
        int result;

        setenv("no_proxy", "*", 1);
        for (int i = 0; i < SIZE; i++)
                content[i] = (uint8_t)(i * 7 + i / 1000);
        pxr_sha256(content, SIZE, sha256);
        order.url = start_server(&server, content, SIZE, script, acts);
        ck_assert_ptr_nonnull(order.url);
        order.folder = in_scratch("got/it");
        notes[0] = '\0';
        result = pxr_fetch_file(&order, &known, diag);
        stop_server(&server);
        return result;
}

#define FETCH(...)                             \
        fetch_by((enum act[]) { __VA_ARGS__ }, \
                 sizeof((enum act[]) { __VA_ARGS__ }) / sizeof(enum act))

static bool is_there(const char *name)
{
        return access(in_scratch(name), F_OK) == 0;
}

/* The file is whole, and nothing else was left. */
static void expect_fetched(int result)
{
        size_t size;

        OK(result);
        ck_assert_mem_eq(file_bytes(in_scratch("got/it/a.bin"), &size), content, SIZE);
        ck_assert_uint_eq(size, SIZE);
        ck_assert(!is_there("got/it/a.bin.part"));
}

static size_t part_size(void)
{
        size_t size;

        file_bytes(in_scratch("got/it/a.bin.part"), &size);
        return size;
}

/* It failed with this message, and there is no file of that name. */
static void expect_refused(int result, enum pxr_fault fault, const char *message)
{
        ck_assert_int_eq(result, -1);
        expect_error(fault, message);
        ck_assert(!is_there("got/it/a.bin"));
}

/* What an earlier run has left: `size` bytes, of the file or not. */
static void leave_part(size_t size, bool right)
{
        uint8_t *bytes = pxr_alloc(arena, size + 1);

        for (size_t i = 0; i < size; i++)
                bytes[i] = right ? (uint8_t)(i * 7 + i / 1000) : 7;
        mkdir(in_scratch("got"), 0700);
        mkdir(in_scratch("got/it"), 0700);
        write_file(in_scratch("got/it/a.bin.part"), bytes, size);
}

/* --- what works --------------------------------------------------------------------------------*/

START_TEST(a_file_is_fetched_into_a_new_folder)
{
        expect_fetched(FETCH(SERVE));
        ck_assert_str_eq(server.path[0], "/sets/a.bin");
        ck_assert_int_eq(server.requests, 1);
        ck_assert_int_eq(server.from[0], -1);
        ck_assert_ptr_nonnull(strstr(notes, "a.bin: fetched, SHA-256 verified"));
}
END_TEST

START_TEST(a_dropped_connection_is_resumed)
{
        expect_fetched(FETCH(DROP, DROP, SERVE));
        ck_assert_int_eq(server.requests, 3);
        ck_assert_int_eq(server.from[1], SIZE / 2);
        ck_assert_int_eq(server.from[2], SIZE / 2 + SIZE / 4);
        ck_assert_ptr_nonnull(strstr(notes, "at byte 150000; retry 1 of 3"));
}
END_TEST

START_TEST(a_file_that_ends_early_is_resumed)
{
        expect_fetched(FETCH(SHORT, SERVE));
        ck_assert_int_eq(server.from[1], SIZE / 2);
}
END_TEST

START_TEST(a_partial_file_of_an_earlier_fetch_is_resumed)
{
        leave_part(1234, true);
        expect_fetched(FETCH(SERVE));
        ck_assert_int_eq(server.requests, 1);
        ck_assert_int_eq(server.from[0], 1234);
}
END_TEST

START_TEST(a_complete_partial_file_needs_no_request)
{
        leave_part(SIZE, true);
        expect_fetched(FETCH(GONE));
        ck_assert_int_eq(server.requests, 0);
}
END_TEST

START_TEST(without_range_requests_the_file_is_fetched_from_its_start)
{
        leave_part(1234, true);
        expect_fetched(FETCH(IGNORE_RANGE));
        ck_assert_int_eq(server.requests, 1);
        ck_assert_int_eq(server.from[0], 1234);
        remove(in_scratch("got/it/a.bin"));
        expect_fetched(FETCH(DROP, IGNORE_RANGE));
        remove(in_scratch("got/it/a.bin"));
        leave_part(1234, true);
        expect_fetched(FETCH(UNSATISFIABLE));
        ck_assert_int_eq(server.from[1], -1);
}
END_TEST

START_TEST(a_partial_file_of_another_file_is_discarded)
{
        leave_part(SIZE / 2, false);
        expect_fetched(FETCH(SERVE));
        ck_assert_int_eq(server.requests, 2);
        ck_assert_int_eq(server.from[0], SIZE / 2);
        ck_assert_int_eq(server.from[1], -1);
        ck_assert_ptr_nonnull(strstr(notes, "the resumed download is not the official file"));
        remove(in_scratch("got/it/a.bin"));
        leave_part(SIZE + 1, false);
        expect_fetched(FETCH(SERVE));
        ck_assert_int_eq(server.from[0], -1);
}
END_TEST

START_TEST(redirects_are_followed)
{
        leave_part(99, true);
        expect_fetched(FETCH(REDIRECT, REDIRECT, SERVE));
        ck_assert_str_eq(server.path[2], "/moved/moved/sets/a.bin");
        ck_assert_int_eq(server.from[2], 99);
}
END_TEST

START_TEST(busy_and_silent_servers_are_retried)
{
        expect_fetched(FETCH(BUSY, SILENT, STALL, SERVE));
        ck_assert_int_eq(server.requests, 4);
        ck_assert_int_eq(server.from[2], -1);
        ck_assert_int_eq(server.from[3], SIZE / 3);
}
END_TEST

START_TEST(a_server_that_is_too_slow_is_given_up)
{
        expect_fetched(FETCH(TRICKLE, SERVE));
        ck_assert_int_eq(server.requests, 2);
        ck_assert_ptr_nonnull(strstr(notes, "Less than 1000 bytes/sec"));
}
END_TEST

/* --- what does not -----------------------------------------------------------------------------*/

START_TEST(a_damaged_file_is_never_put_in_place)
{
        expect_refused(FETCH(CORRUPT), PXR_FAULT_USER, "a.bin: expected SHA-256 ");
        ck_assert_int_eq(server.requests, 1);
        ck_assert_msg(!is_there("got/it/a.bin.part"), "damaged bytes would be resumed");
        expect_refused(FETCH(DROP, CORRUPT, CORRUPT), PXR_FAULT_USER, ", got ");
        ck_assert_int_eq(server.requests, 3);
        expect_fetched(FETCH(DROP, CORRUPT, SERVE));
}
END_TEST

START_TEST(a_file_of_another_size_is_refused)
{
        expect_refused(FETCH(PAGE), PXR_FAULT_USER,
                       "expected the official file of 300000 bytes, but the server offers 37");
        ck_assert_int_eq(server.requests, 1);
        expect_refused(FETCH(LONGER), PXR_FAULT_USER,
                       "the server sends more than the 300000 bytes of the official file");
        known.size = SIZE - 1;
        expect_refused(FETCH(SERVE), PXR_FAULT_USER, "offers 300000");
        known.size = SIZE;
}
END_TEST

START_TEST(an_error_page_of_unknown_length_is_discarded)
{
        expect_refused(FETCH(PAGE_UNSIZED), PXR_FAULT_SYSTEM,
                       "the server closed the connection early");
        expect_fetched(FETCH(SERVE));
}
END_TEST

START_TEST(retries_end_and_keep_the_partial_file)
{
        size_t part;

        expect_refused(FETCH(DROP), PXR_FAULT_SYSTEM, "kept 281250 of 300000 bytes");
        ck_assert_int_eq(server.requests, RETRIES + 1);
        part = part_size();
        ck_assert_uint_eq(part, 281250);
        expect_refused(FETCH(BUSY), PXR_FAULT_SYSTEM, "503");
        ck_assert_int_eq(server.requests, RETRIES + 1);
        ck_assert_uint_eq(part_size(), part);
        expect_fetched(FETCH(SERVE));
        ck_assert_int_eq(server.from[0], (long long)part);
}
END_TEST

START_TEST(permanent_errors_are_not_retried)
{
        expect_refused(FETCH(GONE), PXR_FAULT_USER, "404");
        ck_assert_int_eq(server.requests, 1);
        expect_refused(FETCH(REDIRECT_FILE), PXR_FAULT_USER, "a.bin: ");
        ck_assert_int_eq(server.requests, 1);
        expect_refused(FETCH(REDIRECT_SELF), PXR_FAULT_USER, "redirects");
        leave_part(100, true);
        expect_refused(FETCH(WRONG_RANGE), PXR_FAULT_USER, "another range, from byte 101 on");
}
END_TEST

START_TEST(a_failed_fetch_removes_the_folder_it_created)
{
        expect_refused(FETCH(GONE), PXR_FAULT_USER, "404");
        ck_assert(!is_there("got"));
        mkdir(in_scratch("got"), 0700);
        expect_refused(FETCH(CORRUPT), PXR_FAULT_USER, "a.bin: expected SHA-256 ");
        ck_assert(is_there("got") && !is_there("got/it"));
        mkdir(in_scratch("got/it"), 0700);
        expect_refused(FETCH(GONE), PXR_FAULT_USER, "404");
        ck_assert_msg(is_there("got/it"), "the user's own folder was removed");
        rmdir(in_scratch("got/it"));
        expect_refused(FETCH(DROP), PXR_FAULT_SYSTEM, "kept 281250 of 300000 bytes");
        ck_assert_uint_gt(part_size(), 0);
}
END_TEST

START_TEST(an_unreachable_server_is_an_error_of_the_system)
{
        FETCH(SERVE);
        remove(in_scratch("got/it/a.bin"));
        notes[0] = '\0';
        /* The port is closed again. Without a network, fetching fails at once. */
        ck_assert_int_eq(pxr_fetch_file(&order, &known, diag), -1);
        expect_error(PXR_FAULT_SYSTEM, "a.bin: ");
        ck_assert_str_eq(notes, "");
        ck_assert(!is_there("got/it/a.bin.part"));
}
END_TEST

START_TEST(an_existing_file_is_not_changed)
{
        size_t size;

        mkdir(in_scratch("got"), 0700);
        mkdir(in_scratch("got/it"), 0700);
        write_file(in_scratch("got/it/a.bin"), "mine", 4);
        ck_assert_int_eq(FETCH(SERVE), -1);
        expect_error(PXR_FAULT_USER, "already exists and is not the official file");
        ck_assert_int_eq(server.requests, 0);
        ck_assert_mem_eq(file_bytes(in_scratch("got/it/a.bin"), &size), "mine", 4);
        remove(in_scratch("got/it/a.bin"));
        expect_fetched(FETCH(SERVE));
        expect_fetched(FETCH(GONE));
        ck_assert_int_eq(server.requests, 0);
        ck_assert_ptr_nonnull(strstr(notes, "already exists"));
}
END_TEST

/* Put a file where the fetched one is to be, while it is fetched. */
static bool intrude(void *context, const struct pxr_progress *progress)
{
        (void)context;
        if (progress->done > 0)
                write_file(in_scratch("got/it/a.bin"), "mine", 4);
        return false;
}

START_TEST(a_file_that_appears_during_the_fetch_is_not_changed)
{
        size_t size;

        observer.progress = intrude;
        ck_assert_int_eq(FETCH(DROP, SERVE), -1);
        expect_error(PXR_FAULT_USER, "a.bin: File exists");
        ck_assert_mem_eq(file_bytes(in_scratch("got/it/a.bin"), &size), "mine", 4);
        ck_assert_uint_eq(part_size(), SIZE);
}
END_TEST

START_TEST(only_one_process_fetches_a_file_at_a_time)
{
        int other;

        leave_part(100, true);
        other = open(in_scratch("got/it/a.bin.part"), O_RDONLY);
        ck_assert_int_eq(flock(other, LOCK_EX), 0);
        expect_refused(FETCH(SERVE), PXR_FAULT_USER, "in use by another process that fetches it");
        close(other);
        expect_fetched(FETCH(SERVE));
}
END_TEST

START_TEST(a_full_disk_keeps_the_partial_file)
{
        struct rlimit limit;

        signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &limit);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit) { 100000, limit.rlim_max });
        expect_refused(FETCH(SERVE), PXR_FAULT_SYSTEM, "a.bin.part: ");
        setrlimit(RLIMIT_FSIZE, &limit);
        expect_fetched(FETCH(SERVE));
        ck_assert_int_gt(server.from[0], 0);
}
END_TEST

static bool stop_in_the_middle(void *context, const struct pxr_progress *progress)
{
        (void)context;
        ck_assert_str_eq(progress->what, "a.bin");
        ck_assert_str_eq(progress->unit, "bytes");
        ck_assert_int_eq(progress->all, SIZE);
        return progress->done > 0;
}

START_TEST(an_interrupted_fetch_keeps_the_partial_file)
{
        observer.progress = stop_in_the_middle;
        ck_assert_int_eq(FETCH(STALL), PXR_FETCH_STOPPED);
        ck_assert_int_eq(pxr_diag_errors(diag), 0);
        ck_assert(!is_there("got/it/a.bin"));
        ck_assert_uint_gt(part_size(), 0);
        observer.progress = NULL;
        expect_fetched(FETCH(SERVE));
        ck_assert_int_gt(server.from[0], 0);
}
END_TEST

/* --- sets --------------------------------------------------------------------------------------*/

START_TEST(sets_are_fetched_whole_or_by_file)
{
        struct pxr_official_file files[] = { known, known, { 0 } };
        struct pxr_official official = { .source = "a friend", .files = files };
        const struct pxr_data_format set = { .name = "set", .official = &official };
        const enum act script[] = { SERVE };
        struct pxr_fetch own = order;

        expect_fetched(FETCH(SERVE));
        files[1].name = "b.bin";
        own.url = start_server(&server, content, SIZE, script, 1);
        own.folder = in_scratch("set");
        OK(pxr_fetch_set(&own, &set, (const char *[]) { "b.bin" }, 1, diag));
        ck_assert(is_there("set/b.bin") && !is_there("set/a.bin"));
        OK(pxr_fetch_set(&own, &set, NULL, 0, diag));
        ck_assert(is_there("set/a.bin"));
        ck_assert_int_eq(server.requests, 2);
        ck_assert_int_eq(pxr_fetch_set(&own, &set, (const char *[]) { "c.bin" }, 1, diag), -1);
        expect_error(PXR_FAULT_USER, "set: unknown file 'c.bin'");
        own.url = NULL;
        ck_assert_int_eq(pxr_fetch_set(&own, &set, NULL, 0, diag), -1);
        expect_error(PXR_FAULT_USER, "cannot fetch: no server has its files any more");
        stop_server(&server);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("fetch");

        ADD_SCRATCH_TEST(suite, a_file_is_fetched_into_a_new_folder);
        ADD_SCRATCH_TEST(suite, a_dropped_connection_is_resumed);
        ADD_SCRATCH_TEST(suite, a_file_that_ends_early_is_resumed);
        ADD_SCRATCH_TEST(suite, a_partial_file_of_an_earlier_fetch_is_resumed);
        ADD_SCRATCH_TEST(suite, a_complete_partial_file_needs_no_request);
        ADD_SCRATCH_TEST(suite, without_range_requests_the_file_is_fetched_from_its_start);
        ADD_SCRATCH_TEST(suite, a_partial_file_of_another_file_is_discarded);
        ADD_SCRATCH_TEST(suite, redirects_are_followed);
        ADD_SCRATCH_TEST(suite, busy_and_silent_servers_are_retried);
        ADD_SCRATCH_TEST(suite, a_server_that_is_too_slow_is_given_up);
        ADD_SCRATCH_TEST(suite, a_damaged_file_is_never_put_in_place);
        ADD_SCRATCH_TEST(suite, a_file_of_another_size_is_refused);
        ADD_SCRATCH_TEST(suite, an_error_page_of_unknown_length_is_discarded);
        ADD_SCRATCH_TEST(suite, retries_end_and_keep_the_partial_file);
        ADD_SCRATCH_TEST(suite, permanent_errors_are_not_retried);
        ADD_SCRATCH_TEST(suite, a_failed_fetch_removes_the_folder_it_created);
        ADD_SCRATCH_TEST(suite, an_unreachable_server_is_an_error_of_the_system);
        ADD_SCRATCH_TEST(suite, an_existing_file_is_not_changed);
        ADD_SCRATCH_TEST(suite, a_file_that_appears_during_the_fetch_is_not_changed);
        ADD_SCRATCH_TEST(suite, only_one_process_fetches_a_file_at_a_time);
        ADD_SCRATCH_TEST(suite, a_full_disk_keeps_the_partial_file);
        ADD_SCRATCH_TEST(suite, an_interrupted_fetch_keeps_the_partial_file);
        ADD_SCRATCH_TEST(suite, sets_are_fetched_whole_or_by_file);
        return run_suite(suite);
}
