/* SPDX-License-Identifier: MIT */
/* check_report.c - texts that mean harm, tables in every format, the paper's rows and ours. */
#define _GNU_SOURCE /* nftw(), open_memstream() */
#include <glob.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <sys/utsname.h>

#include "data/known.h"
#include "experiment/experiment.h"
#include "report/departures.h"
#include "report/effects.h"
#include "report/escape.h"
#include "report/html.h"
#include "report/plot.h"
#include "report/report.h"
#include "run_database.h"
#include "config/recipe.h"

/* --- escaping ----------------------------------------------------------------------------------
 */

typedef void escaper(FILE *to, const char *text);

static void escape_text(FILE *to, const char *text)
{
        pxr_escape_text(to, text);
}

static const char *escaped(escaper *escape, const char *text)
{
        char *bytes = NULL, *copy;
        size_t size;
        FILE *to = open_memstream(&bytes, &size);

        escape(to, text);
        fclose(to);
        copy = pxr_strdup(arena, bytes);
        free(bytes);
        return copy;
}

START_TEST(hostile_texts_are_harmless)
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

/* --- tables ------------------------------------------------------------------------------------
 */

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
        cell[0].mark = "a";
        cell[1] = pxr_real_cell(-1.23456789, 2);
        cell[3] = pxr_integer_cell(12345);
        pxr_table_note(table, "a", "of %s", name);
        OK(pxr_table_finish(table, diag));
        return table;
}

static const char *written(const struct pxr_table *table, enum pxr_format format)
{
        char *bytes = NULL, *copy;
        size_t size;
        FILE *to = open_memstream(&bytes, &size);

        OK(pxr_tables_write(table, format, to, 0, diag));
        fclose(to);
        copy = pxr_strdup(arena, bytes);
        free(bytes);
        return copy;
}

START_TEST(people_see_what_is_there_and_programs_everything)
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

static const char *written_in(const struct pxr_table *table, int line)
{
        char *bytes = NULL, *copy;
        size_t size;
        FILE *to = open_memstream(&bytes, &size);

        OK(pxr_tables_write(table, PXR_FORMAT_TEXT, to, line, diag));
        fclose(to);
        copy = pxr_strdup(arena, bytes);
        free(bytes);
        return copy;
}

/* Texts and headings are broken, numbers never, and what has no room is named. */
START_TEST(text_fits_into_a_terminal)
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
        ck_assert_str_eq(written_in(table, 32), "T\n"
                                                "Name                train.  Time\n"
                                                "                     adam.      \n"
                                                "                      rate      \n"
                                                "--------------------------------\n"
                                                "a_long_name_of_      0.001  1234\n"
                                                "é_run with                      \n"
                                                "spaces                          \n");
        ck_assert_ptr_nonnull(strstr(written_in(table, 26), "No room for: Time."));
        ck_assert_ptr_null(strstr(written_in(table, 26), "1234"));
        cell[0] = pxr_text_cell(table, "0.0004683 to 0.0008943");
        ck_assert_ptr_nonnull(strstr(written_in(table, 33), "\n0.0008943 "));
        cell[0] = pxr_text_cell(table, "a_long_name_of_é_run with spaces");
        cell[3] = pxr_integer_cell(5);
        ck_assert_ptr_nonnull(strstr(written_in(table, 34), "No room for: None."));
        ck_assert_ptr_nonnull(strstr(written_in(table, 34), "1234"));
        ck_assert_ptr_nonnull(strstr(written_in(table, 0), "a_long_name_of_é_run with spaces  "));
}
END_TEST

START_TEST(json_is_json_whatever_the_name)
{
        json_t *root = json_loads(written(small_table("\"\\\n\xff"), PXR_FORMAT_JSON), 0, NULL);
        json_t *row = json_array_get(json_object_get(root, "rows"), 0);

        ck_assert_ptr_nonnull(root);
        ck_assert_str_eq(json_string_value(json_object_get(row, "name")), "\"\\\\x0a\\xff");
        ck_assert(json_real_value(json_object_get(row, "nll")) == -1.23456789);
        ck_assert(json_is_null(json_object_get(row, "none")));
        ck_assert_str_eq(json_string_value(json_object_get(row, "note")), "a");
        json_decref(root);
}
END_TEST

/* Braces that fit, and no character that TeX acts upon, outside of what this program writes. */
START_TEST(latex_can_break_paths)
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

START_TEST(latex_stays_balanced)
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

/* --- departures --------------------------------------------------------------------------------
 */

#define CONV(mask, kernel, features) \
        "conv: {mask: " mask ", kernel: " kernel ", features: " features "}"
#define RESIDUAL(kernel)                                                           \
        "residual: {layers: [relu: {}, " CONV("B", "1", "16") ", relu: {}, " CONV( \
                "B", kernel, "16") ", relu: {}, " CONV("B", "1", "32") "]}"
#define PIXELCNN(blocks)                                                                           \
        "model:\n- " CONV("A", "7",                                                                \
                          "32") "\n- skip_connections: {features: 32, layers: [" blocks            \
                                "]}\n- relu: {}\n- " CONV("B", "1", "32") "\n- relu: {}\n- " CONV( \
                                        "B", "1", "32") "\n- sigmoid: {}\n"
#define TRAIN(optimizer, batch, seed)                                                      \
        "train: {optimizer: {" optimizer ": {rate: 0.001}}, batch: " batch ", epochs: 9, " \
        "micro_batch: 4, seed: " seed "}\n"
#define REPEAT(count, layers) "repeat: {count: " count ", layers: [" layers "]}"
#define BLOCK(kernel) RESIDUAL(kernel) ", skip: {}"
#define LIKE_PAPER PIXELCNN(REPEAT("3", BLOCK("3"))) TRAIN("rmsprop", "16", "1")

/* clang-format off */
#define WITHOUT_SKIPS \
        "model:\n- " CONV("A", "7", "32") "\n- " REPEAT("3", RESIDUAL("3")) "\n- relu: {}\n- " \
        CONV("B", "1", "32") "\n- relu: {}\n- " CONV("B", "1", "32") "\n- relu: {}\n" \
        "- sigmoid: {}\n" TRAIN("rmsprop", "16", "1")
/* clang-format on */

static struct pxr_paper *paper;

static void open_paper(void)
{
        paper = pxr_paper_open(arena, "reports/paper.yaml", diag);
        ck_assert_msg(paper != NULL, "%s", pxr_diag_text(diag, 0));
}

static const struct pxr_paper_row *row_of(int table, const char *name)
{
        const struct pxr_paper_row *row;

        open_paper();
        row = pxr_paper_row(pxr_paper_find(paper, table, diag), name);
        ck_assert_ptr_nonnull(row);
        return row;
}

static struct pxr_departures compared(const struct pxr_paper_row *row, const char *spec)
{
        struct pxr_departures found;
        const struct pxr_yaml *root = pxr_spec_recorded(arena, spec, diag);

        ck_assert_msg(root != NULL, "%s", pxr_diag_text(diag, 0));
        OK(pxr_departures(arena, row, root, &found, diag));
        return found;
}

START_TEST(departures_are_computed)
{
        static const struct {
                const char *spec, *departures, *other;
        } cases[] = {
                { LIKE_PAPER, "", "" },
                /* The same, written out. */
                { PIXELCNN(BLOCK("3") ", " BLOCK("3")) TRAIN("rmsprop", "16", "1"), "", "" },
                { PIXELCNN(REPEAT("3", BLOCK("5"))) TRAIN("rmsprop", "16", "1"),
                  "kernel of conv 2 in residual: 5, not 3", "" },
                { PIXELCNN(REPEAT("3", RESIDUAL("3"))) TRAIN("rmsprop", "16", "1"), "without skip",
                  "" },
                { PIXELCNN(REPEAT("3", BLOCK("3"))) TRAIN("adam", "32", "1"),
                  "optimizer adam, not rmsprop; batch 32, not 16", "" },
                { "data: {set: binarized_mnist, flip: true}\n" LIKE_PAPER,
                  "data.flip true, not false", "" },
                { "data: {set: binarized_mnist, flip: false}\n" LIKE_PAPER, "", "" },
                { WITHOUT_SKIPS, "without skip_connections; without skip; with relu 3", "" },
                { "model: [uniform: {}]\n" TRAIN("rmsprop", "16", "1"),
                  "without conv 1; without skip_connections; without residual; without relu 1; "
                  "without relu 2; without conv 2; without relu 3; without conv 3; without skip; "
                  "without sigmoid; with uniform",
                  "no conv; no residual" },
        };
        const struct pxr_paper_row *row = row_of(4, "PixelCNN");

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct pxr_departures found = compared(row, cases[i].spec);

                ck_assert_str_eq(pxr_remarks(arena, found.departure), cases[i].departures);
                ck_assert_str_eq(pxr_remarks(arena, found.other), cases[i].other);
        }
}
END_TEST

START_TEST(choices_are_told)
{
        struct pxr_departures found = compared(row_of(4, "PixelCNN"), LIKE_PAPER);

        ck_assert_str_eq(pxr_remarks(arena, found.choice),
                         "features of conv 1 32; features of skip_connections 32; count of repeat "
                         "3; features of conv 1 in residual 16; features of conv 2 in residual 16; "
                         "features of conv 3 in residual 32; rmsprop.rate 0.001; epochs 9");
}
END_TEST

