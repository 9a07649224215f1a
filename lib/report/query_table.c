/* SPDX-License-Identifier: MIT */
/* query_table.c - cells and tables of a query's rows. */
#include "report/query_table.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "record/cursor.h"

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
        cell.sign = format == PXR_COLUMN_DIFFERENCE;
        if (format == PXR_COLUMN_NLL || format == PXR_COLUMN_DIFFERENCE)
                cell.decimals = 3;
        else if (format == PXR_COLUMN_EPOCH)
                cell.decimals = fabs(cell.real - rint(cell.real)) < 1e-9 ? 0 : 1;
        else if (format == PXR_COLUMN_SECONDS && cell.kind == PXR_CELL_REAL)
                cell.kind = PXR_CELL_DURATION;
        else if (format == PXR_COLUMN_PERCENT && cell.kind == PXR_CELL_REAL)
                cell.kind = PXR_CELL_PERCENT;
        return cell;
}

struct pxr_table *pxr_query_table(struct pxr_arena *arena, struct pxr_store *store,
                                  const struct pxr_table_query *query, int64_t run,
                                  struct pxr_diag *diag)
{
        struct pxr_table *table =
                pxr_table_new(arena, query->name, query->title, query->column, query->columns);
        struct pxr_cursor rows = pxr_query(store, arena, diag, query->sql, "i", run);

        while (table && pxr_cursor_next(&rows)) {
                struct pxr_cell *cell = pxr_table_row(table);

                for (int i = 0; i < table->columns; i++)
                        cell[i] = pxr_query_cell(&rows, i, PXR_COLUMN_PLAIN);
        }
        return pxr_cursor_end(&rows) || !table || pxr_table_finish(table, diag) ? NULL : table;
}
