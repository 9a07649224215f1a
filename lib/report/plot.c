/* SPDX-License-Identifier: MIT */
/* plot.c - learning curves as SVG, and heat maps as pictures of one dot a value. */
#include "report/plot.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "data/png.h"
#include "report/html.h"
#include "sample/figure.h"

/* --- learning curves ---------------------------------------------------------------------------
 */

/* The SVG is stretched to the size the page gives it, so that it holds lines alone; what is written
 * stands over it, placed in per cent. */
enum { SIDE = 1000, MOST_POINTS = 300, MOST_DOTS = 40 };

struct axis {
        double low, high, step;
};

struct frame {
        const struct pxr_curve_plot *plot;
        struct axis x, y;
        double scale[PXR_CURVES]; /* from nats to what is told */
        const char *unit;
        double ceiling; /* NLLs in nats above it are above the plot */
        size_t beyond;  /* points above the plot */
};

/* Points that are drawn: not more than there is room for, the last among them. */
static size_t points_of(const struct pxr_curve *curve)
{
        return curve->count < MOST_POINTS ? curve->count : MOST_POINTS;
}

static size_t point_at(const struct pxr_curve *curve, size_t i)
{
        size_t points = points_of(curve);

        return (i + 1) * curve->count / points - 1;
}

static void widen(struct axis *axis, double value)
{
        if (!isfinite(value))
                return;
        axis->low = fmin(axis->low, value);
        axis->high = fmax(axis->high, value);
}

/* Round numbers at both ends. */
static void round_off(struct axis *axis, int ticks)
{
        if (!(axis->high > axis->low)) {
                double room = axis->low != 0 ? 0.05 * fabs(axis->low) : 1;

                axis->low -= room;
                axis->high += room;
        }
        axis->step = pxr_tick_step(axis->high - axis->low, ticks);
        axis->low = axis->step * floor(axis->low / axis->step + 1e-9);
        axis->high = axis->step * ceil(axis->high / axis->step - 1e-9);
}

/* A model that knows nothing yet is far from all that follows, which a plot of both would squeeze
 * into a line: the plot goes as high as the others do, and the first points that leave them room.
 */
static void leave_out_first(struct frame *frame, double others)
{
        double end = pxr_highest_end(frame->y.low, others);

        if (!isfinite(others))
                return;
        frame->y.high = others;
        for (int i = 0; i < PXR_CURVES && frame->plot->curve[i].split; i++) {
                const struct pxr_curve *curve = &frame->plot->curve[i];
                double nats = curve->count > 0 ? curve->nats[point_at(curve, 0)] : NAN;

                if (nats <= frame->ceiling && nats * frame->scale[i] <= end)
                        widen(&frame->y, nats * frame->scale[i]);
        }
}

/* Is there a result to draw? */
static bool has_final(const struct pxr_curve *curve)
{
        return curve->final.known && isfinite(curve->final.nats) && isfinite(curve->final.epoch);
}

/* Is a value above the plot, by more than rounding? */
static bool is_beyond(const struct frame *frame, double value)
{
        return isfinite(value) && value > frame->y.high + 1e-6 * frame->y.step;
}

static void count_beyond(struct frame *frame)
{
        for (int i = 0; i < PXR_CURVES && frame->plot->curve[i].split; i++) {
                const struct pxr_curve *curve = &frame->plot->curve[i];

                for (size_t k = 0; k < points_of(curve); k++)
                        frame->beyond +=
                                is_beyond(frame, curve->nats[point_at(curve, k)] * frame->scale[i]);
                frame->beyond +=
                        has_final(curve) && is_beyond(frame, curve->final.nats * frame->scale[i]);
        }
}

/* Make room for the result, which is no point of the line. */
static void widen_to_final(struct frame *frame, struct axis *others, int i)
{
        const struct pxr_curve *curve = &frame->plot->curve[i];

        if (!has_final(curve))
                return;
        widen(&frame->x, curve->final.epoch);
        if (curve->final.nats <= frame->ceiling) {
                widen(&frame->y, curve->final.nats * frame->scale[i]);
                widen(others, curve->final.nats * frame->scale[i]);
        }
}

