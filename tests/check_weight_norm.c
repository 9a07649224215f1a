/* SPDX-License-Identifier: MIT */
/*
 * check_weight_norm.c - convolutions with weight normalization against the same ones without, whose
 * weights are computed here.
 */
#include <math.h>

#include "stacks.h"

enum { IMAGES = 2 };

static const struct pxr_image_kind grey = { 5, 4, 1, 3 }, rgb = { 4, 5, 3, 4 };

/* The first layer's kernel of 1 reads nothing for red. */
static const char *const stacks[][2] = {
        { "- conv: {mask: A, kernel: 3, features: 6, weight_norm: true}\n- relu\n"
          "- conv: {kernel: 3, features: 5, bias: false, weight_norm: true}\n- softmax\n",
          "- conv: {mask: A, kernel: 3, features: 6}\n- relu\n"
          "- conv: {kernel: 3, features: 5, bias: false}\n- softmax\n" },
        { "- gated_conv: {features: 6, layers: 2, first_kernel: 3, weight_norm: true}\n- softmax\n",
          "- gated_conv: {features: 6, layers: 2, first_kernel: 3}\n- softmax\n" },
        { "- conv: {mask: A, kernel: 1, features: 6, weight_norm: true}\n- softmax\n",
          "- conv: {mask: A, kernel: 1, features: 6}\n- softmax\n" },
};

static const struct pxr_parameter *parameter_named(const struct pxr_graph *graph, const char *name)
{
        const struct pxr_parameter *p = graph->parameter;

        while (p && strcmp(p->name, name) != 0)
                p = p->next;
        return p;
}

/* The parameters of the model without normalization: w = scale v / |v| by columns. */
static double *normalized(const struct pxr_graph *graph, const double *values,
                          const struct pxr_graph *plain)
{
        double *result = allocate(plain->parameter_values, sizeof(double));

        for (const struct pxr_parameter *p = plain->parameter; p; p = p->next) {
                const struct pxr_parameter *v = parameter_named(graph, p->name), *scale = NULL;
                size_t length = strlen(p->name) - strlen("weight"), out = p->shape[p->rank - 1];

                ck_assert_ptr_nonnull(v);
                memcpy(result + p->offset, values + v->offset, p->size * sizeof(double));
                if (strcmp(p->name + length, "weight") == 0)
                        scale = parameter_named(graph,
                                                pxr_strf(arena, "%.*sscale", (int)length, p->name));
                for (size_t f = 0; scale && f < out; f++) {
                        double square = 0;

                        for (size_t i = f; i < p->size; i += out)
                                square += pow(values[v->offset + i], 2);
                        for (size_t i = f; i < p->size && square > 0; i += out)
                                result[p->offset + i] *= values[scale->offset + f] / sqrt(square);
                }
        }
        return result;
}

static struct pxr_workspace *computed(const struct pxr_graph *graph, const double *values)
{
        struct pxr_workspace *workspace =
                new_workspace(graph, PXR_F64, PXR_FOR_EVALUATION, IMAGES, true);

        pxr_workspace_load(workspace, random_images(graph, IMAGES, 3), IMAGES);
        pxr_workspace_forward(workspace, values);
        return workspace;
}

static void expect_same_logits(const struct pxr_graph *graph, const double *values,
                               const struct pxr_graph *plain, const double *plain_values)
{
        const double *a = pxr_workspace_tensor(computed(graph, values), graph->logits);
        const double *b = pxr_workspace_tensor(computed(plain, plain_values), plain->logits);

        for (size_t i = 0; i < pxr_map_size(graph->logits, IMAGES); i++)
                ck_assert_double_eq_tol(a[i], b[i], 1e-12);
}

START_TEST(weights_are_scaled_to_the_learned_norm)
{
        for (size_t i = 0; i < 2 * PXR_COUNT(stacks); i++) {
                const char *const *texts = stacks[i / 2];
                struct pxr_image_kind kind = i % 2 || i / 2 == 2 ? rgb : grey;
                const struct pxr_graph *graph = build_stack(kind, texts[0])->graph;
                const struct pxr_graph *plain = build_stack(kind, texts[1])->graph;
                const double *values = random_parameters(graph, 4);

                ck_assert_uint_gt(graph->parameter_values, plain->parameter_values);
                expect_same_logits(graph, values, plain, normalized(graph, values, plain));
        }
}
END_TEST

START_TEST(the_model_starts_as_one_without_normalization)
{
        for (size_t i = 0; i < PXR_COUNT(stacks); i++) {
                const struct pxr_graph *graph = build_stack(rgb, stacks[i][0])->graph;
                const struct pxr_graph *plain = build_stack(rgb, stacks[i][1])->graph;
                double *values = allocate(graph->parameter_values, sizeof(double));
                double *plain_values = allocate(plain->parameter_values, sizeof(double));

                ck_assert_int_eq(pxr_graph_init(graph, 9, NULL, values, diag), 0);
                ck_assert_int_eq(pxr_graph_init(plain, 9, NULL, plain_values, diag), 0);
                expect_same_logits(graph, values, plain, plain_values);
        }
}
END_TEST

/* All weights of a feature zero, as after reading a checkpoint of such. */
START_TEST(weights_of_norm_zero_give_no_nan)
{
        const struct pxr_graph *graph = build_stack(rgb, stacks[0][0])->graph;
        double *values = random_parameters(graph, 4), nll[IMAGES] = { 0 };
        double *gradient = allocate(graph->parameter_values, sizeof(double));
        struct pxr_workspace *workspace =
                new_workspace(graph, PXR_F64, PXR_FOR_TRAINING, IMAGES, true);
        const struct pxr_parameter *v = parameter_named(graph, "layers.0.conv.weight");

        memset(values + v->offset, 0, v->size * sizeof(double));
        pxr_workspace_load(workspace, random_images(graph, IMAGES, 3), IMAGES);
        pxr_workspace_forward(workspace, values);
        pxr_workspace_loss(workspace, 1, nll);
        pxr_workspace_backward(workspace, values, gradient);
        ck_assert(isfinite(nll[0]) && isfinite(nll[1]));
        for (size_t i = 0; i < graph->parameter_values; i++)
                ck_assert(isfinite(gradient[i]));
}
END_TEST

/* They would stay zero: their gradient is zero too. */
START_TEST(weights_that_start_at_zero_are_refused)
{
        static const char *const layers[] = {
                "- conv: {mask: A, kernel: 3, features: 6, weight_norm: true, gain: 0}\n- "
                "softmax\n",
                "- gated_conv: {features: 6, layers: 2, weight_norm: true, gain: 0}\n- softmax\n",
        };

        for (size_t i = 0; i < PXR_COUNT(layers); i++) {
                struct pxr_source source = { .name = "model",
                                             .text = layers[i],
                                             .size = strlen(layers[i]) };
                struct pxr_yaml *list = pxr_yaml_parse(arena, &source, diag);

                ck_assert_ptr_null(pxr_model_build(arena, plugins, list, &grey, 0, false, diag));
                ck_assert_ptr_nonnull(strstr(pxr_diag_first_error(diag),
                                             "with weight_norm the gain must be above 0, got 0"));
                pxr_diag_clear(diag);
        }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("weight_norm");

        ADD_STACK_TEST(suite, weights_are_scaled_to_the_learned_norm);
        ADD_STACK_TEST(suite, the_model_starts_as_one_without_normalization);
        ADD_STACK_TEST(suite, weights_of_norm_zero_give_no_nan);
        ADD_STACK_TEST(suite, weights_that_start_at_zero_are_refused);
        return run_suite(suite);
}
