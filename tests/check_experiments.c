/* SPDX-License-Identifier: MIT */
/*
 * check_experiments.c - every model in experiments/, made small: certified, without a leak when
 * values are changed by hand, and the same step by step as in one pass. And at their own size: as
 * many parameters as the paper's architectures have.
 *
 * A spec is found because it lies in the folder. Of its model only numbers of features, units and
 * repetitions are made smaller; kernels, masks and structure are the spec's.
 */
#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "model/certificate.h"
#include "stacks.h"
#include "tensor/gemm.h"

enum { SIDE = 8, LEVELS = 5, FULL_SIDE = 64 };

static struct dirent **entry; /* the specs, by name */
static int specs;

/* --- the specs ---------------------------------------------------------------------------------
 */

static const char *spec_folder(void)
{
        static char folder[4096];
        const char *source = getenv("srcdir");

        snprintf(folder, sizeof(folder), "%s/experiments", source ? source : ".");
        return folder;
}

static int is_spec(const struct dirent *file)
{
        const char *end = strrchr(file->d_name, '.');

        return file->d_name[0] != '.' && end && strcmp(end, ".yaml") == 0;
}

/* A spec's list of layers, checked and so complete; NULL for a file that has none (a sweep). */
static struct pxr_yaml *model_of(const char *name)
{
        const char *path = pxr_strf(arena, "%s/%s", spec_folder(), name);
        struct pxr_yaml *root = pxr_spec_load(arena, path, NULL, 0, diag), *model;

        ck_assert_msg(root != NULL, "%s: %s", path, pxr_diag_text(diag, 0));
        model = pxr_yaml_get(root, "model");
        ck_assert_msg(!model || !pxr_model_check(arena, plugins, model, diag), "%s: %s", path,
                      pxr_diag_text(diag, 0));
        return model;
}

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

/* --- smaller -----------------------------------------------------------------------------------
 */

/* Few, equal where they were equal, and with the same remainder by three: what three colours leave
 * over when they divide the features is left over still. */
static int64_t fewer(int64_t features)
{
        return features > 8 ? 6 + features % 3 : features;
}

static int64_t reduced(const char *option, int64_t value)
{
        if (strcmp(option, "features") == 0)
                return fewer(value);
        if (strcmp(option, "hidden") == 0) /* each unit sees a part of the image only */
                return value > 60 ? 60 + value % 3 : value;
        if (strcmp(option, "count") == 0 || strcmp(option, "masks") == 0)
                return value > 2 ? 2 : value;
        if (strcmp(option, "size") == 0) /* of the small image */
                return value * SIDE / FULL_SIDE;
        return value;
}

static void reduce(struct pxr_yaml *node)
{
        int64_t value;

        if (node->kind == PXR_YAML_SCALAR && node->key &&
            sscanf(node->text, "%" SCNd64, &value) == 1 && reduced(node->key, value) != value)
                node->text = pxr_strf(arena, "%" PRId64, reduced(node->key, value));
        for (struct pxr_yaml *child = node->first; child; child = child->next)
                reduce(child);
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

        s.model = pxr_model_build(arena, plugins, model, &kind, diag);
        ck_assert_msg(s.model != NULL, "%s, %d colours: %s", name, colours, pxr_diag_text(diag, 0));
        s.graph = s.model->graph;
        s.parameters = random_parameters(s.graph, 3);
        return s;
}

/* The spec number `number` with one colour group, then with three. */
static void for_both(int number, void (*test)(const struct subject *s))
{
        const char *name = entry[number]->d_name;
        struct pxr_yaml *model = model_of(name);

        if (!model) {
                printf("# skipped: %s has no model of its own\n", name);
                fflush(stdout);
                return;
        }
        reduce(model);
        for (int colours = 1; colours <= 3; colours += 2) {
                struct subject s = subject_of(model, name, colours);

                test(&s);
        }
}

/* --- no leak, by the proof ---------------------------------------------------------------------
 */

static void expect_certified(const struct subject *s)
{
        struct pxr_certificate certificate;

        ck_assert_msg(pxr_certify(arena, s->model, &certificate, diag) == 0, "%s, %d colours: %s",
                      s->name, s->colours, pxr_diag_text(diag, 0));
        ck_assert_int_ge(certificate.probes, SIDE * SIDE);
}

START_TEST(is_certified)
{
        for_both(_i, expect_certified);
}
END_TEST

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
        pxr_workspace_load(workspace, copies, s->values);
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

START_TEST(no_value_is_seen_at_or_before_its_place)
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
        uint8_t *small = allocate(IMAGES * s->values, 1);

        pxr_graph_subsample(s->graph, images, IMAGES, small);
        pxr_workspace_load(whole, images, IMAGES);
        pxr_workspace_forward(whole, s->parameters);
        pxr_workspace_condition(steps, small, IMAGES);
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

