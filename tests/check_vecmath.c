/* SPDX-License-Identifier: MIT */
/*
 * check_vecmath.c - exp, sigmoid, tanh and log-sum-exp against libm in double precision.
 *
 * The bounds are those that vecmath.h states. They are held over every 997th float there is, which
 * are 4 million, on the instruction set of this machine.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include <pxr/random.h>

#include "suite.h"
#include <pxr/vecmath.h>

enum { BLOCK = 4096 };

typedef void function(size_t size, const float *x, float *y);

static float float_of(uint32_t bits)
{
        float value;

        memcpy(&value, &bits, sizeof(value));
        return value;
}

/* One unit in the last place of a float near `value`. */
static double unit(double value)
{
        int exponent;

        frexp(value, &exponent);
        return ldexp(1, exponent - 24);
}

static double sigmoid(double x)
{
        return 1 / (1 + exp(-x));
}

static void compare(const float *x, const float *y, size_t size, double (*exact)(double),
                    double units)
{
        for (size_t i = 0; i < size; i++) {
                double want = exact(x[i]), error = fabs(y[i] - want);

                if (!(error <= units * unit(want)))
                        ck_abort_msg("of %.9g: %.9g, which is %.2f units off", x[i], y[i],
                                     error / unit(want));
        }
}

/* Over all floats from `low` to `high`. */
static void expect_within(function *f, double (*exact)(double), double low, double high,
                          double units)
{
        float x[BLOCK], y[BLOCK];
        size_t size = 0;

        for (uint64_t bits = 0; bits <= UINT32_MAX; bits += 997) {
                float value = float_of((uint32_t)bits);

                if (!(value >= low && value <= high))
                        continue;
                x[size++] = value;
                if (size == BLOCK) {
                        f(size, x, y);
                        compare(x, y, size, exact, units);
                        size = 0;
                }
        }
        f(size, x, y);
        compare(x, y, size, exact, units);
}

static float one(function *f, float x)
{
        float y;

        f(1, &x, &y);
        return y;
}

START_TEST(exp_is_within_its_error_bound)
{
        expect_within(pxr_exp_f32, exp, -87.3365, 88.72, 1.1);
}
END_TEST

START_TEST(exp_of_extreme_values)
{
        ck_assert(one(pxr_exp_f32, 0) == 1);
        ck_assert(one(pxr_exp_f32, -87.4f) == 0);
        ck_assert(one(pxr_exp_f32, -1e30f) == 0);
        ck_assert(one(pxr_exp_f32, -INFINITY) == 0);
        ck_assert(one(pxr_exp_f32, 88.73f) == INFINITY);
        ck_assert(one(pxr_exp_f32, 1e30f) == INFINITY);
        ck_assert(one(pxr_exp_f32, INFINITY) == INFINITY);
        ck_assert(isnan(one(pxr_exp_f32, NAN)));
        ck_assert(isnan(one(pxr_exp_f32, -NAN)));
}
END_TEST

START_TEST(sigmoid_is_within_its_error_bound)
{
        expect_within(pxr_sigmoid_f32, sigmoid, -87.3, INFINITY, 2.4);
}
END_TEST

START_TEST(sigmoid_of_extreme_values)
{
        ck_assert(one(pxr_sigmoid_f32, 0) == 0.5f);
        ck_assert(one(pxr_sigmoid_f32, -88.73f) == 0);
        ck_assert(one(pxr_sigmoid_f32, -INFINITY) == 0);
        ck_assert(one(pxr_sigmoid_f32, 100) == 1);
        ck_assert(one(pxr_sigmoid_f32, INFINITY) == 1);
        ck_assert(isnan(one(pxr_sigmoid_f32, NAN)));
        for (float x = -88.7f; x < -87.3f; x += 0.01f) /* below the normal numbers */
                ck_assert_double_eq_tol(one(pxr_sigmoid_f32, x), sigmoid(x), 0x1p-126);
}
END_TEST

/* Small values too, where 1 - 2 / (exp(2x) + 1) would lose them. */
START_TEST(tanh_is_within_its_error_bound)
{
        expect_within(pxr_tanh_f32, tanh, 0x1p-126, INFINITY, 1.3);
        expect_within(pxr_tanh_f32, tanh, -INFINITY, -0x1p-126, 1.3);
}
END_TEST

