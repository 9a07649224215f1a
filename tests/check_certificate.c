/* SPDX-License-Identifier: MIT */
/*
 * check_certificate.c - stacks that leak are refused, with layer, tap and colour; receptive fields
 * are what arithmetic says.
 */
#include "model/certificate.h"
#include "stacks.h"

/* --- layers that leak --------------------------------------------------------------------------
 */

static struct pxr_node *like(struct pxr_builder *builder, const struct pxr_op *op,
                             struct pxr_node *input)
{
        return pxr_add_node(builder, &(struct pxr_new_node) { .op = op,
                                                              .shape = input->shape,
                                                              .inputs = 1,
                                                              .input = { input } });
}

/* A scan from right to left, without the shift by a row that would make it causal:
 * y(r, c) = x(r, c) + y(r, c + 1) / 2. */
static void scan_forward(const struct pxr_call *call)
{
        struct pxr_shape shape = call->node->shape;
        size_t pixel = pxr_pixel_size(call->node, call->images);
        const float *x = call->input[0];
        float *y = call->output;

        for (int row = 0; row < shape.rows; row++)
                for (int col = shape.cols - 1; col >= 0; col--)
                        for (size_t i = 0; i < pixel; i++) {
                                size_t k = ((size_t)row * shape.cols + col) * pixel + i;

                                y[k] = x[k] + (col + 1 < shape.cols ? y[k + pixel] / 2 : 0);
                        }
}

static void scan_depends(const struct pxr_node *node, int row, int col, int colour,
                         struct pxr_dependencies *deps)
{
        (void)node;
        deps->read(deps, 0, row, col, colour);
        deps->read(deps, PXR_SELF, row, col + 1, colour);
}

/* Never called: nothing here is trained. */
static void no_backward(const struct pxr_call *call)
{
        (void)call;
}

#define UNTRAINED(forward_)                         \
        {                                           \
                { forward_, no_backward, NULL },    \
                {                                   \
                        forward_, no_backward, NULL \
                }                                   \
        }

static const struct pxr_op scan_op = {
        .name = "scan",
        .kernels = UNTRAINED(scan_forward),
        .depends = scan_depends,
};

static struct pxr_node *scan_build(struct pxr_builder *builder, const void *conf,
                                   struct pxr_node *input)
{
        (void)conf;
        return like(builder, &scan_op, input);
}

static const struct pxr_layer scan = { .name = "scan", .summary = "leaks", .build = scan_build };

/* The same kernel, declared to read nothing but its own place. */
static const struct pxr_op liar_op = { .name = "liar", .kernels = UNTRAINED(scan_forward) };

static struct pxr_node *liar_build(struct pxr_builder *builder, const void *conf,
                                   struct pxr_node *input)
{
        (void)conf;
        return like(builder, &liar_op, input);
}

static const struct pxr_layer liar = { .name = "liar", .summary = "leaks", .build = liar_build };

/* Features mixed across colours: every channel of a pixel becomes the sum of all. */
static void mix_forward(const struct pxr_call *call)
{
        int channels = call->node->shape.channels;
        size_t size = pxr_map_size(call->node, call->images);
        const float *x = call->input[0];
        float *y = call->output;

        for (size_t i = 0; i < size; i += channels) {
                float sum = 0;

                for (int f = 0; f < channels; f++)
                        sum += x[i + f];
                for (int f = 0; f < channels; f++)
                        y[i + f] = sum;
        }
}

static void mix_depends(const struct pxr_node *node, int row, int col, int colour,
                        struct pxr_dependencies *deps)
{
        (void)colour;
        for (int c = 0; c < node->colours; c++)
                deps->read(deps, 0, row, col, c);
}

static const struct pxr_op mix_op = {
        .name = "mix",
        .kernels = UNTRAINED(mix_forward),
        .depends = mix_depends,
};

static struct pxr_node *mix_build(struct pxr_builder *builder, const void *conf,
                                  struct pxr_node *input)
{
        (void)conf;
        return like(builder, &mix_op, input);
}

static const struct pxr_layer mix = { .name = "mix", .summary = "leaks", .build = mix_build };

