/* SPDX-License-Identifier: MIT */
/* check_sample.c - generation: its logits, its law, its independence of threads; grids of images.
 */
#include <math.h>

#include "sample/generate.h"
#include "sample/grid.h"
#include "stacks.h"
#include "tensor/gemm.h"

static const char stack_text[] = "- conv: {mask: A, kernel: 5, features: 9}\n"
                                 "- repeat: 2\n"
                                 "  layers: [residual: [relu, conv: {features: 9}]]\n"
                                 "- relu\n"
                                 "- conv: {kernel: 1, features: 7}\n"
                                 "- softmax\n";

/* PixelCNN, Row LSTM, Diagonal BiLSTM. */
static const char *const architectures[] = {
        stack_text,
        "- conv: {mask: A, kernel: 5, features: 12}\n"
        "- residual: [row_lstm: {features: 6}, conv: {mask: B, kernel: 1, features: 12}]\n"
        "- relu\n"
        "- softmax\n",
        "- conv: {mask: A, kernel: 5, features: 12}\n"
        "- residual: [diagonal_bilstm: {features: 6}, conv: {mask: B, kernel: 1, features: 12}]\n"
        "- relu\n"
        "- softmax\n",
};

enum { ARCHITECTURES = 3 };

static struct pxr_generation generation_of(const struct pxr_graph *graph, int count, int threads)
{
        return (struct pxr_generation) {
                .arena = arena,
                .graph = graph,
                .parameters = as_floats(random_parameters(graph, 6), graph->parameter_values),
                .seed = 11,
                .count = count,
                .threads = threads,
        };
}

static uint8_t *draw(const struct pxr_graph *graph, int count, int threads)
{
        struct pxr_generation g = generation_of(graph, count, threads);
        uint8_t *pixels = allocate((size_t)count * graph->rows * graph->cols * graph->colours, 1);

        ck_assert_int_eq(pxr_generate(&g, pixels, diag), 0);
        return pixels;
}

/* --- logits ------------------------------------------------------------------------------------
 */

/* Every logit, when its value is drawn, is what the evaluator makes of the finished image. */
static void expect_same_logits(struct pxr_image_kind kind, const char *layers)
{
        enum { IMAGES = 5 };
        const struct pxr_graph *graph = build_stack(kind, layers)->graph;
        const uint8_t *pixels = draw(graph, IMAGES, 1);
        size_t values = (size_t)graph->rows * graph->cols * graph->colours;
        float *parameters = as_floats(random_parameters(graph, 6), graph->parameter_values);
        struct pxr_workspace *whole =
                new_workspace(graph, PXR_F32, PXR_FOR_EVALUATION, IMAGES, false);
        struct pxr_workspace *stepwise =
                new_workspace(graph, PXR_F32, PXR_FOR_GENERATION, IMAGES, false);
        double furthest = 0;

        pxr_workspace_load(whole, pixels, IMAGES);
        pxr_workspace_forward(whole, parameters);
        pxr_workspace_begin(stepwise, parameters, IMAGES);
        for (int order = 0; order < (int)values; order++) {
                int pixel = order / kind.colours, colour = order % kind.colours;
                int row = pixel / kind.cols, col = pixel % kind.cols;

                pxr_workspace_advance(stepwise, row, col, colour);
                for (int image = 0; image < IMAGES; image++) {
                        const float *a = pxr_workspace_logits(whole, row, col, colour, image);
                        const float *b = pxr_workspace_logits(stepwise, row, col, colour, image);

                        for (int i = 0; i < kind.levels; i++)
                                furthest = fmax(furthest, fabs(a[i] - b[i]) / (1 + fabs(a[i])));
                        pxr_workspace_set(stepwise, row, col, colour, image,
                                          pixels[image * values + order]);
                }
        }
        ck_assert_double_lt(furthest, 1e-5);
}

START_TEST(generation_has_the_same_logits_as_evaluation)
{
        for (int i = 0; i < ARCHITECTURES; i++) {
                expect_same_logits((struct pxr_image_kind) { 8, 7, 1, 4 }, architectures[i]);
                expect_same_logits((struct pxr_image_kind) { 6, 7, 3, 4 }, architectures[i]);
        }
}
END_TEST

/* Layers before the first mask A read the value at their own pixel, so they must wait until it is
 * drawn. */
