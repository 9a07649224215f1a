/* SPDX-License-Identifier: MIT */
/*
 * check_class.c - models that are given the class of an image.
 *
 * The reference is the same model without classes: for images of one class, a vector of the class
 * is nothing but a bias.
 */
#include <math.h>

#include "codec/codec.h"
#include "experiment/given.h"
#include "sample/generate.h"
#include "stacks.h"

enum { IMAGES = 4 };

static const struct pxr_image_kind grey = { 5, 4, 1, 3 }, rgb = { 4, 5, 3, 4 };

/* A container that does nothing, with a name as long as "class_conditional". */
struct conf {
        const struct pxr_yaml *layers;
};

static const struct pxr_option rows[] = { PXR_LAYERS(struct conf, layers, "the layers"), PXR_END };
static const struct pxr_options options = { .rows = rows, .size = sizeof(struct conf) };

static struct pxr_node *build_plainly(struct pxr_builder *builder, const void *conf,
                                      struct pxr_node *input)
{
        return pxr_build_layers(builder, NULL, ((const struct conf *)conf)->layers, input);
}

static const struct pxr_layer plain = {
        .name = "class_plain_layers",
        .summary = "its layers",
        .options = &options,
        .build = build_plainly,
};

static const char *replaced(const char *text, const char *from, const char *to)
{
        const char *at = strstr(text, from);

        return at ? pxr_strf(arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from))
                  : text;
}

static const struct pxr_parameter *parameter_named(const struct pxr_graph *graph, const char *name)
{
        for (const struct pxr_parameter *p = graph->parameter; p; p = p->next)
                if (strcmp(p->name, name) == 0)
                        return p;
        ck_abort_msg("there is no parameter %s", name);
}

/* Random everywhere but where a mask keeps zeros. */
static double *all_random(const struct pxr_graph *graph)
{
        double *values = random_parameters(graph, 5);
        struct pxr_random random = pxr_random(6, PXR_RANDOM_TEST, 0, 0, 0);

        for (const struct pxr_parameter *p = graph->parameter; p; p = p->next)
                for (size_t i = 0; strstr(p->name, "class.weight") && i < p->size; i++)
                        values[p->offset + i] = pxr_random_normal(&random);
        return values;
}

/* The parameters of the plain model that is the other for images of one class. */
static double *of_class(const struct pxr_graph *graph, const double *values,
                        const struct pxr_graph *other, int class)
{
        double *result = allocate(other->parameter_values, sizeof(double));

        for (const struct pxr_parameter *p = graph->parameter; p; p = p->next) {
                const char *name = replaced(p->name, "class_conditional", plain.name);
                bool vector = strstr(name, "class.weight") != NULL;
                const struct pxr_parameter *to;

                name = replaced(name, "row_lstm.class", "row_lstm.input_to_state.class");
                to = parameter_named(other, vector ? replaced(name, "class.weight", "bias") : name);

                for (size_t i = 0; i < to->size; i++)
                        result[to->offset + i] +=
                                values[p->offset + (vector ? class * to->size : 0) + i];
        }
        return result;
}

/* Images of all classes together, and of one class each in the plain model. */
static void expect_bias_of_class(struct pxr_image_kind kind, const char *layers, int images)
{
        const struct pxr_graph *graph, *other;
        struct pxr_workspace *all, *one;
        int32_t classes[IMAGES];
        const double *values;
        const uint8_t *pixels;

        graph = build_stack(kind, layers)->graph;
        other = build_stack(kind, replaced(layers, "class_conditional", plain.name))->graph;
        ck_assert_int_eq(graph->class_map->shape.channels, CLASSES);
        ck_assert_ptr_null(other->class_map);
        values = all_random(graph);
        pixels = random_images(graph, images, 3);
        for (int i = 0; i < images; i++)
                classes[i] = (i + 1) % CLASSES;
        all = new_workspace(graph, PXR_F64, PXR_FOR_EVALUATION, images, true);
        one = new_workspace(other, PXR_F64, PXR_FOR_EVALUATION, images, true);
        pxr_workspace_load(all, pixels, images);
        pxr_workspace_classes(all, classes, images);
        pxr_workspace_forward(all, values);
        pxr_workspace_load(one, pixels, images);
        for (int i = 0; i < images; i++) {
                size_t pixel = graph->logits->shape.channels;

                pxr_workspace_forward(one, of_class(graph, values, other, classes[i]));
                for (int at = 0; at < graph->rows * graph->cols; at++) {
                        const double *got =
                                pxr_workspace_logits(all, at / graph->cols, at % graph->cols, 0, i);
                        const double *expected =
                                pxr_workspace_logits(one, at / graph->cols, at % graph->cols, 0, i);

                        for (size_t k = 0; k < pixel; k++)
                                ck_assert_double_eq_tol(got[k], expected[k], 1e-12);
                }
        }
}

