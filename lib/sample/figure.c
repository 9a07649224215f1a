/* SPDX-License-Identifier: MIT */
/*
 * figure.c - plots as SVG.
 */
#include "sample/figure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* --- what plots share --------------------------------------------------------------------------
 */

static void put_part(FILE *to, const char *text, const char *end)
{
        for (; text < end; text++) {
                if (*text == '&')
                        fputs("&amp;", to);
                else if (*text == '<')
                        fputs("&lt;", to);
                else if (*text == '>')
                        fputs("&gt;", to);
                else if ((unsigned char)*text >= ' ') /* XML knows no other control characters */
                        putc(*text, to);
        }
}

static void put_escaped(FILE *to, const char *text)
{
        put_part(to, text, text + strlen(text));
}

static void put_text(FILE *to, double x, double y, const char *anchor, const char *more,
                     const char *text)
{
        fprintf(to, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"%s>", x, y, anchor, more);
        put_escaped(to, text);
        fputs("</text>\n", to);
}

/* In sizes of the font: a bit more than that of most letters, as nobody knows the browser's font.
 */
static const double letter_width = 0.62;

/* Text of this size, or smaller where it would be wider than `room`. */
static void put_fitted(FILE *to, double x, double y, const char *anchor, const char *more,
                       double size, double room, const char *text)
{
        int letters = pxr_characters(text, text + strlen(text));
        char all[64];

        if (letters > 0)
                size = fmin(size, room / (letter_width * letters));
        snprintf(all, sizeof(all), " font-size=\"%.1f\"%s", size, more);
        put_text(to, x, y, anchor, all, text);
}

static void put_number(FILE *to, double x, double y, const char *anchor, double number)
{
        char text[32];

        snprintf(text, sizeof(text), "%.4g", number);
        put_text(to, x, y, anchor, "", text);
}

static void put_line(FILE *to, double x1, double y1, double x2, double y2, const char *colour)
{
        fprintf(to, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", x1,
                y1, x2, y2, colour);
}

enum { TITLE_SIZE = 14, TITLE_LINE = 18 };

/* The end of a line of at most so many characters: after a word, or within a word that is longer.
 */
static const char *line_end(const char *text, int most)
{
        const char *end = text + strlen(text), *at = text, *word = NULL;

        for (int i = 0; i < most && at < end; i++, at += pxr_step(at, end))
                if (*at == ' ')
                        word = at;
        return at < end && *at != ' ' && word ? word : at;
}

static const char *next_line(const char *end)
{
        return end + strspn(end, " ");
}

static int count_lines(const char *text, int most)
{
        int lines = 0;

        for (; *text; lines++)
                text = next_line(line_end(text, most));
        return lines;
}

/* A title in as many lines as it needs, each about as long as the others. */
static void put_title(FILE *to, double cols, const char *title, int lines, int most)
{
        double y = 20;

        while (most > 1 && count_lines(title, most - 1) == lines)
                most--;
        for (const char *line = title; *line; y += TITLE_LINE) {
                const char *end = line_end(line, most);

                fprintf(to, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" font-size=\"%d\">",
                        cols / 2, y, TITLE_SIZE);
                put_part(to, line, end);
                fputs("</text>\n", to);
                line = next_line(end);
        }
}

/* Begin a file of cols x rows units, which include one line of the title; more lines make it
 * higher.
 */
static void put_head(FILE *to, double cols, double rows, const char *title,
                     struct pxr_png_texts texts)
{
        int most = (int)fmax(1, (cols - 16) / (letter_width * TITLE_SIZE));
        int lines = count_lines(title + strspn(title, " "), most);
        int more = lines > 1 ? (lines - 1) * TITLE_LINE : 0;

        fprintf(to,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
                "width=\"%.0f\" height=\"%.0f\" font-family=\"sans-serif\" font-size=\"11\" "
                "fill=\"#222\">\n<title>",
                cols, rows + more, cols, rows + more);
        put_escaped(to, title);
        fputs("</title>\n<desc>", to);
        for (int i = 0; i < texts.count; i++) {
                put_escaped(to, texts.text[i].key);
                fputs(": ", to);
                put_escaped(to, texts.text[i].value);
                putc('\n', to);
        }
        fputs("</desc>\n", to);
        fprintf(to, "<rect width=\"%.0f\" height=\"%.0f\" fill=\"#fff\"/>\n", cols, rows + more);
        put_title(to, cols, title + strspn(title, " "), lines, most);
        fprintf(to, "<g transform=\"translate(0 %d)\">\n", more);
}