START_TEST(layers_before_the_first_mask_read_only_values_already_drawn)
{
        static const char *const layers = "- relu\n"
                                          "- conv: {mask: B, kernel: 3, features: 6}\n"
                                          "- row_lstm: {features: 3}\n"
                                          "- conv: {mask: A, kernel: 3, features: 6}\n"
                                          "- relu\n"
                                          "- conv: {kernel: 1, features: 6}\n"
                                          "- softmax\n";

        expect_same_logits((struct pxr_image_kind) { 6, 6, 1, 4 }, layers);
        expect_same_logits((struct pxr_image_kind) { 5, 6, 3, 4 }, layers);
}
END_TEST

/* The log-likelihood that generation returns for an image, drawn at any temperature and partly
 * known, is that of the evaluation. */
static void expect_same_nats(struct pxr_image_kind kind, const char *layers, double temperature,
                             bool complete)
{
        enum { IMAGES = 19 };
        const struct pxr_graph *graph = build_stack(kind, layers)->graph;
        struct pxr_generation g = generation_of(graph, IMAGES, 2);
        size_t places = (size_t)kind.rows * kind.cols;
        uint8_t *pixels = random_images(graph, IMAGES, 4);
        bool *drawn = allocate(places, sizeof(bool));
        double nats[IMAGES], expected[IMAGES] = { 0 };
        struct pxr_workspace *whole =
                new_workspace(graph, PXR_F32, PXR_FOR_EVALUATION, IMAGES, false);

        for (size_t i = 0; i < places; i++)
                drawn[i] = i % 3 > 0;
        g.drawn = complete ? drawn : NULL;
        g.temperature = temperature;
        g.nats = nats;
        ck_assert_int_eq(pxr_generate(&g, pixels, diag), 0);
        pxr_workspace_load(whole, pixels, IMAGES);
        pxr_workspace_forward(whole, g.parameters);
        pxr_workspace_loss(whole, 0, expected);
        for (int i = 0; i < IMAGES; i++)
                ck_assert_double_eq_tol(nats[i] / expected[i], 1, 1e-6);
}

START_TEST(log_likelihoods_agree_with_the_evaluation)
{
        const struct pxr_image_kind grey = { 6, 7, 1, 4 }, rgb = { 5, 6, 3, 4 };

        for (int i = 0; i < ARCHITECTURES; i++) {
                expect_same_nats(grey, architectures[i], 1, false);
                expect_same_nats(rgb, architectures[i], 1, false);
                expect_same_nats(rgb, architectures[i], 0.5, true);
        }
        expect_same_nats((struct pxr_image_kind) { 4, 5, 1, 2 },
                         "- conv: {mask: A, features: 6}\n- sigmoid\n", 1, false);
}
END_TEST

/* --- the same pictures -------------------------------------------------------------------------
 */

/* 37 images are two groups of 16 and one of 5. */
START_TEST(pictures_do_not_depend_on_threads)
{
        const struct pxr_graph *graph =
                build_stack((struct pxr_image_kind) { 5, 6, 3, 4 }, stack_text)->graph;
        const uint8_t *first = draw(graph, 37, 1);

        for (int threads = 2; threads <= 4; threads++)
                ck_assert_mem_eq(draw(graph, 37, threads), first, 37 * 5 * 6 * 3);
}
END_TEST

START_TEST(whole_passes_draw_the_same_images)
{
        for (int i = 0; i < ARCHITECTURES; i++) {
                const struct pxr_graph *graph =
                        build_stack((struct pxr_image_kind) { 5, 6, 3, 4 }, architectures[i])
                                ->graph;
                struct pxr_generation g = generation_of(graph, 9, 2);
                uint8_t *pixels = allocate((size_t)9 * 5 * 6 * 3, 1);

                g.whole_passes = true;
                ck_assert_int_eq(pxr_generate(&g, pixels, diag), 0);
                ck_assert_mem_eq(pixels, draw(graph, 9, 2), 9 * 5 * 6 * 3);
        }
}
END_TEST

START_TEST(an_image_does_not_depend_on_how_many_are_drawn)
{
        const struct pxr_graph *graph =
                build_stack((struct pxr_image_kind) { 5, 6, 3, 4 }, stack_text)->graph;
        const uint8_t *first = draw(graph, 37, 2);

        for (int count = 1; count < 37; count += 5)
                ck_assert_mem_eq(draw(graph, count, 2), first, (size_t)count * 5 * 6 * 3);
}
END_TEST

static uint64_t images_seen; /* bit i: an advance was called with i images */
static int advances;         /* of one place, or of a few */

