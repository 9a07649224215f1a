/* SPDX-License-Identifier: MIT */
/* cursor.c - preparing, binding and stepping statements. */
#include "record/cursor.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"

static int bind(sqlite3_stmt *statement, const char *format, va_list arguments)
{
        int status = SQLITE_OK;

        for (int i = 1; *format && status == SQLITE_OK; format++, i++) {
                if (*format == 't') {
                        status = sqlite3_bind_text(statement, i, va_arg(arguments, const char *),
                                                   -1, SQLITE_STATIC);
                } else if (*format == 'i') {
                        status = sqlite3_bind_int64(statement, i, va_arg(arguments, int64_t));
                } else if (*format == 'd') {
                        double value = va_arg(arguments, double);

                        status = isnan(value) ? sqlite3_bind_null(statement, i)
                                              : sqlite3_bind_double(statement, i, value);
                } else {
                        const void *bytes = va_arg(arguments, const void *);
                        size_t size = va_arg(arguments, size_t);

                        status = sqlite3_bind_blob64(statement, i, bytes, size, SQLITE_STATIC);
                }
        }
        return status;
}

static struct pxr_cursor query(struct pxr_store *store, struct pxr_arena *arena,
                               struct pxr_diag *diag, const char *sql, const char *format,
                               va_list arguments)
{
        struct pxr_cursor cursor = { .store = store, .arena = arena, .diag = diag };

        store->since = pxr_cpu_now();
        cursor.status = sqlite3_prepare_v2(store->handle, sql, -1, &cursor.statement, NULL);
        if (cursor.status == SQLITE_OK)
                cursor.status = bind(cursor.statement, format, arguments);
        if (cursor.status != SQLITE_OK) {
                pxr_store_failed(store, diag);
                sqlite3_finalize(cursor.statement);
                cursor.statement = NULL;
        }
        return cursor;
}

struct pxr_cursor pxr_query(struct pxr_store *store, struct pxr_arena *arena, struct pxr_diag *diag,
                            const char *sql, const char *format, ...)
{
        struct pxr_cursor cursor;
        va_list arguments;

        va_start(arguments, format);
        cursor = query(store, arena, diag, sql, format, arguments);
        va_end(arguments);
        return cursor;
}

static bool out_of_memory(const struct pxr_cursor *cursor)
{
        return cursor->arena && pxr_arena_failed(cursor->arena);
}

bool pxr_cursor_next(struct pxr_cursor *cursor)
{
        if (!cursor->statement || pxr_cursor_failed(cursor) || out_of_memory(cursor))
                return false;
        cursor->status = sqlite3_step(cursor->statement);
        return cursor->status == SQLITE_ROW;
}

bool pxr_cursor_failed(const struct pxr_cursor *cursor)
{
        return cursor->status != SQLITE_OK && cursor->status != SQLITE_ROW &&
               cursor->status != SQLITE_DONE;
}

int pxr_cursor_end(struct pxr_cursor *cursor)
{
        bool failed = pxr_cursor_failed(cursor);

        if (!cursor->statement)
                return -1;
        if (failed)
                pxr_store_failed(cursor->store, cursor->diag);
        /* A statement that changes rows and was left at one of them ends here. */
        if (sqlite3_finalize(cursor->statement) != SQLITE_OK && !failed) {
                pxr_store_failed(cursor->store, cursor->diag);
                failed = true;
        }
        cursor->statement = NULL;
        if (!out_of_memory(cursor))
                return failed ? -1 : 0;
        return pxr_out_of_memory(cursor->diag);
}

const char *pxr_cursor_optional(struct pxr_cursor *cursor, int column)
{
        const char *text = (const char *)sqlite3_column_text(cursor->statement, column);

        /* SQLite ran out of memory. */
        if (!text && !pxr_cursor_is_null(cursor, column))
                cursor->status = SQLITE_NOMEM;
        return text && cursor->arena ? pxr_strdup(cursor->arena, text) : text;
}

const char *pxr_cursor_text(struct pxr_cursor *cursor, int column)
{
        const char *text = pxr_cursor_optional(cursor, column);

        return text ? text : "";
}