/* clang-format off */
#define IN_BLOCK(layers) PIXELCNN(REPEAT("3", "residual: {layers: [" layers "]}, skip: {}")) \
        TRAIN("rmsprop", "16", "1")
/* clang-format on */

/* Whatever the paper leaves open, a block is a block. */
START_TEST(models_without_the_blocks_are_others)
{
        static const struct {
                const char *spec, *other;
        } cases[] = {
                { PIXELCNN(REPEAT("3", "relu: {}, " CONV("B", "3", "32") ", skip: {}"))
                          TRAIN("rmsprop", "16", "1"),
                  "no residual" },
                { IN_BLOCK("relu: {}, " CONV("B", "3", "32")), "1 conv in residual, not 3" },
                { IN_BLOCK("relu: {}"), "0 conv in residual, not 3" },
                { PIXELCNN(REPEAT("3", BLOCK("1"))) TRAIN("rmsprop", "16", "1"),
                  "kernel 1 of conv 2 in residual, not 3" },
                { PIXELCNN(BLOCK("3") ", " BLOCK("1")) TRAIN("rmsprop", "16", "1"),
                  "kernel 1 of conv 2 in residual, not 3" },
                { IN_BLOCK("relu: {}, " CONV("B", "1", "16") ", " CONV("B", "3", "16") ", " CONV(
                          "B", "1", "32")),
                  "" }, /* a departure, but no fewer weights */
        };
        const struct pxr_paper_row *row = row_of(4, "PixelCNN");

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                ck_assert_str_eq(pxr_remarks(arena, compared(row, cases[i].spec).other),
                                 cases[i].other);
}
END_TEST

/* clang-format off */
#define IMAGENET64(block) \
        "model:\n- " CONV("A", "7", "1024") "\n- skip_connections: {features: 1024, layers: [" \
        REPEAT("4", block) "]}\n- relu: {}\n- " CONV("B", "1", "1024") "\n- relu: {}\n- " \
        CONV("B", "1", "1024") "\n- softmax: {}\n" TRAIN("rmsprop", "32", "1")
#define LSTM512 "row_lstm: {features: 512, kernel: 3, state_kernel: 3}"
/* clang-format on */

START_TEST(blocks_are_blocks_without_residual_connections_too)
{
        const struct pxr_paper_row *row = row_of(6, "64x64");
        struct pxr_departures found =
                compared(row, IMAGENET64(LSTM512 ", " CONV("B", "1", "1024")));

        ck_assert_str_eq(pxr_remarks(arena, found.departure), "without skip");
        ck_assert_str_eq(pxr_remarks(arena, found.other), "");
        found = compared(row, IMAGENET64(LSTM512 ", skip: {}"));
        ck_assert_str_eq(pxr_remarks(arena, found.other), "0 conv in repeat, not 1");
}
END_TEST

/* The published number is of a density; an old run has no such option on record, as it had none. */
START_TEST(another_likelihood_is_a_departure)
{
        static const struct {
                const char *options, *departures;
        } cases[] = {
                { "likelihood: dequantized", "" },
                { "likelihood: discretized",
                  "likelihood of gaussian: discretized, not dequantized" },
                { "", "likelihood of gaussian: not on record, not dequantized" },
        };
        const struct pxr_paper_row *row = row_of(5, "Multivariate Gaussian");

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const char *spec = pxr_strf(arena, "model: [gaussian: {%s}]\n", cases[i].options);

                ck_assert_str_eq(pxr_remarks(arena, compared(row, spec).departure),
                                 cases[i].departures);
        }
}
END_TEST

/* clang-format off */
#define ROW_LSTM(count, features, head) \
        "model:\n- " CONV("A", "7", "256") "\n- skip_connections: {features: 256, layers: [" \
        REPEAT(count, "residual: {layers: [row_lstm: {features: " features \
                      ", kernel: 3, state_kernel: 3}, " CONV("B", "1", "256") "]}, skip: {}") \
        "]}\n- relu: {}\n- " CONV("B", "1", head) "\n- relu: {}\n- " CONV("B", "1", head) \
        "\n- softmax: {}\n" TRAIN("rmsprop", "16", "1")
/* One layer, written out, without skip connections. */
#define ONE_ROW_LSTM \
        "model:\n- " CONV("A", "7", "256") "\n- residual: {layers: [row_lstm: {features: 128, " \
        "kernel: 3, state_kernel: 3}, " CONV("B", "1", "256") "]}\n- relu: {}\n- " \
        CONV("B", "1", "1024") "\n- relu: {}\n- " CONV("B", "1", "1024") "\n- softmax: {}\n" \
        TRAIN("rmsprop", "16", "1")
/* clang-format on */

START_TEST(smaller_models_are_others)
{
        static const struct {
                const char *spec, *other;
        } cases[] = {
                { ROW_LSTM("12", "128", "1024"), "" },
                { ROW_LSTM("12", "256", "1024"), "" }, /* a departure, but not smaller */
                { ROW_LSTM("12", "24", "1024"), "24 features of row_lstm in residual, not 128" },
                { ROW_LSTM("3", "128", "1024"), "3 layers or blocks, not 12" },
                { ROW_LSTM("12", "128", "96"), "96 features of conv 2, not 1024; 96 features of "
                                               "conv 3, not 1024" },
                { ONE_ROW_LSTM, "1 row_lstm, not 12" },
                { LIKE_PAPER, "no row_lstm" },
        };
        const struct pxr_paper_row *row = row_of(5, "Row LSTM");

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const char *other = pxr_remarks(arena, compared(row, cases[i].spec).other);

                ck_assert_msg(strncmp(other, cases[i].other, strlen(cases[i].other)) == 0 &&
                                      (*cases[i].other || !*other),
                              "case %zu: %s", i, other);
        }
}
END_TEST

/* In what a spec of ours departs from the row it names; NULL when it names none. */
static const char *departures_of(const char *path)
{
        const struct pxr_spec_origin origin = { .path = path };
        struct pxr_experiment *experiment = pxr_experiment_read(arena, &origin, diag);
        const struct pxr_reproduces *named;
        const struct pxr_paper_row *row;
        struct pxr_departures found;

        ck_assert_msg(experiment != NULL, "%s", pxr_diag_text(diag, 0));
        named = &experiment->settings.reproduces;
        if (named->table == 0)
                return NULL;
        row = pxr_paper_row(pxr_paper_find(paper, named->table, diag), named->row);
        ck_assert_msg(row != NULL, "%s: %s", path, named->row);
        OK(pxr_departures(arena, row, experiment->root, &found, diag));
        ck_assert_msg(!found.other, "%s: %s", path, pxr_remarks(arena, found.other));
        ck_assert_msg(row->train_value == 0 ||
                              experiment->settings.evaluate.at_end >> PXR_TRAIN & 1,
                      "%s: the row has an NLL of the training images, and the run will not", path);
        return pxr_remarks(arena, found.departure);
}

/* Every spec of ours that names a row names one that there is, and is no smaller. */
START_TEST(experiments_are_of_their_rows)
{
        static const struct {
                const char *name, *departures;
        } wanted[] = {
                { "cifar_row.yaml", "" },      { "cifar_diag.yaml", "" },
                { "cifar_pixelcnn.yaml", "" }, { "imagenet32_row.yaml", "" },
                { "imagenet64_row.yaml", "" }, { "mnist_made.yaml", "masks of made: 8, not 32" },
                { "mnist_nade.yaml", "" },     { "cifar_uniform.yaml", "" },
                { "cifar_gaussian.yaml", "" }, { "mnist_row.yaml", "" },
                { "mnist_diag7.yaml", "" },    { "mnist_diag1.yaml", "" },
                { "mnist_pixelcnn.yaml", "" },
        };
        enum { ROWS = sizeof(wanted) / sizeof(wanted[0]) };
        const char *source = getenv("srcdir");
        char *folder = pxr_strf(arena, "%s/experiments", source ? source : ".");
        DIR *list = opendir(folder);
        struct dirent *entry;
        size_t seen = 0;

        open_paper();
        ck_assert_ptr_nonnull(list);
        while ((entry = readdir(list))) {
                const char *departures;
                size_t i = 0;

                if (!strstr(entry->d_name, ".yaml"))
                        continue;
                departures = departures_of(pxr_strf(arena, "%s/%s", folder, entry->d_name));
                if (!departures)
                        continue;
                while (i < ROWS && strcmp(wanted[i].name, entry->d_name) != 0)
                        i++;
                ck_assert_msg(i < ROWS, "%s is not in the list; it departs in: %s", entry->d_name,
                              departures);
                ck_assert_msg(strcmp(departures, wanted[i].departures) == 0, "%s departs in: %s",
                              entry->d_name, departures);
                seen++;
        }
        closedir(list);
        ck_assert_uint_eq(seen, ROWS);
}
END_TEST

/* --- the paper's tables ------------------------------------------------------------------------
 */

static struct pxr_store *store;

static void setup(void)
{
        scratch_setup();
        store = open_store(in_scratch("runs.db"), true);
        open_paper();
}

static void teardown(void)
{
        pxr_store_close(store);
        scratch_teardown();
}

static const char whole_mnist[] =
        "28ca2e01093bfcec5d74ed39b1be9424acfe25da2095c4b6dbca832835cda8e7";