static void spy(const struct pxr_call *call)
{
        size_t pixel = pxr_pixel_size(call->node, call->images);
        size_t at = ((size_t)call->row * call->node->shape.cols + call->col) * pixel;

#pragma omp atomic
        images_seen |= (uint64_t)1 << call->images;
#pragma omp atomic
        advances++;
        memcpy((float *)call->output + at, (const float *)call->input[0] + at,
               pixel * sizeof(float));
}

static const struct pxr_op spy_op = { .name = "spy",
                                      .kernels = { { spy, spy, spy }, { spy, spy, spy } } };

static struct pxr_node *spy_build(struct pxr_builder *builder, const void *conf,
                                  struct pxr_node *input)
{
        (void)conf;
        return pxr_add_node(builder, &(struct pxr_new_node) { .op = &spy_op,
                                                              .shape = input->shape,
                                                              .inputs = 1,
                                                              .input = { input } });
}

static const struct pxr_layer spy_layer = { .name = "spy", .summary = "spies", .build = spy_build };

/* Where the bits of a product's row may depend on how many rows there are, the test above could
 * pass by luck: all groups must be computed at one size. Else the images are shared out evenly. */
START_TEST(groups_of_images_are_even_or_full)
{
        const struct pxr_graph *graph;

        add_layer(&spy_layer);
        graph = build_stack((struct pxr_image_kind) { 2, 2, 1, 2 },
                            "- conv: {mask: A, features: 6}\n- spy\n- sigmoid\n")
                        ->graph;
        images_seen = 0;
        draw(graph, 37, 2);
        draw(graph, 1, 1);
        if (pxr_gemm_rows_alone())
                ck_assert_uint_eq(images_seen, 1 << 19 | 1 << 18 | 1 << 1);
        else
                ck_assert_uint_eq(images_seen, (uint64_t)1 << PXR_GENERATION_GROUP);
}
END_TEST

START_TEST(another_seed_gives_other_images)
{
        const struct pxr_graph *graph =
                build_stack((struct pxr_image_kind) { 5, 6, 3, 4 }, stack_text)->graph;
        struct pxr_generation g = generation_of(graph, 1, 1);
        uint8_t other[5 * 6 * 3];

        g.seed++;
        ck_assert_int_eq(pxr_generate(&g, other, diag), 0);
        ck_assert_mem_ne(draw(graph, 1, 1), other, sizeof(other));
}
END_TEST

static bool stop_at_once(void *context, const struct pxr_progress *progress)
{
        ck_assert_int_ge(progress->done, 0);
        ck_assert_int_eq(progress->all, 40 * 30);
        ++*(int *)context;
        return true;
}

START_TEST(the_progress_callback_can_stop_sampling)
{
        const struct pxr_graph *graph =
                build_stack((struct pxr_image_kind) { 5, 6, 3, 4 }, stack_text)->graph;
        struct pxr_generation g = generation_of(graph, 40, 2);
        uint8_t *pixels = allocate(40 * 30 * 3, 1);
        int calls = 0;

        g.observer = &(const struct pxr_observer) { .context = &calls, .progress = stop_at_once };
        ck_assert_int_eq(pxr_generate(&g, pixels, diag), 1);
        ck_assert_int_eq(calls, 1);
        g = generation_of(graph, 0, 2);
        ck_assert_int_eq(pxr_generate(&g, pixels, diag), 0);
}
END_TEST

static bool stop_after_a_row(void *context, const struct pxr_progress *progress)
{
        (void)context;
        return progress->done > 0;
}

/* The groups that have not begun are left alone. */
START_TEST(a_stop_ends_all_groups)
{
        struct pxr_generation g;
        const struct pxr_graph *graph;
        uint8_t *pixels = allocate(40 * 30, 1);
        int whole;

        add_layer(&spy_layer);
        graph = build_stack((struct pxr_image_kind) { 5, 6, 1, 2 },
                            "- conv: {mask: A, features: 6}\n- spy\n- sigmoid\n")
                        ->graph;
        advances = 0;
        draw(graph, 1, 1);
        whole = advances;
        ck_assert_int_gt(whole, 0);
        g = generation_of(graph, 40, 1);
        g.observer = &(const struct pxr_observer) { .progress = stop_after_a_row };
        advances = 0;
        ck_assert_int_eq(pxr_generate(&g, pixels, diag), 1);
        ck_assert_int_eq(advances * 5, whole);
}
END_TEST

/* --- the law -----------------------------------------------------------------------------------
 */

/* The number of an image whose first value changes fastest, and back. */
static int number_of(const uint8_t *pixels, int levels, int values)
{
        int number = 0;

        for (int i = values - 1; i >= 0; i--)
                number = number * levels + pixels[i];
        return number;
}

