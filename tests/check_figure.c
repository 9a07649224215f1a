/* SPDX-License-Identifier: MIT */
/* check_figure.c - plots as SVG, and the regions of an image that are occluded. */
#include <math.h>
#include <string.h>

#include "graphs.h"
#include "sample/figure.h"
#include "sample/occlusion.h"

static int count_of(const char *text, const char *word)
{
        int count = 0;

        for (; (text = strstr(text, word)); text += strlen(word))
                count++;
        return count;
}

/* The number behind `before`, from `*at` on, which moves behind it. */
static double number_after(const char **at, const char *before)
{
        *at = strstr(*at, before);
        ck_assert_ptr_nonnull(*at);
        *at += strlen(before);
        return strtod(*at, NULL);
}

/* --- plots -------------------------------------------------------------------------------------
 */

/* Bars are as high as probabilities are; the axis ends with a round number above the highest. */
START_TEST(bars_have_the_height_of_the_probabilities)
{
        static const double probability[] = { 0.5, 0.125, 0.25, 0.125 };
        static const double flat[] = { 0.25, 0.25, 0.25, 0.25 };
        const struct pxr_png_text texts[] = { { "pxr:name", "a <b> & \"c\"\001" } };
        const struct pxr_softmax_panel panel[] = {
                { .title = "one & two", .colour = 1, .probability = probability, .value = 2 },
                { .title = "three", .colour = -1, .probability = flat, .value = 0 },
        };
        const char *svg =
                pxr_softmax_svg(arena, &(struct pxr_softmax_plot) { .title = "x < y",
                                                                    .levels = 4,
                                                                    .panel = panel,
                                                                    .panels = 2,
                                                                    .texts = { texts, 1 } });
        const char *at;
        double high[4];

        ck_assert_ptr_nonnull(svg);
        ck_assert_int_eq(count_of(svg, "x &lt; y"), 2);
        ck_assert_int_eq(count_of(svg, "one &amp; two"), 1);
        ck_assert_int_eq(count_of(svg, "pxr:name: a &lt;b&gt; &amp; \"c\"\n"), 1);
        ck_assert_int_eq(count_of(svg, "P(2) = 0.25, entropy 1.75 bits"), 1);
        ck_assert_int_eq(count_of(svg, ">0.6<"), 2); /* the ends of the axes */
        ck_assert_int_eq(count_of(svg, "the image's value"), 1);
        at = strstr(svg, "<path");
        for (int i = 0; i < 4; i++)
                high[i] = number_after(&at, "v");
        for (int i = 1; i < 4; i++)
                ck_assert_double_eq_tol(high[i] / high[0], probability[i] / 0.5, 1e-3);
        at = strstr(at, "fill=\"#555\" d=\""); /* the other panel has the same scale */
        ck_assert_double_eq_tol(number_after(&at, "v") / high[0], 0.5, 1e-3);
}
END_TEST

START_TEST(a_map_has_a_cell_for_each_pixel)
{
        static const double value[] = { 0, 1, 2, 3, 4, 5 };
        const char *svg = pxr_map_svg(
                arena,
                &(struct pxr_map_plot) {
                        .title = "map", .unit = "bits", .rows = 2, .cols = 3, .value = value });

        ck_assert_ptr_nonnull(svg);
        ck_assert_int_eq(count_of(svg, "<title>row "), 6);
        ck_assert_ptr_nonnull(strstr(svg, "<title>row 1, column 2: 5</title>"));
        ck_assert_ptr_nonnull(strstr(svg, "fill=\"#0d083a\"><title>row 0, column 0: 0<"));
        ck_assert_ptr_nonnull(strstr(svg, "fill=\"#fcfabe\"><title>row 1, column 2: 5<"));
        ck_assert_ptr_nonnull(strstr(svg, ">bits</text>"));
        ck_assert_int_eq(count_of(svg, "<svg"), 1);
        ck_assert_int_eq(count_of(svg, "</svg>"), 1);
}
END_TEST

