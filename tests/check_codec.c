/* SPDX-License-Identifier: MIT */
/*
 * check_codec.c - images come back from their streams, which are as long as the NLL says; and do
 * not, where the model leaks.
 */
#include <math.h>

#include "codec/codec.h"
#include "sample/generate.h"
#include "codec/range_coder.h"
#include "stacks.h"

static const char *const pixel_cnn = "- conv: {mask: A, kernel: 5, features: 9}\n"
                                     "- repeat: 2\n"
                                     "  layers: [residual: [relu, conv: {features: 9}]]\n"
                                     "- relu\n"
                                     "- conv: {kernel: 1, features: 6}\n";
static const char *const row_lstm = "- conv: {mask: A, kernel: 5, features: 6}\n"
                                    "- residual: [row_lstm: {features: 3}, conv: {kernel: 1, "
                                    "features: 6}]\n";
static const char *const diagonal = "- conv: {mask: A, kernel: 5, features: 6}\n"
                                    "- residual: [diagonal_bilstm: {features: 3}, conv: {kernel: "
                                    "1, features: 6}]\n";
/* Layers before the first mask A read the value at their own pixel. */
static const char *const late_mask = "- relu\n"
                                     "- conv: {mask: B, kernel: 3, features: 6}\n"
                                     "- conv: {mask: A, kernel: 3, features: 6}\n";

static const struct pxr_image_kind binary = { 7, 6, 1, 2 }, grey = { 6, 7, 1, 256 },
                                   colour = { 5, 6, 3, 4 };

static const struct pxr_graph *stack(struct pxr_image_kind kind, const char *layers,
                                     const char *end)
{
        return build_stack(kind, pxr_strf(arena, "%s- %s\n", layers, end))->graph;
}

static struct pxr_coding coding_of(const struct pxr_graph *graph, int images, int threads)
{
        return (struct pxr_coding) {
                .graph = graph,
                .parameters = as_floats(random_parameters(graph, 6), graph->parameter_values),
                .images = images,
                .images_per_stream = 2 * PXR_CODEC_GROUP,
                .threads = threads,
        };
}

static size_t size_of(const struct pxr_coding *coding)
{
        const struct pxr_graph *graph = coding->graph;

        return (size_t)coding->images * graph->rows * graph->cols * graph->colours;
}

static size_t total(const struct pxr_streams *streams)
{
        size_t size = 0;

        for (int64_t i = 0; i < streams->count; i++)
                size += streams->stream[i].size;
        return size;
}

static void free_streams(void *streams)
{
        pxr_streams_free(streams);
}

static struct pxr_streams *encode(const struct pxr_coding *coding, const uint8_t *pixels,
                                  double *nats)
{
        struct pxr_streams *streams = allocate(1, sizeof(*streams));
        int status = pxr_encode(coding, pixels, streams, nats, diag);

        ck_assert_int_eq(pxr_arena_defer(arena, free_streams, streams), 0);
        ck_assert_msg(status == 0, "%s", pxr_diag_text(diag, 0));
        return streams;
}

/* The images that a model has drawn are what it is good at. */
static uint8_t *likely_images(const struct pxr_coding *coding)
{
        struct pxr_generation g = { .arena = arena,
                                    .graph = coding->graph,
                                    .parameters = coding->parameters,
                                    .seed = 4,
                                    .count = (int)coding->images,
                                    .threads = 2 };
        uint8_t *pixels = allocate(size_of(coding), 1);

        ck_assert_int_eq(pxr_generate(&g, pixels, diag), 0);
        return pixels;
}

/* Are they decoded to what they were? */
static bool come_back(const struct pxr_coding *coding, const struct pxr_streams *streams,
                      const uint8_t *pixels)
{
        uint8_t *decoded = allocate(size_of(coding), 1);
        int status = pxr_decode(coding, streams, decoded, diag);

        ck_assert(status == 0 || status == PXR_UNDECODABLE);
        ck_assert_int_eq(pxr_diag_errors(diag), 0);
        return status == 0 && memcmp(decoded, pixels, size_of(coding)) == 0;
}

/* Each stream's end is a byte at most. */
static void expect_no_larger(const struct pxr_streams *streams, double nats)
{
        ck_assert_double_le((double)total(streams),
                            nats / M_LN2 / 8 * 1.0005 + (double)streams->count);
}

