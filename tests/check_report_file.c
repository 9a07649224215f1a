/* SPDX-License-Identifier: MIT */
/* check_report_file.c - reports that are files: what is refused, and those that came with pxr. */
#define _GNU_SOURCE /* nftw(), open_memstream() */
#include <sys/stat.h>

#include "report/report_file.h"
#include "reports.h"

/* The table of a user's report with this text, called with `count` arguments; NULL after an error.
 */
static struct pxr_table *own_table(const char *text, const struct pxr_report_call *call)
{
        const struct pxr_report_file *file;

        write_file(in_scratch("own.sql"), text, strlen(text));
        setenv("PXR_REPORT_PATH", scratch, 1);
        file = pxr_report_file_find(arena, "", "own", NULL, diag);
        return file ? pxr_report_file_table(arena, store, file, call, diag) : NULL;
}

static const struct pxr_table *good_table(const char *text, const struct pxr_report_call *call)
{
        const struct pxr_table *table = own_table(text, call);

        ck_assert_msg(table != NULL, "%s: %s", text, pxr_diag_text(diag, 0));
        return table;
}

#define HEAD(more) "/*\ntitle: Own\n" more "*/\n"

START_TEST(mistakes_in_a_report_are_reported_with_their_line)
{
        static const struct {
                const char *text, *error;
        } cases[] = {
                { "SELECT 1", "expected a head" },
                { "/* title: x", "expected a head" },
                { "/* description: x */ SELECT 1", "title" },
                { HEAD("titel: x\n") "SELECT 1", "unknown option 'titel'" },
                { HEAD("columns: 3\n") "SELECT 1", "expected a mapping" },
                { HEAD("columns: {a: {format: nl}}\n") "SELECT 1 AS a", "'nl'" },
                { HEAD("columns: {b: B}\n") "SELECT 1 AS a", "no column 'b'" },
                { HEAD("notes: x\n") "SELECT 1", "expected a list of texts" },
                { HEAD("arguments: {a: {default: x}}\n") "SELECT 1", "the query has no :a" },
                { HEAD("") "SELECT :a", "no argument 'a'" },
                { HEAD("") "SELECT ?", "no argument" },
                { HEAD(""), "no query follows" },
                { HEAD("") "SELECT 1; SELECT 2", "expected one query" },
                { HEAD("") "SELEKT 1", "syntax error" },
                { HEAD("") "SELECT nam FROM run", "no such column: nam" },
                { HEAD("") "DELETE FROM run", "does more than read" },
                { HEAD("") "CREATE TEMP TABLE t AS SELECT 1", "does more than read" },
                { HEAD("") "ATTACH 'x.db' AS x", "does more than read" },
                { HEAD("") "PRAGMA query_only = OFF", "does more than read" },
                { HEAD("") "SELECT * FROM pragma_table_info('run')", "does more than read" },
                { HEAD("") "SELECT load_extension('x')", "loads code" },
                { HEAD("") "SELECT checkpoint_bytes('x')", "looks at files" },
                { HEAD("") "BEGIN", "does more than read" },
                { HEAD("") "SELECT json_extract('{', '$')", "malformed JSON" },
        };
        const struct pxr_report_call call = { 0 };

        for (size_t i = 0; i < PXR_COUNT(cases); i++) {
                ck_assert_msg(!own_table(cases[i].text, &call), "%s", cases[i].text);
                ck_assert_msg(strstr(printed_errors(diag, "pxr-report"), "own.sql"), "%s: %s",
                              cases[i].text, printed_errors(diag, "pxr-report"));
                expect_error(PXR_FAULT_USER, cases[i].error);
        }
        ck_assert(!own_table(
                HEAD("columns:\n  run: Run\n  nlll: NLL\n") "SELECT 1 AS run, 2 AS nll", &call));
        ck_assert_msg(strstr(printed_errors(diag, "pxr-report"), "own.sql:5:3:") &&
                              strstr(printed_errors(diag, "pxr-report"), "did you mean 'nll'?"),
                      "%s", printed_errors(diag, "pxr-report"));
        pxr_diag_clear(diag);
        ck_assert_str_eq(sql("SELECT count(*) FROM run"), "0\n");
}
END_TEST

START_TEST(the_format_of_a_column_decides_how_values_are_printed)
{
        static const struct {
                const char *format, *value, *text;
        } cases[] = {
                { "plain", "1.5", "1.5" },
                { "plain", "12345", "12,345" },
                { "nll", "81.5", "81.500" },
                { "nll", "80", "80.000" },
                { "difference", "0.25", "+0.250" },
                { "difference", "-0.25", "-0.250" },
                { "epoch", "3.0", "3" },
                { "epoch", "2.5", "2.5" },
                { "seconds", "3725", "1 h 02 min" },
                { "percent", "0.125", "12.5 %" },
                { "bytes", "999", "999 B" },
                { "bytes", "1500000", "1.5 MB" },
                { "short", "'one' || char(10) || 'two'", "one\u2026" },
        };
        const struct pxr_report_call call = { 0 };

        for (size_t i = 0; i < PXR_COUNT(cases); i++) {
                const struct pxr_table *table = good_table(
                        pxr_strf(arena, HEAD("columns: {a: {format: %s}}\n") "SELECT %s AS a",
                                 cases[i].format, cases[i].value),
                        &call);

                ck_assert_str_eq(pxr_cell_text(arena, table->cell), cases[i].text);
        }
        ck_assert_uint_eq(good_table(HEAD("columns: {a: {format: lines}}\n") "SELECT 'x' || "
                                                                             "char(10) || 'y' AS a",
                                     &call)
                                  ->rows,
                          2);
}
END_TEST

