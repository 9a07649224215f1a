/* SPDX-License-Identifier: MIT */
/* table.c - building tables, and the text of a cell. */
#include "report/table.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "config/options.h"
#include "record/cursor.h"

struct pxr_table *pxr_table_new(struct pxr_arena *arena, const char *name, const char *title,
                                const struct pxr_column *column, int columns)
{
        struct pxr_table *table = pxr_alloc(arena, sizeof(*table));

        if (!table)
                return NULL;
        *table = (struct pxr_table) { .arena = arena,
                                      .title = pxr_strdup(arena, title),
                                      .name = name,
                                      .column = column,
                                      .columns = columns };
        table->last_note = &table->note;
        return table;
}

/* Room grows by doubling; an arena gives nothing back, so that a table takes up to twice its size.
 */
int pxr_table_column(const struct pxr_table *table, const char *name)
{
        for (int i = 0; i < table->columns; i++)
                if (strcmp(table->column[i].name, name) == 0)
                        return i;
        return -1;
}

struct pxr_cell *pxr_table_row(struct pxr_table *table)
{
        static struct pxr_cell nowhere[64]; /* written, never read */
        size_t columns = (size_t)table->columns, room = table->room ? 2 * table->room : 16;
        struct pxr_cell *cell;

        if (table->rows == table->room) {
                cell = pxr_alloc_array(table->arena, room * columns, sizeof(*cell));
                if (!cell)
                        return nowhere;
                if (table->rows > 0)
                        memcpy(cell, table->cell, table->rows * columns * sizeof(*cell));
                table->cell = cell;
                table->room = room;
        }
        return table->cell + table->rows++ * columns;
}

void pxr_table_note(struct pxr_table *table, const char *footnote, const char *format, ...)
{
        struct pxr_note *note = pxr_alloc(table->arena, sizeof(*note));
        va_list arguments;

        if (!note)
                return;
        va_start(arguments, format);
        *note = (struct pxr_note) { footnote, pxr_vstrf(table->arena, format, arguments), NULL };
        va_end(arguments);
        *table->last_note = note;
        table->last_note = &note->next;
}

int pxr_table_finish(const struct pxr_table *table, struct pxr_diag *diag)
{
        return pxr_arena_failed(table->arena) ? pxr_out_of_memory(diag) : 0;
}

struct pxr_cell pxr_text_cell(struct pxr_table *table, const char *text)
{
        return (struct pxr_cell) { .kind = text ? PXR_CELL_TEXT : PXR_CELL_EMPTY,
                                   .text = text ? pxr_strdup(table->arena, text) : NULL };
}

struct pxr_cell pxr_integer_cell(int64_t value)
{
        return (struct pxr_cell) { .kind = PXR_CELL_INTEGER, .integer = value };
}

struct pxr_cell pxr_real_cell(double value, int decimals)
{
        return (struct pxr_cell) { .kind = isnan(value) ? PXR_CELL_EMPTY : PXR_CELL_REAL,
                                   .real = value,
                                   .decimals = decimals };
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
        cell.sign = format == PXR_COLUMN_DIFFERENCE;
        if (format == PXR_COLUMN_NLL || format == PXR_COLUMN_DIFFERENCE ||
            format == PXR_COLUMN_ROUNDED)
                cell.decimals = 3;
        else if (format == PXR_COLUMN_EPOCH)
                cell.decimals = fabs(cell.real - rint(cell.real)) < 1e-9 ? 0 : 1;
        else if (format == PXR_COLUMN_SECONDS && cell.kind == PXR_CELL_REAL)
                cell.kind = PXR_CELL_DURATION;
        else if (format == PXR_COLUMN_PERCENT && cell.kind == PXR_CELL_REAL)
                cell.kind = PXR_CELL_PERCENT;
        return cell;
}

/* --- the text of a cell
 * ----------------------------------------------------------------------------
 */

static char *duration_text(struct pxr_arena *arena, double seconds)
{
        long long all = llround(seconds);

        if (seconds < 60)
                return pxr_strf(arena, "%.1f s", seconds);
        if (all < 3600)
                return pxr_strf(arena, "%lld min %02lld s", all / 60, all % 60);
        if (all < 86400)
                return pxr_strf(arena, "%lld h %02lld min", all / 3600, all / 60 % 60);
        return pxr_strf(arena, "%lld d %lld h", all / 86400, all / 3600 % 24);
}

static char *real_text(struct pxr_arena *arena, const struct pxr_cell *cell)
{
        char number[PXR_NUMBER_TEXT], text[PXR_REAL_TEXT];
        const char *digits =
                pxr_number_text(cell->real, cell->decimals < 0 ? 0 : cell->decimals, number);

        /* As many digits as it takes, unless these would be thirty. */
        if (cell->decimals < 0 && !strchr(digits, 'e'))
                digits = pxr_format_real(cell->real, text);
        return pxr_strf(arena, "%s%s", cell->sign && !signbit(cell->real) ? "+" : "", digits);
}

/* Thousands apart, for numbers of five digits and more. */
static char *integer_text(struct pxr_arena *arena, int64_t value)
{
        char digits[24], text[32], *to = text;
        int length = snprintf(digits, sizeof(digits), "%" PRId64, value);
        int first = digits[0] == '-';

        if (length - first < 5)
                return pxr_strdup(arena, digits);
        for (int i = 0; i < length; i++) {
                if (i > first && (length - i) % 3 == 0)
                        *to++ = ',';
                *to++ = digits[i];
        }
        *to = '\0';
        return pxr_strdup(arena, text);
}

static char *bytes_text(struct pxr_arena *arena, int64_t bytes)
{
        static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
        double value = (double)bytes / 1000;
        int unit = 0;

        if (bytes > -1000 && bytes < 1000)
                return pxr_strf(arena, "%d B", (int)bytes);
        for (; fabs(value) >= 999.95; unit++)
                value /= 1000;
        return pxr_strf(arena, "%.1f %s", value, units[unit]);
}

static const char *bare_text(struct pxr_arena *arena, const struct pxr_cell *cell)
{
        switch (cell->kind) {
        case PXR_CELL_EMPTY:
                return "";
        case PXR_CELL_TEXT:
                return cell->brief ? cell->brief : cell->text;
        case PXR_CELL_INTEGER:
                return integer_text(arena, cell->integer);
        case PXR_CELL_REAL:
                return real_text(arena, cell);
        case PXR_CELL_DURATION:
                return duration_text(arena, cell->real);
        case PXR_CELL_PERCENT:
                return pxr_strf(arena, "%.1f %%", 100 * cell->real);
        case PXR_CELL_BYTES:
                return bytes_text(arena, cell->integer);
        }
        return "";
}

const char *pxr_cell_text(struct pxr_arena *arena, const struct pxr_cell *cell)
{
        const char *text = bare_text(arena, cell);

        return cell->before && cell->kind != PXR_CELL_EMPTY
                       ? pxr_strf(arena, "%s%s", cell->before, text)
                       : text;
}
