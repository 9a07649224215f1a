/* SPDX-License-Identifier: MIT */
/* check_evaluate.c - the NLL of a split: its sum, its views, what is suspect, the same bits always.
 */
#include <math.h>

#include "stacks.h"
#include "train/evaluate.h"

/* --- views -------------------------------------------------------------------------------------
 */

START_TEST(nats_and_bits_follow_from_the_sum)
{
        struct pxr_nll nll = { .dimensions = 12 };
        const double nats[] = { 3, 5, 10, 2 };

        for (int i = 0; i < 4; i++)
                pxr_nll_add(&nll, nats[i]);
        ck_assert_int_eq(nll.images, 4);
        ck_assert_double_eq(nll.sum, 20);
        ck_assert_double_eq(nll.sum_squares, 138);
        ck_assert_double_eq(pxr_nats_per_image(&nll), 5);
        ck_assert_double_eq_tol(pxr_bits_per_dimension(&nll), 5 / (12 * log(2)), 1e-15);
        /* deviations -2, 0, 5, -3: variance 38/3, standard error of the mean sqrt(38/12) */
        ck_assert_double_eq_tol(pxr_standard_error(&nll), sqrt(38.0 / 12), 1e-14);
}
END_TEST

START_TEST(standard_errors_of_few_and_of_equal_images)
{
        struct pxr_nll nll = { .dimensions = 1 }, same = { 0 };

        ck_assert(isnan(pxr_standard_error(&nll)));
        pxr_nll_add(&nll, 7);
        ck_assert(isnan(pxr_standard_error(&nll)));
        pxr_nll_add(&nll, 7);
        ck_assert_double_eq(pxr_standard_error(&nll), 0);
        for (int i = 0; i < 9998; i++) /* rounding must not make a root of a negative number */
                pxr_nll_add(&nll, 7.1);
        ck_assert(pxr_standard_error(&nll) >= 0 && pxr_standard_error(&nll) < 1e-3);
        for (int image = 0; image < 1017;
             image++) /* of a uniform model, whose sums are not exact */
                pxr_nll_add(&same, 3072 * log(256));
        ck_assert_double_eq(pxr_standard_error(&same), 0);
}
END_TEST

/* --- what is suspect ---------------------------------------------------------------------------
 */

/* `images` images of alternately `nats` - 1 and `nats` + 1. */
static struct pxr_nll alternating(double nats, int images, int64_t dimensions)
{
        struct pxr_nll nll = { .dimensions = dimensions };

        for (int i = 0; i < images; i++)
                pxr_nll_add(&nll, nats + (i % 2 ? 1 : -1));
        return nll;
}

static const char *suspect(double nats, int images, double floor)
{
        const struct pxr_dataset set = { .levels = 2, .floor = floor };
        struct pxr_nll nll = alternating(nats, images, 100);

        return pxr_nll_suspect(&nll, &set);
}

START_TEST(worse_than_uniform_is_suspect)
{
        const double uniform = 100 * log(2);

        ck_assert_str_eq(suspect(uniform + 0.01, 100, NAN), "worse than the uniform distribution");
        ck_assert_ptr_null(suspect(uniform - 0.01, 100, NAN));
        ck_assert_ptr_null(suspect(uniform * (1 + 1e-9), 100, NAN));
}
END_TEST

/* 400 images, standard error 1/20: five of them are 0.25. */
START_TEST(better_than_the_known_floor_is_suspect)
{
        static const char better[] = "better than any model of this data set can be";

        ck_assert_str_eq(suspect(40 - 0.26, 400, 40), better);
        ck_assert_ptr_null(suspect(40 - 0.24, 400, 40));
        ck_assert_ptr_null(suspect(1e-3, 400, NAN));
        /* One image has no standard error: 5 %. */
        ck_assert_str_eq(suspect(40 * 0.94 + 1, 1, 40), better);
        ck_assert_ptr_null(suspect(40 * 0.96 + 1, 1, 40));
}
END_TEST

