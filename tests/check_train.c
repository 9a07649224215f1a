/* SPDX-License-Identifier: MIT */
/* check_train.c - update rules, schedules, and the step: bits, clipping, averages, masks, memory.
 */
#include "config.h"

#include <stdatomic.h>

#include "reference.h"
#include "settings.h"
#include "experiment/state.h"
#include "train/spike.h"

/* --- counting allocations ----------------------------------------------------------------------
 */

static atomic_long allocations;

/* Under sanitizers malloc() is theirs. */
#ifndef PXR_SANITIZED
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
        allocations++;
        return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
        allocations++;
        return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
        allocations++;
        return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
        allocations++;
        return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
        allocations++;
        *memory = __libc_memalign(alignment, size);
        return *memory ? 0 : 12;
}
#endif

/* --- loss spikes ------------------------------------------------------------
 */

START_TEST(loss_spikes_are_detected_by_the_usual_variation)
{
        struct pxr_usual usual = { 0 };

        /* Of 500 nats under the uniform distribution: an untrained model, which learns. */
        for (int step = 0; step < 300; step++)
                ck_assert(!pxr_is_spike(&usual, 100 + 420 * exp(-step / 9.0), 0.2, 500));
        ck_assert_double_eq_tol(usual.nats, 100, 3);
        ck_assert_double_eq_tol(usual.norm, 0.2, 1e-9);
        ck_assert(!pxr_is_spike(&usual, 250, 1, 500));
        for (int again = 0; again < 5; again++)
                ck_assert(pxr_is_spike(&usual, 1e6, 60, 500)); /* the last as the first */
        ck_assert(usual.nats < 200 && usual.norm < 0.5);
}
END_TEST

START_TEST(only_losses_far_above_the_usual_are_spikes)
{
        struct pxr_usual untrained = { 0 }, sure = { 0 }, density = { 0 };

        ck_assert(!pxr_is_spike(&untrained, 550, 1, 500));
        ck_assert(
                pxr_is_spike(&untrained, 1001, 1, 500)); /* far above uniform, from the first on */
        for (int step = 0; step < 40; step++) {
                ck_assert(!pxr_is_spike(&sure, 0.1, 1, 500));
                ck_assert(!pxr_is_spike(&density, -30, 1, 500));
        }
        ck_assert(!pxr_is_spike(&sure, 20, 1, 500)); /* 200 times as much, and little */
        ck_assert(pxr_is_spike(&sure, 40, 1, 500));
        ck_assert(!pxr_is_spike(&density, -10, 1, 500));
}
END_TEST

/* --- what remains ----------------------------------------------------------
 */

START_TEST(the_time_left_includes_evaluation_and_samples)
{
        struct pxr_dataset set = { .count = { 100, 40, 30 } };
        struct pxr_experiment e = { .set = &set, .steps_per_epoch = 10, .all_steps = 50 };
        struct pxr_trainer trainer = { .step = 0 };
        struct pxr_state state = { .experiment = &e, .trainer = &trainer };
        struct pxr_remaining left;

        e.settings.train.batch = 10;
        e.settings.sample = (struct pxr_sample_settings) { .every = { 25, PXR_STEPS }, .count = 8 };
        e.settings.evaluate.every = (struct pxr_interval) { 2, PXR_EPOCHS };
        e.settings.evaluate.splits = 1 << PXR_VALID | 1 << PXR_TEST;
        left = pxr_images_remaining(
                &e, 0); /* evaluated after steps 20, 40 and 50, drawn after 25 and 50 */
        ck_assert_double_eq(left.trained, 500);
        ck_assert_double_eq(left.evaluated, 3 * 70);
        ck_assert_double_eq(left.drawn, 2 * 8);
        left = pxr_images_remaining(&e, 40);
        ck_assert_double_eq(left.evaluated, 70);
        ck_assert_double_eq(left.drawn, 8);
        /* A part along the way, and all of it for the result; a split at the end alone. */
        e.settings.evaluate.limit = 35;
        e.settings.evaluate.at_end = 1 << PXR_TRAIN;
        left = pxr_images_remaining(&e, 0);
        ck_assert_double_eq(left.evaluated, 3 * (35 + 30) + 40 + 100);
        e.settings.evaluate.every.unit = PXR_NEVER;
        left = pxr_images_remaining(&e, 0);
        ck_assert_double_eq(left.evaluated, 35 + 30 + 40 + 100);
        /* First by guess, then as measured. */
        ck_assert_double_eq_tol(pxr_seconds_remaining(&state, 10), 50 + 205 / 30.0 + 1.6, 1e-9);
        state.evaluated = (struct pxr_measured) { 100, 50 };
        state.drawn = (struct pxr_measured) { 8, 80 };
        ck_assert_double_eq_tol(pxr_seconds_remaining(&state, 10), 50 + 205 / 2.0 + 160, 1e-9);
        ck_assert(isnan(pxr_seconds_remaining(&state, NAN)));
        /* What the last step evaluated in full is not evaluated again, whichever split it is. */
        e.settings.evaluate =
                (struct pxr_evaluate_settings) { .every = { 0, PXR_NEVER },
                                                 .splits = 1 << PXR_TRAIN | 1 << PXR_VALID };
        left = pxr_images_remaining(&e, 0);
        ck_assert_double_eq(left.evaluated, 100 + 40);
}
END_TEST

