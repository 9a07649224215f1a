/* SPDX-License-Identifier: MIT */
/* check_paper_table.c - our runs beside the rows of the paper. */
#define _GNU_SOURCE /* nftw(), open_memstream() */
#include <sys/utsname.h>

#include "data/official.h"
#include "reports.h"

START_TEST(a_run_is_shown_beside_its_row)
{
        const struct pxr_table *table;

        record(pixelcnn);
        table = table_of(4);
        ck_assert_str_eq(cell_of(table, "PixelCNN", "paper"), "81.30");
        ck_assert_str_eq(cell_of(table, "PixelCNN", "ours"), "81.50");
        ck_assert_str_eq(cell_of(table, "PixelCNN", "difference"), "+0.20");
        ck_assert_str_eq(cell_of(table, "PixelCNN", "standard_error"), "0.25");
        ck_assert_str_eq(cell_of(table, "PixelCNN", "run"), "1");
        ck_assert_str_eq(cell_of(table, "PixelCNN", "deviation"), "");
        ck_assert_str_eq(cell_of(table, "Row LSTM", "ours"), "");
        ck_assert_str_eq(cell_of(table, "DRAW", "paper"), "≤ 80.97");
        ck_assert(has_note(table, "As the paper describes it. The paper does not give: "
                                  "features of conv 1 32"));
}
END_TEST

START_TEST(the_best_model_that_is_not_in_the_paper_has_a_row_of_its_own)
{
        struct example ours = pixelcnn;

        ck_assert(!strstr(written_in(table_of(4), PXR_FORMAT_TEXT, 0), "Ours ("));
        ours.row = "Ours";
        record(ours);
        ours.spec = LIKE_PAPER "description: another\n";
        ours.valid = 79.4;
        ours.test = 79.1;
        record(ours);
        ck_assert_str_eq(cell_of(table_of(4), "Ours", "ours"), "79.10");
        ck_assert_str_eq(cell_of(table_of(4), "Ours", "paper"), "");
        ck_assert_str_eq(cell_of(table_of(4), "Ours", "difference"), "");
        ck_assert_str_eq(cell_of(table_of(4), "Ours", "model"), "Ours (a run)");
        ck_assert(has_note(table_of(4), "Not in the paper."));
}
END_TEST

START_TEST(results_on_other_data_are_not_shown)
{
        static const char *const reasons[] = {
                "its data set is mnist, not binarized_mnist",
                "its data are not those of the row: static binarization; first 500 of each split",
                "its NLL is over 1017 images; the split has 10000",
                "its data are not, by their SHA-256, the whole of the official",
                "its NLL is conditional on smaller versions of the images",
                "better than any model of this data set can be",
                "its NLL is conditional on the class of the images",
        };
        struct example example[7] = { pixelcnn, pixelcnn, pixelcnn, pixelcnn,
                                      pixelcnn, pixelcnn, pixelcnn };
        const struct pxr_table *table;

        example[0].set = "mnist";
        example[1].transforms = "static binarization; first 500 of each split";
        example[2].images = 1017;
        example[4].given = "14x14";
        example[5].suspect = reasons[5];
        example[6].given = "class of 10";
        for (int i = 0; i < 7; i++) {
                example[i].identity = pxr_strf(arena, "id%d", i);
                record(example[i]);
        }
        table = table_of(4);
        ck_assert_str_eq(cell_of(table, "PixelCNN", "ours"), "");
        for (int i = 0; i < 7; i++)
                ck_assert_msg(has_note(table, reasons[i]), "%s", reasons[i]);
}
END_TEST

START_TEST(runs_without_a_result_are_listed)
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
        record(pixelcnn);
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

START_TEST(runs_that_differ_in_the_seed_are_averaged)
{
        struct example second = pixelcnn, again = pixelcnn;
        const struct pxr_table *table;

        second.seed = 2;
        second.spec = PIXELCNN(REPEAT("3", BLOCK("3"))) TRAIN("rmsprop", "16", "2");
        second.test = 81.7;
        again.test = 99; /* the first's seed once more: no third sample, and the newest counts */
        record(again);
        record(pixelcnn);
        record(second);
        table = table_of(4);
        ck_assert_str_eq(cell_of(table, "PixelCNN", "ours"), "81.60");
        ck_assert_str_eq(cell_of(table, "PixelCNN", "deviation"), "0.14");
        ck_assert_str_eq(cell_of(table, "PixelCNN", "seeds"), "2");
        ck_assert_str_eq(cell_of(table, "PixelCNN", "run"), "2, 3");
        ck_assert(has_note(table, "Mean and deviation of 2 seeds."));
}
END_TEST