START_TEST(an_nll_that_is_not_finite_is_suspect)
{
        const struct pxr_dataset set = { .levels = 2, .floor = 10 };
        struct pxr_nll none = { .dimensions = 100 };

        ck_assert_str_eq(suspect(NAN, 10, 10), "not finite");
        ck_assert_str_eq(suspect(INFINITY, 10, 10), "not finite");
        ck_assert_str_eq(suspect(-INFINITY, 10, 10), "not finite");
        ck_assert_str_eq(pxr_nll_suspect(&none, &set), "not finite");
}
END_TEST

/* --- evaluation --------------------------------------------------------------------------------
 */

enum { IMAGES = 101, SIDE = 4, DIMENSIONS = SIDE * SIDE };

static int fail_at; /* the number of the image that cannot be read */

static void write_image(int64_t index, uint8_t *pixels)
{
        struct pxr_random random = pxr_random(4, PXR_RANDOM_TEST, (uint32_t)index, 0, 0);

        for (int i = 0; i < DIMENSIONS; i++)
                pixels[i] = (uint8_t)pxr_random_below(&random, 2);
}

static int read_images(const struct pxr_dataset *set, enum pxr_split split, int64_t epoch,
                       const int64_t *index, int count, uint8_t *pixels, struct pxr_diag *errors)
{
        (void)set;
        (void)split;
        (void)epoch;
        for (int i = 0; i < count; i++) {
                if (index[i] == fail_at)
                        return pxr_system_error(errors, "image %d is gone", fail_at);
                write_image(index[i], pixels + (size_t)i * DIMENSIONS);
        }
        return 0;
}

static struct pxr_dataset test_set(void)
{
        fail_at = -1;
        return (struct pxr_dataset) {
                .name = "test",
                .rows = SIDE,
                .cols = SIDE,
                .colours = 1,
                .levels = 2,
                .count = { 5, 0, IMAGES },
                .entropy = NAN,
                .floor = NAN,
                .read = read_images,
        };
}

static const struct pxr_graph *test_graph(void)
{
        return build_stack((struct pxr_image_kind) { SIDE, SIDE, 1, 2 },
                           "- conv: {mask: A, features: 6}\n"
                           "- residual: [relu, conv: {features: 6}]\n- relu\n- sigmoid\n")
                ->graph;
}

static struct pxr_evaluation evaluation_of(const struct pxr_dataset *set,
                                           const struct pxr_graph *graph)
{
        return (struct pxr_evaluation) {
                .arena = arena,
                .graph = graph,
                .parameters = as_floats(random_parameters(graph, 2), graph->parameter_values),
                .set = set,
                .split = PXR_TEST,
                .micro_batch = 3,
                .threads = 1,
        };
}

/* Each image by itself, in double precision. */
START_TEST(the_nll_is_the_sum_over_single_images)
{
        const struct pxr_dataset set = test_set();
        const struct pxr_graph *graph = test_graph();
        struct pxr_evaluation e = evaluation_of(&set, graph);
        struct pxr_workspace *single = new_workspace(graph, PXR_F64, PXR_FOR_EVALUATION, 1, false);
        struct pxr_nll nll;
        double sum = 0, squares = 0;

        ck_assert_int_eq(pxr_evaluate(&e, &nll, diag), 0);
        for (int i = 0; i < IMAGES; i++) {
                uint8_t pixels[DIMENSIONS];
                double nats = 0;

                write_image(i, pixels);
                pxr_workspace_load(single, pixels, 1);
                pxr_workspace_forward(single, random_parameters(graph, 2));
                pxr_workspace_loss(single, 0, &nats);
                sum += nats;
                squares += nats * nats;
        }
        ck_assert_int_eq(nll.images, IMAGES);
        ck_assert_int_eq(nll.dimensions, DIMENSIONS);
        ck_assert_double_eq_tol(nll.sum, sum, 1e-6 * sum);
        ck_assert_double_eq_tol(nll.sum_squares, squares, 1e-6 * squares);
}
END_TEST

