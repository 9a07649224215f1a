/* SPDX-License-Identifier: MIT */
/*
 * table.h - a table, and writing it in every format. All that pxr reports is made of these.
 *
 * People are shown headings, rounded numbers and no column that is empty throughout; programs (CSV,
 * JSON) names, whole numbers and every column, always. Texts may hold anything: escape.h makes
 * them harmless.
 */
#ifndef PXR_REPORT_TABLE_H
#define PXR_REPORT_TABLE_H

#include <stdint.h>
#include <stdio.h>

#include <pxr/arena.h>

enum pxr_format {
        PXR_FORMAT_TEXT,
        PXR_FORMAT_MD,
        PXR_FORMAT_CSV,
        PXR_FORMAT_LATEX,
        PXR_FORMAT_JSON,
        PXR_FORMAT_TABULAR, /* LaTeX, without a document around it */
};

/* "text", "md", "csv", "latex", "json", "tabular", NULL */
extern const char *const pxr_format_names[];

enum pxr_cell_kind {
        PXR_CELL_EMPTY,
        PXR_CELL_TEXT,
        PXR_CELL_INTEGER,
        PXR_CELL_REAL,
        PXR_CELL_DURATION, /* real: seconds */
        PXR_CELL_PERCENT,  /* real: a share, 0.25 is "25.0 %" */
        PXR_CELL_BYTES,    /* integer */
};

struct pxr_cell {
        enum pxr_cell_kind kind;
        const char *text;
        const char *brief; /* of a TEXT: shown to people in its place, or NULL */
        int64_t integer;
        double real;
        int decimals;         /* shown of a REAL; negative: as many as it takes */
        bool sign;            /* show + too */
        const char *before;   /* shown to people before the number ("<= "), or NULL */
        const char *footnote; /* its letter, shown behind the value, or NULL */
};

enum pxr_shown {
        PXR_IF_FILLED, /* to people, unless it is empty throughout */
        PXR_IF_ROOM,   /* the same; and a narrow terminal can do without it */
        PXR_ALWAYS,
        PXR_TO_PROGRAMS,   /* alone */
        PXR_TO_CONDITIONS, /* to nobody: --where can use it */
};

/* What a column of a query is, which says how people see it. */
enum pxr_column_format {
        PXR_COLUMN_PLAIN,      /* text as it is, numbers with all their digits */
        PXR_COLUMN_NLL,        /* three decimals */
        PXR_COLUMN_DIFFERENCE, /* of two NLLs: the same, with its sign */
        PXR_COLUMN_ROUNDED,    /* three decimals, whatever the unit */
        PXR_COLUMN_EPOCH,      /* one decimal where there are any */
        PXR_COLUMN_SECONDS,    /* "2 h 05 min" */
        PXR_COLUMN_PERCENT,    /* of a share: 0.25 is "25.0 %" */
        PXR_COLUMN_BYTES,      /* "1.5 MB" */
        PXR_COLUMN_SHORT,      /* of a text, the beginning of its first line */
        PXR_COLUMN_LINES,      /* a text becomes a row for each of its lines */
        PXR_COLUMN_KEYS,       /* of a JSON object, each key becomes a column */
        PXR_COLUMN_NOTE,       /* a text becomes a note below the table, and no cell */
        PXR_COLUMN_TITLE,      /* a text becomes the table's title, and no cell */
};

struct pxr_column {
        const char *name;    /* for programs: "standard_error" */
        const char *heading; /* for people */
        enum pxr_shown shown;
};

struct pxr_note {
        const char *footnote; /* its letter; NULL: a note on the whole table */
        const char *text;
        struct pxr_note *next;
};

struct pxr_table {
        struct pxr_arena *arena;
        const char *title;
        const char *name; /* for programs */
        const struct pxr_column *column;
        int columns;
        struct pxr_cell *cell; /* [rows][columns] */
        size_t rows, room;
        bool lines; /* of a text: printed alone, they are that text */
        struct pxr_note *note, **last_note;
        struct pxr_table *next;
};

/* An empty table; `column` must live as long. NULL when memory is out. */
struct pxr_table *pxr_table_new(struct pxr_arena *arena, const char *name, const char *title,
                                const struct pxr_column *column, int columns);

/* The number of the column with this name, for programs; -1: there is none. */
int pxr_table_column(const struct pxr_table *table, const char *name);

/* A new row of empty cells, to be filled before the next call. Never NULL. */
struct pxr_cell *pxr_table_row(struct pxr_table *table);

/* `text` is copied. */
void pxr_table_note(struct pxr_table *table, const char *footnote, const char *format, ...)
        PXR_PRINTF(3, 4);

/* Returns 0, or -1 if memory ran out while the table was built. */
int pxr_table_finish(const struct pxr_table *table, struct pxr_diag *diag);

/* A text cell, copied into the table's arena; NULL makes an empty one. */
struct pxr_cell pxr_text_cell(struct pxr_table *table, const char *text);
struct pxr_cell pxr_integer_cell(int64_t value);
/* NAN makes an empty cell. */
struct pxr_cell pxr_real_cell(double value, int decimals);

/* Column `i` of the current row of a query, as a cell of that format. */
struct pxr_cursor;
struct pxr_cell pxr_query_cell(struct pxr_cursor *rows, int i, enum pxr_column_format format);

/* Write a list of tables; as CSV, the first alone. LaTeX is a whole document, which compiles as it
 * is. Text fits into lines of `line` columns (0: as long as they come). Returns 0 or -1. */
int pxr_tables_write(const struct pxr_table *table, enum pxr_format format, FILE *to, int line,
                     struct pxr_diag *diag);

/* A cell as people see it, without its footnote and not escaped. */
const char *pxr_cell_text(struct pxr_arena *arena, const struct pxr_cell *cell);

#endif