/* --- trainers ---------------------------------------------------------------
 */

static void free_trainer(void *trainer)
{
        pxr_trainer_free(trainer);
}

static struct pxr_trainer *new_trainer(const struct pxr_graph *graph,
                                       const struct pxr_train_settings *settings, int threads,
                                       int64_t steps)
{
        struct pxr_trainer *trainer = pxr_trainer_new(graph, settings, threads, steps, diag);

        ck_assert_ptr_nonnull(trainer);
        ck_assert_int_eq(pxr_arena_defer(arena, free_trainer, trainer), 0);
        return trainer;
}

static void step(struct pxr_trainer *trainer, const uint8_t *pixels, int images)
{
        ck_assert_msg(!pxr_trainer_step(trainer, pixels, images, diag), "%s",
                      pxr_diag_text(diag, 0));
}

/* image - 3x3 A - relu - 3x3 B - 1x1 B - logits, of more parameters than a worker takes at once. */
static const struct pxr_graph *small_graph(int colours)
{
        struct pxr_builder builder = new_builder(4, 4, colours, 3);
        struct pxr_node *node =
                new_conv(&builder, "a", 3, PXR_MASK_A, 24, 1, builder.graph->node[0]);

        node = new_conv(&builder, "b", 3, PXR_MASK_B, 24, 1, pxr_relu(&builder, node));
        end_graph(&builder, new_conv(&builder, "c", 1, PXR_MASK_B, 3 * colours, 1, node),
                  &pxr_categorical);
        return builder.graph;
}

/* The same with dropout between the last two convolutions. */
static const struct pxr_graph *dropout_graph(void)
{
        struct pxr_builder builder = new_builder(4, 4, 3, 3);
        struct pxr_node *node =
                new_conv(&builder, "a", 3, PXR_MASK_A, 24, 1, builder.graph->node[0]);

        node = pxr_dropout(&builder, 0.5, pxr_relu(&builder, node));
        end_graph(&builder, new_conv(&builder, "c", 1, PXR_MASK_B, 9, 1, node), &pxr_categorical);
        return builder.graph;
}

/* --- the step ----------------------------------------------------------------------------------
 */

/* The gradient of the mean NLL in nats per dimension of a batch, as one micro-batch in double
 * precision. */
static double *whole_gradient(const struct pxr_graph *graph, const float *parameters,
                              const uint8_t *pixels, int images)
{
        double *twice = allocate(graph->parameter_values, sizeof(double));
        double *gradient = allocate(graph->parameter_values, sizeof(double));
        double *nll = allocate(images, sizeof(double));
        struct pxr_workspace *workspace =
                new_workspace(graph, PXR_F64, PXR_FOR_TRAINING, images, false);

        for (size_t i = 0; i < graph->parameter_values; i++)
                twice[i] = parameters[i];
        pxr_workspace_load(workspace, pixels, images);
        pxr_workspace_forward(workspace, twice);
        pxr_workspace_loss(workspace, 1.0 / (images * graph->rows * graph->cols * graph->colours),
                           nll);
        pxr_workspace_backward(workspace, twice, gradient);
        return gradient;
}

