/* SPDX-License-Identifier: MIT */
/* statement.c - what SQLite's errors mean. */
#define _GNU_SOURCE /* AT_EACCESS */
#include "base/file.h"
#include "record/statement.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
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

/* Find out why a database cannot be opened: SQLite reports only the last of its attempts. */
static int cannot_open(struct pxr_store *store, struct pxr_diag *diag)
{
        int reason = sqlite3_system_errno(store->handle);
        const char *why = reason ? strerror(reason) : sqlite3_errmsg(store->handle);
        bool system = reason && pxr_is_system_error(reason);

        if (reason == ENOENT) {
                char copy[PATH_MAX];
                const char *folder;

                snprintf(copy, sizeof(copy), "%s", store->path);
                folder = dirname(copy);
                if (access(folder, F_OK) != 0)
                        why = "its folder does not exist";
                else if (faccessat(AT_FDCWD, folder, W_OK, AT_EACCESS) != 0)
                        why = "it does not exist, and its folder cannot be written";
                else if (store->creates)
                        why = "it cannot be created";
                else
                        why = "it does not exist";
        }
        return (system ? pxr_system_error : pxr_user_error)(diag, "cannot open %s: %s", store->path,
                                                            why);
}

/* An error of reading or writing; SQLite does not always keep the system's reason. */
static int cannot_transfer(struct pxr_store *store, struct pxr_diag *diag)
{
        int reason = sqlite3_system_errno(store->handle);

        pxr_system_error(diag, "cannot read or write %s: %s", store->path,
                         reason ? strerror(reason) : sqlite3_errmsg(store->handle));
        pxr_note(diag,
                 "is a quota used up, a limit of file sizes ('ulimit -f') reached, or the disk "
                 "gone? What was recorded before is safe");
        return -1;
}

int pxr_store_corrupt(const struct pxr_store *store, const char *how, struct pxr_diag *diag)
{
        return pxr_user_error(diag,
                              "%s: the database is corrupt (%s); restore a copy, or try `sqlite3 "
                              "FILE .recover`",
                              store->path, how);
}

int pxr_store_failed(struct pxr_store *store, struct pxr_diag *diag)
{
        const char *path = store->path;

        if (sqlite3_extended_errcode(store->handle) == SQLITE_CONSTRAINT_COMMITHOOK ||
            sqlite3_extended_errcode(store->handle) == SQLITE_READONLY_DBMOVED)
                return pxr_system_error(diag,
                                        "%s: the database was moved, deleted or replaced while it "
                                        "was in use: nothing more is recorded in it",
                                        path);
        switch (sqlite3_errcode(store->handle) & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return pxr_system_error(diag,
                                        "%s: another program keeps the database locked; try "
                                        "again when it is done",
                                        path);
        case SQLITE_READONLY:
                return pxr_user_error(diag, "cannot write %s: it, or its folder, is read-only",
                                      path);
        case SQLITE_FULL:
                return pxr_system_error(
                        diag, "%s: the disk is full; what was recorded before is safe", path);
        case SQLITE_NOTADB:
                return pxr_user_error(diag, "%s: this file is not a database", path);
        case SQLITE_CORRUPT:
                return pxr_store_corrupt(store, sqlite3_errmsg(store->handle), diag);
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