static void expect_size(const struct pxr_streams *streams, double nats)
{
        double bytes = nats / M_LN2 / 8;

        expect_no_larger(streams, nats);
        ck_assert_double_ge((double)total(streams), bytes * 0.9995 - (double)streams->count);
}

/* No value takes more than 32 bits, which is less than the NLL of what a model finds impossible. */
static void expect_round_trip(struct pxr_image_kind kind, const char *layers, const char *end)
{
        const struct pxr_graph *graph = stack(kind, layers, end);
        const struct pxr_coding coding = coding_of(graph, 37, 1);
        const uint8_t *likely = likely_images(&coding), *random = random_images(graph, 37, 1);
        const struct pxr_streams *streams;
        double nats;

        streams = encode(&coding, likely, &nats);
        expect_size(streams, nats);
        ck_assert(come_back(&coding, streams, likely));
        streams = encode(&coding, random, &nats);
        expect_no_larger(streams, nats);
        ck_assert(come_back(&coding, streams, random));
}

START_TEST(decoding_restores_the_images)
{
        static const char *const stacks[] = { pixel_cnn, row_lstm, diagonal, late_mask };

        for (int i = 0; i < 4; i++) {
                expect_round_trip(binary, stacks[i], "sigmoid");
                expect_round_trip(grey, stacks[i], "softmax");
                expect_round_trip(colour, stacks[i], "softmax");
        }
}
END_TEST

START_TEST(decoding_restores_images_of_the_baselines)
{
        expect_round_trip(binary, "", "nade: {hidden: 5}");
        expect_round_trip(binary, "", "made: {hidden: 20}");
        expect_round_trip(grey, "", "histogram");
        expect_round_trip(colour, "", "uniform");
        expect_round_trip(grey, "", "gaussian");
}
END_TEST

START_TEST(decoding_restores_images_of_a_mixture_of_logistics)
{
        expect_round_trip(binary, pixel_cnn, "mixture_logistic: {components: 3, gain: 1}");
        expect_round_trip(grey, pixel_cnn, "mixture_logistic: {components: 3, gain: 1}");
        expect_round_trip(colour, pixel_cnn, "mixture_logistic: {components: 3, gain: 1}");
}
END_TEST

START_TEST(a_model_of_densities_is_refused)
{
        ck_assert_ptr_null(pxr_codec_misfit(stack(grey, "", "gaussian: discretized")));
        ck_assert_str_eq(pxr_codec_misfit(stack(grey, "", "gaussian: dequantized")),
                         "the model's NLL is that of a density of values with noise added, not of "
                         "probabilities of the levels");
}
END_TEST

START_TEST(any_number_of_images_is_restored)
{
        const struct pxr_graph *graph = stack(colour, pixel_cnn, "softmax");

        for (int images = 1; images < 70; images += images < 30 ? 7 : 15) {
                const struct pxr_coding coding = coding_of(graph, images, 2);
                const uint8_t *pixels = random_images(graph, images, 3);
                double nats;
                const struct pxr_streams *streams = encode(&coding, pixels, &nats);

                ck_assert_int_eq(streams->count, (images + 31) / 32);
                expect_size(streams, nats);
                ck_assert(come_back(&coding, streams, pixels));
        }
}
END_TEST

START_TEST(the_code_does_not_depend_on_threads)
{
        const struct pxr_graph *graph = stack(binary, diagonal, "sigmoid");
        struct pxr_coding coding = coding_of(graph, 120, 1);
        const uint8_t *pixels = likely_images(&coding);
        double nats, others;
        const struct pxr_streams *streams = encode(&coding, pixels, &nats);

        for (coding.threads = 2; coding.threads < 6; coding.threads++) {
                const struct pxr_streams *other = encode(&coding, pixels, &others);

                ck_assert_double_eq(nats, others);
                for (int i = 0; i < 4; i++) {
                        ck_assert_uint_eq(streams->stream[i].size, other->stream[i].size);
                        ck_assert_mem_eq(streams->stream[i].bytes, other->stream[i].bytes,
                                         other->stream[i].size);
                }
                ck_assert(come_back(&coding, streams, pixels));
        }
}
END_TEST

