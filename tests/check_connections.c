/* SPDX-License-Identifier: MIT */
/*
 * check_connections.c - residual and skip connections against plain loops, in the four cells of
 * Table 2.
 *
 * With x the stream: x + F(x) for a residual block F; the output of skip connections is the sum
 * over their places of K x + b, of the x that is there, each with a masked 1x1 K of its own.
 */
#include "stack_reference.h"

static const struct pxr_image_kind grey = { 5, 4, 1, 4 }, colour = { 4, 5, 3, 3 };

enum { BLOCKS = 3, STREAM = 7, OUTPUT = 8 };

static const char block[] = "- relu\n- conv: {mask: B, kernel: 3, features: 7}\n";

/* `text` with every line moved to the right. */
static const char *indented(const char *text, int by)
{
        const char *result = "";

        while (*text) {
                int length = (int)strcspn(text, "\n");

                result = pxr_strf(arena, "%s%*s%.*s\n", result, by, "", length, text);
                text += length + 1;
        }
        return result;
}

/* First convolution, skip (where there are any), blocks with a skip behind each, softmax. */
static const char *stack_text(bool residual, bool skips)
{
        const char *layers = block;

        if (residual)
                layers = pxr_strf(arena, "- residual:\n%s", indented(block, 4));
        if (skips)
                layers = pxr_strf(arena, "%s- skip\n", layers);
        layers = pxr_strf(arena, "- repeat: %d\n  layers:\n%s", BLOCKS, indented(layers, 4));
        if (skips)
                layers = pxr_strf(arena,
                                  "- skip_connections:\n    features: %d\n    layers:\n"
                                  "      - skip\n%s",
                                  OUTPUT, indented(layers, 6));
        return pxr_strf(arena, "- conv: {mask: A, kernel: 3, features: %d}\n%s- softmax\n", STREAM,
                        layers);
}

/* Add the connection `path` of what stands there to the output. */
static void connect(const struct stack *s, const char *path, const struct map *x,
                    struct map *output)
{
        struct map connection = convolved(s, path, x, PXR_MASK_B, 1);

        add_map(output, &connection);
}

static void expect_connections(struct pxr_image_kind kind, bool residual, bool skips)
{
        struct stack s = run_stack(kind, stack_text(residual, skips));
        const char *outer = skips ? "layers.1.skip_connections" : "layers.1";

        for (int image = 0; image < IMAGES; image++) {
                struct map x = image_of(&s, image, 1), sum, logits;

                x = convolved(&s, "layers.0.conv", &x, PXR_MASK_A, 3);
                sum = new_map(kind.rows, kind.cols, OUTPUT);
                if (skips)
                        connect(&s, pxr_strf(arena, "%s.skip", outer), &x, &sum);
                for (int i = 0; i < BLOCKS; i++) {
                        const char *base = pxr_strf(arena, "%s.%d", outer, i);
                        const char *inner = pxr_strf(arena, "%s%s", base,
                                                     residual ? ".residual.conv" : ".conv");
                        struct map bent = rectified(&x);
                        struct map y = convolved(&s, inner, &bent, PXR_MASK_B, 3);

                        if (residual)
                                add_map(&y, &x);
                        x = y;
                        if (skips)
                                connect(&s, pxr_strf(arena, "%s.skip", base), &x, &sum);
                }
                if (skips)
                        x = sum;
                expect_made(&s, skips ? outer : "layers.1.repeat", image, &x);
                logits = convolved(&s, "layers.2.softmax", &x, PXR_MASK_B, 1);
                expect_made(&s, "layers.2.softmax", image, &logits);
        }
}

static void expect_cell(bool residual, bool skips)
{
        expect_connections(grey, residual, skips);
        expect_connections(colour, residual, skips);
}

START_TEST(stacks_without_skip_or_residual_connections_build)
{
        expect_cell(false, false);
}
END_TEST

START_TEST(stacks_with_skip_connections_build)
{
        expect_cell(false, true);
}
END_TEST

START_TEST(stacks_with_residual_connections_build)
{
        expect_cell(true, false);
}
END_TEST

START_TEST(stacks_with_both_kinds_of_connections_build)
{
        expect_cell(true, true);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("connections");

        ADD_STACK_TEST(suite, stacks_without_skip_or_residual_connections_build);
        ADD_STACK_TEST(suite, stacks_with_skip_connections_build);
        ADD_STACK_TEST(suite, stacks_with_residual_connections_build);
        ADD_STACK_TEST(suite, stacks_with_both_kinds_of_connections_build);
        return run_suite(suite);
}
