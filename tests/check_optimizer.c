/* SPDX-License-Identifier: MIT */
/* check_optimizer.c - update rules against their equations in double precision, and schedules. */
#include <math.h>

#include "settings.h"

/* --- update rules, held against the same in double precision -----------------------------------
 */

enum { VALUES = 9, STEPS = 6 };

/* Six updates by a rule; `expected` are what the equations give in double precision. */
static void expect_updates(const char *text, double rate, const double *expected)
{
        const struct pxr_train_settings *settings = read_settings(text);
        const struct pxr_optimizer *rule = settings->optimizer.variant->what;
        float p[VALUES], g[VALUES], moment[2][VALUES] = { 0 };

        ck_assert_double_eq(pxr_optimizer_rate(&settings->optimizer), rate);
        for (int i = 0; i < VALUES; i++)
                p[i] = (float)(i - 4) / 8;
        for (int s = 1; s <= STEPS; s++) {
                for (int i = 0; i < VALUES; i++)
                        g[i] = (float)((i * 7 + s * 3) % 11 - 5) / 16;
                /* In two parts, as two workers would share it. */
                for (int part = 0; part < 2; part++)
                        rule->update(&(struct pxr_update) {
                                .conf = settings->optimizer.conf,
                                .rate = rate,
                                .step = s,
                                .parameters = p,
                                .gradient = g,
                                .moment = { moment[0], moment[1] },
                                .from = part ? 5 : 0,
                                .to = part ? VALUES : 5,
                        });
        }
        for (int i = 0; i < VALUES; i++)
                ck_assert_double_eq_tol(p[i], expected[i], 1e-6 * (1 + fabs(expected[i])));
}

static double start_of(int i)
{
        return (i - 4) / 8.0;
}

static double gradient_of(int i, int s)
{
        return ((i * 7 + s * 3) % 11 - 5) / 16.0;
}

START_TEST(sgd_follows_its_equations)
{
        double expected[VALUES];

        for (int i = 0; i < VALUES; i++) {
                double p = start_of(i), v = 0;

                for (int s = 1; s <= STEPS; s++) {
                        v = 0.75 * v + gradient_of(i, s);
                        p -= 0.125 * v;
                }
                expected[i] = p;
        }
        expect_updates("{optimizer: {sgd: {rate: 0.125, momentum: 0.75}}, epochs: 1}", 0.125,
                       expected);
}
END_TEST

START_TEST(rmsprop_follows_its_equations)
{
        double expected[VALUES];

        for (int i = 0; i < VALUES; i++) {
                double p = start_of(i), square = 0, v = 0;

                for (int s = 1; s <= STEPS; s++) {
                        double g = gradient_of(i, s);

                        square = 0.9 * square + 0.1 * g * g;
                        v = 0.5 * v + g / (sqrt(square) + 1e-3);
                        p -= 0.01 * v;
                }
                expected[i] = p;
        }
        expect_updates("{optimizer: {rmsprop: {rate: 0.01, decay: 0.9, momentum: 0.5, "
                       "epsilon: 1e-3}}, epochs: 1}",
                       0.01, expected);
}
END_TEST

START_TEST(adam_follows_its_equations)
{
        double expected[VALUES];

        for (int i = 0; i < VALUES; i++) {
                double p = start_of(i), mean = 0, square = 0;

                for (int s = 1; s <= STEPS; s++) {
                        double g = gradient_of(i, s);

                        mean = 0.8 * mean + 0.2 * g;
                        square = 0.95 * square + 0.05 * g * g;
                        p -= 0.02 * mean / (1 - pow(0.8, s)) /
                             (sqrt(square / (1 - pow(0.95, s))) + 1e-4);
                }
                expected[i] = p;
        }
        expect_updates("{optimizer: {adam: {rate: 0.02, beta1: 0.8, beta2: 0.95, epsilon: 1e-4}}, "
                       "epochs: 1}",
                       0.02, expected);
}
END_TEST

/* --- schedules ---------------------------------------------------------------------------------
 */

