/* SPDX-License-Identifier: MIT */
/* check_workspace.c - memory of a graph: plans, scratch, sentinels, what is computed when. */
#include <math.h>

#include "model/conformance_tests.h"
#include "stacks.h"
#include "tensor/memory_plan.h"

/* --- ops that misbehave on demand --------------------------------------------------------------
 */

enum fault {
        NONE,
        PAST_OUTPUT,
        BEFORE_OUTPUT,
        PAST_SCRATCH,
        PAST_GRADIENT,
        READS_SCRATCH,
        MAKES_NAN,
        MAKES_NAN_GRADIENT,
        MAKES_TINY,
};

/* Below what single precision holds in full. */
static float tiny_product(void)
{
        volatile float tiny = 1e-30f;

        return tiny * 1e-12f;
}

static int forwards; /* calls of the op's forward pass */

static size_t odd_scratch(const struct pxr_node *node, int images)
{
        (void)node;
        return (size_t)images;
}

static void odd_forward(const struct pxr_call *call)
{
        enum fault fault = *(const enum fault *)call->node->conf;
        size_t size = pxr_map_size(call->node, call->images);
        const float *x = call->input[0];
        float *y = call->output, *scratch = call->scratch;

        forwards++;
        for (size_t i = 0; i < size; i++)
                y[i] = x[i];
        if (fault == PAST_OUTPUT)
                y[size] = 1;
        if (fault == BEFORE_OUTPUT)
                y[-1] = 1;
        if (fault == PAST_SCRATCH)
                scratch[call->images] = 1;
        if (fault == READS_SCRATCH)
                y[size - 1] += scratch[0];
        if (fault == MAKES_TINY)
                y[0] = tiny_product();
        if (fault == MAKES_NAN)
                y[size - 1] = NAN;
}

static void odd_backward(const struct pxr_call *call)
{
        enum fault fault = *(const enum fault *)call->node->conf;
        size_t size = pxr_map_size(call->node, call->images);
        const float *dy = call->output_gradient;
        float *dx = call->input_gradient[0];

        for (size_t i = 0; i < size; i++)
                dx[i] = call->accumulate[0] ? dx[i] + dy[i] : dy[i];
        if (fault == PAST_GRADIENT)
                dx[size] = 1;
        if (fault == MAKES_NAN_GRADIENT)
                dx[0] = NAN;
}

static const struct pxr_op odd_op = {
        .name = "odd",
        .kernels = { { odd_forward, odd_backward, NULL }, { odd_forward, odd_backward, NULL } },
        .scratch = odd_scratch,
};

static struct pxr_node *odd(struct pxr_builder *builder, enum fault fault, struct pxr_node *input)
{
        return pxr_add_node(builder, &(struct pxr_new_node) { .op = &odd_op,
                                                              .conf = &fault,
                                                              .conf_size = sizeof(fault),
                                                              .shape = input->shape,
                                                              .inputs = 1,
                                                              .input = { input } });
}

/* image - conv - odd - conv - odd's logits, on 3x3 images: maps of 9 floats end between lines. */
static struct pxr_graph *odd_graph(enum fault fault)
{
        struct pxr_builder builder = new_builder(3, 3, 1, 2);
        struct pxr_node *node =
                new_conv(&builder, "a", 3, PXR_MASK_A, 3, 1, builder.graph->node[0]);

        node = odd(&builder, fault, node);
        end_graph(&builder, new_conv(&builder, "b", 1, PXR_MASK_B, 1, 1, node), &pxr_bernoulli);
        return builder.graph;
}

/* One training pass. */
static void train_pass(const struct pxr_graph *graph, struct pxr_workspace *workspace, int images,
                       float *gradient)
{
        float *parameters = as_floats(random_parameters(graph, 1), graph->parameter_values);
        double *nll = allocate(images, sizeof(double));

        pxr_workspace_load(workspace, random_images(graph, images, 1), images);
        pxr_workspace_forward(workspace, parameters);
        pxr_workspace_loss(workspace, 1, nll);
        pxr_workspace_backward(workspace, parameters, gradient);
}

static const char *culprit(enum fault fault, int limit, int images)
{
        const struct pxr_graph *graph = odd_graph(fault);
        struct pxr_workspace *workspace =
                new_workspace(graph, PXR_F32, PXR_FOR_TRAINING, limit, true);
        const struct pxr_node *damaged;

        train_pass(graph, workspace, images, allocate(graph->parameter_values, sizeof(float)));
        damaged = pxr_workspace_damaged(workspace);
        return damaged ? damaged->op->name : "none";
}