double pxr_cursor_real(struct pxr_cursor *cursor, int column)
{
        return pxr_cursor_is_null(cursor, column)
                       ? NAN
                       : sqlite3_column_double(cursor->statement, column);
}

int64_t pxr_cursor_integer(struct pxr_cursor *cursor, int column)
{
        return sqlite3_column_int64(cursor->statement, column);
}

const void *pxr_cursor_blob(struct pxr_cursor *cursor, int column, size_t *size)
{
        const void *bytes = sqlite3_column_blob(cursor->statement, column);

        *size = (size_t)sqlite3_column_bytes(cursor->statement, column);
        return bytes;
}

bool pxr_cursor_is_null(struct pxr_cursor *cursor, int column)
{
        return sqlite3_column_type(cursor->statement, column) == SQLITE_NULL;
}

void pxr_cursor_fill(struct pxr_cursor *cursor, int first, const struct pxr_field *fields,
                     size_t count, void *fill)
{
        for (size_t k = 0; k < count; k++) {
                void *to = (char *)fill + fields[k].offset;
                int i = first + (int)k;
                int64_t integer = pxr_cursor_integer(cursor, i);

                switch (fields[k].kind) {
                case PXR_FIELD_TEXT:
                        *(const char **)to = pxr_cursor_text(cursor, i);
                        break;
                case PXR_FIELD_OPTIONAL:
                        *(const char **)to = pxr_cursor_optional(cursor, i);
                        break;
                case PXR_FIELD_INTEGER:
                        *(int64_t *)to = integer;
                        break;
                case PXR_FIELD_SMALL:
                        *(int *)to = integer >= 0 && integer <= INT_MAX ? (int)integer : -1;
                        break;
                case PXR_FIELD_FLAG:
                        *(bool *)to = integer != 0;
                        break;
                case PXR_FIELD_REAL:
                        *(double *)to = pxr_cursor_real(cursor, i);
                }
        }
}

static int bind_field(sqlite3_stmt *statement, int i, const struct pxr_field *field,
                      const void *from)
{
        const void *value = (const char *)from + field->offset;

        switch (field->kind) {
        case PXR_FIELD_TEXT:
        case PXR_FIELD_OPTIONAL:
                return sqlite3_bind_text(statement, i, *(const char *const *)value, -1,
                                         SQLITE_STATIC);
        case PXR_FIELD_INTEGER:
                return sqlite3_bind_int64(statement, i, *(const int64_t *)value);
        case PXR_FIELD_SMALL:
                return sqlite3_bind_int(statement, i, *(const int *)value);
        case PXR_FIELD_FLAG:
                return sqlite3_bind_int(statement, i, *(const bool *)value);
        case PXR_FIELD_REAL:
                break;
        }
        return sqlite3_bind_double(statement, i, *(const double *)value); /* NAN becomes NULL */
}

int pxr_store_put(struct pxr_store *store, struct pxr_diag *diag, const struct pxr_field *fields,
                  size_t count, const void *row, const char *sql, const char *format, ...)
{
        bool lost = pxr_diag_memory_out(diag); /* texts may be "": do not record them */
        int first = (int)strlen(format) + 1;
        struct pxr_cursor cursor;
        va_list arguments;

        va_start(arguments, format);
        cursor = query(store, NULL, diag, sql, format, arguments);
        va_end(arguments);
        for (int i = 0; i < (int)count && cursor.status == SQLITE_OK; i++)
                cursor.status = bind_field(cursor.statement, first + i, &fields[i], row);
        if (!lost)
                pxr_cursor_next(&cursor);
        return pxr_cursor_end(&cursor) || lost ? -1 : 0;
}

int pxr_store_integer(struct pxr_store *store, int64_t *value, struct pxr_diag *diag,
                      const char *sql, const char *format, ...)
{
        struct pxr_cursor cursor;
        va_list arguments;

        va_start(arguments, format);
        cursor = query(store, NULL, diag, sql, format, arguments);
        va_end(arguments);
        *value = pxr_cursor_next(&cursor) ? pxr_cursor_integer(&cursor, 0) : 0;
        return pxr_cursor_end(&cursor);
}