/* A run, as a change of this one. */
struct sort {
        const char *row, *spec, *set, *identity, *transforms, *given, *suspect;
        int table;
        int64_t seed, images;
        double test, valid; /* nats an image; valid 0: none */
        double train;       /* 0: none */
};

/* With 5000 images to validate on. */
static const char whole_cifar10[] =
        "5c1ea0ba1950abd4775498e418b8058afb167e55f75e24013fb83946331fe460";

static const struct sort usual = { "PixelCNN",
                                   LIKE_PAPER,
                                   "binarized_mnist",
                                   whole_mnist,
                                   "static binarization",
                                   NULL,
                                   NULL,
                                   4,
                                   1,
                                   10000,
                                   81.5,
                                   81.4,
                                   0 };

static void add_nll(int64_t id, const char *split, double nats, const struct sort *sort)
{
        const struct pxr_nll_row row = { split, "final_nll",  nats * (double)sort->images,
                                         0,     sort->images, sort->table == 4 ? 784 : 3072,
                                         0.25,  sort->suspect };

        OK(pxr_store_add_nll(store, (struct pxr_moment) { id, 100, 9 }, &row, diag));
}

static int64_t record(struct sort sort)
{
        char recipe[PXR_SHA256_HEX];
        struct pxr_run run = { .name = "a run",
                               .spec = sort.spec,
                               .spec_hash = "aa",
                               .origins = "",
                               .seed = sort.seed,
                               .program_version = "0",
                               .data_set = sort.set,
                               .data_identity = sort.identity,
                               .data_transforms = sort.transforms,
                               .data_entropy = NAN,
                               .given = sort.given,
                               .certificate = "cc",
                               .fingerprint_nll = NAN,
                               .fingerprint_gradient = NAN,
                               .fingerprint_single = NAN,
                               .fingerprint_version = 1,
                               .reproduces_table = sort.table,
                               .reproduces_row = sort.row,
                               .recipe_hash = recipe };

        OK(pxr_spec_recipe(arena, sort.spec, recipe, diag));
        OK(pxr_store_add_run(store, &run, diag));
        add_nll(run.id, "test", sort.test, &sort);
        if (sort.valid > 0)
                add_nll(run.id, "valid", sort.valid, &sort);
        if (sort.train > 0)
                add_nll(run.id, "train", sort.train, &sort);
        return run.id;
}

static const struct pxr_table *table_of(int number)
{
        const struct pxr_table *table =
                pxr_report_paper_table(arena, store, pxr_paper_find(paper, number, diag), diag);

        ck_assert_msg(table != NULL, "%s", pxr_diag_text(diag, 0));
        return table;
}

/* The text of a cell of a row, "" where it is empty. */
static const char *cell_of(const struct pxr_table *table, const char *row, const char *name)
{
        for (size_t i = 0; i < table->rows; i++) {
                const struct pxr_cell *cell = table->cell + i * table->columns;

                for (int k = 0; k < table->columns; k++)
                        if (strcmp(cell[1].text, row) == 0 &&
                            strcmp(table->column[k].name, name) == 0)
                                return pxr_cell_words(arena, cell + k);
        }
        ck_abort_msg("no row '%s', or no column '%s'", row, name);
        return NULL;
}

static bool has_note(const struct pxr_table *table, const char *text)
{
        for (const struct pxr_note *note = table->note; note; note = note->next)
                if (strstr(note->text, text))
                        return true;
        return false;
}

START_TEST(run_stands_beside_its_row)
{
        const struct pxr_table *table;

        record(usual);
        table = table_of(4);
        ck_assert_str_eq(cell_of(table, "PixelCNN", "paper"), "81.30");
        ck_assert_str_eq(cell_of(table, "PixelCNN", "ours"), "81.50");
        ck_assert_str_eq(cell_of(table, "PixelCNN", "difference"), "+0.20");
        ck_assert_str_eq(cell_of(table, "PixelCNN", "standard_error"), "0.25");
        ck_assert_str_eq(cell_of(table, "PixelCNN", "run"), "1");
        ck_assert_str_eq(cell_of(table, "PixelCNN", "deviation"), "");
        ck_assert_str_eq(cell_of(table, "Row LSTM", "ours"), "");
        ck_assert_str_eq(cell_of(table, "DRAW", "paper"), "≤ 80.97");
        ck_assert(has_note(table, "Departs in nothing that the paper says. Where the paper is "
                                  "silent: features of conv 1 32"));
}
END_TEST

START_TEST(what_is_not_the_row_is_never_shown)
{
        static const char *const reasons[] = {
                "its data set is mnist, not binarized_mnist",
                "its data are not the row's: static binarization; first 500 of each split",
                "its NLL is over 1017 images, where the split has 10000",
                "its data are not known, by their SHA-256, to be the whole of the official",
                "its NLL is of images given their small versions",
                "better than any model of this data set can be",
        };
        struct sort sort[6] = { usual, usual, usual, usual, usual, usual };
        const struct pxr_table *table;

        sort[0].set = "mnist";
        sort[1].transforms = "static binarization; first 500 of each split";
        sort[2].images = 1017;
        sort[4].given = "14x14";
        sort[5].suspect = reasons[5];
        for (int i = 0; i < 6; i++) {
                sort[i].identity = pxr_strf(arena, "id%d", i);
                record(sort[i]);
        }
        table = table_of(4);
        ck_assert_str_eq(cell_of(table, "PixelCNN", "ours"), "");
        for (int i = 0; i < 6; i++)
                ck_assert_msg(has_note(table, reasons[i]), "%s", reasons[i]);
}
END_TEST

START_TEST(runs_without_a_result_are_named)
{
        static const struct {
                const char *sql, *note;
        } cases[] = {
                { "UPDATE run SET status = 'interrupted'", "run 1 (PixelCNN): it is interrupted." },
                { "UPDATE run SET status = 'failed'", "run 1 (PixelCNN): it has failed." },
                { "UPDATE run SET status = 'finished'",
                  "run 1 (PixelCNN): it was not evaluated on the test split." },
                { "UPDATE run SET status = 'running'", "run 1 (PixelCNN): it is running." },
                { "UPDATE run SET process_id = 1, process_start = 'never', host = (SELECT here "
                  "FROM "
                  "host)",
                  "run 1 (PixelCNN): it is killed." },
        };
        struct utsname system;

        uname(&system);
        record(usual);
        ck_assert(!has_note(table_of(4), "Not shown"));
        sql(pxr_strf(arena,
                     "DELETE FROM metric WHERE split = 'test'; CREATE TABLE host AS SELECT "
                     "'%s' AS here",
                     system.nodename));
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                sql(cases[i].sql);
                ck_assert_msg(has_note(table_of(4), cases[i].note), "%s", cases[i].note);
                ck_assert_str_eq(cell_of(table_of(4), "PixelCNN", "ours"), "");
        }
        ck_assert(!has_note(table_of(6), "Not shown"));
        sql("UPDATE run SET archived_at = started_at");
        ck_assert(!has_note(table_of(4), "Not shown"));
}
END_TEST

START_TEST(seeds_of_a_spec_are_one)
{
        struct sort second = usual, again = usual;
        const struct pxr_table *table;

        second.seed = 2;
        second.spec = PIXELCNN(REPEAT("3", BLOCK("3"))) TRAIN("rmsprop", "16", "2");
        second.test = 81.7;
        again.test = 99; /* the first's seed once more: no third sample, and the newest counts */
        record(again);
        record(usual);
        record(second);
        table = table_of(4);
        ck_assert_str_eq(cell_of(table, "PixelCNN", "ours"), "81.60");
        ck_assert_str_eq(cell_of(table, "PixelCNN", "deviation"), "0.14");
        ck_assert_str_eq(cell_of(table, "PixelCNN", "seeds"), "2");
        ck_assert_str_eq(cell_of(table, "PixelCNN", "run"), "2, 3");
        ck_assert(has_note(table, "Mean and deviation of 2 seeds."));
}
END_TEST

START_TEST(seeds_that_diverged_are_not_in_the_mean)
{
        struct sort second = usual, third = usual;

        second.seed = 2;
        third.seed = 3;
        second.test = 81.7;
        third.test = 1e31;
        third.suspect = "worse than the uniform distribution";
        record(usual);
        record(second);
        record(third);
        ck_assert_str_eq(cell_of(table_of(4), "PixelCNN", "ours"), "81.60");
        ck_assert_str_eq(cell_of(table_of(4), "PixelCNN", "deviation"), "0.14");
        ck_assert(has_note(table_of(4), "Mean and deviation of 2 seeds. Without 1 more of its "
                                        "seeds, whose NLL cannot be shown."));
        /* Once more, and now it went well. */
        third.suspect = NULL;
        third.test = 81.6;
        record(third);
        ck_assert(has_note(table_of(4), "Mean and deviation of 3 seeds. Departs"));
}
END_TEST

START_TEST(best_is_chosen_by_validation)
{
        struct sort other = usual;

        other.spec = PIXELCNN(REPEAT("3", BLOCK("5"))) TRAIN("rmsprop", "16", "1");
        other.test = 81.0;
        other.valid = 82;
        record(usual);
        record(other);
        ck_assert_str_eq(cell_of(table_of(4), "PixelCNN", "run"), "1");
}
END_TEST

