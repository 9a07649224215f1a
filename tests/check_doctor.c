/* SPDX-License-Identifier: MIT */
/* check_doctor.c - the signs that the doctor looks for in a database. */
#define _GNU_SOURCE /* nftw(), open_memstream() */
#include <sys/utsname.h>

#include "reports.h"

/* Two epochs of run 1: the NLLs of a split. */
#define TWICE(split, first, second) ADD_NLL(split, "1", first) ADD_NLL(split, "2", second)
#define TRAINED(first, second) TWICE("train", first, second)
/* The result is that of the second epoch. */
#define VALIDATED(first, second)                                                       \
        TWICE("valid", first, second)                                                  \
        "UPDATE metric SET step = 2, epoch = 2, sum_nats = " second " * images / 100 " \
        "WHERE name = 'final_nll' AND split = 'valid'; "

#define ADD_VALUE(step, name, value)                                                           \
        "INSERT INTO metric (run, step, epoch, split, name, value) VALUES (1, " step ", " step \
        ", 'train', '" name "', " value "); "

/* Two epochs of so many images, and the digests of their orders. */
#define ORDERED(first, second, images)                                                  \
        ADD_VALUE("1", "order_digest", first)                                           \
        ADD_VALUE("2", "order_digest", second)                                          \
        TRAINED("7400", "7300")                                                         \
        "UPDATE metric SET sum_nats = sum_nats * " images " / images, images = " images \
        " WHERE name = 'nll'"

/* A pixel whose three values have a quarter (3E), one (3F) or four nats (40); uniform ones of 8
 * levels have two. */
#define COLOURED(red, green, blue)                                                               \
        "UPDATE run SET image_levels = 8; INSERT INTO nll_map (run, split, step, epoch, "        \
        "images, rows, cols, colours, nats) VALUES (1, 'test', 1, 1, 100, 1, 1, 3, x'000080" red \
        "000080" green "000080" blue "')"

/* A model of so many rows above a pixel, of images of 28. */
#define SEEING(kind, above)                                                                      \
        "UPDATE run SET image_rows = 28, image_cols = 28; INSERT INTO layer (run, position, "    \
        "path, kind, rows, cols, channels, parameters, multiply_adds, field_above, field_left, " \
        "field_right) VALUES (1, 0, 'layers.0', '" kind "', 28, 28, 1, 1, 1, " above ", 3, 3)"

/* A checkpoint of run 1. */
#define ADD_CHECKPOINT(step, path, best)                                                   \
        "INSERT INTO checkpoint (run, step, epoch, path, sha256, size, best, created_at) " \
        "VALUES (1, " step ", " step ", '" path "', 'aa', 3, " best ", 'then'); "

/* As after each training that went well. */
static int64_t record_good(void)
{
        int64_t id = record(pixelcnn);
        struct utsname system;

        uname(&system);
        sql(pxr_strf(arena, "DROP TABLE IF EXISTS host; CREATE TABLE host AS SELECT '%s' AS here",
                     system.nodename));
        OK(pxr_store_end_run(store, id, "finished", NULL, "h", 1, diag));
        return id;
}

/* A database without a sign, and what makes each sign appear. */
START_TEST(every_sign_is_found)
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
                { "overfitted", ADD_NLL("train", "9", "5000") ADD_NLL("valid", "9", "9000") },
                { "best long before the end",
                  ADD_NLL("valid", "1", "8000") ADD_NLL("valid", "9", "9000") },
                /* Of an older pxr, which had no NLL of the last step along the way. */
                { "best long before the end", TWICE("valid", "8000", "8001") },
                { "last epoch worse than test", TRAINED("9400", "9300") },
                { "killed", "UPDATE run SET status = 'running', process_id = 1, process_start = "
                            "'never', host = (SELECT here FROM host)" },
                { "learnt nothing", VALIDATED("9000", "8991") }, /* a tenth of a percent */
                { "epochs repeating one order", ORDERED("17", "17", "16") },
                { "average never used",
                  "UPDATE run SET spec_json = '{\"train\": {\"average\": 0.9}}', parameters = 3, "
                  "raw_parameter_hash = parameter_hash" },
                { "G and B no cheaper than R", COLOURED("3F", "3F", "3E") },
                { "training unstable",
                  ADD_NLL("train", "1", "8000") ADD_NLL("train", "9", "9900") },
                { "average too slow",
                  "UPDATE run SET spec_json = '{\"train\": {\"average\": 0.9999}}'" },
                { "always clipped",
                  "UPDATE run SET spec_json = '{\"train\": {\"clip\": 0.05}}'; " ADD_VALUE(
                          "1", "gradient_norm", "1") ADD_VALUE("2", "gradient_norm", "1")
                          ADD_VALUE("3", "gradient_norm", "1") ADD_VALUE("4", "gradient_norm", "1")
                                  ADD_VALUE("5", "gradient_norm", "1") },
                { "loss spike",
                  "INSERT INTO event (run, at, step, kind, message) VALUES (1, 'then', 5, 'spike', "
                  "'loss spike at step 5')" },
                { "cannot see all", SEEING("conv", "3") },
                { "cannot see all",
                  "UPDATE run SET reproduces_table = 0, family = 'row';" SEEING("row_lstm", "3") },
                { "made of uncommitted code", "UPDATE run SET program_revision = 'ab-dirty'" },
                { "checkpoint gone", ADD_CHECKPOINT("9", "none", "0") },
                { "not the paper's row", "UPDATE run SET data_identity = 'other'" },
                { "not the paper's row", "UPDATE run SET reproduces_row = 'PixelCN'" },
        };

        record_good();
        ck_assert_uint_eq(pxr_report_doctor(arena, store, paper, NULL, diag)->rows, 0);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                forget_runs();
                record_good();
                ck_assert_msg(!doctor_finds(cases[i].check), "%s, unasked", cases[i].check);
                sql(cases[i].sql);
                ck_assert_msg(doctor_finds(cases[i].check), "%s", cases[i].check);
        }
}
END_TEST

