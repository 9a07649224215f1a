/* SPDX-License-Identifier: MIT */
/* check_sweep.c - what a sweep's file says: its configurations, and what successive halving does.
 */
#define _GNU_SOURCE /* nftw() */
#include <math.h>

#include "run_database.h"
#include "sweep/queue.h"
#include "sweep/sweep.h"

static const char spec[] = "name: tiny\n"
                           "data: {set: markov_binary}\n"
                           "model:\n"
                           "  - conv: {mask: A, kernel: 3, features: 4}\n"
                           "  - repeat: 2\n"
                           "    layers: [relu, conv: {mask: B, kernel: 1, features: 4}]\n"
                           "  - sigmoid\n"
                           "train: {epochs: 9}\n";

static void setup(void)
{
        scratch_setup();
        write_file(in_scratch("spec.yaml"), spec, strlen(spec));
}

/* Read a sweep of spec.yaml from the lines that come after its name and spec. */
static struct pxr_sweep *read_sweep(const char *lines)
{
        char *path = in_scratch("sweep.yaml");
        char *text = pxr_strf(arena, "name: s\nspec: spec.yaml\n%s", lines);

        write_file(path, text, strlen(text));
        return pxr_sweep_read(arena, path, NULL, 0, diag);
}

static struct pxr_sweep *good_sweep(const char *lines)
{
        struct pxr_sweep *sweep = read_sweep(lines);

        ck_assert_msg(sweep != NULL, "%s", pxr_diag_text(diag, 0));
        return sweep;
}

static struct pxr_trial trial_of(struct pxr_sweep *sweep, int number)
{
        struct pxr_trial trial;

        ck_assert_int_eq(pxr_sweep_trial(sweep, number, 0, &trial), 0);
        return trial;
}

static const char *label(struct pxr_sweep *sweep, int number)
{
        return trial_of(sweep, number).label;
}

/* All overrides of a trial, joined. */
static const char *overrides(const struct pxr_trial *trial)
{
        char *text = pxr_strdup(arena, "");

        for (int i = 0; i < trial->overrides.count; i++)
                text = pxr_strf(arena, "%s%s%s", text, i ? "|" : "", trial->overrides.text[i]);
        return text;
}

START_TEST(a_grid_has_every_combination)
{
        struct pxr_sweep *sweep =
                good_sweep("set: {train.batch: 8}\n"
                           "vary: {train.seed: [1, 2, 3], model.1.repeat: [4, 5]}\n");
        struct pxr_trial trial;

        ck_assert_int_eq(sweep->configurations, 6);
        ck_assert_str_eq(label(sweep, 0), "seed=1 repeat=4");
        ck_assert_str_eq(label(sweep, 1), "seed=1 repeat=5");
        ck_assert_str_eq(label(sweep, 5), "seed=3 repeat=5");
        trial = trial_of(sweep, 3);
        ck_assert_str_eq(overrides(&trial), "train.batch=8|train.seed=2|model.1.repeat=5");
        ck_assert_str_eq(trial.varied, "{\"train.seed\": 2, \"model.1.repeat\": 5}");
}
END_TEST

START_TEST(values_can_be_mappings_and_lists)
{
        struct pxr_sweep *sweep = good_sweep("vary:\n"
                                             "  train.optimizer: [{adam: {rate: 1e-3}}, sgd]\n"
                                             "  name: ['a \"b\"\n\n    c', '3', ~]\n");
        struct pxr_trial trial = trial_of(sweep, 0);

        ck_assert_str_eq(overrides(&trial),
                         "train.optimizer={adam: {rate: 1e-3}}|name=\"a \\\"b\\\"\\nc\"");
        ck_assert_str_eq(trial.varied, "{\"train.optimizer\": {\"adam\": {\"rate\": 0.001}}, "
                                       "\"name\": \"a \\\"b\\\"\\nc\"}");
        trial = trial_of(sweep, 4);
        ck_assert_str_eq(overrides(&trial), "train.optimizer=sgd|name='3'");
        ck_assert_str_eq(trial.varied, "{\"train.optimizer\": \"sgd\", \"name\": \"3\"}");
        ck_assert_str_eq(trial_of(sweep, 5).varied,
                         "{\"train.optimizer\": \"sgd\", \"name\": null}");
}
END_TEST