/* One spec without a validation NLL has not the others chosen by their test NLL. */
START_TEST(without_validation_none_is_chosen_before_others)
{
        struct sort better = usual, none = usual;
        const struct pxr_table *table;

        better.spec = PIXELCNN(REPEAT("3", BLOCK("5"))) TRAIN("rmsprop", "16", "1");
        better.test = 82.5;
        better.valid = 81.3;
        none.spec = PIXELCNN(REPEAT("4", BLOCK("5"))) TRAIN("rmsprop", "16", "1");
        none.test = 81.0;
        none.valid = 0;
        record(usual);
        record(better);
        record(none);
        table = table_of(4);
        ck_assert_str_eq(cell_of(table, "PixelCNN", "run"), "2");
        ck_assert(has_note(table, "Not shown: run 3 (PixelCNN): it has no validation NLL"));
        ck_assert(!has_note(table, "flatters"));
        /* One that cannot be is none. */
        sql("UPDATE metric SET suspect = 'x', sum_nats = 1 WHERE run = 3 AND split = 'valid'; "
            "INSERT INTO metric SELECT 3, step, epoch, split, name, value, 1, sum_squares, images, "
            "dimensions, standard_error, 'x' FROM metric WHERE run = 2 AND split = 'valid'");
        ck_assert_str_eq(cell_of(table_of(4), "PixelCNN", "run"), "2");
}
END_TEST

/* Of seeds of which some have none, those that have one stand for the spec. */
START_TEST(seeds_without_validation_do_not_hide_the_others)
{
        struct sort second = usual, other = usual;

        second.seed = 2;
        second.valid = 0;
        other.spec = PIXELCNN(REPEAT("3", BLOCK("5"))) TRAIN("rmsprop", "16", "1");
        other.valid = 82;
        other.test = 80;
        record(usual);
        record(second);
        record(other);
        ck_assert_str_eq(cell_of(table_of(4), "PixelCNN", "run"), "1, 2");
}
END_TEST

/* clang-format off */
#define DIAGONAL(batch) \
        "model:\n- " CONV("A", "7", "64") "\n- skip_connections: {features: 32, layers: [" \
        "residual: {layers: [diagonal_bilstm: {features: 32}, " CONV("B", "1", "64") "]}, " \
        "skip: {}]}\n- relu: {}\n- " CONV("B", "1", "32") "\n- relu: {}\n- " \
        CONV("B", "1", "32") "\n- sigmoid: {}\n" TRAIN("rmsprop", batch, "1")
/* clang-format on */

START_TEST(choice_by_the_test_split_is_told)
{
        static const char row[] = "Diagonal BiLSTM (1 layer, h = 32)";
        struct sort first = usual, other;

        first.row = row;
        first.valid = 0;
        first.spec = DIAGONAL("16");
        other = first;
        record(first);
        other.spec = LIKE_PAPER; /* another model leaves no choice */
        other.test = 90;
        record(other);
        ck_assert_str_eq(cell_of(table_of(4), row, "run"), "1");
        ck_assert(!has_note(table_of(4), "flatters"));
        other.spec = DIAGONAL("32");
        other.test = 81.0;
        record(other);
        ck_assert_str_eq(cell_of(table_of(4), row, "run"), "3");
        ck_assert(has_note(table_of(4), "Chosen among several specs by its test NLL"));
}
END_TEST

/* In the run that is named; in all where `run` is NULL. */
static bool doctor_finds_in(const char *run, const char *check)
{
        const struct pxr_table *table = pxr_report_doctor(arena, store, paper, run, diag);

        ck_assert_msg(table != NULL, "%s", pxr_diag_text(diag, 0));
        for (size_t i = 0; i < table->rows; i++)
                if (strcmp(table->cell[i * table->columns + 1].text, check) == 0)
                        return true;
        return false;
}

static bool doctor_finds(const char *check)
{
        return doctor_finds_in(NULL, check);
}

static void add_file(int64_t run, const char *name, bool official)
{
        const struct pxr_known_set *known = pxr_known_find("cifar10", diag);

        for (const struct pxr_known_file *file = known->unpacked; file->name; file++)
                if (strcmp(file->name, name) == 0) {
                        OK(pxr_store_add_data_file(store, run, pxr_strf(arena, "d/%s", name), 1,
                                                   official ? file->sha256 : "00", diag));
                        return;
                }
        ck_abort_msg("%s", name);
}

START_TEST(whole_cifar10_is_known_by_its_files)
{
        struct sort sort = { "Row LSTM", ROW_LSTM("12", "128", "1024"),
                             "cifar10",  "id0",
                             "none",     NULL,
                             NULL,       5,
                             1,          10000,
                             6600,       0,
                             0 };

        for (int wrong = 0; wrong < 7; wrong++) { /* the last time none is */
                int64_t run;

                sort.identity = pxr_strf(arena, "id%d", wrong);
                sort.test = 6600 + 10 * wrong;
                sort.train = sort.test - 100;
                run = record(sort);
                for (int batch = 1; batch <= 5; batch++)
                        add_file(run, pxr_strf(arena, "data_batch_%d.bin", batch),
                                 batch - 1 != wrong);
                if (wrong != 5) /* a file that was not read at all */
                        add_file(run, "test_batch.bin", true);
        }
        ck_assert_str_eq(cell_of(table_of(5), "Row LSTM", "run"), "7");
        ck_assert_str_eq(cell_of(table_of(5), "Row LSTM", "ours"), "3.128");
        ck_assert_str_eq(cell_of(table_of(5), "Row LSTM", "paper_train"), "3.00");
        ck_assert_str_eq(cell_of(table_of(5), "Row LSTM", "ours_train"), "3.081");
}
END_TEST

/* With early stopping, a validation NLL is the lowest of the run's own. A test NLL is none of them.
 */
START_TEST(early_stopping_on_the_nll_shown_is_told)
{
        static const char told[] = "The validation NLL shown is the lowest of the run's "
                                   "evaluations (train.patience 3)";
        static const struct {
                const char *row, *text;
                int table;
                bool told;
        } cases[] = {
                { "12 layers", ", patience: 3", 3, true },
                { "residual, skip", ", patience: 3", 2, true },
                { "12 layers", ", patience: 0", 3, false },
                { "12 layers", "", 3, false },
                { "Row LSTM", ", patience: 3", 5, false },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                static const char spec[] = ROW_LSTM("12", "128", "1024"); /* ends in "}\n" */
                struct sort sort = { cases[i].row,
                                     pxr_strf(arena, "%.*s%s}\n", (int)sizeof(spec) - 3, spec,
                                              cases[i].text),
                                     "npz",
                                     whole_cifar10,
                                     "none",
                                     NULL,
                                     NULL,
                                     cases[i].table,
                                     1,
                                     10000,
                                     6600,
                                     6600,
                                     0 };

                sql("DELETE FROM run; DELETE FROM metric; DELETE FROM sqlite_sequence");
                record(sort);
                ck_assert_str_eq(cell_of(table_of(cases[i].table), cases[i].row, "run"), "1");
                ck_assert_msg(has_note(table_of(cases[i].table), told) == cases[i].told, "%zu", i);
        }
}
END_TEST

/* CIFAR-10 in other files, as the paper's file knows it. */
START_TEST(whole_cifar10_is_known_by_its_identity)
{
        static const char *const known[] = {
                "1e2813e0929983629aa5b86f7102a4bca7dd5bb699515e6f9957fbb85cba36ac",
                whole_cifar10,
        };

        for (size_t i = 0; i < 2; i++) {
                struct sort sort = { "Row LSTM", ROW_LSTM("12", "128", "1024"),
                                     "npz",      known[i],
                                     "none",     NULL,
                                     NULL,       5,
                                     1,          10000,
                                     6600,       0,
                                     0 };

                sql("DELETE FROM run; DELETE FROM metric; DELETE FROM sqlite_sequence");
                record(sort);
                ck_assert_str_eq(cell_of(table_of(5), "Row LSTM", "run"), "1");
                ck_assert(!doctor_finds("not the paper's row"));
        }
}
END_TEST

/* What is judged of a run does not depend on others of the same identity. */
START_TEST(data_are_judged_by_the_run_alone)
{
        struct sort sort = { "Row LSTM", ROW_LSTM("12", "128", "1024"),
                             "cifar10",  "unlisted",
                             "none",     NULL,
                             NULL,       5,
                             1,          10000,
                             6600,       0,
                             0 };
        int64_t run;

        run = record(sort);
        for (int batch = 1; batch <= 5; batch++)
                add_file(run, pxr_strf(arena, "data_batch_%d.bin", batch), true);
        add_file(run, "test_batch.bin", true);
        sort.set = "npz";
        sort.seed = 2;
        record(sort);
        ck_assert_str_eq(cell_of(table_of(5), "Row LSTM", "run"), "1");
        ck_assert(has_note(table_of(5), "its data set is npz, not cifar10"));
        ck_assert(!doctor_finds_in("1", "not the paper's row"));
        ck_assert(doctor_finds("not the paper's row"));
}
END_TEST