START_TEST(short_images_share_a_stream)
{
        const struct pxr_graph *small =
                stack((struct pxr_image_kind) { 2, 2, 1, 2 }, "", "uniform");
        const struct pxr_graph *large =
                stack((struct pxr_image_kind) { 64, 64, 3, 256 }, "", "uniform");

        ck_assert_int_eq(pxr_images_per_stream(small) % PXR_CODEC_GROUP, 0);
        ck_assert_int_ge(pxr_images_per_stream(small) * 4, 1 << 17);
        ck_assert_int_eq(pxr_images_per_stream(large), PXR_CODEC_GROUP);
        ck_assert_int_eq(pxr_stream_count(0, 16), 0);
        ck_assert_int_eq(pxr_stream_count(16, 16), 1);
        ck_assert_int_eq(pxr_stream_count(17, 16), 2);
}
END_TEST

/* --- what cannot be decoded --------------------------------------------------------------------
 */

START_TEST(other_parameters_do_not_decode)
{
        const struct pxr_graph *graph = stack(colour, pixel_cnn, "softmax");
        struct pxr_coding coding = coding_of(graph, 37, 2);
        const uint8_t *pixels = random_images(graph, 37, 1);
        float *other = allocate(graph->parameter_values, sizeof(float));
        double nats;
        const struct pxr_streams *streams = encode(&coding, pixels, &nats);

        memcpy(other, coding.parameters, graph->parameter_values * sizeof(float));
        for (const struct pxr_parameter *p = graph->parameter; p; p = p->next)
                other[p->offset] += p->rank == 1 ? 0.01F : 0;
        coding.parameters = other;
        ck_assert(!come_back(&coding, streams, pixels));
}
END_TEST

START_TEST(decoding_random_bytes_does_no_harm)
{
        const struct pxr_graph *graph = stack(colour, row_lstm, "softmax");
        const struct pxr_coding coding = coding_of(graph, 20, 1);
        const uint8_t *pixels = random_images(graph, 20, 1);
        double nats;
        struct pxr_streams *streams = encode(&coding, pixels, &nats);
        size_t size = streams->stream[0].size;

        for (size_t i = 0; i < size; i += 7) {
                streams->stream[0].bytes[i] ^= 0x55;
                ck_assert(!come_back(&coding, streams, pixels));
                streams->stream[0].bytes[i] ^= 0x55;
                streams->stream[0].size = i;
                ck_assert(!come_back(&coding, streams, pixels));
                streams->stream[0].size = size;
        }
        memset(streams->stream[0].bytes, 0xff, size);
        ck_assert(!come_back(&coding, streams, pixels));
        ck_assert_int_eq(pxr_diag_errors(diag), 0);
}
END_TEST

static bool note_images(void *context, const struct pxr_progress *progress)
{
        int64_t *most = context;

        ck_assert_int_le(progress->done, progress->all);
        *most = progress->done;
        return false;
}

START_TEST(decoding_ends_at_the_end_of_the_stream)
{
        const struct pxr_graph *graph = stack(colour, pixel_cnn, "softmax");
        struct pxr_coding coding = coding_of(graph, 640, 1);
        int64_t done = 0;
        double nats;
        struct pxr_streams *streams;

        coding.images_per_stream = coding.images;
        coding.observer =
                &(const struct pxr_observer) { .context = &done, .progress = note_images };
        streams = encode(&coding, random_images(graph, 640, 1), &nats);
        ck_assert_int_eq(done, 640);
        streams->stream[0].size = 1;
        ck_assert_int_eq(pxr_decode(&coding, streams, allocate(size_of(&coding), 1), diag),
                         PXR_UNDECODABLE);
        ck_assert_int_eq(done, 0);
}
END_TEST

/* Layers that make of each value, straight away, logits that give it nearly all probability. */
static void look_at(const struct pxr_call *call, size_t first, size_t count)
{
        const float *input = call->input[0];
        float *output = call->output;

        for (size_t i = first; i < first + count; i++)
                output[i] = 12 * input[i];
}

static void look_forward(const struct pxr_call *call)
{
        look_at(call, 0, pxr_map_size(call->node, call->images));
}

static void look_advance(const struct pxr_call *call)
{
        size_t pixel = (size_t)call->row * call->node->shape.cols + call->col;
        size_t size = pxr_pixel_size(call->node, call->images);

        look_at(call, pixel * size, size);
}

/* It says that it reads the pixel to the left. */
static void say_left(const struct pxr_node *node, int row, int col, int colour,
                     struct pxr_dependencies *deps)
{
        (void)node;
        deps->read(deps, 0, row, col - 1, colour);
}

