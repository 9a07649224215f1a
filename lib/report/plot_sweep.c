/* SPDX-License-Identifier: MIT */
/* plot_sweep.c - the jobs of a sweep as scatter plots and parallel coordinates, in SVG. */
#include "report/plot_sweep.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "sample/figure.h"

/* Plots are stretched to their box. MOST_VALUES: more texts than that have no axis; FEW_NUMBERS:
 * more numbers stand by their size. */
enum {
        SIDE = 1000,
        APART = 140,
        MOST_KEYS = 8,
        MOST_VALUES = 12,
        FEW_NUMBERS = 4,
        MOST_JOBS = 500
};

/* Where the values of a key stand on its axis: in order, or by their size. */
struct scale {
        int column;
        bool in_order, logarithmic;
        double low, high;
        const char *value[MOST_VALUES]; /* in order */
        int values;
};

struct plot {
        FILE *to;
        struct pxr_arena *arena;
        const struct pxr_table *jobs;
        const struct pxr_html_runs *detailed;
        int job, run, nll, suspect, archived; /* columns */
        struct scale key[MOST_KEYS];
        int keys;
        double low, high, step; /* of the NLLs that count */
        const char *unit;       /* of these */
        size_t best;            /* row; SIZE_MAX: none */
        size_t counted, diverged;
};

static const struct pxr_cell *cell_at(const struct plot *p, size_t row, int column)
{
        return p->jobs->cell + row * p->jobs->columns + column;
}

static double number_of(const struct pxr_cell *cell)
{
        return cell->kind == PXR_CELL_INTEGER ? (double)cell->integer
               : cell->kind == PXR_CELL_REAL  ? cell->real
                                              : NAN;
}

static double nll_of(const struct plot *p, size_t row)
{
        return number_of(cell_at(p, row, p->nll));
}

static bool has_diverged(const struct plot *p, size_t row)
{
        return !isfinite(nll_of(p, row)) || cell_at(p, row, p->suspect)->kind != PXR_CELL_EMPTY;
}

/* An archived run is never the best. */
static bool is_archived(const struct plot *p, size_t row)
{
        return cell_at(p, row, p->archived)->kind != PXR_CELL_EMPTY;
}

/* Whether a job has a result, good or not. */
static bool is_drawn(const struct plot *p, size_t row)
{
        return row < MOST_JOBS && cell_at(p, row, p->nll)->kind != PXR_CELL_EMPTY;
}

/* --- scales ------------------------------------------------------------------------------------
 */

static int compare_texts(const void *a, const void *b)
{
        const char *const *one = a, *const *other = b;
        char *end, *other_end;
        double x = strtod(*one, &end), y = strtod(*other, &other_end);

        if (!*end && !*other_end && x != y)
                return x < y ? -1 : 1;
        return strcmp(*one, *other);
}

static int place_of(const struct scale *scale, const char *text)
{
        for (int i = 0; i < scale->values; i++)
                if (strcmp(scale->value[i], text) == 0)
                        return i;
        return -1;
}

/* Returns false if a key has no axis: it has one value, or too many texts. */
static bool make_scale(const struct plot *p, int column, struct scale *scale)
{
        bool numbers = true, too_many = false;

        *scale = (struct scale) { column, .low = INFINITY, .high = -INFINITY };
        for (size_t row = 0; row < p->jobs->rows; row++) {
                const struct pxr_cell *cell = cell_at(p, row, column);
                const char *text = pxr_cell_text(p->arena, cell);

                if (!is_drawn(p, row) || cell->kind == PXR_CELL_EMPTY)
                        continue;
                numbers &= isfinite(number_of(cell));
                scale->low = fmin(scale->low, number_of(cell));
                scale->high = fmax(scale->high, number_of(cell));
                if (place_of(scale, text) >= 0)
                        continue;
                too_many |= scale->values == MOST_VALUES;
                if (!too_many)
                        scale->value[scale->values++] = text;
        }
        qsort(scale->value, (size_t)scale->values, sizeof(*scale->value), compare_texts);
        scale->in_order = !numbers || scale->values <= FEW_NUMBERS;
        scale->logarithmic = numbers && scale->low > 0 && scale->high >= 20 * scale->low;
        return scale->values > 1 && (numbers || !too_many);
}

