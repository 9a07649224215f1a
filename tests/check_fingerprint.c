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

/* Of the stack with the layer made of `op`. */
static struct pxr_fingerprint with_op(const struct pxr_op *op, char *digest)
{
        struct pxr_fingerprint fingerprint, nll;
        struct pxr_certificate certificate;
        const struct pxr_model *model;

        bend_op = op;
        model = build_stack(kind, stack);
        ck_assert_int_eq(pxr_fingerprint_take(model, true, &fingerprint, diag), 0);
        ck_assert_int_eq(pxr_fingerprint_take(model, false, &nll, diag), 0);
        ck_assert_double_eq(nll.nll, fingerprint.nll);
        ck_assert(isnan(nll.gradient));
        ck_assert_int_eq(pxr_certify_dependencies(arena, model, &certificate, diag), 0);
        snprintf(digest, sizeof(certificate.digest), "%s", certificate.digest);
        return fingerprint;
}

START_TEST(an_edited_layer_is_known_by_it)
{
        const struct pxr_op *other[] = { &as_it_was, &rounded_elsewhere, &other_value,
                                         &other_slope };
        const bool same_nll[] = { true, true, false, true };
        const bool same_gradient[] = { true, true, false, false };
        char was_digest[65], digest[65];
        struct pxr_fingerprint was = with_op(&as_it_was, was_digest);

        ck_assert(isfinite(was.nll) && was.nll > 0 && isfinite(was.gradient) && was.gradient > 0);
        for (int i = 0; i < 4; i++) {
                struct pxr_fingerprint now = with_op(other[i], digest);

                ck_assert_int_eq(pxr_fingerprint_same(now.nll, was.nll), same_nll[i]);
                ck_assert_int_eq(pxr_fingerprint_same(now.gradient, was.gradient),
                                 same_gradient[i]);
                ck_assert_str_eq(digest, was_digest); /* which does not tell */
        }
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

START_TEST(initial_parameters_are_no_part_of_it)
{
        struct pxr_fingerprint a, b;
        struct pxr_model *model = build_stack(kind, "- conv: {mask: A, features: 3}\n- sigmoid\n");

        ck_assert_int_eq(pxr_fingerprint_take(model, true, &a, diag), 0);
        for (struct pxr_parameter *p = model->graph->parameter; p; p = p->next)
                if (p->rank == 1)
                        p->init = init_to;
        for (first_value = 0; first_value < 2; first_value++) {
                ck_assert_int_eq(pxr_fingerprint_take(model, true, &b, diag), 0);
                ck_assert_double_eq(a.nll, b.nll);
                ck_assert_double_eq(a.gradient, b.gradient);
        }
}
END_TEST

START_TEST(rounding_and_the_unknown_are_the_same)
{
        ck_assert(pxr_fingerprint_same(1e5, 1e5 * (1 + 1e-12)));
        ck_assert(!pxr_fingerprint_same(1e5, 1e5 * (1 + 1e-8)));
        ck_assert(!pxr_fingerprint_same(0, 1e-30) && pxr_fingerprint_same(0, 0));
        ck_assert(pxr_fingerprint_same(INFINITY, INFINITY) && !pxr_fingerprint_same(INFINITY, 1));
        ck_assert(pxr_fingerprint_same(NAN, 1) && pxr_fingerprint_same(1, NAN));
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

        ADD_CASE(suite, an_edited_layer_is_known_by_it, bend_setup);
        ADD_STACK_TEST(suite, initial_parameters_are_no_part_of_it);
        ADD_STACK_TEST(suite, rounding_and_the_unknown_are_the_same);
        return run_suite(suite);
}
