/* SPDX-License-Identifier: MIT */
/* table_words.h - a table's cells as words, for what people read. */
#ifndef PXR_REPORT_TABLE_WORDS_H
#define PXR_REPORT_TABLE_WORDS_H

#include "report/table.h"

/* A table whose cells are words. */
struct pxr_words {
        const struct pxr_table *table;
        struct pxr_arena *arena;
        const char **cell; /* [rows][columns] */
        int *shown;        /* [columns]: the columns that are */
        bool *number;
        int columns; /* that are shown */
};

/* All cells as words, of `arena`. Returns 0, or -1 when memory is out. */
int pxr_words_of(struct pxr_words *words, struct pxr_arena *arena, const struct pxr_table *table);

/* A cell of the i-th column that is shown, the mark of its note or NULL, and the columns that both
 * take in a terminal. */
const char *pxr_word_at(const struct pxr_words *words, size_t row, int i);
const char *pxr_mark_at(const struct pxr_words *words, size_t row, int i);
int pxr_word_width(const struct pxr_words *words, size_t row, int i);

/* May a line end behind this letter? Not within a number. */
bool pxr_word_breaks_after(const char *letter);

/* The table for a terminal of `line` columns; 0: as wide as it is. Returns 0, or -1 when memory is
 * out. */
int pxr_table_text(struct pxr_arena *arena, const struct pxr_table *table, FILE *to, int line);

#endif
