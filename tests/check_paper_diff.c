/* SPDX-License-Identifier: MIT */
/* check_paper_diff.c - how a spec differs from the row of the paper that it names. */
#define _GNU_SOURCE /* nftw(), open_memstream() */
#include "experiment/experiment.h"
#include "report/paper_diff.h"
#include "reports.h"

/* clang-format off */
#define WITHOUT_SKIPS \
        "model:\n- " CONV("A", "7", "32") "\n- " REPEAT("3", RESIDUAL("3")) "\n- relu: {}\n- " \
        CONV("B", "1", "32") "\n- relu: {}\n- " CONV("B", "1", "32") "\n- relu: {}\n" \
        "- sigmoid: {}\n" TRAIN("rmsprop", "16", "1")
/* clang-format on */

static struct pxr_paper_diff compared(const struct pxr_paper_row *row, const char *spec)
{
        const struct pxr_yaml *root = pxr_spec_recorded(arena, spec, diag);

        ck_assert_msg(root != NULL, "%s", pxr_diag_text(diag, 0));
        return pxr_paper_diff(arena, row, root);
}

START_TEST(differences_are_listed)
{
        static const struct {
                const char *spec, *differences, *other;
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
                struct pxr_paper_diff found = compared(row, cases[i].spec);

                ck_assert_str_eq(pxr_remarks(arena, found.difference), cases[i].differences);
                ck_assert_str_eq(pxr_remarks(arena, found.other), cases[i].other);
        }
}
END_TEST

START_TEST(choices_that_the_paper_leaves_open_are_listed)
{
        struct pxr_paper_diff found = compared(row_of(4, "PixelCNN"), LIKE_PAPER);

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
START_TEST(a_model_without_the_rows_blocks_is_another_model)
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
                  "" }, /* a difference, but no fewer weights */
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

START_TEST(blocks_without_residual_connections_are_recognized)
{
        const struct pxr_paper_row *row = row_of(6, "64x64");
        struct pxr_paper_diff found =
                compared(row, IMAGENET64(LSTM512 ", " CONV("B", "1", "1024")));

        ck_assert_str_eq(pxr_remarks(arena, found.difference), "without skip");
        ck_assert_str_eq(pxr_remarks(arena, found.other), "");
        found = compared(row, IMAGENET64(LSTM512 ", skip: {}"));
        ck_assert_str_eq(pxr_remarks(arena, found.other), "0 conv in repeat, not 1");
}
END_TEST

/* The published number is of a density; an old run has no such option on record, as it had none. */
START_TEST(another_output_distribution_is_a_difference)
{
        static const struct {
                const char *options, *differences;
        } cases[] = {
                { "likelihood: dequantized", "" },
                { "likelihood: discretized",
                  "likelihood of gaussian: discretized, not dequantized" },
                { "", "likelihood of gaussian: not on record, not dequantized" },
        };
        const struct pxr_paper_row *row = row_of(5, "Multivariate Gaussian");

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const char *spec = pxr_strf(arena, "model: [gaussian: {%s}]\n", cases[i].options);

                ck_assert_str_eq(pxr_remarks(arena, compared(row, spec).difference),
                                 cases[i].differences);
        }
}
END_TEST

