/* SPDX-License-Identifier: MIT */
/* objects.c - what a database's schema may hold. */
#include "record/schema.h"

#include <string.h>

#include "record/texts.h" /* made by the Makefile */

/* All objects of a schema as JSON: an array of their type, name, table and SQL. */
static const char list_objects[] =
        "SELECT json_group_array(json_array(type, name, tbl_name, sql)) FROM sqlite_schema";

static void refuse(const struct pxr_store *store, struct pxr_cursor *difference,
                   struct pxr_diag *diag)
{
        const char *type = pxr_cursor_text(difference, 0), *name = pxr_cursor_text(difference, 1);
        const char *how = pxr_cursor_text(difference, 2);

        if (strcmp(how, "added") == 0) {
                pxr_user_error(diag, "%s: %s '%s' was added to the database, and may run SQL",
                               store->path, type, name);
                pxr_note(diag, "pxr opens databases with its own tables, views and indexes only; "
                               "if you added it yourself, drop it with the sqlite3 shell");
        } else {
                pxr_user_error(diag,
                               "%s: %s '%s' is %s: the database was changed by hand, or made by "
                               "another build of pxr",
                               store->path, type, name, how);
        }
}

static int compare(struct pxr_store *store, const char *expected, struct pxr_diag *diag)
{
        struct pxr_cursor rows = pxr_query(store, NULL, diag, OBJECTS_SQL, "t", expected);
        bool differs = pxr_cursor_next(&rows);

        if (differs)
                refuse(store, &rows, diag);
        return pxr_cursor_end(&rows) || differs ? -1 : 0;
}

int pxr_store_check_objects(struct pxr_store *store, int version, struct pxr_diag *diag)
{
        struct pxr_store made = { .path = ":memory:" };
        int status = sqlite3_open(made.path, &made.handle);

        for (int i = 0; status == SQLITE_OK && i < version; i++)
                status = sqlite3_exec(made.handle, pxr_schema.step[i], NULL, NULL, NULL);
        if (status != SQLITE_OK) {
                status = pxr_store_failed(&made, diag);
        } else {
                struct pxr_cursor rows = pxr_query(&made, NULL, diag, list_objects, "");

                status = pxr_cursor_next(&rows) ? compare(store, pxr_cursor_text(&rows, 0), diag)
                                                : 0;
                if (pxr_cursor_end(&rows))
                        status = -1;
        }
        sqlite3_close(made.handle);
        if (!status) /* statistics are safe to read */
                sqlite3_set_authorizer(store->handle, NULL, NULL);
        return status;
}