START_TEST(a_write_outside_an_ops_memory_names_the_op)
{
        for (int images = 1; images <= 3; images++) {
                ck_assert_str_eq(culprit(NONE, 3, images), "none");
                ck_assert_str_eq(culprit(PAST_OUTPUT, 3, images), "odd");
                ck_assert_str_eq(culprit(BEFORE_OUTPUT, 3, images), "odd");
                ck_assert_str_eq(culprit(PAST_SCRATCH, 3, images), "odd");
                ck_assert_str_eq(culprit(PAST_GRADIENT, 3, images), "odd");
        }
}
END_TEST

START_TEST(nan_is_traced_to_its_op)
{
        const enum fault faults[] = { MAKES_NAN, READS_SCRATCH, MAKES_NAN_GRADIENT };

        for (int i = 0; i < 3; i++) {
                const struct pxr_graph *graph = odd_graph(faults[i]);
                struct pxr_workspace *workspace =
                        new_workspace(graph, PXR_F32, PXR_FOR_TRAINING, 2, true);
                const struct pxr_node *node;

                train_pass(graph, workspace, 2, allocate(graph->parameter_values, sizeof(float)));
                node = pxr_workspace_nonfinite(workspace, false);
                ck_assert_ptr_eq(node, faults[i] == MAKES_NAN_GRADIENT ? NULL : graph->node[2]);
                node = pxr_workspace_nonfinite(workspace, true);
                if (faults[i] == MAKES_NAN_GRADIENT) /* the gradient of odd's input */
                        ck_assert_ptr_eq(node, graph->node[1]);
        }
}
END_TEST

/* An op may cut a smaller batch into fewer but larger pieces, and so need more scratch for it: a
 * convolution of this size gathers 3 rows of 4 images at once, and 7 rows of 2. */
/* In kernels, and for them alone. */
START_TEST(kernels_flush_denormals_to_zero)
{
#if defined(__x86_64__) || defined(__aarch64__)
        const struct pxr_graph *graph = odd_graph(MAKES_TINY);
        struct pxr_workspace *workspace = new_workspace(graph, PXR_F32, PXR_FOR_TRAINING, 2, true);

        train_pass(graph, workspace, 2, allocate(graph->parameter_values, sizeof(float)));
        ck_assert(*(float *)pxr_workspace_tensor(workspace, graph->node[2]) == 0);
        ck_assert(tiny_product() > 0);
#endif
}
END_TEST

START_TEST(scratch_is_large_enough_for_every_smaller_micro_batch)
{
        struct pxr_builder builder = new_builder(28, 28, 1, 2);
        const struct pxr_graph *graph = builder.graph;
        struct pxr_node *node = new_conv(&builder, "a", 3, PXR_MASK_A, 64, 1, graph->node[0]);
        struct pxr_workspace *workspace;
        float *gradient;

        node = new_conv(&builder, "b", 3, PXR_MASK_B, 64, 1, node);
        end_graph(&builder, new_conv(&builder, "c", 1, PXR_MASK_B, 1, 1, node), &pxr_bernoulli);
        workspace = new_workspace(graph, PXR_F32, PXR_FOR_TRAINING, 4, true);
        gradient = allocate(graph->parameter_values, sizeof(float));
        for (int images = 4; images >= 1; images--) {
                train_pass(graph, workspace, images, gradient);
                ck_assert_msg(!pxr_workspace_damaged(workspace), "%s with %d images",
                              pxr_workspace_damaged(workspace)->layer, images);
        }
}
END_TEST

/* --- plans -------------------------------------------------------------------------------------
 */

/* A graph that is hard to plan: a tensor read three times, one added to itself, a branch that the
 * logits do not depend on, one that does not depend on the image. */
static struct pxr_graph *branching_graph(void)
{
        struct pxr_builder builder = new_builder(5, 4, 3, 3);
        struct pxr_node *image = builder.graph->node[0], *first, *third, *twice, *node;