START_TEST(notes_are_printed_below_the_table)
{
        const struct pxr_report_call call = { 0 }, none = { .where = "0" };
        static const char text[] = HEAD("empty: None.\nnotes: [Some.]\ncolumns: {b: {format: "
                                        "note}}\n") "SELECT 1 AS a, NULL AS b UNION ALL SELECT "
                                                    "NULL, 'More.'";
        const struct pxr_table *table = good_table(text, &call);

        ck_assert_uint_eq(table->rows, 1);
        ck_assert_int_eq(table->columns, 1);
        ck_assert_str_eq(table->note->text, "More.");
        ck_assert_str_eq(table->note->next->text, "Some.");
        ck_assert_str_eq(good_table(text, &none)->note->text, "No row meets the condition.");
        ck_assert_str_eq(
                good_table(HEAD("empty: None.\n") "SELECT 1 AS a LIMIT 0", &call)->note->text,
                "None.");
}
END_TEST

START_TEST(arguments_and_conditions_choose_rows)
{
        static const char text[] =
                HEAD("arguments: {run: run, least: {type: number, default: 0}, name: {default: "
                     "tiny}}\n") "SELECT id, :least AS least, :name AS name FROM run WHERE id = "
                                 ":run;\n-- the end";
        const char *words[] = { "last", "2.5", "x", "y" };
        struct pxr_report_call call = { .argument = words };

        record(pixelcnn);
        ck_assert(!own_table(text, &call));
        expect_error(PXR_FAULT_USER, "own: missing argument 'run'");
        call.arguments = 1;
        ck_assert_str_eq(good_table(text, &call)->cell[2].text, "tiny");
        call.arguments = 3;
        ck_assert(good_table(text, &call)->cell[1].real == 2.5);
        call.where = "report.least > 2 AND name = 'x'";
        call.limit = 1;
        ck_assert_uint_eq(good_table(text, &call)->rows, 1);
        call.where = "least > 3";
        ck_assert_uint_eq(good_table(text, &call)->rows, 0);
        call.arguments = 4;
        ck_assert(!own_table(text, &call));
        expect_error(PXR_FAULT_USER, "unexpected argument 'y'");
        words[1] = "many";
        call.arguments = 2;
        ck_assert(!own_table(text, &call));
        expect_error(PXR_FAULT_USER, "expected a number, got 'many'");
}
END_TEST

START_TEST(unknown_names_get_a_suggestion)
{
        static const char text[] = HEAD("") "SELECT 1";
        static const char *const others[] = { "table4", NULL };

        setenv("PXR_REPORT_PATH", scratch, 1);
        ck_assert(!pxr_report_file_find(arena, "", "runz", others, diag));
        ck_assert(strstr(printed_errors(diag, "pxr-report"), "did you mean 'runs'?") != NULL);
        pxr_diag_clear(diag);
        ck_assert(!pxr_report_file_find(arena, "", "tabel4", others, diag));
        ck_assert(strstr(printed_errors(diag, "pxr-report"), "did you mean 'table4'?") != NULL);
        pxr_diag_clear(diag);
        write_file(in_scratch("runs.sql"), text, strlen(text));
        ck_assert(!pxr_report_file_find(arena, "", "runs", others, diag));
        expect_error(PXR_FAULT_USER, "rename one of them");
        setenv("PXR_REPORT_PATH", "/nonexistent", 1);
        ck_assert(!pxr_report_file_find(arena, "", "runs", others, diag));
        expect_error(PXR_FAULT_USER, "/nonexistent: ");
}
END_TEST

/* The subcommand would be run in its place. */
START_TEST(a_report_with_the_name_of_a_subcommand_is_refused)
{
        static const char *const names[] = { "show", "gc", NULL };

        unsetenv("PXR_REPORT_PATH");
        OK(pxr_report_refuse(arena, names, diag));
        setenv("PXR_REPORT_PATH", pxr_strf(arena, "/nonexistent::%s", scratch), 1);
        write_file(in_scratch("gcc.sql"), "", 0);
        OK(pxr_report_refuse(arena, names, diag));
        write_file(in_scratch("gc.sql"), "", 0);
        ck_assert_int_eq(pxr_report_refuse(arena, names, diag), -1);
        expect_error(PXR_FAULT_USER, "gc.sql: 'gc' is a subcommand of pxr-report");
}
END_TEST