/* A batch of 7 in micro-batches of 3, 3 and 1, then one of 5 in 3 and 2. */
START_TEST(a_step_follows_the_gradient_of_the_whole_batch)
{
        const struct pxr_graph *graph = small_graph(3);
        const uint8_t *pixels = random_images(graph, 7, 1);
        struct pxr_trainer *trainer =
                new_trainer(graph,
                            read_settings("{optimizer: {sgd: {rate: 0.5, momentum: 0}}, batch: 7, "
                                          "micro_batch: 3, epochs: 1}"),
                            2, 10);

        for (int images = 7; images >= 5; images -= 2) {
                double *gradient = whole_gradient(graph, trainer->parameters, pixels, images);
                float *before = allocate(trainer->size, sizeof(float));
                double norm = 0;

                memcpy(before, trainer->parameters, trainer->size * sizeof(float));
                step(trainer, pixels, images);
                for (size_t i = 0; i < trainer->size; i++) {
                        norm += gradient[i] * gradient[i];
                        ck_assert_double_eq_tol(trainer->parameters[i],
                                                before[i] - 0.5 * gradient[i], 1e-6);
                }
                ck_assert_double_eq_tol(trainer->gradient_norm, sqrt(norm), 1e-5 * sqrt(norm));
                ck_assert_double_eq(trainer->rate, 0.5);
        }
        ck_assert_int_eq(trainer->step, 2);
}
END_TEST

START_TEST(clipping_scales_the_gradient_to_the_given_norm)
{
        const struct pxr_graph *graph = small_graph(1);
        const uint8_t *pixels = random_images(graph, 4, 1);
        struct pxr_trainer *trainer = new_trainer(
                graph,
                read_settings("{optimizer: {sgd: {rate: 1, momentum: 0}}, batch: 4, clip: 0.01, "
                              "epochs: 1}"),
                1, 10);
        float *before = allocate(trainer->size, sizeof(float));
        double norm = 0;

        memcpy(before, trainer->parameters, trainer->size * sizeof(float));
        step(trainer, pixels, 4);
        for (size_t i = 0; i < trainer->size; i++)
                norm += pow((double)before[i] - trainer->parameters[i], 2);
        ck_assert_double_gt(trainer->gradient_norm, 0.02);
        ck_assert_double_eq_tol(sqrt(norm), 0.01, 1e-5);
}
END_TEST

START_TEST(a_gradient_below_the_limit_is_not_clipped)
{
        const struct pxr_graph *graph = small_graph(1);
        const uint8_t *pixels = random_images(graph, 4, 1);
        const char *const texts[] = { "{batch: 4, epochs: 1}", "{batch: 4, clip: 1e6, epochs: 1}" };
        struct pxr_trainer *trainer[2];

        for (int i = 0; i < 2; i++) {
                trainer[i] = new_trainer(graph, read_settings(texts[i]), 1, 10);
                step(trainer[i], pixels, 4);
        }
        ck_assert_mem_eq(trainer[0]->parameters, trainer[1]->parameters,
                         trainer[0]->size * sizeof(float));
}
END_TEST

/* The decay rises with the steps, (1 + step) / (10 + step), so that early parameters are forgotten.
 */
START_TEST(the_average_follows_the_parameters)
{
        const struct pxr_graph *graph = small_graph(1);
        const uint8_t *pixels = random_images(graph, 4, 1);
        struct pxr_trainer *trainer =
                new_trainer(graph, read_settings("{batch: 4, average: 0.3, epochs: 1}"), 1, 10);
        double *average = allocate(trainer->size, sizeof(double));

        for (size_t i = 0; i < trainer->size; i++)
                average[i] = trainer->parameters[i];
        for (int s = 0; s < 6; s++) {
                double keep = fmin(0.3, (1.0 + s) / (10.0 + s));

                step(trainer, pixels, 4);
                for (size_t i = 0; i < trainer->size; i++) {
                        average[i] = keep * average[i] + (1 - keep) * trainer->parameters[i];
                        ck_assert_double_eq_tol(trainer->average[i], average[i], 1e-6);
                }
        }
        ck_assert_ptr_eq(pxr_trainer_best(trainer), trainer->average);
}
END_TEST

static void check_threads(const struct pxr_graph *graph, const char *precision)
{
        struct pxr_trainer *trainer[3];
        char *text = pxr_strf(arena,
                              "{optimizer: {adam: {rate: 0.01}}, batch: 11, micro_batch: 2, "
                              "clip: 0.5, average: 0.9, epochs: 1, precision: %s}",
                              precision);

        for (int i = 0; i < 3; i++) {
                trainer[i] = new_trainer(graph, read_settings(text), i + 1, 10);
                ck_assert_int_eq(trainer[i]->threads, i + 1);
                for (int s = 0; s < 5; s++)
                        step(trainer[i], random_images(graph, 11, s), 11 - s);
        }
        for (int i = 1; i < 3; i++) {
                size_t bytes = trainer[0]->size * sizeof(float);

                ck_assert_mem_eq(trainer[i]->parameters, trainer[0]->parameters, bytes);
                ck_assert_mem_eq(trainer[i]->average, trainer[0]->average, bytes);
                ck_assert_mem_eq(trainer[i]->moment[0], trainer[0]->moment[0], bytes);
                ck_assert_mem_eq(trainer[i]->moment[1], trainer[0]->moment[1], bytes);
                ck_assert_mem_eq(trainer[i]->nll, trainer[0]->nll, 7 * sizeof(double));
                ck_assert(trainer[i]->gradient_norm == trainer[0]->gradient_norm);
        }
}