        first = new_conv(&builder, "first", 3, PXR_MASK_A, 6, 1, image);
        twice = pxr_add(&builder, first, first);
        new_conv(&builder, "nowhere", 1, PXR_MASK_B, 2, 1, twice);
        node = pxr_relu(&builder, new_conv(&builder, "second", 3, PXR_MASK_B, 6, 1, twice));
        node = pxr_add(&builder, node, first);
        node = pxr_add(&builder, node, twice);
        third = new_conv(&builder, "third", 1, PXR_MASK_B, 6, 1, node);
        node = pxr_add(&builder, node, pxr_add(&builder, third, first));
        end_graph(&builder, new_conv(&builder, "logits", 1, PXR_MASK_B, 9, 1, node),
                  &pxr_categorical);
        return builder.graph;
}

START_TEST(reusing_memory_changes_no_bit)
{
        const struct pxr_graph *graph = branching_graph();
        size_t size = graph->parameter_values;
        float *apart = allocate(size, sizeof(float)), *shared = allocate(size, sizeof(float));

        train_pass(graph, new_workspace(graph, PXR_F32, PXR_FOR_TRAINING, 3, true), 3, apart);
        train_pass(graph, new_workspace(graph, PXR_F32, PXR_FOR_TRAINING, 3, false), 3, shared);
        ck_assert_mem_eq(apart, shared, size * sizeof(float));
        ck_assert_uint_lt(pxr_workspace_bytes(graph, PXR_F32, PXR_FOR_TRAINING, 3, 1),
                          pxr_workspace_bytes(graph, PXR_F64, PXR_FOR_TRAINING, 3, 1));
        ck_assert_uint_lt(pxr_workspace_bytes(graph, PXR_F32, PXR_FOR_EVALUATION, 3, 1),
                          pxr_workspace_bytes(graph, PXR_F32, PXR_FOR_TRAINING, 3, 1));
}
END_TEST

static const char *const deep_stacks[] = {
        "- conv: {mask: A, kernel: 5, features: 12}\n"
        "- skip_connections:\n"
        "    features: 12\n"
        "    layers:\n"
        "    - repeat: 8\n"
        "      layers: [residual: [row_lstm: {features: 6}, conv: {kernel: 1, features: 12}],\n"
        "               skip]\n"
        "- relu\n"
        "- softmax\n",
        "- conv: {mask: A, kernel: 5, features: 12}\n"
        "- repeat: 8\n"
        "  layers: [residual: [relu, diagonal_bilstm: {features: 6},\n"
        "                       conv: {kernel: 1, features: 12}]]\n"
        "- softmax\n",
        "- multi_scale:\n"
        "    size: 2\n"
        "    features: 4\n"
        "    layers:\n"
        "      - conv: {mask: A, kernel: 3, features: 12}\n"
        "      - repeat: 16\n"
        "        layers: [residual: [relu, conv: {features: 12}]]\n"
        "- softmax\n",
};

/* In as many parts as save memory, which is more than one. */
START_TEST(recomputing_activations_changes_no_bit)
{
        for (size_t i = 0; i < sizeof(deep_stacks) / sizeof(*deep_stacks); i++) {
                const struct pxr_graph *graph =
                        build_stack((struct pxr_image_kind) { 8, 8, 3, 4 }, deep_stacks[i])->graph;
                size_t size = graph->parameter_values;
                struct pxr_workspace *apart =
                        new_workspace(graph, PXR_F32, PXR_FOR_CHECKPOINTED_TRAINING, 2, true);
                struct pxr_workspace *shared =
                        new_workspace(graph, PXR_F32, PXR_FOR_CHECKPOINTED_TRAINING, 2, false);
                float *kept = allocate(size, sizeof(float)), *again[3];

                for (int k = 0; k < 3; k++)
                        again[k] = allocate(size, sizeof(float));
                train_pass(graph, new_workspace(graph, PXR_F32, PXR_FOR_TRAINING, 2, false), 2,
                           kept);
                train_pass(graph, apart, 2, again[0]);
                train_pass(graph, shared, 2, again[1]);
                train_pass(graph, shared, 2, again[2]);
                ck_assert_ptr_null(pxr_workspace_damaged(apart));
                for (int k = 0; k < 3; k++)
                        ck_assert_mem_eq(again[k], kept, size * sizeof(float));
                ck_assert_uint_lt(3 * pxr_workspace_bytes(graph, PXR_F32,
                                                          PXR_FOR_CHECKPOINTED_TRAINING, 2, 1),
                                  2 * pxr_workspace_bytes(graph, PXR_F32, PXR_FOR_TRAINING, 2, 1));
        }
}
END_TEST