static const struct pxr_op open_leak = { .name = "open_leak",
                                         .kernels = { { look_forward, NULL, look_advance },
                                                      { look_forward, NULL, look_advance } } },
                           lying_leak = { .name = "lying_leak",
                                          .depends = say_left,
                                          .kernels = { { look_forward, NULL, look_advance },
                                                       { look_forward, NULL, look_advance } } },
                           whole_leak = { .name = "whole_leak",
                                          .depends = say_left,
                                          .kernels = { { look_forward, NULL, NULL },
                                                       { look_forward, NULL, NULL } } };

static const struct pxr_graph *graph_of(const struct pxr_op *op,
                                        const struct pxr_distribution *distribution)
{
        struct pxr_builder builder = new_builder(6, 6, 1, 2);
        struct pxr_node *image = builder.graph->node[0];
        struct pxr_node *node = pxr_add_node(
                &builder,
                &(struct pxr_new_node) {
                        .op = op, .shape = image->shape, .inputs = 1, .input = { image } });

        end_graph(&builder, node, distribution);
        return builder.graph;
}

/* Its NLL is next to nothing, and so are the streams; but nothing can be made of them. */
static void expect_undecodable(const struct pxr_op *op)
{
        const struct pxr_graph *graph = graph_of(op, &pxr_bernoulli);
        const struct pxr_coding coding = coding_of(graph, 48, 1);
        const uint8_t *pixels = random_images(graph, 48, 1);
        double nats;
        const struct pxr_streams *streams = encode(&coding, pixels, &nats);

        ck_assert_double_lt(nats / M_LN2, 0.001 * (double)size_of(&coding));
        expect_size(streams, nats);
        ck_assert(!come_back(&coding, streams, pixels));
}

START_TEST(a_model_that_leaks_cannot_be_decoded)
{
        expect_undecodable(&open_leak);
        expect_undecodable(&lying_leak);
        expect_undecodable(&whole_leak);
}
END_TEST

/* Mask B on the image itself, and colours that see each other both ways, as a slip in a spec would
 * have it. */
START_TEST(a_wrong_mask_cannot_be_decoded)
{
        const struct pxr_image_kind kinds[] = { binary, colour };

        for (int i = 0; i < 2; i++) {
                const struct pxr_graph *graph =
                        stack(kinds[i], "- conv: {mask: B, kernel: 3, features: 6}\n", "softmax");
                const struct pxr_coding coding = coding_of(graph, 40, 1);
                const uint8_t *pixels = random_images(graph, 40, 1);
                double nats;
                const struct pxr_streams *streams = encode(&coding, pixels, &nats);

                expect_size(streams, nats);
                ck_assert(!come_back(&coding, streams, pixels));
        }
}
END_TEST

/* The same as a proper layer, without `advance`: whole passes, and the images come back. */
static void left_forward(const struct pxr_call *call)
{
        int cols = call->node->shape.cols, places = call->node->shape.rows * cols;
        const float *input = call->input[0];
        float *output = call->output;

        for (int place = 0; place < places; place++)
                for (int image = 0; image < call->images; image++)
                        output[place * call->images + image] =
                                place % cols ? input[(place - 1) * call->images + image] : 0;
}

static const struct pxr_op left_op = { .name = "left",
                                       .depends = say_left,
                                       .kernels = { { left_forward, NULL, NULL },
                                                    { left_forward, NULL, NULL } } };

START_TEST(models_without_advance_are_coded_by_whole_passes)
{
        const struct pxr_graph *graph = graph_of(&left_op, &pxr_bernoulli);
        const struct pxr_coding coding = coding_of(graph, 20, 1);
        const uint8_t *pixels = likely_images(&coding);
        double nats;
        const struct pxr_streams *streams = encode(&coding, pixels, &nats);

        expect_size(streams, nats);
        ck_assert(come_back(&coding, streams, pixels));
}
END_TEST

/* --- probabilities -----------------------------------------------------------------------------
 */

static int one_channel(int levels)
{
        return levels == 2;
}

static void no_nll(const struct pxr_nll_call *call)
{
        (void)call;
}

static void too_much(int levels, const void *logits, double *probability)
{
        (void)levels, (void)logits;
        probability[0] = 0.6;
        probability[1] = 0.6;
}

