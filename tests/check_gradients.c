/* SPDX-License-Identifier: MIT */
/*
 * check_gradients.c - the gradient of every op by every input and parameter, in double precision.
 *
 * How strict: central differences with step 1e-5 must agree to 1e-7 (1 + |gradient|); a gradient
 * must be the same to 1e-12 when it is the only one wanted, and when it is added to what is there.
 * The last test shows that a slope wrong by one part in 10^6 is found.
 */
#include <math.h>

#include "graphs.h"
#include "model/op_gradients.h"

static void expect_sound(const struct pxr_builder *builder)
{
        const struct pxr_graph *graph = builder->graph;
        const double *parameters = random_parameters(graph, 5);

        for (int i = 1; i < graph->nodes; i++) {
                const char *problem =
                        pxr_check_op_gradients(arena, graph->node[i], parameters, graph->levels);

                ck_assert_msg(!problem, "%d colours, node %d: %s", graph->colours, i, problem);
        }
}

/* On the image itself, and on a map of 7 channels, which three colours do not divide. */
START_TEST(gradients_of_convolutions_match_finite_differences)
{
        const int masks[] = { PXR_MASK_A, PXR_MASK_B, PXR_MASK_NONE };

        for (int colours = 1; colours <= 3; colours += 2)
                for (int kernel = 1; kernel <= 5; kernel += 2)
                        for (int mask = 0; mask < 3; mask++) {
                                struct pxr_builder builder = new_builder(4, 5, colours, 3);
                                struct pxr_node *node;

                                node = new_conv(&builder, "image", kernel, masks[mask], 7, 1,
                                                builder.graph->node[0]);
                                node = new_conv(&builder, "map", kernel, masks[mask], 6, 1, node);
                                ck_assert_ptr_nonnull(node);
                                expect_sound(&builder);
                        }
}
END_TEST

START_TEST(gradients_of_convolutions_of_several_gates_match_finite_differences)
{
        for (int colours = 1; colours <= 3; colours += 2)
                for (int kernel = 1; kernel <= 3; kernel += 2) {
                        struct pxr_builder builder = new_builder(4, 4, colours, 2);

                        ck_assert_ptr_nonnull(new_conv(&builder, "four", kernel, PXR_MASK_B, 20, 4,
                                                       builder.graph->node[0]));
                        ck_assert_ptr_nonnull(new_conv(&builder, "two", kernel, PXR_MASK_A, 6, 2,
                                                       builder.graph->node[0]));
                        expect_sound(&builder);
                }
}
END_TEST

/* More rows than a convolution gathers at once, which is 12 of this width. */
START_TEST(gradients_of_convolutions_in_several_pieces_match_finite_differences)
{
        struct pxr_builder builder = new_builder(40, 10, 1, 2);
        struct pxr_node *node;

        node = new_conv(&builder, "wide", 1, PXR_MASK_B, 40, 1, builder.graph->node[0]);
        ck_assert_ptr_nonnull(new_conv(&builder, "pieces", 5, PXR_MASK_B, 3, 1, node));
        expect_sound(&builder);
}
END_TEST

START_TEST(gradients_of_sums_match_finite_differences)
{
        struct pxr_builder builder = new_builder(3, 4, 3, 5);
        struct pxr_node *image = builder.graph->node[0], *map;

        map = new_conv(&builder, "a", 1, PXR_MASK_A, 3, 1, image);
        ck_assert_ptr_nonnull(pxr_add(&builder, map, image));
        ck_assert_ptr_nonnull(pxr_add(&builder, image, image));
        ck_assert_ptr_nonnull(pxr_add(&builder, map, map));
        expect_sound(&builder);
}
END_TEST

START_TEST(gradients_of_rectified_linear_units_match_finite_differences)
{
        struct pxr_builder builder = new_builder(3, 4, 3, 5);
        struct pxr_node *image = builder.graph->node[0];

        ck_assert_ptr_nonnull(pxr_relu(&builder, image));
        ck_assert_ptr_nonnull(
                pxr_relu(&builder, new_conv(&builder, "a", 1, PXR_MASK_A, 7, 1, image)));
        expect_sound(&builder);
}
END_TEST

/* --- faults that must be found -----------------------------------------------------------------
 */

enum fault { SLOPE, OVERWRITES, ADDS, UNDECLARED, SCRATCH, WRITES_INPUT, PARAMETER };

