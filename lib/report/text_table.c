/* SPDX-License-Identifier: MIT */
/* text_table.c - the columns of a table that people see, with their cells as text. */
#include "report/text_table.h"

#include <string.h>

#include "report/escape.h"

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
        for (int i = 0; i < table->columns; i++)
                if (pxr_column_shown(table, i))
                        texts->shown[texts->columns++] =
                                (struct pxr_text_column) { i, pxr_column_of_numbers(table, i) };
        for (size_t i = 0; i < table->rows * columns; i++)
                texts->cell[i] = pxr_cell_text(arena, table->cell + i);
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

const char *pxr_mark_at(const struct pxr_text_table *texts, size_t row, int i)
{
        return texts->table->cell[row * texts->table->columns + texts->shown[i].column].mark;
}

int pxr_text_width(const struct pxr_text_table *texts, size_t row, int i)
{
        const char *mark = pxr_mark_at(texts, row, i);

        return pxr_escape(NULL, PXR_ESCAPE_TEXT, pxr_text_at(texts, row, i)) +
               (mark ? (int)strlen(mark) + 3 : 0);
}

int pxr_cells_width(const struct pxr_text_table *texts, int i)
{
        int widest = 0;

        for (size_t row = 0; row < texts->table->rows; row++)
                if (pxr_text_width(texts, row, i) > widest)
                        widest = pxr_text_width(texts, row, i);
        return widest;
}

bool pxr_breaks_after(const char *character)
{
        if (*character == '.' && character[1] >= '0' && character[1] <= '9')
                return false;
        return *character && strchr(" ._/,;", *character);
}