/* From 0 to 1; NAN where the job has no such value. */
static double along(const struct plot *p, const struct scale *scale, size_t row)
{
        const struct pxr_cell *cell = cell_at(p, row, scale->column);
        double value = number_of(cell);

        if (cell->kind == PXR_CELL_EMPTY)
                return NAN;
        if (scale->in_order)
                return (place_of(scale, pxr_cell_text(p->arena, cell)) + 0.5) / scale->values;
        if (scale->logarithmic)
                return 0.05 + 0.9 * log(value / scale->low) / log(scale->high / scale->low);
        return 0.05 + 0.9 * (value - scale->low) / (scale->high - scale->low);
}

/* Those that diverged stand at the top. */
static double down(const struct plot *p, size_t row)
{
        double top = p->diverged ? APART : 0;

        if (has_diverged(p, row))
                return APART / 3.0;
        return top + (SIDE - top) * (p->high - nll_of(p, row)) / (p->high - p->low);
}

static bool set_up(struct plot *p)
{
        int first = pxr_table_column(p->jobs, "state") + 1;
        int unit = pxr_table_column(p->jobs, "unit");

        p->job = pxr_table_column(p->jobs, "job");
        p->run = pxr_table_column(p->jobs, "run");
        p->nll = pxr_table_column(p->jobs, "valid_nll");
        p->suspect = pxr_table_column(p->jobs, "suspect");
        p->archived = pxr_table_column(p->jobs, "archived_at");
        if (first == 0 || p->job < 0 || p->run < 0 || p->nll < first || p->suspect < 0 ||
            p->archived < 0)
                return false;
        p->best = SIZE_MAX;
        p->unit = "";
        p->low = INFINITY, p->high = -INFINITY;
        for (size_t row = 0; row < p->jobs->rows; row++) {
                if (!is_drawn(p, row))
                        continue;
                p->diverged += has_diverged(p, row);
                if (has_diverged(p, row))
                        continue;
                if (!is_archived(p, row) &&
                    (p->best == SIZE_MAX || nll_of(p, row) < nll_of(p, p->best)))
                        p->best = row;
                if (unit >= 0 && cell_at(p, row, unit)->kind == PXR_CELL_TEXT)
                        p->unit = cell_at(p, row, unit)->text;
                p->low = fmin(p->low, nll_of(p, row));
                p->high = fmax(p->high, nll_of(p, row));
                p->counted++;
        }
        if (p->counted < 2 || !(p->high > p->low))
                return false;
        p->step = pxr_tick_step(p->high - p->low, 5);
        p->low = p->step * floor(p->low / p->step);
        p->high = p->step * ceil(p->high / p->step);
        for (int i = first; i < p->nll && p->keys < MOST_KEYS; i++)
                p->keys += make_scale(p, i, &p->key[p->keys]);
        return p->keys > 0;
}

/* --- drawing -----------------------------------------------------------------------------------
 */

static const char *class_of(const struct plot *p, size_t row)
{
        return has_diverged(p, row) ? "diverged" : row == p->best ? "best" : "job";
}

/* What a browser shows of a job under the pointer. */
static void put_title(const struct plot *p, size_t row)
{
        pxr_html(p->to, "<title>job %s", pxr_cell_text(p->arena, cell_at(p, row, p->job)));
        for (int i = 0; i < p->keys; i++)
                pxr_html(p->to, ", %s = %s", p->jobs->column[p->key[i].column].name,
                         pxr_cell_text(p->arena, cell_at(p, row, p->key[i].column)));
        pxr_html(p->to, ": NLL %s%s%s</title>", pxr_cell_text(p->arena, cell_at(p, row, p->nll)),
                 has_diverged(p, row) ? ", diverged" : "", is_archived(p, row) ? ", archived" : "");
}