/* Returns the number of finite points of the lines. */
static size_t set_frame(struct frame *frame)
{
        struct axis others = { INFINITY, -INFINITY, 0 };
        size_t finite = 0;

        frame->x = (struct axis) { 0, 0, 0 };
        frame->y = others;
        frame->unit = frame->plot->bits ? "bits per dimension" : "nats per image";
        frame->ceiling = pxr_curve_ceiling(frame->plot->curve, PXR_CURVES);
        for (int i = 0; i < PXR_CURVES && frame->plot->curve[i].split; i++) {
                const struct pxr_curve *curve = &frame->plot->curve[i];

                frame->scale[i] = frame->plot->bits ? 1 / (M_LN2 * (double)curve->dimensions) : 1;
                for (size_t k = 0; k < points_of(curve); k++) {
                        double nats = curve->nats[point_at(curve, k)];

                        finite += isfinite(nats);
                        if (nats <= frame->ceiling)
                                widen(&frame->y, nats * frame->scale[i]);
                        if (nats <= frame->ceiling && (k > 0 || curve->count < PXR_FEW_POINTS))
                                widen(&others, nats * frame->scale[i]);
                        widen(&frame->x, curve->epoch[point_at(curve, k)]);
                }
                widen_to_final(frame, &others, i);
        }
        for (int i = 0; finite > 0 && i < 2; i++) {
                widen(&frame->y, frame->plot->line[i].value);
                widen(&others, frame->plot->line[i].value);
        }
        if (finite > 0) {
                double end = frame->x.high;

                leave_out_first(frame, others.high);
                round_off(&frame->x, 8);
                frame->x.high = end > 0 ? end : frame->x.high;
                round_off(&frame->y, 5);
                count_beyond(frame);
        }
        return finite;
}

static double part(const struct axis *axis, double value)
{
        return (value - axis->low) / (axis->high - axis->low);
}

static double across(const struct frame *frame, double epoch)
{
        return SIDE * part(&frame->x, epoch);
}

/* What is far above the plot need not be drawn as far. */
static double down(const struct frame *frame, double value)
{
        return SIDE * fmax(1 - part(&frame->y, value), -10);
}

static int decimals_of(double step)
{
        return step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0;
}

static int ticks_of(const struct axis *axis)
{
        return (int)floor((axis->high - axis->low) / axis->step + 1e-6);
}

static void put_grid(FILE *to, const struct frame *frame)
{
        pxr_html(to, "<path class=\"grid\" d=\"");
        for (int i = 0; i <= ticks_of(&frame->y); i++)
                pxr_html(to, "M0 %.1fH%d", down(frame, frame->y.low + i * frame->y.step), SIDE);
        pxr_html(to, "\"/>\n");
}

static void put_number(FILE *to, double value, int decimals)
{
        char text[PXR_NUMBER_TEXT];

        pxr_html(to, "%s", pxr_number_text(value, decimals, text));
}

static void put_labels(FILE *to, const struct frame *frame)
{
        for (int i = 0; i <= ticks_of(&frame->y); i++) {
                double value = frame->y.low + i * frame->y.step;

                pxr_html(to, "<span class=\"y\" style=\"top:%.2f%%\">",
                         100 * (1 - part(&frame->y, value)));
                put_number(to, value, decimals_of(frame->y.step));
                pxr_html(to, "</span>\n");
        }
        for (int i = 0; i <= ticks_of(&frame->x); i++) {
                double value = frame->x.low + i * frame->x.step;

                pxr_html(to, "<span class=\"x\" style=\"left:%.2f%%\">%.*f</span>\n",
                         100 * part(&frame->x, value), decimals_of(frame->x.step), value);
        }
}

/* The class that gives a split its colour. */
static const char *class_of(const char *split)
{
        static const char *const known[] = { "train", "valid", "test" };

        for (size_t i = 0; i < PXR_COUNT(known); i++)
                if (strcmp(known[i], split) == 0)
                        return known[i];
        return "other";
}

/* What the script shows: step, epoch and value of each point. */
static void put_points(FILE *to, const struct frame *frame, int i)
{
        const struct pxr_curve *curve = &frame->plot->curve[i];
        bool first = true;

        pxr_html(to, " data-split=\"%s\" data-points=\"", curve->split);
        for (size_t k = 0; k < points_of(curve); k++) {
                size_t at = point_at(curve, k);

                if (!isfinite(curve->nats[at]))
                        continue;
                pxr_html(to, "%s%" PRId64 " %.6g ", first ? "" : ",", curve->step[at],
                         curve->epoch[at]);
                put_number(to, curve->nats[at] * frame->scale[i], frame->plot->bits ? 4 : 3);
                first = false;
        }
        pxr_html(to, "\"");
}

/* A line that is broken where a value is not finite; as dots, a stroke of no length at each. */
static void put_line(FILE *to, const struct frame *frame, int i, bool dots)
{
        const struct pxr_curve *curve = &frame->plot->curve[i];
        bool broken = true;

        pxr_html(to, "<path class=\"%s %s\"", dots ? "dots" : "line", class_of(curve->split));
        if (!dots)
                put_points(to, frame, i);
        pxr_html(to, " d=\"");
        for (size_t k = 0; k < points_of(curve); k++) {
                size_t at = point_at(curve, k);

                if (isfinite(curve->nats[at]))
                        pxr_html(to, "%s%.1f %.1f%s", broken || dots ? "M" : "L",
                                 across(frame, curve->epoch[at]),
                                 down(frame, curve->nats[at] * frame->scale[i]), dots ? "h0" : "");
                broken = !isfinite(curve->nats[at]);
        }
        pxr_html(to, "\"/>\n");
}

