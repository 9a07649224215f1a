/* SPDX-License-Identifier: MIT */
/* text_table.h - the columns of a table that people see, with their cells as text. */
#ifndef PXR_REPORT_TEXT_TABLE_H
#define PXR_REPORT_TEXT_TABLE_H

#include "report/table.h"

enum { PXR_NARROW = 16 }; /* texts are not broken into less, if that can be helped */

struct pxr_text_table {
        const struct pxr_table *table;
        struct pxr_arena *arena;
        const char **cell; /* [rows][all columns] */
        struct pxr_text_column {
                int column;  /* of the table */
                bool number; /* no cell is text: aligned to the right */
                int width;   /* in characters; at first that of its heading or widest cell */
                int least;   /* that it can be broken to */
        } * shown;
        int columns; /* that are shown */
};

/* Returns 0, or -1 when out of memory. */
int pxr_text_table_fill(struct pxr_text_table *texts, struct pxr_arena *arena,
                        const struct pxr_table *table);

/* Of the i-th column that is shown: its heading; a cell, and the letter of its footnote or NULL. */
const char *pxr_heading_at(const struct pxr_text_table *texts, int i);
const char *pxr_text_at(const struct pxr_text_table *texts, size_t row, int i);
const char *pxr_footnote_at(const struct pxr_text_table *texts, size_t row, int i);

/* The widest of the column's cells. */
int pxr_cells_width(const struct pxr_text_table *texts, int i);

/* The characters of a line, with two spaces between columns; or the least it can be broken to. */
int pxr_line_width(const struct pxr_text_table *texts, bool least);

/* Make the widest columns narrower until a line has at most so many characters, as far as can be.
 */
void pxr_text_table_fit(struct pxr_text_table *texts, int line);

/* Whether a line may be broken after this character; a number is not broken. */
bool pxr_breaks_after(const char *character);

/* Print the table for a terminal of `line` columns; 0: as wide as it is. Returns 0, or -1 when out
 * of memory. */
int pxr_table_text(struct pxr_arena *arena, const struct pxr_table *table, FILE *to, int line);

#endif