START_TEST(the_class_is_a_bias_of_every_layer_it_conditions)
{
        static const char layers[] = "- class_conditional:\n"
                                     "    - conv: {mask: A, kernel: 3, features: 6}\n"
                                     "    - row_lstm: {features: 6}\n"
                                     "    - relu\n"
                                     "    - conv: {mask: B, kernel: 1, features: 5}\n"
                                     "    - softmax\n";
        static const char gated[] =
                "- class_conditional:\n"
                "    - gated_conv: {features: 6, layers: 2, kernel: 3, first_kernel: 3}\n"
                "- softmax\n";

        add_layer(&plain);
        expect_bias_of_class(grey, layers, IMAGES);
        expect_bias_of_class(rgb, layers, IMAGES);
        expect_bias_of_class(grey, gated, 1);
        expect_bias_of_class(rgb, gated, IMAGES);
}
END_TEST

static const char biased[] = "- conv: {mask: A, kernel: 3, features: 6}\n"
                             "- class_bias\n"
                             "- relu\n"
                             "- class_bias\n"
                             "- softmax\n";

START_TEST(a_class_bias_can_follow_any_layer)
{
        const struct pxr_graph *graph = build_stack(rgb, biased)->graph;
        const struct pxr_parameter *first =
                parameter_named(graph, "layers.1.class_bias.class.weight");
        const struct pxr_parameter *second =
                parameter_named(graph, "layers.3.class_bias.class.weight");
        const double *values = all_random(graph);
        struct pxr_workspace *workspace =
                new_workspace(graph, PXR_F64, PXR_FOR_INSPECTION, IMAGES, true);
        const int32_t classes[IMAGES] = { 2, 0, 1, 2 };
        const double *x, *y;

        pxr_workspace_load(workspace, random_images(graph, IMAGES, 3), IMAGES);
        pxr_workspace_classes(workspace, classes, IMAGES);
        pxr_workspace_forward(workspace, values);
        x = pxr_workspace_tensor(workspace, first->node->input[0]); /* the class itself */
        for (int i = 0; i < IMAGES * CLASSES; i++)
                ck_assert_double_eq(x[i], classes[i / CLASSES] == i % CLASSES);
        for (int i = 0; i < graph->nodes; i++) {
                const struct pxr_node *node = graph->node[i];
                const struct pxr_parameter *p =
                        strcmp(node->layer, "layers.1.class_bias") == 0 ? first : second;

                if (node->inputs != 2)
                        continue;
                x = pxr_workspace_tensor(workspace, node->input[0]);
                y = pxr_workspace_tensor(workspace, node);
                for (int k = 0; k < rgb.rows * rgb.cols * IMAGES * 6; k++)
                        ck_assert_double_eq(
                                y[k],
                                x[k] + values[p->offset + classes[k / 6 % IMAGES] * 6 + k % 6]);
        }
}
END_TEST

START_TEST(images_without_labels_and_models_without_use_of_the_class_are_refused)
{
        static const char no_use[] = "- class_conditional: [relu]\n"
                                     "- conv: {mask: A, kernel: 3, features: 6}\n"
                                     "- softmax\n";
        static const char *const texts[] = {
                "- conv: {mask: A, kernel: 3, features: 6}\n- class_bias\n- softmax\n",
                "- class_conditional: [relu]\n- softmax\n",
                no_use,
        };
        static const char *const errors[] = {
                "layers.1.class_bias: the model is given the class of an image, but no labels",
                "layers.0.class_conditional: the model is given the class",
                "layers.0.class_conditional: the output of the model does not depend on the class",
        };

        for (int i = 0; i < 3; i++) {
                struct pxr_source source = { .name = "model",
                                             .text = texts[i],
                                             .size = strlen(texts[i]) };
                struct pxr_yaml *list = pxr_yaml_parse(arena, &source, diag);

                ck_assert_ptr_null(pxr_model_build(arena, plugins, list, &grey,
                                                   i == 2 ? CLASSES : 0, false, diag));
                ck_assert_msg(strstr(pxr_diag_first_error(diag), errors[i]) != NULL, "%s",
                              pxr_diag_first_error(diag));
                pxr_diag_clear(diag);
        }
}
END_TEST

START_TEST(a_class_that_was_never_set_or_is_out_of_range_is_noticed)
{
        const struct pxr_graph *graph = build_stack(grey, biased)->graph;
        const float *values = as_floats(all_random(graph), graph->parameter_values);
        struct pxr_workspace *workspace =
                new_workspace(graph, PXR_F32, PXR_FOR_EVALUATION, 1, true);
        double nll = 0;

        pxr_workspace_load(workspace, random_images(graph, 1, 3), 1);
        for (int32_t class = -1; class <= CLASSES; class ++) {
                if (class >= 0)
                        pxr_workspace_classes(workspace, &class, 1);
                nll = 0;
                pxr_workspace_forward(workspace, values);
                pxr_workspace_loss(workspace, 0, &nll);
                ck_assert_int_eq(isfinite(nll), class >= 0 && class < CLASSES);
        }
}
END_TEST

