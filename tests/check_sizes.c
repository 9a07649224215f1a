/* SPDX-License-Identifier: MIT */
/*
 * check_sizes.c - how many parameters the model of every spec in experiments/ has at its own size,
 * counted by hand from the papers' architectures.
 *
 * The first number of a row is the dense count of the architecture, with masked entries and
 * biases. With h features in a layer and s in the stream (2h, where the paper is followed):
 *
 *     7x7 convolution   49 c s + s
 *     Diagonal BiLSTM   2 (s 4h + 2 h 4h + 4h) + h s + s      each layer
 *     Row LSTM          3 s 4h + 3 h 4h + 4h + h s + s        each layer
 *     PixelCNN          s h + h + k k h h + h + h s + s       each layer, k x k in the middle
 *     gated             2 h (k k v + k s + 2 h + 2) + h h + h each layer, k x k kernels
 *     attention         s s + 2 s s + a (2 n n - n) + s s + s each layer, a heads, n x n pixels
 *     head, output      s w + w + w w + w + w o + o
 *
 * with c colours, w features in the head and o logits a pixel; of a gated layer s and v are c in
 * the first and h in all others. What is not in it: a skip is a 1x1 convolution of the stream, s (s
 * + 1); a scan has a state and a cell of h; a condition is a 1x1 convolution without bias of the
 * map, and the map's deconvolution has 16 c m + m, for m channels; a layer_norm has 2 s.
 *
 * Of d values the baselines have d (histogram), d d + 2 d (Gaussian), 2 d h + h + d (NADE), and
 * 2 d h + h h + 2 h + d + d d (MADE, two hidden layers and direct connections).
 */
#include "experiments.h"

struct census {
        size_t counted, skips, states, conditions;
};

