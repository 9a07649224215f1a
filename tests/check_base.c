/* SPDX-License-Identifier: MIT */
/* check_base.c - errors, arenas and random numbers. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include <pxr/arena.h>
#include <pxr/diag.h>
#include <pxr/random.h>

#include "base/hash.h"
#include "base/number.h"
#include "base/processor.h"
#include "base/text.h"
#include "suite.h"

static void expect_text(struct pxr_diag *diag, const char *expected)
{
        ck_assert_str_eq(printed_errors(diag, "pxr-test"), expected);
}

START_TEST(error_at_shows_line_caret_and_hint)
{
        const char text[] = "a: 1\n  kernl: 3\n";
        struct pxr_source source = { "x.yaml", text, sizeof text - 1 };
        struct pxr_location mark = { &source, 2, 3, 5 };
        struct pxr_diag *diag = pxr_diag_new();

        ck_assert_int_eq(pxr_error_at(diag, mark, "unknown option '%s'", "kernl"), -1);
        pxr_hint(diag, "did you mean 'kernel'?");
        pxr_note(diag, "options of conv: kernel");
        expect_text(diag, "x.yaml:2:3: error: unknown option 'kernl'\n"
                          "    2 |   kernl: 3\n"
                          "      |   ^~~~~ did you mean 'kernel'?\n"
                          "note: options of conv: kernel\n");
        ck_assert_int_eq(pxr_diag_status(diag), PXR_FAULT_USER);
        pxr_diag_free(diag);
}
END_TEST

START_TEST(control_characters_in_errors_are_escaped)
{
        struct pxr_diag *diag = pxr_diag_new();

        pxr_user_error(diag, "no %s", "a\033[2J\xc2\x9b\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8e\xff");
        ck_assert_str_eq(
                pxr_diag_text(diag, 0),
                "no a\\x1b[2J\\xc2\\x9b\\xe2\\x80\\xae\\xe2\\x81\\xa6\\xe2\\x80\\x8e\\xff");
        pxr_diag_free(diag);
}
END_TEST

START_TEST(errors_past_the_limit_are_counted)
{
        struct pxr_diag *diag = pxr_diag_new();

        for (int i = 0; i < 25; i++)
                pxr_system_error(diag, "number %d", i);
        pxr_hint(diag, "belongs to nothing that was kept");
        ck_assert_int_eq(pxr_diag_errors(diag), 25);
        ck_assert_str_eq(pxr_diag_text(diag, 19), "number 19");
        ck_assert_ptr_null(pxr_diag_text(diag, 20));
        ck_assert_int_eq(pxr_diag_status(diag), PXR_FAULT_SYSTEM);
        pxr_diag_free(diag);
}
END_TEST

START_TEST(similar_names_are_suggested_and_others_are_not)
{
        const char *const names[] = { "kernel", "mask", "features" };

        ck_assert_str_eq(pxr_nearest("kernl", names, 3), "kernel");
        ck_assert_str_eq(pxr_nearest("feature", names, 3), "features");
        ck_assert_str_eq(pxr_nearest("KERNEL", names, 3), "kernel");
        ck_assert_ptr_null(pxr_nearest("dilation", names, 3));
}
END_TEST

static void count_clean(void *what)
{
        ++*(int *)what;
}

START_TEST(text_of_any_bytes_becomes_visible)
{
        struct pxr_arena *arena = pxr_arena_new(0, NULL);

        ck_assert_str_eq(pxr_visible(arena, "a\x01\xff\xc3\xa9\n"), "a\\x01\\xff\xc3\xa9\\x0a");
        ck_assert_str_eq(pxr_visible(arena, "\xc2\x85"), "\\xc2\\x85");
        ck_assert_str_eq(pxr_visible(arena, "\xe2\x80\xae|\xe2\x81\xa9|\xe2\x80\x8f"),
                         "\\xe2\\x80\\xae|\\xe2\\x81\\xa9|\\xe2\\x80\\x8f");
        ck_assert_str_eq(pxr_visible(arena, ""), "");
        pxr_arena_free(arena);
}
END_TEST

START_TEST(arena_is_zeroed_aligned_and_limited)
{
        struct pxr_diag *diag = pxr_diag_new();
        struct pxr_arena *arena = pxr_arena_new(1 << 20, diag);
        int cleaned = 0;

        for (size_t size = 1; size < 100000; size *= 3) {
                unsigned char *bytes = pxr_alloc(arena, size);

                ck_assert_ptr_nonnull(bytes);
                ck_assert_uint_eq((uintptr_t)bytes % 16, 0);
                for (size_t i = 0; i < size; i++)
                        ck_assert_uint_eq(bytes[i], 0);
                memset(bytes, 0xFF, size);
        }
        ck_assert_str_eq(pxr_strf(arena, "%d-%s", 7, "x"), "7-x");
        ck_assert_int_eq(pxr_arena_defer(arena, count_clean, &cleaned), 0);
        ck_assert(!pxr_arena_failed(arena) && !pxr_diag_memory_out(diag));
        ck_assert_ptr_null(pxr_alloc(arena, 1 << 20));
        ck_assert(pxr_arena_failed(arena) && pxr_diag_memory_out(diag));
        pxr_arena_free(arena);
        ck_assert_int_eq(cleaned, 1);
        pxr_diag_free(diag);
}
END_TEST

START_TEST(an_arena_that_is_out_of_memory_refuses_later_allocations)
{
        struct pxr_diag *diag = pxr_diag_new();
        struct pxr_arena *arena = pxr_arena_new(0, diag);
        int cleaned = 0;

        ck_assert_ptr_null(pxr_alloc_array(arena, SIZE_MAX / 2, 3));
        ck_assert_int_eq(pxr_diag_errors(diag), 1);
        ck_assert_str_eq(pxr_diag_first_error(diag), "out of memory");
        pxr_diag_clear(diag);
        ck_assert_ptr_null(pxr_alloc(arena, 1));
        ck_assert_str_eq(pxr_strf(arena, "%d", 7), "");
        ck_assert_str_eq(pxr_strdup(arena, "x"), "");
        ck_assert_int_eq(pxr_arena_defer(arena, count_clean, &cleaned), -1);
        ck_assert_int_eq(cleaned, 1);
        ck_assert(pxr_arena_failed(arena) && pxr_diag_memory_out(diag));
        pxr_arena_free(arena);
        pxr_diag_free(diag);
}
END_TEST

/* Known answers of Random123's test vectors for philox4x32-10. */
START_TEST(philox_gives_the_published_numbers)
{
        struct pxr_random r = { .key = { 0, 0 } };

        ck_assert_uint_eq(pxr_random_bits(&r), 0x6627e8d5);
        ck_assert_uint_eq(pxr_random_bits(&r), 0xe169c58d);
        ck_assert_uint_eq(pxr_random_bits(&r), 0xbc57ac4c);
        ck_assert_uint_eq(pxr_random_bits(&r), 0x9b00dbd8);
        r = (struct pxr_random) { .key = { 0xa4093822, 0x299f31d0 },
                                  .counter = { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 } };
        ck_assert_uint_eq(pxr_random_bits(&r), 0xd16cfe09);
        ck_assert_uint_eq(pxr_random_bits(&r), 0x94fdcceb);
        ck_assert_uint_eq(pxr_random_bits(&r), 0x5001e420);
        ck_assert_uint_eq(pxr_random_bits(&r), 0x24126ea1);
}
END_TEST