/* The images of a set, in whatever files they lie; each row has its own. */
START_TEST(data_are_known_by_their_identity_in_any_format)
{
        static const char text[] = "tables: [{table: 6, title: t, unit: bits, split: test, set: "
                                   "imagenet, transforms: [none], images: 10000, rows: [{row: a, "
                                   "value: 3, identities: [aa]}, {row: b, value: 3, identities: "
                                   "[bb]}]}]\n";
        struct sort sort = usual;
        const struct pxr_table *table;

        write_file(in_scratch("paper.yaml"), text, strlen(text));
        paper = pxr_paper_open(arena, in_scratch("paper.yaml"), diag);
        ck_assert_msg(paper != NULL, "%s", pxr_diag_text(diag, 0));
        sort.table = 6;
        sort.set = "npz";
        sort.identity = "aa";
        sort.row = "a";
        record(sort);
        sort.row = "b";
        record(sort);
        table = table_of(6);
        ck_assert_str_eq(cell_of(table, "a", "run"), "1");
        ck_assert_str_eq(cell_of(table, "b", "run"), "");
        ck_assert(has_note(table, "its data set is npz, not imagenet"));
}
END_TEST

START_TEST(rows_that_there_are_not_are_told)
{
        struct sort sort = usual;

        sort.row = "PixelCN";
        record(sort);
        table_of(4);
        ck_assert_ptr_nonnull(strstr(pxr_diag_text(diag, 0),
                                     "run 1 reproduces row 'PixelCN' of table 4, which has no such "
                                     "row; did it mean 'PixelCNN'?"));
        ck_assert_int_eq(pxr_diag_errors(diag), 0);
}
END_TEST

/* A run from before the row was a column of its own. */
START_TEST(old_runs_are_read_by_their_spec)
{
        struct sort sort = usual;

        sort.spec = "reproduces: {table: 4, row: PixelCNN}\n" LIKE_PAPER;
        record(sort);
        sql("UPDATE run SET reproduces_table = NULL, reproduces_row = NULL, recipe_hash = NULL");
        ck_assert_str_eq(cell_of(table_of(4), "PixelCNN", "run"), "1");
        ck_assert_str_eq(cell_of(table_of(5), "PixelCNN", "run"), "");
}
END_TEST

/* --- runs, doctor ------------------------------------------------------------------------------
 */

START_TEST(no_report_goes_through_all_metrics)
{
        const char *plan = sql("EXPLAIN QUERY PLAN SELECT * FROM run_summary");

        ck_assert_msg(!strstr(plan, "SCAN metric") && !strstr(plan, "SCAN test") &&
                              !strstr(plan, "SCAN valid") && !strstr(plan, "SCAN train") &&
                              !strstr(plan, "SCAN m\n") && !strstr(plan, "SCAN layer"),
                      "%s", plan);
        plan = sql("EXPLAIN QUERY PLAN SELECT id FROM run WHERE reproduces_table = 4 OR "
                   "reproduces_table IS NULL");
        ck_assert_msg(strstr(plan, "run_of_row") != NULL, "%s", plan);
        plan = sql("EXPLAIN QUERY PLAN SELECT id FROM run WHERE spec_hash IN (SELECT spec_hash "
                   "FROM run WHERE id = 1)");
        ck_assert_msg(strstr(plan, "run_of_spec") != NULL, "%s", plan);
}
END_TEST

static size_t runs_where(const char *where)
{
        const struct pxr_runs_wanted wanted = { .where = where };
        const struct pxr_table *table = pxr_report_runs(arena, store, &wanted, diag);

        ck_assert_msg(table != NULL, "%s", pxr_diag_text(diag, 0));
        return table->rows;
}

START_TEST(conditions_choose_runs)
{
        struct sort other = usual;

        other.test = 90;
        record(usual);
        record(other);
        ck_assert_uint_eq(runs_where(NULL), 2);
        ck_assert_uint_eq(runs_where("nll < 82"), 1);
        ck_assert_uint_eq(runs_where("unit = 'nats' AND paper_row LIKE 'pixel%' -- all"), 2);
        ck_assert_uint_eq(runs_where("name = 'select; drop table run'"), 0);
        ck_assert_uint_eq(runs_where("test_nats BETWEEN 85 AND 95"), 1);
}
END_TEST

START_TEST(conditions_can_do_no_harm)
{
        static const struct {
                const char *where, *error;
        } cases[] = {
                { "1); DELETE FROM run; SELECT (1", "more than one expression" },
                { "exists (SELECT spec FROM run)", "reads something other" },
                { "exists (WITH run_summary AS (SELECT spec FROM run) SELECT 1 FROM run_summary)",
                  "reads something other" },
                { "1) UNION SELECT 1,2,3,4,5,6,7,8,9,10,11,12,spec FROM run WHERE (1",
                  "reads something other" },
                { "load_extension('x')", "loads code" },
                { "exists (SELECT * FROM pragma_table_info('run'))", "more than a condition" },
                { "nll <", "syntax error" },
                { "", "empty" },
                { "nil < 3", "no such column: nil" },
                { "?1", "more than one expression" },
        };

        record(usual);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const struct pxr_runs_wanted wanted = { .where = cases[i].where };

                ck_assert_ptr_null(pxr_report_runs(arena, store, &wanted, diag));
                expect_error(PXR_FAULT_USER, cases[i].error);
        }
        ck_assert_uint_eq(runs_where("1"), 1); /* the guard is gone, and so is the run not */
        ck_assert_str_eq(sql("SELECT count(*) FROM run"), "1\n");
}
END_TEST

/* Two epochs: nats of 100 images of the training split; of the validation split. */
#define NATS(split, step, nats) \
        "(1, " step ", " step ", '" split "', 'nll', NULL, " nats ", 0, 100, 784, 0.1, NULL)"
#define TRAINED(first, second) \
        "INSERT INTO metric VALUES " NATS("train", "1", first) ", " NATS("train", "2", second)
/* The result is that of the second. */
#define VALIDATED(first, second)                                                                  \
        "INSERT INTO metric VALUES " NATS("valid", "1", first) ", " NATS(                         \
                "valid", "2", second) "; "                                                        \
                                      "UPDATE metric SET step = 2, epoch = 2, sum_nats = " second \
                                      " * images / 100 "                                          \
                                      "WHERE name = 'final_nll' AND split = 'valid'"

/* Two epochs of so many images, and what tells their orders. */
#define ORDERED(first, second, images)                                                          \
        "INSERT INTO metric (run, step, epoch, split, name, value) VALUES "                     \
        "(1, 1, 1, 'train', 'order_digest', " first "), "                                       \
        "(1, 2, 2, 'train', 'order_digest', " second "); "                                      \
        "INSERT INTO metric SELECT run, step, epoch, split, 'nll', NULL, (75 - step) * " images \
        ", 0, " images ", 784, 0, NULL FROM metric WHERE name = 'order_digest'"

/* A pixel whose three values have a quarter (3E), one (3F) or four nats (40); uniform ones of 8
 * levels have two. */
#define COLOURED(red, green, blue)                                                            \
        "UPDATE run SET image_levels = 8; INSERT INTO nll_map VALUES (1, 'test', 1, 1, 100, " \
        "1, 1, 3, x'000080" red "000080" green "000080" blue "')"

/* A model of so many rows above a pixel, of images of 28. */
#define SEEING(kind, above)                                                                 \
        "UPDATE run SET image_rows = 28, image_cols = 28; INSERT INTO layer VALUES (1, 0, " \
        "'layers.0', '" kind "', 28, 28, 1, 1, 1, " above ", 3, 3)"

/* As after each training that went well. */
static int64_t record_good(void)
{
        int64_t id = record(usual);
        struct utsname system;

        uname(&system);
        sql(pxr_strf(arena, "DROP TABLE IF EXISTS host; CREATE TABLE host AS SELECT '%s' AS here",
                     system.nodename));
        OK(pxr_store_end_run(store, id, "finished", NULL, "h", 1, diag));
        return id;
}

