/* SPDX-License-Identifier: MIT */
/*
 * check_graph.c - building graphs: names, initial values, and errors at the layer that caused them.
 */
#include "stacks.h"
#include "tensor/generation_schedule.h"
#include "tensor/older.h"

static const struct pxr_image_kind grey = { 4, 4, 1, 2 }, rgb = { 4, 4, 3, 2 };

/* --- what a layer may not ask for --------------------------------------------------------------
 */

static void copy_forward(const struct pxr_call *call)
{
        memcpy(call->output, call->input[0],
               pxr_map_size(call->node, call->images) * sizeof(float));
}

static void no_backward(const struct pxr_call *call)
{
        (void)call;
}

static const struct pxr_op sound_op = {
        .name = "sound",
        .kernels = { { copy_forward, no_backward, NULL }, { copy_forward, no_backward, NULL } },
};

static const struct pxr_op half_op = { .name = "half",
                                       .kernels = { { copy_forward, no_backward, NULL } } };

static const struct pxr_op forward_op = {
        .name = "forward",
        .kernels = { { copy_forward, NULL, NULL }, { copy_forward, NULL, NULL } },
};

enum wish {
        NOTHING,
        HALF_AN_OP,
        NO_BACKWARD,
        NO_CHANNELS,
        ODD_GATES,
        MANY_INPUTS,
        NO_RANK,
        NO_SIZE,
        MANY_PARAMETERS,
        SAME_PARAMETER,
        SMALL_KERNEL,
        AFTER_OUTPUT,
        UNEQUAL_SUM,
        GATES_INTO_RELU,
        GATES_INTO_CONV,
};

static enum wish wish;

static void add_parameters(struct pxr_builder *builder, struct pxr_node *node)
{
        char name[16];

        for (int i = 0; wish == MANY_PARAMETERS && i <= PXR_MAX_PARAMETERS; i++) {
                snprintf(name, sizeof(name), "p%d", i);
                pxr_add_parameter(builder, node, name, pxr_init_zeros, 1, (int[]) { 1 });
        }
        for (int i = 0; wish == SAME_PARAMETER && i < 3; i++)
                pxr_add_parameter(builder, node, "twice", pxr_init_zeros, 1, (int[]) { 1 });
        if (wish == NO_RANK)
                pxr_add_parameter(builder, node, "scalar", pxr_init_zeros, 0, NULL);
        if (wish == NO_SIZE)
                pxr_add_parameter(builder, node, "empty", pxr_init_zeros, 2, (int[]) { 3, 0 });
}

static struct pxr_node *wishing_build(struct pxr_builder *builder, const void *conf,
                                      struct pxr_node *input)
{
        struct pxr_new_node new_node = { .op = wish == HALF_AN_OP    ? &half_op
                                               : wish == NO_BACKWARD ? &forward_op
                                                                     : &sound_op,
                                         .shape = input->shape,
                                         .inputs = wish == MANY_INPUTS ? 5 : 1,
                                         .input = { input } };
        struct pxr_node *node;

        (void)conf;
        if (wish == NO_CHANNELS)
                new_node.shape.channels = 0;
        if (wish == ODD_GATES)
                new_node.gates = 4;
        if (wish == SMALL_KERNEL)
                return new_conv(builder, NULL, -1, PXR_MASK_B, 6, 1, input);
        if (wish == UNEQUAL_SUM)
                return pxr_add(builder, input, new_conv(builder, NULL, 1, PXR_MASK_B, 5, 1, input));
        if (wish == GATES_INTO_RELU)
                return pxr_relu(builder, new_conv(builder, NULL, 1, PXR_MASK_B, 8, 4, input));
        if (wish == GATES_INTO_CONV)
                return new_conv(builder, "b", 1, PXR_MASK_B, 8, 1,
                                new_conv(builder, "a", 1, PXR_MASK_B, 8, 4, input));
        if (wish == AFTER_OUTPUT)
                input = pxr_output(builder, new_conv(builder, NULL, 1, PXR_MASK_B, 1, 1, input),
                                   &pxr_bernoulli);
        node = pxr_add_node(builder, &new_node);
        add_parameters(builder, node);
        return node;
}