/* The result, as a square where its step is. */
static void put_final(FILE *to, const struct frame *frame, int i)
{
        const struct pxr_curve *curve = &frame->plot->curve[i];
        double value = curve->final.nats * frame->scale[i];

        pxr_html(to,
                 "<path class=\"final %s\" data-split=\"%s, final\" data-points=\"%" PRId64
                 " %.6g ",
                 class_of(curve->split), curve->split, curve->final.step, curve->final.epoch);
        put_number(to, value, frame->plot->bits ? 4 : 3);
        pxr_html(to, "\" d=\"M%.1f %.1fh0\"/>\n", across(frame, curve->final.epoch),
                 down(frame, value));
}

static void put_legend(FILE *to, const struct frame *frame)
{
        static const char *const names[] = { "mark", "mark second" };
        size_t all = 0, drawn = 0;
        bool final = false;

        pxr_html(to, "<figcaption>NLL in %s, by epochs <span class=\"legend\">", frame->unit);
        for (int i = 0; i < PXR_CURVES && frame->plot->curve[i].split; i++) {
                const struct pxr_curve *curve = &frame->plot->curve[i];

                all += curve->count;
                drawn += points_of(curve);
                final |= has_final(curve);
                pxr_html(to, "<span class=\"key %s\">%s</span> ", class_of(curve->split),
                         curve->split);
        }
        for (int i = 0; i < 2; i++)
                if (isfinite(frame->plot->line[i].value))
                        pxr_html(to, "<span class=\"key %s\">%s %.*f</span> ", names[i],
                                 frame->plot->line[i].name, 2, frame->plot->line[i].value);
        if (final)
                pxr_html(to, "<span class=\"key final\">final</span> ");
        pxr_html(to, "</span>");
        if (frame->beyond > 0)
                pxr_html(to, " %" PRId64 " %s above the plot.", (int64_t)frame->beyond,
                         frame->beyond == 1 ? "point lies" : "points lie");
        if (drawn < all)
                pxr_html(to, " %" PRId64 " of %" PRId64 " points are drawn.", (int64_t)drawn,
                         (int64_t)all);
        pxr_html(to, "</figcaption>\n");
}

static void put_svg(FILE *to, const struct frame *frame)
{
        pxr_html(to,
                 "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" "
                 "aria-hidden=\"true\">\n",
                 SIDE, SIDE);
        put_grid(to, frame);
        for (int i = 0; i < 2; i++)
                if (isfinite(frame->plot->line[i].value))
                        pxr_html(to, "<path class=\"mark%s\" d=\"M0 %.1fH%d\"/>\n",
                                 i ? " second" : "", down(frame, frame->plot->line[i].value), SIDE);
        for (int i = 0; i < PXR_CURVES && frame->plot->curve[i].split; i++) {
                const struct pxr_curve *curve = &frame->plot->curve[i];

                if (curve->count > 0)
                        put_line(to, frame, i, false);
                if (curve->count > 0 && curve->count <= MOST_DOTS)
                        put_line(to, frame, i, true);
                if (has_final(curve))
                        put_final(to, frame, i);
        }
        pxr_html(to, "</svg>\n");
}

void pxr_plot_curves(FILE *to, const struct pxr_curve_plot *plot)
{
        struct frame frame = { .plot = plot };

        if (set_frame(&frame) == 0) {
                pxr_html(to, "<p class=\"none\">There is no NLL to draw yet.</p>\n");
                return;
        }
        pxr_html(to,
                 "<figure class=\"curves\"><div class=\"plot\" tabindex=\"0\" role=\"img\" "
                 "aria-label=\"Learning curves, NLL in %s by epochs. The arrow keys go from point "
                 "to point.\" data-unit=\"%s\" data-x=\"%.6g %.6g\" data-y=\"%.6g %.6g\">\n",
                 frame.unit, plot->bits ? "bits/dim" : "nats", frame.x.low, frame.x.high,
                 frame.y.low, frame.y.high);
        put_svg(to, &frame);
        put_labels(to, &frame);
        pxr_html(
                to,
                "<span class=\"axis of-y\">%s</span><span class=\"axis of-x\">epoch</span></div>\n",
                plot->bits ? "bits/dim" : "nats/image");
        put_legend(to, &frame);
        pxr_html(to, "</figure>\n");
}