/* A database without a sign, and what makes each sign appear. */
START_TEST(doctor_knows_the_signs)
{
        static const struct {
                const char *check, *sql;
        } cases[] = {
                { "suspect", "UPDATE metric SET suspect = 'worse than the uniform distribution'" },
                { "worse than uniform",
                  "UPDATE run SET image_levels = 2; UPDATE metric SET sum_nats = 544 * images "
                  "WHERE split = 'valid'" },
                { "better than the floor", "UPDATE run SET data_entropy = 90" },
                { "not finite", "UPDATE metric SET sum_nats = 9e999 WHERE split = 'valid'" },
                { "no certificate", "UPDATE run SET certificate = ''" },
                { "no result", "DELETE FROM metric" },
                { "failed", "UPDATE run SET status = 'failed', message = 'x'" },
                { "interrupted", "UPDATE run SET status = 'interrupted'" },
                { "train worse than test", "UPDATE metric SET split = 'train', sum_nats = 900000 "
                                           "WHERE split = 'valid'" },
                { "overfitted",
                  "INSERT INTO metric VALUES (1, 9, 9, 'train', 'nll', NULL, 5000, 0, "
                  "100, 784, 0.1, NULL), (1, 9, 9, 'valid', 'nll', NULL, 9000, 0, "
                  "100, 784, 0.1, NULL)" },
                { "best long before the end",
                  "INSERT INTO metric VALUES (1, 1, 1, 'valid', 'nll', NULL, 8000, 0, 100, 784, "
                  "0.1, NULL), (1, 9, 9, 'valid', 'nll', NULL, 9000, 0, 100, 784, 0.1, NULL)" },
                /* Of an older pxr, which had no NLL of the last step along the way. */
                { "best long before the end",
                  "INSERT INTO metric VALUES (1, 1, 1, 'valid', 'nll', NULL, 8000, 0, 100, 784, "
                  "0.1, NULL), (1, 2, 2, 'valid', 'nll', NULL, 8001, 0, 100, 784, 0.1, NULL)" },
                { "train worse than test", TRAINED("9400", "9300") },
                { "killed", "UPDATE run SET status = 'running', process_id = 1, process_start = "
                            "'never', host = (SELECT here FROM host)" },
                { "learnt nothing", VALIDATED("9000", "8991") }, /* a tenth of a percent */
                { "epochs repeating one order", ORDERED("17", "17", "16") },
                { "average never used",
                  "UPDATE run SET spec = 'train:' || char(10) || '  average: 0.9' || char(10), "
                  "parameters = 3, raw_parameter_hash = parameter_hash" },
                { "G and B no cheaper than R", COLOURED("3F", "3F", "3E") },
                { "training unstable",
                  "INSERT INTO metric VALUES (1, 1, 1, 'train', 'nll', NULL, 8000, 0, 100, 784, "
                  "0.1, NULL), (1, 9, 9, 'train', 'nll', NULL, 9900, 0, 100, 784, 0.1, NULL)" },
                { "average too slow", "UPDATE run SET spec = 'train:' || char(10) || '  average: "
                                      "0.9999' || char(10)" },
                { "always clipped",
                  "UPDATE run SET spec = 'train:' || char(10) || '  clip: 0.05' || char(10); "
                  "INSERT INTO metric (run, step, epoch, split, name, value) VALUES (1, 1, 1, "
                  "'train', 'gradient_norm', 1), (1, 2, 1, 'train', 'gradient_norm', 1), (1, 3, 1, "
                  "'train', 'gradient_norm', 1), (1, 4, 1, 'train', 'gradient_norm', 1), (1, 5, 1, "
                  "'train', 'gradient_norm', 1)" },
                { "loss spike",
                  "INSERT INTO event (run, at, step, kind, message) VALUES (1, 'then', 5, 'spike', "
                  "'loss spike at step 5')" },
                { "cannot see all", SEEING("conv", "3") },
                { "cannot see all",
                  "UPDATE run SET reproduces_table = 0, family = 'row';" SEEING("row_lstm", "3") },
                { "made of uncommitted code", "UPDATE run SET program_revision = 'ab-dirty'" },
                { "checkpoint gone",
                  "INSERT INTO checkpoint VALUES (1, 9, 9, 'none', 'aa', 3, 0, 'then')" },
                { "not the paper's row", "UPDATE run SET data_identity = 'other'" },
                { "not the paper's row", "UPDATE run SET reproduces_row = 'PixelCN'" },
        };

        record_good();
        ck_assert_uint_eq(pxr_report_doctor(arena, store, paper, NULL, diag)->rows, 0);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                sql("DELETE FROM run; DELETE FROM metric; DELETE FROM nll_map; DELETE FROM layer; "
                    "DELETE FROM checkpoint; DELETE FROM event; "
                    "DELETE FROM sqlite_sequence");
                record_good();
                ck_assert_msg(!doctor_finds(cases[i].check), "%s, unasked", cases[i].check);
                sql(cases[i].sql);
                ck_assert_msg(doctor_finds(cases[i].check), "%s", cases[i].check);
        }
}
END_TEST

/* What is near a sign and none. */
START_TEST(doctor_knows_what_is_well)
{
        static const char *const cases[] = {
                TRAINED("9900", "8400"),   /* still getting better: the mean lags behind */
                TRAINED("8300", "8300"),   /* within the tolerance */
                VALIDATED("9000", "8900"), /* by more than a percent */
                "INSERT INTO metric VALUES " NATS("valid", "1", "9000"),
                /* Of an older pxr: the result is better than the last along the way. */
                "INSERT INTO metric VALUES " NATS("valid", "1", "8300") ", " NATS("valid", "2",
                                                                                  "9000"),
                "INSERT INTO metric VALUES " NATS("valid", "1", "9000") ", " NATS("valid", "2",
                                                                                  "9000"),
                "UPDATE run SET data_entropy = 89.5; UPDATE metric SET sum_nats = 89.95 * "
                "images; " VALIDATED("9000", "8991"),
                "INSERT INTO metric VALUES " NATS("train", "1", "9900") "; " VALIDATED("9000",
                                                                                       "8991"),
                ORDERED("17", "18", "16"),
                ORDERED("17", "17", "3"),
                COLOURED("3F", "3E", "3E"),
                COLOURED("40", "40", "40"), /* has learnt nothing yet */
                "UPDATE run SET reproduces_table = 0;" SEEING("conv", "3"),
                SEEING("conv", "14"),
                "UPDATE run SET spec = 'train:' || char(10) || '  average: 0.9' || char(10), "
                "parameters = 3, raw_parameter_hash = 'other'",
                "UPDATE run SET status = 'running', host = 'elsewhere', process_id = 1, "
                "process_start = 'never'",
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const struct pxr_table *table;

                sql("DELETE FROM run; DELETE FROM metric; DELETE FROM nll_map; DELETE FROM layer; "
                    "DELETE FROM checkpoint; DELETE FROM event; "
                    "DELETE FROM sqlite_sequence");
                record_good();
                sql(cases[i]);
                table = pxr_report_doctor(arena, store, paper, NULL, diag);
                ck_assert_msg(table && table->rows == 0, "%s: %s", cases[i],
                              table ? table->cell[1].text : pxr_diag_text(diag, 0));
        }
}
END_TEST

/* Each says what to look at, as a sentence. */
/* By the files' sizes, of the best and the last. */
START_TEST(doctor_misses_the_checkpoints_that_count)
{
        static const struct {
                const char *sql;
                bool found;
        } cases[] = {
                { "INSERT INTO checkpoint VALUES (1, 1, 1, 'none', 'aa', 3, 0, 'then'), "
                  "(1, 2, 2, 'file', 'aa', 3, 1, 'then'), (1, 3, 3, 'file', 'aa', 3, 0, 'then')",
                  false },
                { "UPDATE checkpoint SET path = 'none' WHERE step = 2", true },
                { "UPDATE checkpoint SET path = 'file', size = 4 WHERE step = 2", true },
                { "UPDATE checkpoint SET size = 3 WHERE step = 2", false },
                { "UPDATE checkpoint SET path = 'none' WHERE step = 3", true },
                { "UPDATE run SET status = 'running'", false },
        };

        record_good();
        write_file(in_scratch("file"), "abc", 3);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                sql(cases[i].sql);
                ck_assert_msg(doctor_finds("checkpoint gone") == cases[i].found, "%s",
                              cases[i].sql);
        }
}
END_TEST

START_TEST(doctor_speaks_in_sentences)
{
        const struct pxr_table *table;

        record_good();
        sql(VALIDATED("9000", "8991") "; UPDATE run SET certificate = ''");
        table = pxr_report_doctor(arena, store, paper, NULL, diag);
        ck_assert_uint_eq(table->rows, 2);
        for (const struct pxr_note *note = table->note; note; note = note->next) {
                size_t length = strlen(note->text);

                ck_assert_msg(strchr(".?", note->text[length - 1]) &&
                                      !strchr(".?", note->text[length - 2]),
                              "%s", note->text);
        }
}
END_TEST

/* Which split a table is of is the paper's file to say. */
START_TEST(doctor_reads_the_split_of_a_table)
{
        struct sort sort = usual;

        sort.images = 10000;
        OK(pxr_store_end_run(store, record(sort), "finished", NULL, "h", 1, diag));
        sql("UPDATE metric SET images = 5 WHERE split = 'valid'");
        ck_assert(!doctor_finds("not the paper's row"));
        for (struct pxr_paper_table *table = paper->table; table; table = table->next)
                table->split = PXR_VALID;
        ck_assert(doctor_finds("not the paper's row"));
}
END_TEST

START_TEST(doctor_finds_bits_that_are_not_the_same)
{
        struct sort other = usual;

        record(usual);
        record(usual);
        sql("UPDATE run SET program_revision = 'ab', instruction_set = 'x', libraries = 'y'");
        ck_assert(!doctor_finds("not the same bits"));
        other.test += 1e-6;
        record(other);
        sql("UPDATE run SET program_revision = 'ab', instruction_set = 'x', libraries = 'y'");
        ck_assert(doctor_finds("not the same bits"));
        sql("INSERT INTO plugin VALUES (3, 'relu', '1', 'relu.so', 'edited')");
        ck_assert(!doctor_finds("not the same bits"));
}
END_TEST

START_TEST(doctor_knows_two_models_of_one_spec)
{
        struct sort other = usual;

        other.seed++;
        record(usual);
        record(other);
        ck_assert(!doctor_finds("one spec, two models"));
        sql("UPDATE run SET fingerprint_nll = 60, fingerprint_gradient = 7");
        sql("UPDATE run SET fingerprint_nll = fingerprint_nll * (1 + 1e-13) WHERE id = 2");
        ck_assert(!doctor_finds("one spec, two models"));
        sql("UPDATE run SET fingerprint_gradient = 7.00001 WHERE id = 2");
        ck_assert(doctor_finds("one spec, two models"));
        sql("UPDATE run SET fingerprint_gradient = 7, fingerprint_nll = 60.00001 WHERE id = 2");
        ck_assert(doctor_finds("one spec, two models"));
        sql("UPDATE run SET recipe_hash = 'another' WHERE id = 2");
        ck_assert(!doctor_finds("one spec, two models"));
}
END_TEST