static double factor(const char *schedule, int64_t warm_up, int64_t at, int64_t steps)
{
        const char *text = pxr_strf(arena, "{schedule: %s, epochs: 1}", schedule);

        return pxr_rate_factor(&read_settings(text)->schedule, warm_up, at, steps);
}

START_TEST(schedules_begin_and_end_at_their_values)
{
        ck_assert_double_eq(factor("constant", 0, 0, 100), 1);
        ck_assert_double_eq(factor("constant", 0, 99, 100), 1);

        ck_assert_double_eq(factor("cosine", 0, 0, 100), 1);
        ck_assert_double_eq_tol(factor("cosine", 0, 50, 100), 0.5, 1e-12);
        ck_assert_double_eq_tol(factor("cosine", 0, 100, 100), 0, 1e-12);
        ck_assert_double_eq_tol(factor("{cosine: {last: 0.2}}", 0, 0, 100), 1, 1e-12);
        ck_assert_double_eq_tol(factor("{cosine: {last: 0.2}}", 0, 25, 100),
                                0.2 + 0.8 * (0.5 + 0.25 * sqrt(2)), 1e-12);
        ck_assert_double_eq_tol(factor("{cosine: {last: 0.2}}", 0, 100, 100), 0.2, 1e-12);

        /* Twice, evenly: after a third and after two. */
        ck_assert_double_eq_tol(factor("step", 0, 32, 99), 1, 1e-12);
        ck_assert_double_eq_tol(factor("step", 0, 33, 99), 0.1, 1e-12);
        ck_assert_double_eq_tol(factor("step", 0, 65, 99), 0.1, 1e-12);
        ck_assert_double_eq_tol(factor("step", 0, 66, 99), 0.01, 1e-12);
        ck_assert_double_eq_tol(factor("step", 0, 98, 99), 0.01, 1e-12);
        ck_assert_double_eq_tol(factor("{step: {factor: 0.5, times: 3}}", 0, 60, 80), 0.125, 1e-12);
}
END_TEST

/* The first step is not lost to a rate of zero. */
START_TEST(a_warm_up_is_linear)
{
        ck_assert_double_eq_tol(factor("constant", 4, 0, 100), 0.25, 1e-12);
        ck_assert_double_eq_tol(factor("constant", 4, 1, 100), 0.5, 1e-12);
        ck_assert_double_eq_tol(factor("constant", 4, 3, 100), 1, 1e-12);
        ck_assert_double_eq_tol(factor("constant", 4, 4, 100), 1, 1e-12);
        ck_assert_double_eq_tol(factor("cosine", 100, 49, 100),
                                0.5 * (0.5 + 0.5 * cos(acos(-1.0) * 0.49)), 1e-12);
}
END_TEST

/* --- options -----------------------------------------------------------------------------------
 */

static bool is_refused(const char *text)
{
        struct pxr_source source = { .name = "train", .text = text, .size = strlen(text) };
        struct pxr_train_settings settings = { 0 };
        struct pxr_reading reading = { &pxr_train_options, &settings };

        return pxr_options_read(arena, pxr_yaml_parse(arena, &source, diag), "train", &reading, 1,
                                diag) != 0;
}

/* With epsilon 0 a masked weight's update would be 0 / 0. */
START_TEST(an_epsilon_of_0_is_refused)
{
        ck_assert(!is_refused("{optimizer: {rmsprop: {epsilon: 1e-20}}, epochs: 1}"));
        ck_assert(is_refused("{optimizer: {rmsprop: {epsilon: 0}}, epochs: 1}"));
        ck_assert(is_refused("{optimizer: {adam: {epsilon: 0}}, epochs: 1}"));
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("optimizer");

        ADD_GRAPH_TEST(suite, sgd_follows_its_equations);
        ADD_GRAPH_TEST(suite, rmsprop_follows_its_equations);
        ADD_GRAPH_TEST(suite, adam_follows_its_equations);
        ADD_GRAPH_TEST(suite, schedules_begin_and_end_at_their_values);
        ADD_GRAPH_TEST(suite, a_warm_up_is_linear);
        ADD_GRAPH_TEST(suite, an_epsilon_of_0_is_refused);
        return run_suite(suite);
}