START_TEST(cases_set_several_keys_at_once)
{
        struct pxr_sweep *sweep =
                good_sweep("vary:\n"
                           "  size: {cases: {small: {model.1.repeat: 1, train.batch: 4},"
                           " large: {model.1.repeat: 9}}}\n");
        struct pxr_trial trial = trial_of(sweep, 0);

        ck_assert_int_eq(sweep->configurations, 2);
        ck_assert_str_eq(overrides(&trial), "model.1.repeat=1|train.batch=4");
        ck_assert_str_eq(trial.label, "size=small");
        ck_assert_str_eq(trial.varied, "{\"size\": \"small\"}");
        ck_assert_str_eq(label(sweep, 1), "size=large");
        sweep = good_sweep("vary: {layers: {cases: {12: {model.1.repeat: 12}}}}\n");
        ck_assert_str_eq(trial_of(sweep, 0).varied, "{\"layers\": 12}");
}
END_TEST

/* Names are as short as possible but unique; the number of an item alone is not a name. */
START_TEST(keys_get_the_shortest_unambiguous_names)
{
        struct pxr_sweep *sweep = good_sweep(
                "vary: {train.seed: [1], sample.seed: [2], model.1: [relu], train.clip: [1]}\n");

        ck_assert_str_eq(label(sweep, 0), "train.seed=1 sample.seed=2 model.1=relu clip=1");
}
END_TEST

#define RANGES                                                                                    \
        "  train.optimizer.adam.rate: {log_uniform: [1e-4, 1e-2]}\n  train.batch: {integer: [3, " \
        "5]}\n"                                                                                   \
        "  train.clip: {uniform: [-1, 1]}\n"

static double value_of(const struct pxr_trial *trial, const char *name)
{
        const char *at = strstr(trial->label, name);

        ck_assert_ptr_nonnull(at);
        return strtod(at + strlen(name) + 1, NULL);
}

START_TEST(random_values_are_in_their_ranges)
{
        struct pxr_sweep *sweep = good_sweep("vary:\n" RANGES "search: {random: {runs: 2000}}\n");
        int low_decade = 0, batch[6] = { 0 };
        double sum = 0;

        ck_assert_int_eq(sweep->configurations, 2000);
        for (int i = 0; i < 2000; i++) {
                struct pxr_trial trial = trial_of(sweep, i);
                double rate = value_of(&trial, "rate"), size = value_of(&trial, "batch");

                ck_assert(rate >= 1e-4 && rate <= 1e-2);
                ck_assert(size == 3 || size == 4 || size == 5);
                low_decade += rate < 1e-3;
                batch[(int)size]++;
                sum += value_of(&trial, "clip");
        }
        ck_assert_int_le(abs(low_decade - 1000), 110); /* 5 standard deviations */
        for (int i = 3; i <= 5; i++)
                ck_assert_int_le(abs(batch[i] - 667), 105);
        ck_assert(fabs(sum / 2000) < 5 * 0.577 / sqrt(2000));
}
END_TEST

/* Neither more runs nor another key changes what was drawn; another seed does. */
START_TEST(random_values_do_not_depend_on_the_number_of_runs)
{
        struct pxr_sweep *few = good_sweep("vary:\n" RANGES "search: {random: {runs: 3}}\n");
        struct pxr_sweep *many = good_sweep("vary:\n  train.seed: [1, 2]\n" RANGES
                                            "search: {random: {runs: 30, seed: 1}}\n");
        struct pxr_sweep *other =
                good_sweep("vary:\n" RANGES "search: {random: {runs: 3, seed: 2}}\n");

        for (int i = 0; i < 3; i++) {
                ck_assert_str_eq(label(few, i), strchr(label(many, i), ' ') + 1);
                ck_assert_str_ne(label(few, i), label(other, i));
        }
}
END_TEST

START_TEST(runs_with_equal_specs_are_planned_once)
{
        struct pxr_sweep *sweep = good_sweep("vary: {train.batch: [4, 0x4, 8]}\n");
        struct pxr_plan plan;

        ck_assert_int_eq(pxr_sweep_plan(sweep, &plan, diag), 0);
        ck_assert_int_eq(plan.trials, 2);
        ck_assert_int_eq(plan.repeated, 1);
        ck_assert_str_eq(plan.trial[1].label, "batch=8");
        ck_assert_ptr_eq(pxr_plan_find(&plan, plan.trial[1].spec_hash), &plan.trial[1]);
        ck_assert_ptr_null(pxr_plan_find(&plan, "ab"));
}
END_TEST