/* A sign of one's own is examined too. */
START_TEST(a_users_signs_are_run_too)
{
        static const char text[] = "/*\ntitle: odd\nadvice: Look.\n*/\n"
                                   "SELECT id AS run, 'odd' AS found FROM examined WHERE id % 2";

        record(pixelcnn);
        setenv("PXR_REPORT_PATH", scratch, 1);
        ck_assert(!doctor_finds("odd"));
        ck_assert_int_eq(mkdir(in_scratch("doctor"), 0777), 0);
        write_file(in_scratch("doctor/odd.sql"), text, strlen(text));
        ck_assert(doctor_finds("odd"));
}
END_TEST

/* A mistake in one file does not hide what the others give. */
START_TEST(an_invalid_report_file_does_not_hide_the_others)
{
        static const char *const broken[] = { HEAD("") "SELECT 1", "SELECT 1",
                                              HEAD("advice: x\n") "SELEKT 1" };

        record(pixelcnn);
        sql("UPDATE run SET certificate = ''");
        setenv("PXR_REPORT_PATH", scratch, 1);
        ck_assert_int_eq(mkdir(in_scratch("doctor"), 0777), 0);
        for (size_t i = 0; i < PXR_COUNT(broken); i++) {
                write_file(in_scratch("doctor/odd.sql"), broken[i], strlen(broken[i]));
                ck_assert(doctor_finds("no certificate"));
                ck_assert_int_eq(pxr_diag_errors(diag), 1);
                expect_error(PXR_FAULT_USER, i == 0   ? "a sign has an advice"
                                             : i == 1 ? "expected a head"
                                                      : "syntax error");
        }
        write_file(in_scratch("odd.sql"), "SELECT 1", strlen("SELECT 1"));
        ck_assert(strstr(written(pxr_report_list(arena, diag), PXR_FORMAT_TEXT), "runs ["));
        expect_error(PXR_FAULT_USER, "expected a head");
}
END_TEST

/* In an empty database, a report on a run or a sweep has nothing to be called with. */
static bool can_be_called(const struct pxr_report_file *file, bool empty)
{
        return !empty || !file->argument || file->argument->type == PXR_ARGUMENT_TEXT;
}

static void write_all_formats(const struct pxr_report_file *file)
{
        static const char *const ones[] = { "1", "1" }; /* a run, a sweep, or a list of runs */
        struct pxr_report_call call = { ones, .programs = true };
        const struct pxr_table *table;

        for (const struct pxr_report_item *item = file->argument; item && !item->initial;
             item = item->next)
                call.arguments++;
        table = pxr_report_file_table(arena, store, file, &call, diag);
        ck_assert_msg(table != NULL, "%s", printed_errors(diag, "pxr-report"));
        ck_assert_msg(file->shipped && file->title, "%s", file->path);
        for (int format = 0; pxr_format_names[format]; format++)
                ck_assert_str_ne(written(table, format), "");
}

static void run_all(bool empty)
{
        static const char *const folders[] = { "", "show", "sweep", "compare", "doctor" };

        ck_assert(pxr_report_doctor(arena, store, paper, NULL, diag) != NULL);
        for (size_t i = 0; i < PXR_COUNT(folders); i++) {
                struct pxr_report_file *list;

                OK(pxr_report_files(arena, folders[i], &list, diag));
                ck_assert_ptr_nonnull(list);
                for (; list; list = list->next)
                        if (can_be_called(list, empty))
                                write_all_formats(list);
        }
        ck_assert_int_eq(pxr_diag_errors(diag), 0);
}

/* On an empty database, on one with a run and a sweep '1' of a job without a run, and on one in
 * which little is missing. */
START_TEST(every_report_of_pxr_runs)
{
        unsetenv("PXR_REPORT_PATH");
        run_all(true);
        record(pixelcnn);
        sql("INSERT INTO sweep (id, name, definition, search, created_at) VALUES (1, '1', "
            "'vary: {train.seed: [1, 2]}', 'grid', 'then'); "
            "INSERT INTO job (sweep, number, spec_hash, varied, rung) VALUES (1, 1, 'aa', "
            "'{\"train.seed\": 1}', 0)");
        run_all(false);
        sql("UPDATE run SET given = '14x14', git_difference = 'diff --git', "
            "libraries = 'a 1; b 2'; UPDATE job SET run = 1; " ADD_NLL("valid", "1", "9000")
                    ADD_NLL("valid", "2", "8900"));
        run_all(false);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("report_file");

        ADD_REPORT_TEST(suite, mistakes_in_a_report_are_reported_with_their_line);
        ADD_REPORT_TEST(suite, the_format_of_a_column_decides_how_values_are_printed);
        ADD_REPORT_TEST(suite, notes_are_printed_below_the_table);
        ADD_REPORT_TEST(suite, arguments_and_conditions_choose_rows);
        ADD_REPORT_TEST(suite, unknown_names_get_a_suggestion);
        ADD_REPORT_TEST(suite, a_report_with_the_name_of_a_subcommand_is_refused);
        ADD_REPORT_TEST(suite, a_users_signs_are_run_too);
        ADD_REPORT_TEST(suite, an_invalid_report_file_does_not_hide_the_others);
        ADD_REPORT_TEST(suite, every_report_of_pxr_runs);
        return run_suite(suite);
}
