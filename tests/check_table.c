/* SPDX-License-Identifier: MIT */
/* check_table.c - tables as text, Markdown, CSV, LaTeX and JSON. */
#define _GNU_SOURCE /* nftw(), open_memstream() */
#include <jansson.h>

#include "reports.h"

static const struct pxr_column columns[] = {
        { "name", "Name", PXR_IF_FILLED }, { "nll", "NLL", PXR_IF_FILLED },
        { "none", "None", PXR_IF_FILLED }, { "more", "More", PXR_TO_PROGRAMS },
        { "ours", "Ours", PXR_ALWAYS },
};

static struct pxr_table *small_table(const char *name)
{
        struct pxr_table *table = pxr_table_new(arena, "small", "A table", columns, 5);
        struct pxr_cell *cell = pxr_table_row(table);

        cell[0] = pxr_text_cell(table, name);
        cell[0].footnote = "a";
        cell[1] = pxr_real_cell(-1.23456789, 2);
        cell[3] = pxr_integer_cell(12345);
        pxr_table_note(table, "a", "of %s", name);
        OK(pxr_table_finish(table, diag));
        return table;
}

START_TEST(text_hides_empty_columns_and_csv_keeps_them)
{
        const struct pxr_table *table = small_table("x|y");

        ck_assert_str_eq(written(table, PXR_FORMAT_TEXT), "A table\n"
                                                          "Name       NLL  Ours\n"
                                                          "--------------------\n"
                                                          "x|y [a]  -1.23      \n"
                                                          "\n"
                                                          "[a] of x|y\n");
        ck_assert_str_eq(written(table, PXR_FORMAT_CSV), "name,nll,none,more,ours\n"
                                                         "x|y,-1.23456789,,12345,\n");
        ck_assert_str_eq(written(table, PXR_FORMAT_MD), "### A table\n\n"
                                                        "| Name | NLL | Ours |\n"
                                                        "|---|---:|---:|\n"
                                                        "| x\\|y<sup>a</sup> | -1.23 |  |\n"
                                                        "\n<sup>a</sup> of x\\|y\n");
        ck_assert_ptr_nonnull(strstr(written(table, PXR_FORMAT_LATEX),
                                     "x\\textbar{}y\\textsuperscript{a} & $-$1.23 &  \\\\\n"));
}
END_TEST

START_TEST(csv_quotes_fields_that_need_it)
{
        static const char *const cases[][2] = {
                { "plain", "plain" }, { "", "\"\"" },           { "a,b", "\"a,b\"" },
                { " a", "\" a\"" },   { "a\"b", "\"a\"\"b\"" }, { "a\nb", "\"a\nb\"" },
        };

        for (size_t i = 0; i < PXR_COUNT(cases); i++)
                ck_assert_msg(strstr(written(small_table(cases[i][0]), PXR_FORMAT_CSV),
                                     pxr_strf(arena, "\n%s,-1.23456789,", cases[i][1])) != NULL,
                              "%s", cases[i][0]);
}
END_TEST

/* Texts and headings are broken, numbers never, and what has no room is named. */
START_TEST(text_tables_fit_the_terminal)
{
        static const struct pxr_column wide[] = { { "name", "Name", PXR_ALWAYS },
                                                  { "rate", "train.adam.rate", PXR_ALWAYS },
                                                  { "time", "Time", PXR_ALWAYS },
                                                  { "none", "None", PXR_IF_ROOM } };
        struct pxr_table *table = pxr_table_new(arena, "t", "T", wide, 4);
        struct pxr_cell *cell = pxr_table_row(table);

        cell[0] = pxr_text_cell(table, "a_long_name_of_é_run with spaces");
        cell[1] = pxr_real_cell(0.001, 3);
        cell[2] = pxr_integer_cell(1234);
        ck_assert_str_eq(written_in(table, PXR_FORMAT_TEXT, 32),
                         "T\n"
                         "Name                train.  Time\n"
                         "                     adam.      \n"
                         "                      rate      \n"
                         "--------------------------------\n"
                         "a_long_name_of_      0.001  1234\n"
                         "é_run with                      \n"
                         "spaces                          \n");
        ck_assert_ptr_nonnull(strstr(written_in(table, PXR_FORMAT_TEXT, 26), "No room for: Time."));
        ck_assert_ptr_null(strstr(written_in(table, PXR_FORMAT_TEXT, 26), "1234"));
        cell[0] = pxr_text_cell(table, "0.0004683 to 0.0008943");
        ck_assert_ptr_nonnull(strstr(written_in(table, PXR_FORMAT_TEXT, 33), "\n0.0008943 "));
        cell[0] = pxr_text_cell(table, "a_long_name_of_é_run with spaces");
        cell[3] = pxr_integer_cell(5);
        ck_assert_ptr_nonnull(strstr(written_in(table, PXR_FORMAT_TEXT, 34), "No room for: None."));
        ck_assert_ptr_nonnull(strstr(written_in(table, PXR_FORMAT_TEXT, 34), "1234"));
        ck_assert_ptr_nonnull(strstr(written_in(table, PXR_FORMAT_TEXT, 0),
                                     "a_long_name_of_é_run with spaces  "));
}
END_TEST

