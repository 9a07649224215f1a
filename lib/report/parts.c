/* SPDX-License-Identifier: MIT */
/* parts.c - tables made straight from a query, and those of learning curves. */
#include "report/parts.h"

#include <math.h>
#include <string.h>

#include "record/cursor.h"

int pxr_table_append(struct pxr_table_list *list, struct pxr_table *table)
{
        if (!table)
                return -1;
        if (!list->end)
                list->end = &list->first;
        *list->end = table;
        list->end = &table->next;
        return 0;
}

int pxr_check_part(const char *part, const char *const *names, struct pxr_diag *diag)
{
        const char *nearest;
        size_t count = 0;

        if (!part)
                return 0;
        for (; names[count]; count++)
                if (strcmp(names[count], part) == 0)
                        return 0;
        pxr_user_error(diag, "there is no part '%s'", part);
        nearest = pxr_nearest(part, names, count);
        if (nearest)
                pxr_hint(diag, "did you mean '%s'?", nearest);
        for (size_t i = 0; i < count; i++)
                pxr_note(diag, "a part is '%s'", names[i]);
        return -1;
}

static struct pxr_cell cell_of(struct pxr_table *table, struct pxr_cursor *rows, int i,
                               enum pxr_style style)
{
        double value;

        switch (sqlite3_column_type(rows->statement, i)) {
        case SQLITE_NULL:
                return (struct pxr_cell) { 0 };
        case SQLITE_INTEGER:
                if (style == PXR_STYLE_PLAIN)
                        return pxr_integer_cell(sqlite3_column_int64(rows->statement, i));
                break;
        case SQLITE_FLOAT:
                break;
        default:
                return pxr_text_cell(table, (const char *)sqlite3_column_text(rows->statement, i));
        }
        value = sqlite3_column_double(rows->statement, i);
        if (style == PXR_STYLE_DURATION)
                return pxr_duration_cell(value);
        if (style == PXR_STYLE_EPOCH)
                return pxr_real_cell(value, fabs(value - rint(value)) < 1e-9 ? 0 : 1);
        return pxr_real_cell(value, style == PXR_STYLE_NLL ? 3 : -1);
}

struct pxr_table *pxr_part_table(struct pxr_arena *arena, struct pxr_store *store,
                                 const struct pxr_part *part, int64_t run, struct pxr_diag *diag)
{
        struct pxr_table *table =
                pxr_table_new(arena, part->name, part->title, part->column, part->columns);
        struct pxr_cursor rows = pxr_query(store, arena, diag, part->sql, "i", run);

        if (!table) {
                pxr_cursor_end(&rows);
                pxr_out_of_memory(diag);
                return NULL;
        }
        while (pxr_cursor_next(&rows) && !table->failed) {
                struct pxr_cell *cell = pxr_table_row(table);

                for (int i = 0; i < table->columns; i++)
                        cell[i] = cell_of(table, &rows, i, part->style[i]);
        }
        return pxr_cursor_end(&rows) || pxr_table_finish(table, diag) ? NULL : table;
}

/* --- learning curves ---------------------------------------------------------------------------
 */

static double told(const struct pxr_run *run, const struct pxr_curve *curve, double nats)
{
        return pxr_told_in_bits(curve->dimensions, run->image_colours)
                       ? nats / (M_LN2 * (double)curve->dimensions)
                       : nats;
}

static const char *unit_of(const struct pxr_run *run, const struct pxr_curve *curve)
{
        return pxr_told_in_bits(curve->dimensions, run->image_colours) ? "bits/dim" : "nats/image";
}

struct pxr_table *pxr_points_table(struct pxr_arena *arena, struct pxr_store *store,
                                   const struct pxr_run *const *run, size_t count,
                                   struct pxr_diag *diag)
{
        static const struct pxr_column columns[] = {
                { "run", "Run", PXR_IF_FILLED },   { "split", "Split", PXR_IF_FILLED },
                { "step", "Step", PXR_IF_FILLED }, { "epoch", "Epoch", PXR_IF_FILLED },
                { "nll", "NLL", PXR_IF_FILLED },   { "unit", "Unit", PXR_IF_FILLED },
        };
        struct pxr_table *table = pxr_table_new(arena, "curve", "Learning curve", columns, 6);
        struct pxr_curve curve[PXR_CURVES];

        if (!table) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        for (size_t k = 0; k < count; k++) {
                if (pxr_report_curves(arena, store, run[k]->id, curve, diag))
                        return NULL;
                for (int i = 0; i < PXR_CURVES && curve[i].split; i++)
                        for (size_t point = 0; point < curve[i].count; point++) {
                                struct pxr_cell *cell = pxr_table_row(table);

                                cell[0] = pxr_integer_cell(run[k]->id);
                                cell[1] = pxr_text_cell(table, curve[i].split);
                                cell[2] = pxr_integer_cell(curve[i].step[point]);
                                cell[3] = pxr_real_cell(curve[i].epoch[point], 1);
                                cell[4] = pxr_real_cell(
                                        told(run[k], &curve[i], curve[i].nats[point]), 4);
                                cell[5] = pxr_text_cell(table, unit_of(run[k], &curve[i]));
                        }
        }
        return pxr_table_finish(table, diag) ? NULL : table;
}

static void line_of(struct pxr_table *table, const struct pxr_run *run,
                    const struct pxr_curve *curve)
{
        struct pxr_cell *cell = pxr_table_row(table);
        size_t best = 0, last = curve->count - 1;

        for (size_t i = 1; i < curve->count; i++)
                if (curve->nats[i] < curve->nats[best])
                        best = i;
        cell[0] = pxr_integer_cell(run->id);
        cell[1] = pxr_text_cell(table, curve->split);
        cell[2] = pxr_real_cell(curve->epoch[last], 1);
        cell[3] = pxr_real_cell(told(run, curve, curve->nats[0]), 3);
        cell[4] = pxr_real_cell(told(run, curve, curve->nats[best]), 3);
        cell[5] = pxr_real_cell(curve->epoch[best], 1);
        cell[6] = pxr_real_cell(told(run, curve, curve->nats[last]), 3);
        cell[7] = pxr_text_cell(table, unit_of(run, curve));
        cell[8] = pxr_text_cell(table, pxr_sparkline(table->arena, curve, 24));
}

struct pxr_table *pxr_lines_table(struct pxr_arena *arena, struct pxr_store *store,
                                  const struct pxr_run *const *run, size_t count,
                                  struct pxr_diag *diag)
{
        static const struct pxr_column columns[] = {
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
        struct pxr_table *table = pxr_table_new(arena, "curve", "Learning curve", columns, 9);
        struct pxr_curve curve[PXR_CURVES];

        if (!table) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        for (size_t k = 0; k < count; k++) {
                if (pxr_report_curves(arena, store, run[k]->id, curve, diag))
                        return NULL;
                for (int i = 0; i < PXR_CURVES && curve[i].split; i++)
                        if (curve[i].count > 0)
                                line_of(table, run[k], &curve[i]);
        }
        if (table->rows == 0)
                pxr_table_note(table, NULL, "No NLL is on record yet.");
        return pxr_table_finish(table, diag) ? NULL : table;
}
