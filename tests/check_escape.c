/* SPDX-License-Identifier: MIT */
/* check_escape.c - hostile text in every format of a report. */
#define _GNU_SOURCE /* nftw(), open_memstream() */
#include <glob.h>

#include "report/escape.h"
#include "report/html.h"
#include "scratch.h"

typedef void escaper(FILE *to, const char *text);

static void escape_text(FILE *to, const char *text)
{
        pxr_escape_text(to, text);
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
                { pxr_escape_html, "<script>alert('x')</script>",
                  "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" },
                { pxr_escape_html, "\" onload=\"x & y", "&quot; onload=&quot;x &amp; y" },
                { pxr_escape_html, "a\x01", "a\\x01" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                ck_assert_str_eq(escaped(cases[i].escape, cases[i].text), cases[i].wanted);
}
END_TEST

/* The end of the C string that begins at `at`, copied to `text` as it stands in the source. */
static const char *c_string(const char *at, char *text, size_t size)
{
        size_t length = 0;

        for (at++; *at != '"'; at++) {
                ck_assert_uint_lt(length + 2, size);
                text[length++] = *at;
                if (*at == '\\')
                        text[length++] = *++at;
        }
        text[length] = '\0';
        return at + 1;
}

/* Ask of every string that is an argument of pxr_html() in a source; returns how many calls. */
static int check_html_calls(const char *source)
{
        int calls = 0;

        for (const char *at = source; (at = strstr(at, "pxr_html(")); calls++) {
                int depth = 1;

                for (at += strlen("pxr_html("); depth > 0;) {
                        char text[4096];

                        if (strncmp(at, "'\"'", 3) == 0) {
                                at += 3;
                        } else if (*at == '"') {
                                at = c_string(at, text, sizeof(text));
                                ck_assert_msg(pxr_html_knows(text), "pxr_html() with \"%s\"", text);
                        } else {
                                depth += (*at == '(') - (*at == ')');
                                at++;
                        }
                }
        }
        return calls;
}

/* Only here: the compiler takes it for printf(). */
START_TEST(html_formats_are_known)
{
        static const char *const unknown[] = {
                "%zu", "%i", "%lu", "%5d", "%.*s", "%", "%s %zu %d"
        };
        const char *source = getenv("srcdir");
        glob_t found;
        int calls = 0;

        for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
                ck_assert_msg(!pxr_html_knows(unknown[i]), "%s", unknown[i]);
        ck_assert(pxr_html_knows("%s %d %ld %f %.3g %.*f %% %g"));
        ck_assert_int_eq(
                glob(pxr_strf(arena, "%s/lib/*/*.c", source ? source : "."), 0, NULL, &found), 0);
        for (size_t i = 0; i < found.gl_pathc; i++) {
                size_t size;
                char *text = (char *)file_bytes(found.gl_pathv[i], &size);

                text[size] = '\0';
                calls += check_html_calls(text);
        }
        globfree(&found);
        ck_assert_int_gt(calls, 100);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("escape");

        ADD_SCRATCH_TEST(suite, hostile_text_is_escaped);
        ADD_SCRATCH_TEST(suite, html_formats_are_known);
        return run_suite(suite);
}