static void write_image(int number, int levels, int values, uint8_t *pixels)
{
        for (int i = 0; i < values; i++, number /= levels)
                pixels[i] = (uint8_t)(number % levels);
}

/* The exact probability of each image there can be. */
static double *exact_law(const struct pxr_graph *graph, int values, int outcomes)
{
        struct pxr_workspace *workspace =
                new_workspace(graph, PXR_F64, PXR_FOR_EVALUATION, outcomes, false);
        uint8_t *pixels = allocate((size_t)outcomes * values, 1);
        double *law = allocate(outcomes, sizeof(double));

        for (int i = 0; i < outcomes; i++)
                write_image(i, graph->levels, values, pixels + (size_t)i * values);
        pxr_workspace_load(workspace, pixels, outcomes);
        pxr_workspace_forward(workspace, random_parameters(graph, 6));
        pxr_workspace_loss(workspace, 0, law);
        for (int i = 0; i < outcomes; i++)
                law[i] = exp(-law[i]);
        return law;
}

/* Pearson's statistic. Every outcome must be expected often enough for it to mean something. */
static double chi_square(const int *counts, const double *law, int outcomes, int samples)
{
        double sum = 0;

        for (int i = 0; i < outcomes; i++) {
                double expected = law[i] * samples;

                if (expected < 5)
                        ck_abort_msg("outcome %d is expected %g times only", i, expected);
                sum += (counts[i] - expected) * (counts[i] - expected) / expected;
        }
        return sum;
}

/* 20,000 samples fit the model's law, and do not fit the uniform one. `limit` is what the statistic
 * exceeds once in 10,000 times. */
static void expect_law(struct pxr_image_kind kind, const char *text, double limit)
{
        enum { SAMPLES = 20000, MOST = 64 };
        const struct pxr_graph *graph = build_stack(kind, text)->graph;
        int values = kind.rows * kind.cols * kind.colours, outcomes = 1, counts[MOST] = { 0 };
        const uint8_t *pixels = draw(graph, SAMPLES, 2);
        double uniform[MOST];

        for (int i = 0; i < values; i++)
                outcomes *= kind.levels;
        for (int i = 0; i < SAMPLES; i++)
                counts[number_of(pixels + (size_t)i * values, kind.levels, values)]++;
        for (int i = 0; i < outcomes; i++)
                uniform[i] = 1.0 / outcomes;
        ck_assert_double_lt(
                chi_square(counts, exact_law(graph, values, outcomes), outcomes, SAMPLES), limit);
        ck_assert_double_gt(chi_square(counts, uniform, outcomes, SAMPLES), 10 * limit);
}

/* 15 degrees of freedom. */
START_TEST(binary_samples_have_the_models_probabilities)
{
        const struct pxr_image_kind kind = { 2, 2, 1, 2 };

        expect_law(kind, "- conv: {mask: A, features: 6}\n- relu\n- sigmoid\n", 44.3);
        expect_law(kind, "- conv: {mask: A, features: 6}\n- relu\n- softmax\n", 44.3);
}
END_TEST

/* 63 degrees of freedom. */
START_TEST(colour_samples_have_the_models_probabilities)
{
        const struct pxr_image_kind kind = { 1, 1, 3, 4 };

        expect_law(kind, "- conv: {mask: A, features: 6}\n- relu\n- softmax\n", 113.6);
}
END_TEST

/* 7 degrees of freedom. Colours are drawn one by one, from a mixture over whole pixels. */
START_TEST(coupled_colours_have_the_models_probabilities)
{
        const struct pxr_image_kind kind = { 1, 1, 3, 2 };

        expect_law(kind,
                   "- conv: {mask: A, features: 6}\n- relu\n"
                   "- mixture_logistic: {components: 3}\n",
                   30.4);
}
END_TEST

/* The joint counts of two neighbouring values of many images, of one row of pairs each. */
static void count_pairs(const uint8_t *pixels, int images, int cols, int row, int at, int step,
                        int counts[4])
{
        memset(counts, 0, 4 * sizeof(*counts));
        for (int i = 0; i < images; i++) {
                const uint8_t *image = pixels + (size_t)i * cols * cols + row * cols + at;

                counts[2 * image[0] + image[step]]++;
        }
}

/* A model whose weights make each row a Markov chain that starts evenly and keeps its value with
 * p = 1 / (1 + exp(-w)), rows being independent: the law of each pair of neighbours is known. At a
 * temperature w is divided by it. 3 degrees of freedom: more than 21.1 once in 10,000 times. */
