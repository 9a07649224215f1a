/* SPDX-License-Identifier: MIT */
/* curve_table.c - learning curves as a table, by point or by curve. */
#include <math.h>

#include "report/query_table.h"

static const struct pxr_column point_columns[] = {
        { "run", "Run", PXR_IF_FILLED },   { "split", "Split", PXR_IF_FILLED },
        { "step", "Step", PXR_IF_FILLED }, { "epoch", "Epoch", PXR_IF_FILLED },
        { "nll", "NLL", PXR_IF_FILLED },   { "unit", "Unit", PXR_IF_FILLED },
};

static const struct pxr_column curve_columns[] = {
        { "run", "Run", PXR_IF_FILLED },
        { "split", "Split", PXR_IF_FILLED },
        { "epochs", "Epochs", PXR_IF_FILLED },
        { "first", "First", PXR_IF_FILLED },
        { "best", "Best", PXR_IF_FILLED },
        { "best_epoch", "at epoch", PXR_IF_FILLED },
        { "last", "Last", PXR_IF_FILLED },
        { "unit", "Unit", PXR_IF_FILLED },
        { "curve", "From first to last", PXR_IF_FILLED },
};

/* A curve, and the unit that its NLLs are shown in. */
struct curve {
        const struct pxr_run *run;
        const struct pxr_curve *points;
        const char *unit;
        double nats_of_unit;
};

static void add_points(struct pxr_table *table, const struct curve *c)
{
        for (size_t i = 0; i < c->points->count; i++) {
                const struct pxr_point *point = &c->points->point[i];
                struct pxr_cell *cell = pxr_table_row(table);

                cell[0] = pxr_integer_cell(c->run->id);
                cell[1] = pxr_text_cell(table, c->points->split);
                cell[2] = pxr_integer_cell(point->step);
                cell[3] = pxr_real_cell(point->epoch, 1);
                cell[4] = pxr_real_cell(point->nll / c->nats_of_unit, 4);
                cell[5] = pxr_text_cell(table, c->unit);
        }
}

static void add_curve(struct pxr_table *table, const struct curve *c)
{
        const struct pxr_point *point = c->points->point, *best = point;
        const struct pxr_point *last = point + c->points->count - 1;
        struct pxr_cell *cell = pxr_table_row(table);

        for (size_t i = 1; i < c->points->count; i++)
                if (point[i].nll < best->nll)
                        best = &point[i];
        cell[0] = pxr_integer_cell(c->run->id);
        cell[1] = pxr_text_cell(table, c->points->split);
        cell[2] = pxr_real_cell(last->epoch, 1);
        cell[3] = pxr_real_cell(point->nll / c->nats_of_unit, 3);
        cell[4] = pxr_real_cell(best->nll / c->nats_of_unit, 3);
        cell[5] = pxr_real_cell(best->epoch, 1);
        cell[6] = pxr_real_cell(last->nll / c->nats_of_unit, 3);
        cell[7] = pxr_text_cell(table, c->unit);
        cell[8] = pxr_text_cell(table, pxr_sparkline(table->arena, c->points, 24));
}

struct pxr_table *pxr_curve_table(struct pxr_arena *arena, struct pxr_store *store,
                                  const struct pxr_run *const *run, size_t count, bool all_steps,
                                  struct pxr_diag *diag)
{
        struct pxr_table *table = all_steps
                                          ? pxr_table_new(arena, "curve", "Learning curve",
                                                          point_columns, PXR_COUNT(point_columns))
                                          : pxr_table_new(arena, "curve", "Learning curve",
                                                          curve_columns, PXR_COUNT(curve_columns));
        struct pxr_curve curve[PXR_CURVES];

        for (size_t k = 0; table && k < count; k++) {
                if (pxr_report_curves(arena, store, run[k]->id, curve, diag))
                        return NULL;
                for (int i = 0; i < PXR_CURVES && curve[i].split; i++) {
                        int64_t dimensions = curve[i].dimensions;
                        bool bits = pxr_reported_in_bits(dimensions, run[k]->image_colours);
                        const struct curve c = { run[k], &curve[i],
                                                 bits ? "bits/dim" : "nats/image",
                                                 bits ? M_LN2 * (double)dimensions : 1 };

                        if (curve[i].count > 0)
                                (all_steps ? add_points : add_curve)(table, &c);
                }
        }
        if (table && table->rows == 0 && !all_steps)
                pxr_table_note(table, NULL, "No NLL is on record yet.");
        return table && !pxr_table_finish(table, diag) ? table : NULL;
}
