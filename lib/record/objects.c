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
        sqlite3 *expected; /* a new database, in memory */
        sqlite3_stmt *find;
        bool views; /* compare them too */
        struct pxr_diag *diag;
};

static int memory_failed(const struct comparison *c)
{
        if (sqlite3_errcode(c->expected) == SQLITE_NOMEM)
                return pxr_out_of_memory(c->diag);
        return pxr_system_error(c->diag, "cannot make the schema to compare with: %s",
                                sqlite3_errmsg(c->expected));
}

static int make_expected(struct comparison *c, int version)
{
        if (sqlite3_open(":memory:", &c->expected) != SQLITE_OK)
                return memory_failed(c);
        for (int i = 0; i < version; i++)
                if (sqlite3_exec(c->expected, pxr_schema_steps[i], NULL, NULL, NULL) != SQLITE_OK)
                        return memory_failed(c);
        if (sqlite3_prepare_v2(c->expected,
                               "SELECT tbl_name IS ?3 AND sql IS ?4 FROM sqlite_schema WHERE type "
                               "= ?1 AND name = ?2",
                               -1, &c->find, NULL) != SQLITE_OK)
                return memory_failed(c);
        return 0;
}

/* Is there an object of that name in the new database, and the same? */
static int look_up(const struct comparison *c, const struct object *o, bool *there, bool *same)
{
        const char *const texts[] = { o->type, o->name, o->table, o->sql };
        int status = SQLITE_OK;

        sqlite3_reset(c->find);
        for (int i = 0; status == SQLITE_OK && i < 4; i++)
                status = sqlite3_bind_text(c->find, i + 1, texts[i], -1, SQLITE_STATIC);
        if (status == SQLITE_OK)
                status = sqlite3_step(c->find);
        *there = status == SQLITE_ROW;
        *same = *there && sqlite3_column_int(c->find, 0) == 1;
        sqlite3_clear_bindings(c->find);
        return *there || status == SQLITE_DONE ? 0 : memory_failed(c);
}

/* Is an index one of columns alone, over all rows? */
static int is_plain(const struct comparison *c, const struct object *o, bool *plain)
{
        sqlite3_stmt *s = pxr_store_query(
                c->store, c->diag,
                "SELECT 1 FROM pragma_index_list(?1) WHERE name = ?2 AND NOT partial AND NOT "
                "EXISTS (SELECT 1 FROM pragma_index_xinfo(?2) WHERE cid = -2)",
                "tt", o->table, o->name);
        int status = s ? sqlite3_step(s) : SQLITE_ERROR;

        *plain = status == SQLITE_ROW;
        if (s && status != SQLITE_ROW && status != SQLITE_DONE)
                pxr_store_failed(c->store, c->diag);
        sqlite3_finalize(s);
        return status == SQLITE_ROW || status == SQLITE_DONE ? 0 : -1;
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

static int compare(const struct comparison *c, const struct object *o)
{
        bool there, same, plain = false;

        if (is_type(o, "view") && !c->views)
                return 0;
        if (is_type(o, "table") &&
            (strcmp(o->name, "sqlite_stat1") == 0 || strcmp(o->name, "sqlite_stat4") == 0))
                return 0;
        if (look_up(c, o, &there, &same))
                return -1;
        if (same)
                return 0;
        if (there)
                return changed(c, o->type, o->name, "not as pxr makes it");
        if (is_type(o, "index") && is_plain(c, o, &plain))
                return -1;
        if (plain)
                return 0;
        pxr_user_error(c->diag, "%s: %s '%s' was added to the database, and may run SQL",
                       c->store->path, o->type, o->name);
        pxr_note(c->diag, "pxr opens databases with its own tables, views and indexes only; if you "
                          "added it yourself, drop it with the sqlite3 shell");
        return -1;
}

static const char *text_of(sqlite3_stmt *s, int column)
{
        return (const char *)sqlite3_column_text(s, column);
}

/* Is everything that is in the database expected? */
static int compare_all(const struct comparison *c)
{
        sqlite3_stmt *s = pxr_store_query(c->store, c->diag,
                                          "SELECT ifnull(type, ''), ifnull(name, ''), "
                                          "ifnull(tbl_name, ''), sql FROM sqlite_schema",
                                          "");
        int status = s ? 0 : -1, step;

        while (!status && (step = sqlite3_step(s)) != SQLITE_DONE) {
                const struct object o = { text_of(s, 0), text_of(s, 1), text_of(s, 2),
                                          text_of(s, 3) };

                status = step == SQLITE_ROW && o.type && o.name && o.table
                                 ? compare(c, &o)
                                 : pxr_store_failed(c->store, c->diag);
        }
        sqlite3_finalize(s);
        return status;
}

/* Is everything that is expected in the database? */
static int find_missing(const struct comparison *c)
{
        sqlite3_stmt *s, *one = NULL;
        int status = 0, step = SQLITE_DONE;

        if (sqlite3_prepare_v2(c->expected, "SELECT type, name FROM sqlite_schema", -1, &s, NULL) !=
            SQLITE_OK)
                return memory_failed(c);
        while (!status && (step = sqlite3_step(s)) == SQLITE_ROW) {
                if (!c->views && strcmp(text_of(s, 0), "view") == 0)
                        continue;
                one = pxr_store_query(c->store, c->diag,
                                      "SELECT 1 FROM sqlite_schema WHERE type = ?1 AND name = ?2",
                                      "tt", text_of(s, 0), text_of(s, 1));
                step = one ? sqlite3_step(one) : SQLITE_ERROR;
                if (step == SQLITE_DONE)
                        status = changed(c, text_of(s, 0), text_of(s, 1), "missing");
                else if (step != SQLITE_ROW)
                        status = one ? pxr_store_failed(c->store, c->diag) : -1;
                sqlite3_finalize(one);
        }
        if (!status && step != SQLITE_DONE)
                status = memory_failed(c);
        sqlite3_finalize(s);
        return status;
}

int pxr_store_check_objects(struct pxr_store *store, int version, struct pxr_diag *diag)
{
        struct comparison c = { .store = store,
                                .views = version == pxr_schema_version,
                                .diag = diag };
        int status = make_expected(&c, version) || compare_all(&c) || find_missing(&c) ? -1 : 0;

        sqlite3_finalize(c.find);
        sqlite3_close(c.expected);
        return status;
}
