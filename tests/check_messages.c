/* SPDX-License-Identifier: MIT */
/* check_messages.c - the text of errors: lines, carets, invalid bytes. */
#include <string.h>

#include <pxr/diag.h>

#include "base/text.h"
#include "suite.h"

static struct pxr_diag *diag;

static void setup(void)
{
        diag = pxr_diag_new();
        ck_assert_ptr_nonnull(diag);
}

static void teardown(void)
{
        pxr_diag_free(diag);
}

static char *written(void)
{
        char *text = printed_errors(diag, "pxr-test");

        pxr_diag_clear(diag);
        return text;
}

static void expect(const char *expected)
{
        char *text = written();

        ck_assert_str_eq(text, expected);
}

static struct pxr_location mark(const char *text, int line, int column, int length)
{
        static struct pxr_source source;

        source = (struct pxr_source) { "x", text, strlen(text) };
        return (struct pxr_location) { &source, line, column, length };
}

START_TEST(control_characters_cannot_break_a_message)
{
        pxr_user_error(diag, "'%s' is none", "a\nb\t\x1b[2J\xC2\x9B\xE2\x80\xA8!");
        pxr_hint(diag, "hint\n2");
        pxr_note(diag, "note\n2");
        expect("pxr-test: error: 'a\\x0ab\\x09\\x1b[2J\\xc2\\x9b\\xe2\\x80\\xa8!' is none\n"
               "note: hint\\x0a2\nnote: note\\x0a2\n");
}
END_TEST

START_TEST(errors_replace_warnings_past_the_limit)
{
        char *text;

        ck_assert_ptr_null(pxr_diag_first_error(diag));
        for (int i = 0; i < 25; i++)
                pxr_warn(diag, "warning %d", i);
        ck_assert_ptr_null(pxr_diag_first_error(diag));
        pxr_user_error(diag, "error 1");
        pxr_note(diag, "note 1");
        for (int i = 2; i < 30; i++)
                pxr_user_error(diag, "error %d", i);
        pxr_note(diag, "of an error that is not kept");
        ck_assert_str_eq(pxr_diag_first_error(diag), "error 1");
        ck_assert_str_eq(pxr_diag_text(diag, 0), "error 1");
        ck_assert_str_eq(pxr_diag_text(diag, 19), "error 20");
        ck_assert_ptr_null(pxr_diag_text(diag, 20));
        text = written();
        ck_assert_ptr_nonnull(strstr(text, "error 1\nnote: note 1\npxr-test: error: error 2"));
}
END_TEST

START_TEST(the_first_error_is_not_a_warning)
{
        pxr_warn(diag, "a warning");
        pxr_out_of_memory(diag);
        ck_assert_str_eq(pxr_diag_first_error(diag), "out of memory");
        pxr_system_error(diag, "an error that comes of it");
        ck_assert_str_eq(pxr_diag_first_error(diag), "out of memory");
        ck_assert_int_eq(pxr_diag_errors(diag), 1);
}
END_TEST

START_TEST(invalid_utf8_is_escaped)
{
        static const char *const broken[] = { "\xFF",     "\x80",         "\xC3",
                                              "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                                              "\xE2\x82" };

        for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
                char expected[64] = "pxr-test: error: <";

                for (size_t k = 0; k < strlen(broken[i]); k++)
                        sprintf(strchr(expected, '\0'), "\\x%02x", (unsigned char)broken[i][k]);
                strcat(expected, ">\n");
                pxr_user_error(diag, "<%s>", broken[i]);
                expect(expected);
        }
        pxr_user_error(diag, "größe €  \xF0\x9F\x99\x82");
        expect("pxr-test: error: größe €  \xF0\x9F\x99\x82\n");
}
END_TEST

START_TEST(a_long_message_keeps_its_start_and_end)
{
        size_t size = 3000000;
        char *value = malloc(size + 1), *text;

        ck_assert_ptr_nonnull(value);
        for (size_t i = 0; i < size; i += 3)
                memcpy(value + i, "\xE2\x82\xAC", 3); /* cut nowhere but between characters */
        value[size] = '\0';
        for (int shift = 0; shift < 3; shift++) {
                pxr_user_error(diag, "'%.*s%s' is no number", shift, "ab", value);
                text = written();
                ck_assert_uint_lt(strlen(text), 1300);
                ck_assert_ptr_nonnull(strstr(text, " [...] "));
                ck_assert_ptr_nonnull(strstr(text, "' is no number\n"));
                ck_assert_ptr_null(strchr(text, '?'));
                for (const char *at = text; *at; at += pxr_character(at, text + strlen(text)))
                        ck_assert_uint_gt(pxr_character(at, text + strlen(text)), 0);
        }
        free(value);
}
END_TEST