static struct pxr_node *unmasked_build(struct pxr_builder *builder, const void *conf,
                                       struct pxr_node *input)
{
        (void)conf;
        return new_conv(builder, NULL, 3, PXR_MASK_NONE, 6, 1, input);
}

static const struct pxr_layer unmasked = { .name = "unmasked",
                                           .summary = "leaks",
                                           .build = unmasked_build };

/* Four logits for three colours: two of red, one each of green and blue. Green's is added to red's
 * second. */
static int four(int levels, int colours, const void *conf)
{
        (void)levels;
        (void)colours;
        (void)conf;
        return 4;
}

/* Never called either: no likelihood is asked for. */
static void no_nll(const struct pxr_nll_call *call)
{
        (void)call;
}

static void no_probabilities(const struct pxr_pixel *pixel, double *probability)
{
        (void)pixel;
        (void)probability;
}

static const struct pxr_pixel_distribution four_logits = {
        .name = "four",
        .channels = four,
        .nll = { no_nll, no_nll },
        .probabilities = { no_probabilities, no_probabilities },
        .log_probabilities = { no_probabilities, no_probabilities },
};

static void border_forward(const struct pxr_call *call)
{
        size_t size = pxr_map_size(call->node, call->images);
        const float *x = call->input[0];
        float *y = call->output;

        memcpy(y, x, size * sizeof(*y));
        for (size_t i = 0; i < size; i += 4)
                y[i + 1] += x[i + 2];
}

static const struct pxr_op border_op = { .name = "border", .kernels = UNTRAINED(border_forward) };

static struct pxr_node *border_build(struct pxr_builder *builder, const void *conf,
                                     struct pxr_node *input)
{
        struct pxr_node *logits = new_conv(builder, NULL, 1, PXR_MASK_B, 4, 1, input);

        (void)conf;
        return pxr_output_pixels(builder, like(builder, &border_op, logits), &four_logits, NULL, 0);
}

static const struct pxr_layer border = { .name = "border",
                                         .summary = "leaks",
                                         .build = border_build };

static void leak_setup(void)
{
        stack_setup();
        add_layer(&scan);
        add_layer(&liar);
        add_layer(&mix);
        add_layer(&unmasked);
        add_layer(&border);
}

/* --- families ---------------------------------------------------------------------------------
 */

/* A layer of the test changes the name of the family only if it connects pixels. */
START_TEST(the_model_family_is_that_of_the_layers_that_connect_pixels)
{
        static const struct {
                const char *family, *stack;
                int colours;
        } cases[] = {
                { "pixelcnn", "- conv: {mask: A, features: 6}\n- relu\n- sigmoid\n", 1 },
                { "pixelcnn", "- mix\n- conv: {mask: A, features: 6}\n- sigmoid\n", 1 },
                { "pixelcnn", "- mix\n- conv: {mask: A, features: 6}\n- softmax\n", 3 },
                { "pixelcnn", "- liar\n- conv: {mask: A, features: 6}\n- sigmoid\n", 1 },
                { "pixelcnn", "- unmasked\n- sigmoid\n", 1 },
                { "scan", "- scan\n- conv: {mask: A, features: 6}\n- sigmoid\n", 1 },
                { "row", "- conv: {mask: A, features: 6}\n- row_lstm: {features: 6}\n- sigmoid\n",
                  1 },
                { "row",
                  "- scan\n- conv: {mask: A, features: 6}\n- residual:\n"
                  "    - row_lstm: {features: 6}\n- sigmoid\n",
                  1 },
                { "diagonal",
                  "- multi_scale:\n    size: 2\n    layers:\n"
                  "      - conv: {mask: A, features: 6}\n"
                  "      - diagonal_bilstm: {features: 6}\n      - sigmoid\n",
                  1 },
                { "nade", "- nade: {hidden: 3}\n", 1 },
                { "made", "- made: {hidden: 3}\n", 1 },
                { "gaussian", "- gaussian\n", 3 },
                { "histogram", "- histogram\n", 3 },
                { "uniform", "- uniform\n", 1 },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const struct pxr_model *model =
                        build_stack((struct pxr_image_kind) { 4, 4, cases[i].colours,
                                                              cases[i].colours == 1 ? 2 : 256 },
                                    cases[i].stack);

                ck_assert_str_eq(pxr_model_family(model), cases[i].family);
        }
}
END_TEST