START_TEST(halving_multiplies_the_epochs_from_rung_to_rung)
{
        struct pxr_sweep *sweep =
                good_sweep("vary: {train.seed: [1, 2]}\nsearch: {halving: {runs: 1}}\n");
        struct pxr_plan plan;

        ck_assert_int_eq(pxr_sweep_plan(sweep, &plan, diag), 0);
        ck_assert_int_eq(sweep->rungs, 3);
        for (int i = 0, epochs = 1; i < 3; i++, epochs *= 3) {
                ck_assert_int_eq(plan.epochs[i], epochs);
                ck_assert_int_eq(plan.trial[i].rung, i);
                ck_assert_ptr_nonnull(
                        strstr(plan.trial[i].label, pxr_strf(arena, "epochs=%d", epochs)));
        }
        sweep = good_sweep("set: {train.epochs: 20}\nvary: {train.seed: [1, 2]}\n"
                           "search: {halving: {runs: 1, factor: 4, epochs: 2}}\n");
        ck_assert_int_eq(pxr_sweep_plan(sweep, &plan, diag), 0);
        ck_assert_int_eq(sweep->rungs, 2);
        ck_assert_int_eq(plan.epochs[0], 2);
        ck_assert_int_eq(plan.epochs[1], 20);
}
END_TEST

/* --- halving's decisions -----------------------------------------------------------------------
 */

/* A job that has ended; nats INFINITY: it failed. */
struct ended {
        int rung;
        double nats;
};

static void add_ended(struct pxr_store *store, int64_t sweep, int number, struct ended ended)
{
        struct pxr_job job = { .spec_hash = pxr_strf(arena, "%d", number),
                               .varied = "{}",
                               .rung = ended.rung };
        bool failed = isinf(ended.nats);

        OK(pxr_store_add_job(store, sweep, &job, diag));
        OK(pxr_store_claim_job(store, &job, pxr_provenance(arena, NULL), NULL, diag) != 1);
        job.state = failed ? PXR_JOB_FAILED : PXR_JOB_FINISHED;
        job.run = add_run(store, "run");
        if (!failed)
                OK(pxr_store_add_nll(store, (struct pxr_moment) { .run = job.run },
                                     &(struct pxr_nll_row) { .split = "valid",
                                                             .name = "final_nll",
                                                             .sum_nats = ended.nats,
                                                             .images = 1,
                                                             .dimensions = 1 },
                                     diag));
        OK(pxr_store_release_job(store, &job, diag));
}

/* The numbers, from 1, of the jobs that may be promoted, of three rungs by a factor of three. */
static const char *candidates(const struct ended *ended, int count)
{
        struct pxr_store *store = open_store(in_scratch("halving.db"), true);
        char *text = pxr_strdup(arena, "");
        struct pxr_cursor rows;
        int64_t sweep;

        OK(pxr_store_add_sweep(store, pxr_strf(arena, "%p", (void *)text), "halving", "", &sweep,
                               diag));
        for (int i = 0; i < count; i++)
                add_ended(store, sweep, i + 1, ended[i]);
        rows = pxr_halving_candidates(store, sweep, 3, 3, diag);
        while (pxr_cursor_next(&rows))
                text = pxr_strf(arena, "%s%s%s", text, *text ? " " : "", pxr_cursor_text(&rows, 0));
        OK(pxr_cursor_end(&rows));
        pxr_store_close(store);
        return text;
}

START_TEST(halving_promotes_the_best)
{
        const struct ended ended[] = { { 0, 5 }, { 0, 4 }, { 0, 4 },
                                       { 0, 1 }, { 0, 2 }, { 0, INFINITY } };

        ck_assert_str_eq(candidates(ended, 0), "");
        ck_assert_str_eq(candidates(ended, 2), "");    /* a third of two, rounded down, is 0 */
        ck_assert_str_eq(candidates(ended, 3), "2");   /* the earlier of equals */
        ck_assert_str_eq(candidates(ended, 5), "4");   /* the best */
        ck_assert_str_eq(candidates(ended, 6), "4 5"); /* a failure counts as ended */
}
END_TEST