START_TEST(random_numbers_are_the_same_one_by_one_and_many_at_once)
{
        enum { SIZE = 1000 };
        static const size_t counts[] = { 0, 1, 64, 3, 130, 2, 700 };
        struct pxr_random one = pxr_random(1, PXR_RANDOM_TEST, 2, 3, 4), many;
        uint32_t bits[SIZE];

        one.counter[0] = UINT32_MAX - 20; /* the counter also wraps */
        many = one;
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
                pxr_random_fill(&many, counts[i], bits);
                for (size_t j = 0; j < counts[i]; j++)
                        ck_assert_uint_eq(bits[j], pxr_random_bits(&one));
        }
}
END_TEST

START_TEST(random_numbers_have_the_expected_moments)
{
        struct pxr_random r = pxr_random(1, PXR_RANDOM_TEST, 2, 3, 4);
        double sum = 0, squares = 0;
        int counts[6] = { 0 }, n = 100000;

        for (int i = 0; i < n; i++) {
                double z = pxr_random_normal(&r);

                sum += z;
                squares += z * z;
                counts[pxr_random_below(&r, 6)]++;
        }
        ck_assert_double_eq_tol(sum / n, 0, 0.02);
        ck_assert_double_eq_tol(squares / n, 1, 0.02);
        for (int i = 0; i < 6; i++)
                ck_assert_double_eq_tol(counts[i], n / 6.0, 600);
}
END_TEST