static void expect_chain(double temperature)
{
        enum { SAMPLES = 20000, SIDE = 4 };
        const struct pxr_graph *graph =
                build_stack((struct pxr_image_kind) { SIDE, SIDE, 1, 2 },
                            "- conv: {mask: A, kernel: 3, features: 1}\n- sigmoid\n")
                        ->graph;
        struct pxr_generation g = generation_of(graph, SAMPLES, 2);
        float *parameters = allocate(graph->parameter_values, sizeof(float));
        uint8_t *pixels = allocate(SAMPLES * SIDE * SIDE, 1);
        const double w = 0.9, stays = 1 / (1 + exp(-w / temperature));
        const double beside[4] = { stays / 2, (1 - stays) / 2, (1 - stays) / 2, stays / 2 };
        const double below[4] = { 0.25, 0.25, 0.25, 0.25 };
        int counts[4], set = 0;

        for (const struct pxr_parameter *p = graph->parameter; p; p = p->next) {
                if (strcmp(p->name, "layers.0.conv.weight") == 0)
                        parameters[p->offset + 3] = 1, set++; /* of the tap on the left */
                if (strcmp(p->name, "layers.1.sigmoid.weight") == 0)
                        parameters[p->offset] = (float)w, set++;
        }
        ck_assert_int_eq(set, 2);
        g.parameters = parameters;
        g.temperature = temperature;
        ck_assert_int_eq(pxr_generate(&g, pixels, diag), 0);
        for (int at = 0; at < SIDE - 1; at++) {
                count_pairs(pixels, SAMPLES, SIDE, at, at, 1, counts);
                ck_assert_double_lt(chi_square(counts, beside, 4, SAMPLES), 21.1);
                ck_assert_double_gt(chi_square(counts, below, 4, SAMPLES), 211);
                count_pairs(pixels, SAMPLES, SIDE, at, at, SIDE, counts);
                ck_assert_double_lt(chi_square(counts, below, 4, SAMPLES), 21.1);
        }
}

START_TEST(pairs_of_pixels_have_their_joint_probabilities)
{
        expect_chain(1);
}
END_TEST

START_TEST(a_temperature_divides_the_logits)
{
        expect_chain(0.5);
        expect_chain(2.5);
}
END_TEST

START_TEST(temperature_1_changes_nothing)
{
        const struct pxr_graph *graph =
                build_stack((struct pxr_image_kind) { 5, 6, 3, 4 }, stack_text)->graph;
        struct pxr_generation g = generation_of(graph, 20, 1);
        uint8_t *pixels = allocate(20 * 90, 1);

        g.temperature = 1;
        ck_assert_int_eq(pxr_generate(&g, pixels, diag), 0);
        ck_assert_mem_eq(pixels, draw(graph, 20, 1), 20 * 90);
        g.temperature = 1.5;
        ck_assert_int_eq(pxr_generate(&g, pixels, diag), 0);
        ck_assert_mem_ne(pixels, draw(graph, 20, 1), 20 * 90);
}
END_TEST

/* The memory of one draw serves the next, with other parameters and settings too. */
START_TEST(a_second_draw_uses_the_memory_of_the_first)
{
        const struct pxr_graph *graph =
                build_stack((struct pxr_image_kind) { 5, 6, 3, 4 }, stack_text)->graph;
        struct pxr_generation g = generation_of(graph, 20, 2);
        const float *parameters = g.parameters;
        uint8_t *pixels = allocate(20 * 90, 1);
        const struct pxr_generation_memory *memory;

        g.parameters = allocate(graph->parameter_values, sizeof(float));
        g.seed = 7;
        ck_assert_int_eq(pxr_generate(&g, pixels, diag), 0);
        memory = g.memory;
        g.parameters = parameters;
        g.seed = 11;
        ck_assert_int_eq(pxr_generate(&g, pixels, diag), 0);
        ck_assert_mem_eq(pixels, draw(graph, 20, 1), 20 * 90);
        ck_assert_ptr_eq(g.memory, memory);
}
END_TEST

