/* SPDX-License-Identifier: MIT */
/* table_words.c - a table's cells as words. */
#include "report/table_words.h"

#include <string.h>

#include "report/escape.h"

int pxr_words_of(struct pxr_words *words, struct pxr_arena *arena, const struct pxr_table *table)
{
        size_t columns = (size_t)table->columns;

        *words = (struct pxr_words) {
                .table = table,
                .arena = arena,
                .cell = pxr_alloc_array(arena, table->rows * columns + 1, sizeof(char *)),
                .shown = pxr_alloc_array(arena, columns, sizeof(int)),
                .number = pxr_alloc_array(arena, columns, sizeof(bool)),
        };
        if (!words->cell || !words->shown || !words->number)
                return -1;
        for (int i = 0; i < table->columns; i++)
                if (pxr_column_shown(table, i)) {
                        words->number[words->columns] = pxr_column_of_numbers(table, i);
                        words->shown[words->columns++] = i;
                }
        for (size_t i = 0; i < table->rows * columns; i++)
                if (!(words->cell[i] = pxr_cell_words(arena, table->cell + i)))
                        return -1;
        return 0;
}

const char *pxr_word_at(const struct pxr_words *words, size_t row, int i)
{
        return words->cell[row * words->table->columns + words->shown[i]];
}

const char *pxr_mark_at(const struct pxr_words *words, size_t row, int i)
{
        return words->table->cell[row * words->table->columns + words->shown[i]].mark;
}

int pxr_word_width(const struct pxr_words *words, size_t row, int i)
{
        const char *mark = pxr_mark_at(words, row, i);

        return pxr_escape_text(NULL, pxr_word_at(words, row, i)) +
               (mark ? (int)strlen(mark) + 3 : 0);
}

bool pxr_word_breaks_after(const char *letter)
{
        char c = *letter;

        if (c == '.' && letter[1] >= '0' && letter[1] <= '9')
                return false;
        return c == ' ' || c == '.' || c == '_' || c == '/' || c == ',' || c == ';';
}