/* The message of FIPS 180-2, appendix B.2. */
START_TEST(sha256_gives_the_published_digest)
{
        static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        static const char digest[] =
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
        struct pxr_diag *diag = pxr_diag_new();
        char hex[PXR_SHA256_HEX], path[] = "/tmp/pxr-check-XXXXXX";
        int file = mkstemp(path);

        pxr_sha256(text, sizeof text - 1, hex);
        ck_assert_str_eq(hex, digest);
        ck_assert_int_eq(write(file, text, sizeof text - 1), sizeof text - 1);
        close(file);
        ck_assert_int_eq(pxr_sha256_file(path, hex, diag), 0);
        ck_assert_str_eq(hex, digest);
        ck_assert_int_eq(remove(path), 0);
        ck_assert_int_eq(pxr_sha256_file(path, hex, diag), -1);
        ck_assert_int_eq(pxr_sha256_file("/tmp", hex, diag), -1);
        ck_assert_str_eq(pxr_diag_text(diag, 1), "/tmp: is a folder, not a file");
        pxr_diag_free(diag);
}
END_TEST

START_TEST(numbers_are_printed_with_as_many_digits_as_are_useful)
{
        static const struct {
                double value;
                int decimals;
                const char *text;
        } cases[] = { { 81.79, 4, "81.7900" },
                      { -9999999, 3, "-9999999.000" },
                      { 1e7, 4, "1e+07" },
                      { 2155622459934901419525612778907762688.0, 4, "2.16e+36" },
                      { -1.2345e31, 0, "-1.23e+31" },
                      { INFINITY, 4, "inf" } };
        char text[PXR_NUMBER_TEXT];

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                ck_assert_str_eq(pxr_number_text(cases[i].value, cases[i].decimals, text),
                                 cases[i].text);
}
END_TEST

/* The levels by name are what GCC knows. */
START_TEST(the_instruction_set_found_is_the_one_that_gcc_reports)
{
#if !defined(__x86_64__)
        ck_assert_int_eq(pxr_x86_level(), 0);
#elif defined(__clang__)
        int level = pxr_x86_level();

        ck_assert(level == 1 || level == 3 || level == 4);
#else
        ck_assert_int_eq(pxr_x86_level(), __builtin_cpu_supports("x86-64-v4")   ? 4
                                          : __builtin_cpu_supports("x86-64-v3") ? 3
                                                                                : 1);
#endif
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("base");

        ADD_TEST(suite, error_at_shows_line_caret_and_hint);
        ADD_TEST(suite, control_characters_in_errors_are_escaped);
        ADD_TEST(suite, errors_past_the_limit_are_counted);
        ADD_TEST(suite, similar_names_are_suggested_and_others_are_not);
        ADD_TEST(suite, text_of_any_bytes_becomes_visible);
        ADD_TEST(suite, arena_is_zeroed_aligned_and_limited);
        ADD_TEST(suite, an_arena_that_is_out_of_memory_refuses_later_allocations);
        ADD_TEST(suite, philox_gives_the_published_numbers);
        ADD_TEST(suite, random_numbers_are_the_same_one_by_one_and_many_at_once);
        ADD_TEST(suite, random_numbers_have_the_expected_moments);
        ADD_TEST(suite, sha256_gives_the_published_digest);
        ADD_TEST(suite, the_instruction_set_found_is_the_one_that_gcc_reports);
        ADD_TEST(suite, numbers_are_printed_with_as_many_digits_as_are_useful);
        return run_suite(suite);
}