START_TEST(diverged_seeds_are_left_out_of_the_mean)
{
        struct example second = pixelcnn, third = pixelcnn;

        second.seed = 2;
        third.seed = 3;
        second.test = 81.7;
        third.test = 1e31;
        third.suspect = "worse than the uniform distribution";
        record(pixelcnn);
        record(second);
        record(third);
        ck_assert_str_eq(cell_of(table_of(4), "PixelCNN", "ours"), "81.60");
        ck_assert_str_eq(cell_of(table_of(4), "PixelCNN", "deviation"), "0.14");
        ck_assert(has_note(table_of(4), "Mean and deviation of 2 seeds. Left out: 1 more of its "
                                        "seeds, whose NLL cannot be shown."));
        /* Once more, and now it went well. */
        third.suspect = NULL;
        third.test = 81.6;
        record(third);
        ck_assert(has_note(table_of(4), "Mean and deviation of 3 seeds. As"));
}
END_TEST

START_TEST(the_best_spec_is_chosen_by_validation_nll)
{
        struct example other = pixelcnn;

        other.spec = PIXELCNN(REPEAT("3", BLOCK("5"))) TRAIN("rmsprop", "16", "1");
        other.test = 81.0;
        other.valid = 82;
        record(pixelcnn);
        record(other);
        ck_assert_str_eq(cell_of(table_of(4), "PixelCNN", "run"), "1");
}
END_TEST

/* One spec without a validation NLL has not the others chosen by their test NLL. */
START_TEST(specs_with_a_validation_nll_come_first)
{
        struct example better = pixelcnn, none = pixelcnn;
        const struct pxr_table *table;

        better.spec = PIXELCNN(REPEAT("3", BLOCK("5"))) TRAIN("rmsprop", "16", "1");
        better.test = 82.5;
        better.valid = 81.3;
        none.spec = PIXELCNN(REPEAT("4", BLOCK("5"))) TRAIN("rmsprop", "16", "1");
        none.test = 81.0;
        none.valid = 0;
        record(pixelcnn);
        record(better);
        record(none);
        table = table_of(4);
        ck_assert_str_eq(cell_of(table, "PixelCNN", "run"), "2");
        ck_assert(has_note(table, "Not shown: run 3 (PixelCNN): it has no validation NLL"));
        ck_assert(!has_note(table, "too good"));
        /* A suspect NLL does not count. */
        none.suspect = "x";
        add_result(3, "valid", 1, &none);
        ck_assert_str_eq(cell_of(table_of(4), "PixelCNN", "run"), "2");
}
END_TEST