double pxr_tick_step(double all, int most)
{
        double step = pow(10, floor(log10(all / most)));
        static const double times[] = { 1, 2, 5, 10 };

        for (int i = 0; i < 4; i++)
                if (all / (step * times[i]) <= most)
                        return step * times[i];
        return step * 10;
}

/* The end of a file. Returns its text, or NULL when out of memory. */
static const char *finish(struct pxr_stream *stream)
{
        const char *text;

        fputs("</g>\n</svg>\n", stream->to);
        text = pxr_stream_close(stream);
        return *text ? text : NULL;
}

/* --- distributions -----------------------------------------------------------------------------
 */

enum {
        PANEL_COLS = 320,
        PANEL_ROWS = 222,
        PLOT_LEFT = 58,
        PLOT_TOP = 34,
        PLOT_COLS = 250,
        PLOT_ROWS = 136,
        HEAD = 32,
        FOOT = 24
};

static const char *colour_of(int colour)
{
        static const char *const colours[] = { "#c0392b", "#2e8b57", "#2b6cb0" };

        return colour < 0 ? "#555" : colours[colour];
}

/* The y axis, up to a round number at or above the highest bar; returns that number. */
static double put_probabilities(FILE *to, double left, double top, double highest)
{
        double step = pxr_tick_step(highest, 4), end = step * ceil(highest / step - 1e-9);

        for (int i = 0; i * step <= end * (1 + 1e-9); i++) {
                double y = top + PLOT_ROWS * (1 - i * step / end);

                put_line(to, left, y, left + PLOT_COLS, y, i ? "#ddd" : "#222");
                put_number(to, left - 6, y + 4, "end", i * step);
        }
        fprintf(to,
                "<text transform=\"translate(%.1f %.1f) rotate(-90)\" text-anchor=\"middle\">"
                "probability</text>\n",
                left - 44, top + PLOT_ROWS / 2.0);
        return end;
}

static void put_levels(FILE *to, double left, double bottom, int levels)
{
        double wide = (double)PLOT_COLS / levels;
        int step = levels <= 8 ? 1 : (levels + 4) / 8;

        for (int level = 0; level < levels; level += step) {
                double x = left + (level + 0.5) * wide;

                put_line(to, x, bottom, x, bottom + 4, "#222");
                put_number(to, x, bottom + 18, "middle", level);
        }
        put_text(to, left + PLOT_COLS / 2.0, bottom + 32, "middle", "", "value");
}

static void put_bars(FILE *to, double left, double bottom, int levels, double end,
                     const struct pxr_softmax_panel *panel)
{
        double wide = (double)PLOT_COLS / levels, gap = levels <= 32 ? 0.1 * wide : 0;

        fprintf(to, "<path fill=\"%s\" d=\"", colour_of(panel->colour));
        for (int level = 0; level < levels; level++)
                fprintf(to, "M%.2f %.1fv%.3fh%.2fV%.1fz", left + level * wide + gap / 2, bottom,
                        -PLOT_ROWS * panel->probability[level] / end, wide - gap, bottom);
        fputs("\"/>\n", to);
}

/* The value that the image has, as a triangle below its bar, and its probability as text. */
static void put_value(FILE *to, double left, double top, int levels,
                      const struct pxr_softmax_panel *panel)
{
        double x = left + (panel->value + 0.5) * PLOT_COLS / levels, bottom = top + PLOT_ROWS;
        double entropy = 0;
        char text[96];

        fprintf(to, "<path fill=\"#222\" d=\"M%.2f %.1fl4 7h-8z\"/>\n", x, bottom);
        for (int level = 0; level < levels; level++)
                if (panel->probability[level] > 0)
                        entropy -= panel->probability[level] * log2(panel->probability[level]);
        snprintf(text, sizeof(text), "P(%d) = %.3g, entropy %.2f bits", panel->value,
                 panel->probability[panel->value], entropy);
        put_text(to, left + PLOT_COLS, top - 6, "end", " font-size=\"10\" fill=\"#555\"", text);
}