START_TEST(tanh_of_extreme_values)
{
        ck_assert(one(pxr_tanh_f32, 0) == 0);
        ck_assert(one(pxr_tanh_f32, 0x1p-149f) == 0x1p-149f);
        ck_assert(one(pxr_tanh_f32, 20) == 1);
        ck_assert(one(pxr_tanh_f32, -INFINITY) == -1);
        ck_assert(one(pxr_tanh_f32, INFINITY) == 1);
        ck_assert(isnan(one(pxr_tanh_f32, NAN)));
}
END_TEST

/* At any place, in an array of any size, and in place: vectors and their remainders are alike. */
START_TEST(a_value_does_not_depend_on_its_neighbours)
{
        function *const functions[] = { pxr_exp_f32, pxr_sigmoid_f32, pxr_tanh_f32 };
        struct pxr_random random = pxr_random(1, PXR_RANDOM_TEST, 0, 0, 0);

        for (int f = 0; f < 3; f++)
                for (size_t size = 0; size < 70; size++) {
                        float x[72], y[72];

                        for (size_t i = 0; i < 72; i++)
                                x[i] = (float)(3 * pxr_random_normal(&random));
                        memcpy(y, x, sizeof(y));
                        functions[f](size, y + 1, y + 1);
                        ck_assert(y[0] == x[0] && y[size + 1] == x[size + 1]);
                        for (size_t i = 1; i <= size; i++)
                                if (y[i] != one(functions[f], x[i]))
                                        ck_abort_msg("value %zu of %zu", i, size);
                }
}
END_TEST

/* `size` values with a spread, against the sum in double precision. */
static void expect_log_sum_exp(size_t size, double spread, double shift)
{
        struct pxr_random random = pxr_random(2, PXR_RANDOM_TEST, (uint32_t)size, 0, 0);
        float x[300], y[300], top = -INFINITY, sum;
        double want = 0;

        for (size_t i = 0; i < size; i++) {
                x[i] = (float)(shift + spread * pxr_random_normal(&random));
                top = fmaxf(top, x[i]);
        }
        ck_assert(pxr_max_f32(size, x) == top);
        sum = pxr_exp_sum_f32(size, x, top, y);
        for (size_t i = 0; i < size; i++) {
                if (y[i] != one(pxr_exp_f32, x[i] - top))
                        ck_abort_msg("value %zu of %zu", i, size);
                want += exp((double)x[i] - top);
        }
        ck_assert_double_eq_tol(sum, want, want * ((double)size / 16 + 20) * 0x1p-24);
}

START_TEST(log_sum_exp_is_within_its_error_bound)
{
        for (size_t size = 1; size <= 300; size++) {
                expect_log_sum_exp(size, 1, 0);
                expect_log_sum_exp(size, 30, -1000);
                expect_log_sum_exp(size, 1e-3, 1e6);
        }
}
END_TEST

START_TEST(log_sum_exp_of_a_nan_is_nan_wherever_it_is)
{
        for (int size = 1; size <= 40; size++)
                for (int at = 0; at < size; at++) {
                        float x[40] = { 0 }, y[40];

                        x[at] = NAN;
                        ck_assert(isnan(pxr_exp_sum_f32(size, x, pxr_max_f32(size, x), y)));
                }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("vecmath");

        ADD_TEST(suite, exp_is_within_its_error_bound);
        ADD_TEST(suite, exp_of_extreme_values);
        ADD_TEST(suite, sigmoid_is_within_its_error_bound);
        ADD_TEST(suite, sigmoid_of_extreme_values);
        ADD_TEST(suite, tanh_is_within_its_error_bound);
        ADD_TEST(suite, tanh_of_extreme_values);
        ADD_TEST(suite, a_value_does_not_depend_on_its_neighbours);
        ADD_TEST(suite, log_sum_exp_is_within_its_error_bound);
        ADD_TEST(suite, log_sum_exp_of_a_nan_is_nan_wherever_it_is);
        return run_suite(suite);
}