static const struct pxr_layer wishing = { .name = "wishing",
                                          .summary = "asks for too much",
                                          .build = wishing_build };

/* Refused with this text after the layer's path, and at its line. */
static void expect_refused(enum wish what, const char *text)
{
        const char *written, *expected;

        wish = what;
        ck_assert_ptr_null(
                try_stack(grey, "- conv: {mask: A, features: 6}\n- wishing\n- sigmoid\n"));
        written = printed_errors(diag, "test");
        expected = pxr_strf(arena, "model:2:3: error: layers.1.wishing: %s\n", text);
        ck_assert_msg(strncmp(written, expected, strlen(expected)) == 0, "%s instead of %s",
                      written, expected);
        ck_assert_int_eq(pxr_diag_errors(diag), 1);
        pxr_diag_clear(diag);
}

/* Also those of a layer that does not name its parts. */
START_TEST(parameters_of_a_layer_with_equal_names_get_numbers)
{
        static const char *const names[] = { "twice", "twice_2", "twice_3" };
        const struct pxr_parameter *p;
        int i = 0;

        add_layer(&wishing);
        wish = SAME_PARAMETER;
        p = build_stack(grey, "- conv: {mask: A, features: 6}\n- wishing\n- sigmoid\n")
                    ->graph->parameter;
        for (; p; p = p->next)
                if (strstr(p->name, "wishing"))
                        ck_assert_str_eq(strrchr(p->name, '.') + 1, names[i++]);
        ck_assert_int_eq(i, 3);
}
END_TEST

START_TEST(invalid_layers_are_refused_with_their_location)
{
        add_layer(&wishing);
        ck_assert_ptr_nonnull(
                build_stack(grey, "- conv: {mask: A, features: 6}\n- wishing\n- sigmoid\n"));
        expect_refused(HALF_AN_OP, "op 'half' has no forward pass in both precisions");
        expect_refused(NO_BACKWARD,
                       "its op 'forward' has no backward pass, which the parameters in "
                       "or below it need");
        expect_refused(NO_CHANNELS, "op 'sound' cannot make a map of 4x4x0");
        expect_refused(ODD_GATES, "op 'sound' cannot cut 6 channels into 4 gates");
        expect_refused(MANY_INPUTS, "op 'sound' cannot have 5 inputs");
        expect_refused(NO_RANK, "op 'sound' cannot have a parameter of this shape, 'scalar'");
        expect_refused(NO_SIZE, "op 'sound' cannot have a parameter of this shape, 'empty'");
        expect_refused(MANY_PARAMETERS, "op 'sound' cannot have one more parameter, 'p8'");
        expect_refused(SMALL_KERNEL, "the kernel must be odd, got -1x-1");
        expect_refused(UNEQUAL_SUM, "cannot add a map of 4x4x5 to one of 4x4x6");
        expect_refused(GATES_INTO_RELU, "relu cannot follow a map that is cut into gates");
        expect_refused(GATES_INTO_CONV,
                       "a masked convolution cannot follow a map that is cut into gates");
        expect_refused(AFTER_OUTPUT, "nothing can follow the output of the model");
}
END_TEST

/* --- outputs -----------------------------------------------------------------------------------
 */

static void expect_error(struct pxr_image_kind kind, const char *text, const char *error)
{
        ck_assert_ptr_null(try_stack(kind, text));
        ck_assert_str_eq(pxr_diag_text(diag, 0), error);
        pxr_diag_clear(diag);
}