START_TEST(doctor_counts_no_archived_run_that_is_not_named)
{
        struct sort other = usual;

        other.test += 1e-6;
        OK(pxr_store_end_run(store, record(usual), "failed", "x", "h", 1, diag));
        record(other);
        sql("UPDATE run SET program_revision = 'ab', instruction_set = 'x', libraries = 'y'");
        sql("UPDATE run SET reproduces_row = 'PixelCN' WHERE id = 1");
        ck_assert(doctor_finds("failed") && doctor_finds("not the same bits") &&
                  doctor_finds("not the paper's row"));
        sql("UPDATE run SET archived_at = 'then' WHERE id = 1");
        ck_assert(!doctor_finds("failed") && !doctor_finds("not the same bits") &&
                  !doctor_finds("not the paper's row"));
        ck_assert(doctor_finds_in("1", "failed") && doctor_finds_in("1", "not the same bits") &&
                  doctor_finds_in("1", "not the paper's row"));
        ck_assert(!doctor_finds_in("2", "not the same bits"));
}
END_TEST

/* --- recipes -----------------------------------------------------------------------------------
 */

START_TEST(recipe_forgets_the_seed_and_names)
{
        char a[PXR_SHA256_HEX], b[PXR_SHA256_HEX];

        OK(pxr_spec_recipe(arena, TRAIN("adam", "16", "1"), a, diag));
        OK(pxr_spec_recipe(arena, TRAIN("adam", "16", "2"), b, diag));
        ck_assert_str_eq(a, b);
        OK(pxr_spec_recipe(
                arena,
                "name: x\ndescription: y\nreproduces: {table: 4}\n" TRAIN(
                        "adam", "16", "2") "evaluate: {at_end: [train]}\nsample: {count: 3}\n",
                a, diag));
        OK(pxr_spec_recipe(arena, TRAIN("adam", "16", "2") "evaluate: {}\n", b, diag));
        ck_assert_str_eq(a, b);
        OK(pxr_spec_recipe(arena, TRAIN("adam", "17", "2") "evaluate: {}\n", b, diag));
        ck_assert_str_ne(a, b);
        OK(pxr_spec_recipe(arena, "evaluate: {limit: 0, every: never}\ndata: {set: x}\n", a, diag));
        OK(pxr_spec_recipe(arena, "data: {set: x}\nevaluate: {every: never, limit: 0}\n", b, diag));
        ck_assert_str_eq(a, b);
}
END_TEST

/* The example of Spearman's coefficient in textbooks, and lists with equal values. */
START_TEST(ranks_are_correlated)
{
        const double iq[] = { 106, 100, 86, 101, 99, 103, 97, 113, 112, 110 };
        const double hours[] = { 7, 27, 2, 50, 28, 29, 20, 12, 6, 17 };
        const double x[] = { 1, 2, 3, 4, 5 }, y[] = { 5, 6, 7, 8, 7 }, same[] = { 3, 3, 3, 3, 3 };
        double room[30];

        ck_assert_double_eq_tol(pxr_rank_correlation(iq, hours, 10, room), -29 / 165.0, 1e-12);
        ck_assert_double_eq_tol(pxr_rank_correlation(x, y, 5, room), 8 / sqrt(95), 1e-12);
        ck_assert_double_eq_tol(pxr_rank_correlation(x, x, 5, room), 1, 1e-12);
        ck_assert(isnan(pxr_rank_correlation(x, same, 5, room)));
}
END_TEST

/* --- diverged runs ------------------------------------------------------------------------------
 */

START_TEST(huge_numbers_stay_narrow)
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
                ck_assert_str_eq(pxr_cell_words(arena, &cell), cases[i].words);
        }
}
END_TEST

START_TEST(the_doctor_tells_huge_nlls_in_few_digits)
{
        const struct pxr_table *table;

        record_good();
        sql("UPDATE metric SET sum_nats = 3e38, images = 100, suspect = 'worse than the uniform "
            "distribution' WHERE split = 'valid'");
        table = pxr_report_doctor(arena, store, paper, NULL, diag);
        ck_assert(table && table->rows > 0);
        ck_assert_msg(strstr(table->cell[2].text, "(3e+36 nats/image)") != NULL, "%s",
                      table->cell[2].text);
}
END_TEST

/* A curve of some points, the step of each its number. */
static struct pxr_curve curve_of(double *nats, size_t count)
{
        static double epoch[16];
        static int64_t step[16];

        for (size_t i = 0; i < count; i++) {
                epoch[i] = (double)i + 1;
                step[i] = (int64_t)i + 1;
        }
        return (struct pxr_curve) { .split = "valid",
                                    .count = count,
                                    .epoch = epoch,
                                    .nats = nats,
                                    .step = step,
                                    .dimensions = 784 };
}

START_TEST(curves_keep_their_scale_where_training_diverged)
{
        double nats[] = { 104, 100, 95, 90, 88, 86, 3e30, 1e31 };
        struct pxr_curve curve[PXR_CURVES] = { curve_of(nats, 8) };
        const struct pxr_curve_plot plot = { curve, false, { { "a", NAN }, { "b", NAN } } };
        char *page = NULL;
        size_t size;
        FILE *to = open_memstream(&page, &size);

        pxr_plot_curves(to, &plot);
        fclose(to);
        ck_assert_msg(strstr(page, "data-y=\"85 105\"") != NULL, "%s", page);
        ck_assert_msg(strstr(page, " 2 points lie above the plot.") != NULL, "%s", page);
        ck_assert_msg(strstr(page, "8 8 1e+31") != NULL, "%s", page);
        free(page);
        ck_assert_str_eq(pxr_sparkline(arena, curve, 8), "█▇▅▂▁▁↑↑");
}
END_TEST

/* The plot of these has this axis, and so many points above it. */
static void expect_curves(const struct pxr_curve curve[PXR_CURVES], const char *axis, int beyond)
{
        const struct pxr_curve_plot plot = { curve, false, { { "a", NAN }, { "b", NAN } } };
        char *page = NULL, wanted[64];
        size_t size;
        FILE *to = open_memstream(&page, &size);

        pxr_plot_curves(to, &plot);
        fclose(to);
        snprintf(wanted, sizeof(wanted), "data-y=\"%s\"", axis);
        ck_assert_msg(strstr(page, wanted) != NULL, "no %s: %s", wanted, page);
        snprintf(wanted, sizeof(wanted), " %d point", beyond);
        ck_assert_msg((strstr(page, " above the plot.") != NULL) == (beyond > 0) &&
                              (beyond == 0 || strstr(page, wanted)),
                      "not%s above: %s", wanted, page);
        free(page);
}

static void expect_axis(double *nats, size_t count, const char *axis, int beyond)
{
        const struct pxr_curve curve[PXR_CURVES] = { curve_of(nats, count) };

        expect_curves(curve, axis, beyond);
}

/* The first point takes two thirds of the height, then more; of few points, all that it needs. */
START_TEST(only_what_squeezes_the_others_is_above)
{
        double few[] = { 200, 110, 105, 100 };
        double third[] = { 130, 110, 109, 108, 106, 104, 102, 100 };
        double more[] = { 130.5, 109, 108, 107, 106, 104, 102, 100 };
        double diverged[] = { 5, 6, 7, 1e31 };

        expect_axis(few, 4, "100 200", 0);
        expect_axis(third, 8, "100 130", 0);
        expect_axis(more, 8, "100 110", 1);
        expect_axis(diverged, 4, "0 1e+31", 0);
        ck_assert_double_eq(pxr_curve_ceiling(&(struct pxr_curve) { .count = 4, .nats = few }, 1),
                            INFINITY);
}
END_TEST

/* What is some multiple of the better ones is not always far from the others. */
START_TEST(a_steep_curve_is_shown_whole)
{
        double steep[] = { 6, 5.5, 5, 3, 2, 1, 1, 1 };
        struct pxr_curve curve = curve_of(steep, 8);

        expect_axis(steep, 8, "1 6", 0);
        ck_assert_str_eq(pxr_sparkline(arena, &curve, 8), "██▇▄▂▁▁▁");
}
END_TEST

/* What squeezes goes, what is beside it stays. */
START_TEST(no_more_is_above_than_squeezes)
{
        double far[] = { 338, 219, 211, 210, 209, 208, 207, 207 };
        double near[] = { 236, 216, 212, 211, 210, 210, 210, 210 };
        struct pxr_curve curve[PXR_CURVES] = { curve_of(far, 8), curve_of(near, 8) };
        double diverged[] = { 30, 60, 25, 22, 20, 20, 20, 20, 120, 3e30 };

        expect_curves(curve, "200 240", 1);
        expect_axis(diverged, 10, "20 120", 1);
}
END_TEST

/* A first point under the others is no reason to leave it out below; nor has a curve without
 * others an end at none. */
START_TEST(all_that_is_not_above_is_within)
{
        double rising[] = { 50, 100, 101, 102, 103, 104, 105, 106 };
        double alone[] = { 50, NAN, NAN, NAN, NAN, NAN, NAN, NAN };
        double rounded[] = { 207.013, 206.9, 206.8, 206.75, 206.7, 206.65, 206.62, 206.61 };

        expect_axis(rising, 8, "40 120", 0);
        expect_axis(alone, 8, "47 53", 0);
        expect_axis(rounded, 8, "206.6 207.1", 0);
}
END_TEST