/* Softmax of more than two levels: the probabilities of one pixel. 3 degrees of freedom. */
START_TEST(a_temperature_divides_the_logits_of_a_softmax)
{
        enum { SAMPLES = 20000 };
        const struct pxr_image_kind kind = { 1, 1, 1, 4 };
        const struct pxr_graph *graph =
                build_stack(kind, "- conv: {mask: A, features: 3}\n- softmax\n")->graph;
        struct pxr_generation g = generation_of(graph, SAMPLES, 2);
        uint8_t *pixels = allocate(SAMPLES, 1);
        double *law = exact_law(graph, 1, 4), sum = 0;
        int counts[4] = { 0 };

        g.temperature = 2;
        ck_assert_int_eq(pxr_generate(&g, pixels, diag), 0);
        for (int i = 0; i < SAMPLES; i++)
                counts[pixels[i]]++;
        ck_assert_double_gt(chi_square(counts, law, 4, SAMPLES), 211);
        for (int i = 0; i < 4; i++)
                sum += law[i] = sqrt(law[i]);
        for (int i = 0; i < 4; i++)
                law[i] /= sum;
        ck_assert_double_lt(chi_square(counts, law, 4, SAMPLES), 21.1);
}
END_TEST

/* --- completions -------------------------------------------------------------------------------
 */

/* The upper row being known, the lower one follows the law given it. 3 degrees of freedom. */
START_TEST(completions_have_the_probabilities_given_the_known_pixels)
{
        enum { SAMPLES = 20000 };
        static const bool lower[] = { false, false, true, true };
        const struct pxr_graph *graph =
                build_stack((struct pxr_image_kind) { 2, 2, 1, 2 },
                            "- conv: {mask: A, features: 6}\n- relu\n- sigmoid\n")
                        ->graph;
        const double *law = exact_law(graph, 4, 16);
        struct pxr_generation g = generation_of(graph, SAMPLES, 2);
        uint8_t *pixels = allocate(SAMPLES * 4, 1);

        g.drawn = lower;
        for (int known = 0; known < 4; known++) {
                double given[4], sum = 0;
                int counts[4] = { 0 };

                for (int i = 0; i < SAMPLES; i++)
                        write_image(known, 2, 4, pixels + 4 * i);
                ck_assert_int_eq(pxr_generate(&g, pixels, diag), 0);
                for (int i = 0; i < SAMPLES; i++) {
                        int number = number_of(pixels + 4 * i, 2, 4);

                        ck_assert_int_eq(number % 4, known);
                        counts[number / 4]++;
                }
                for (int i = 0; i < 4; i++)
                        sum += given[i] = law[known + 4 * i];
                for (int i = 0; i < 4; i++)
                        given[i] /= sum;
                ck_assert_double_lt(chi_square(counts, given, 4, SAMPLES), 21.1);
        }
}
END_TEST

/* Pixels before the first unknown one may be anything: what is drawn depends on them alone, so that
 * drawing again what was drawn, given what was drawn before it, gives the same. */
START_TEST(completions_keep_the_known_values)
{
        const struct pxr_graph *graph =
                build_stack((struct pxr_image_kind) { 5, 6, 3, 4 }, stack_text)->graph;
        const uint8_t *whole = draw(graph, 20, 1);
        struct pxr_generation g = generation_of(graph, 20, 2);
        uint8_t *pixels = allocate(20 * 90, 1);
        bool drawn[30];

        for (int i = 0; i < 30; i++)
                drawn[i] = i % 6 >= 2 && i % 6 < 4;
        g.drawn = drawn;
        memcpy(pixels, whole, 20 * 90);
        for (int i = 0; i < 20 * 90; i++)
                if (drawn[i / 3 % 30])
                        pixels[i] = (uint8_t)(3 - pixels[i]); /* must not matter */
        ck_assert_int_eq(pxr_generate(&g, pixels, diag), 0);
        ck_assert_mem_eq(pixels, whole, 20 * 90);
}
END_TEST

/* --- grids -------------------------------------------------------------------------------------
 */

static struct pxr_grid grid_of(int images, int rows, int cols, int colours, int levels)
{
        size_t size = (size_t)images * rows * cols * colours;
        struct pxr_random random = pxr_random(9, PXR_RANDOM_TEST, 0, 0, 0);
        uint8_t *pixels = allocate(size, 1);

        for (size_t i = 0; i < size; i++)
                pixels[i] = (uint8_t)pxr_random_below(&random, levels);
        return (struct pxr_grid) { .pixels = pixels,
                                   .images = images,
                                   .rows = rows,
                                   .cols = cols,
                                   .colours = colours,
                                   .levels = levels };
}

/* A level as a byte: the nearest to its part of 255, as in every PNG that pxr makes. */
static int byte_of(const struct pxr_grid *grid, int image, int row, int col, int colour)
{
        int pixel = (image * grid->rows + row) * grid->cols + col;

        return (int)lround(255.0 * grid->pixels[pixel * grid->colours + colour] /
                           (grid->levels - 1));
}