/* Of seeds of which some have none, those that have one stand for the spec. */
START_TEST(a_spec_with_a_validation_nll_for_some_seeds_counts)
{
        struct example second = pixelcnn, other = pixelcnn;

        second.seed = 2;
        second.valid = 0;
        other.spec = PIXELCNN(REPEAT("3", BLOCK("5"))) TRAIN("rmsprop", "16", "1");
        other.valid = 82;
        other.test = 80;
        record(pixelcnn);
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

START_TEST(choice_by_test_nll_has_a_footnote)
{
        static const char row[] = "Diagonal BiLSTM (1 layer, h = 32)";
        struct example first = pixelcnn, other;

        first.row = row;
        first.valid = 0;
        first.spec = DIAGONAL("16");
        other = first;
        record(first);
        other.spec = LIKE_PAPER; /* another model leaves no choice */
        other.test = 90;
        record(other);
        ck_assert_str_eq(cell_of(table_of(4), row, "run"), "1");
        ck_assert(!has_note(table_of(4), "too good"));
        other.spec = DIAGONAL("32");
        other.test = 81.0;
        record(other);
        ck_assert_str_eq(cell_of(table_of(4), row, "run"), "3");
        ck_assert(has_note(table_of(4), "Chosen among several specs by the test NLL"));
}
END_TEST

static void add_file(int64_t run, const char *name, bool official)
{
        const struct pxr_official_file *file =
                pxr_official_file(pxr_official_find("cifar10", diag), name);

        ck_assert_msg(file != NULL, "%s", name);
        OK(pxr_store_add_data_file(store, run, pxr_strf(arena, "d/%s", name), 1,
                                   official ? file->sha256 : "00", diag));
}

START_TEST(official_cifar10_is_recognized_by_its_files)
{
        struct example example = row_lstm;

        for (int wrong = 0; wrong < 7; wrong++) { /* the last time none is */
                int64_t run;

                example.identity = pxr_strf(arena, "id%d", wrong);
                example.test = 6600 + 10 * wrong;
                example.train = example.test - 100;
                run = record(example);
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

/* With early stopping, the validation NLL shown is the lowest of the run's evaluations. */
START_TEST(early_stopping_on_the_shown_nll_has_a_footnote)
{
        static const char told[] = "The validation NLL is the lowest of the run's "
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
                struct example example = row_lstm;
                size_t open = strlen(row_lstm.spec) - strlen("}\n");

                example.table = cases[i].table;
                example.row = cases[i].row;
                example.spec =
                        pxr_strf(arena, "%.*s%s}\n", (int)open, row_lstm.spec, cases[i].text);
                example.set = "npz";
                example.identity = OFFICIAL_CIFAR10;
                example.valid = 6600;
                forget_runs();
                record(example);
                ck_assert_str_eq(cell_of(table_of(cases[i].table), cases[i].row, "run"), "1");
                ck_assert_msg(has_note(table_of(cases[i].table), told) == cases[i].told, "%zu", i);
        }
}
END_TEST

START_TEST(a_footnote_names_what_was_done_to_the_data_of_the_run)
{
        struct example example = row_lstm;

        example.set = "npz";
        example.identity = OFFICIAL_CIFAR10;
        example.transforms = "valid = last 5000 of train";
        record(example);
        ck_assert(has_note(table_of(5), " Data: valid = last 5000 of train."));
}
END_TEST

/* What changes no result is not a choice: how often to log, no early stopping, an empty list. */
START_TEST(a_footnote_leaves_out_what_changes_no_result)
{
        static const char *const words[] = { "log", "patience", "extended_from" };
        struct example example = row_lstm;
        size_t open = strlen(row_lstm.spec) - strlen("}\n");

        example.spec = pxr_strf(arena, "%.*s, log: auto, patience: 0, extended_from: []}\n",
                                (int)open, row_lstm.spec);
        example.set = "npz";
        example.identity = OFFICIAL_CIFAR10;
        record(example);
        ck_assert(has_note(table_of(5), "epochs"));
        for (size_t i = 0; i < PXR_COUNT(words); i++)
                ck_assert_msg(!has_note(table_of(5), words[i]), "%s", words[i]);
}
END_TEST

START_TEST(training_in_bfloat16_has_a_footnote_and_float32_has_none)
{
        static const char *const texts[] = { ", precision: f32", ", precision: bf16" };
        size_t open = strlen(row_lstm.spec) - strlen("}\n");

        for (int bf16 = 0; bf16 < 2; bf16++) {
                struct example example = row_lstm;
                const struct pxr_table *table;

                example.spec = pxr_strf(arena, "%.*s%s}\n", (int)open, row_lstm.spec, texts[bf16]);
                example.set = "npz";
                example.identity = OFFICIAL_CIFAR10;
                forget_runs();
                record(example);
                table = table_of(5);
                ck_assert_str_eq(cell_of(table, "Row LSTM", "run"), "1");
                ck_assert_int_eq(has_note(table, "Trained in bfloat16, evaluated in float32. "),
                                 bf16);
                ck_assert(!has_note(table, "precision"));
        }
}
END_TEST

/* CIFAR-10 in other files, as the paper's file knows it. */
START_TEST(official_cifar10_is_recognized_by_its_identity)
{
        static const char *const known[] = {
                "1e2813e0929983629aa5b86f7102a4bca7dd5bb699515e6f9957fbb85cba36ac",
                OFFICIAL_CIFAR10,
        };

        for (size_t i = 0; i < 2; i++) {
                struct example example = row_lstm;

                example.set = "npz";
                example.identity = known[i];
                forget_runs();
                record(example);
                ck_assert_str_eq(cell_of(table_of(5), "Row LSTM", "run"), "1");
                ck_assert(!doctor_finds("not the paper's row"));
        }
}
END_TEST

START_TEST(official_cifar10_is_recognized_with_any_validation_split)
{
        static const char *const transforms[] = { "valid = last 100 of train", "grey" };

        for (size_t i = 0; i < 2; i++) {
                struct example example = row_lstm;

                example.set = "npz";
                example.content =
                        "1e2813e0929983629aa5b86f7102a4bca7dd5bb699515e6f9957fbb85cba36ac";
                example.transforms = transforms[i];
                forget_runs();
                record(example);
                ck_assert_str_eq(cell_of(table_of(5), "Row LSTM", "run"), i == 0 ? "1" : "");
                ck_assert_int_eq(doctor_finds("not the paper's row"), i > 0);
        }
}
END_TEST

/* What is judged of a run does not depend on others of the same identity. */
START_TEST(official_data_must_be_those_of_the_run_itself)
{
        struct example example = row_lstm;
        int64_t run;

        run = record(example);
        for (int batch = 1; batch <= 5; batch++)
                add_file(run, pxr_strf(arena, "data_batch_%d.bin", batch), true);
        add_file(run, "test_batch.bin", true);
        example.set = "npz";
        example.seed = 2;
        record(example);
        ck_assert_str_eq(cell_of(table_of(5), "Row LSTM", "run"), "1");
        ck_assert(has_note(table_of(5), "its data set is npz, not cifar10"));
        ck_assert(!doctor_finds_in("1", "not the paper's row"));
        ck_assert(doctor_finds("not the paper's row"));
}
END_TEST

/* The images of a set, in any files; each row has its own. */
START_TEST(official_data_are_recognized_in_any_format)
{
        static const char text[] = "tables: [{table: 6, title: t, unit: bits, split: test, set: "
                                   "imagenet, transforms: [none], images: 10000, rows: [{row: a, "
                                   "value: 3, identities: [aa]}, {row: b, value: 3, identities: "
                                   "[bb]}]}]\n";
        struct example example = pixelcnn;
        const struct pxr_table *table;

        write_file(in_scratch("paper.yaml"), text, strlen(text));
        paper = pxr_paper_open(arena, in_scratch("paper.yaml"), diag);
        ck_assert_msg(paper != NULL, "%s", pxr_diag_text(diag, 0));
        example.table = 6;
        example.set = "npz";
        example.identity = "aa";
        example.row = "a";
        record(example);
        example.row = "b";
        record(example);
        table = table_of(6);
        ck_assert_str_eq(cell_of(table, "a", "run"), "1");
        ck_assert_str_eq(cell_of(table, "b", "run"), "");
        ck_assert(has_note(table, "its data set is npz, not imagenet"));
}
END_TEST

START_TEST(an_unknown_row_is_a_warning)
{
        struct example example = pixelcnn;

        example.row = "PixelCN";
        record(example);
        table_of(4);
        ck_assert_ptr_nonnull(strstr(pxr_diag_text(diag, 0),
                                     "run 1 reproduces unknown row 'PixelCN' of table 4; "
                                     "did you mean 'PixelCNN'?"));
        ck_assert_int_eq(pxr_diag_errors(diag), 0);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("paper_table");

        ADD_REPORT_TEST(suite, a_run_is_shown_beside_its_row);
        ADD_REPORT_TEST(suite, the_best_model_that_is_not_in_the_paper_has_a_row_of_its_own);
        ADD_REPORT_TEST(suite, results_on_other_data_are_not_shown);
        ADD_REPORT_TEST(suite, runs_without_a_result_are_listed);
        ADD_REPORT_TEST(suite, runs_that_differ_in_the_seed_are_averaged);
        ADD_REPORT_TEST(suite, diverged_seeds_are_left_out_of_the_mean);
        ADD_REPORT_TEST(suite, the_best_spec_is_chosen_by_validation_nll);
        ADD_REPORT_TEST(suite, specs_with_a_validation_nll_come_first);
        ADD_REPORT_TEST(suite, a_spec_with_a_validation_nll_for_some_seeds_counts);
        ADD_REPORT_TEST(suite, choice_by_test_nll_has_a_footnote);
        ADD_REPORT_TEST(suite, official_cifar10_is_recognized_by_its_files);
        ADD_REPORT_TEST(suite, early_stopping_on_the_shown_nll_has_a_footnote);
        ADD_REPORT_TEST(suite, a_footnote_names_what_was_done_to_the_data_of_the_run);
        ADD_REPORT_TEST(suite, a_footnote_leaves_out_what_changes_no_result);
        ADD_REPORT_TEST(suite, training_in_bfloat16_has_a_footnote_and_float32_has_none);
        ADD_REPORT_TEST(suite, official_cifar10_is_recognized_by_its_identity);
        ADD_REPORT_TEST(suite, official_cifar10_is_recognized_with_any_validation_split);
        ADD_REPORT_TEST(suite, official_data_must_be_those_of_the_run_itself);
        ADD_REPORT_TEST(suite, official_data_are_recognized_in_any_format);
        ADD_REPORT_TEST(suite, an_unknown_row_is_a_warning);
        return run_suite(suite);
}