/* Only the image is a map, which the first convolution reads across rows; what the Row LSTM's
 * input-to-state reads is a row. */
START_TEST(generation_keeps_only_pixels_or_rows)
{
        for (int i = 0; i < 2; i++) {
                const struct pxr_graph *graph =
                        build_stack((struct pxr_image_kind) { 8, 8, 3, 4 }, deep_stacks[i])->graph;
                struct pxr_generation_schedule schedule;
                int rows = 0;

                ck_assert_int_eq(pxr_schedule_generation(&schedule, graph, PXR_F32), 0);
                ck_assert_int_eq(schedule.extent[0], PXR_EXTENT_MAP);
                for (int k = 1; k < graph->nodes; k++) {
                        ck_assert_int_ne(schedule.extent[k], PXR_EXTENT_MAP);
                        rows += schedule.extent[k] == PXR_EXTENT_ROW;
                }
                ck_assert_int_eq(rows, 8);
                pxr_generation_schedule_free(&schedule);
        }
}
END_TEST

/* Against central differences of the whole graph's NLL. */
START_TEST(gradients_of_a_tensor_with_several_readers_add_up)
{
        const struct pxr_model model = { .graph = branching_graph() };
        struct pxr_subject subject;
        const char *problem;

        ck_assert_int_eq(pxr_subject_new(&subject, arena, &model, diag), 0);
        problem = pxr_check_gradients(&subject);
        ck_assert_msg(!problem, "%s", problem);
}
END_TEST

static bool overlap(const struct pxr_buffer *a, const struct pxr_buffer *b)
{
        return a->used && b->used && a->first_use <= b->last_use && b->first_use <= a->last_use &&
               a->offset < b->offset + b->size && b->offset < a->offset + a->size;
}

static void expect_no_overlap(const struct pxr_graph *graph)
{
        for (int use = PXR_FOR_TRAINING; use <= PXR_FOR_GENERATION; use++) {
                struct pxr_memory_plan plan;
                int buffers = graph->nodes * PXR_BUFFERS;

                ck_assert_int_eq(pxr_memory_plan_make(&plan, graph, PXR_F32, use, 3, false, NULL),
                                 0);
                for (int i = 0; i < buffers; i++)
                        for (int k = 0; k < i; k++)
                                ck_assert(!overlap(
                                        &plan.memory[i / PXR_BUFFERS].buffer[i % PXR_BUFFERS],
                                        &plan.memory[k / PXR_BUFFERS].buffer[k % PXR_BUFFERS]));
                pxr_memory_plan_free(&plan);
        }
}

START_TEST(tensors_in_use_at_once_do_not_overlap)
{
        expect_no_overlap(branching_graph());
        for (size_t i = 0; i < sizeof(deep_stacks) / sizeof(*deep_stacks); i++)
                expect_no_overlap(
                        build_stack((struct pxr_image_kind) { 8, 8, 3, 4 }, deep_stacks[i])->graph);
}
END_TEST

START_TEST(tensors_that_do_not_lead_to_the_output_are_not_computed)
{
        const struct pxr_graph *graph = branching_graph();
        struct pxr_workspace *workspace = new_workspace(graph, PXR_F32, PXR_FOR_TRAINING, 1, true);
        float *gradient = allocate(graph->parameter_values, sizeof(float));
        const struct pxr_parameter *p;

        train_pass(graph, workspace, 1, gradient);
        ck_assert_ptr_null(pxr_workspace_tensor(workspace, graph->node[3]));
        for (p = graph->parameter; p; p = p->next) {
                bool zero = true;

                for (size_t i = 0; i < p->size; i++)
                        zero = zero && gradient[p->offset + i] == 0;
                ck_assert_msg(zero == (strstr(p->name, "nowhere") != NULL), "%s", p->name);
        }
}
END_TEST

/* --- generation --------------------------------------------------------------------------------
 */

/* A map that does not depend on the image: 0.5 everywhere. */
static void half_forward(const struct pxr_call *call)
{
        float *y = call->output;

        forwards++;
        for (size_t i = 0; i < pxr_map_size(call->node, call->images); i++)
                y[i] = 0.5f;
}

static const struct pxr_op half_op = {
        .name = "half",
        .kernels = { { half_forward, NULL, NULL }, { half_forward, NULL, NULL } },
};