START_TEST(smaller_models_are_other_models)
{
        static const struct {
                const char *spec, *other;
        } cases[] = {
                { ROW_LSTM("12", "128", "1024"), "" },
                { ROW_LSTM("12", "256", "1024"), "" }, /* a difference, but not smaller */
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

/* How a spec of ours differs from the row it names; NULL when it names none. */
static const char *differences_of(const char *path)
{
        const struct pxr_spec_origin origin = { .path = path };
        struct pxr_experiment *experiment = pxr_experiment_read(arena, &origin, diag);
        const struct pxr_reproduces *named;
        const struct pxr_paper_row *row;
        struct pxr_paper_diff found;

        ck_assert_msg(experiment != NULL, "%s", pxr_diag_text(diag, 0));
        named = &experiment->settings.reproduces;
        if (named->table == 0)
                return NULL;
        row = pxr_paper_row(pxr_paper_find(paper, named->table, diag), named->row);
        ck_assert_msg(row != NULL, "%s: %s", path, named->row);
        found = pxr_paper_diff(arena, row, experiment->root);
        ck_assert_msg(!found.other, "%s: %s", path, pxr_remarks(arena, found.other));
        ck_assert_msg(row->train_value == 0 ||
                              experiment->settings.evaluate.at_end >> PXR_TRAIN & 1,
                      "%s: the row has an NLL of the training images, and the run will not", path);
        return pxr_remarks(arena, found.difference);
}

/* Every spec of ours that names a row names one that there is, and is no smaller. */
START_TEST(experiments_match_their_rows)
{
        static const struct {
                const char *name, *differences;
        } wanted[] = {
                { "cifar_row.yaml", "" },
                { "cifar_diag.yaml", "" },
                { "cifar_pixelcnn.yaml", "" },
                { "imagenet32_row.yaml", "" },
                { "imagenet64_row.yaml", "" },
                { "mnist_made.yaml", "masks of made: 8, not 32" },
                { "mnist_nade.yaml", "" },
                { "cifar_uniform.yaml", "" },
                { "cifar_gaussian.yaml", "" },
                { "mnist_row.yaml", "" },
                { "mnist_diag7.yaml", "with dropout in residual" },
                { "mnist_diag1.yaml", "" },
                { "mnist_pixelcnn.yaml", "" },
                { "mnist_gated.yaml", "" },
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
                const char *differences;
                size_t i = 0;

                if (!strstr(entry->d_name, ".yaml"))
                        continue;
                differences = differences_of(pxr_strf(arena, "%s/%s", folder, entry->d_name));
                if (!differences)
                        continue;
                while (i < ROWS && strcmp(wanted[i].name, entry->d_name) != 0)
                        i++;
                ck_assert_msg(i < ROWS, "%s is not in the list; it differs in: %s", entry->d_name,
                              differences);
                ck_assert_msg(strcmp(differences, wanted[i].differences) == 0, "%s differs in: %s",
                              entry->d_name, differences);
                seen++;
        }
        closedir(list);
        ck_assert_uint_eq(seen, ROWS);
}
END_TEST
static int recipe_of(const char *spec, char hex[PXR_SHA256_HEX])
{
        struct pxr_yaml *root = pxr_spec_recorded(arena, spec, diag);

        return root ? pxr_spec_recipe(arena, root, hex, diag) : -1;
}

START_TEST(the_recipe_hash_ignores_seed_and_names)
{
        char a[PXR_SHA256_HEX], b[PXR_SHA256_HEX];

        OK(recipe_of(TRAIN("adam", "16", "1"), a));
        OK(recipe_of(TRAIN("adam", "16", "2"), b));
        ck_assert_str_eq(a, b);
        OK(recipe_of("name: x\ndescription: y\nreproduces: {table: 4}\n" TRAIN(
                             "adam", "16", "2") "evaluate: {at_end: [train]}\nsample: {count: 3}\n",
                     a));
        OK(recipe_of(TRAIN("adam", "16", "2") "evaluate: {}\n", b));
        ck_assert_str_eq(a, b);
        OK(recipe_of(TRAIN("adam", "17", "2") "evaluate: {}\n", b));
        ck_assert_str_ne(a, b);
        OK(recipe_of("evaluate: {limit: 0, every: never}\ndata: {set: x}\n", a));
        OK(recipe_of("data: {set: x}\nevaluate: {every: never, limit: 0}\n", b));
        ck_assert_str_eq(a, b);
}
END_TEST
/* The arena's limit grows from nothing. Sanitizers detect the use of a NULL that was not
 * checked. */
START_TEST(out_of_memory_is_an_error)
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
        Suite *suite = suite_create("paper_diff");

        ADD_SCRATCH_TEST(suite, differences_are_listed);
        ADD_SCRATCH_TEST(suite, choices_that_the_paper_leaves_open_are_listed);
        ADD_SCRATCH_TEST(suite, a_model_without_the_rows_blocks_is_another_model);
        ADD_SCRATCH_TEST(suite, blocks_without_residual_connections_are_recognized);
        ADD_SCRATCH_TEST(suite, another_output_distribution_is_a_difference);
        ADD_SCRATCH_TEST(suite, smaller_models_are_other_models);
        ADD_SCRATCH_TEST(suite, experiments_match_their_rows);
        ADD_SCRATCH_TEST(suite, the_recipe_hash_ignores_seed_and_names);
        ADD_SCRATCH_TEST(suite, out_of_memory_is_an_error);
        return run_suite(suite);
}