/* Every image comes back out of the picture, and none that is not in it. */
static void expect_cut(const struct pxr_grid *grid, const struct pxr_picture *picture)
{
        struct pxr_grid other = *grid;
        uint8_t *pixels = allocate((size_t)grid->rows * grid->cols, grid->colours);

        for (int image = 0; image < grid->images; image++) {
                ck_assert(pxr_grid_cut(grid, picture, image, pixels));
                for (int i = 0; i < grid->rows * grid->cols * grid->colours; i++)
                        ck_assert_int_eq(pixels[i], byte_of(grid, image, 0, i / grid->colours,
                                                            i % grid->colours));
        }
        ck_assert(!pxr_grid_cut(grid, picture, grid->images, pixels));
        ck_assert(!pxr_grid_cut(grid, picture, -1, pixels));
        other.colours = 4 - grid->colours;
        ck_assert(!pxr_grid_cut(&other, picture, 0, pixels));
        other = *grid;
        other.images += 100;
        ck_assert(!pxr_grid_cut(&other, picture, 0, pixels));
}

/* `across` images in a row, each pixel a square of `zoom`, with grey lines of 2 pixels between. */
static void expect_grid(struct pxr_grid grid, int across, int zoom)
{
        int down = (grid.images + across - 1) / across;
        int wide = grid.cols * zoom + 2, high = grid.rows * zoom + 2;
        size_t size;
        uint8_t *png = pxr_grid_png(&grid, &size, diag);
        const struct pxr_picture *picture;

        ck_assert_ptr_nonnull(png);
        picture = pxr_png_decode(arena, "grid.png", png, size, diag);
        free(png);
        ck_assert_ptr_nonnull(picture);
        ck_assert_int_eq(picture->colours, grid.colours);
        ck_assert_int_eq(picture->cols, across * wide + 2);
        ck_assert_int_eq(picture->rows, down * high + 2);
        for (int row = 0; row < picture->rows; row++)
                for (int col = 0; col < picture->cols; col++)
                        for (int colour = 0; colour < grid.colours; colour++) {
                                int r = row - 2, c = col - 2, expected = 128, got;
                                int image = r / high * across + c / wide;
                                bool on = r >= 0 && c >= 0 && r % high < high - 2 &&
                                          c % wide < wide - 2 && image < grid.images;

                                if (on)
                                        expected = byte_of(&grid, image, r % high / zoom,
                                                           c % wide / zoom, colour);
                                got = picture->pixels[((size_t)row * picture->cols + col) *
                                                              grid.colours +
                                                      colour];
                                if (got != expected)
                                        ck_abort_msg("at (%d, %d): %d instead of %d", row, col, got,
                                                     expected);
                        }
        expect_cut(&grid, picture);
}

START_TEST(a_grid_has_each_pixel_at_its_position)
{
        expect_grid(grid_of(1, 3, 4, 1, 2), 1, 16);
        expect_grid(grid_of(10, 28, 28, 1, 2), 4, 5);
        expect_grid(grid_of(7, 5, 4, 3, 5), 3, 16);
        expect_grid(grid_of(7, 5, 4, 1, 7), 3, 16);
        expect_grid(grid_of(3, 2, 40, 3, 256), 1, 16);
        expect_grid(grid_of(3, 40, 2, 1, 3), 3, 16);
        expect_grid(grid_of(2, 500, 700, 1, 256), 2, 1);
}
END_TEST

/* Seven images in columns of three: the first row has images 0, 3 and 6. */
START_TEST(a_grid_can_be_filled_column_by_column)
{
        struct pxr_grid grid = grid_of(7, 5, 4, 3, 5), rows = grid_of(9, 5, 4, 3, 5);
        const struct pxr_picture *picture[2];
        uint8_t *pixels = allocate(5 * 4, 3);

        grid.down = 3;
        rows.across = 3;
        ck_assert_int_eq(pxr_grid_check(&grid, diag), 0);
        for (int i = 0; i < 2; i++) {
                size_t size;
                uint8_t *png = pxr_grid_png(i ? &rows : &grid, &size, diag);

                picture[i] = pxr_png_decode(arena, "grid.png", png, size, diag);
                free(png);
        }
        expect_cut(&grid, picture[0]);
        ck_assert_int_eq(picture[0]->rows, picture[1]->rows);
        ck_assert_int_eq(picture[0]->cols, picture[1]->cols);
        ck_assert(pxr_grid_cut(&rows, picture[0], 2, pixels)); /* the corner at the top right */
        for (int i = 0; i < 5 * 4 * 3; i++)
                ck_assert_int_eq(pixels[i], byte_of(&grid, 6, 0, i / 3, i % 3));
        ck_assert(pxr_grid_cut(&rows, picture[0], 8, pixels));
        for (int i = 0; i < 5 * 4 * 3; i++)
                ck_assert_int_eq(pixels[i], 128);
}
END_TEST