static const struct pxr_distribution improper = { .name = "improper",
                                                  .channels = one_channel,
                                                  .nll = { no_nll, no_nll },
                                                  .probabilities = { too_much, too_much },
                                                  .log_probabilities = { too_much, too_much } };

START_TEST(probabilities_that_do_not_sum_to_1_are_refused)
{
        const struct pxr_graph *graph = graph_of(&left_op, &improper);
        const struct pxr_coding coding = coding_of(graph, 20, 2);
        struct pxr_streams streams;
        double nats;

        ck_assert_int_eq(pxr_encode(&coding, random_images(graph, 20, 1), &streams, &nats, diag),
                         -1);
        ck_assert_ptr_nonnull(strstr(pxr_diag_text(diag, 0), "do not add up to 1"));
        ck_assert_int_eq(pxr_diag_errors(diag), 1);
        pxr_streams_free(&streams);
}
END_TEST

/* The Bernoulli NLL times 1.02, or no NLL; its probabilities are unchanged. */
static void overstated(const struct pxr_nll_call *call)
{
        double *given = call->nll;
        double own[PXR_CODEC_GROUP] = { 0 };
        struct pxr_nll_call inner = *call;

        ck_assert_int_le(call->images, PXR_CODEC_GROUP);
        inner.nll = own;
        pxr_bernoulli.nll[PXR_F32](&inner);
        for (int i = 0; i < call->images; i++)
                given[i] += 1.02 * own[i];
}

static void expect_judged(void (*nll)(const struct pxr_nll_call *call), const char *warning)
{
        struct pxr_distribution judged = pxr_bernoulli;
        const struct pxr_graph *graph = graph_of(&left_op, &judged);
        struct pxr_coding coding = coding_of(graph, 640, 1);
        const struct pxr_streams *streams;
        const char *text;
        double nats;

        judged.nll[PXR_F32] = nll;
        coding.images_per_stream = coding.images;
        streams = encode(&coding, random_images(graph, 640, 1), &nats);
        pxr_codec_compare(streams, nats, diag);
        ck_assert_int_eq(pxr_diag_errors(diag), 0);
        text = pxr_diag_text(diag, 0);
        ck_assert_msg(warning ? text && strstr(text, warning) : !text, "%s", text ? text : "");
        pxr_diag_clear(diag);
}

START_TEST(a_code_length_that_differs_from_the_nll_is_an_error)
{
        expect_judged(pxr_bernoulli.nll[PXR_F32], NULL);
        expect_judged(overstated, "it is not that of the model's probabilities");
        expect_judged(no_nll, "it is not the NLL of a causal model");
}
END_TEST

/* A coder's value never costs more than 32 bits; what is all but impossible has a larger NLL. */
static void sure(const struct pxr_call *call)
{
        float *output = call->output;

        for (int i = 0; i < call->node->shape.rows * call->node->shape.cols * call->images; i++)
                output[i] = -800; /* a probability of 0, as a number */
}

static const struct pxr_op sure_op = { .name = "sure",
                                       .depends = say_left,
                                       .kernels = { { sure, NULL, NULL }, { sure, NULL, NULL } } };

START_TEST(almost_impossible_images_are_not_reported_as_a_wrong_nll)
{
        const struct pxr_graph *graph = graph_of(&sure_op, &pxr_bernoulli);
        const struct pxr_coding coding = coding_of(graph, 64, 2);
        double nats;
        const struct pxr_streams *streams = encode(&coding, random_images(graph, 64, 1), &nats);

        ck_assert_double_gt(nats / M_LN2, 4 * 8 * (double)total(streams));
        /* What is spared is all the difference, but for the streams' ends and what they cost. */
        ck_assert_double_eq_tol(streams->spared, nats / M_LN2 - 8 * (double)total(streams),
                                1e-3 * nats);
        pxr_codec_compare(streams, nats, diag);
        ck_assert_ptr_null(pxr_diag_text(diag, 0));
}
END_TEST

static void expect_widths(int levels, const double *probability)
{
        uint64_t width[256], sum = 0;

        ck_assert_int_eq(pxr_codec_widths(levels, probability, width), 0);
        for (int i = 0; i < levels; i++) {
                double share = (double)width[i] / (double)PXR_RANGE_TOTAL;

                ck_assert_uint_gt(width[i], 0);
                ck_assert_double_lt(fabs(share - probability[i]), 1e-6);
                sum += width[i];
        }
        ck_assert_uint_eq(sum, PXR_RANGE_TOTAL);
}

