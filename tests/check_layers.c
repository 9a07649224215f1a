/* SPDX-License-Identifier: MIT */
/*
 * check_layers.c - layers that are not in the paper, against plain loops written from the equations
 * of the papers that they are from.
 */
#include "codec/codec.h"
#include "stack_reference.h"
#include "tensor/dependency.h"

static const struct pxr_image_kind grey = { 5, 4, 1, 4 }, colour = { 4, 5, 3, 3 };

static double sigmoid(double x)
{
        return 1 / (1 + exp(-x));
}

/* --- gated convolutions ------------------------------------------------------------------------
 */

enum { GATED = 6, GATED_LAYERS = 3 };

/* y += the convolution of `x` by the parameter `part`: kernel height x width, its centre at the
 * pixel, without the taps below row `last`, counted from the pixel's. */
static void add_rows_conv(const struct stack *s, const char *part, const struct map *x, int height,
                          int width, int last, struct map *y)
{
        int outputs;
        const double *weight =
                values_of(s, "layers.0.gated_conv", pxr_strf(arena, "%s.weight", part), &outputs);

        for (int row = 0; row < y->rows; row++)
                for (int col = 0; col < y->cols; col++)
                        for (int i = 0; i < height * width * x->channels * outputs; i++) {
                                int out = i % outputs, in = i / outputs % x->channels;
                                int tap = i / outputs / x->channels, up = tap / width - height / 2;

                                if (up <= last)
                                        *at(y, row, col, out) +=
                                                weight[i] * padded(x, row + up,
                                                                   col + tap % width - width / 2,
                                                                   in);
                        }
}

static void add_bias(const struct stack *s, const char *part, struct map *y)
{
        const double *bias =
                values_of(s, "layers.0.gated_conv", pxr_strf(arena, "%s.bias", part), NULL);

        for (int i = 0; i < y->rows * y->cols * y->channels; i++)
                y->value[i] += bias[i % y->channels];
}

/* The same by a masked convolution of one row, whose mask a square kernel of zeros round it has. */
static void add_row_conv(const struct stack *s, const char *part, const struct map *x, int mask,
                         int kernel, int gates, struct map *y)
{
        int outputs;
        const double *weight =
                values_of(s, "layers.0.gated_conv", pxr_strf(arena, "%s.weight", part), &outputs);
        int row = kernel * x->channels * outputs;
        double *square = allocate((size_t)kernel * row, sizeof(double));
        struct map product;

        memcpy(square + kernel / 2 * row, weight, row * sizeof(double));
        product = masked_conv(x, square, NULL, mask, kernel, s->graph->colours, outputs, gates);
        add_map(y, &product);
}

static struct map gated(const struct map *x)
{
        struct map y = new_map(x->rows, x->cols, x->channels / 2);

        for (int row = 0; row < y.rows; row++)
                for (int col = 0; col < y.cols; col++)
                        for (int i = 0; i < y.channels; i++)
                                *at(&y, row, col, i) = tanh(*at(x, row, col, i)) *
                                                       sigmoid(*at(x, row, col, y.channels + i));
        return y;
}

static void expect_gated(struct pxr_image_kind kind)
{
        struct stack s = run_stack(kind, "- gated_conv: {features: 6, layers: 3, first_kernel: 5}\n"
                                         "- softmax\n");

        for (int image = 0; image < IMAGES; image++) {
                struct map v = image_of(&s, image, 1), h = v;

                for (int i = 0; i < GATED_LAYERS; i++) {
                        const char *vertical = pxr_strf(arena, "%d.vertical", i);
                        const char *horizontal = pxr_strf(arena, "%d.horizontal", i);
                        const char *output = pxr_strf(arena, "%d.output", i);
                        struct map v_gates = new_map(kind.rows, kind.cols, 2 * GATED);
                        struct map h_gates = new_map(kind.rows, kind.cols, 2 * GATED);
                        struct map next = new_map(kind.rows, kind.cols, GATED), gate;
                        int kernel = i ? 3 : 5;

                        add_rows_conv(&s, vertical, &v, kernel, kernel, i ? 0 : -1, &v_gates);
                        add_bias(&s, vertical, &v_gates);
                        add_row_conv(&s, horizontal, &h, i ? PXR_MASK_B : PXR_MASK_A, kernel, 2,
                                     &h_gates);
                        add_bias(&s, horizontal, &h_gates);
                        add_rows_conv(&s, pxr_strf(arena, "%d.across", i), &v_gates, 1, 1, 0,
                                      &h_gates);
                        gate = gated(&h_gates);
                        add_row_conv(&s, output, &gate, PXR_MASK_B, 1, 1, &next);
                        add_bias(&s, output, &next);
                        if (i)
                                add_map(&next, &h);
                        v = gated(&v_gates);
                        h = next;
                }
                expect_made(&s, "layers.0.gated_conv", image, &h);
        }
}

