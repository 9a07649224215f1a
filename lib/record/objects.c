/* SPDX-License-Identifier: MIT */
/* objects.c - what a database's schema may hold. */
#include "record/objects.h"

#include <string.h>

#include "record/schema.h"

struct object {
        const char *type, *name, *table, *sql;
};

struct comparison {
        struct pxr_store *store;
        struct pxr_store expected; /* a new database, in memory */
        struct pxr_diag *diag;
};

static int make_expected(struct comparison *c, int version)
{
        int status = sqlite3_open(":memory:", &c->expected.handle);

        for (int i = 0; status == SQLITE_OK && i < version; i++)
                status = sqlite3_exec(c->expected.handle, pxr_schema.step[i], NULL, NULL, NULL);
        return status == SQLITE_OK ? 0 : pxr_store_failed(&c->expected, c->diag);
}

static bool is_type(const struct object *o, const char *type)
{
        return strcmp(o->type, type) == 0;
}

static int changed(const struct comparison *c, const char *type, const char *name, const char *how)
{
        return pxr_user_error(c->diag,
                              "%s: %s '%s' is %s: the database was changed by hand, or made by "
                              "another build of pxr",
                              c->store->path, type, name, how);
}

static int added(const struct comparison *c, const struct object *o)
{
        int64_t plain = 0;

        /* An index of columns alone, over all rows, runs no SQL. */
        if (is_type(o, "index") &&
            pxr_store_integer(c->store, &plain, c->diag,
                              "SELECT 1 FROM pragma_index_list(?1) WHERE name = ?2 AND NOT partial "
                              "AND NOT EXISTS (SELECT 1 FROM pragma_index_xinfo(?2) WHERE cid = "
                              "-2)",
                              "tt", o->table, o->name))
                return -1;
        if (plain)
                return 0;
        pxr_user_error(c->diag, "%s: %s '%s' was added to the database, and may run SQL",
                       c->store->path, o->type, o->name);
        pxr_note(c->diag, "pxr opens databases with its own tables, views and indexes only; if you "
                          "added it yourself, drop it with the sqlite3 shell");
        return -1;
}

/* Whether a table is one that ANALYZE makes. */
static bool is_of_analyze(const struct object *o)
{
        static const char *const made[] = {
                "CREATE TABLE sqlite_stat1(tbl,idx,stat)",
                "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)",
        };

        return o->sql && (strcmp(o->sql, made[0]) == 0 || strcmp(o->sql, made[1]) == 0);
}

static int compare(struct comparison *c, const struct object *o)
{
        enum { MISSING, OTHER, SAME };
        int64_t found;

        if (is_type(o, "table") && strncmp(o->name, "sqlite_stat", 11) == 0)
                return is_of_analyze(o) ? 0
                                        : changed(c, o->type, o->name, "not as SQLite makes it");
        if (pxr_store_integer(&c->expected, &found, c->diag,
                              "SELECT 1 + (tbl_name IS ?3 AND sql IS ?4) FROM sqlite_schema WHERE "
                              "type = ?1 AND name = ?2",
                              "tttt", o->type, o->name, o->table, o->sql))
                return -1;
        if (found == OTHER)
                return changed(c, o->type, o->name, "not as pxr makes it");
        return found == SAME ? 0 : added(c, o);
}

/* Is everything that is in the database expected? */
static int compare_all(struct comparison *c)
{
        struct pxr_cursor rows =
                pxr_query(c->store, NULL, c->diag,
                          "SELECT ifnull(type, ''), ifnull(name, ''), ifnull(tbl_name, ''), sql "
                          "FROM sqlite_schema",
                          "");
        int status = 0;

        while (!status && pxr_cursor_next(&rows)) {
                const struct object o = { pxr_cursor_text(&rows, 0), pxr_cursor_text(&rows, 1),
                                          pxr_cursor_text(&rows, 2),
                                          pxr_cursor_optional(&rows, 3) };

                status = compare(c, &o);
        }
        return pxr_cursor_end(&rows) || status ? -1 : 0;
}

/* Is everything that is expected in the database? */
static int find_missing(struct comparison *c)
{
        struct pxr_cursor rows =
                pxr_query(&c->expected, NULL, c->diag, "SELECT type, name FROM sqlite_schema", "");
        int status = 0;

        while (!status && pxr_cursor_next(&rows)) {
                const char *type = pxr_cursor_text(&rows, 0), *name = pxr_cursor_text(&rows, 1);
                int64_t there;

                status =
                        pxr_store_integer(c->store, &there, c->diag,
                                          "SELECT 1 FROM sqlite_schema WHERE type = ? AND name = ?",
                                          "tt", type, name);
                if (!status && !there)
                        status = changed(c, type, name, "missing");
        }
        return pxr_cursor_end(&rows) || status ? -1 : 0;
}

int pxr_store_check_objects(struct pxr_store *store, int version, struct pxr_diag *diag)
{
        struct comparison c = { .store = store, .expected.path = ":memory:", .diag = diag };
        int status = make_expected(&c, version) || compare_all(&c) || find_missing(&c) ? -1 : 0;

        sqlite3_close(c.expected.handle);
        if (!status) /* statistics are safe to read */
                sqlite3_set_authorizer(store->handle, NULL, NULL);
        return status;
}
