/* SPDX-License-Identifier: MIT */
/*
 * check_receptive_field.c - the receptive field of each of the three architectures is that of
 * Figure 4, for every pixel: by the dependencies that the ops declare, and by changing each pixel.
 *
 * `up` counts rows above a pixel and `right` columns to its right, `half` is half of the first
 * kernel: 1 of 3x3, 3 of 7x7. That convolution (mask A) reads rows up to `half` above, `half`
 * columns to both sides in those, and in its own row `half` to the left; the pixel itself only
 * where it has three colours, of which the later ones read the earlier.
 */
#include "stacks.h"
#include "tensor/gemm.h"
#include "tensor/dependency.h"

enum { SIDE = 15, PIXELS = SIDE * SIDE, LEVELS = 3, MAX_LAYERS = 2 };

/* A model, and whether its pixel at `col` is to see the one so far up and to the right of it. */
struct architecture {
        int half, layers, colours;
        bool (*sees)(const struct architecture *a, int col, int up, int right);
};

/* Column, against the pixel's, of the last pixel that the first convolution reads in its own row.
 */
static int last_in_row(const struct architecture *a)
{
        return a->colours == 3 ? 0 : -1;
}

/* --- the graphs --------------------------------------------------------------------------------
 */

/* Of pixels[output][input], which inputs the declared dependencies lead to. */
static void follow(const struct pxr_graph *graph, unsigned char (*seen)[PIXELS])
{
        for (int pixel = 0; pixel < PIXELS; pixel++)
                ck_assert_int_eq(pxr_receptive_field(graph, graph->logits, pixel / SIDE,
                                                     pixel % SIDE, seen[pixel]),
                                 0);
}

/* One image in as many copies as it has pixels, in copy i with all colours of pixel i changed. */
static void run_copies(const struct pxr_graph *graph, struct pxr_workspace *workspace,
                       const double *parameters, const uint8_t *image, bool changed)
{
        int colours = graph->colours;
        uint8_t *copies = allocate((size_t)PIXELS * PIXELS * colours, 1);

        for (int copy = 0; copy < PIXELS; copy++) {
                uint8_t *pixels = copies + (size_t)copy * PIXELS * colours;

                memcpy(pixels, image, (size_t)PIXELS * colours);
                for (int k = 0; changed && k < colours; k++)
                        pixels[copy * colours + k] = (pixels[copy * colours + k] + 1) % LEVELS;
        }
        pxr_workspace_load(workspace, copies, PIXELS);
        pxr_workspace_forward(workspace, parameters);
}

/* The same by changing pixels, of several images with other parameters each, for a rectifier may
 * hide one in some. */
static void poke(const struct pxr_graph *graph, unsigned char (*seen)[PIXELS])
{
        enum { ROUNDS = 4 };
        struct pxr_workspace *workspace[2];
        size_t size = graph->logits->shape.channels * sizeof(double);

        for (int i = 0; i < 2; i++)
                workspace[i] = new_workspace(graph, PXR_F64, PXR_FOR_EVALUATION, PIXELS, false);
        for (int round = 1; round <= ROUNDS; round++) {
                const double *parameters = random_parameters(graph, round);
                const uint8_t *image = random_images(graph, 1, round);

                run_copies(graph, workspace[0], parameters, image, false);
                run_copies(graph, workspace[1], parameters, image, true);
                for (int out = 0; out < PIXELS; out++)
                        for (int in = 0; in < PIXELS; in++)
                                if (memcmp(pxr_workspace_logits(workspace[0], out / SIDE,
                                                                out % SIDE, 0, in),
                                           pxr_workspace_logits(workspace[1], out / SIDE,
                                                                out % SIDE, 0, in),
                                           size) != 0)
                                        seen[out][in] = 1;
        }
}

/* What the layers `text`, ended by a softmax, see. */
static void expect_stack_seen(const struct architecture *a, const char *text)
{
        const struct pxr_image_kind kind = { SIDE, SIDE, a->colours, LEVELS };
        const struct pxr_graph *graph =
                build_stack(kind, pxr_strf(arena, "%s- softmax\n", text))->graph;
        unsigned char(*declared)[PIXELS] = allocate(PIXELS, PIXELS);
        unsigned char(*moved)[PIXELS] = allocate(PIXELS, PIXELS);

        follow(graph, declared);
        poke(graph, moved);
        for (int out = 0; out < PIXELS; out++)
                for (int in = 0; in < PIXELS; in++) {
                        int up = out / SIDE - in / SIDE, right = in % SIDE - out % SIDE;
                        bool expected = a->sees(a, out % SIDE, up, right);

                        if (declared[out][in] != expected || moved[out][in] != expected)
                                ck_abort_msg("%d layers after %dx%d, %d colours: (%d, %d) %s "
                                             "(%d, %d) by arithmetic; declared: %d, moved: %d",
                                             a->layers, 2 * a->half + 1, 2 * a->half + 1,
                                             a->colours, out / SIDE, out % SIDE,
                                             expected ? "sees" : "does not see", in / SIDE,
                                             in % SIDE, declared[out][in], moved[out][in]);
                }
}