START_TEST(gated_convolutions_match_the_reference)
{
        expect_gated(grey);
        expect_gated(colour);
}
END_TEST

/* --- activations, normalization ----------------------------------------------------------------
 */

/* The value of `function` at x, by its definition. */
static double activation(const char *function, double x)
{
        if (strcmp(function, "elu") == 0)
                return x > 0 ? x : expm1(x);
        if (strcmp(function, "silu") == 0)
                return x * sigmoid(x);
        return 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

START_TEST(activations_match_the_reference)
{
        static const char *const function[] = { "elu", "gelu", "silu" };

        for (size_t i = 0; i < PXR_COUNT(function); i++) {
                struct stack s =
                        run_stack(colour, pxr_strf(arena,
                                                   "- conv: {mask: A, kernel: 3, features: "
                                                   "7}\n- activation: %s\n- softmax\n",
                                                   function[i]));
                struct map x = image_of(&s, 0, 1);

                x = convolved(&s, "layers.0.conv", &x, PXR_MASK_A, 3);
                for (int k = 0; k < x.rows * x.cols * x.channels; k++)
                        x.value[k] = activation(function[i], x.value[k]);
                expect_made(&s, "layers.1.activation", 0, &x);
        }
}
END_TEST

/* Each colour's values, by the mean and the variance of its own and of earlier colours'. */
static void normalize(const struct stack *s, int colours, struct map *x)
{
        const double *scale = values_of(s, "layers.1.layer_norm", "scale", NULL);
        const double *shift = values_of(s, "layers.1.layer_norm", "shift", NULL);
        struct map y = new_map(x->rows, x->cols, x->channels);

        for (int i = 0; i < x->rows * x->cols * x->channels; i++) {
                int channel = i % x->channels, count = 0;
                double sum = 0, squares = 0;

                for (int k = 0; k < x->channels; k++)
                        if (group_of(k, x->channels, colours) <=
                            group_of(channel, x->channels, colours)) {
                                sum += x->value[i - channel + k];
                                squares += pow(x->value[i - channel + k], 2);
                                count++;
                        }
                y.value[i] =
                        shift[channel] + scale[channel] * (x->value[i] - sum / count) /
                                                 sqrt(squares / count - pow(sum / count, 2) + 1e-5);
        }
        *x = y;
}

START_TEST(normalization_matches_the_reference)
{
        const struct pxr_image_kind kinds[] = { grey, colour };

        for (size_t i = 0; i < PXR_COUNT(kinds); i++) {
                struct stack s = run_stack(kinds[i], "- conv: {mask: A, kernel: 3, features: 16}\n"
                                                     "- layer_norm\n- softmax\n");
                struct map x = image_of(&s, 1, 1);

                x = convolved(&s, "layers.0.conv", &x, PXR_MASK_A, 3);
                normalize(&s, kinds[i].colours, &x);
                expect_made(&s, "layers.1.layer_norm", 1, &x);
        }
}
END_TEST

START_TEST(normalization_follows_the_stacks_of_gated_conv)
{
        const struct pxr_image_kind kinds[] = { grey, colour };

        for (size_t i = 0; i < PXR_COUNT(kinds); i++) {
                struct stack s = run_stack(
                        kinds[i], "- gated_conv: {features: 6, layers: 2, first_kernel: 3}\n"
                                  "- layer_norm\n- softmax\n");
                const struct pxr_node *stacks = s.model->layer->output;
                struct map x = node_map(s.workspace, PXR_F64, stacks, IMAGES, 1);

                normalize(&s, kinds[i].colours, &x);
                expect_made(&s, "layers.1.layer_norm", 1, &x);
        }
}
END_TEST

static struct pxr_node *build_gates(struct pxr_builder *builder, const void *conf,
                                    struct pxr_node *input)
{
        (void)conf;
        return new_conv(builder, NULL, 3, PXR_MASK_A, 6, 2, input);
}

static const struct pxr_layer gates = { .name = "gates",
                                        .summary = "a convolution that leaves two gates",
                                        .build = build_gates };

START_TEST(normalization_of_single_gates_is_refused)
{
        add_layer(&gates);
        ck_assert_ptr_null(try_stack(grey, "- gates\n- layer_norm\n- softmax\n"));
        ck_assert_msg(strstr(pxr_diag_first_error(diag),
                             "layers.1.layer_norm: layer_norm cannot follow a map that is cut into "
                             "gates") != NULL,
                      "%s", pxr_diag_first_error(diag));
}
END_TEST

/* --- attention ---------------------------------------------------------------------------------
 */

enum { WIDTH = 14, HEADS = 2 }; /* with three colours, some heads have 3 channels and some 2 */

/* The attention of one head of one colour, whose channels are from `first` on, in one pixel. */
static void attend(const struct stack *s, const struct map *q, const struct map *kv, int pixel,
                   int first, int size, int head, struct map *y)
{
        const double *position = values_of(s, "layers.1.causal_attention", "position", NULL);
        int rows = q->rows, cols = q->cols;
        double all = 0;

        for (int from = 0; from < pixel; from++) {
                int up = pixel / cols - from / cols, right = from % cols - pixel % cols;
                double logit = position[(head * rows + up) * (2 * cols - 1) + cols - 1 + right];

                for (int i = 0; i < size; i++)
                        logit += q->value[pixel * WIDTH + first + i] *
                                 kv->value[from * 2 * WIDTH + first + i] / sqrt(size);
                all += exp(logit);
                for (int i = 0; i < size; i++)
                        y->value[pixel * WIDTH + first + i] +=
                                exp(logit) * kv->value[from * 2 * WIDTH + WIDTH + first + i];
        }
        for (int i = 0; i < size && pixel; i++)
                y->value[pixel * WIDTH + first + i] /= all;
}

static void expect_attention(struct pxr_image_kind kind)
{
        struct stack s = run_stack(kind, "- conv: {mask: A, kernel: 3, features: 7}\n"
                                         "- causal_attention: {features: 14, heads: 2}\n"
                                         "- softmax\n");
        const char *path = "layers.1.causal_attention";
        int heads = HEADS * kind.colours;

        for (int image = 0; image < IMAGES; image++) {
                struct map x = image_of(&s, image, 1), q, kv, y, out;

                x = convolved(&s, "layers.0.conv", &x, PXR_MASK_A, 3);
                q = masked_conv(&x, values_of(&s, path, "query.weight", NULL), NULL, PXR_MASK_B, 1,
                                kind.colours, WIDTH, 1);
                kv = masked_conv(&x, values_of(&s, path, "memory.weight", NULL), NULL,
                                 PXR_MASK_NONE, 1, kind.colours, 2 * WIDTH, 1);
                y = new_map(kind.rows, kind.cols, WIDTH);
                for (int number = 0; number < kind.rows * kind.cols * heads; number++) {
                        int part = number % heads;
                        int first = (part * WIDTH + heads - 1) / heads;
                        int end = ((part + 1) * WIDTH + heads - 1) / heads;

                        attend(&s, &q, &kv, number / heads, first, end - first, part % HEADS, &y);
                }
                out = convolved(&s, "layers.1.causal_attention.output", &y, PXR_MASK_B, 1);
                expect_made(&s, path, image, &out);
        }
}

START_TEST(attention_matches_the_reference)
{
        expect_attention(grey);
        expect_attention(colour);
}
END_TEST

/* With features of a pixel that read the pixel itself: what is left out is left out by attention.
 */
START_TEST(attention_reads_all_earlier_pixels_and_no_others)
{
        const struct pxr_graph *graph =
                build_stack(grey, "- causal_attention: {features: 6}\n- softmax\n")->graph;
        const struct pxr_node *attention = graph->node[3];
        int pixels = graph->rows * graph->cols;

        ck_assert_str_eq(attention->op->name, "attention");
        for (int pixel = 0; pixel < pixels; pixel++) {
                unsigned char *seen = allocate(pixels, 1);

                ck_assert_int_eq(pxr_receptive_field(graph, attention, pixel / graph->cols,
                                                     pixel % graph->cols, seen),
                                 0);
                for (int i = 0; i < pixels; i++)
                        ck_assert_int_eq(seen[i], i <= pixel); /* its query reads its own */
        }
}
END_TEST

/* --- the mixture of logistics ------------------------------------------------------------------
 */

enum { MIXED = 3 };

/* The logistic distribution function. */
static long double below(double x, double mean, double log_scale)
{
        return 1 / (1 + expl(-((long double)x - mean) / expl(log_scale)));
}

/* The probability of a value by one logistic, whose mean depends on earlier values by `shift`. */
static double mass(int levels, int value, double mean, double log_scale)
{
        double x = 2.0 * value / (levels - 1) - 1, half = 1.0 / (levels - 1);
        long double low = value ? below(x - half, mean, log_scale) : 0;
        long double high = value < levels - 1 ? below(x + half, mean, log_scale) : 1;

        return high - low;
}

/* The probability of a pixel's three values, as PixelCNN++ defines it: the mean of green is shifted
 * by red, that of blue by red and green. */
static double pixel_probability(const double *logits, const uint8_t *values, int levels)
{
        double sum = 0, weights = 0, x[3];

        for (int c = 0; c < 3; c++)
                x[c] = 2.0 * values[c] / (levels - 1) - 1;
        for (int k = 0; k < MIXED; k++)
                weights += exp(logits[k]);
        for (int k = 0; k < MIXED; k++) {
                const double *p = logits + k; /* [block][component] */
                double green = p[3 * MIXED] + tanh(p[5 * MIXED]) * x[0];
                double blue = p[6 * MIXED] + tanh(p[8 * MIXED]) * x[0] + tanh(p[9 * MIXED]) * x[1];

                sum += exp(p[0]) / weights * mass(levels, values[0], p[MIXED], p[2 * MIXED]) *
                       mass(levels, values[1], green, p[4 * MIXED]) *
                       mass(levels, values[2], blue, p[7 * MIXED]);
        }
        return sum;
}

static const char mixing[] = "- conv: {mask: A, kernel: 3, features: 6}\n"
                             "- mixture_logistic: {components: 3, gain: 1}\n";

/* Each value's NLL adds up to that of its pixel, and is that of the probabilities that images are
 * drawn and coded with. */
START_TEST(a_mixture_of_logistics_matches_the_reference)
{
        struct stack s = run_stack((struct pxr_image_kind) { 4, 5, 3, 9 }, mixing);
        double *nll = allocate(4 * 5 * 3 * IMAGES, sizeof(double));

        pxr_workspace_value_loss(s.workspace, nll);
        for (int i = 0; i < 4 * 5 * IMAGES; i++) {
                int pixel = i / IMAGES, image = i % IMAGES;
                const uint8_t *values = s.pixels + (image * 4 * 5 + pixel) * 3;
                const double *logits =
                        pxr_workspace_logits(s.workspace, pixel / 5, pixel % 5, 0, image);

                ck_assert_double_eq_tol(nll[3 * i] + nll[3 * i + 1] + nll[3 * i + 2],
                                        -log(pixel_probability(logits, values, 9)), 1e-9);
                for (int c = 0; c < 3; c++) {
                        double p[9], log_p[9], sum = 0;

                        pxr_workspace_probabilities(s.workspace, pixel / 5, pixel % 5, c, image,
                                                    false, p);
                        pxr_workspace_probabilities(s.workspace, pixel / 5, pixel % 5, c, image,
                                                    true, log_p);
                        for (int level = 0; level < 9; level++) {
                                sum += p[level];
                                ck_assert_double_eq_tol(p[level], exp(log_p[level]), 1e-12);
                        }
                        ck_assert_double_eq_tol(sum, 1, 1e-12);
                        ck_assert_double_eq_tol(log_p[values[c]], -nll[3 * i + c], 1e-9);
                }
        }
}
END_TEST

/* The logarithm of what is too small for a double is finite, and so is its gradient. */
START_TEST(a_mixture_of_logistics_stays_finite_far_from_its_means)
{
        struct pxr_workspace *workspace;
        const struct pxr_graph *graph =
                build_stack((struct pxr_image_kind) { 2, 2, 1, 256 }, mixing)->graph;
        double *parameters = random_parameters(graph, 1), nll = 0, log_p[256];
        double *gradient = allocate(graph->parameter_values, sizeof(double));
        const struct pxr_parameter *bias = find_parameter(graph, "layers.1.mixture_logistic.bias");

        for (int k = 0; k < MIXED; k++) {
                parameters[bias->offset + MIXED + k] = -40;
                parameters[bias->offset + 2 * MIXED + k] = -9; /* counts as -7 */
        }
        workspace = new_workspace(graph, PXR_F64, PXR_FOR_TRAINING, 1, true);
        pxr_workspace_load(workspace, (const uint8_t[]) { 255, 254, 1, 255 }, 1);
        pxr_workspace_forward(workspace, parameters);
        pxr_workspace_loss(workspace, 1, &nll);
        pxr_workspace_backward(workspace, parameters, gradient);
        ck_assert(isfinite(nll) && nll > 1e5);
        for (size_t i = 0; i < graph->parameter_values; i++)
                ck_assert(isfinite(gradient[i]));
        pxr_workspace_probabilities(workspace, 0, 0, 0, 0, true, log_p);
        ck_assert(isfinite(log_p[255]) && log_p[255] < -1e4);
        for (int k = 0; k < MIXED; k++)
                ck_assert_double_eq(gradient[bias->offset + 2 * MIXED + k], 0);
}
END_TEST

/* A scale as wide as a float can tell counts as one that is still narrow enough: probabilities are
 * no less than zero and add up to one, to what the codec asks for, and are those of the NLL. */
START_TEST(a_mixture_of_logistics_stays_finite_at_wide_scales)
{
        static const double scales[] = { 11.9, 30, 1e3, 3e38 };
        const struct pxr_graph *graph =
                build_stack((struct pxr_image_kind) { 2, 2, 1, 256 }, mixing)->graph;
        const struct pxr_parameter *bias = find_parameter(graph, "layers.1.mixture_logistic.bias");
        struct pxr_workspace *workspace = new_workspace(graph, PXR_F64, PXR_FOR_TRAINING, 1, true);

        for (size_t i = 0; i < PXR_COUNT(scales); i++) {
                double *parameters = random_parameters(graph, 1), nll = 0, sum = 0;
                double *gradient = allocate(graph->parameter_values, sizeof(double));
                double p[256], log_p[256];
                uint64_t width[256];

                for (int k = 0; k < MIXED; k++)
                        parameters[bias->offset + 2 * MIXED + k] = scales[i];
                pxr_workspace_load(workspace, (const uint8_t[]) { 255, 254, 1, 0 }, 1);
                pxr_workspace_forward(workspace, parameters);
                pxr_workspace_loss(workspace, 1, &nll);
                pxr_workspace_backward(workspace, parameters, gradient);
                ck_assert(isfinite(nll));
                for (size_t k = 0; k < graph->parameter_values; k++)
                        ck_assert(isfinite(gradient[k]));
                ck_assert_int_eq(gradient[bias->offset + 2 * MIXED] != 0, i == 0);
                pxr_workspace_probabilities(workspace, 1, 1, 0, 0, false, p);
                pxr_workspace_probabilities(workspace, 1, 1, 0, 0, true, log_p);
                for (int level = 0; level < 256; level++) {
                        sum += p[level];
                        ck_assert(p[level] >= 0);
                        ck_assert_double_eq_tol(p[level], exp(log_p[level]), 1e-12);
                }
                ck_assert_double_eq_tol(sum, 1, 1e-12);
                ck_assert_int_eq(pxr_codec_widths(256, p, width), 0);
        }
}
END_TEST

/* --- dropout -----------------------------------------------------------------------------------
 */

static const char dropping[] = "- conv: {mask: A, kernel: 3, features: 6}\n"
                               "- dropout: 0.25\n"
                               "- softmax\n";

static const struct pxr_training_step step = { .seed = 5, .step = 17, .first_image = 2 };

/* The map of node number `number` in the last of four images, of a pass over those from number
 * `first` on: of a training step if `trains`. */
static struct map dropped(const struct pxr_graph *graph, bool trains, int number, int first)
{
        struct pxr_workspace *workspace =
                new_workspace(graph, PXR_F64, PXR_FOR_TRAINING, 4 - first, true);
        struct pxr_training_step at = step;

        at.first_image += first;
        if (trains)
                pxr_workspace_train(workspace, at);
        pxr_workspace_load(workspace, random_images(graph, 4, 3) + first * pxr_graph_values(graph),
                           4 - first);
        pxr_workspace_forward(workspace, random_parameters(graph, 1));
        return node_map(workspace, PXR_F64, graph->node[number], 4 - first, 3 - first);
}

START_TEST(dropout_zeroes_a_share_of_the_values_and_keeps_their_mean)
{
        const struct pxr_image_kind large = { 40, 50, 1, 4 };
        const struct pxr_graph *graph = build_stack(large, dropping)->graph;
        struct map x = dropped(graph, true, 1, 0), y = dropped(graph, true, 2, 0);
        int size = x.rows * x.cols * x.channels, zeros = 0;

        for (int i = 0; i < size; i++) {
                zeros += y.value[i] == 0;
                if (y.value[i] != 0)
                        ck_assert_double_eq_tol(y.value[i], x.value[i] / 0.75, 1e-12);
        }
        ck_assert_double_eq_tol(zeros / (double)size, 0.25, 5 * sqrt(0.25 * 0.75 / size));
}
END_TEST

START_TEST(dropout_does_not_depend_on_the_micro_batch)
{
        const struct pxr_graph *graph = build_stack(colour, dropping)->graph;
        struct map whole = dropped(graph, true, 2, 0), part = dropped(graph, true, 2, 3);

        expect_same_map(&part, &whole, 1e-12, "dropout");
}
END_TEST

START_TEST(dropout_does_nothing_outside_training)
{
        const struct pxr_graph *graph = build_stack(colour, dropping)->graph;
        struct map x = dropped(graph, false, 1, 0), y = dropped(graph, false, 2, 0);

        expect_same_map(&y, &x, 0, "dropout");
}
END_TEST

/* The NLL of two images in a training step, and its gradient unless that is NULL. */
static double nll_in_training(const struct pxr_graph *graph, const double *parameters,
                              double *gradient)
{
        struct pxr_workspace *workspace = new_workspace(graph, PXR_F64, PXR_FOR_TRAINING, 2, true);
        double nll[2] = { 0 };

        pxr_workspace_train(workspace, step);
        pxr_workspace_load(workspace, random_images(graph, 2, 3), 2);
        pxr_workspace_forward(workspace, parameters);
        pxr_workspace_loss(workspace, 1, nll);
        if (gradient)
                pxr_workspace_backward(workspace, parameters, gradient);
        return nll[0] + nll[1];
}

/* The gradient of a training step agrees with differences of the NLL of the same step. */
static void expect_training_gradient(const struct pxr_graph *graph)
{
        double *parameters = random_parameters(graph, 1);
        double *gradient = allocate(graph->parameter_values, sizeof(double));

        nll_in_training(graph, parameters, gradient);
        for (size_t i = 0; i < graph->parameter_values; i += 7) {
                double kept = parameters[i], slope;

                parameters[i] = kept + 1e-5;
                slope = nll_in_training(graph, parameters, NULL);
                parameters[i] = kept - 1e-5;
                slope = (slope - nll_in_training(graph, parameters, NULL)) / 2e-5;
                parameters[i] = kept;
                ck_assert_double_eq_tol(gradient[i], slope, 1e-6 * (1 + fabs(slope)));
        }
}

START_TEST(the_gradient_of_dropout_is_that_of_the_values_it_kept)
{
        expect_training_gradient(build_stack(grey, dropping)->graph);
}
END_TEST

/* --- made --------------------------------------------------------------------------------------
 */

static const struct pxr_image_kind binary = { 5, 4, 1, 2 };
static const char cycling[] = "- made: {hidden: 30, masks: 3}\n";

/* The probabilities of white that one image has after earlier values: in a training step, or, if
 * `at` is negative, otherwise. */
static void probabilities_at(const struct pxr_graph *graph, int at, double *p)
{
        struct pxr_workspace *workspace = new_workspace(graph, PXR_F64, PXR_FOR_TRAINING, 1, true);
        struct map logits;

        if (at >= 0)
                pxr_workspace_train(workspace, (struct pxr_training_step) { .step = at });
        pxr_workspace_load(workspace, random_images(graph, 1, 3), 1);
        pxr_workspace_forward(workspace, random_parameters(graph, 1));
        logits = node_map(workspace, PXR_F64, graph->node[graph->nodes - 1], 1, 0);
        for (int d = 0; d < logits.rows * logits.cols; d++)
                p[d] = 1 / (1 + exp(-logits.value[d]));
}

START_TEST(made_trains_one_network_a_step_in_turn)
{
        const struct pxr_graph *graph = build_stack(binary, cycling)->graph;
        double mean[20], p[4][20];

        probabilities_at(graph, -1, mean);
        for (int at = 0; at < 4; at++)
                probabilities_at(graph, at, p[at]);
        for (int d = 0; d < 20; d++) {
                ck_assert_double_eq_tol((p[0][d] + p[1][d] + p[2][d]) / 3, mean[d], 1e-12);
                ck_assert_double_eq(p[3][d], p[0][d]);
        }
        ck_assert_double_ne(p[1][19], p[0][19]);
}
END_TEST

START_TEST(the_gradient_of_made_is_that_of_the_network_in_turn)
{
        expect_training_gradient(build_stack(binary, cycling)->graph);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("layers");

        ADD_STACK_TEST(suite, gated_convolutions_match_the_reference);
        ADD_STACK_TEST(suite, activations_match_the_reference);
        ADD_STACK_TEST(suite, normalization_matches_the_reference);
        ADD_STACK_TEST(suite, normalization_follows_the_stacks_of_gated_conv);
        ADD_STACK_TEST(suite, normalization_of_single_gates_is_refused);
        ADD_STACK_TEST(suite, attention_matches_the_reference);
        ADD_STACK_TEST(suite, attention_reads_all_earlier_pixels_and_no_others);
        ADD_STACK_TEST(suite, a_mixture_of_logistics_matches_the_reference);
        ADD_STACK_TEST(suite, a_mixture_of_logistics_stays_finite_far_from_its_means);
        ADD_STACK_TEST(suite, a_mixture_of_logistics_stays_finite_at_wide_scales);
        ADD_STACK_TEST(suite, dropout_zeroes_a_share_of_the_values_and_keeps_their_mean);
        ADD_STACK_TEST(suite, dropout_does_not_depend_on_the_micro_batch);
        ADD_STACK_TEST(suite, dropout_does_nothing_outside_training);
        ADD_STACK_TEST(suite, the_gradient_of_dropout_is_that_of_the_values_it_kept);
        ADD_STACK_TEST(suite, made_trains_one_network_a_step_in_turn);
        ADD_STACK_TEST(suite, the_gradient_of_made_is_that_of_the_network_in_turn);
        return run_suite(suite);
}