START_TEST(a_caret_counts_characters)
{
        pxr_error_at(diag, mark("größe: 1e\n", 1, 8, 2), "wrong");
        expect("x:1:8: error: wrong\n    1 | größe: 1e\n      |        ^~\n");
        pxr_error_at(diag, mark("\tk:\tv\r\n", 1, 5, 1), "wrong");
        expect("x:1:5: error: wrong\n    1 |  k: v\n      |     ^\n");
}
END_TEST

START_TEST(a_caret_past_the_end_is_put_at_the_end)
{
        pxr_error_at(diag, mark("ab", 1, 9, 9), "wrong");
        expect("x:1:9: error: wrong\n    1 | ab\n      |   ^\n");
        pxr_error_at(diag, mark("ab\n", 2, 1, 0), "wrong");
        expect("x:2:1: error: wrong\n    2 | \n      | ^\n");
        pxr_error_at(diag, mark("ab\n", 3, 1, 0), "wrong");
        expect("x:3:1: error: wrong\n");
        pxr_error_at(diag, mark("ab\n", 1, 1, 99), "wrong");
        expect("x:1:1: error: wrong\n    1 | ab\n      | ^~\n");
}
END_TEST

START_TEST(lines_end_at_the_line_breaks_of_yaml)
{
        static const char text[] = "1\n2\r\n3\r4\xC2\x85"
                                   "5\xE2\x80\xA8"
                                   "6\xE2\x80\xA9"
                                   "7";

        for (int line = 1; line <= 7; line++) {
                char expected[64];

                snprintf(expected, sizeof(expected),
                         "x:%d:1: error: wrong\n    %d | %d\n      | ^\n", line, line, line);
                pxr_error_at(diag, mark(text, line, 1, 1), "wrong");
                expect(expected);
        }
}
END_TEST

START_TEST(of_a_long_line_the_part_around_the_caret_is_shown)
{
        char line[1001], *text, *caret, *shown;

        memset(line, '-', 1000);
        line[1000] = '\0';
        memcpy(line + 700, "HERE", 4);
        pxr_error_at(diag, mark(line, 1, 701, 4), "wrong");
        text = written();
        shown = strstr(text, "1 | ");
        caret = strstr(text, "  | ");
        ck_assert(shown && caret);
        ck_assert_int_lt(caret - shown, 180);
        ck_assert_int_eq(strncmp(shown + 4, "...-", 4), 0);
        ck_assert_int_eq(strstr(text, "HERE") - shown, strchr(text, '^') - caret);
        ck_assert_ptr_nonnull(strstr(text, "^~~~\n"));
}
END_TEST

START_TEST(two_letters_swapped_are_one_mistake)
{
        const char *const names[] = { "sgd", "adam", "kernel", "k" };

        ck_assert_str_eq(pxr_nearest("sdg", names, 4), "sgd");
        ck_assert_str_eq(pxr_nearest("kenrel", names, 4), "kernel");
        ck_assert_str_eq(pxr_nearest("ekrnle", names, 4), "kernel");
        ck_assert_ptr_null(pxr_nearest("dgs", names, 4));
        ck_assert_ptr_null(pxr_nearest("", names, 4));
        ck_assert_ptr_null(pxr_nearest("adam", names, 0));
}
END_TEST

#define ADD(suite, test)                                            \
        do {                                                        \
                TCase *tcase_ = add_case(suite, #test);             \
                tcase_add_checked_fixture(tcase_, setup, teardown); \
                tcase_add_test(tcase_, test);                       \
        } while (0)

int main(void)
{
        Suite *suite = suite_create("messages");

        ADD(suite, control_characters_cannot_break_a_message);
        ADD(suite, errors_replace_warnings_past_the_limit);
        ADD(suite, the_first_error_is_not_a_warning);
        ADD(suite, invalid_utf8_is_escaped);
        ADD(suite, a_long_message_keeps_its_start_and_end);
        ADD(suite, a_caret_counts_characters);
        ADD(suite, a_caret_past_the_end_is_put_at_the_end);
        ADD(suite, lines_end_at_the_line_breaks_of_yaml);
        ADD(suite, of_a_long_line_the_part_around_the_caret_is_shown);
        ADD(suite, two_letters_swapped_are_one_mistake);
        return run_suite(suite);
}
