/* SPDX-License-Identifier: MIT */
/*
 * check_refusals.c - combinations of layers, and of layers and images, that make no sense: each is
 * refused at its line and column. Wrong values of options are check_options.c's, leaks are
 * check_certificate.c's.
 */
#include "stacks.h"

static const struct pxr_image_kind grey = { 12, 12, 1, 256 }, binary = { 12, 12, 1, 2 };
static const struct pxr_image_kind rgb = { 12, 12, 3, 256 };

struct refusal {
        const struct pxr_image_kind *kind;
        const char *model; /* behind a first line, conv: {mask: A, features: 6} */
        const char *error; /* the first line of the message */
};

#define FIRST "- conv: {mask: A, features: 6}\n"

static void expect_refusal(const struct refusal *r)
{
        char *written;

        ck_assert_msg(!try_stack(*r->kind, pxr_strf(arena, FIRST "%s", r->model)), "accepted:\n%s",
                      r->model);
        written = printed_errors(diag, "test");
        written[strcspn(written, "\n")] = '\0';
        ck_assert_str_eq(written, r->error);
        ck_assert_int_eq(pxr_diag_errors(diag), 1);
        ck_assert_int_eq(pxr_diag_status(diag), PXR_FAULT_USER);
        pxr_diag_clear(diag);
}

static void expect_refusals(const struct refusal *refusals, size_t count)
{
        for (size_t i = 0; i < count; i++)
                expect_refusal(&refusals[i]);
}

#define EXPECT_REFUSALS(refusals) \
        expect_refusals(refusals, sizeof(refusals) / sizeof((refusals)[0]))

START_TEST(outputs_that_do_not_fit_are_refused)
{
        static const struct refusal refusals[] = {
                { &grey, "- sigmoid\n",
                  "model:2:3: error: layers.1.sigmoid: requires images of 2 levels, got "
                  "256: end the model with 'softmax'" },
                { &rgb, "- relu\n- sigmoid\n",
                  "model:3:3: error: layers.2.sigmoid: requires images of 2 levels, got "
                  "256: end the model with 'softmax'" },
                { &grey, "- relu\n", "model:1:1: error: the model has no output" },
                { &grey, "- softmax\n- relu\n",
                  "model:3:3: error: nothing can follow the output: the layer above ends the "
                  "model" },
                { &binary, "- repeat: 2\n  layers: [relu, sigmoid]\n",
                  "model:3:12: error: layers.1.1.relu: nothing can follow the output of the "
                  "model" },
                { &binary, "- residual: [relu, sigmoid]\n",
                  "model:2:3: error: layers.1.residual: its layers must return as many channels "
                  "as they get: they get 6 and return 1" },
                { &binary, "- relu\n- uniform\n",
                  "model:3:3: error: layers.2.uniform: it is a whole model and must be the "
                  "first layer" },
                { &binary, "- histogram\n",
                  "model:2:3: error: layers.1.histogram: it is a whole model and must be the "
                  "first layer" },
                { &binary, "- nade: {hidden: 3}\n",
                  "model:2:3: error: layers.1.nade: it is a whole model and must be the "
                  "first layer" },
                { &binary, "- made: {hidden: 3}\n",
                  "model:2:3: error: layers.1.made: it is a whole model and must be the "
                  "first layer" },
                { &grey, "- gaussian\n",
                  "model:2:3: error: layers.1.gaussian: it is a whole model and must be the "
                  "first layer" },
        };

        EXPECT_REFUSALS(refusals);
}
END_TEST