/* Two rows of three images, the first of each with its lower half hidden. */
START_TEST(a_grid_marks_occluded_pixels)
{
        static const bool hidden[] = { false, false, true, true };
        struct pxr_grid grid = grid_of(6, 2, 2, 3, 4);
        const struct pxr_picture *picture;
        size_t size, plain_size;
        uint8_t *png, *plain;

        grid.across = 3;
        plain = pxr_grid_png(&grid, &plain_size, diag);
        grid.hidden = hidden;
        png = pxr_grid_png(&grid, &size, diag);
        ck_assert(plain && png);
        picture = pxr_png_decode(arena, "a.png", png, size, diag);
        ck_assert_int_eq(picture->cols, 3 * 34 + 2);
        ck_assert_int_eq(picture->rows, 2 * 34 + 2);
        const uint8_t *with = picture->pixels;
        const uint8_t *without = pxr_png_decode(arena, "b.png", plain, plain_size, diag)->pixels;
        for (int row = 0; row < picture->rows; row++)
                for (int col = 0; col < picture->cols; col++) {
                        size_t at = ((size_t)row * picture->cols + col) * 3;
                        bool on = col >= 2 && col < 34 && row % 34 >= 18;

                        if (on)
                                ck_assert(with[at] == with[at + 1] && with[at] == with[at + 2] &&
                                          with[at] > 96 && with[at] < 160);
                        else
                                ck_assert_mem_eq(with + at, without + at, 3);
                }
        free(png);
        free(plain);
}
END_TEST

START_TEST(a_grid_too_large_for_a_png_is_refused)
{
        struct pxr_grid grid = { .images = 3, .rows = 1 << 14, .cols = 1, .across = 1 };

        ck_assert_int_eq(pxr_grid_check(&grid, diag), -1);
        ck_assert_int_eq(pxr_diag_status(diag), PXR_FAULT_USER);
        pxr_diag_clear(diag);
        grid.images = 1;
        ck_assert_int_eq(pxr_grid_check(&grid, diag), 0);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("sample");

        ADD_STACK_TEST(suite, generation_has_the_same_logits_as_evaluation);
        ADD_STACK_TEST(suite, log_likelihoods_agree_with_the_evaluation);
        ADD_STACK_TEST(suite, layers_before_the_first_mask_read_only_values_already_drawn);
        ADD_STACK_TEST(suite, pictures_do_not_depend_on_threads);
        ADD_STACK_TEST(suite, whole_passes_draw_the_same_images);
        ADD_STACK_TEST(suite, an_image_does_not_depend_on_how_many_are_drawn);
        ADD_STACK_TEST(suite, groups_of_images_are_even_or_full);
        ADD_STACK_TEST(suite, another_seed_gives_other_images);
        ADD_STACK_TEST(suite, the_progress_callback_can_stop_sampling);
        ADD_STACK_TEST(suite, a_stop_ends_all_groups);
        ADD_STACK_TEST(suite, binary_samples_have_the_models_probabilities);
        ADD_STACK_TEST(suite, colour_samples_have_the_models_probabilities);
        ADD_STACK_TEST(suite, coupled_colours_have_the_models_probabilities);
        ADD_STACK_TEST(suite, pairs_of_pixels_have_their_joint_probabilities);
        ADD_STACK_TEST(suite, a_temperature_divides_the_logits);
        ADD_STACK_TEST(suite, temperature_1_changes_nothing);
        ADD_STACK_TEST(suite, a_second_draw_uses_the_memory_of_the_first);
        ADD_STACK_TEST(suite, a_temperature_divides_the_logits_of_a_softmax);
        ADD_STACK_TEST(suite, completions_have_the_probabilities_given_the_known_pixels);
        ADD_STACK_TEST(suite, completions_keep_the_known_values);
        ADD_GRAPH_TEST(suite, a_grid_can_be_filled_column_by_column);
        ADD_GRAPH_TEST(suite, a_grid_marks_occluded_pixels);
        ADD_GRAPH_TEST(suite, a_grid_too_large_for_a_png_is_refused);
        ADD_GRAPH_TEST(suite, a_grid_has_each_pixel_at_its_position);
        return run_suite(suite);
}