/* The rows of what a key with these values does, as "value:runs ...", the first of them all. */
static const char *parts_of(const double *number, int jobs)
{
        struct pxr_swept_key key = { "train.batch", true };
        struct pxr_swept swept = {
                .name = "s", .search = "random", .unit = "nats/image", .key = &key, .keys = 1
        };
        struct pxr_swept_value *value = pxr_alloc_array(arena, (size_t)jobs, sizeof(*value));
        char *text = pxr_strdup(arena, "");
        const struct pxr_table *table;

        swept.job = pxr_alloc_array(arena, (size_t)jobs, sizeof(*swept.job));
        swept.jobs = jobs;
        for (int i = 0; i < jobs; i++) {
                value[i] = (struct pxr_swept_value) { pxr_strf(arena, "%g", number[i]), number[i] };
                swept.job[i] = (struct pxr_swept_job) { .number = i + 1,
                                                        .run = i + 1,
                                                        .state = "finished",
                                                        .identity = "aa",
                                                        .valid = 80 + i,
                                                        .value = &value[i] };
        }
        table = pxr_effects_table(arena, &swept, diag);
        ck_assert_msg(table != NULL, "%s", pxr_diag_text(diag, 0));
        for (size_t i = 0; i < table->rows; i++) {
                const struct pxr_cell *cell = table->cell + i * table->columns;

                text = pxr_strf(arena, "%s%s%s:%s", text, i ? ", " : "", cell[1].text,
                                pxr_cell_words(arena, cell + 2));
        }
        return text;
}

START_TEST(diverged_jobs_are_counted_but_not_in_means)
{
        struct pxr_swept_key key = { "train.batch", false };
        struct pxr_swept_value low = { "1", 1 }, high = { "2", 2 };
        struct pxr_swept_job job[] = {
                { .number = 1, .run = 1, .identity = "a", .valid = 80, .value = &low },
                { .number = 2, .run = 2, .identity = "a", .valid = 84, .value = &low },
                { .number = 3,
                  .run = 3,
                  .identity = "a",
                  .valid = 1e31,
                  .value = &low,
                  .suspect = "worse than the uniform distribution" },
                { .number = 4,
                  .run = 4,
                  .identity = "a",
                  .valid = 1e31,
                  .value = &high,
                  .suspect = "worse than the uniform distribution" },
        };
        const struct pxr_swept swept = { .name = "s",
                                         .search = "grid",
                                         .unit = "nats/image",
                                         .key = &key,
                                         .keys = 1,
                                         .job = job,
                                         .jobs = 4 };
        const struct pxr_table *table = pxr_effects_table(arena, &swept, diag);
        const char *text = written(table, PXR_FORMAT_CSV);

        ck_assert_msg(strstr(text, "train.batch,1,3,1,82,2.8284271247461903,80,1,") != NULL, "%s",
                      text);
        ck_assert_msg(strstr(text, "train.batch,2,1,1,,,,,") != NULL, "%s", text);
        ck_assert(has_note(table, "2 of 4 jobs diverged"));
}
END_TEST

START_TEST(equal_values_share_a_part)
{
        const double even[] = { 1, 2, 3, 4, 5, 6 }, two[] = { 8, 16, 8, 16, 8, 16, 16 };
        const double heap[] = { 1, 1, 1, 1, 2, 3, 3, 4, 5 }, one[] = { 4, 4, 4, 4, 4, 4 };
        const double most[] = { 1, 2, 2, 2, 2, 2, 2, 3 };

        ck_assert_str_eq(parts_of(even, 6), "1 to 6:6, 1 to 2:2, 3 to 4:2, 5 to 6:2");
        ck_assert_str_eq(parts_of(two, 7), "8 to 16:7, 8:3, 16:4");
        ck_assert_str_eq(parts_of(heap, 9), "1 to 5:9, 1:4, 2 to 3:3, 4 to 5:2");
        ck_assert_str_eq(parts_of(one, 6), "4:6");
        ck_assert_str_eq(parts_of(most, 8), "1 to 3:8, 1:1, 2:6, 3:1");
}
END_TEST

/* A limit that leaves room for nothing, or for ever more of it. Sanitizers see what a NULL is used
 * for that is only looked at. */
START_TEST(lack_of_memory_is_an_error)
{
        const struct pxr_spec_origin origin = { .path = "recorded", .recorded = "name: a\n" };
        const char *source = getenv("srcdir");
        char *paper = pxr_strf(arena, "%s/reports/paper.yaml", source ? source : ".");

        for (size_t limit = 1; limit < 300000; limit += 1 + limit / 8) {
                struct pxr_arena *small = pxr_arena_new(limit, diag);

                ck_assert_ptr_null(pxr_experiment_read(small, &origin, diag));
                ck_assert(pxr_paper_open(small, paper, diag) || pxr_diag_errors(diag) > 0);
                pxr_diag_clear(diag);
                pxr_arena_free(small);
        }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("report");
        TCase *database = tcase_create("database");

        ADD_SCRATCH_TEST(suite, hostile_texts_are_harmless);
        ADD_SCRATCH_TEST(suite, html_formats_are_known);
        ADD_SCRATCH_TEST(suite, lack_of_memory_is_an_error);
        ADD_SCRATCH_TEST(suite, people_see_what_is_there_and_programs_everything);
        ADD_SCRATCH_TEST(suite, text_fits_into_a_terminal);
        ADD_SCRATCH_TEST(suite, json_is_json_whatever_the_name);
        ADD_SCRATCH_TEST(suite, latex_can_break_paths);
        ADD_SCRATCH_TEST(suite, latex_stays_balanced);
        ADD_SCRATCH_TEST(suite, departures_are_computed);
        ADD_SCRATCH_TEST(suite, choices_are_told);
        ADD_SCRATCH_TEST(suite, models_without_the_blocks_are_others);
        ADD_SCRATCH_TEST(suite, blocks_are_blocks_without_residual_connections_too);
        ADD_SCRATCH_TEST(suite, another_likelihood_is_a_departure);
        ADD_SCRATCH_TEST(suite, smaller_models_are_others);
        ADD_SCRATCH_TEST(suite, experiments_are_of_their_rows);
        ADD_SCRATCH_TEST(suite, recipe_forgets_the_seed_and_names);
        ADD_SCRATCH_TEST(suite, ranks_are_correlated);
        ADD_SCRATCH_TEST(suite, huge_numbers_stay_narrow);
        ADD_SCRATCH_TEST(suite, curves_keep_their_scale_where_training_diverged);
        ADD_SCRATCH_TEST(suite, only_what_squeezes_the_others_is_above);
        ADD_SCRATCH_TEST(suite, a_steep_curve_is_shown_whole);
        ADD_SCRATCH_TEST(suite, no_more_is_above_than_squeezes);
        ADD_SCRATCH_TEST(suite, all_that_is_not_above_is_within);
        ADD_SCRATCH_TEST(suite, diverged_jobs_are_counted_but_not_in_means);
        ADD_SCRATCH_TEST(suite, equal_values_share_a_part);
        tcase_add_checked_fixture(database, setup, teardown);
        tcase_set_timeout(database, 120);
        tcase_add_test(database, run_stands_beside_its_row);
        tcase_add_test(database, what_is_not_the_row_is_never_shown);
        tcase_add_test(database, runs_without_a_result_are_named);
        tcase_add_test(database, seeds_of_a_spec_are_one);
        tcase_add_test(database, seeds_that_diverged_are_not_in_the_mean);
        tcase_add_test(database, the_doctor_tells_huge_nlls_in_few_digits);
        tcase_add_test(database, best_is_chosen_by_validation);
        tcase_add_test(database, without_validation_none_is_chosen_before_others);
        tcase_add_test(database, seeds_without_validation_do_not_hide_the_others);
        tcase_add_test(database, choice_by_the_test_split_is_told);
        tcase_add_test(database, whole_cifar10_is_known_by_its_files);
        tcase_add_test(database, whole_cifar10_is_known_by_its_identity);
        tcase_add_test(database, early_stopping_on_the_nll_shown_is_told);
        tcase_add_test(database, data_are_judged_by_the_run_alone);
        tcase_add_test(database, data_are_known_by_their_identity_in_any_format);
        tcase_add_test(database, rows_that_there_are_not_are_told);
        tcase_add_test(database, old_runs_are_read_by_their_spec);
        tcase_add_test(database, no_report_goes_through_all_metrics);
        tcase_add_test(database, conditions_choose_runs);
        tcase_add_test(database, conditions_can_do_no_harm);
        tcase_add_test(database, doctor_knows_the_signs);
        tcase_add_test(database, doctor_knows_what_is_well);
        tcase_add_test(database, doctor_misses_the_checkpoints_that_count);
        tcase_add_test(database, doctor_speaks_in_sentences);
        tcase_add_test(database, doctor_reads_the_split_of_a_table);
        tcase_add_test(database, doctor_finds_bits_that_are_not_the_same);
        tcase_add_test(database, doctor_knows_two_models_of_one_spec);
        tcase_add_test(database, doctor_counts_no_archived_run_that_is_not_named);
        suite_add_tcase(suite, database);
        return run_suite(suite);
}