START_TEST(the_bits_do_not_depend_on_threads)
{
        check_threads(small_graph(3), "f32");
        check_threads(small_graph(3), "bf16");
        check_threads(dropout_graph(), "f32");
        check_threads(dropout_graph(), "bf16");
}
END_TEST

static void check_recomputing(const struct pxr_graph *graph)
{
        struct pxr_trainer *trainer[2];

        for (int i = 0; i < 2; i++) {
                trainer[i] = new_trainer(
                        graph,
                        read_settings(i ? "{batch: 5, micro_batch: 2, epochs: 1, recompute: true}"
                                        : "{batch: 5, micro_batch: 2, epochs: 1}"),
                        2, 10);
                for (int s = 0; s < 3; s++)
                        step(trainer[i], random_images(graph, 5, s), 5);
        }
        ck_assert_mem_eq(trainer[0]->parameters, trainer[1]->parameters,
                         trainer[0]->size * sizeof(float));
        ck_assert_uint_lt(pxr_trainer_bytes(graph, trainer[1]->settings, 2),
                          pxr_trainer_bytes(graph, trainer[0]->settings, 2));
}

START_TEST(recomputing_activations_changes_no_bit)
{
        check_recomputing(small_graph(3));
        check_recomputing(dropout_graph());
}
END_TEST

START_TEST(a_step_allocates_nothing)
{
        const struct pxr_graph *graph = small_graph(3);
        const uint8_t *pixels = random_images(graph, 8, 1);
        struct pxr_trainer *trainer = new_trainer(
                graph, read_settings("{batch: 8, micro_batch: 2, average: 0.9, epochs: 1}"), 2, 10);
        long before;
        int status = 0;

        /* Threads, and the BLAS's buffers, are made once. */
        for (int s = 0; s < 2; s++)
                step(trainer, pixels, 8);
#ifndef PXR_SANITIZED
        ck_assert_int_gt(allocations, 0);
#endif
        before = allocations; /* not between: Check allocates too */
        for (int s = 0; s < 4; s++)
                status |= pxr_trainer_step(trainer, pixels, 8 - s, diag);
        before = allocations - before;
        ck_assert_int_eq(status, 0);
#ifndef __clang__ /* whose OpenMP runtime allocates at every parallel loop */
        ck_assert_int_eq(before, 0);
#endif
}
END_TEST

/* --- masks -------------------------------------------------------------------------------------
 */

struct masked {
        const char *name;
        int mask, kernel, inputs, outputs, gates;
};

/* A weight is live, or exactly zero. */
static void expect_masked(const struct pxr_trainer *trainer, const struct masked *conv)
{
        const struct pxr_graph *graph = trainer->graph;
        const struct pxr_parameter *p =
                find_parameter(graph, pxr_strf(arena, "layers.0.test.%s.weight", conv->name));
        int live = 0, moved = 0;

        ck_assert_int_eq(p->shape[0], conv->kernel);
        ck_assert_int_eq(p->shape[2], conv->inputs);
        for (size_t i = 0; i < p->size; i++) {
                int out = (int)(i % conv->outputs), in = (int)(i / conv->outputs) % conv->inputs;
                int tap = (int)(i / conv->outputs / conv->inputs);
                float w = trainer->parameters[p->offset + i];

                if (is_live(conv->mask, conv->kernel, graph->colours, conv->inputs, conv->outputs,
                            conv->gates, tap / conv->kernel, tap % conv->kernel, in, out)) {
                        live++;
                        moved += w != 0;
                        continue;
                }
                ck_assert_msg(w == 0, "%s[%zu] is %g", p->name, i, w);
                ck_assert(!trainer->average || trainer->average[p->offset + i] == 0);
        }
        ck_assert_int_eq(moved, live);
}