/* --- refusals ----------------------------------------------------------------------------------
 */

static const struct pxr_image_kind grey = { 4, 5, 1, 2 }, rgb = { 4, 5, 3, 2 };

static void expect_leak_seen(const struct pxr_model *model, int threads, const char *expected)
{
        const struct pxr_examination how = { .threads = threads };
        struct pxr_certificate certificate;

        ck_assert_int_eq(pxr_certify(arena, model, &how, &certificate, diag), -1);
        ck_assert_str_eq(printed_errors(diag, "test"), expected);
        ck_assert_int_eq(pxr_diag_status(diag), PXR_FAULT_USER);
        pxr_diag_clear(diag);
}

/* The stack is built, and refused with exactly this text on however many threads. */
static void expect_leak(struct pxr_image_kind kind, const char *text, const char *expected)
{
        const struct pxr_model *model = build_stack(kind, text);

        expect_leak_seen(model, 1, expected);
        expect_leak_seen(model, 2, expected);
        expect_leak_seen(model, 9, expected);
}

#define NOT_CAUSAL ": the model is not causal: it would see values that it predicts\n"
#define WANTS_A "note: the first layer that reads the image requires mask A\n"

START_TEST(a_first_convolution_with_mask_b_is_refused)
{
        expect_leak(
                grey, "- conv: {mask: B, features: 6}\n- sigmoid\n",
                "model:1:3: error: layers.0.conv" NOT_CAUSAL
                "    1 | - conv: {mask: B, features: 6}\n"
                "      |   ^\n"
                "note: its op 'conv' reads, for grey at (0, 0), the tap +0 rows +0 columns, grey\n"
                "note: so the distribution of grey at (0, 0) depends on the value of grey at "
                "(0, 0)\n" WANTS_A);
        expect_leak(
                rgb, "- conv: {mask: B, features: 6}\n- relu\n- sigmoid\n",
                "model:1:3: error: layers.0.conv" NOT_CAUSAL
                "    1 | - conv: {mask: B, features: 6}\n"
                "      |   ^\n"
                "note: its op 'conv' reads, for red at (0, 0), the tap +0 rows +0 columns, red\n"
                "note: so the distribution of red at (0, 0) depends on the value of red at "
                "(0, 0)\n" WANTS_A);
}
END_TEST

START_TEST(a_convolution_without_a_mask_is_refused)
{
        expect_leak(
                grey, "- relu\n- sigmoid\n",
                "model:1:3: error: layers.0.relu" NOT_CAUSAL "    1 | - relu\n"
                "      |   ^~~~\n"
                "note: its op 'relu' reads, for grey at (0, 0), the tap +0 rows +0 columns, grey\n"
                "note: so the distribution of grey at (0, 0) depends on the value of grey at "
                "(0, 0)\n" WANTS_A);
        /* The error names the furthest later pixel: one row down and one column to the right. */
        expect_leak(rgb, "- conv: {mask: A, features: 6}\n- unmasked\n- relu\n- sigmoid\n",
                    "model:2:3: error: layers.1.unmasked" NOT_CAUSAL "    2 | - unmasked\n"
                    "      |   ^~~~~~~~\n"
                    "note: its op 'conv' reads, for red at (0, 0), the tap +1 row +1 column, blue\n"
                    "note: so the distribution of red at (0, 0) depends on the value of green at "
                    "(1, 1)\n");
}
END_TEST

START_TEST(a_layer_that_mixes_colours_is_refused)
{
        expect_leak(
                rgb, "- conv: {mask: A, features: 6}\n- relu\n- mix\n- sigmoid\n",
                "model:3:3: error: layers.2.mix" NOT_CAUSAL "    3 | - mix\n"
                "      |   ^~~\n"
                "note: its op 'mix' reads, for red at (0, 0), the tap +0 rows +0 columns, blue\n"
                "note: so the distribution of red at (0, 0) depends on the value of green at "
                "(0, 0)\n");
}
END_TEST

