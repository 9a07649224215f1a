/* SPDX-License-Identifier: MIT */
/* check_runs.c - the table of runs, and the conditions that choose them. */
#define _GNU_SOURCE /* nftw(), open_memstream() */
#include "reports.h"

START_TEST(queries_use_indexes)
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
        struct example other = pixelcnn;

        other.test = 90;
        record(pixelcnn);
        record(other);
        ck_assert_uint_eq(runs_where(NULL), 2);
        ck_assert_uint_eq(runs_where("nll < 82"), 1);
        ck_assert_uint_eq(runs_where("unit = 'nats' AND paper_row LIKE 'pixel%' -- all"), 2);
        ck_assert_uint_eq(runs_where("name = 'select; drop table run'"), 0);
        ck_assert_uint_eq(runs_where("test_nats BETWEEN 85 AND 95"), 1);
        ck_assert_uint_eq(runs_where("spec_json ->> '$.train.batch' = 16 AND "
                                     "spec_json ->> '$.model[0].conv.mask' = 'A'"),
                          2);
        ck_assert_uint_eq(runs_where("EXISTS (SELECT 1 FROM metric WHERE metric.run = report.run "
                                     "AND split = 'test' AND sum_nats > 85 * images)"),
                          1);
}
END_TEST

START_TEST(hostile_conditions_are_refused)
{
        static const struct {
                const char *where, *error;
        } cases[] = {
                { "1); DELETE FROM run; SELECT (1", "more than one expression" },
                { "1) UNION SELECT 1,2,3,4,5,6,7,8,9,10,11,12,spec FROM run WHERE (1",
                  "incomplete" },
                { "1) AS a, (2", "incomplete" },
                { "load_extension('x')", "loads code" },
                { "checkpoint_bytes(name, 2)", "wrong number of arguments" },
                { "exists (SELECT * FROM pragma_table_info('run'))", "more than read" },
                { "(WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x FROM t) SELECT x FROM t)",
                  "recursive" },
                { "nll <", "incomplete" },
                { "", "empty" },
                { "nil < 3", "no such column: nil" },
                { "?1", "more than one expression" },
        };

        record(pixelcnn);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const struct pxr_runs_wanted wanted = { .where = cases[i].where };

                ck_assert_ptr_null(pxr_report_runs(arena, store, &wanted, diag));
                expect_error(PXR_FAULT_USER, cases[i].error);
        }
        ck_assert_uint_eq(runs_where("1"), 1); /* the guard is gone, and so is the run not */
        ck_assert_str_eq(sql("SELECT count(*) FROM run"), "1\n");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("runs");

        ADD_REPORT_TEST(suite, queries_use_indexes);
        ADD_REPORT_TEST(suite, conditions_choose_runs);
        ADD_REPORT_TEST(suite, hostile_conditions_are_refused);
        return run_suite(suite);
}
