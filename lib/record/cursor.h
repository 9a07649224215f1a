/* SPDX-License-Identifier: MIT */
/*
 * cursor.h - running SQL: arguments are bound, rows are stepped and errors recorded here alone.
 *
 *         struct pxr_cursor rows = pxr_query(store, arena, diag, "SELECT ... WHERE run = ?", "i",
 * run);
 *
 *         while (pxr_cursor_next(&rows))
 *                 ... pxr_cursor_text(&rows, 0), pxr_cursor_integer(&rows, 1) ...
 *         return pxr_cursor_end(&rows);
 *
 * Arguments are bound by a format: t a text, i an int64_t, d a double (NAN becomes NULL), b a blob
 * and its size_t.
 */
#ifndef PXR_RECORD_CURSOR_H
#define PXR_RECORD_CURSOR_H

#include "record/statement.h"

struct pxr_cursor {
        struct pxr_store *store;
        struct pxr_arena *arena; /* gets the texts; NULL: they are valid until the next row */
        struct pxr_diag *diag;
        sqlite3_stmt *statement; /* NULL: the query failed, which is in diag */
        int status;              /* of SQLite's last step */
};

struct pxr_cursor pxr_query(struct pxr_store *store, struct pxr_arena *arena, struct pxr_diag *diag,
                            const char *sql, const char *format, ...);

/* Step to the next row. False after the last row, after an error and when memory ran out. */
bool pxr_cursor_next(struct pxr_cursor *cursor);

/* Whether the query, or its last step, failed. */
bool pxr_cursor_failed(const struct pxr_cursor *cursor);

/* Close the cursor, at any row. Returns 0, or -1 if anything failed since pxr_query(). */
int pxr_cursor_end(struct pxr_cursor *cursor);

/* Columns of the current row: NULL gives NULL, NAN or 0. pxr_cursor_text() gives "" for NULL: for
 * columns that are NOT NULL in pxr's schema, but may be anything in a foreign file. */
const char *pxr_cursor_optional(struct pxr_cursor *cursor, int column);
const char *pxr_cursor_text(struct pxr_cursor *cursor, int column);
double pxr_cursor_real(struct pxr_cursor *cursor, int column);
int64_t pxr_cursor_integer(struct pxr_cursor *cursor, int column);
const void *pxr_cursor_blob(struct pxr_cursor *cursor, int column, size_t *size);
bool pxr_cursor_is_null(struct pxr_cursor *cursor, int column);

/* A column as a field of a struct; run_columns.h tells the kinds. */
enum pxr_field_kind {
        PXR_FIELD_TEXT,
        PXR_FIELD_OPTIONAL,
        PXR_FIELD_INTEGER,
        PXR_FIELD_SMALL,
        PXR_FIELD_FLAG,
        PXR_FIELD_REAL
};

struct pxr_field {
        enum pxr_field_kind kind;
        size_t offset;
};

/* Fill a struct with `count` columns of the current row, from column `first` on. */
void pxr_cursor_fill(struct pxr_cursor *cursor, int first, const struct pxr_field *fields,
                     size_t count, void *fill);

/* Run a statement and ignore its rows; its parameters are those of `format`, then the fields of
 * `row`. Returns 0 or -1. */
int pxr_store_put(struct pxr_store *store, struct pxr_diag *diag, const struct pxr_field *fields,
                  size_t count, const void *row, const char *sql, const char *format, ...);

/* The same without fields: (store, diag, sql, format, ...). */
#define pxr_store_execute(store, diag, ...) pxr_store_put(store, diag, NULL, 0, NULL, __VA_ARGS__)

/* The first column of the first row, 0 if there is no row. Returns 0 or -1. */
int pxr_store_integer(struct pxr_store *store, int64_t *value, struct pxr_diag *diag,
                      const char *sql, const char *format, ...);

#endif
