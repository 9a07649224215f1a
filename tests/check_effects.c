/* SPDX-License-Identifier: MIT */
/* check_effects.c - the effect of each key of a sweep on the result. */
#define _GNU_SOURCE /* nftw(), open_memstream() */
#include "reports.h"

/* Record a sweep of runs with these values of train.batch, whose validation NLLs are nll[i]. */
static void record_sweep(const char *vary, const double *value, const double *nll, int jobs)
{
        forget_runs();
        sql("DELETE FROM job; DELETE FROM sweep");
        sql(pxr_strf(arena,
                     "INSERT INTO sweep (id, name, definition, search, created_at) VALUES (1, 's', "
                     "'vary: {train.batch: %s}', 'random', 'then')",
                     vary));
        for (int i = 0; i < jobs; i++) {
                struct example example = pixelcnn;

                example.valid = nll[i];
                example.suspect = nll[i] > 1e6 ? "worse than the uniform distribution" : NULL;
                sql(pxr_strf(arena,
                             "INSERT INTO job (sweep, number, spec_hash, varied, rung, state, run) "
                             "VALUES (1, %d, %d, '{\"train.batch\": %.17g}', 0, 'finished', %d)",
                             i + 1, i, value[i], (int)record(example)));
        }
}

static const struct pxr_table *effects(void)
{
        const struct pxr_table *table = pxr_report_sweep(arena, store, "s", "effects", diag);

        ck_assert_msg(table != NULL, "%s", pxr_diag_text(diag, 0));
        return table;
}

#define RANGE "{uniform: [1, 200]}"

static double correlation_of(const double *x, const double *y, int jobs)
{
        const struct pxr_table *table;
        int column = 0;

        record_sweep(RANGE, x, y, jobs);
        table = effects();
        while (strcmp(table->column[column].name, "rank_correlation") != 0)
                column++;
        return table->cell[column].kind == PXR_CELL_EMPTY ? NAN : table->cell[column].real;
}

/* The example of Spearman's coefficient in textbooks, and lists with equal values. */
START_TEST(rank_correlation_matches_textbooks)
{
        const double iq[] = { 106, 100, 86, 101, 99, 103, 97, 113, 112, 110 };
        const double hours[] = { 7, 27, 2, 50, 28, 29, 20, 12, 6, 17 };
        const double x[] = { 1, 2, 3, 4, 5, 6 }, y[] = { 5, 6, 7, 8, 7, 9 };
        const double same[] = { 3, 3, 3, 3, 3, 3 };

        ck_assert_double_eq_tol(correlation_of(iq, hours, 10), -29 / 165.0, 1e-12);
        ck_assert_double_eq_tol(correlation_of(x, y, 6), 15.5 / sqrt(17.5 * 17), 1e-12);
        ck_assert_double_eq_tol(correlation_of(x, x, 6), 1, 1e-12);
        ck_assert(isnan(correlation_of(x, same, 6)));
}
END_TEST

/* The rows of what a key with these values does, as "value:runs ...", the first of them all. */
static const char *parts_of(const double *number, int jobs)
{
        const struct pxr_table *table;
        double nll[16];
        char *text = pxr_strdup(arena, "");

        for (int i = 0; i < jobs; i++)
                nll[i] = 80 + i;
        record_sweep(RANGE, number, nll, jobs);
        table = effects();
        for (size_t i = 0; i < table->rows; i++) {
                const struct pxr_cell *cell = table->cell + i * table->columns;

                text = pxr_strf(arena, "%s%s%s:%s", text, i ? ", " : "",
                                pxr_cell_text(arena, cell + 1), pxr_cell_text(arena, cell + 2));
        }
        return text;
}

START_TEST(diverged_jobs_are_counted_but_not_averaged)
{
        const double value[] = { 1, 1, 1, 2 }, nll[] = { 80, 84, 1e31, 1e31 };
        const struct pxr_table *table;
        const char *text;

        record_sweep("[1, 2]", value, nll, 4);
        table = effects();
        text = written(table, PXR_FORMAT_CSV);
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

        ADD_REPORT_TEST(suite, rank_correlation_matches_textbooks);
        ADD_REPORT_TEST(suite, diverged_jobs_are_counted_but_not_averaged);
        ADD_REPORT_TEST(suite, equal_values_share_a_range);
        return run_suite(suite);
}
