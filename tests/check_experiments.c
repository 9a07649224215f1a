/* SPDX-License-Identifier: MIT */
/*
 * check_experiments.c - every model in experiments/, made small: certified, without a leak when
 * values are changed by hand, and the same step by step as in one pass.
 *
 * Of a model only numbers of features, units and repetitions are made smaller; kernels, masks and
 * structure are the spec's, and so are the depths that a sweep varies.
 */
#include <inttypes.h>
#include <math.h>

#include "config/options.h"
#include "experiments.h"
#include "model/certificate.h"
#include "tensor/gemm.h"

enum { SIDE = 8, LEVELS = 5, FULL_SIDE = 64 };

/* --- smaller -----------------------------------------------------------------------------------
 */

/* Does any layer of the tree have this name? */
static bool has_layer(const struct pxr_yaml *node, const char *name)
{
        if (node->key && strcmp(node->key, name) == 0)
                return true;
        for (const struct pxr_yaml *child = node->first; child; child = child->next)
                if (has_layer(child, name))
                        return true;
        return false;
}

/* Few, equal where they were equal, and with the same remainder by three: what three colours leave
 * over when they divide the features is left over still. */
static int64_t fewer(int64_t features)
{
        return features > 8 ? 6 + features % 3 : features;
}

/* A sweep varies depths, which stay. */
static int64_t reduced(const char *option, int64_t value, bool swept)
{
        if (strcmp(option, "features") == 0)
                return fewer(value);
        if (strcmp(option, "hidden") == 0) /* each unit sees a part of the image only */
                return value > 60 ? 60 + value % 3 : value;
        if (strcmp(option, "masks") == 0 || (strcmp(option, "count") == 0 && !swept))
                return value > 2 ? 2 : value;
        if (strcmp(option, "size") == 0) /* of the small image */
                return value * SIDE / FULL_SIDE;
        return value;
}

static void reduce(struct pxr_yaml *node, bool swept)
{
        int64_t value;

        if (node->kind == PXR_YAML_SCALAR && node->key &&
            pxr_parse_int(node->text, &value) == PXR_NUMBER)
                node->text = pxr_strf(arena, "%" PRId64, reduced(node->key, value, swept));
        for (struct pxr_yaml *child = node->first; child; child = child->next)
                reduce(child, swept);
}

/* A spec's model, made small, for images of so many colours. */
struct subject {
        const char *name;
        const struct pxr_model *model;
        const struct pxr_graph *graph;
        const double *parameters;
        int colours, values; /* values: of an image */
};

static struct subject subject_of(struct pxr_yaml *model, const char *name, int colours)
{
        struct pxr_image_kind kind = { SIDE, SIDE, colours,
                                       has_layer(model, "sigmoid") ? 2 : LEVELS };
        struct subject s = { .name = name, .colours = colours, .values = SIDE * SIDE * colours };

        s.model = pxr_model_build(arena, plugins, model, &kind, CLASSES, false, diag);
        ck_assert_msg(s.model != NULL, "%s, %d colours: %s", name, colours, pxr_diag_text(diag, 0));
        s.graph = s.model->graph;
        s.parameters = random_parameters(s.graph, 3);
        return s;
}

/* Experiment number `number` with one colour group, then with three. */
static void for_both(int number, void (*test)(const struct subject *s))
{
        const struct experiment *e = &experiment[number];
        struct pxr_yaml *model = model_of(e);

        reduce(model, e->swept);
        for (int colours = 1; colours <= 3; colours += 2) {
                struct subject s = subject_of(model, e->name, colours);

                test(&s);
        }
}

/* --- no leak, by the proof ---------------------------------------------------------------------
 */

static void expect_certified(const struct subject *s)
{
        struct pxr_certificate certificate;

        ck_assert_msg(pxr_certify(arena, s->model, NULL, &certificate, diag) == 0,
                      "%s, %d colours: %s", s->name, s->colours, pxr_diag_text(diag, 0));
        ck_assert_int_ge(certificate.probes, SIDE * SIDE);
}

START_TEST(the_experiment_is_certified)
{
        for_both(_i, expect_certified);
}
END_TEST

/* Load images, and give each a class, should the model be given it. */
static void load(struct pxr_workspace *workspace, const uint8_t *pixels, int images)
{
        int32_t *classes = allocate(images, sizeof(*classes));

        for (int i = 0; i < images; i++)
                classes[i] = i % CLASSES;
        pxr_workspace_load(workspace, pixels, images);
        pxr_workspace_classes(workspace, classes, images);
}

/* --- no leak, by brute force -------------------------------------------------------------------
 */

/* One image in as many copies as it has values: in copy i, value i is another. What a conditional
 * model is given stays as it is. */
static void run_copies(const struct subject *s, struct pxr_workspace *workspace,
                       const uint8_t *image, bool changed)
{
        uint8_t *copies = allocate((size_t)s->values * s->values, 1);
        uint8_t *small = allocate((size_t)s->values * s->values, 1);

        for (int copy = 0; copy < s->values; copy++)
                memcpy(copies + copy * s->values, image, s->values);
        pxr_graph_subsample(s->graph, copies, s->values, small);
        for (int copy = 0; changed && copy < s->values; copy++) {
                uint8_t *value = &copies[copy * s->values + copy];

                *value = (uint8_t)((*value + 1 + copy % (s->graph->levels - 1)) % s->graph->levels);
        }
        load(workspace, copies, s->values);
        pxr_workspace_condition(workspace, small, s->values);
        pxr_workspace_forward(workspace, s->parameters);
}