/* The highest probability of all panels, which share one scale. */
static double highest_of(const struct pxr_softmax_plot *plot)
{
        double highest = 0;

        for (int i = 0; i < plot->panels; i++)
                for (int level = 0; level < plot->levels; level++)
                        highest = fmax(highest, plot->panel[i].probability[level]);
        return highest;
}

static void put_legend(FILE *to, double y)
{
        fprintf(to, "<path fill=\"#222\" d=\"M%d %.1fl4 7h-8z\"/>\n", PLOT_LEFT, y - 8);
        put_text(to, PLOT_LEFT + 10, y, "start", " font-size=\"10\"",
                 "the image's value; P: its probability");
}

static void put_panel(FILE *to, double x, double y, int levels, double highest,
                      const struct pxr_softmax_panel *panel)
{
        double left = x + PLOT_LEFT, top = y + PLOT_TOP, end;

        put_fitted(to, left, top - 20, "start", " font-weight=\"bold\"", 11, PLOT_COLS,
                   panel->title);
        end = put_probabilities(to, left, top, highest);
        put_bars(to, left, top + PLOT_ROWS, levels, end, panel);
        put_levels(to, left, top + PLOT_ROWS, levels);
        put_value(to, left, top, levels, panel);
}

const char *pxr_softmax_svg(struct pxr_arena *arena, const struct pxr_softmax_plot *plot)
{
        int across = plot->panels < 3 ? plot->panels : 3;
        int down = (plot->panels + across - 1) / across;
        double highest = highest_of(plot);
        struct pxr_stream stream;

        if (pxr_stream_open(&stream, arena))
                return NULL;
        put_head(stream.to, across * PANEL_COLS, HEAD + down * PANEL_ROWS + FOOT, plot->title,
                 plot->texts);
        for (int i = 0; i < plot->panels; i++)
                put_panel(stream.to, i % across * PANEL_COLS, HEAD + i / across * PANEL_ROWS,
                          plot->levels, highest, &plot->panel[i]);
        put_legend(stream.to, HEAD + down * PANEL_ROWS + FOOT / 2.0);
        return finish(&stream);
}

/* --- heat maps ---------------------------------------------------------------------------------
 */

enum { MAP_LEFT = 48, MAP_TOP = 40, MAP_AIM = 400, BAR_GAP = 24, BAR_COLS = 16, BAR_ROOM = 96 };

/* The highest value below `top`, and how many there are of it; -1: none. */
static double next_below(const double *value, size_t count, double top, size_t *equal)
{
        double next = -1;

        for (size_t i = 0; i < count; i++) {
                if (!(value[i] < top) || value[i] < next)
                        continue;
                *equal = value[i] > next ? 1 : *equal + 1;
                next = value[i];
        }
        return next;
}

double pxr_heat_end(const double *value, size_t count, double *highest)
{
        size_t left = count / 100, equal = 0;
        double end;

        *highest = next_below(value, count, INFINITY, &equal);
        *highest = *highest > 0 ? *highest : 1;
        for (end = *highest; equal > 0 && equal <= left && end > 0;) {
                left -= equal;
                end = next_below(value, count, end, &equal);
        }
        return end > 0 && *highest > 1.5 * end ? end : *highest;
}

/* Dark blue, red, yellow, nearly white. */
void pxr_heat(double part, uint8_t rgb[3])
{
        static const double stop[][3] = { { 13, 8, 58 },
                                          { 110, 20, 110 },
                                          { 205, 55, 70 },
                                          { 248, 155, 50 },
                                          { 252, 250, 190 } };
        double at = fmin(fmax(part, 0), 1) * 4;
        int from = at < 4 ? (int)at : 3;

        for (int i = 0; i < 3; i++)
                rgb[i] = (uint8_t)lround(stop[from][i] +
                                         (at - from) * (stop[from + 1][i] - stop[from][i]));
}

static void heat(double part, char text[8])
{
        uint8_t rgb[3];

        pxr_heat(part, rgb);
        snprintf(text, 8, "#%02x%02x%02x", rgb[0], rgb[1], rgb[2]);
}

