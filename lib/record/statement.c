/* SPDX-License-Identifier: MIT */
/* statement.c - preparing, binding, stepping; what SQLite's errors mean. */
#define _GNU_SOURCE /* AT_EACCESS */
#include "base/file.h"
#include "record/statement.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

enum { MOST_SECONDS = 30, STEPS_BETWEEN = 1000000 };

static int is_overdue(void *context)
{
        const struct pxr_store *store = context;

        return pxr_cpu_now() - store->since > MOST_SECONDS;
}

void pxr_store_limit_time(struct pxr_store *store)
{
        sqlite3_progress_handler(store->handle, STEPS_BETWEEN, is_overdue, store);
}

static bool is_folder(const char *path)
{
        struct stat status;

        return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Why a database cannot be opened, from what is there under its name; SQLite tells only of the
 * last of its attempts. */
static int cannot_open(struct pxr_store *store, struct pxr_diag *diag)
{
        int reason = sqlite3_system_errno(store->handle);
        char *copy = strdup(store->path);
        const char *why = reason ? strerror(reason) : sqlite3_errmsg(store->handle);

        if (!copy)
                return pxr_out_of_memory(diag);
        if (reason == ENOENT) {
                const char *folder = dirname(copy);

                if (!is_folder(folder))
                        why = "its folder does not exist";
                else if (faccessat(AT_FDCWD, folder, W_OK, AT_EACCESS) != 0)
                        why = "it does not exist, and its folder cannot be written";
                else
                        why = "it does not exist";
        }
        free(copy);
        if (reason && pxr_is_system_error(reason))
                return pxr_system_error(diag, "%s: the database cannot be opened: %s", store->path,
                                        why);
        return pxr_user_error(diag, "%s: the database cannot be opened: %s", store->path, why);
}

/* An error of reading or writing; SQLite does not always keep the system's reason. */
static int cannot_transfer(struct pxr_store *store, struct pxr_diag *diag)
{
        int reason = sqlite3_system_errno(store->handle);

        pxr_system_error(diag, "%s: the database cannot be read or written: %s", store->path,
                         reason ? strerror(reason) : sqlite3_errmsg(store->handle));
        pxr_note(diag,
                 "is a quota used up, a limit of file sizes ('ulimit -f') reached, or the disk "
                 "gone? What was recorded before is safe");
        return -1;
}

static int moved(struct pxr_store *store, struct pxr_diag *diag)
{
        return pxr_system_error(diag,
                                "%s: the database was moved, deleted or replaced while it was in "
                                "use: nothing more is recorded in it",
                                store->path);
}

int pxr_store_failed(struct pxr_store *store, struct pxr_diag *diag)
{
        const char *path = store->path;

        if (sqlite3_extended_errcode(store->handle) == SQLITE_CONSTRAINT_COMMITHOOK ||
            sqlite3_extended_errcode(store->handle) == SQLITE_READONLY_DBMOVED)
                return moved(store, diag);
        if (is_folder(path))
                return pxr_user_error(diag, "%s: this is a folder, not a database", path);
        switch (sqlite3_errcode(store->handle) & 0xff) {
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
        case SQLITE_INTERRUPT:
                return pxr_user_error(diag,
                                      "%s: a query was stopped after %d seconds of processor time: "
                                      "the runs on record refer to each other without end, or "
                                      "there are too many of them",
                                      path, MOST_SECONDS);
        case SQLITE_IOERR:
                return cannot_transfer(store, diag);
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

        store->since = pxr_cpu_now();
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
        int status;

        /* Texts that memory ran out for are "", and not to be recorded so. */
        if (pxr_diag_memory_out(diag))
                return -1;
        status = sqlite3_prepare_v2(store->handle, sql, -1, &statement, NULL);
        store->since = pxr_cpu_now();
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

const char *pxr_store_optional(sqlite3_stmt *statement, int column, struct pxr_arena *arena,
                               bool *short_of)
{
        const unsigned char *value = sqlite3_column_text(statement, column);
        char *copy = value ? pxr_strdup(arena, (const char *)value) : NULL;

        *short_of |= !copy && sqlite3_column_type(statement, column) != SQLITE_NULL;
        return copy;
}

const char *pxr_store_text(sqlite3_stmt *statement, int column, struct pxr_arena *arena,
                           bool *short_of)
{
        const char *text = pxr_store_optional(statement, column, arena, short_of);

        return text ? text : "";
}

double pxr_store_real(sqlite3_stmt *statement, int column)
{
        return sqlite3_column_type(statement, column) == SQLITE_NULL
                       ? NAN
                       : sqlite3_column_double(statement, column);
}
