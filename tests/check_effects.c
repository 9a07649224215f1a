/* SPDX-License-Identifier: MIT */
/* check_effects.c - what the keys of a sweep do to the result. */
#define _GNU_SOURCE /* nftw(), open_memstream() */
#include "report/effects.h"
#include "reports.h"

/* The example of Spearman's coefficient in textbooks, and lists with equal values. */
START_TEST(rank_correlation_matches_textbooks)
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

START_TEST(diverged_jobs_are_counted_but_left_out_of_means)
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

START_TEST(equal_values_share_a_range)
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

int main(void)
{
        Suite *suite = suite_create("effects");

        ADD_SCRATCH_TEST(suite, rank_correlation_matches_textbooks);
        ADD_SCRATCH_TEST(suite, diverged_jobs_are_counted_but_left_out_of_means);
        ADD_SCRATCH_TEST(suite, equal_values_share_a_range);
        return run_suite(suite);
}
