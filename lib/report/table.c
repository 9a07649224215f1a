/* SPDX-License-Identifier: MIT */
/* table.c - tables in the making, and their cells as words. */
#include "report/table.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "config/options.h"

struct pxr_table *pxr_table_new(struct pxr_arena *arena, const char *name, const char *title,
                                const struct pxr_column *column, int columns)
{
        struct pxr_table *table = pxr_alloc(arena, sizeof(*table));
        const char *copy = pxr_strdup(arena, title);

        if (!table || !copy)
                return NULL;
        *table = (struct pxr_table) {
                .arena = arena, .title = copy, .name = name, .column = column, .columns = columns
        };
        table->last_note = &table->note;
        return table;
}

/* Room grows by doubling; an arena gives nothing back, so that a table takes up to twice its size.
 */
struct pxr_cell *pxr_table_row(struct pxr_table *table)
{
        static struct pxr_cell nowhere[64]; /* written, never read */
        size_t columns = (size_t)table->columns, room = table->room ? 2 * table->room : 16;
        struct pxr_cell *cell;

        if (table->rows == table->room) {
                cell = pxr_alloc_array(table->arena, room * columns, sizeof(*cell));
                if (!cell) {
                        table->failed = true;
                        return nowhere;
                }
                if (table->rows > 0)
                        memcpy(cell, table->cell, table->rows * columns * sizeof(*cell));
                table->cell = cell;
                table->room = room;
        }
        return table->cell + table->rows++ * columns;
}

void pxr_table_note(struct pxr_table *table, const char *mark, const char *format, ...)
{
        struct pxr_note *note = pxr_alloc(table->arena, sizeof(*note));
        va_list arguments;

        va_start(arguments, format);
        if (note) {
                note->mark = mark;
                note->text = pxr_vstrf(table->arena, format, arguments);
        }
        va_end(arguments);
        if (!note || !note->text) {
                table->failed = true;
                return;
        }
        *table->last_note = note;
        table->last_note = &note->next;
}

int pxr_table_finish(const struct pxr_table *table, struct pxr_diag *diag)
{
        return table->failed ? pxr_out_of_memory(diag) : 0;
}

struct pxr_cell pxr_text_cell(struct pxr_table *table, const char *text)
{
        struct pxr_cell cell = { .kind = text ? PXR_CELL_TEXT : PXR_CELL_EMPTY };

        if (text) {
                cell.text = pxr_strdup(table->arena, text);
                if (!cell.text) {
                        table->failed = true;
                        cell.kind = PXR_CELL_EMPTY;
                }
        }
        return cell;
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

struct pxr_cell pxr_duration_cell(double seconds)
{
        return (struct pxr_cell) { .kind = isnan(seconds) ? PXR_CELL_EMPTY : PXR_CELL_DURATION,
                                   .real = seconds };
}

/* --- cells as words ----------------------------------------------------------------------------
 */

static char *duration_words(struct pxr_arena *arena, double seconds)
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

static char *real_words(struct pxr_arena *arena, const struct pxr_cell *cell)
{
        char number[PXR_NUMBER_TEXT], text[PXR_REAL_TEXT];
        const char *words =
                pxr_number_text(cell->real, cell->decimals < 0 ? 0 : cell->decimals, number);

        /* As many digits as it takes, unless these would be thirty. */
        if (cell->decimals < 0 && !strchr(words, 'e'))
                words = pxr_format_real(cell->real, text);
        return pxr_strf(arena, "%s%s", cell->sign && !signbit(cell->real) ? "+" : "", words);
}

/* Thousands apart, for numbers of five digits and more. */
static char *integer_words(struct pxr_arena *arena, int64_t value)
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

static char *bytes_words(struct pxr_arena *arena, int64_t bytes)
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

char *pxr_cell_words(struct pxr_arena *arena, const struct pxr_cell *cell)
{
        char *words = NULL;

        switch (cell->kind) {
        case PXR_CELL_EMPTY:
                return pxr_strdup(arena, "");
        case PXR_CELL_TEXT:
                words = pxr_strdup(arena, cell->brief ? cell->brief : cell->text);
                break;
        case PXR_CELL_INTEGER:
                words = integer_words(arena, cell->integer);
                break;
        case PXR_CELL_REAL:
                words = real_words(arena, cell);
                break;
        case PXR_CELL_DURATION:
                words = duration_words(arena, cell->real);
                break;
        case PXR_CELL_PERCENT:
                words = pxr_strf(arena, "%.1f %%", 100 * cell->real);
                break;
        case PXR_CELL_BYTES:
                words = bytes_words(arena, cell->integer);
                break;
        }
        if (words && cell->before)
                words = pxr_strf(arena, "%s%s", cell->before, words);
        return words;
}

bool pxr_column_shown(const struct pxr_table *table, int column)
{
        if (table->column[column].shown != PXR_IF_FILLED &&
            table->column[column].shown != PXR_IF_ROOM)
                return table->column[column].shown == PXR_ALWAYS;
        for (size_t row = 0; row < table->rows; row++)
                if (table->cell[row * table->columns + column].kind != PXR_CELL_EMPTY)
                        return true;
        return table->rows == 0;
}

bool pxr_column_of_numbers(const struct pxr_table *table, int column)
{
        for (size_t row = 0; row < table->rows; row++)
                if (table->cell[row * table->columns + column].kind == PXR_CELL_TEXT)
                        return false;
        return true;
}
