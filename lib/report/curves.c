/* SPDX-License-Identifier: MIT */
/* curves.c - learning curves, from the metrics of a run. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"
#include "record/cursor.h"

static int count_points(struct pxr_arena *arena, struct pxr_store *store, int64_t run,
                        struct pxr_curve curve[PXR_CURVES], struct pxr_diag *diag)
{
        struct pxr_cursor rows = pxr_query(store, arena, diag,
                                           "SELECT split, sum(name = 'nll'), max(dimensions) FROM "
                                           "metric WHERE run = ? AND name IN ('nll', 'final_nll') "
                                           "AND images > 0 GROUP BY split ORDER BY split",
                                           "i", run);

        for (int i = 0; i < PXR_CURVES && pxr_cursor_next(&rows); i++) {
                size_t room = (size_t)pxr_cursor_integer(&rows, 1) + 1;

                curve[i].split = pxr_cursor_text(&rows, 0);
                curve[i].dimensions = pxr_cursor_integer(&rows, 2);
                curve[i].epoch = pxr_alloc_array(arena, room, sizeof(double));
                curve[i].nats = pxr_alloc_array(arena, room, sizeof(double));
                curve[i].step = pxr_alloc_array(arena, room, sizeof(int64_t));
        }
        return pxr_cursor_end(&rows);
}

static int read_points(struct pxr_arena *arena, struct pxr_store *store, int64_t run,
                       struct pxr_curve *curve, struct pxr_diag *diag)
{
        struct pxr_cursor rows = pxr_query(store, arena, diag,
                                           "SELECT step, epoch, sum_nats / images FROM metric "
                                           "WHERE run = ? AND name = 'nll' AND split = ? AND "
                                           "images > 0 ORDER BY step",
                                           "it", run, curve->split);

        while (pxr_cursor_next(&rows)) {
                curve->step[curve->count] = pxr_cursor_integer(&rows, 0);
                curve->epoch[curve->count] = pxr_cursor_real(&rows, 1);
                curve->nats[curve->count++] = pxr_cursor_real(&rows, 2);
        }
        return pxr_cursor_end(&rows);
}

static int read_finals(struct pxr_arena *arena, struct pxr_store *store, int64_t run,
                       struct pxr_curve curve[PXR_CURVES], struct pxr_diag *diag)
{
        struct pxr_cursor rows =
                pxr_query(store, arena, diag,
                          "SELECT split, step, epoch, sum_nats / images FROM metric "
                          "WHERE run = ? AND name = 'final_nll' AND images > 0",
                          "i", run);

        while (pxr_cursor_next(&rows)) {
                const char *split = pxr_cursor_text(&rows, 0);

                for (int i = 0; split && i < PXR_CURVES && curve[i].split; i++) {
                        if (strcmp(curve[i].split, split) != 0)
                                continue;
                        curve[i].final.known = true;
                        curve[i].final.step = pxr_cursor_integer(&rows, 1);
                        curve[i].final.epoch = pxr_cursor_real(&rows, 2);
                        curve[i].final.nats = pxr_cursor_real(&rows, 3);
                }
        }
        return pxr_cursor_end(&rows);
}

int pxr_report_curves(struct pxr_arena *arena, struct pxr_store *store, int64_t run,
                      struct pxr_curve curve[PXR_CURVES], struct pxr_diag *diag)
{
        int status;

        memset(curve, 0, PXR_CURVES * sizeof(*curve));
        /* As of one moment: the run may be under way. */
        if (pxr_store_execute(store, diag, "BEGIN", ""))
                return -1;
        status = count_points(arena, store, run, curve, diag);
        for (int i = 0; !status && i < PXR_CURVES && curve[i].split; i++)
                status = read_points(arena, store, run, &curve[i], diag);
        if (!status)
                status = read_finals(arena, store, run, curve, diag);
        pxr_store_rollback(store);
        return status;
}

static int by_value(const void *left, const void *right)
{
        double a = *(const double *)left, b = *(const double *)right;

        return (a > b) - (a < b);
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
                        double nats = curve[i].nats[(k + 1) * curve[i].count / points - 1];

                        if (isfinite(nats))
                                value[count++] = nats;
                }
        }
        qsort(value, count, sizeof(*value), by_value);
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
        for (size_t i = 0; i < curve->count; i++)
                if (curve->nats[i] <= ceiling && isfinite(curve->nats[i])) {
                        low = fmin(low, curve->nats[i]);
                        high = fmax(high, curve->nats[i]);
                }
        for (int i = 0; i < columns; i++) { /* the last point of each stretch */
                double nats = curve->nats[(size_t)(i + 1) * curve->count / columns - 1];
                double part = high > low ? (nats - low) / (high - low) : 0;

                end = stpcpy(end, !isfinite(nats)  ? "?"
                                  : nats > ceiling ? "↑"
                                                   : bars[(int)fmin(7, part * 8)]);
        }
        return text;
}