static void generate_all(const struct pxr_graph *graph, struct pxr_workspace *workspace)
{
        float *parameters = as_floats(random_parameters(graph, 1), graph->parameter_values);

        pxr_workspace_begin(workspace, parameters, 2);
        for (int row = 0; row < graph->rows; row++)
                for (int col = 0; col < graph->cols; col++) {
                        pxr_workspace_advance(workspace, row, col, 0);
                        for (int image = 0; image < 2; image++) {
                                const float *logit =
                                        pxr_workspace_logits(workspace, row, col, 0, image);

                                ck_assert(isfinite(*logit));
                                pxr_workspace_set(workspace, row, col, 0, image, (row + col) % 2);
                        }
                }
        ck_assert_ptr_null(pxr_workspace_damaged(workspace));
}

START_TEST(constant_maps_are_computed_once_during_generation)
{
        struct pxr_builder builder = new_builder(3, 3, 1, 2);
        struct pxr_node *node =
                new_conv(&builder, "a", 3, PXR_MASK_A, 2, 1, builder.graph->node[0]);
        struct pxr_node *half = pxr_add_node(
                &builder, &(struct pxr_new_node) { .op = &half_op, .shape = node->shape });
        struct pxr_workspace *workspace;

        /* Read with every tap, which only a map that holds no image may be. */
        half = new_conv(&builder, "h", 3, PXR_MASK_NONE, 2, 1, half);
        node = pxr_add(&builder, node, half);
        end_graph(&builder, new_conv(&builder, "b", 1, PXR_MASK_B, 1, 1, node), &pxr_bernoulli);
        workspace = new_workspace(builder.graph, PXR_F32, PXR_FOR_GENERATION, 2, true);
        ck_assert_ptr_null(pxr_workspace_fallback(workspace));
        forwards = 0;
        generate_all(builder.graph, workspace);
        ck_assert_int_eq(forwards, 1);
}
END_TEST

START_TEST(an_op_without_advance_means_whole_passes)
{
        const struct pxr_graph *graph = odd_graph(NONE);
        struct pxr_workspace *workspace =
                new_workspace(graph, PXR_F32, PXR_FOR_GENERATION, 2, true);

        ck_assert_str_eq(pxr_workspace_fallback(workspace), "odd");
        forwards = 0;
        generate_all(graph, workspace);
        ck_assert_int_eq(forwards, 9);
}
END_TEST

/* y(row, col) = x(row + down, col + right), or 0 from outside. */
struct shift {
        int down, right;
};

static void shift_forward(const struct pxr_call *call)
{
        const struct shift *shift = call->node->conf;
        size_t pixel = pxr_pixel_size(call->node, call->images);
        int rows = call->node->shape.rows, cols = call->node->shape.cols;

        for (int row = 0; row < rows; row++)
                for (int col = 0; col < cols; col++) {
                        int r = row + shift->down, c = col + shift->right;
                        float *y = (float *)call->output + (row * cols + col) * pixel;
                        const float *x = (const float *)call->input[0] + (r * cols + c) * pixel;
                        bool inside = r >= 0 && r < rows && c >= 0 && c < cols;

                        for (size_t i = 0; i < pixel; i++)
                                y[i] = inside ? x[i] : 0;
                }
}

static void shift_depends(const struct pxr_node *node, int row, int col, int colour,
                          struct pxr_dependencies *deps)
{
        const struct shift *shift = node->conf;

        deps->read(deps, 0, row + shift->down, col + shift->right, colour);
}

/* Its `advance` would do if what it reads were there. */
static const struct pxr_op shift_op = {
        .name = "shift",
        .kernels = { { shift_forward, NULL, shift_forward },
                     { shift_forward, NULL, shift_forward } },
        .depends = shift_depends,
};

static struct pxr_node *shift(struct pxr_builder *builder, int down, int right,
                              struct pxr_node *input)
{
        return pxr_add_node(builder,
                            &(struct pxr_new_node) { .op = &shift_op,
                                                     .conf = &(struct shift) { down, right },
                                                     .conf_size = sizeof(struct shift),
                                                     .shape = input->shape,
                                                     .inputs = 1,
                                                     .input = { input } });
}