START_TEST(a_scan_from_right_to_left_without_its_shift_is_refused)
{
        expect_leak(
                grey, "- conv: {mask: A, features: 6}\n- residual: [relu, scan]\n- sigmoid\n",
                "model:2:20: error: layers.1.residual.scan" NOT_CAUSAL
                "    2 | - residual: [relu, scan]\n"
                "      |                    ^~~~\n"
                "note: its op 'scan' reads, for grey at (0, 3), the tap +0 rows +1 column, grey\n"
                "note: so the distribution of grey at (0, 0) depends on the value of grey at "
                "(0, 3)\n");
}
END_TEST

/* Nothing declared is amiss, but the bits are: the layer is found among those that tell the truth.
 */
START_TEST(an_op_that_reads_more_than_it_declares_is_refused)
{
        expect_leak(
                grey,
                "- conv: {mask: A, features: 6}\n- residual: [relu, liar]\n- relu\n"
                "- sigmoid\n",
                "model:2:20: error: layers.1.residual.liar: the model is not causal, though its "
                "ops declare it to be\n"
                "    2 | - residual: [relu, liar]\n"
                "      |                    ^~~~\n"
                "note: its op 'liar' reads more than its `depends` declares: changing grey at "
                "(0, 0) changed its output for grey at (0, 0)\n"
                "note: so the distribution of grey at (0, 0) depends on the value of grey at "
                "(0, 0)\n");
}
END_TEST

/* Where the colours of a pixel have groups of logits of different sizes. */
START_TEST(a_leak_through_the_last_logit_of_a_colour_is_refused)
{
        expect_leak(rgb, "- conv: {mask: A, features: 6}\n- border\n",
                    "model:2:3: error: layers.1.border: the model is not causal, though its ops "
                    "declare it to be\n"
                    "    2 | - border\n"
                    "      |   ^~~~~~\n"
                    "note: its op 'border' reads more than its `depends` declares: changing red at "
                    "(0, 0) changed its output for red at (0, 0)\n"
                    "note: so the distribution of red at (0, 0) depends on the value of red at "
                    "(0, 0)\n");
}
END_TEST

START_TEST(causal_stacks_are_certified)
{
        const char *const texts[] = {
                "- conv: {mask: A, kernel: 3, features: 6}\n- softmax\n",
                "- conv: {mask: A, kernel: 7, features: 7}\n- relu\n- softmax\n",
                ("- conv: {mask: A, features: 6}\n- repeat: 2\n"
                 "  layers: [residual: [relu, conv: {mask: B, features: 6}]]\n- sigmoid\n"),
        };

        for (int i = 0; i < 3; i++)
                for (int kind = 0; kind < 2; kind++) {
                        struct pxr_model *model = build_stack(kind ? rgb : grey, texts[i]);
                        struct pxr_certificate certificate;

                        ck_assert_int_eq(pxr_certify(arena, model, NULL, &certificate, diag), 0);
                        ck_assert_int_ge(certificate.probes, kind ? 60 : 20);
                }
}
END_TEST

static const char *digest_of(struct pxr_image_kind kind, const char *text)
{
        struct pxr_certificate certificate;

        ck_assert_int_eq(pxr_certify(arena, build_stack(kind, text), NULL, &certificate, diag), 0);
        return pxr_strdup(arena, certificate.digest);
}

START_TEST(different_models_have_different_digests)
{
        const struct pxr_image_kind three = { 4, 5, 1, 3 };
        const char *first = digest_of(grey, "- conv: {mask: A, features: 6}\n- softmax\n");

        ck_assert_uint_eq(strlen(first), 64);
        ck_assert_str_eq(first, digest_of(grey, "- conv: {mask: A, features: 6}\n- softmax\n"));
        ck_assert_str_ne(first, digest_of(grey, "- conv: {mask: A, features: 7}\n- softmax\n"));
        ck_assert_str_ne(first, digest_of(three, "- conv: {mask: A, features: 6}\n- softmax\n"));
        ck_assert_str_ne(first, digest_of(grey, "- conv: {mask: A, features: 6, bias: false}\n"
                                                "- softmax\n"));
        ck_assert_str_ne(first, digest_of(grey, "- conv: {mask: A, kernel: 5, features: 6}\n"
                                                "- softmax\n"));
}
END_TEST