START_TEST(a_model_of_zeros_is_uniform_and_not_suspect)
{
        const struct pxr_dataset set = test_set();
        const struct pxr_graph *graph = test_graph();
        struct pxr_evaluation e = evaluation_of(&set, graph);
        struct pxr_nll nll;

        e.parameters = allocate(graph->parameter_values, sizeof(float));
        ck_assert_int_eq(pxr_evaluate(&e, &nll, diag), 0);
        ck_assert_double_eq_tol(pxr_bits_per_dimension(&nll), 1, 1e-12);
        ck_assert_double_eq_tol(pxr_standard_error(&nll), 0, 1e-5);
        ck_assert_ptr_null(pxr_nll_suspect(&nll, &set));
}
END_TEST

START_TEST(the_bits_do_not_depend_on_threads)
{
        const struct pxr_dataset set = test_set();
        struct pxr_evaluation e = evaluation_of(&set, test_graph());
        struct pxr_nll first, nll;

        ck_assert_int_eq(pxr_evaluate(&e, &first, diag), 0);
        for (int threads = 2; threads <= 5; threads++) {
                e = evaluation_of(&set, e.graph);
                e.threads = threads;
                ck_assert_int_eq(pxr_evaluate(&e, &nll, diag), 0);
                ck_assert(nll.sum == first.sum && nll.sum_squares == first.sum_squares);
                ck_assert_int_eq(nll.images, IMAGES);
        }
}
END_TEST

/* Added up value by value it is the same, whoever computed the values. */
START_TEST(the_nll_is_the_sum_over_values)
{
        const struct pxr_dataset set = test_set();
        struct pxr_evaluation one = evaluation_of(&set, test_graph());
        struct pxr_evaluation three = evaluation_of(&set, one.graph);
        size_t values = pxr_graph_values(one.graph);
        double sum = 0;
        struct pxr_nll nll;

        ck_assert_int_eq(pxr_evaluate(&one, &nll, diag), 0);
        for (size_t i = 0; i < values; i++) {
                ck_assert_double_gt(one.value_nats[i], 0);
                sum += one.value_nats[i];
        }
        ck_assert_double_eq_tol(sum / nll.sum, 1, 1e-12);
        three.threads = 3;
        ck_assert_int_eq(pxr_evaluate(&three, &nll, diag), 0);
        ck_assert_mem_eq(three.value_nats, one.value_nats, values * sizeof(double));
}
END_TEST

/* An image's nats are those of pxr_workspace_loss(), to the bit. */
START_TEST(the_nll_agrees_with_the_training_loss)
{
        const struct pxr_dataset set = test_set();
        struct pxr_evaluation e = evaluation_of(&set, test_graph());
        struct pxr_workspace *workspace =
                new_workspace(e.graph, PXR_F32, PXR_FOR_EVALUATION, 3, false);
        double nats[3] = { 0 };
        uint8_t pixels[3 * DIMENSIONS];
        struct pxr_nll nll, expected;

        e.limit = 3;
        ck_assert_int_eq(pxr_evaluate(&e, &nll, diag), 0);
        for (int i = 0; i < 3; i++)
                write_image(i, pixels + (size_t)i * DIMENSIONS);
        pxr_workspace_load(workspace, pixels, 3);
        pxr_workspace_forward(workspace, e.parameters);
        pxr_workspace_loss(workspace, 0, nats);
        expected = pxr_nll_of(nats, 3);
        ck_assert(nll.sum == expected.sum && nll.sum_squares == expected.sum_squares);
}
END_TEST