/* Of 200 pixels two are far above: the scale ends at the highest of the others, and says so. */
START_TEST(a_few_large_values_do_not_darken_the_map)
{
        double value[200], highest;
        const char *svg;

        for (int i = 0; i < 200; i++)
                value[i] = i < 2 ? 31 + i : i % 10 + 1;
        ck_assert_double_eq(pxr_heat_end(value, 200, &highest), 10);
        ck_assert_double_eq(highest, 32);
        ck_assert_double_eq(pxr_heat_end(value + 1, 99, &highest), 32);
        svg = pxr_map_svg(
                arena,
                &(struct pxr_map_plot) {
                        .title = "map", .unit = "bits", .rows = 10, .cols = 20, .value = value });
        ck_assert_ptr_nonnull(svg);
        ck_assert_ptr_nonnull(strstr(svg, "fill=\"#fcfabe\"><title>row 0, column 0: 31<"));
        ck_assert_ptr_nonnull(strstr(svg, "fill=\"#fcfabe\"><title>row 0, column 9: 10<"));
        ck_assert_ptr_nonnull(strstr(svg, ">&gt;= 10</text>"));
        value[0] = value[1] = 14;
        ck_assert_double_eq(pxr_heat_end(value, 200, &highest), 14);
        svg = pxr_map_svg(
                arena,
                &(struct pxr_map_plot) {
                        .title = "map", .unit = "bits", .rows = 10, .cols = 20, .value = value });
        ck_assert_ptr_nonnull(svg);
        ck_assert_ptr_null(strstr(svg, "&gt;="));
}
END_TEST

START_TEST(a_scale_ends_at_a_round_number)
{
        static const double none[4], odd[3] = { NAN, INFINITY, 3 }, one[300] = { 5 };
        double highest;

        ck_assert_double_eq(pxr_heat_end(none, 4, &highest), 1);
        ck_assert_double_eq(pxr_heat_end(odd, 3, &highest), 3);
        ck_assert_double_eq(pxr_heat_end(one, 300, &highest), 5);
        ck_assert_double_eq(highest, 5);
}
END_TEST

/* The lines of a map's title, joined by '|'; each is of the same size and none is too wide. The
 * picture becomes as much higher as they need. */
static void expect_title(const char *title, const char *lines)
{
        static const double value[4];
        const char *svg = pxr_map_svg(
                arena,
                &(struct pxr_map_plot) {
                        .title = title, .unit = "bits", .rows = 2, .cols = 2, .value = value });
        char got[512] = "";
        const char *at = svg, *cells;
        double cols, rows, count = 0;

        ck_assert_ptr_nonnull(svg);
        cols = number_after(&at, "viewBox=\"0 0 ");
        rows = number_after(&at, " ");
        cells = strstr(svg, "<g ");
        while ((at = strstr(at, " font-size=\"14\">")) && at < cells) {
                const char *end = strstr(at, "</text>");

                at += strlen(" font-size=\"14\">");
                ck_assert_int_lt((end - at) * 14 * 0.6, cols);
                snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%.*s", count ? "|" : "",
                         (int)(end - at), at);
                count++;
        }
        ck_assert_str_eq(got, lines);
        ck_assert_double_eq(number_after(&cells, "translate(0 "), 18 * fmax(0, count - 1));
        ck_assert_double_eq(rows, 480 + 18 * fmax(0, count - 1));
}

START_TEST(a_long_title_is_broken_into_lines)
{
        expect_title("", "");
        expect_title("Run 1 (quickstart), test:3: 74.66 bits an image",
                     "Run 1 (quickstart), test:3: 74.66 bits an image");
        expect_title("Run 12 (mnist_pixelcnn_small), images of test: 120.50 bits an image given "
                     "its 14x14 version, in the mean",
                     "Run 12 (mnist_pixelcnn_small), images of test: 120.50|"
                     "bits an image given its 14x14 version, in the mean");
        expect_title(
                "Run 3 (aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg)",
                "Run 3|(aaaaaaaaaabbbbbbbbbbccccccccccddddd|"
                "dddddeeeeeeeeeeffffffffffgggggggggg)");
}
END_TEST