/* --- receptive fields --------------------------------------------------------------------------
 */

enum { SIDE = 17, CENTRE = SIDE / 2 };

/* Spread `from` by the live taps of a mask. */
static void spread(int kernel, bool centre_too, const bool from[SIDE][SIDE], bool to[SIDE][SIDE])
{
        int half = kernel / 2;

        memset(to, 0, SIDE * SIDE * sizeof(bool));
        for (int row = 0; row < SIDE; row++)
                for (int col = 0; col < SIDE; col++)
                        for (int r = -half; from[row][col] && r <= 0; r++)
                                for (int c = -half; c <= (r < 0 ? half : centre_too ? 0 : -1); c++)
                                        if (row + r >= 0 && col + c >= 0 && col + c < SIDE)
                                                to[row + r][col + c] = true;
}

/* Does any logit of the centre change when the pixel does? */
static bool reaches(struct pxr_workspace *workspace, const double *parameters, uint8_t *pixels,
                    const double *logits, int values, int colours, int pixel)
{
        const double *now;

        for (int colour = 0; colour < colours; colour++)
                pixels[pixel * colours + colour] ^= 1;
        pxr_workspace_load(workspace, pixels, 1);
        pxr_workspace_forward(workspace, parameters);
        now = pxr_workspace_logits(workspace, CENTRE, CENTRE, 0, 0);
        for (int colour = 0; colour < colours; colour++)
                pixels[pixel * colours + colour] ^= 1;
        return memcmp(now, logits, values * sizeof(double)) != 0;
}

static void expect_extent(const struct pxr_model *model, int above, int left, int right)
{
        struct pxr_extent extent = pxr_receptive_extent(model->graph, model->graph->logits);

        ck_assert_int_eq(extent.above, above);
        ck_assert_int_eq(extent.left, left);
        ck_assert_int_eq(extent.right, right);
}

/* A 7x7 mask A convolution and `blocks` 3x3 of mask B, without bends: the map on the certificate,
 * the same by arithmetic, and the same by changing every pixel. */
static void expect_field(struct pxr_image_kind kind, int blocks)
{
        char text[256];
        bool map[2][SIDE][SIDE] = { { { false } } };
        const struct pxr_model *model;
        struct pxr_certificate certificate;
        struct pxr_workspace *workspace;
        double *parameters, *logits;
        uint8_t *pixels;
        int now = 0, values;

        snprintf(text, sizeof(text), "- conv: {mask: A, kernel: 7, features: 3}\n%s%s%s- softmax\n",
                 blocks > 0 ? "- conv: {mask: B, features: 3}\n" : "",
                 blocks > 1 ? "- conv: {mask: B, features: 3}\n" : "",
                 blocks > 2 ? "- conv: {mask: B, features: 3}\n" : "");
        model = build_stack(kind, text);
        ck_assert_int_eq(pxr_certify(arena, model, NULL, &certificate, diag), 0);
        map[0][CENTRE][CENTRE] = true;
        for (int i = 0; i < blocks; i++, now = !now)
                spread(3, true, map[now], map[!now]);
        /* With three colours the last one reads the first at its own pixel through mask A. */
        spread(7, kind.colours == 3, map[now], map[!now]);
        now = !now;
        workspace = new_workspace(model->graph, PXR_F64, PXR_FOR_EVALUATION, 1, false);
        parameters = random_parameters(model->graph, 1);
        pixels = random_images(model->graph, 1, 1);
        pxr_workspace_load(workspace, pixels, 1);
        pxr_workspace_forward(workspace, parameters);
        values = model->graph->logits->shape.channels;
        logits = allocate(values, sizeof(double));
        memcpy(logits, pxr_workspace_logits(workspace, CENTRE, CENTRE, 0, 0),
               values * sizeof(double));
        for (int pixel = 0; pixel < SIDE * SIDE; pixel++) {
                bool expected = map[now][pixel / SIDE][pixel % SIDE];

                if (certificate.field[pixel] != expected ||
                    reaches(workspace, parameters, pixels, logits, values, kind.colours, pixel) !=
                            expected)
                        ck_abort_msg("%d blocks, at (%d, %d): %d on the certificate, %d expected",
                                     blocks, pixel / SIDE, pixel % SIDE, certificate.field[pixel],
                                     expected);
        }
        expect_extent(model, 3 + blocks, 3 + blocks, 3 + blocks);
}

