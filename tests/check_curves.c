/* SPDX-License-Identifier: MIT */
/* check_curves.c - learning curves: the scale of a plot, and sparklines. */
#define _GNU_SOURCE /* nftw(), open_memstream() */
#include "report/plot.h"
#include "scratch.h"

/* A curve of so many points, valid until the next two. */
static struct pxr_curve curve_of(const double *nats, size_t count)
{
        static struct pxr_point points[3][16];
        static int used;
        struct pxr_point *point = points[used++ % 3];

        for (size_t i = 0; i < count; i++)
                point[i] = (struct pxr_point) { (int64_t)i + 1, (double)i + 1, nats[i] };
        return (struct pxr_curve) {
                .split = "valid", .count = count, .point = point, .dimensions = 784
        };
}

START_TEST(diverged_points_do_not_determine_the_scale)
{
        double nats[] = { 104, 100, 95, 90, 88, 86, 3e30, 1e31 };
        struct pxr_curve curve[PXR_CURVES] = { curve_of(nats, 8) };
        const struct pxr_curve_plot plot = { curve, false, { { "a", NAN }, { "b", NAN } } };
        FILE *to = capture();
        const char *page;

        pxr_plot_curves(to, &plot);
        page = captured(to);
        ck_assert_msg(strstr(page, "data-y=\"85 105\"") != NULL, "%s", page);
        ck_assert_msg(strstr(page, " 2 points lie above the plot.") != NULL, "%s", page);
        ck_assert_msg(strstr(page, "8 8 1e+31") != NULL, "%s", page);
        ck_assert_str_eq(pxr_sparkline(arena, curve, 8), "█▇▅▂▁▁↑↑");
}
END_TEST

/* The plot of these has this axis, and so many points above it. */
static void expect_curves(const struct pxr_curve curve[PXR_CURVES], const char *axis, int beyond)
{
        const struct pxr_curve_plot plot = { curve, false, { { "a", NAN }, { "b", NAN } } };
        FILE *to = capture();
        const char *page;
        char wanted[64];

        pxr_plot_curves(to, &plot);
        page = captured(to);
        snprintf(wanted, sizeof(wanted), "data-y=\"%s\"", axis);
        ck_assert_msg(strstr(page, wanted) != NULL, "no %s: %s", wanted, page);
        snprintf(wanted, sizeof(wanted), " %d point", beyond);
        ck_assert_msg((strstr(page, " above the plot.") != NULL) == (beyond > 0) &&
                              (beyond == 0 || strstr(page, wanted)),
                      "not%s above: %s", wanted, page);
}

static void expect_axis(double *nats, size_t count, const char *axis, int beyond)
{
        const struct pxr_curve curve[PXR_CURVES] = { curve_of(nats, count) };

        expect_curves(curve, axis, beyond);
}

/* The first point takes two thirds of the height, then more; of few points, all that it needs. */
START_TEST(points_far_above_the_others_are_clipped)
{
        double few[] = { 200, 110, 105, 100 };
        double third[] = { 130, 110, 109, 108, 106, 104, 102, 100 };
        double more[] = { 130.5, 109, 108, 107, 106, 104, 102, 100 };
        double diverged[] = { 5, 6, 7, 1e31 };
        struct pxr_curve curve;

        expect_axis(few, 4, "100 200", 0);
        expect_axis(third, 8, "100 130", 0);
        expect_axis(more, 8, "100 110", 1);
        expect_axis(diverged, 4, "0 1e+31", 0);
        curve = curve_of(few, 4);
        ck_assert_double_eq(pxr_curve_ceiling(&curve, 1), INFINITY);
}
END_TEST

/* What is some multiple of the better ones is not always far from the others. */
START_TEST(a_steep_curve_is_not_clipped)
{
        double steep[] = { 6, 5.5, 5, 3, 2, 1, 1, 1 };
        struct pxr_curve curve = curve_of(steep, 8);

        expect_axis(steep, 8, "1 6", 0);
        ck_assert_str_eq(pxr_sparkline(arena, &curve, 8), "██▇▄▂▁▁▁");
}
END_TEST

/* What squeezes goes, what is beside it stays. */
START_TEST(only_outliers_are_clipped)
{
        double far[] = { 338, 219, 211, 210, 209, 208, 207, 207 };
        double near[] = { 236, 216, 212, 211, 210, 210, 210, 210 };
        struct pxr_curve curve[PXR_CURVES] = { curve_of(far, 8), curve_of(near, 8) };
        double diverged[] = { 30, 60, 25, 22, 20, 20, 20, 20, 120, 3e30 };

        expect_curves(curve, "200 240", 1);
        expect_axis(diverged, 10, "20 120", 1);
}
END_TEST

/* A first point under the others is no reason to leave it out below; nor has a curve without
 * others an end at none. */
START_TEST(all_other_points_are_inside_the_plot)
{
        double rising[] = { 50, 100, 101, 102, 103, 104, 105, 106 };
        double alone[] = { 50, NAN, NAN, NAN, NAN, NAN, NAN, NAN };
        double rounded[] = { 207.013, 206.9, 206.8, 206.75, 206.7, 206.65, 206.62, 206.61 };

        expect_axis(rising, 8, "40 120", 0);
        expect_axis(alone, 8, "47 53", 0);
        expect_axis(rounded, 8, "206.6 207.1", 0);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("curves");

        ADD_SCRATCH_TEST(suite, diverged_points_do_not_determine_the_scale);
        ADD_SCRATCH_TEST(suite, points_far_above_the_others_are_clipped);
        ADD_SCRATCH_TEST(suite, a_steep_curve_is_not_clipped);
        ADD_SCRATCH_TEST(suite, only_outliers_are_clipped);
        ADD_SCRATCH_TEST(suite, all_other_points_are_inside_the_plot);
        return run_suite(suite);
}