static size_t one_value(const struct pxr_node *node, int images)
{
        (void)node;
        (void)images;
        return 1;
}

/* y = w x^2, with a fault in its gradient. */
static void square_forward(const struct pxr_call *call)
{
        size_t size = pxr_map_size(call->node, call->images);
        const double *x = call->input[0], *w = call->parameter[0];
        double *y = call->output;

        for (size_t i = 0; i < size; i++)
                y[i] = w[0] * x[i] * x[i];
}

static void square_backward(const struct pxr_call *call)
{
        enum fault fault = *(const enum fault *)call->node->conf;
        size_t size = pxr_map_size(call->node, call->images);
        const double *x = call->input[0], *dy = call->output_gradient, *w = call->parameter[0];
        double *dx = call->input_gradient[0], *dw = call->parameter_gradient[0];
        double *scratch = call->scratch;
        bool add = fault == ADDS ? true : fault == OVERWRITES ? false : call->accumulate[0];

        for (size_t i = 0; dx && i < size; i++) {
                double slope = 2 * w[0] * x[i] * (fault == SLOPE ? 1 + 1e-6 : 1);

                if (fault == SCRATCH)
                        slope += scratch[0];
                dx[i] = (add ? dx[i] : 0) + slope * dy[i];
        }
        for (size_t i = 0; dw && i < size; i++)
                dw[0] += x[i] * x[i] * dy[i] * (fault == PARAMETER ? 1.01 : 1);
        if (fault == WRITES_INPUT)
                ((double *)call->input[0])[0] = 0;
}

static const struct pxr_op square_op = {
        .name = "square",
        .flags = PXR_BACKWARD_READS_INPUT,
        .kernels = { { square_forward, square_backward, NULL },
                     { square_forward, square_backward, NULL } },
        .scratch = one_value,
};

static const struct pxr_op undeclared_op = {
        .name = "square",
        .kernels = { { square_forward, square_backward, NULL },
                     { square_forward, square_backward, NULL } },
        .scratch = one_value,
};

static void init_one(const struct pxr_parameter *parameter, struct pxr_random *random,
                     double *values)
{
        (void)parameter;
        (void)random;
        values[0] = 3;
}

static void expect_fault(enum fault fault, const char *text)
{
        struct pxr_builder builder = new_builder(3, 3, 1, 2);
        struct pxr_node *node = pxr_add_node(
                &builder,
                &(struct pxr_new_node) { .op = fault == UNDECLARED ? &undeclared_op : &square_op,
                                         .conf = &fault,
                                         .conf_size = sizeof(fault),
                                         .shape = { 3, 3, 1 },
                                         .inputs = 1,
                                         .input = { builder.graph->node[0] } });
        const char *problem;

        ck_assert_int_eq(pxr_add_parameter(&builder, node, "w", init_one, 1, (int[]) { 1 }), 0);
        problem = pxr_check_op_gradients(arena, node, random_parameters(builder.graph, 5), 2);
        ck_assert_msg(problem && strstr(problem, text), "fault %d: '%s' is not in '%s'", fault,
                      text, problem ? problem : "no problem");
}

START_TEST(wrong_gradients_are_found)
{
        expect_fault(SLOPE, "its gradient by input 0[0] is");
        expect_fault(OVERWRITES, "is added to 1");
        expect_fault(ADDS, "its gradient by input 0[0] is nan");
        expect_fault(UNDECLARED, "NaN comes from what its flags do not declare");
        expect_fault(SCRATCH, "or from scratch it has not written");
        expect_fault(WRITES_INPUT, "writes to what it may only read");
        expect_fault(PARAMETER, "its gradient by layers.0.test.w[0] is");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("gradients");

        ADD_GRAPH_TEST(suite, gradients_of_convolutions_match_finite_differences);
        ADD_GRAPH_TEST(suite, gradients_of_convolutions_of_several_gates_match_finite_differences);
        ADD_GRAPH_TEST(suite, gradients_of_convolutions_in_several_pieces_match_finite_differences);
        ADD_GRAPH_TEST(suite, gradients_of_sums_match_finite_differences);
        ADD_GRAPH_TEST(suite, gradients_of_rectified_linear_units_match_finite_differences);
        ADD_GRAPH_TEST(suite, wrong_gradients_are_found);
        return run_suite(suite);
}