static const struct size {
        const char *name;
        struct pxr_image_kind kind;
        struct census census;
} sizes[] = {
        { "cifar_diag.yaml", { 32, 32, 3, 256 }, { 8837888, 12 * 256 * 257, 12 * 2 * 2 * 128, 0 } },
        { "cifar_diag_small.yaml", { 32, 32, 3, 256 }, { 155088, 3 * 48 * 49, 3 * 2 * 2 * 24, 0 } },
        { "cifar_gated_small.yaml", { 32, 32, 3, 256 }, { 585792, 0, 0, 0 } },
        { "cifar_gaussian.yaml", { 32, 32, 3, 256 }, { 9443328, 0, 0, 0 } },
        { "cifar_pixelcnn.yaml", { 32, 32, 3, 256 }, { 5340416, 15 * 256 * 257, 0, 0 } },
        { "cifar_pixelcnn_small.yaml", { 32, 32, 3, 256 }, { 125952, 4 * 48 * 49, 0, 0 } },
        { "cifar_pixelcnnpp_small.yaml", { 32, 32, 3, 256 }, { 511684, 0, 0, 0 } },
        { "cifar_row.yaml", { 32, 32, 3, 256 }, { 9618176, 12 * 256 * 257, 12 * 2 * 128, 0 } },
        { "cifar_row_small.yaml", { 32, 32, 3, 256 }, { 161712, 3 * 48 * 49, 3 * 2 * 24, 0 } },
        { "cifar_uniform.yaml", { 32, 32, 3, 256 }, { 0, 0, 0, 0 } },
        { "imagenet32_row.yaml",
          { 32, 32, 3, 256 },
          { 70005504, 12 * 768 * 769, 12 * 2 * 384, 0 } },
        { "imagenet32_row_small.yaml", { 32, 32, 3, 256 }, { 161712, 3 * 48 * 49, 3 * 2 * 24, 0 } },
        { "imagenet64_multiscale.yaml",
          { 64, 64, 3, 256 },
          { 42896128, 4 * 1024 * 1025, 4 * 2 * 512,
            16 * 3 * 32 + 32 + 32 * (1024 + 4 * (4 * 512 + 1024) + 2 * 1024 + 768) } },
        { "imagenet64_multiscale_small.yaml",
          { 64, 64, 3, 256 },
          { 139680, 2 * 48 * 49, 2 * 2 * 24,
            16 * 3 * 16 + 16 + 16 * (48 + 2 * (4 * 24 + 48) + 2 * 96 + 768) } },
        { "imagenet64_row.yaml",
          { 64, 64, 3, 256 },
          { 42896128, 4 * 1024 * 1025, 4 * 2 * 512, 0 } },
        { "imagenet64_row_small.yaml", { 64, 64, 3, 256 }, { 139680, 2 * 48 * 49, 2 * 2 * 24, 0 } },
        { "imagenet64_subsampled_row.yaml",
          { 32, 32, 3, 256 },
          { 70005504, 12 * 768 * 769, 12 * 2 * 384, 0 } },
        { "imagenet64_subsampled_row_small.yaml",
          { 32, 32, 3, 256 },
          { 161712, 3 * 48 * 49, 3 * 2 * 24, 0 } },
        { "mnist_class_small.yaml", { 28, 28, 1, 2 }, { 33745, 0, 0, 5 * 2 * 10 * 32 } },
        { "mnist_diag1.yaml", { 28, 28, 1, 2 }, { 40481, 64 * 32 + 32, 1 * 2 * 2 * 32, 0 } },
        { "mnist_diag1_small.yaml", { 28, 28, 1, 2 }, { 40481, 64 * 32 + 32, 1 * 2 * 2 * 32, 0 } },
        { "mnist_diag7.yaml", { 28, 28, 1, 2 }, { 65793, 7 * 32 * 33, 7 * 2 * 2 * 16, 0 } },
        { "mnist_diag7_small.yaml", { 28, 28, 1, 2 }, { 65793, 7 * 32 * 33, 7 * 2 * 2 * 16, 0 } },
        { "mnist_gated.yaml", { 28, 28, 1, 2 }, { 339457, 0, 0, 0 } },
        { "mnist_histogram.yaml", { 28, 28, 1, 2 }, { 784, 0, 0, 0 } },
        { "mnist_made.yaml", { 28, 28, 1, 2 }, { 1650440, 0, 0, 0 } },
        { "mnist_nade.yaml", { 28, 28, 1, 2 }, { 785284, 0, 0, 0 } },
        { "mnist_pixelcnn.yaml", { 28, 28, 1, 2 }, { 54625, 15 * 32 * 33, 0, 0 } },
        { "mnist_pixelcnn_5x5.yaml", { 28, 28, 1, 2 }, { 93601, 12 * 32 * 33, 0, 0 } },
        { "mnist_pixelcnn_small.yaml", { 28, 28, 1, 2 }, { 54625, 15 * 32 * 33, 0, 0 } },
        { "mnist_pixelsnail_small.yaml", { 28, 28, 1, 2 }, { 44857, 0, 0, 0 } },
        { "mnist_row.yaml", { 28, 28, 1, 2 }, { 72513, 7 * 32 * 33, 7 * 2 * 16, 0 } },
        { "mnist_row_small.yaml", { 28, 28, 1, 2 }, { 72513, 7 * 32 * 33, 7 * 2 * 16, 0 } },
        { "quickstart.yaml", { 12, 12, 1, 2 }, { 5729, 0, 0, 0 } },
        { "table2.yaml connections=none", { 32, 32, 3, 256 }, { 9618176, 0, 12 * 2 * 128, 0 } },
        { "table2.yaml connections=skip",
          { 32, 32, 3, 256 },
          { 9618176, 12 * 256 * 257, 12 * 2 * 128, 0 } },
        { "table2.yaml connections=residual", { 32, 32, 3, 256 }, { 9618176, 0, 12 * 2 * 128, 0 } },
        { "table2.yaml connections=residual and skip",
          { 32, 32, 3, 256 },
          { 9618176, 12 * 256 * 257, 12 * 2 * 128, 0 } },
        { "table3.yaml layers=1", { 32, 32, 3, 256 }, { 2761216, 1 * 256 * 257, 1 * 2 * 128, 0 } },
        { "table3.yaml layers=2", { 32, 32, 3, 256 }, { 3384576, 2 * 256 * 257, 2 * 2 * 128, 0 } },
        { "table3.yaml layers=3", { 32, 32, 3, 256 }, { 4007936, 3 * 256 * 257, 3 * 2 * 128, 0 } },
        { "table3.yaml layers=6", { 32, 32, 3, 256 }, { 5878016, 6 * 256 * 257, 6 * 2 * 128, 0 } },
        { "table3.yaml layers=9", { 32, 32, 3, 256 }, { 7748096, 9 * 256 * 257, 9 * 2 * 128, 0 } },
        { "table3.yaml layers=12",
          { 32, 32, 3, 256 },
          { 9618176, 12 * 256 * 257, 12 * 2 * 128, 0 } },
};