static void put_cells(FILE *to, const struct pxr_map_plot *plot, double zoom, double end)
{
        fputs("<g shape-rendering=\"crispEdges\">\n", to);
        for (int row = 0; row < plot->rows; row++)
                for (int col = 0; col < plot->cols; col++) {
                        double value = plot->value[row * plot->cols + col];
                        char colour[8];

                        heat(value / end, colour);
                        fprintf(to,
                                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                                "fill=\"%s\"><title>row %d, column %d: %.4g</title></rect>\n",
                                MAP_LEFT + col * zoom, MAP_TOP + row * zoom, zoom, zoom, colour,
                                row, col, value);
                }
        fputs("</g>\n", to);
}

static void put_places(FILE *to, const struct pxr_map_plot *plot, double zoom)
{
        double bottom = MAP_TOP + plot->rows * zoom;
        int step = (int)fmax(1, pxr_tick_step(fmax(plot->rows, plot->cols), 8));

        for (int col = 0; col < plot->cols; col += step)
                put_number(to, MAP_LEFT + (col + 0.5) * zoom, bottom + 14, "middle", col);
        for (int row = 0; row < plot->rows; row += step)
                put_number(to, MAP_LEFT - 6, MAP_TOP + (row + 0.5) * zoom + 4, "end", row);
        put_text(to, MAP_LEFT + plot->cols * zoom / 2, bottom + 30, "middle", "", "column");
        fprintf(to,
                "<text transform=\"translate(14 %.1f) rotate(-90)\" text-anchor=\"middle\">row"
                "</text>\n",
                MAP_TOP + plot->rows * zoom / 2);
}

/* The bar says where its scale does not reach the highest value. */
static void put_bar(FILE *to, const struct pxr_map_plot *plot, double zoom, double end, bool beyond)
{
        enum { SLICES = 64 };
        double left = MAP_LEFT + plot->cols * zoom + BAR_GAP, rows = plot->rows * zoom;
        double step = pxr_tick_step(end, 6);

        fputs("<g shape-rendering=\"crispEdges\">\n", to);
        for (int i = 0; i < SLICES; i++) {
                char colour[8];

                heat((i + 0.5) / SLICES, colour);
                fprintf(to,
                        "<rect x=\"%.1f\" y=\"%.2f\" width=\"%d\" height=\"%.2f\" fill=\"%s\"/>\n",
                        left, MAP_TOP + rows * (SLICES - 1 - i) / SLICES, BAR_COLS, rows / SLICES,
                        colour);
        }
        fputs("</g>\n", to);
        for (int i = 0; i * step <= end * (1 + 1e-9); i++) {
                double y = MAP_TOP + rows * (1 - i * step / end);

                if (beyond && y < MAP_TOP + 14)
                        break; /* there is no room beside the end's */
                put_line(to, left + BAR_COLS, y, left + BAR_COLS + 4, y, "#222");
                put_number(to, left + BAR_COLS + 7, y + 4, "start", i * step);
        }
        if (beyond) {
                char text[32];

                snprintf(text, sizeof(text), ">= %.4g", end);
                put_line(to, left + BAR_COLS, MAP_TOP, left + BAR_COLS + 4, MAP_TOP, "#222");
                put_text(to, left + BAR_COLS + 7, MAP_TOP + 4, "start", "", text);
        }
        fprintf(to, "<text transform=\"translate(%.1f %.1f) rotate(-90)\" text-anchor=\"middle\">",
                left + BAR_COLS + 54, MAP_TOP + rows / 2);
        put_escaped(to, plot->unit);
        fputs("</text>\n", to);
}

const char *pxr_map_svg(struct pxr_arena *arena, const struct pxr_map_plot *plot)
{
        double zoom = fmax(1, floor(MAP_AIM / fmax(plot->rows, plot->cols))), highest;
        double end = pxr_heat_end(plot->value, (size_t)plot->rows * plot->cols, &highest);
        struct pxr_stream stream;

        if (pxr_stream_open(&stream, arena))
                return NULL;
        put_head(stream.to, MAP_LEFT + plot->cols * zoom + BAR_GAP + BAR_ROOM,
                 MAP_TOP + plot->rows * zoom + 40, plot->title, plot->texts);
        put_cells(stream.to, plot, zoom, end);
        put_places(stream.to, plot, zoom);
        put_bar(stream.to, plot, zoom, end, highest > end);
        return finish(&stream);
}