START_TEST(numbers_of_features_that_do_not_fit_are_refused)
{
        static const struct refusal refusals[] = {
                { &grey, "- residual:\n    - relu\n    - conv: {mask: B, features: 7}\n- softmax\n",
                  "model:2:3: error: layers.1.residual: its layers must return as many channels "
                  "as they get: they get 6 and return 7" },
                { &rgb, "- conv: {mask: B, features: 2}\n- softmax\n",
                  "model:2:3: error: layers.1.conv: 2 features cannot be divided among 3 colours: "
                  "each needs at least one" },
                { &rgb, "- row_lstm: {features: 1}\n- softmax\n",
                  "model:2:3: error: layers.1.row_lstm: 1 features cannot be divided among 3 "
                  "colours: each needs at least one" },
                { &rgb, "- residual: [diagonal_bilstm: {features: 2}, conv: {features: 6}]\n",
                  "model:2:14: error: layers.1.residual.diagonal_bilstm: 2 features cannot be "
                  "divided among 3 colours: each needs at least one" },
                { &rgb, "- skip_connections:\n    features: 2\n    layers: [skip]\n- softmax\n",
                  "model:2:3: error: layers.1.skip_connections: 2 features cannot be divided "
                  "among 3 colours: each needs at least one" },
                { &grey, "- row_lstm: {features: 6, kernel: 4}\n- softmax\n",
                  "model:2:35: error: row_lstm: 'kernel' must be odd, so that it has a centre" },
                { &grey, "- row_lstm: {features: 6, state_kernel: 2}\n- softmax\n",
                  "model:2:41: error: row_lstm: 'state_kernel' must be odd, so that it has a "
                  "centre" },
                { &grey, "- conv: {mask: A, kernel: 1, features: 6}\n- softmax\n",
                  "model:2:3: error: layers.1.conv: with mask A a 1x1 kernel reads nothing of "
                  "images of one colour" },
        };

        EXPECT_REFUSALS(refusals);
        ck_assert_ptr_nonnull(build_stack(grey, FIRST "- conv: {features: 1}\n- softmax\n"));
        ck_assert_ptr_nonnull(build_stack(
                rgb, "- conv: {mask: A, kernel: 1, features: 3}\n- softmax\n")); /* G reads R */
}
END_TEST

START_TEST(skip_connections_without_effect_are_refused)
{
        static const struct refusal refusals[] = {
                { &grey, "- skip\n- softmax\n",
                  "model:2:3: error: layers.1.skip: no output to connect to: put the skip "
                  "among the layers of a skip_connections" },
                { &grey, "- skip_connections: {features: 6, layers: [relu]}\n- softmax\n",
                  "model:2:3: error: layers.1.skip_connections: no layer is connected: put a skip "
                  "after each layer to connect" },
                { &grey,
                  "- skip_connections:\n    features: 6\n    layers:\n      - skip\n"
                  "      - conv: {features: 6}\n- softmax\n",
                  "model:6:9: error: layers.1.skip_connections.conv: the output of the model does "
                  "not depend on its parameters" },
                { &grey, "- skip_connections: {features: 6, layers: [skip, softmax]}\n",
                  "model:2:44: error: layers.1.skip_connections.skip: the output of the model "
                  "does not depend on its parameters" },
        };

        EXPECT_REFUSALS(refusals);
}
END_TEST

START_TEST(sizes_that_do_not_fit_multi_scale_are_refused)
{
        static const struct refusal refusals[] = {
                { &grey, "- multi_scale: {size: 5, layers: [conv: {features: 6}]}\n- softmax\n",
                  "model:2:3: error: layers.1.multi_scale: an image of 12x12 cannot be subsampled "
                  "to 5x5: its sides must be multiples" },
                { &grey, "- multi_scale: {size: 24, layers: [conv: {features: 6}]}\n- softmax\n",
                  "model:2:3: error: layers.1.multi_scale: an image of 12x12 cannot be subsampled "
                  "to 24x24: its sides must be multiples" },
                { &grey, "- multi_scale: {size: 4, layers: [conv: {features: 6}]}\n- softmax\n",
                  "model:2:3: error: layers.1.multi_scale: size: images of 12x12 cannot be "
                  "reached from 4x4 by doubling" },
                { &grey, "- multi_scale: {size: 12, layers: [conv: {features: 6}]}\n- softmax\n",
                  "model:2:3: error: layers.1.multi_scale: size: images of 12x12 cannot be "
                  "reached from 12x12 by doubling" },
                { &grey,
                  "- multi_scale:\n    size: 6\n    layers:\n      - multi_scale:\n"
                  "          size: 3\n          layers: [conv: {features: 6}]\n- softmax\n",
                  "model:5:9: error: layers.1.multi_scale.multi_scale: the model already has a "
                  "small "
                  "image" },
                /* Conditional by name alone: its NLL would be said to be given what it is not. */
                { &grey,
                  "- multi_scale: {size: 6, layers: [relu]}\n"
                  "- softmax\n",
                  "model:2:3: error: layers.1.multi_scale: the output of the model does not "
                  "depend on its parameters" },
        };

        EXPECT_REFUSALS(refusals);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("refusals");

        ADD_STACK_TEST(suite, outputs_that_do_not_fit_are_refused);
        ADD_STACK_TEST(suite, numbers_of_features_that_do_not_fit_are_refused);
        ADD_STACK_TEST(suite, skip_connections_without_effect_are_refused);
        ADD_STACK_TEST(suite, sizes_that_do_not_fit_multi_scale_are_refused);
        return run_suite(suite);
}