/* What is near a sign and none. */
START_TEST(healthy_runs_have_no_sign)
{
        static const char *const cases[] = {
                TRAINED("9900", "8400"),   /* still getting better: the mean lags behind */
                TRAINED("8300", "8300"),   /* within the tolerance */
                VALIDATED("9000", "8900"), /* by more than a percent */
                ADD_NLL("valid", "1", "9000"),
                /* Of an older pxr: the result is better than the last along the way. */
                TWICE("valid", "8300", "9000"),
                TWICE("valid", "9000", "9000"),
                "UPDATE run SET data_entropy = 89.5; UPDATE metric SET sum_nats = 89.95 * "
                "images; " VALIDATED("9000", "8991"),
                ADD_NLL("train", "1", "9900") VALIDATED("9000", "8991"),
                ORDERED("17", "18", "16"),
                ORDERED("17", "17", "3"),
                COLOURED("3F", "3E", "3E"),
                COLOURED("40", "40", "40"), /* has learnt nothing yet */
                "UPDATE run SET reproduces_table = 0;" SEEING("conv", "3"),
                SEEING("conv", "14"),
                "UPDATE run SET spec_json = '{\"train\": {\"average\": 0.9}}', parameters = 3, "
                "raw_parameter_hash = 'other'",
                "UPDATE run SET status = 'running', host = 'elsewhere', process_id = 1, "
                "process_start = 'never'",
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const struct pxr_table *table;

                forget_runs();
                record_good();
                sql(cases[i]);
                table = pxr_report_doctor(arena, store, paper, NULL, diag);
                ck_assert_msg(table && table->rows == 0, "%s: %s", cases[i],
                              table ? table->cell[1].text : pxr_diag_text(diag, 0));
        }
}
END_TEST

/* By the files' sizes, of the best and the last. */
START_TEST(missing_best_and_last_checkpoints_are_found)
{
        static const struct {
                const char *sql;
                bool found;
        } cases[] = {
                { ADD_CHECKPOINT("1", "none", "0") ADD_CHECKPOINT("2", "file", "1")
                          ADD_CHECKPOINT("3", "file", "0"),
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

/* Each note says what to look at, as a sentence. */
START_TEST(every_advice_is_a_sentence)
{
        const struct pxr_table *table;

        record_good();
        sql(VALIDATED("9000", "8991") "UPDATE run SET certificate = ''");
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
START_TEST(the_split_to_check_is_that_of_the_papers_table)
{
        struct example example = pixelcnn;

        example.images = 10000;
        OK(pxr_store_end_run(store, record(example), "finished", NULL, "h", 1, diag));
        sql("UPDATE metric SET images = 5 WHERE split = 'valid'");
        ck_assert(!doctor_finds("not the paper's row"));
        paper = paper_with("split: test", "split: valid");
        ck_assert(doctor_finds("not the paper's row"));
}
END_TEST

START_TEST(different_results_of_one_spec_are_found)
{
        struct example other = pixelcnn;

        record(pixelcnn);
        record(pixelcnn);
        sql("UPDATE run SET program_revision = 'ab', instruction_set = 'x', libraries = 'y'");
        ck_assert(!doctor_finds("not the same bits"));
        other.test += 1e-6;
        record(other);
        sql("UPDATE run SET program_revision = 'ab', instruction_set = 'x', libraries = 'y'");
        ck_assert(doctor_finds("not the same bits"));
        OK(pxr_store_add_plugin(store, 3,
                                &(struct pxr_plugin_row) { "relu", "1", "relu.so", "edited", NULL },
                                diag));
        ck_assert(!doctor_finds("not the same bits"));
}
END_TEST

START_TEST(different_models_of_one_spec_are_found)
{
        struct example other = pixelcnn;

        other.seed++;
        record(pixelcnn);
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

START_TEST(archived_runs_are_examined_only_when_they_are_named)
{
        struct example other = pixelcnn;

        other.test += 1e-6;
        OK(pxr_store_end_run(store, record(pixelcnn), "failed", "x", "h", 1, diag));
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

START_TEST(huge_nlls_are_printed_with_few_digits)
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

int main(void)
{
        Suite *suite = suite_create("doctor");

        ADD_REPORT_TEST(suite, every_sign_is_found);
        ADD_REPORT_TEST(suite, healthy_runs_have_no_sign);
        ADD_REPORT_TEST(suite, missing_best_and_last_checkpoints_are_found);
        ADD_REPORT_TEST(suite, every_advice_is_a_sentence);
        ADD_REPORT_TEST(suite, the_split_to_check_is_that_of_the_papers_table);
        ADD_REPORT_TEST(suite, different_results_of_one_spec_are_found);
        ADD_REPORT_TEST(suite, different_models_of_one_spec_are_found);
        ADD_REPORT_TEST(suite, archived_runs_are_examined_only_when_they_are_named);
        ADD_REPORT_TEST(suite, huge_nlls_are_printed_with_few_digits);
        return run_suite(suite);
}