START_TEST(a_model_ends_with_one_output)
{
        expect_error(grey, "- conv: {mask: A, features: 6}\n", "the model has no output");
        expect_error(grey, "- conv: {mask: A, features: 6}\n- sigmoid\n- relu\n",
                     "nothing can follow the output: the layer above ends the model");
        expect_error(grey, "- conv: {mask: A, features: 1}\n- residual: [sigmoid]\n",
                     "layers.1.residual: nothing can follow the output of the model");
        expect_error(grey, "- conv: {mask: A, features: 1}\n- repeat: 2\n  layers: [sigmoid]\n",
                     "layers.1.1.sigmoid: nothing can follow the output of the model");
        ck_assert_ptr_nonnull(build_stack(
                grey, "- conv: {mask: A, features: 1}\n- repeat: 1\n  layers: [relu, sigmoid]\n"));
}
END_TEST

START_TEST(a_model_must_be_a_list_of_layers)
{
        expect_error(grey, "[]\n", "expected a list of layers");
        expect_error(grey, "conv\n", "expected a list of layers");
        expect_error(grey, "- repeat: 2\n  layers: []\n- sigmoid\n", "expected a list of layers");
}
END_TEST

/* --- names and starting values -----------------------------------------------------------------
 */

START_TEST(parameters_are_named_by_path)
{
        static const char *const names[] = {
                "layers.0.conv.weight",
                "layers.0.conv.bias",
                "layers.1.0.residual.conv.weight",
                "layers.1.0.residual.conv.bias",
                "layers.1.0.residual.conv_2.weight",
                "layers.1.1.residual.conv.weight",
                "layers.1.1.residual.conv.bias",
                "layers.1.1.residual.conv_2.weight",
                "layers.2.sigmoid.weight",
                "layers.2.sigmoid.bias",
        };
        const struct pxr_model *model = build_stack(
                rgb, "- conv: {mask: A, features: 6}\n"
                     "- repeat: 2\n"
                     "  layers:\n"
                     "    - residual: [conv: {features: 4}, conv: {features: 6, bias: false}]\n"
                     "- sigmoid\n");
        const struct pxr_parameter *p = model->graph->parameter;
        size_t offset = 0, sum = 0;

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++, p = p->next) {
                ck_assert_ptr_nonnull(p);
                ck_assert_str_eq(p->name, names[i]);
                ck_assert_uint_eq(p->offset, offset);
                offset += p->size;
        }
        ck_assert_ptr_null(p);
        ck_assert_uint_eq(offset, model->graph->parameter_values);
        for (const struct pxr_built_layer *layer = model->layer; layer; layer = layer->next)
                if (layer->depth == 0)
                        sum += layer->parameters;
        ck_assert_uint_eq(sum, offset);
}
END_TEST

/* A container that builds two lists under one name, and a layer with the name that a second conv
 * would get. */
struct both {
        const struct pxr_yaml *layers;
};

static const struct pxr_option both_rows[] = { PXR_LAYERS(struct both, layers, "built twice"),
                                               PXR_END };

static const struct pxr_options both_options = { .rows = both_rows, .size = sizeof(struct both) };

static struct pxr_node *both_build(struct pxr_builder *builder, const void *conf,
                                   struct pxr_node *input)
{
        const struct pxr_yaml *layers = ((const struct both *)conf)->layers;

        input = pxr_build_layers(builder, NULL, layers, input);
        return input ? pxr_build_layers(builder, NULL, layers, input) : NULL;
}

static const struct pxr_layer both = {
        .name = "both", .summary = "test", .options = &both_options, .build = both_build
};

static struct pxr_node *conv_2_build(struct pxr_builder *builder, const void *conf,
                                     struct pxr_node *input)
{
        (void)conf;
        return pxr_conv(builder, NULL,
                        &(struct pxr_conv) { .kernel = 1, .mask = PXR_MASK_B, .features = 6 },
                        input);
}

static const struct pxr_layer conv_2 = { .name = "conv_2",
                                         .summary = "test",
                                         .build = conv_2_build };

