/* SPDX-License-Identifier: MIT */
/* check_fingerprint.c - a model's fingerprint changes with what its layers compute, and with
 * nothing else. */
#include "model/fingerprint.h"

#include <math.h>

#include <pxr/elementwise.h>

#include "model/certificate.h"
#include "stacks.h"

/* --- one layer, edited -------------------------------------------------------------------------
 */

PXR_ELEMENTWISE(as_it_was, "bend", tanh(x), 1 - y * y)
PXR_ELEMENTWISE(rounded_elsewhere, "bend", 1 - 2 / (exp(2 * x) + 1), (1 - y) * (1 + y))
PXR_ELEMENTWISE(other_value, "bend", tanh(x) + 1e-6f, 1 - y * y)
PXR_ELEMENTWISE(other_slope, "bend", tanh(x), 1 - y * y / 2)
PXR_ELEMENTWISE(no_number, "bend", x / (x - x), 1 - y * y)
PXR_ELEMENTWISE(other_float, "bend", tanh(x) + (sizeof(x) == sizeof(float) ? 0.1f : 0), 1 - y * y)

static const struct pxr_op *bend_op;

static struct pxr_node *bend_build(struct pxr_builder *builder, const void *conf,
                                   struct pxr_node *input)
{
        (void)conf;
        return pxr_add_elementwise(builder, bend_op, input);
}

static const struct pxr_layer bend = { .name = "bend", .summary = "bends", .build = bend_build };

static const struct pxr_image_kind kind = { 6, 6, 1, 2 };

static const char stack[] = "- conv: {mask: A, kernel: 3, features: 4}\n"
                            "- bend\n"
                            "- conv: {mask: B, kernel: 3, features: 4}\n"
                            "- sigmoid\n";

/* The fingerprint of the stack whose layer is made of `op`. */
static struct pxr_fingerprint with_op(const struct pxr_op *op, char *digest)
{
        struct pxr_fingerprint fingerprint, used;
        struct pxr_certificate certificate;
        const struct pxr_model *model;

        bend_op = op;
        model = build_stack(kind, stack);
        ck_assert_int_eq(pxr_fingerprint_take(model, false, &fingerprint, diag), 0);
        ck_assert_int_eq(pxr_fingerprint_take(model, true, &used, diag), 0);
        ck_assert(pxr_fingerprint_same(used.single, fingerprint.single, PXR_F32));
        ck_assert_int_eq(pxr_certify_dependencies(arena, model, &certificate, diag), 0);
        snprintf(digest, sizeof(certificate.digest), "%s", certificate.digest);
        return fingerprint;
}

START_TEST(an_edited_layer_changes_the_fingerprint)
{
        static const struct {
                const struct pxr_op *op;
                bool nll, gradient, single; /* stay the same */
        } edits[] = {
                { &as_it_was, true, true, true },     { &rounded_elsewhere, true, true, true },
                { &other_value, false, false, true }, { &other_slope, true, false, true },
                { &other_float, true, true, false },  { &no_number, false, false, false },
        };
        char was_digest[65], digest[65];
        struct pxr_fingerprint was = with_op(&as_it_was, was_digest);

        ck_assert(isfinite(was.nll) && was.nll > 0 && isfinite(was.gradient) && was.gradient > 0);
        for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
                struct pxr_fingerprint now = with_op(edits[i].op, digest);

                ck_assert_int_eq(pxr_fingerprint_same(now.nll, was.nll, PXR_F64), edits[i].nll);
                ck_assert_int_eq(pxr_fingerprint_same(now.gradient, was.gradient, PXR_F64),
                                 edits[i].gradient);
                ck_assert_int_eq(pxr_fingerprint_same(now.single, was.single, PXR_F32),
                                 edits[i].single);
                ck_assert_str_eq(digest, was_digest); /* which does not tell */
        }
}
END_TEST