/* --- heat maps ---------------------------------------------------------------------------------
 */

/* A picture as the source of an <img>. Returns 0 or -1. */
static int put_picture(FILE *to, int rows, int cols, const uint8_t *pixels, struct pxr_diag *diag)
{
        const struct pxr_picture picture = {
                .rows = rows, .cols = cols, .colours = 3, .pixels = pixels
        };
        size_t size;
        uint8_t *png = pxr_png_encode(&picture, &size, diag);

        if (!png)
                return -1;
        pxr_html_data(to, "image/png", png, size);
        free(png);
        return 0;
}

static double value_at(const struct pxr_value_map *map, int place, int colour)
{
        double value = map->value[(size_t)place * map->colours + colour];

        return value > 0 && isfinite(value) ? value : 0;
}

static int put_cells(FILE *to, const struct pxr_value_map *map, int colour, double end,
                     const char *name, struct pxr_diag *diag)
{
        int places = map->rows * map->cols, status;
        uint8_t *pixels = malloc((size_t)places * 3);

        if (!pixels)
                return pxr_out_of_memory(diag);
        for (int place = 0; place < places; place++)
                pxr_heat(value_at(map, place, colour) / end, pixels + 3 * (size_t)place);
        pxr_html(to,
                 "<div class=\"cells\" tabindex=\"0\" data-rows=\"%d\" data-cols=\"%d\" "
                 "data-unit=\"%s\" data-values=\"",
                 map->rows, map->cols, map->unit);
        for (int place = 0; place < places; place++)
                pxr_html(to, "%s%.3g", place ? " " : "", value_at(map, place, colour));
        pxr_html(to, "\"><img alt=\"heat map of %s%s by row and column\" src=\"", map->unit, name);
        status = put_picture(to, map->rows, map->cols, pixels, diag);
        pxr_html(to, "\"></div>\n");
        free(pixels);
        return status;
}

/* One colour's map: what it is of, and how much of the whole that is. */
static int put_colour(FILE *to, const struct pxr_value_map *map, int colour, double end,
                      struct pxr_diag *diag)
{
        static const char *const names[] = { "red", "green", "blue" };
        const char *name = map->colours == 3 ? names[colour] : "all pixels";
        double sum = 0, all = 0;
        int places = map->rows * map->cols;

        for (int place = 0; place < places; place++) {
                sum += value_at(map, place, colour);
                for (int other = 0; other < map->colours; other++)
                        all += value_at(map, place, other);
        }
        pxr_html(to, "<figure class=\"map\">");
        if (put_cells(to, map, colour, end, map->colours == 3 ? names[colour] : "", diag))
                return -1;
        pxr_html(to, "<figcaption><b>%s</b>: %.3f %s in the mean", name, sum / places, map->unit);
        if (map->colours > 1 && all > 0)
                pxr_html(to, ", %.1f&#8239;%% of all", 100 * sum / all);
        pxr_html(to, "</figcaption></figure>\n");
        return 0;
}

static int put_bar(FILE *to, double end, double highest, const char *unit, struct pxr_diag *diag)
{
        enum { SLICES = 128 };
        uint8_t pixels[3 * SLICES];
        double step = pxr_tick_step(end, 5);

        for (int i = 0; i < SLICES; i++)
                pxr_heat((i + 0.5) / SLICES, pixels + 3 * i);
        pxr_html(to,
                 "<div class=\"bar\" role=\"img\" aria-label=\"colours from 0 to %.3g %s\">"
                 "<img alt=\"\" src=\"",
                 end, unit);
        if (put_picture(to, 1, SLICES, pixels, diag))
                return -1;
        pxr_html(to, "\">");
        for (int i = 0; i * step <= end * (1 + 1e-9); i++)
                pxr_html(to, "<span style=\"left:%.2f%%\">%.*f</span>", 100 * i * step / end,
                         decimals_of(step), i * step);
        pxr_html(to, "</div><p class=\"unit\">%s", unit);
        if (highest > end)
                pxr_html(to, "; the lightest stands for &#8805;&#8239;%.3g, up to %.3g", end,
                         highest);
        pxr_html(to, "</p>\n");
        return 0;
}

int pxr_plot_map(FILE *to, const struct pxr_value_map *map, struct pxr_diag *diag)
{
        size_t values = (size_t)map->rows * map->cols * map->colours;
        double highest, end = pxr_heat_end(map->value, values, &highest);

        pxr_html(to, "<div class=\"maps\">\n");
        for (int colour = 0; colour < map->colours; colour++)
                if (put_colour(to, map, colour, end, diag))
                        return -1;
        pxr_html(to, "</div>\n");
        return put_bar(to, end, highest, map->unit, diag);
}