static void expect_masks_kept(int colours, const char *optimizer)
{
        const struct masked convs[] = {
                { "a", PXR_MASK_A, 5, colours, 7, 1 },
                { "b", PXR_MASK_B, 3, 7, 6, 1 },
                { "gates", PXR_MASK_B, 3, 6, 2 * colours, colours == 1 ? 2 : 3 },
        };
        struct pxr_builder builder = new_builder(5, 5, colours, 2);
        struct pxr_node *node = builder.graph->node[0];
        struct pxr_trainer *trainer;

        for (int i = 0; i < 3; i++)
                node = new_conv(&builder, convs[i].name, convs[i].kernel, convs[i].mask,
                                convs[i].outputs, convs[i].gates, node);
        end_graph(&builder, node, &pxr_categorical);
        trainer = new_trainer(
                builder.graph,
                read_settings(pxr_strf(arena, "{optimizer: %s, batch: 4, average: 0.5, epochs: 1}",
                                       optimizer)),
                2, 10);
        for (int s = 0; s < 5; s++)
                step(trainer, random_images(builder.graph, 4, s), 4);
        for (int i = 0; i < 3; i++)
                expect_masked(trainer, &convs[i]);
}

START_TEST(masked_weights_stay_zero_during_training)
{
        for (int colours = 1; colours <= 3; colours += 2) {
                expect_masks_kept(colours, "{rmsprop: {momentum: 0.9}}");
                expect_masks_kept(colours, "adam");
                expect_masks_kept(colours, "sgd");
        }
}
END_TEST

/* 0 / (sqrt(0) + epsilon) must stay 0, whatever epsilon a spec may ask for. */
START_TEST(the_smallest_epsilon_keeps_masked_weights_zero)
{
        expect_masks_kept(1, "{rmsprop: {epsilon: 1e-20}}");
        expect_masks_kept(3, "{adam: {epsilon: 1e-20}}");
}
END_TEST

/* --- what is not finite ------------------------------------------------------------------------
 */

START_TEST(a_nan_gradient_stops_the_step_and_keeps_the_state)
{
        const struct pxr_graph *graph = small_graph(1);
        struct pxr_trainer *trainer =
                new_trainer(graph, read_settings("{batch: 4, epochs: 1}"), 2, 10);
        const struct pxr_parameter *p = find_parameter(graph, "layers.0.test.b.bias");
        float *before = allocate(trainer->size, sizeof(float));

        step(trainer, random_images(graph, 4, 1), 4);
        trainer->parameters[p->offset] = INFINITY;
        memcpy(before, trainer->parameters, trainer->size * sizeof(float));
        ck_assert_int_eq(pxr_trainer_step(trainer, random_images(graph, 4, 1), 3, diag), -1);
        ck_assert_str_eq(
                pxr_diag_text(diag, 0),
                "training stopped at step 2: layers.0.test: the output of its op 'conv' is "
                "not finite (NaN or infinity)");
        ck_assert_mem_eq(trainer->parameters, before, trainer->size * sizeof(float));
        ck_assert_int_eq(trainer->step, 1);
}
END_TEST

/* Of 64 micro-batches, the second of three ranks has 22 to 42: sums of 22-23, 24-31, 32-39, 40-41
 * and 42 are left, for the tree adds each to some of another rank's. */
START_TEST(ranks_have_one_sum_left_where_whole_subtrees_are_theirs)
{
        ck_assert_int_eq(pxr_exchange_sums(1, 7), 1);
        ck_assert_int_eq(pxr_exchange_sums(4, 64), 1);
        ck_assert_int_eq(pxr_exchange_sums(64, 16), 1);
        ck_assert_int_eq(pxr_exchange_sums(3, 64), 5);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("train");

        ADD_TEST(suite, ranks_have_one_sum_left_where_whole_subtrees_are_theirs);
        ADD_TEST(suite, loss_spikes_are_detected_by_the_usual_variation);
        ADD_TEST(suite, only_losses_far_above_the_usual_are_spikes);
        ADD_TEST(suite, the_time_left_includes_evaluation_and_samples);
        ADD_GRAPH_TEST(suite, a_step_follows_the_gradient_of_the_whole_batch);
        ADD_GRAPH_TEST(suite, clipping_scales_the_gradient_to_the_given_norm);
        ADD_GRAPH_TEST(suite, a_gradient_below_the_limit_is_not_clipped);
        ADD_GRAPH_TEST(suite, the_average_follows_the_parameters);
        ADD_GRAPH_TEST(suite, the_bits_do_not_depend_on_threads);
        ADD_GRAPH_TEST(suite, recomputing_activations_changes_no_bit);
        ADD_GRAPH_TEST(suite, a_step_allocates_nothing);
        ADD_GRAPH_TEST(suite, masked_weights_stay_zero_during_training);
        ADD_GRAPH_TEST(suite, the_smallest_epsilon_keeps_masked_weights_zero);
        ADD_GRAPH_TEST(suite, a_nan_gradient_stops_the_step_and_keeps_the_state);
        return run_suite(suite);
}
