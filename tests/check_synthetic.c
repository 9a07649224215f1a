/* SPDX-License-Identifier: MIT */
/* check_synthetic.c - the synthetic sets and their exact entropies. */
#include "config.h"

#include <math.h>

#include "dataset.h"

/* Enumerate every image of a tiny set: probabilities sum to 1, -sum p log p is the entropy. */
static void enumerate(const char *spec)
{
        struct pxr_dataset *set = sound(OPEN("%s", spec));
        int values = set->rows * set->cols * set->colours;
        uint8_t pixels[64] = { 0 };
        double total = 0, entropy = 0;
        int at;

        do {
                double nats = set->nats(set, pixels);

                total += exp(-nats);
                entropy += exp(-nats) * nats;
                for (at = 0; at < values && ++pixels[at] == set->levels; at++)
                        pixels[at] = 0;
        } while (at < values);
        ck_assert_double_eq_tol(total, 1, 1e-12);
        ck_assert_double_eq_tol(entropy, set->entropy, 1e-12 * (1 + entropy));
        ck_assert_double_eq(set->floor, set->entropy);
}

START_TEST(the_entropy_of_tiny_images_equals_the_sum_over_all_images)
{
        enumerate("{set: markov_binary, rows: 1, cols: 1}");
        enumerate("{set: markov_binary, rows: 2, cols: 2}");
        enumerate("{set: markov_binary, rows: 2, cols: 3}");
        enumerate("{set: markov_binary, rows: 3, cols: 2}");
        enumerate("{set: markov_binary, rows: 4, cols: 4}");
        enumerate("{set: markov_rgb, rows: 1, cols: 1, levels: 8}");
        enumerate("{set: markov_rgb, rows: 1, cols: 2, levels: 4}");
        enumerate("{set: markov_rgb, rows: 2, cols: 2, levels: 2}");
        enumerate("{set: markov_rgb, rows: 2, cols: 3, levels: 2}");
        enumerate("{set: markov_rgb, rows: 3, cols: 1, levels: 3}");
}
END_TEST

/* The mean of -log p over images drawn must be the entropy, within 5 standard errors. */
static void expect_entropy(const char *spec)
{
        struct pxr_dataset *set = sound(OPEN("%s", spec));
        size_t size = (size_t)(set->rows * set->cols * set->colours);
        uint8_t *pixels = pxr_alloc(arena, size);
        int64_t count = set->count[PXR_TEST];
        double sum = 0, squares = 0, mean, error;

        for (int64_t i = 0; i < count; i++) {
                double nats;

                read_one(set, PXR_TEST, 0, i, pixels);
                nats = set->nats(set, pixels);
                sum += nats;
                squares += nats * nats;
        }
        mean = sum / (double)count;
        error = sqrt((squares / (double)count - mean * mean) / (double)count);
        ck_assert_double_gt(error, 0);
        ck_assert_msg(fabs(mean - set->entropy) < 5 * error, "%s: mean %g, entropy %g, error %g",
                      spec, mean, set->entropy, error);
}

START_TEST(the_mean_nll_of_drawn_images_is_the_entropy)
{
        expect_entropy("{set: markov_binary}");
        expect_entropy("{set: markov_binary, rows: 5, cols: 16, test: 10000, seed: 3}");
        expect_entropy("{set: markov_rgb}");
        expect_entropy("{set: markov_rgb, rows: 3, cols: 5, levels: 8, test: 10000}");
}
END_TEST

/* Stronger than the mean: each of the 16 images of 2 x 2 as often as it should be. */
START_TEST(drawn_images_have_their_probabilities)
{
        struct pxr_dataset *set =
                sound(OPEN("{set: markov_binary, rows: 2, cols: 2, train: 100000}"));
        int64_t count = set->count[PXR_TRAIN], seen[16] = { 0 };
        double squared = 0;
        uint8_t pixels[4];

        for (int64_t i = 0; i < count; i++) {
                read_one(set, PXR_TRAIN, 0, i, pixels);
                seen[pixels[0] + 2 * pixels[1] + 4 * pixels[2] + 8 * pixels[3]]++;
        }
        for (int i = 0; i < 16; i++) {
                double expected;

                for (int j = 0; j < 4; j++)
                        pixels[j] = i >> j & 1;
                expected = (double)count * exp(-set->nats(set, pixels));
                squared += pow((double)seen[i] - expected, 2) / expected;
        }
        ck_assert_double_lt(squared, 44.3); /* chi-squared, 15 degrees: p = 1e-4 */
}
END_TEST

START_TEST(synthetic_images_depend_only_on_their_seed)
{
        struct pxr_dataset *a = sound(open_seed(1, "{set: markov_rgb}"));
        struct pxr_dataset *b = sound(open_seed(2, "{set: markov_rgb}"));
        struct pxr_dataset *c = sound(open_seed(1, "{set: markov_rgb, seed: 2}"));
        uint8_t x[3 * 64], y[3 * 64], many[3][3 * 64];

        ck_assert_str_eq(a->identity, b->identity);
        ck_assert_str_ne(a->identity, c->identity);
        read_one(a, PXR_TRAIN, 0, 5, x);
        read_one(b, PXR_TRAIN, 4, 5, y);
        ck_assert_mem_eq(x, y, sizeof x);
        read_one(c, PXR_TRAIN, 0, 5, y);
        ck_assert_mem_ne(x, y, sizeof x);
        read_one(a, PXR_TEST, 0, 5, y);
        ck_assert_mem_ne(x, y, sizeof x);
        ck_assert_int_eq(
                pxr_dataset_read(a, PXR_TRAIN, 0, (int64_t[]) { 9, 5, 7 }, 3, many[0], diag), 0);
        ck_assert_mem_eq(many[1], x, sizeof x);
}
END_TEST

/* What a conditional model is given has the identity of the set that has been made so small. */
START_TEST(small_images_have_their_own_identity)
{
        static const char *const others[] = { "", ", limit: 7", ", grey: true", ", flip: true",
                                              ", limit: 7, grey: true, flip: true" };
        enum { OTHERS = sizeof(others) / sizeof(others[0]) };
        const char *identity[OTHERS];

        for (int i = 0; i < OTHERS; i++) {
                struct pxr_dataset *large = sound(OPEN("{set: markov_rgb%s}", others[i]));
                struct pxr_dataset *middle =
                        sound(OPEN("{set: markov_rgb, downsample: 4%s}", others[i]));
                struct pxr_dataset *small =
                        sound(OPEN("{set: markov_rgb, downsample: 2%s}", others[i]));

                ck_assert_int_eq(large->rows, 8);
                ck_assert_str_eq(pxr_dataset_small_identity(arena, large, 4, 4), middle->identity);
                ck_assert_str_eq(pxr_dataset_small_identity(arena, large, 2, 2), small->identity);
                ck_assert_str_eq(pxr_dataset_small_identity(arena, middle, 2, 2), small->identity);
                ck_assert_str_ne(middle->identity, small->identity);
                identity[i] = small->identity;
                for (int k = 0; k < i; k++)
                        ck_assert_str_ne(identity[i], identity[k]);
        }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("synthetic");

        ADD_SCRATCH_TEST(suite, the_entropy_of_tiny_images_equals_the_sum_over_all_images);
        ADD_SCRATCH_TEST(suite, the_mean_nll_of_drawn_images_is_the_entropy);
        ADD_SCRATCH_TEST(suite, drawn_images_have_their_probabilities);
        ADD_SCRATCH_TEST(suite, synthetic_images_depend_only_on_their_seed);
        ADD_SCRATCH_TEST(suite, small_images_have_their_own_identity);
        return run_suite(suite);
}
