/* SPDX-License-Identifier: MIT */
/*
 * reports.h - what the tests of reports share: specs like the paper's, runs on record, tables.
 */
#ifndef PXR_TESTS_REPORTS_H
#define PXR_TESTS_REPORTS_H

#include "config/yaml.h"
#include "report/report.h"
#include "run_database.h"

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

static struct pxr_paper *paper;
static struct pxr_store *store;

static inline void open_paper(void)
{
        paper = pxr_paper_open(arena, "reports/paper.yaml", diag);
        ck_assert_msg(paper != NULL, "%s", pxr_diag_text(diag, 0));
}

/* The paper's file with one text in the place of another, everywhere. */
static inline struct pxr_paper *paper_with(const char *old, const char *text)
{
        size_t size;
        const char *from = (char *)file_bytes("reports/paper.yaml", &size), *at;
        FILE *to = fopen(in_scratch("paper.yaml"), "w");

        for (; (at = strstr(from, old)); from = at + strlen(old))
                fprintf(to, "%.*s%s", (int)(at - from), from, text);
        fputs(from, to);
        ck_assert_int_eq(fclose(to), 0);
        return pxr_paper_open(arena, in_scratch("paper.yaml"), diag);
}

static inline const struct pxr_paper_row *row_of(int table, const char *name)
{
        const struct pxr_paper_row *row;

        open_paper();
        row = pxr_paper_row(pxr_paper_find(paper, table, diag), name);
        ck_assert_ptr_nonnull(row);
        return row;
}

static inline void report_setup(void)
{
        scratch_setup();
        store = open_store(in_scratch("runs.db"), true);
        open_paper();
}

static inline void report_teardown(void)
{
        pxr_store_close(store);
        scratch_teardown();
}