START_TEST(interval_widths_follow_the_probabilities)
{
        struct pxr_random random = pxr_random(2, PXR_RANDOM_TEST, 0, 0, 0);

        expect_widths(2, (double[]) { 0, 1 });
        expect_widths(2, (double[]) { 1, 0 });
        expect_widths(2, (double[]) { 1 - 1e-12, 1e-12 });
        expect_widths(4, (double[]) { 0.25, 0.25, 0.25, 0.25 });
        for (int round = 0; round < 100; round++) {
                double p[256], sum = 0;

                for (int i = 0; i < 256; i++)
                        sum += p[i] = exp(round / 10.0 * pxr_random_normal(&random));
                for (int i = 0; i < 256; i++)
                        p[i] /= sum;
                expect_widths(256, p);
        }
}
END_TEST

START_TEST(invalid_probabilities_are_refused)
{
        uint64_t width[2];

        ck_assert_int_eq(pxr_codec_widths(2, (double[]) { NAN, 0.5 }, width), -1);
        ck_assert_int_eq(pxr_codec_widths(2, (double[]) { 0.5, NAN }, width), -1);
        ck_assert_int_eq(pxr_codec_widths(2, (double[]) { INFINITY, 0.5 }, width), -1);
        ck_assert_int_eq(pxr_codec_widths(2, (double[]) { -0.5, 1.5 }, width), -1);
        ck_assert_int_eq(pxr_codec_widths(2, (double[]) { 0, 0 }, width), -1);
        ck_assert_int_eq(pxr_codec_widths(2, (double[]) { 0.6, 0.5 }, width), -1);
}
END_TEST

static bool stop_at_once(void *context, const struct pxr_progress *progress)
{
        ck_assert_int_le(progress->done, progress->all);
        ++*(int *)context;
        return true;
}

START_TEST(the_progress_callback_can_stop_coding)
{
        const struct pxr_graph *graph = stack(colour, pixel_cnn, "softmax");
        struct pxr_coding coding = coding_of(graph, 200, 2);
        const uint8_t *pixels = random_images(graph, 200, 1);
        uint8_t *decoded = allocate(size_of(&coding), 1);
        struct pxr_streams streams;
        int calls = 0;
        double nats;

        coding.observer =
                &(const struct pxr_observer) { .context = &calls, .progress = stop_at_once };
        ck_assert_int_eq(pxr_encode(&coding, pixels, &streams, &nats, diag), 1);
        ck_assert_int_eq(pxr_decode(&coding, &streams, decoded, diag), 1);
        ck_assert_int_eq(calls, 2);
        pxr_streams_free(&streams);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("codec");

        ADD_STACK_TEST(suite, decoding_restores_the_images);
        ADD_STACK_TEST(suite, decoding_restores_images_of_the_baselines);
        ADD_STACK_TEST(suite, decoding_restores_images_of_a_mixture_of_logistics);
        ADD_STACK_TEST(suite, a_model_of_densities_is_refused);
        ADD_STACK_TEST(suite, any_number_of_images_is_restored);
        ADD_STACK_TEST(suite, the_code_does_not_depend_on_threads);
        ADD_STACK_TEST(suite, short_images_share_a_stream);
        ADD_STACK_TEST(suite, other_parameters_do_not_decode);
        ADD_STACK_TEST(suite, decoding_random_bytes_does_no_harm);
        ADD_STACK_TEST(suite, decoding_ends_at_the_end_of_the_stream);
        ADD_STACK_TEST(suite, a_model_that_leaks_cannot_be_decoded);
        ADD_STACK_TEST(suite, a_wrong_mask_cannot_be_decoded);
        ADD_STACK_TEST(suite, models_without_advance_are_coded_by_whole_passes);
        ADD_STACK_TEST(suite, probabilities_that_do_not_sum_to_1_are_refused);
        ADD_STACK_TEST(suite, a_code_length_that_differs_from_the_nll_is_an_error);
        ADD_STACK_TEST(suite, almost_impossible_images_are_not_reported_as_a_wrong_nll);
        ADD_STACK_TEST(suite, interval_widths_follow_the_probabilities);
        ADD_STACK_TEST(suite, invalid_probabilities_are_refused);
        ADD_STACK_TEST(suite, the_progress_callback_can_stop_coding);
        return run_suite(suite);
}