/* Draw 70 images of these classes into new memory. */
static uint8_t *drawn(const struct pxr_graph *graph, const float *values, const int32_t *classes)
{
        struct pxr_generation generation = { .arena = arena,
                                             .graph = graph,
                                             .parameters = values,
                                             .classes = classes,
                                             .seed = 4,
                                             .count = 70,
                                             .threads = 2 };
        uint8_t *pixels = allocate(70, pxr_graph_values(graph));

        ck_assert_int_eq(pxr_generate(&generation, pixels, diag), 0);
        return pixels;
}

START_TEST(a_sample_depends_on_its_own_class_alone)
{
        const struct pxr_graph *graph = build_stack(rgb, biased)->graph;
        const float *values = as_floats(all_random(graph), graph->parameter_values);
        size_t size = pxr_graph_values(graph);
        const int32_t *turn = pxr_sample_classes(arena, graph, 70, -1);
        const uint8_t *all = drawn(graph, values, turn), *of[CLASSES];

        for (int class = 0; class < CLASSES; class ++)
                of[class] = drawn(graph, values, pxr_sample_classes(arena, graph, 70, class));
        for (int i = 0; i < 70; i++) {
                ck_assert_int_eq(turn[i], i % CLASSES);
                ck_assert_mem_eq(all + i * size, of[i % CLASSES] + i * size, size);
        }
        ck_assert_mem_ne(of[0], of[1], 70 * size);
}
END_TEST

START_TEST(images_are_coded_given_their_class)
{
        enum { CODED = 40 };
        const struct pxr_graph *graph = build_stack(rgb, biased)->graph;
        const float *values = as_floats(all_random(graph), graph->parameter_values);
        size_t size = CODED * pxr_graph_values(graph);
        const int32_t *classes = pxr_sample_classes(arena, graph, CODED, -1);
        struct pxr_coding coding = { .graph = graph,
                                     .parameters = values,
                                     .classes = classes,
                                     .images = CODED,
                                     .images_per_stream = pxr_images_per_stream(graph),
                                     .threads = 2 };
        uint8_t *pixels = drawn(graph, values, classes), *back = allocate(size, 1);
        struct pxr_streams streams, others;
        double nats, other_nats;

        ck_assert_int_eq(pxr_encode(&coding, pixels, &streams, &nats, diag), 0);
        ck_assert_int_eq(pxr_decode(&coding, &streams, back, diag), 0);
        ck_assert_mem_eq(pixels, back, size);
        coding.classes = pxr_sample_classes(arena, graph, CODED, 1);
        ck_assert_int_eq(pxr_encode(&coding, pixels, &others, &other_nats, diag), 0);
        ck_assert_double_gt(other_nats, nats);
        pxr_streams_free(&streams);
        pxr_streams_free(&others);
}
END_TEST

START_TEST(what_a_model_is_given_reads_back_from_its_record)
{
        struct pxr_graph graph = { 0 };
        struct pxr_node map;

        ck_assert_ptr_null(pxr_given(arena, &graph));
        ck_assert_int_eq(pxr_given_classes(NULL), 0);
        graph.classes = 10; /* labels that the model is not given */
        ck_assert_ptr_null(pxr_given(arena, &graph));
        graph.class_map = &map;
        ck_assert_str_eq(pxr_given(arena, &graph), "class of 10");
        graph.small_rows = graph.small_cols = 8;
        ck_assert_str_eq(pxr_given(arena, &graph), "8x8, class of 10");
        ck_assert_int_eq(pxr_given_classes(pxr_given(arena, &graph)), 10);
        graph.class_map = NULL;
        ck_assert_str_eq(pxr_given(arena, &graph), "8x8");
        ck_assert_int_eq(pxr_given_classes("8x8"), 0);
        ck_assert_int_eq(pxr_given_classes("class of -4"), 0);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("class");

        ADD_STACK_TEST(suite, the_class_is_a_bias_of_every_layer_it_conditions);
        ADD_STACK_TEST(suite, a_class_bias_can_follow_any_layer);
        ADD_STACK_TEST(suite,
                       images_without_labels_and_models_without_use_of_the_class_are_refused);
        ADD_STACK_TEST(suite, a_class_that_was_never_set_or_is_out_of_range_is_noticed);
        ADD_STACK_TEST(suite, a_sample_depends_on_its_own_class_alone);
        ADD_STACK_TEST(suite, images_are_coded_given_their_class);
        ADD_GRAPH_TEST(suite, what_a_model_is_given_reads_back_from_its_record);
        return run_suite(suite);
}