/* Add a case of its own for one test, with an empty database and the paper's rows. */
#define ADD_REPORT_TEST(suite, test)                                              \
        do {                                                                      \
                TCase *tcase_ = add_case(suite, #test);                           \
                tcase_add_checked_fixture(tcase_, report_setup, report_teardown); \
                tcase_add_test(tcase_, test);                                     \
        } while (0)

/* Identities of the official data: binarized MNIST; CIFAR-10 with 5000 images to validate on. */
#define OFFICIAL_MNIST "28ca2e01093bfcec5d74ed39b1be9424acfe25da2095c4b6dbca832835cda8e7"
#define OFFICIAL_CIFAR10 "5c1ea0ba1950abd4775498e418b8058afb167e55f75e24013fb83946331fe460"

/* What the tests vary of a run and its results. */
struct example {
        const char *row, *spec, *set, *identity, *content, *transforms, *given, *suspect;
        int table;
        int64_t seed, images;
        double test, valid, train; /* nats per image; 0: not evaluated on this split */
};

static const struct example pixelcnn = {
        .table = 4,
        .row = "PixelCNN",
        .spec = LIKE_PAPER,
        .set = "binarized_mnist",
        .identity = OFFICIAL_MNIST,
        .transforms = "static binarization",
        .seed = 1,
        .images = 10000,
        .test = 81.5,
        .valid = 81.4,
};

static const struct example row_lstm = {
        .table = 5,
        .row = "Row LSTM",
        .spec = ROW_LSTM("12", "128", "1024"),
        .set = "cifar10",
        .identity = "unlisted",
        .transforms = "none",
        .seed = 1,
        .images = 10000,
        .test = 6600,
};

static inline void add_result(int64_t id, const char *split, double nats,
                              const struct example *example)
{
        const struct pxr_nll_row row = { .split = split,
                                         .name = "final_nll",
                                         .sum_nats = nats * (double)example->images,
                                         .images = example->images,
                                         .dimensions = example->table == 4 ? 784 : 3072,
                                         .standard_error = 0.25,
                                         .suspect = example->suspect };

        if (nats > 0)
                OK(pxr_store_add_nll(store, (struct pxr_moment) { id, 100, 9 }, &row, diag));
}

/* Put a run on record; its number. */
static inline int64_t record(struct example example)
{
        char recipe[PXR_SHA256_HEX];
        struct pxr_run run = { .name = "a run",
                               .spec = example.spec,
                               .spec_json = pxr_yaml_json(
                                       arena, pxr_spec_recorded(arena, example.spec, diag)),
                               .spec_hash = "aa",
                               .origins = "",
                               .seed = example.seed,
                               .program_version = "0",
                               .data_set = example.set,
                               .data_identity = example.identity,
                               .data_content = example.content,
                               .data_transforms = example.transforms,
                               .data_entropy = NAN,
                               .given = example.given,
                               .certificate = "cc",
                               .fingerprint_nll = NAN,
                               .fingerprint_gradient = NAN,
                               .fingerprint_single = NAN,
                               .fingerprint_version = 1,
                               .reproduces_table = example.table,
                               .reproduces_row = example.row,
                               .recipe_hash = recipe };

        OK(pxr_spec_recipe(arena, pxr_spec_recorded(arena, example.spec, diag), recipe, diag));
        OK(pxr_store_add_run(store, &run, diag));
        add_result(run.id, "test", example.test, &example);
        add_result(run.id, "valid", example.valid, &example);
        add_result(run.id, "train", example.train, &example);
        return run.id;
}

/* Forget all runs; the next is run 1 again. */
static inline void forget_runs(void)
{
        sql("DELETE FROM run; DELETE FROM metric; DELETE FROM nll_map; DELETE FROM layer; "
            "DELETE FROM checkpoint; DELETE FROM event; DELETE FROM sqlite_sequence");
}

/* The NLL of 100 images of run 1 along the way, at a step which is also its epoch. */
#define ADD_NLL(split, step, nats)                                                             \
        "INSERT INTO metric (run, step, epoch, split, name, sum_nats, sum_squares, images, "   \
        "dimensions, standard_error) VALUES (1, " step ", " step ", '" split "', 'nll', " nats \
        ", "                                                                                   \
        "0, 100, 784, 0.1); "

static inline const struct pxr_table *table_of(int number)
{
        const struct pxr_table *table = pxr_report_paper_table(arena, store, paper, number, diag);

        ck_assert_msg(table != NULL, "%s", pxr_diag_text(diag, 0));
        return table;
}

/* The text of a cell of a row, "" where it is empty. */
static inline const char *cell_of(const struct pxr_table *table, const char *row, const char *name)
{
        for (size_t i = 0; i < table->rows; i++) {
                const struct pxr_cell *cell = table->cell + i * table->columns;

                for (int k = 0; k < table->columns; k++)
                        if (strcmp(cell[1].text, row) == 0 &&
                            strcmp(table->column[k].name, name) == 0)
                                return pxr_cell_text(arena, cell + k);
        }
        ck_abort_msg("no row '%s', or no column '%s'", row, name);
        return NULL;
}

static inline bool has_note(const struct pxr_table *table, const char *text)
{
        for (const struct pxr_note *note = table->note; note; note = note->next)
                if (strstr(note->text, text))
                        return true;
        return false;
}

/* The table as text for a line of that many characters (0: any), or in another format. */
static inline const char *written_in(const struct pxr_table *table, enum pxr_format format,
                                     int line)
{
        FILE *to = capture();

        OK(pxr_tables_write(table, format, to, line, diag));
        return captured(to);
}

static inline const char *written(const struct pxr_table *table, enum pxr_format format)
{
        return written_in(table, format, 0);
}

/* Whether the doctor finds a sign in a run; NULL: in any. */
static inline bool doctor_finds_in(const char *run, const char *check)
{
        const struct pxr_table *table = pxr_report_doctor(arena, store, paper, run, diag);

        ck_assert_msg(table != NULL, "%s", pxr_diag_text(diag, 0));
        for (size_t i = 0; i < table->rows; i++)
                if (strcmp(table->cell[i * table->columns + 1].text, check) == 0)
                        return true;
        return false;
}

static inline bool doctor_finds(const char *check)
{
        return doctor_finds_in(NULL, check);
}

#endif