/* Causal as a whole: the pixel to the right of the one above. */
START_TEST(an_op_that_reads_later_pixels_means_whole_passes)
{
        struct pxr_builder builder = new_builder(3, 3, 1, 2);
        struct pxr_node *node = shift(&builder, 0, 1, builder.graph->node[0]);
        struct pxr_workspace *workspace;

        end_graph(&builder, shift(&builder, -1, 0, node), &pxr_bernoulli);
        workspace = new_workspace(builder.graph, PXR_F32, PXR_FOR_GENERATION, 2, true);
        ck_assert_str_eq(pxr_workspace_fallback(workspace), "shift");
        generate_all(builder.graph, workspace);
        /* The pixel at (0, 1) is 1; (0, 2) is 0. */
        ck_assert(*(const float *)pxr_workspace_logits(workspace, 1, 0, 0, 0) == 1);
        ck_assert(*(const float *)pxr_workspace_logits(workspace, 1, 1, 0, 0) == -1);
        ck_assert(*(const float *)pxr_workspace_logits(workspace, 1, 2, 0, 0) == 0);
}
END_TEST

/* The left columns of a map, or the map with columns of zeros to its right. */
static void resize_forward(const struct pxr_call *call)
{
        const struct pxr_node *from = call->node->input[0];
        size_t pixel = pxr_pixel_size(call->node, call->images);

        for (int row = 0; row < call->node->shape.rows; row++)
                for (int col = 0; col < call->node->shape.cols; col++) {
                        int cols = call->node->shape.cols;
                        float *y = (float *)call->output + (row * cols + col) * pixel;
                        const float *x = (const float *)call->input[0] +
                                         (row * from->shape.cols + col) * pixel;

                        for (size_t i = 0; i < pixel; i++)
                                y[i] = col < from->shape.cols ? x[i] : 0;
                }
}

/* Nothing is trained through it; a backward pass only has to be there. */
static const struct pxr_op resize_op = {
        .name = "resize",
        .kernels = { { resize_forward, resize_forward, resize_forward },
                     { resize_forward, resize_forward, resize_forward } },
};

static struct pxr_node *resize(struct pxr_builder *builder, int cols, struct pxr_node *input)
{
        struct pxr_shape shape = input->shape;

        shape.cols = cols;
        return pxr_add_node(builder, &(struct pxr_new_node) { .op = &resize_op,
                                                              .shape = shape,
                                                              .inputs = 1,
                                                              .input = { input } });
}

/* Kernels that advance go by the image's rows and columns: a map of others would be overrun. */
START_TEST(a_map_of_another_shape_means_whole_passes)
{
        struct pxr_builder builder = new_builder(3, 3, 1, 2);
        struct pxr_node *node = resize(&builder, 2, builder.graph->node[0]);
        struct pxr_workspace *workspace;

        node = new_conv(&builder, "a", 3, PXR_MASK_A, 2, 1, pxr_relu(&builder, node));
        end_graph(&builder, new_conv(&builder, "b", 1, PXR_MASK_B, 1, 1, resize(&builder, 3, node)),
                  &pxr_bernoulli);
        workspace = new_workspace(builder.graph, PXR_F32, PXR_FOR_GENERATION, 2, true);
        ck_assert_str_eq(pxr_workspace_fallback(workspace), "resize");
        generate_all(builder.graph, workspace);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("workspace");

        ADD_GRAPH_TEST(suite, a_write_outside_an_ops_memory_names_the_op);
        ADD_GRAPH_TEST(suite, nan_is_traced_to_its_op);
        ADD_GRAPH_TEST(suite, kernels_flush_denormals_to_zero);
        ADD_GRAPH_TEST(suite, scratch_is_large_enough_for_every_smaller_micro_batch);
        ADD_GRAPH_TEST(suite, reusing_memory_changes_no_bit);
        ADD_GRAPH_TEST(suite, gradients_of_a_tensor_with_several_readers_add_up);
        ADD_STACK_TEST(suite, recomputing_activations_changes_no_bit);
        ADD_STACK_TEST(suite, generation_keeps_only_pixels_or_rows);
        ADD_STACK_TEST(suite, tensors_in_use_at_once_do_not_overlap);
        ADD_GRAPH_TEST(suite, tensors_that_do_not_lead_to_the_output_are_not_computed);
        ADD_GRAPH_TEST(suite, constant_maps_are_computed_once_during_generation);
        ADD_GRAPH_TEST(suite, an_op_without_advance_means_whole_passes);
        ADD_GRAPH_TEST(suite, an_op_that_reads_later_pixels_means_whole_passes);
        ADD_GRAPH_TEST(suite, a_map_of_another_shape_means_whole_passes);
        return run_suite(suite);
}