START_TEST(halving_promotes_from_the_highest_rung)
{
        const struct ended ended[] = { { 0, 3 }, { 0, 2 }, { 0, 1 }, { 0, 0.5 }, { 0, 9 },
                                       { 1, 3 }, { 1, 2 }, { 1, 4 }, { 2, 1 } };

        ck_assert_str_eq(candidates(ended, 9), "7 4"); /* and from the last nothing */
}
END_TEST

START_TEST(halving_leaves_out_failed_jobs)
{
        const struct ended ended[] = { { 0, INFINITY }, { 0, INFINITY }, { 0, INFINITY } };

        ck_assert_str_eq(candidates(ended, 3), "");
}
END_TEST

/* --- mistakes ----------------------------------------------------------------------------------
 */

static void refused(const char *lines, const char *message)
{
        struct pxr_sweep *sweep = read_sweep(lines);
        struct pxr_plan plan;

        if (sweep)
                ck_assert_int_eq(pxr_sweep_plan(sweep, &plan, diag), -1);
        ck_assert_int_eq(pxr_diag_status(diag), PXR_FAULT_USER);
        ck_assert_msg(strstr(pxr_diag_text(diag, 0), message) != NULL, "%s",
                      pxr_diag_text(diag, 0));
        pxr_diag_clear(diag);
}

START_TEST(mistakes_are_refused_with_their_location)
{
        refused("", "the option 'vary' is missing");
        refused("vary: {}\n", "'vary': expected a mapping");
        refused("vary: [a]\n", "'vary': expected a mapping");
        refused("vary: {train.seed: []}\n", "expected at least one value");
        refused("vary: {train.seed: 3}\n", "expected a list of values or a range");
        refused("vary: {train.seed: {integer: [1, 2], uniform: [1, 2]}}\n", "or a range");
        refused("vary: {train.seed: {integer: [1, 2]}}\n", "a grid requires a list");
        refused("vary: {train.seed: {integer: [1]}}\nsearch: {random: 2}\n", "expected two bounds");
        refused("vary: {train.seed: {integer: [1, 2.5]}}\nsearch: {random: 2}\n", "an integer");
        refused("vary: {train.seed: {uniform: [2, 1]}}\nsearch: {random: 2}\n",
                "the lower bound must come first");
        refused("vary: {train.clip: {log_uniform: [0, 1]}}\nsearch: {random: 2}\n", "above 0");
        refused("vary: {a: {cases: {b: 1}}}\n", "case 'b': expected a mapping");
        refused("vary: {train.seed: [1]}\nset: 3\n", "'set': expected a mapping");
        refused("vary: {train.seed: [1]}\nsearch: {random: {}}\n", "'runs' is missing");
        refused("vary: {train.sede: [1]}\n", "unknown option 'sede'");
        refused("vary: {model.7.repeat: [1]}\n", "no item '7'");
        refused("vary: {train.epochs: [1]}\nsearch: {halving: 2}\n", "'train.epochs' cannot vary");
        refused("vary: {train.seed: [1]}\nset: {train.epochs: 2}\nsearch: {halving: 2}\n",
                "requires train.epochs to be at least");
        refused("vary: {train.seed: [1]}\nset: {evaluate.splits: [test]}\nsearch: {halving: 2}\n",
                "must include 'valid'");
}
END_TEST

/* What varies is set for no run: not at the key, not below it. */
START_TEST(a_key_cannot_be_both_set_and_varied)
{
        static const char seeds[] = "'train.seed' cannot be set for all runs: it varies";
        static const char rate[] = "'train.optimizer.adam.rate' cannot be set";

        refused("set: {train.batch: 9, train.seed: 9}\nvary: {train.seed: [1, 2]}\n", seeds);
        refused("set: {train.seed: 9}\nvary: {train.seed: {integer: [1, 2]}}\nsearch: {random: "
                "2}\n",
                seeds);
        refused("set: {train.optimizer.adam.rate: 9}\nvary: {train.optimizer: [{adam: {rate: "
                "1}}]}\n",
                rate);
        refused("set: {train.seed: 9}\nvary: {a: {cases: {b: {train.seed: 1}, c: {train.seed: "
                "2}}}}\n",
                seeds);
        /* A case that leaves it, a part of what is set, a name that only begins alike. */
        ck_assert_ptr_nonnull(read_sweep("set: {train.seed: 9}\nvary: {a: {cases: {b: "
                                         "{train.seed: 1}, c: {train.batch: 2}}}}\n"));
        ck_assert_ptr_nonnull(read_sweep("set: {train.optimizer: {adam: {rate: 1}}}\nvary: "
                                         "{train.optimizer.adam.rate: [1, 2]}\n"));
        ck_assert_ptr_nonnull(read_sweep("set: {train.epochs: 9}\nvary: {train.epoch: [1]}\n"));
}
END_TEST

