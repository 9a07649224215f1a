/* SPDX-License-Identifier: MIT */
/* check_escape.c - hostile text in every format of a report. */
#define _GNU_SOURCE /* nftw(), open_memstream() */
#include <stdint.h>

#include "report/escape.h"
#include "report/html.h"
#include "scratch.h"

typedef void escaper(FILE *to, const char *text);

static void escape_text(FILE *to, const char *text)
{
        pxr_escape_text(to, text);
}

static void escape_html(FILE *to, const char *text)
{
        pxr_escape_html(to, text, strlen(text));
}

static const char *escaped(escaper *escape, const char *text)
{
        FILE *to = capture();

        escape(to, text);
        return captured(to);
}

START_TEST(hostile_text_is_escaped)
{
        static const struct {
                escaper *escape;
                const char *text, *wanted;
        } cases[] = {
                { escape_text, "a\x1b[2Jb\nc", "a\\x1b[2Jb\\x0ac" },
                { escape_text, "\xff\xc3\xa9", "\\xff\xc3\xa9" },
                { escape_text,
                  "a\xe2\x80\xae"
                  "b",
                  "a\\xe2\\x80\\xae"
                  "b" }, /* right to left */
                { pxr_escape_markdown, "a|b\nc", "a\\|b\\\\x0ac" },
                { pxr_escape_markdown, "<img src=x> [a](b) `c` *d* _e_",
                  "&lt;img src=x&gt; \\[a\\](b) \\`c\\` \\*d\\* \\_e\\_" },
                { pxr_escape_csv, "plain", "plain" },
                { pxr_escape_csv, "", "\"\"" },
                { pxr_escape_csv, "a,b", "\"a,b\"" },
                { pxr_escape_csv, "a\"b\nc", "\"a\"\"b\nc\"" },
                { pxr_escape_csv, "a\033b\t\xe2\x80\xae", "a\\x1bb\t\\xe2\\x80\\xae" },
                { pxr_escape_latex, "\\input{/etc/passwd}",
                  "\\textbackslash{}input\\{/etc/passwd\\}" },
                { pxr_escape_latex, "50% & $x_1^2$ #~",
                  "50\\% \\& \\$x\\_1\\textasciicircum{}2\\$ \\#\\textasciitilde{}" },
                { pxr_escape_latex, "\xf0\x9f\x98\x80 \xc3\xa9", "{[}U+1F600{]} \xc3\xa9" },
                { pxr_escape_latex, "a--b\n", "a-{}-{}b\\textbackslash{}x0a" },
                { escape_html, "<script>alert('x')</script>",
                  "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" },
                { escape_html, "\" onload=\"x & y", "&quot; onload=&quot;x &amp; y" },
                { escape_html, "a\x01", "a\\x01" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                ck_assert_str_eq(escaped(cases[i].escape, cases[i].text), cases[i].wanted);
}
END_TEST

START_TEST(html_prints_like_printf_and_escapes_texts)
{
        FILE *to = capture();

        pxr_html(to, "<p title=\"%s\">%d %ld %lld %zu %jd %u %.3f %g %.*f %5.1f%%", "\"<b>\"", -1,
                 -2L, 1LL << 40, sizeof(int), INTMAX_MAX, 4000000000U, 1.0, 0.5, 2, 3.14159, 2.0);
        pxr_html(to, "|%.*s|%s</p>", 2, "<>x", "&");
        ck_assert_str_eq(captured(to),
                         "<p title=\"&quot;&lt;b&gt;&quot;\">-1 -2 1099511627776 4 "
                         "9223372036854775807 4000000000 1.000 0.5 3.14   2.0%|&lt;&gt;|&amp;</p>");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("escape");

        ADD_SCRATCH_TEST(suite, hostile_text_is_escaped);
        ADD_SCRATCH_TEST(suite, html_prints_like_printf_and_escapes_texts);
        return run_suite(suite);
}