/* What a first convolution of 2 half + 1, then `layers` times `layer`, see. */
static void expect_seen(const struct architecture *a, const char *layer)
{
        char *text =
                pxr_strf(arena, "- conv: {mask: A, kernel: %d, features: 12}\n", 2 * a->half + 1);

        for (int i = 0; i < a->layers; i++)
                text = pxr_strf(arena, "%s%s", text, layer);
        expect_stack_seen(a, text);
}

/* First kernels of 3x3 and 7x7, from one layer up, one colour group and three. */
static void expect_all(bool (*sees)(const struct architecture *a, int col, int up, int right),
                       const char *layer)
{
        for (int half = 1; half <= 3; half += 2)
                for (int layers = 1; layers <= MAX_LAYERS; layers++)
                        for (int colours = 1; colours <= 3; colours += 2)
                                expect_seen(&(struct architecture) { half, layers, colours, sees },
                                            layer);
}

/* --- Figure 4 ----------------------------------------------------------------------------------
 */

/* All that comes before, but for one pixel. The last of the row above is not in the first
 * convolution's output anywhere in its own row, as mask A hides a pixel from its own place, and in
 * the row below only at `half` columns from the edge; the scan from the left is not there yet, and
 * that from the right, moved down by a row, has only the row above. (With three colours its red and
 * green are in the output at its own place.) */
static bool diagonal_sees(const struct architecture *a, int col, int up, int right)
{
        bool is_last = up == 1 && col + right == SIDE - 1;

        if (is_last && right > a->half && a->colours == 1)
                return false;
        return up > 0 || (up == 0 && right <= last_in_row(a));
}

START_TEST(the_diagonal_bilstm_sees_all_earlier_pixels_but_one)
{
        expect_all(diagonal_sees, "- residual:\n"
                                  "    - diagonal_bilstm: {features: 6}\n"
                                  "    - conv: {mask: B, kernel: 1, features: 12}\n");
}
END_TEST

/* A triangle, one column wider on each side for each row up. The state-to-state convolution (3)
 * goes one to each side a row; the input-to-state convolution (3, mask B) one to the left a layer;
 * the first convolution `half` to the left, and to the right as well once it has gone up a row. */
static bool row_sees(const struct architecture *a, int col, int up, int right)
{
        (void)col;
        if (up < 0 || right < -(up + a->layers + a->half))
                return false;
        return right <= (up == 0 ? last_in_row(a) : up - 1 + a->half);
}

START_TEST(the_row_lstm_sees_a_triangle)
{
        expect_all(row_sees, "- residual:\n"
                             "    - row_lstm: {features: 6}\n"
                             "    - conv: {mask: B, kernel: 1, features: 12}\n");
}
END_TEST

/* One row up and one column to the left for each layer (3x3, mask B); to the right one for each row
 * that a layer goes up, and `half` by the first convolution, which has to go up a row for it. So
 * what lies further to the right in the rows near by is never seen: the blind spot. */
static bool pixelcnn_sees(const struct architecture *a, int col, int up, int right)
{
        int left = a->layers + a->half, climbed = up - 1 < a->layers ? up - 1 : a->layers;

        (void)col;
        if (up < 0 || up > a->layers + a->half || right < -left)
                return false;
        return right <= (up == 0 ? last_in_row(a) : climbed + a->half);
}

START_TEST(pixelcnn_sees_a_bounded_region_with_a_blind_spot)
{
        expect_all(pixelcnn_sees, "- residual:\n"
                                  "    - relu\n"
                                  "    - conv: {mask: B, kernel: 1, features: 6}\n"
                                  "    - relu\n"
                                  "    - conv: {mask: B, kernel: 3, features: 6}\n"
                                  "    - relu\n"
                                  "    - conv: {mask: B, kernel: 1, features: 12}\n");
}
END_TEST

/* A rectangle above the pixel, and a line to its left, which one layer of 3x3 after another widens
 * by one on each side: no blind spot. */
static bool gated_sees(const struct architecture *a, int col, int up, int right)
{
        int reach = a->half + a->layers;

        (void)col;
        if (up < 0 || up > reach || right < -reach)
                return false;
        return right <= (up == 0 ? last_in_row(a) : reach);
}

START_TEST(gated_convolutions_see_a_bounded_region_without_a_blind_spot)
{
        for (int half = 1; half <= 3; half += 2)
                for (int colours = 1; colours <= 3; colours += 2) {
                        struct architecture a = { half, MAX_LAYERS, colours, gated_sees };

                        expect_stack_seen(&a, pxr_strf(arena,
                                                       "- gated_conv: {features: 6, layers: %d, "
                                                       "first_kernel: %d}\n",
                                                       1 + MAX_LAYERS, 2 * half + 1));
                }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("receptive_field");

        pxr_blas_single_thread();
        ADD_STACK_TEST(suite, the_diagonal_bilstm_sees_all_earlier_pixels_but_one);
        ADD_STACK_TEST(suite, the_row_lstm_sees_a_triangle);
        ADD_STACK_TEST(suite, pixelcnn_sees_a_bounded_region_with_a_blind_spot);
        ADD_STACK_TEST(suite, gated_convolutions_see_a_bounded_region_without_a_blind_spot);
        return run_suite(suite);
}