/* What these numbers are of is fixed: who changes the image, the parameters or the sums gives
 * PXR_FINGERPRINT_VERSION another number, or every run on record is refused. */
START_TEST(the_fingerprint_is_the_same_as_in_earlier_versions)
{
        struct pxr_fingerprint now;
        const struct pxr_model *model = build_stack((struct pxr_image_kind) { 5, 4, 3, 4 },
                                                    "- conv: {mask: A, kernel: 3, features: 6}\n"
                                                    "- row_lstm: {features: 6}\n"
                                                    "- softmax\n");

        ck_assert_int_eq(PXR_FINGERPRINT_VERSION, 1);
        ck_assert_int_eq(pxr_fingerprint_take(model, false, &now, diag), 0);
        ck_assert_double_eq_tol(now.nll, 82.4182830139, 1e-7);
        ck_assert_double_eq_tol(now.gradient, 63.6049413169, 1e-7);
        ck_assert_double_eq_tol(now.single, now.nll, 1e-3);
}
END_TEST

/* --- what is no part of it ---------------------------------------------------------------------
 */

static double first_value;

static void init_to(const struct pxr_parameter *parameter, struct pxr_random *random,
                    double *values)
{
        (void)random;
        for (size_t i = 0; i < parameter->size; i++)
                values[i] = first_value;
}

/* Of vectors (the convolution's biases), and of a map of them (the histogram's logits). */
START_TEST(the_fingerprint_does_not_depend_on_initial_parameters)
{
        static const char *const stacks[] = { "- conv: {mask: A, features: 3}\n- sigmoid\n",
                                              "- histogram\n" };
        struct pxr_fingerprint a, b;
        struct pxr_model *model = build_stack(kind, stacks[_i]);

        ck_assert_int_eq(pxr_fingerprint_take(model, false, &a, diag), 0);
        for (first_value = 0; first_value < 2; first_value++) {
                for (struct pxr_parameter *p = model->graph->parameter; p; p = p->next)
                        if (!strstr(p->name, "weight")) /* which has a mask */
                                p->init = init_to;
                ck_assert_int_eq(pxr_fingerprint_take(model, false, &b, diag), 0);
                ck_assert_double_eq(a.nll, b.nll);
                ck_assert_double_eq(a.gradient, b.gradient);
        }
}
END_TEST

START_TEST(fingerprints_are_equal_up_to_rounding)
{
        static const struct {
                double now, was;
                bool twice, single; /* the same in that precision */
        } cases[] = {
                { 1e5, 1e5 * (1 + 1e-12), true, true },
                { -1e5, -1e5 * (1 + 1e-8), false, true },
                { 1e5, 1e5 * (1 + 1e-4), false, false },
                { 0, 1e-30, false, false },
                { 0, 0, true, true },
                { INFINITY, INFINITY, true, true },
                { INFINITY, 1, false, false },
                { NAN, 1, false, false }, /* it was a number */
                { 1, NAN, true, true },   /* it was none: nobody knows */
                { NAN, NAN, true, true },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                ck_assert_int_eq(pxr_fingerprint_same(cases[i].now, cases[i].was, PXR_F64),
                                 cases[i].twice);
                ck_assert_int_eq(pxr_fingerprint_same(cases[i].now, cases[i].was, PXR_F32),
                                 cases[i].single);
        }
}
END_TEST

static void bend_setup(void)
{
        stack_setup();
        add_layer(&bend);
}

int main(void)
{
        Suite *suite = suite_create("fingerprint");

        ADD_CASE(suite, an_edited_layer_changes_the_fingerprint, bend_setup);
        ADD_STACK_TEST(suite, the_fingerprint_is_the_same_as_in_earlier_versions);
        ADD_STACK_LOOP(suite, the_fingerprint_does_not_depend_on_initial_parameters, 2);
        ADD_STACK_TEST(suite, fingerprints_are_equal_up_to_rounding);
        return run_suite(suite);
}