static const double *logits_at(const struct subject *s, const struct pxr_workspace *workspace,
                               int order, int image)
{
        int pixel = order / s->colours;

        return pxr_workspace_logits(workspace, pixel / SIDE, pixel % SIDE, order % s->colours,
                                    image);
}

/* Which logits move in copy `value`? None that is not later; true if any is. */
static bool moves_later_alone(const struct subject *s, struct pxr_workspace *const workspace[2],
                              int value)
{
        size_t size = s->graph->logits->shape.channels / s->colours * sizeof(double);
        bool later = false;

        for (int order = 0; order < s->values; order++) {
                bool moved = memcmp(logits_at(s, workspace[0], order, value),
                                    logits_at(s, workspace[1], order, value), size) != 0;
                int from = value / s->colours, to = order / s->colours;

                if (moved && order <= value)
                        ck_abort_msg("%s, %d colours: colour %d at (%d, %d) was changed, and the "
                                     "logits of colour %d at (%d, %d) moved",
                                     s->name, s->colours, value % s->colours, from / SIDE,
                                     from % SIDE, order % s->colours, to / SIDE, to % SIDE);
                later = later || moved;
        }
        return later;
}

/* Most values must move something, or a model that ignores the image would pass. Not all: a value
 * near the end has few to move, and a rectifier or a mask that is drawn can hide it. */
static void expect_no_leak(const struct subject *s)
{
        enum { BASES = 2 };
        struct pxr_workspace *workspace[2];
        const uint8_t *images = random_images(s->graph, BASES, 5);
        bool *moved = allocate(s->values, sizeof(bool));
        int count = 0;

        for (int i = 0; i < 2; i++)
                workspace[i] =
                        new_workspace(s->graph, PXR_F64, PXR_FOR_EVALUATION, s->values, false);
        for (int base = 0; base < BASES; base++) {
                run_copies(s, workspace[0], images + base * s->values, false);
                run_copies(s, workspace[1], images + base * s->values, true);
                for (int value = 0; value < s->values; value++)
                        if (moves_later_alone(s, workspace, value))
                                moved[value] = true;
        }
        for (int value = 0; value < s->values; value++)
                count += moved[value];
        if (s->graph->logits->constant)
                ck_assert_msg(count == 0, "%s: constant, and moved by %d values", s->name, count);
        else
                ck_assert_msg(count >= s->values * 9 / 10,
                              "%s, %d colours: only %d of %d values move anything", s->name,
                              s->colours, count, s->values);
}

START_TEST(no_output_depends_on_its_own_or_a_later_value)
{
        for_both(_i, expect_no_leak);
}
END_TEST

/* --- generation --------------------------------------------------------------------------------
 */

static void expect_same_logits(const struct subject *s, int order, int image, const double *got,
                               const double *expected)
{
        for (int i = 0; i < s->graph->logits->shape.channels / s->colours; i++)
                if (!(fabs(got[i] - expected[i]) <= 1e-10 * (1 + fabs(expected[i]))))
                        ck_abort_msg("%s, %d colours: logit %d of value %d of image %d is %.15g "
                                     "step by step, and %.15g in one pass",
                                     s->name, s->colours, i, order, image, got[i], expected[i]);
}

static void expect_same_steps(const struct subject *s)
{
        enum { IMAGES = 3 };
        struct pxr_workspace *whole =
                new_workspace(s->graph, PXR_F64, PXR_FOR_EVALUATION, IMAGES, true);
        struct pxr_workspace *steps =
                new_workspace(s->graph, PXR_F64, PXR_FOR_GENERATION, IMAGES, false);
        const uint8_t *images = random_images(s->graph, IMAGES, 7);

        load(whole, images, IMAGES);
        load(steps, images, IMAGES); /* for what the model is given */
        pxr_workspace_forward(whole, s->parameters);
        pxr_workspace_begin(steps, s->parameters, IMAGES);
        ck_assert_msg(!pxr_workspace_fallback(steps), "%s: op '%s' cannot go step by step", s->name,
                      pxr_workspace_fallback(steps));
        for (int order = 0; order < s->values; order++) {
                int pixel = order / s->colours, colour = order % s->colours;

                pxr_workspace_advance(steps, pixel / SIDE, pixel % SIDE, colour);
                for (int image = 0; image < IMAGES; image++) {
                        expect_same_logits(s, order, image, logits_at(s, steps, order, image),
                                           logits_at(s, whole, order, image));
                        pxr_workspace_set(steps, pixel / SIDE, pixel % SIDE, colour, image,
                                          images[image * s->values + order]);
                }
        }
}

START_TEST(advance_gives_the_same_logits_as_forward)
{
        for_both(_i, expect_same_steps);
}
END_TEST

/* A case of its own for each, named like it. */
static void add_experiment_tests(Suite *suite, int number)
{
        TCase *tcase = add_case(suite, experiment[number].name);

        tcase_add_checked_fixture(tcase, stack_setup, graph_teardown);
        tcase_add_loop_test(tcase, the_experiment_is_certified, number, number + 1);
        tcase_add_loop_test(tcase, no_output_depends_on_its_own_or_a_later_value, number,
                            number + 1);
        tcase_add_loop_test(tcase, advance_gives_the_same_logits_as_forward, number, number + 1);
}

int main(void)
{
        Suite *suite = suite_create("experiments");

        pxr_blas_single_thread();
        if (!find_experiments())
                return EXIT_FAILURE;
        for (int i = 0; i < experiments; i++)
                add_experiment_tests(suite, i);
        return run_suite(suite);
}
