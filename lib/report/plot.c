/* SPDX-License-Identifier: MIT */
/* plot.c - learning curves as SVG, and heat maps as pictures of one dot a value. */
#include "report/plot.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "report/html.h"
#include "sample/figure.h"

/* --- learning curves ---------------------------------------------------------------------------
 */

/* The page stretches the SVG, so it holds only lines; text is placed over it in per cent. */
enum { SIDE = 1000, MOST_DOTS = 40 };

struct axis {
        double low, high, step;
};

struct frame {
        const struct pxr_curve_plot *plot;
        const struct pxr_curve *end; /* behind the curves that there are */
        struct axis x, y;
        const char *unit;
        double ceiling; /* higher points are clipped */
        size_t clipped;
};

static const char *class_of(const char *split)
{
        static const char *const known[] = { "train", "valid", "test" };

        for (size_t i = 0; i < PXR_COUNT(known); i++)
                if (strcmp(known[i], split) == 0)
                        return known[i];
        return "other";
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

/* Make room for a point; `others`: for all but first points. */
static void widen_to(struct frame *frame, struct axis *others, const struct pxr_point *point,
                     bool is_first)
{
        widen(&frame->x, point->epoch);
        if (!(point->nll <= frame->ceiling))
                return;
        widen(&frame->y, point->nll);
        if (!is_first)
                widen(others, point->nll);
}

/* An untrained model is far from all that follows. The plot reaches as high as the other points do,
 * and to those first points that leave them room. */
static void clip_first(struct frame *frame, double others)
{
        double end = pxr_highest_end(frame->y.low, others);

        if (!isfinite(others))
                return;
        frame->y.high = others;
        for (const struct pxr_curve *line = frame->plot->curve; line < frame->end; line++)
                if (line->count > 0 && line->point[0].nll <= fmin(frame->ceiling, end))
                        widen(&frame->y, line->point[0].nll);
}

/* Whether a point is above the plot, by more than rounding. */
static bool is_clipped(const struct frame *frame, const struct pxr_point *point)
{
        return isfinite(point->nll) && point->nll > frame->y.high + 1e-6 * frame->y.step;
}

/* Returns false if there is nothing to draw. */
static bool set_frame(struct frame *frame)
{
        struct axis others = { INFINITY, -INFINITY, 0 };
        bool any = false;

        for (frame->end = frame->plot->curve;
             frame->end < frame->plot->curve + PXR_CURVES && frame->end->split;)
                frame->end++;
        frame->ceiling =
                pxr_curve_ceiling(frame->plot->curve, (int)(frame->end - frame->plot->curve));
        frame->y = others;
        for (const struct pxr_curve *line = frame->plot->curve; line < frame->end; line++) {
                for (size_t i = 0; i < line->count; i++) {
                        any |= isfinite(line->point[i].nll);
                        widen_to(frame, &others, &line->point[i],
                                 i == 0 && line->count >= PXR_FEW_POINTS);
                }
                if (line->has_final)
                        widen_to(frame, &others, &line->final, false);
        }
        if (!any)
                return false;
        for (int i = 0; i < 2; i++) {
                widen(&frame->y, frame->plot->line[i].value);
                widen(&others, frame->plot->line[i].value);
        }
        clip_first(frame, others.high);
        others.high = frame->x.high;
        round_off(&frame->x, 8);
        if (others.high > 0) /* the last epoch is at the right edge */
                frame->x.high = others.high;
        round_off(&frame->y, 5);
        for (const struct pxr_curve *line = frame->plot->curve; line < frame->end; line++) {
                for (size_t i = 0; i < line->count; i++)
                        frame->clipped += is_clipped(frame, &line->point[i]);
                frame->clipped += line->has_final && is_clipped(frame, &line->final);
        }
        return true;
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

static void put_labels(FILE *to, const struct frame *frame)
{
        char text[PXR_NUMBER_TEXT];

        for (int i = 0; i <= ticks_of(&frame->y); i++) {
                double value = frame->y.low + i * frame->y.step;

                pxr_html(to, "<span class=\"y\" style=\"top:%.2f%%\">%s</span>\n",
                         100 * (1 - part(&frame->y, value)),
                         pxr_number_text(value, decimals_of(frame->y.step), text));
        }
        for (int i = 0; i <= ticks_of(&frame->x); i++) {
                double value = frame->x.low + i * frame->x.step;

                pxr_html(to, "<span class=\"x\" style=\"left:%.2f%%\">%.*f</span>\n",
                         100 * part(&frame->x, value), decimals_of(frame->x.step), value);
        }
}

/* What the script shows of a point. */
static void put_value(FILE *to, const struct frame *frame, const struct pxr_point *point)
{
        char text[PXR_NUMBER_TEXT];

        pxr_html(to, "%" PRId64 " %.6g %s", point->step, point->epoch,
                 pxr_number_text(point->nll, frame->plot->bits ? 4 : 3, text));
}

/* A line that is broken where a value is not finite. */
static void put_line(FILE *to, const struct frame *frame, const struct pxr_curve *line)
{
        const char *comma = "", *command = "M";

        pxr_html(to, "<path class=\"line %s\" data-split=\"%s\" data-points=\"",
                 class_of(line->split), line->split);
        for (size_t i = 0; i < line->count; i++)
                if (isfinite(line->point[i].nll)) {
                        pxr_html(to, "%s", comma);
                        put_value(to, frame, &line->point[i]);
                        comma = ",";
                }
        pxr_html(to, "\" d=\"");
        for (size_t i = 0; i < line->count; i++) {
                const struct pxr_point *point = &line->point[i];

                if (isfinite(point->nll))
                        pxr_html(to, "%s%.1f %.1f", command, across(frame, point->epoch),
                                 down(frame, point->nll));
                command = isfinite(point->nll) ? "L" : "M";
        }
        pxr_html(to, "\"/>\n");
}

/* A stroke of no length at each point. */
static void put_dots(FILE *to, const struct frame *frame, const struct pxr_curve *line)
{
        pxr_html(to, "<path class=\"dots %s\" d=\"", class_of(line->split));
        for (size_t i = 0; i < line->count; i++)
                if (isfinite(line->point[i].nll))
                        pxr_html(to, "M%.1f %.1fh0", across(frame, line->point[i].epoch),
                                 down(frame, line->point[i].nll));
        pxr_html(to, "\"/>\n");
}

/* The result, as a square where its step is. */
static void put_final(FILE *to, const struct frame *frame, const struct pxr_curve *line)
{
        pxr_html(to, "<path class=\"final %s\" data-split=\"%s, final\" data-points=\"",
                 class_of(line->split), line->split);
        put_value(to, frame, &line->final);
        pxr_html(to, "\" d=\"M%.1f %.1fh0\"/>\n", across(frame, line->final.epoch),
                 down(frame, line->final.nll));
}

static const char *const reference_classes[] = { "reference", "reference second" };

static void put_svg(FILE *to, const struct frame *frame)
{
        pxr_html(to,
                 "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" "
                 "aria-hidden=\"true\">\n<path class=\"grid\" d=\"",
                 SIDE, SIDE);
        for (int i = 0; i <= ticks_of(&frame->y); i++)
                pxr_html(to, "M0 %.1fH%d", down(frame, frame->y.low + i * frame->y.step), SIDE);
        pxr_html(to, "\"/>\n");
        for (int i = 0; i < 2; i++)
                if (isfinite(frame->plot->line[i].value))
                        pxr_html(to, "<path class=\"%s\" d=\"M0 %.1fH%d\"/>\n",
                                 reference_classes[i], down(frame, frame->plot->line[i].value),
                                 SIDE);
        for (const struct pxr_curve *line = frame->plot->curve; line < frame->end; line++) {
                if (line->count > 0)
                        put_line(to, frame, line);
                if (line->count > 0 && line->count <= MOST_DOTS)
                        put_dots(to, frame, line);
                if (line->has_final)
                        put_final(to, frame, line);
        }
        pxr_html(to, "</svg>\n");
}

static void put_legend(FILE *to, const struct frame *frame)
{
        size_t all = 0, drawn = 0;
        bool final = false;

        pxr_html(to, "<figcaption>NLL in %s, by epochs <span class=\"legend\">", frame->unit);
        for (const struct pxr_curve *line = frame->plot->curve; line < frame->end; line++) {
                all += line->all;
                drawn += line->count;
                final |= line->has_final;
                pxr_html(to, "<span class=\"key %s\">%s</span> ", class_of(line->split),
                         line->split);
        }
        for (int i = 0; i < 2; i++)
                if (isfinite(frame->plot->line[i].value))
                        pxr_html(to, "<span class=\"key %s\">%s %.2f</span> ", reference_classes[i],
                                 frame->plot->line[i].name, frame->plot->line[i].value);
        if (final)
                pxr_html(to, "<span class=\"key final\">final</span> ");
        pxr_html(to, "</span>");
        if (frame->clipped > 0)
                pxr_html(to, " %zu %s above the plot.", frame->clipped,
                         frame->clipped == 1 ? "point lies" : "points lie");
        if (drawn < all)
                pxr_html(to, " %zu of %zu points are drawn.", drawn, all);
        pxr_html(to, "</figcaption>\n");
}

void pxr_plot_curves(FILE *to, const struct pxr_curve_plot *plot)
{
        struct frame frame = { .plot = plot,
                               .unit = plot->bits ? "bits per dimension" : "nats per image" };

        if (!set_frame(&frame)) {
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

static double value_at(const struct pxr_value_map *map, int pixel, int colour)
{
        double value = map->value[(size_t)pixel * map->colours + colour];

        return value > 0 && isfinite(value) ? value : 0;
}

/* One colour's map, up to the value `end`: what it is of, and how much of the whole that is. */
static int put_colour(FILE *to, const struct pxr_value_map *map, int colour, double end,
                      struct pxr_diag *diag)
{
        static const char *const names[] = { "red", "green", "blue" };
        const char *name = map->colours == 3 ? names[colour] : "";
        int pixels = map->rows * map->cols, status;
        uint8_t *picture = malloc((size_t)pixels * 3);
        double sum = 0, all = 0;

        if (!picture)
                return pxr_out_of_memory(diag);
        pxr_html(to,
                 "<figure class=\"map\"><div class=\"cells\" tabindex=\"0\" data-rows=\"%d\" "
                 "data-cols=\"%d\" data-unit=\"%s\" data-values=\"",
                 map->rows, map->cols, map->unit);
        for (int pixel = 0; pixel < pixels; pixel++) {
                double value = value_at(map, pixel, colour);

                pxr_heat(value / end, picture + 3 * (size_t)pixel);
                pxr_html(to, "%s%.3g", pixel ? " " : "", value);
                sum += value;
                for (int other = 0; other < map->colours; other++)
                        all += value_at(map, pixel, other);
        }
        pxr_html(to, "\"><img alt=\"heat map of %s%s by row and column\" src=\"", map->unit, name);
        status = pxr_html_png(to, map->rows, map->cols, 3, picture, diag);
        free(picture);
        pxr_html(to, "\"></div>\n<figcaption><b>%s</b>: %.3f %s in the mean",
                 *name ? name : "all pixels", sum / pixels, map->unit);
        if (map->colours > 1 && all > 0)
                pxr_html(to, ", %.1f&#8239;%% of all", 100 * sum / all);
        pxr_html(to, "</figcaption></figure>\n");
        return status;
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
        if (pxr_html_png(to, 1, SLICES, 3, pixels, diag))
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
