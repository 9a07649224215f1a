/* SPDX-License-Identifier: MIT */
/* curves.c - learning curves, from the metrics of a run. */
#include "report/curves.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "record/cursor.h"
#include "train/evaluate.h"

/* Of more points than there is room for, the last of each stretch. */
static const char sql[] =
        "SELECT split, step, epoch, nats_per_image, bits_per_dimension, dimensions, "
        "name = 'final_nll', points FROM (SELECT *, "
        "row_number() OVER (PARTITION BY split, name ORDER BY step) AS number, "
        "count(*) FILTER (WHERE name = 'nll') OVER (PARTITION BY split) AS points "
        "FROM nll WHERE run = ?1 AND name IN ('nll', 'final_nll')) "
        "WHERE name = 'final_nll' OR points <= ?2 OR number * ?2 / points > (number - 1) * ?2 / "
        "points "
        "ORDER BY split = 'test', split, name, step";
enum { SPLIT, STEP, EPOCH, NATS, BITS, DIMENSIONS, IS_FINAL, POINTS };

int pxr_report_curves(struct pxr_arena *arena, struct pxr_store *store, const struct pxr_run *run,
                      struct pxr_curve curve[PXR_CURVES], struct pxr_diag *diag)
{
        enum { MOST_POINTS = 300 };
        struct pxr_cursor rows =
                pxr_query(store, arena, diag, sql, "ii", run->id, (int64_t)MOST_POINTS);
        struct pxr_curve *at = NULL;

        memset(curve, 0, PXR_CURVES * sizeof(*curve));
        while (pxr_cursor_next(&rows)) {
                const char *split = pxr_cursor_text(&rows, SPLIT);
                int64_t dimensions = pxr_cursor_integer(&rows, DIMENSIONS);
                bool bits = pxr_reported_in_bits(dimensions, run->image_colours);
                const struct pxr_point point = { pxr_cursor_integer(&rows, STEP),
                                                 pxr_cursor_real(&rows, EPOCH),
                                                 pxr_cursor_real(&rows, bits ? BITS : NATS) };

                if (!at || strcmp(at->split, split) != 0) {
                        at = at ? at + 1 : curve;
                        if (at == curve + PXR_CURVES)
                                break;
                        at->split = split;
                        at->all = (size_t)pxr_cursor_integer(&rows, POINTS);
                        at->point = pxr_alloc_array(arena, MOST_POINTS, sizeof(point));
                        if (!at->point)
                                break;
                }
                at->dimensions = dimensions;
                at->bits = bits;
                if (!pxr_cursor_integer(&rows, IS_FINAL) && at->count < MOST_POINTS)
                        at->point[at->count++] = point;
                else if (pxr_cursor_integer(&rows, IS_FINAL) && isfinite(point.epoch) &&
                         isfinite(point.nll))
                        at->has_final = true, at->final = point;
        }
        return pxr_cursor_end(&rows);
}

double pxr_highest_end(double low, double others)
{
        return low + 3 * (others - low);
}

/* The lower quartile is what the run is capable of, even if most of it was after it diverged. */
double pxr_curve_ceiling(const struct pxr_curve *curve, int curves)
{
        enum { EACH = 256, TIMES = 4 };
        double value[PXR_CURVES * EACH], ceiling;
        size_t count = 0, longest = 0;

        for (int i = 0; i < curves && i < PXR_CURVES; i++) {
                size_t points = curve[i].count < EACH ? curve[i].count : EACH;

                longest = curve[i].count > longest ? curve[i].count : longest;
                for (size_t k = 0; k < points; k++) {
                        double nats = curve[i].point[(k + 1) * curve[i].count / points - 1].nll;

                        if (isfinite(nats))
                                value[count++] = nats;
                }
        }
        qsort(value, count, sizeof(*value), pxr_compare_numbers);
        if (count == 0 || longest < PXR_FEW_POINTS || value[count / 4] <= 0)
                return INFINITY;
        ceiling = TIMES * value[count / 4];
        while (value[count - 1] > ceiling)
                count--;
        return fmax(ceiling, pxr_highest_end(value[0], value[count - 1]));
}

char *pxr_sparkline(struct pxr_arena *arena, const struct pxr_curve *curve, int width)
{
        static const char *const bars[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
        double low = INFINITY, high = -INFINITY, ceiling = pxr_curve_ceiling(curve, 1);
        int columns = curve->count < (size_t)width ? (int)curve->count : width;
        char *text = pxr_alloc(arena, 4 * (size_t)width + 1), *end = text;

        if (!text)
                return NULL;
        for (size_t i = 0; i < curve->count; i++) {
                double nats = curve->point[i].nll;

                if (nats <= ceiling && isfinite(nats)) {
                        low = fmin(low, nats);
                        high = fmax(high, nats);
                }
        }
        for (int i = 0; i < columns; i++) { /* the last point of each stretch */
                double nats = curve->point[(size_t)(i + 1) * curve->count / columns - 1].nll;
                double part = high > low ? (nats - low) / (high - low) : 0;

                end = stpcpy(end, !isfinite(nats)  ? "?"
                                  : nats > ceiling ? "↑"
                                                   : bars[(int)fmin(7, part * 8)]);
        }
        return text;
}