START_TEST(step_by_step_is_as_in_one_pass)
{
        for_both(_i, expect_same_steps);
}
END_TEST

/* --- sizes of the paper's architectures --------------------------------------------------------
 */

static bool ends_with(const char *text, const char *end)
{
        size_t size = strlen(text), tail = strlen(end);

        return size >= tail && strcmp(text + size - tail, end) == 0;
}

/* Parameters of a spec at its own size: with their masked entries and biases, apart from skip
 * connections and learned states. */
struct census {
        size_t counted, skips, states;
};

static struct census census_of(const char *name, struct pxr_image_kind kind)
{
        const struct pxr_model *model =
                pxr_model_build(arena, plugins, model_of(name), &kind, diag);
        struct census census = { 0 };

        ck_assert_msg(model != NULL, "%s: %s", name, pxr_diag_text(diag, 0));
        for (const struct pxr_parameter *p = model->graph->parameter; p; p = p->next)
                if (strstr(p->name, ".skip."))
                        census.skips += p->size;
                else if (ends_with(p->name, ".initial_state") ||
                         ends_with(p->name, ".initial_cell"))
                        census.states += p->size;
                else
                        census.counted += p->size;
        ck_assert_uint_eq(census.counted + census.skips + census.states,
                          model->graph->parameter_values);
        return census;
}

/* Of the three numbers the first is the dense count of the architecture by hand, the others are
 * what is not in it. By hand, with h features in a layer and 2h in the stream:
 *
 *     7x7 convolution   49 c 2h + 2h
 *     Diagonal BiLSTM   2 (2h 4h + 2 h 4h + 4h) + h 2h + 2h      each layer
 *     Row LSTM          3 (2h) 4h + 3 h 4h + 4h + h 2h + 2h      each layer
 *     PixelCNN          2h h + h + 9 h h + h + h 2h + 2h         each layer
 *     head, output      2h w + w + w w + w + w o + o
 *
 * with c colours, w features in the head and o logits a pixel. A skip is a 1x1 convolution of the
 * stream, 2h (2h + 1); a scan has a state and a cell of h. */
START_TEST(sizes_are_those_of_the_papers_architectures)
{
        static const struct {
                const char *name;
                struct pxr_image_kind kind;
                struct census census;
        } rows[] = {
                { "cifar_diag.yaml",
                  { 32, 32, 3, 256 },
                  { 8837888, 12 * 256 * 257, 12 * 2 * 2 * 128 } },
                { "cifar_row.yaml", { 32, 32, 3, 256 }, { 9618176, 12 * 256 * 257, 12 * 2 * 128 } },
                { "cifar_pixelcnn.yaml", { 32, 32, 3, 256 }, { 5340416, 15 * 256 * 257, 0 } },
                { "mnist_diag7.yaml", { 28, 28, 1, 2 }, { 65793, 7 * 32 * 33, 7 * 2 * 2 * 16 } },
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct census got = census_of(rows[i].name, rows[i].kind);

                ck_assert_msg(got.counted == rows[i].census.counted &&
                                      got.skips == rows[i].census.skips &&
                                      got.states == rows[i].census.states,
                              "%s: %zu parameters, %zu of skips, %zu of states instead of %zu, "
                              "%zu, %zu",
                              rows[i].name, got.counted, got.skips, got.states,
                              rows[i].census.counted, rows[i].census.skips, rows[i].census.states);
        }
}
END_TEST

/* A case of its own for each spec, named like it. */
static void add_spec(Suite *suite, int number)
{
        TCase *tcase = tcase_create(entry[number]->d_name);

        tcase_add_checked_fixture(tcase, stack_setup, graph_teardown);
        tcase_add_loop_test(tcase, is_certified, number, number + 1);
        tcase_add_loop_test(tcase, no_value_is_seen_at_or_before_its_place, number, number + 1);
        tcase_add_loop_test(tcase, step_by_step_is_as_in_one_pass, number, number + 1);
        tcase_set_timeout(tcase, 120);
        suite_add_tcase(suite, tcase);
}

int main(void)
{
        Suite *suite = suite_create("experiments");

        pxr_blas_single_thread();
        specs = scandir(spec_folder(), &entry, is_spec, alphasort);
        if (specs < 1) {
                printf("Bail out! no specs in %s\n", spec_folder());
                return EXIT_FAILURE;
        }
        for (int i = 0; i < specs; i++)
                add_spec(suite, i);
        ADD_STACK_TEST(suite, sizes_are_those_of_the_papers_architectures);
        return run_suite(suite);
}