/* Nothing costs a bit: the map is of one colour, and there is nothing to divide by. */
START_TEST(a_map_of_zeros_is_all_dark)
{
        static const double value[4];
        const char *svg = pxr_map_svg(
                arena, &(struct pxr_map_plot) {
                               .title = "", .unit = "", .rows = 2, .cols = 2, .value = value });

        ck_assert_ptr_nonnull(svg);
        ck_assert_int_eq(count_of(svg, "fill=\"#0d083a\"><title>"), 4);
        ck_assert_int_eq(count_of(svg, "nan"), 0);
}
END_TEST

/* --- what is occluded --------------------------------------------------------------------------
 */

/* Read for images of 3x4: the hidden pixels are '#' in `picture`. */
static void expect_hidden(const char *text, const char *picture, bool exact)
{
        struct pxr_occlusion occlusion;

        ck_assert_int_eq(pxr_occlusion_read(arena, text, 3, 4, &occlusion, diag), 0);
        for (int i = 0; i < 12; i++)
                ck_assert_msg(occlusion.hidden[i] == (picture[i] == '#'), "%s: pixel %d", text, i);
        ck_assert_int_eq(occlusion.exact, exact);
        ck_assert_str_eq(occlusion.text, text);
}

START_TEST(regions_occlude_the_pixels_they_name)
{
        expect_hidden("bottom:0.5",
                      "...."
                      "####"
                      "####",
                      true);
        expect_hidden("bottom:0.34",
                      "...."
                      "...."
                      "####",
                      true);
        expect_hidden("bottom:1",
                      "####"
                      "####"
                      "####",
                      true);
        expect_hidden("top:0.3",
                      "####"
                      "...."
                      "....",
                      false);
        expect_hidden("left:0.25",
                      "#..."
                      "#..."
                      "#...",
                      false);
        expect_hidden("right:0.5",
                      "..##"
                      "..##"
                      "..##",
                      false);
        expect_hidden("rect:1,1,1,2",
                      "...."
                      ".##."
                      "....",
                      false);
        expect_hidden("rect:2,1,1,3",
                      "...."
                      "...."
                      ".###",
                      true);
        expect_hidden("rect:0,0,3,4",
                      "####"
                      "####"
                      "####",
                      true);
}
END_TEST

START_TEST(invalid_regions_are_refused)
{
        static const char *const texts[] = {
                "",
                "bottom",
                "bottom:",
                "bottom:x",
                "bottom:0.5x",
                "bottom:0",
                "bottom:1.1",
                "bottom:-1",
                "bottom:nan",
                "bottom:0.1",
                "middle:0.5",
                "bot:0.5",
                "rect:",
                "rect:1,1,1",
                "rect:1,1,1,1,1",
                "rect:0,0,0,1",
                "rect:0,0,4,1",
                "rect:3,0,1,1",
                "rect:0,4,1,1",
                "rect:-1,0,1,1",
                "rect:0,0,1,99999999999999999999",
        };

        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
                struct pxr_occlusion occlusion;

                ck_assert_msg(pxr_occlusion_read(arena, texts[i], 3, 4, &occlusion, diag) == -1,
                              "'%s'", texts[i]);
                ck_assert_int_eq(pxr_diag_errors(diag), 1);
                ck_assert_int_eq(pxr_diag_status(diag), PXR_FAULT_USER);
                pxr_diag_clear(diag);
        }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("figure");

        ADD_GRAPH_TEST(suite, bars_have_the_height_of_the_probabilities);
        ADD_GRAPH_TEST(suite, a_map_has_a_cell_for_each_pixel);
        ADD_GRAPH_TEST(suite, a_few_large_values_do_not_darken_the_map);
        ADD_GRAPH_TEST(suite, a_scale_ends_at_a_round_number);
        ADD_GRAPH_TEST(suite, a_long_title_is_broken_into_lines);
        ADD_GRAPH_TEST(suite, a_map_of_zeros_is_all_dark);
        ADD_GRAPH_TEST(suite, regions_occlude_the_pixels_they_name);
        ADD_GRAPH_TEST(suite, invalid_regions_are_refused);
        return run_suite(suite);
}
