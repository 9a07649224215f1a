/* SPDX-License-Identifier: MIT */
/* objects.c - what a database's schema may hold. */
#include "record/objects.h"

#include <string.h>

#include "record/schema.h"

/* All objects of a schema as JSON: an array of their type, name, table and SQL. */
static const char list_objects[] =
        "SELECT json_group_array(json_array(type, name, tbl_name, sql)) FROM sqlite_schema";

/* What differs from the expected objects, ?1: type, name, and how. Statistics of ANALYZE and
 * indexes of columns alone, over all rows, may be added: they run no SQL. */
static const char differences[] =
        "WITH expected AS (SELECT json_extract(value, '$[0]') AS type, "
        "json_extract(value, '$[1]') AS name, json_extract(value, '$[2]') AS tbl_name, "
        "json_extract(value, '$[3]') AS sql FROM json_each(?1)), "
        "found AS (SELECT ifnull(type, '') AS type, ifnull(name, '') AS name, "
        "ifnull(tbl_name, '') AS tbl_name, sql FROM sqlite_schema) "
        "SELECT type, name, CASE "
        "WHEN type = 'table' AND substr(name, 1, 11) = 'sqlite_stat' THEN "
        "iif(ifnull(sql, '') IN ('CREATE TABLE sqlite_stat1(tbl,idx,stat)', "
        "'CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)'), NULL, "
        "'not as SQLite makes it') "
        "WHEN EXISTS (SELECT 1 FROM expected AS e WHERE e.type = found.type AND "
        "e.name = found.name) THEN iif(EXISTS (SELECT 1 FROM expected AS e WHERE "
        "e.type = found.type AND e.name = found.name AND e.tbl_name = found.tbl_name AND "
        "e.sql IS found.sql), NULL, 'not as pxr makes it') "
        "WHEN type = 'index' AND EXISTS (SELECT 1 FROM pragma_index_list(found.tbl_name) AS i "
        "WHERE i.name = found.name AND NOT i.partial) AND NOT EXISTS (SELECT 1 FROM "
        "pragma_index_xinfo(found.name) WHERE cid = -2) THEN NULL "
        "ELSE 'added' END AS how FROM found WHERE how IS NOT NULL "
        "UNION ALL SELECT type, name, 'missing' FROM expected AS e WHERE NOT EXISTS "
        "(SELECT 1 FROM found WHERE found.type = e.type AND found.name = e.name)";

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
        struct pxr_cursor rows = pxr_query(store, NULL, diag, differences, "t", expected);
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
