/* SPDX-License-Identifier: MIT */
/* check_escape.c - hostile text in every format of a report. */
#define _GNU_SOURCE /* nftw(), open_memstream() */
#include <limits.h>
#include <math.h>
#include <stdint.h>

#include "report/escape.h"
#include "report/html.h"
#include "scratch.h"

static const char *escaped(enum pxr_escape how, const char *text)
{
        FILE *to = capture();

        pxr_escape(to, how, text);
        return captured(to);
}

START_TEST(control_characters_and_markup_are_escaped)
{
        static const struct {
                enum pxr_escape how;
                const char *text, *wanted;
        } cases[] = {
                { PXR_ESCAPE_TEXT, "a\x1b[2Jb\nc", "a\\x1b[2Jb\\x0ac" },
                { PXR_ESCAPE_TEXT, "\xff\xc3\xa9", "\\xff\xc3\xa9" },
                { PXR_ESCAPE_TEXT,
                  "a\xe2\x80\xae"
                  "b",
                  "a\\xe2\\x80\\xae"
                  "b" }, /* right to left */
                { PXR_ESCAPE_MARKDOWN, "a|b\nc", "a\\|b\\\\x0ac" },
                { PXR_ESCAPE_MARKDOWN, "<img src=x> [a](b) `c` *d* _e_",
                  "&lt;img src=x&gt; \\[a\\](b) \\`c\\` \\*d\\* \\_e\\_" },
                { PXR_ESCAPE_CSV, "a\"b\nc", "a\"\"b\nc" },
                { PXR_ESCAPE_CSV, "a\033b\t\xe2\x80\xae", "a\\x1bb\t\\xe2\\x80\\xae" },
                { PXR_ESCAPE_LATEX, "\\input{/etc/passwd}",
                  "\\textbackslash{}input\\{/etc/passwd\\}" },
                { PXR_ESCAPE_LATEX, "50% & $x_1^2$ #~",
                  "50\\% \\& \\$x\\_1\\textasciicircum{}2\\$ \\#\\textasciitilde{}" },
                { PXR_ESCAPE_LATEX, "\xf0\x9f\x98\x80 \xc3\xa9", "{[}U+1F600{]} \xc3\xa9" },
                { PXR_ESCAPE_LATEX, "a--b\n", "a-{}-{}b\\textbackslash{}x0a" },
                { PXR_ESCAPE_HTML, "<script>alert('x')</script>",
                  "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" },
                { PXR_ESCAPE_HTML, "\" onload=\"x & y", "&quot; onload=&quot;x &amp; y" },
                { PXR_ESCAPE_HTML, "a\x01", "a\\x01" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                ck_assert_str_eq(escaped(cases[i].how, cases[i].text), cases[i].wanted);
}
END_TEST

START_TEST(html_prints_like_printf_and_escapes_texts)
{
        FILE *to = capture();

        pxr_html(to, "<p title=\"%s\">%d %ld %lld %zu %u %.3f %g %.*f %5.1f%%", "\"<b>\"", -1, -2L,
                 1LL << 40, sizeof(int), 4000000000U, 1.0, 0.5, 2, 3.14159, 2.0);
        pxr_html(to, "|%s|%s</p>", "<>", "&");
        ck_assert_str_eq(captured(to), "<p title=\"&quot;&lt;b&gt;&quot;\">-1 -2 1099511627776 4 "
                                       "4000000000 1.000 0.5 3.14   2.0%|&lt;&gt;|&amp;</p>");
}
END_TEST

/* What pxr_html() and snprintf() print must be the same. */
#define SAME(...)                                            \
        do {                                                 \
                FILE *to_ = capture();                       \
                char text_[256];                             \
                pxr_html(to_, __VA_ARGS__);                  \
                snprintf(text_, sizeof(text_), __VA_ARGS__); \
                ck_assert_str_eq(captured(to_), text_);      \
        } while (0)

START_TEST(html_knows_the_conversions_of_printf)
{
        SAME("%d %i %u %o %x %X %c %%", -1, 2, 3U, 8U, 255U, 255U, 'c');
        SAME("%hhd %hd %ld %lld %jd %zu %td %+'d %#x %-6d| %06d", (signed char)-1, (short)-2, -3L,
             -4LL, INTMAX_MIN, SIZE_MAX, PTRDIFF_MIN, 1234567, 255U, 7, 8);
        SAME("%hhu %hu %lu %llx %jx %zx %*.*f %-*d|", (unsigned char)255, (unsigned short)65535,
             ULONG_MAX, ULLONG_MAX, UINTMAX_MAX, SIZE_MAX, 8, 3, 1.5, 4, 5);
        SAME("%a %A %e %E %f %F %g %G %.3Lf %Lg", 0.1, 0.1, 0.1, 0.1, 0.1, HUGE_VAL, 1e-9, 1e-9,
             0.25L, 1e9L);
        SAME("%p %s", (void *)__func__, "plain");
}
END_TEST

START_TEST(html_shows_a_conversion_that_it_lacks)
{
        FILE *to = capture();

        pxr_html(to, "%d <p>%-8s</p>", 1, "<b>");
        ck_assert_str_eq(captured(to), "1 <p>%-8s</p>");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("escape");

        ADD_SCRATCH_TEST(suite, control_characters_and_markup_are_escaped);
        ADD_SCRATCH_TEST(suite, html_prints_like_printf_and_escapes_texts);
        ADD_SCRATCH_TEST(suite, html_knows_the_conversions_of_printf);
        ADD_SCRATCH_TEST(suite, html_shows_a_conversion_that_it_lacks);
        return run_suite(suite);
}