/* The weights of a stack, in their order. */
static void expect_weights(const char *text, const char *const *names)
{
        const struct pxr_model *model = build_stack(grey, text);

        for (const struct pxr_parameter *p = model->graph->parameter; p; p = p->next)
                if (strcmp(strrchr(p->name, '.'), ".weight") == 0)
                        ck_assert_str_eq(p->name, *names++);
        ck_assert_ptr_null(*names);
        for (const struct pxr_built_layer *layer = model->layer; layer; layer = layer->next)
                for (const struct pxr_built_layer *other = layer->next; other; other = other->next)
                        ck_assert_str_ne(layer->path, other->path);
}

#define FIRST "- conv: {mask: A, features: 6}\n"

START_TEST(parameters_with_equal_names_get_numbers)
{
        static const char *const repeats[] = { "layers.0.conv.weight",
                                               "layers.1.residual.0.conv.weight",
                                               "layers.1.residual.1.conv.weight",
                                               "layers.1.residual.0.conv_2.weight",
                                               "layers.1.residual.0.conv_3.weight",
                                               "layers.2.sigmoid.weight",
                                               NULL };
        static const char *const lists[] = { "layers.0.conv.weight", "layers.1.both.conv.weight",
                                             "layers.1.both.conv_2.weight",
                                             "layers.2.sigmoid.weight", NULL };
        static const char *const numbers[] = { "layers.0.conv.weight",
                                               "layers.1.residual.conv.weight",
                                               "layers.1.residual.conv_2.weight",
                                               "layers.1.residual.conv_3.weight",
                                               "layers.2.sigmoid.weight",
                                               NULL };

        add_layer(&both);
        add_layer(&conv_2);
        expect_weights(FIRST "- residual:\n"
                             "    - repeat: 2\n"
                             "      layers: [relu, conv: {features: 6}]\n"
                             "    - relu\n"
                             "    - repeat: 1\n"
                             "      layers: [relu, conv: {features: 6}, conv: {features: 6}]\n"
                             "- sigmoid\n",
                       repeats);
        expect_weights(FIRST "- both: [relu, conv: {features: 6}]\n- sigmoid\n", lists);
        expect_weights(FIRST "- residual: [conv: {features: 6}, conv_2, conv: {features: 6}]\n"
                             "- sigmoid\n",
                       numbers);
}
END_TEST

/* Layers in a repeat keep their names if another repeat beside it holds layers of other kinds:
 * checkpoints find parameters by their names. */
START_TEST(unique_parameter_names_are_kept)
{
        static const char *const names[] = { "layers.0.conv.weight",
                                             "layers.1.residual.0.conv.weight",
                                             "layers.1.residual.1.conv.weight",
                                             "layers.1.residual.0.row_lstm.input_to_state.weight",
                                             "layers.2.sigmoid.weight",
                                             NULL };

        expect_weights(FIRST "- residual:\n"
                             "    - repeat: 2\n"
                             "      layers: [relu, conv: {features: 6}]\n"
                             "    - repeat: 1\n"
                             "      layers: [relu, row_lstm: {features: 6}]\n"
                             "- sigmoid\n",
                       names);
}
END_TEST

static const float *start(const struct pxr_graph *graph, uint64_t seed)
{
        float *values = allocate(graph->parameter_values, sizeof(float));

        ck_assert_int_eq(pxr_graph_init(graph, seed, values, NULL, diag), 0);
        return values;
}

/* Adding a layer does not change the initial values of the others, and no two parameters have the
 * same. */
