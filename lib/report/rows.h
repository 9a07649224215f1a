/* SPDX-License-Identifier: MIT */
/*
 * rows.h - going through what a query gives, for the files of report/.
 */
#ifndef PXR_REPORT_ROWS_H
#define PXR_REPORT_ROWS_H

#include <math.h>
#include <stdbool.h>

#include <pxr/arena.h>

#include "record/statement.h"

/* A query being gone through: `while (pxr_rows_next(&rows))`, then pxr_rows_end(). */
struct pxr_rows {
        struct pxr_store *store;
        struct pxr_arena *arena; /* for texts */
        struct pxr_diag *diag;
        sqlite3_stmt *statement; /* NULL: it could not be begun, which is on record */
        int status;
        bool short_of; /* memory is out */
};

static inline bool pxr_rows_next(struct pxr_rows *rows)
{
        if (!rows->statement || rows->short_of)
                return false;
        rows->status = sqlite3_step(rows->statement);
        return rows->status == SQLITE_ROW;
}

/* Returns 0, or -1 after an error. */
static inline int pxr_rows_end(struct pxr_rows *rows)
{
        if (!rows->statement)
                return -1;
        if (rows->short_of)
                pxr_out_of_memory(rows->diag);
        else if (rows->status != SQLITE_DONE && rows->status != SQLITE_ROW)
                pxr_store_failed(rows->store, rows->diag);
        sqlite3_finalize(rows->statement);
        return rows->short_of || (rows->status != SQLITE_DONE && rows->status != SQLITE_ROW) ? -1
                                                                                             : 0;
}

/* A column's text, NULL for NULL. */
static inline const char *pxr_rows_optional(struct pxr_rows *rows, int i)
{
        const char *text = (const char *)sqlite3_column_text(rows->statement, i);
        const char *copy = text ? pxr_strdup(rows->arena, text) : NULL;

        rows->short_of |= !copy && sqlite3_column_type(rows->statement, i) != SQLITE_NULL;
        return copy;
}

/* The same for what has a text in every database that pxr makes: "" for NULL, which others may have
 * put there. */
static inline const char *pxr_rows_text(struct pxr_rows *rows, int i)
{
        const char *text = pxr_rows_optional(rows, i);

        return text ? text : "";
}

/* A column's number, NAN for NULL. */
static inline double pxr_rows_real(struct pxr_rows *rows, int i)
{
        return sqlite3_column_type(rows->statement, i) == SQLITE_NULL
                       ? NAN
                       : sqlite3_column_double(rows->statement, i);
}

static inline int64_t pxr_rows_integer(struct pxr_rows *rows, int i)
{
        return sqlite3_column_int64(rows->statement, i);
}

#endif