START_TEST(receptive_fields_have_the_computed_size)
{
        for (int blocks = 0; blocks <= 3; blocks++) {
                expect_field((struct pxr_image_kind) { SIDE, SIDE, 1, 2 }, blocks);
                expect_field((struct pxr_image_kind) { SIDE, SIDE, 3, 2 }, blocks);
        }
}
END_TEST

/* Half of an image of 12 or 16 pixels is less than what these see. */
START_TEST(the_extent_of_a_receptive_field_is_not_cut_by_the_image)
{
        const struct pxr_image_kind small = { 12, 12, 1, 2 }, large = { 16, 16, 1, 2 };

        expect_extent(build_stack(small, "- conv: {mask: A, kernel: 7, features: 3}\n"
                                         "- conv: {mask: B, features: 3}\n"
                                         "- conv: {mask: B, features: 3}\n"
                                         "- conv: {mask: B, features: 3}\n"
                                         "- conv: {mask: B, features: 3}\n"
                                         "- softmax\n"),
                      7, 7, 7);
        expect_extent(build_stack(large, "- conv: {mask: A, kernel: 7, features: 2}\n"
                                         "- row_lstm: {features: 2}\n"
                                         "- softmax\n"),
                      15, 15, 15);
}
END_TEST

/* Masked convolutions do not see pixels to the right that are only a few rows above. */
START_TEST(the_receptive_field_map_shows_the_blind_spot)
{
        const struct pxr_image_kind kind = { SIDE, SIDE, 1, 2 };
        struct pxr_certificate certificate;
        const struct pxr_model *model = build_stack(kind, "- conv: {mask: A, features: 3}\n"
                                                          "- conv: {mask: B, features: 3}\n"
                                                          "- conv: {mask: B, features: 3}\n"
                                                          "- softmax\n");

        ck_assert_int_eq(pxr_certify(arena, model, NULL, &certificate, diag), 0);
        ck_assert_int_eq(certificate.field[(CENTRE - 1) * SIDE + CENTRE + 1], 1);
        ck_assert_int_eq(certificate.field[(CENTRE - 1) * SIDE + CENTRE + 2], 0);
        ck_assert_int_eq(certificate.field[(CENTRE - 2) * SIDE + CENTRE + 2], 1);
        ck_assert_int_eq(certificate.field[(CENTRE - 2) * SIDE + CENTRE + 3], 0);
        ck_assert_int_eq(certificate.field[CENTRE * SIDE + CENTRE - 3], 1);
        ck_assert_int_eq(certificate.field[CENTRE * SIDE + CENTRE], 0);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("certificate");

        ADD_CASE(suite, the_model_family_is_that_of_the_layers_that_connect_pixels, leak_setup);
        ADD_CASE(suite, a_first_convolution_with_mask_b_is_refused, leak_setup);
        ADD_CASE(suite, a_convolution_without_a_mask_is_refused, leak_setup);
        ADD_CASE(suite, a_layer_that_mixes_colours_is_refused, leak_setup);
        ADD_CASE(suite, a_scan_from_right_to_left_without_its_shift_is_refused, leak_setup);
        ADD_CASE(suite, an_op_that_reads_more_than_it_declares_is_refused, leak_setup);
        ADD_CASE(suite, a_leak_through_the_last_logit_of_a_colour_is_refused, leak_setup);
        ADD_STACK_TEST(suite, causal_stacks_are_certified);
        ADD_STACK_TEST(suite, different_models_have_different_digests);
        ADD_STACK_TEST(suite, receptive_fields_have_the_computed_size);
        ADD_STACK_TEST(suite, the_extent_of_a_receptive_field_is_not_cut_by_the_image);
        ADD_STACK_TEST(suite, the_receptive_field_map_shows_the_blind_spot);
        return run_suite(suite);
}
