/* SPDX-License-Identifier: MIT */
/* parts.c - tables made straight from a query, and those of learning curves. */
#include "report/parts.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
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

/* What people see of a text in a list: as much of its first line as there is room for, or NULL for
 * all of it. */
static const char *brief(struct pxr_arena *arena, const char *text)
{
        enum { ROOM = 32 }; /* characters */
        const char *end = text, *all = text + strlen(text);

        for (int i = 0; i < ROOM && end < all && *end != '\n'; i++)
                end += pxr_step(end, all);
        return *end ? pxr_strf(arena, "%.*s\u2026", (int)(end - text), text) : NULL;
}

struct pxr_cell pxr_query_cell(struct pxr_cursor *rows, int i, enum pxr_column_format format)
{
        int type = sqlite3_column_type(rows->statement, i);
        struct pxr_cell cell = { .kind = PXR_CELL_EMPTY };

        if (type == SQLITE_NULL)
                return cell;
        if (type == SQLITE_TEXT || type == SQLITE_BLOB) {
                cell = (struct pxr_cell) { .kind = PXR_CELL_TEXT,
                                           .text = pxr_cursor_text(rows, i) };
                if (format == PXR_COLUMN_SHORT)
                        cell.brief = brief(rows->arena, cell.text);
                return cell;
        }
        if (type == SQLITE_INTEGER && (format == PXR_COLUMN_PLAIN || format == PXR_COLUMN_BYTES)) {
                cell = pxr_integer_cell(pxr_cursor_integer(rows, i));
                if (format == PXR_COLUMN_BYTES)
                        cell.kind = PXR_CELL_BYTES;
                return cell;
        }
        cell = pxr_real_cell(pxr_cursor_real(rows, i), -1);
        if (format == PXR_COLUMN_NLL)
                cell.decimals = 3;
        else if (format == PXR_COLUMN_EPOCH)
                cell.decimals = fabs(cell.real - rint(cell.real)) < 1e-9 ? 0 : 1;
        else if (format == PXR_COLUMN_SECONDS && cell.kind == PXR_CELL_REAL)
                cell.kind = PXR_CELL_DURATION;
        else if (format == PXR_COLUMN_PERCENT && cell.kind == PXR_CELL_REAL)
                cell.kind = PXR_CELL_PERCENT;
        return cell;
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
        while (pxr_cursor_next(&rows)) {
                struct pxr_cell *cell = pxr_table_row(table);

                for (int i = 0; i < table->columns; i++)
                        cell[i] = pxr_query_cell(&rows, i, PXR_COLUMN_PLAIN);
        }
        return pxr_cursor_end(&rows) || pxr_table_finish(table, diag) ? NULL : table;
}

/* --- learning curves ---------------------------------------------------------------------------
 */

static double told(const struct pxr_run *run, const struct pxr_curve *curve, double nats)
{
        return pxr_reported_in_bits(curve->dimensions, run->image_colours)
                       ? nats / (M_LN2 * (double)curve->dimensions)
                       : nats;
}

static const char *unit_of(const struct pxr_run *run, const struct pxr_curve *curve)
{
        return pxr_reported_in_bits(curve->dimensions, run->image_colours) ? "bits/dim"
                                                                           : "nats/image";
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
                                cell[2] = pxr_integer_cell(curve[i].point[point].step);
                                cell[3] = pxr_real_cell(curve[i].point[point].epoch, 1);
                                cell[4] = pxr_real_cell(
                                        told(run[k], &curve[i], curve[i].point[point].nll), 4);
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
                if (curve->point[i].nll < curve->point[best].nll)
                        best = i;
        cell[0] = pxr_integer_cell(run->id);
        cell[1] = pxr_text_cell(table, curve->split);
        cell[2] = pxr_real_cell(curve->point[last].epoch, 1);
        cell[3] = pxr_real_cell(told(run, curve, curve->point[0].nll), 3);
        cell[4] = pxr_real_cell(told(run, curve, curve->point[best].nll), 3);
        cell[5] = pxr_real_cell(curve->point[best].epoch, 1);
        cell[6] = pxr_real_cell(told(run, curve, curve->point[last].nll), 3);
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