START_TEST(too_many_runs_are_refused)
{
        char *list = pxr_strdup(arena, "1");

        for (int i = 2; i <= 101; i++)
                list = pxr_strf(arena, "%s, %d", list, i);
        refused(pxr_strf(arena, "vary: {train.seed: [%s], sample.seed: [%s]}\n", list, list),
                "more than 10000");
}
END_TEST

/* --- programs ----------------------------------------------------------------------------------
 */

static int run_program(struct pxr_program *program, const char *script)
{
        const char *const arguments[] = { "/bin/sh", "-c", script, NULL };

        ck_assert_int_eq(pxr_program_start(program, arguments, diag), 0);
        while (pxr_program_read(program))
                continue;
        return pxr_program_end(program);
}

START_TEST(the_reason_of_a_failed_program_is_found)
{
        struct pxr_program program;
        int status = run_program(&program,
                                 "echo 'a.c:1:2: error: first' >&2; echo 'x: error: second' >&2;"
                                 "echo last >&2; exit 3");

        ck_assert_int_eq(status, 3);
        ck_assert_str_eq(pxr_program_reason(arena, &program, status), "first");
        status = run_program(&program, "printf 'no\\nreason' >&2; exit 1");
        ck_assert_str_eq(pxr_program_reason(arena, &program, status), "reason");
        status = run_program(&program, "exit 1");
        ck_assert_str_eq(pxr_program_reason(arena, &program, status),
                         "ended with exit status 1 and no message");
        status = run_program(&program, "kill -9 $$");
        ck_assert_str_eq(pxr_program_reason(arena, &program, status),
                         "killed by signal 9 (Killed)");
}
END_TEST

START_TEST(shell_words_are_quoted)
{
        ck_assert_str_eq(pxr_shell_word(arena, "train.batch=3"), "train.batch=3");
        ck_assert_str_eq(pxr_shell_word(arena, "a={b: [1, 2]}"), "'a={b: [1, 2]}'");
        ck_assert_str_eq(pxr_shell_word(arena, "it's"), "'it'\\''s'");
        ck_assert_str_eq(pxr_shell_word(arena, ""), "''");
}
END_TEST

/* Add a case of its own for one test, beside a spec. */
#define ADD_SWEEP_TEST(suite, test)                                         \
        do {                                                                \
                TCase *tcase_ = add_case(suite, #test);                     \
                tcase_add_checked_fixture(tcase_, setup, scratch_teardown); \
                tcase_add_test(tcase_, test);                               \
        } while (0)

int main(void)
{
        Suite *suite = suite_create("sweep");

        ADD_SWEEP_TEST(suite, a_grid_has_every_combination);
        ADD_SWEEP_TEST(suite, values_can_be_mappings_and_lists);
        ADD_SWEEP_TEST(suite, cases_set_several_keys_at_once);
        ADD_SWEEP_TEST(suite, keys_get_the_shortest_unambiguous_names);
        ADD_SWEEP_TEST(suite, random_values_are_in_their_ranges);
        ADD_SWEEP_TEST(suite, random_values_do_not_depend_on_the_number_of_runs);
        ADD_SWEEP_TEST(suite, runs_with_equal_specs_are_planned_once);
        ADD_SWEEP_TEST(suite, halving_multiplies_the_epochs_from_rung_to_rung);
        ADD_SWEEP_TEST(suite, halving_promotes_the_best);
        ADD_SWEEP_TEST(suite, halving_promotes_from_the_highest_rung);
        ADD_SWEEP_TEST(suite, halving_leaves_out_failed_jobs);
        ADD_SWEEP_TEST(suite, mistakes_are_refused_with_their_location);
        ADD_SWEEP_TEST(suite, a_key_cannot_be_both_set_and_varied);
        ADD_SWEEP_TEST(suite, too_many_runs_are_refused);
        ADD_SWEEP_TEST(suite, the_reason_of_a_failed_program_is_found);
        ADD_SWEEP_TEST(suite, shell_words_are_quoted);
        return run_suite(suite);
}
