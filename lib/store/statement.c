/* SPDX-License-Identifier: MIT */
/* statement.c - preparing, binding, stepping; what SQLite's errors mean. Uses base/ and SQLite. */
#include "store/statement.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

/* Why a database cannot be opened, from what is there under its name. */
static int cannot_open(struct pxr_store *store, struct pxr_diag *diag)
{
        int reason = sqlite3_system_errno(store->handle);
        struct stat status;

        if (stat(store->path, &status) == 0 && S_ISDIR(status.st_mode))
                return pxr_user_error(diag, "%s: this is a folder, not a database", store->path);
        return pxr_user_error(diag, "%s: the database cannot be opened: %s", store->path,
                              reason ? strerror(reason) : sqlite3_errmsg(store->handle));
}

int pxr_store_failed(struct pxr_store *store, struct pxr_diag *diag)
{
        int code = sqlite3_extended_errcode(store->handle), reason;
        const char *path = store->path;

        switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return pxr_system_error(diag,
                                        "%s: another program keeps the database locked; try "
                                        "again when it is done",
                                        path);
        case SQLITE_READONLY:
                return pxr_user_error(diag,
                                      "%s: the database cannot be written: it, or its "
                                      "folder, is read-only",
                                      path);
        case SQLITE_FULL:
                return pxr_system_error(
                        diag, "%s: the disk is full; what was recorded before is safe", path);
        case SQLITE_NOTADB:
                return pxr_user_error(diag, "%s: this file is not a database", path);
        case SQLITE_CORRUPT:
                return pxr_user_error(diag,
                                      "%s: the database is corrupt (%s); restore a copy, or "
                                      "try `sqlite3 FILE .recover`",
                                      path, sqlite3_errmsg(store->handle));
        case SQLITE_CANTOPEN:
                return cannot_open(store, diag);
        case SQLITE_NOMEM:
                return pxr_out_of_memory(diag);
        case SQLITE_IOERR:
                reason = sqlite3_system_errno(store->handle);
                if (reason)
                        return pxr_system_error(diag,
                                                "%s: the database cannot be read or written: "
                                                "%s",
                                                path, strerror(reason));
                /* fall through */
        default:
                return pxr_system_error(diag, "%s: %s", path, sqlite3_errmsg(store->handle));
        }
}

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

sqlite3_stmt *pxr_store_query(struct pxr_store *store, struct pxr_diag *diag, const char *sql,
                              const char *format, ...)
{
        sqlite3_stmt *statement = NULL;
        va_list arguments;
        int status = sqlite3_prepare_v2(store->handle, sql, -1, &statement, NULL);

        va_start(arguments, format);
        if (status == SQLITE_OK)
                status = bind(statement, format, arguments);
        va_end(arguments);
        if (status != SQLITE_OK) {
                pxr_store_failed(store, diag);
                sqlite3_finalize(statement);
                return NULL;
        }
        return statement;
}

int pxr_store_execute(struct pxr_store *store, struct pxr_diag *diag, const char *sql,
                      const char *format, ...)
{
        sqlite3_stmt *statement = NULL;
        va_list arguments;
        int status = sqlite3_prepare_v2(store->handle, sql, -1, &statement, NULL);

        va_start(arguments, format);
        if (status == SQLITE_OK)
                status = bind(statement, format, arguments);
        va_end(arguments);
        if (status == SQLITE_OK)
                status = sqlite3_step(statement);
        if (status != SQLITE_DONE && status != SQLITE_ROW) {
                pxr_store_failed(store, diag);
                sqlite3_finalize(statement);
                return -1;
        }
        sqlite3_finalize(statement);
        return 0;
}

int pxr_store_number(struct pxr_store *store, const char *sql, int *value, struct pxr_diag *diag)
{
        sqlite3_stmt *statement = pxr_store_query(store, diag, sql, "");

        if (!statement)
                return -1;
        if (sqlite3_step(statement) != SQLITE_ROW) {
                pxr_store_failed(store, diag);
                sqlite3_finalize(statement);
                return -1;
        }
        *value = sqlite3_column_int(statement, 0);
        sqlite3_finalize(statement);
        return 0;
}