enum { LABELS = 10 }; /* classes of the data sets that have labels */
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

static bool ends_with(const char *text, const char *end)
{
        size_t size = strlen(text), tail = strlen(end);

        return size >= tail && strcmp(text + size - tail, end) == 0;
}

static struct census census_of(const struct pxr_graph *graph)
{
        struct census census = { 0 };

        for (const struct pxr_parameter *p = graph->parameter; p; p = p->next)
                if (strstr(p->name, ".upsample_") || ends_with(p->name, ".condition.weight") ||
                    ends_with(p->name, ".class.weight"))
                        census.conditions += p->size;
                else if (strstr(p->name, ".skip."))
                        census.skips += p->size;
                else if (ends_with(p->name, ".initial_state") ||
                         ends_with(p->name, ".initial_cell"))
                        census.states += p->size;
                else
                        census.counted += p->size;
        ck_assert_uint_eq(census.counted + census.skips + census.states + census.conditions,
                          graph->parameter_values);
        return census;
}

static const struct size *size_of(const char *name)
{
        for (size_t i = 0; i < SIZES; i++)
                if (strcmp(sizes[i].name, name) == 0)
                        return &sizes[i];
        return NULL;
}

START_TEST(an_experiments_model_has_its_recorded_size)
{
        const struct experiment *e = &experiment[_i];
        const struct size *size = size_of(e->name);
        const struct pxr_model *model;
        struct census got;

        ck_assert_msg(size != NULL, "%s has no row in the table of sizes", e->name);
        model = pxr_model_build(arena, plugins, model_of(e), &size->kind, LABELS, false, diag);
        ck_assert_msg(model != NULL, "%s: %s", e->name, pxr_diag_text(diag, 0));
        got = census_of(model->graph);
        ck_assert_msg(got.counted == size->census.counted && got.skips == size->census.skips &&
                              got.states == size->census.states &&
                              got.conditions == size->census.conditions,
                      "%s: %zu parameters, %zu of skips, %zu of states, %zu of conditions instead "
                      "of %zu, %zu, %zu, %zu",
                      e->name, got.counted, got.skips, got.states, got.conditions,
                      size->census.counted, size->census.skips, size->census.states,
                      size->census.conditions);
}
END_TEST

/* The quickstart's sweep belongs to no table, and its sizes are drawn at random. */
static bool is_fixed(const struct experiment *e)
{
        return !e->swept || strncmp(e->name, "table", 5) == 0;
}

START_TEST(every_recorded_size_belongs_to_an_experiment)
{
        size_t fixed = 0;

        for (int i = 0; i < experiments; i++)
                fixed += is_fixed(&experiment[i]);
        ck_assert_uint_eq(fixed, SIZES);
}
END_TEST

static void add_size_test(Suite *suite, int number)
{
        TCase *tcase = add_case(suite, experiment[number].name);

        tcase_add_checked_fixture(tcase, stack_setup, graph_teardown);
        tcase_add_loop_test(tcase, an_experiments_model_has_its_recorded_size, number, number + 1);
}

int main(void)
{
        Suite *suite = suite_create("sizes");

        if (!find_experiments())
                return EXIT_FAILURE;
        for (int i = 0; i < experiments; i++)
                if (is_fixed(&experiment[i]))
                        add_size_test(suite, i);
        ADD_TEST(suite, every_recorded_size_belongs_to_an_experiment);
        return run_suite(suite);
}