/* The memory of one evaluation serves the next, of other parameters and images too. */
START_TEST(a_second_evaluation_uses_the_memory_of_the_first)
{
        const struct pxr_dataset set = test_set();
        struct pxr_evaluation e = evaluation_of(&set, test_graph()), fresh = e;
        const struct pxr_evaluation_memory *memory;
        struct pxr_nll first, again;

        fresh.split = PXR_TRAIN;
        ck_assert_int_eq(pxr_evaluate(&fresh, &first, diag), 0);
        e.parameters = allocate(e.graph->parameter_values, sizeof(float));
        ck_assert_int_eq(pxr_evaluate(&e, &again, diag), 0);
        memory = e.memory;
        e.parameters = fresh.parameters;
        e.split = PXR_TRAIN;
        ck_assert_int_eq(pxr_evaluate(&e, &again, diag), 0);
        ck_assert(again.sum == first.sum && again.sum_squares == first.sum_squares);
        ck_assert_mem_eq(e.value_nats, fresh.value_nats, DIMENSIONS * sizeof(double));
        ck_assert_ptr_eq(e.memory, memory);
}
END_TEST

START_TEST(a_limit_takes_the_first_images)
{
        const struct pxr_dataset set = test_set();
        struct pxr_evaluation e = evaluation_of(&set, test_graph());
        struct pxr_nll nll;

        for (e.limit = 1; e.limit <= 7; e.limit++) {
                ck_assert_int_eq(pxr_evaluate(&e, &nll, diag), 0);
                ck_assert_int_eq(nll.images, e.limit);
        }
        e.limit = 1000;
        ck_assert_int_eq(pxr_evaluate(&e, &nll, diag), 0);
        ck_assert_int_eq(nll.images, IMAGES);
}
END_TEST

static bool stop_after_some(void *context, const struct pxr_progress *progress)
{
        ck_assert_int_eq(progress->all, IMAGES);
        ++*(int *)context;
        return progress->done > 30;
}

START_TEST(the_progress_callback_can_stop_an_evaluation)
{
        const struct pxr_dataset set = test_set();
        struct pxr_evaluation e = evaluation_of(&set, test_graph());
        struct pxr_nll nll;
        int calls = 0;

        e.observer =
                &(const struct pxr_observer) { .context = &calls, .progress = stop_after_some };
        ck_assert_int_eq(pxr_evaluate(&e, &nll, diag), 1);
        ck_assert_int_gt(calls, 1);
        ck_assert_int_lt(nll.images, IMAGES);
}
END_TEST

START_TEST(an_unreadable_image_stops_an_evaluation)
{
        const struct pxr_dataset set = test_set();
        struct pxr_evaluation e = evaluation_of(&set, test_graph());
        struct pxr_nll nll;

        fail_at = 77;
        e.threads = 2;
        ck_assert_int_eq(pxr_evaluate(&e, &nll, diag), -1);
        ck_assert_str_eq(pxr_diag_text(diag, 0), "image 77 is gone");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("evaluate");

        ADD_TEST(suite, nats_and_bits_follow_from_the_sum);
        ADD_TEST(suite, standard_errors_of_few_and_of_equal_images);
        ADD_TEST(suite, worse_than_uniform_is_suspect);
        ADD_TEST(suite, better_than_the_known_floor_is_suspect);
        ADD_TEST(suite, an_nll_that_is_not_finite_is_suspect);
        ADD_STACK_TEST(suite, the_nll_is_the_sum_over_single_images);
        ADD_STACK_TEST(suite, a_model_of_zeros_is_uniform_and_not_suspect);
        ADD_STACK_TEST(suite, the_bits_do_not_depend_on_threads);
        ADD_STACK_TEST(suite, the_nll_is_the_sum_over_values);
        ADD_STACK_TEST(suite, the_nll_agrees_with_the_training_loss);
        ADD_STACK_TEST(suite, a_second_evaluation_uses_the_memory_of_the_first);
        ADD_STACK_TEST(suite, a_limit_takes_the_first_images);
        ADD_STACK_TEST(suite, the_progress_callback_can_stop_an_evaluation);
        ADD_STACK_TEST(suite, an_unreadable_image_stops_an_evaluation);
        return run_suite(suite);
}