/* A stroke, which leads to the run of the job where that has a section. */
static void put_mark(const struct plot *p, size_t row, const char *kind, const char *path)
{
        const struct pxr_cell *run = cell_at(p, row, p->run);
        bool linked = run->kind == PXR_CELL_INTEGER && pxr_html_has_run(p->detailed, run->integer);

        if (linked)
                pxr_html(p->to, "<a href=\"#run-%" PRId64 "\">", run->integer);
        pxr_html(p->to, "<path class=\"%s %s\" d=\"%s\">", kind, class_of(p, row), path);
        put_title(p, row);
        pxr_html(p->to, linked ? "</path></a>\n" : "</path>\n");
}

static void put_levels(const struct plot *p)
{
        int decimals = p->step < 1 ? (int)ceil(-log10(p->step) - 1e-9) : 0;
        double top = p->diverged ? APART : 0;
        char text[PXR_NUMBER_TEXT];

        if (p->diverged)
                pxr_html(p->to, "<span class=\"y\" style=\"top:%.1f%%\">diverged</span>",
                         100 * APART / 3.0 / SIDE);
        for (double value = p->low; value < p->high + 0.5 * p->step; value += p->step)
                pxr_html(p->to, "<span class=\"y\" style=\"top:%.1f%%\">%s</span>",
                         (top + (SIDE - top) * (p->high - value) / (p->high - p->low)) / SIDE * 100,
                         pxr_number_text(value, decimals, text));
}

/* The values below an axis; or the ends of its range. */
static void put_values(const struct plot *p, const struct scale *scale)
{
        for (int i = 0; scale->in_order && i < scale->values; i++)
                pxr_html(p->to,
                         "<span class=\"x\" style=\"left:%.1f%%;max-width:%.1f%%\">%s</span>",
                         100 * (i + 0.5) / scale->values, 95.0 / scale->values, scale->value[i]);
        if (!scale->in_order)
                pxr_html(p->to,
                         "<span class=\"x\" style=\"left:5%%\">%.3g</span>"
                         "<span class=\"x\" style=\"left:95%%\">%.3g</span>",
                         scale->low, scale->high);
}

static void put_scatter(const struct plot *p, const struct scale *scale)
{
        const char *key = p->jobs->column[scale->column].name;

        pxr_html(p->to,
                 "<figure class=\"scatter\"><figcaption><b>%s</b>%s</figcaption>"
                 "<div class=\"plane\"><svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" "
                 "role=\"img\" aria-label=\"NLL by %s\">\n",
                 key, scale->logarithmic && !scale->in_order ? ", log scale" : "", SIDE, SIDE, key);
        for (size_t turn = 0; turn <= p->jobs->rows; turn++) { /* the best over the others */
                size_t row = turn < p->jobs->rows ? turn : p->best;
                double x = is_drawn(p, row) ? along(p, scale, row) : NAN;

                if (isfinite(x) && (row != p->best || turn == p->jobs->rows))
                        put_mark(p, row, "dot",
                                 pxr_strf(p->arena, "M%.1f %.1fh0", SIDE * x, down(p, row)));
        }
        pxr_html(p->to, "</svg>\n<span class=\"axis\">validation NLL, %s</span>\n", p->unit);
        put_levels(p);
        put_values(p, scale);
        pxr_html(p->to, "</div></figure>\n");
}

static const char *last_part(const char *key)
{
        const char *dot = strrchr(key, '.');

        return dot && dot[1] ? dot + 1 : key;
}

/* "rate" of "train.optimizer.adam.rate", as there is no room for all of it; or the whole key, where
 * another one ends alike. */
static const char *short_key(const struct plot *p, int i)
{
        const char *key = p->jobs->column[p->key[i].column].name;

        for (int k = 0; k < p->keys; k++)
                if (k != i &&
                    strcmp(last_part(p->jobs->column[p->key[k].column].name), last_part(key)) == 0)
                        return key;
        return last_part(key);
}

/* The ends of an axis, from top to bottom, in per cent. */
static void put_ends(const struct plot *p, double left, const char *top, const char *bottom)
{
        pxr_html(p->to,
                 "<span class=\"level\" style=\"left:%.1f%%;top:%d%%\">%s</span>"
                 "<span class=\"level\" style=\"left:%.1f%%;top:%d%%\">%s</span>",
                 left,
                 left < 100    ? 5
                 : p->diverged ? 100 * APART / SIDE
                               : 0,
                 top, left, left < 100 ? 95 : 100, bottom);
}