START_TEST(json_is_valid_whatever_a_name_contains)
{
        json_t *root = json_loads(written(small_table("\"\\\n\xff"), PXR_FORMAT_JSON), 0, NULL);
        json_t *row = json_array_get(json_object_get(root, "rows"), 0);

        ck_assert_ptr_nonnull(root);
        ck_assert_str_eq(json_string_value(json_object_get(row, "name")), "\"\\\\x0a\\xff");
        ck_assert(json_real_value(json_object_get(row, "nll")) == -1.23456789);
        ck_assert(json_is_null(json_object_get(row, "none")));
        ck_assert_str_eq(json_string_value(json_object_get(row, "note")), "a");
        json_decref(root);
        ck_assert_ptr_nonnull(strstr(written(small_table("\u202eab\u200b\u00e9"), PXR_FORMAT_JSON),
                                     "\"\\u202eab\\u200b\u00e9\""));
}
END_TEST

/* Braces that fit, and no character that TeX acts upon, outside of what this program writes. */
START_TEST(latex_breaks_long_paths)
{
        ck_assert_ptr_nonnull(
                strstr(written(small_table("model.1.conv_b/x 1.5"), PXR_FORMAT_LATEX),
                       "model.1.\\allowbreak{}conv\\_\\allowbreak{}b/\\allowbreak{}x 1.5"));
        ck_assert_ptr_nonnull(strstr(
                written(small_table(
                                "of 2345678901234567890123456789é1 and 123456789012345678901234"),
                        PXR_FORMAT_LATEX),
                "of 23456789\\allowbreak{}01234567890123456789é1 and "
                "123456789012345678901234\\textsuperscript"));
}
END_TEST

START_TEST(a_tabular_has_no_document_around_it)
{
        struct pxr_table *table = small_table("50 %");
        const char *text;

        pxr_table_note(table, NULL, "%s", "a note\n\\end{document} 5 %");
        text = written(table, PXR_FORMAT_TABULAR);
        ck_assert_ptr_nonnull(strstr(text, "\n\\begin{tabular}{"));
        ck_assert_ptr_nonnull(strstr(text, "50 \\%"));
        ck_assert_ptr_nonnull(strstr(text, "\n% a note\\x0a\\end{document} 5 %\n"));
        ck_assert_ptr_null(strstr(text, "\\documentclass"));
}
END_TEST

START_TEST(latex_braces_are_balanced)
{
        const char *text = written(small_table("}{\\end{document}%&#$^_~"), PXR_FORMAT_LATEX);
        int depth = 0;

        ck_assert_ptr_null(strstr(strstr(text, "\\end{document}") + 14, "\\end{document}"));
        for (; *text; text++) {
                if (*text == '\\' && text[1])
                        text++;
                else
                        depth += (*text == '{') - (*text == '}');
                ck_assert_int_ge(depth, 0);
        }
        ck_assert_int_eq(depth, 0);
}
END_TEST
START_TEST(huge_numbers_are_printed_with_few_digits)
{
        static const struct {
                double value;
                bool sign;
                const char *words;
        } cases[] = { { 1.2345e31, false, "1.23e+31" },
                      { 1e31, true, "+1e+31" },
                      { -2e20, false, "-2e+20" },
                      { 9999999, false, "9999999.000" } };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct pxr_cell cell = pxr_real_cell(cases[i].value, 3);

                cell.sign = cases[i].sign;
                ck_assert_str_eq(pxr_cell_text(arena, &cell), cases[i].words);
        }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("table");

        ADD_SCRATCH_TEST(suite, text_hides_empty_columns_and_csv_keeps_them);
        ADD_SCRATCH_TEST(suite, csv_quotes_fields_that_need_it);
        ADD_SCRATCH_TEST(suite, text_tables_fit_the_terminal);
        ADD_SCRATCH_TEST(suite, json_is_valid_whatever_a_name_contains);
        ADD_SCRATCH_TEST(suite, latex_breaks_long_paths);
        ADD_SCRATCH_TEST(suite, a_tabular_has_no_document_around_it);
        ADD_SCRATCH_TEST(suite, latex_braces_are_balanced);
        ADD_SCRATCH_TEST(suite, huge_numbers_are_printed_with_few_digits);
        return run_suite(suite);
}
