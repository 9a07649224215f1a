/* SPDX-License-Identifier: MIT */
/* text_table.c - the columns of a table that people see, with their cells as text. */
#include "report/text_table.h"

#include <string.h>

#include "report/escape.h"

/* Is a column one that people are shown? */
static bool is_shown(const struct pxr_table *table, int column)
{
        enum pxr_shown shown = table->column[column].shown;

        if (shown != PXR_IF_FILLED && shown != PXR_IF_ROOM)
                return shown == PXR_ALWAYS;
        for (size_t row = 0; row < table->rows; row++)
                if (table->cell[row * table->columns + column].kind != PXR_CELL_EMPTY)
                        return true;
        return table->rows == 0;
}

/* Has a column no text? Numbers stand to the right. */
static bool is_of_numbers(const struct pxr_table *table, int column)
{
        for (size_t row = 0; row < table->rows; row++)
                if (table->cell[row * table->columns + column].kind == PXR_CELL_TEXT)
                        return false;
        return true;
}

/* The widest piece of a heading that is broken wherever it may be. */
static int widest_piece(const char *text)
{
        int widest = 0, width = 0;

        for (; *text; text++) {
                width += *text != ' ';
                widest = width > widest ? width : widest;
                if (pxr_breaks_after(text))
                        width = 0;
        }
        return widest;
}

static void add_column(struct pxr_text_table *texts, int column)
{
        const char *heading = texts->table->column[column].heading;
        struct pxr_text_column *shown = &texts->shown[texts->columns++];
        int cells, piece = widest_piece(heading);

        *shown = (struct pxr_text_column) { column, is_of_numbers(texts->table, column),
                                            pxr_escape(NULL, PXR_ESCAPE_TEXT, heading), 0 };
        cells = pxr_cells_width(texts, texts->columns - 1);
        shown->width = cells > shown->width ? cells : shown->width;
        shown->least = shown->number || cells < PXR_NARROW ? cells : PXR_NARROW;
        shown->least = piece > shown->least ? piece : shown->least;
}

int pxr_text_table_fill(struct pxr_text_table *texts, struct pxr_arena *arena,
                        const struct pxr_table *table)
{
        size_t columns = (size_t)table->columns;

        *texts = (struct pxr_text_table) {
                .table = table,
                .arena = arena,
                .cell = pxr_alloc_array(arena, table->rows * columns + 1, sizeof(*texts->cell)),
                .shown = pxr_alloc_array(arena, columns + 1, sizeof(*texts->shown)),
        };
        if (!texts->cell || !texts->shown)
                return -1;
        for (size_t i = 0; i < table->rows * columns; i++)
                texts->cell[i] = pxr_cell_text(arena, table->cell + i);
        for (int i = 0; i < table->columns; i++)
                if (is_shown(table, i))
                        add_column(texts, i);
        return pxr_arena_failed(arena) ? -1 : 0;
}

const char *pxr_heading_at(const struct pxr_text_table *texts, int i)
{
        return texts->table->column[texts->shown[i].column].heading;
}

const char *pxr_text_at(const struct pxr_text_table *texts, size_t row, int i)
{
        return texts->cell[row * texts->table->columns + texts->shown[i].column];
}

const char *pxr_footnote_at(const struct pxr_text_table *texts, size_t row, int i)
{
        return texts->table->cell[row * texts->table->columns + texts->shown[i].column].footnote;
}

static int text_width(const struct pxr_text_table *texts, size_t row, int i)
{
        const char *footnote = pxr_footnote_at(texts, row, i);

        return pxr_escape(NULL, PXR_ESCAPE_TEXT, pxr_text_at(texts, row, i)) +
               (footnote ? (int)strlen(footnote) + 3 : 0);
}

int pxr_cells_width(const struct pxr_text_table *texts, int i)
{
        int widest = 0;

        for (size_t row = 0; row < texts->table->rows; row++)
                if (text_width(texts, row, i) > widest)
                        widest = text_width(texts, row, i);
        return widest;
}

bool pxr_breaks_after(const char *character)
{
        if (*character == '.' && character[1] >= '0' && character[1] <= '9')
                return false;
        return *character && strchr(" ._/,;", *character);
}

int pxr_line_width(const struct pxr_text_table *texts, bool least)
{
        int all = texts->columns > 0 ? 2 * (texts->columns - 1) : 0;

        for (int i = 0; i < texts->columns; i++)
                all += least ? texts->shown[i].least : texts->shown[i].width;
        return all;
}

void pxr_text_table_fit(struct pxr_text_table *texts, int line)
{
        for (struct pxr_text_column *widest = texts->shown;
             widest && pxr_line_width(texts, false) > line;) {
                widest = NULL;
                for (int i = 0; i < texts->columns; i++) {
                        struct pxr_text_column *shown = &texts->shown[i];

                        if (shown->width > shown->least &&
                            (!widest || shown->width > widest->width))
                                widest = shown;
                }
                if (widest)
                        widest->width--;
        }
}