START_TEST(initial_values_depend_only_on_seed_and_name)
{
        const struct pxr_graph *with, *without;
        const float *a, *b;
        size_t first;

        with = build_stack(grey, "- conv: {mask: A, features: 6}\n- conv: {features: 6}\n"
                                 "- residual: [conv: {features: 6}]\n- sigmoid\n")
                       ->graph;
        without = build_stack(grey, "- conv: {mask: A, features: 6}\n- conv: {features: 6}\n"
                                    "- sigmoid\n")
                          ->graph;
        a = start(with, 1);
        b = start(without, 1);
        first = with->parameter->size;
        ck_assert_mem_eq(a, b, (first + 6 + 6 * 54) * sizeof(float));
        ck_assert_mem_ne(a, start(with, 2), first * sizeof(float));
        /* layers.1.conv.weight and layers.2.residual.conv.weight differ only in their names */
        ck_assert_mem_ne(a + first + 6, a + first + 6 + 9 * 36 + 6, 9 * 36 * sizeof(float));
}
END_TEST

START_TEST(an_op_without_advance_is_named_if_generation_needs_it)
{
        struct pxr_builder builder = new_builder(3, 3, 1, 2);
        struct pxr_node *a = new_conv(&builder, "a", 3, PXR_MASK_A, 4, 1, builder.graph->node[0]);
        struct pxr_node *unused = new_conv(&builder, "b", 3, PXR_MASK_B, 4, 1, a);
        struct pxr_op op = *a->op;

        end_graph(&builder, new_conv(&builder, "c", 1, PXR_MASK_B, 2, 1, pxr_relu(&builder, a)),
                  &pxr_categorical);
        op.name = "slow";
        op.kernels[PXR_F32].advance = NULL;
        unused->op = &op;
        ck_assert_ptr_null(pxr_graph_fallback(builder.graph, PXR_F32));
        a->op = &op;
        ck_assert_str_eq(pxr_graph_fallback(builder.graph, PXR_F32), "slow");
        ck_assert_ptr_null(pxr_graph_fallback(builder.graph, PXR_F64));
}
END_TEST

/* The end of a plugin's struct is that of its headers; what lies behind it is not read. */
START_TEST(structs_of_older_headers_are_completed)
{
        struct pxr_plugin plugin = { .sizes = PXR_PLUGIN_SIZES, .mixed_size = 16 };
        const struct pxr_mixed mixed = { .exact = true, .fuses = true };
        const struct pxr_op op = { .name = "op", .mixed = &mixed };
        const struct pxr_op *whole;

        ck_assert_ptr_eq(pxr_whole_op(arena, NULL, &op), &op);
        whole = pxr_whole_op(arena, &plugin, &op);
        ck_assert(whole->mixed && !whole->mixed->exact && !whole->mixed->fuses);
        plugin.sizes[0] = offsetof(struct pxr_plugin, mixed_size);
        whole = pxr_whole_op(arena, &plugin, &op);
        ck_assert(whole->mixed->exact && !whole->mixed->fuses);
        plugin.sizes[2] = offsetof(struct pxr_op, mixed);
        whole = pxr_whole_op(arena, &plugin, &op);
        ck_assert_str_eq(whole->name, "op");
        ck_assert_ptr_null(whole->mixed);
        plugin.sizes[6] = sizeof(void *);
        ck_assert_ptr_eq(pxr_whole_distribution(arena, &plugin, &pxr_bernoulli), &pxr_bernoulli);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("graph");

        ADD_STACK_TEST(suite, invalid_layers_are_refused_with_their_location);
        ADD_STACK_TEST(suite, a_model_ends_with_one_output);
        ADD_STACK_TEST(suite, a_model_must_be_a_list_of_layers);
        ADD_STACK_TEST(suite, parameters_are_named_by_path);
        ADD_STACK_TEST(suite, parameters_with_equal_names_get_numbers);
        ADD_STACK_TEST(suite, parameters_of_a_layer_with_equal_names_get_numbers);
        ADD_STACK_TEST(suite, unique_parameter_names_are_kept);
        ADD_STACK_TEST(suite, initial_values_depend_only_on_seed_and_name);
        ADD_GRAPH_TEST(suite, an_op_without_advance_is_named_if_generation_needs_it);
        ADD_STACK_TEST(suite, structs_of_older_headers_are_completed);
        return run_suite(suite);
}