/* An axis a key, from left to right, and that of the NLL. */
static void put_parallel(const struct plot *p)
{
        pxr_html(
                p->to,
                "<figure class=\"parallel\"><figcaption>The jobs, each a line through the value of "
                "each key to its validation NLL, %s</figcaption><div class=\"plane\"><svg "
                "viewBox=\"0 0 %d %d\" "
                "preserveAspectRatio=\"none\" role=\"img\" "
                "aria-label=\"parallel coordinates\">\n",
                p->unit, SIDE, SIDE);
        for (int i = 0; i <= p->keys; i++)
                pxr_html(p->to, "<path class=\"rule\" d=\"M%d 0V%d\"/>", i * SIDE / p->keys, SIDE);
        for (size_t turn = 0; turn <= p->jobs->rows; turn++) { /* the best over the others */
                size_t row = turn < p->jobs->rows ? turn : p->best;
                const char *path = "";

                if (!is_drawn(p, row) || (turn == p->best && turn < p->jobs->rows))
                        continue;
                for (int i = 0; i < p->keys; i++) {
                        double y = along(p, &p->key[i], row);

                        if (isfinite(y))
                                path = pxr_strf(p->arena, "%s%c%d %.1f", path, *path ? 'L' : 'M',
                                                i * SIDE / p->keys, SIDE * (1 - y));
                }
                put_mark(p, row, "way",
                         pxr_strf(p->arena, "%s%c%d %.1f", path, *path ? 'L' : 'M', SIDE,
                                  down(p, row)));
        }
        pxr_html(p->to, "</svg>\n");
        for (int i = 0; i <= p->keys; i++) {
                const struct scale *scale = &p->key[i];
                double left = 100.0 * i / p->keys;

                pxr_html(p->to, "<span class=\"x\" style=\"left:%.1f%%\">%s</span>", left,
                         i < p->keys ? short_key(p, i) : "NLL");
                for (int k = 0; i < p->keys && scale->in_order && k < scale->values; k++)
                        pxr_html(p->to,
                                 "<span class=\"level\" style=\"left:%.1f%%;top:%.1f%%\">%s</span>",
                                 left, 100 * (1 - (k + 0.5) / scale->values), scale->value[k]);
                if (i == p->keys)
                        put_ends(p, left, pxr_strf(p->arena, "%.6g", p->high),
                                 pxr_strf(p->arena, "%.6g", p->low));
                else if (!scale->in_order)
                        put_ends(p, left, pxr_strf(p->arena, "%.3g", scale->high),
                                 pxr_strf(p->arena, "%.3g", scale->low));
        }
        pxr_html(p->to, "</div></figure>\n");
}

int pxr_plot_sweep(FILE *to, struct pxr_arena *arena, const struct pxr_table *jobs,
                   const struct pxr_html_runs *detailed)
{
        struct plot p = { .to = to, .arena = arena, .jobs = jobs, .detailed = detailed };

        if (!set_up(&p))
                return pxr_arena_failed(arena) ? -1 : 0;
        pxr_html(to, "<div class=\"scatters\">\n");
        for (int i = 0; i < p.keys; i++)
                put_scatter(&p, &p.key[i]);
        pxr_html(to, "</div>\n");
        if (p.keys > 1)
                put_parallel(&p);
        pxr_html(to,
                 "<p class=\"note\"><span class=\"key job\">a job, by its validation NLL</span>");
        if (p.best != SIZE_MAX)
                pxr_html(to, " <span class=\"key best\">the best</span>");
        if (p.diverged)
                pxr_html(to,
                         " <span class=\"key diverged\">diverged: %zu, apart from the scale"
                         "</span>",
                         p.diverged);
        if (jobs->rows > MOST_JOBS)
                pxr_html(to, " The first %d of %zu jobs are drawn.", MOST_JOBS, jobs->rows);
        pxr_html(to, "</p>\n");
        return pxr_arena_failed(arena) ? -1 : 0;
}
