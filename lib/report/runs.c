/* SPDX-License-Identifier: MIT */
/*
 * runs.c - the list of runs, and conditions on it that come from outside.
 *
 * A condition is part of an SQL statement. It is harmless because the statement may read nothing
 * but what run_summary itself reads (which is learnt from a statement without a condition), calls
 * no function that loads code, is one statement, and is ended when it takes too long.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "report/report.h"
#include "record/cursor.h"
#include "record/run_state.h"

enum { MOST_SECONDS = 20, STEPS_BETWEEN = 10000, MOST_BYTES = 64 << 20, MOST_COLUMNS = 48 };

/* --- what may be read --------------------------------------------------------------------------
 */

struct allowed {
        char *table, *column;
        struct allowed *next;
};

struct guard {
        struct pxr_arena *arena;
        struct allowed *allowed;
        bool learning, failed;
        const char *refused; /* what was not allowed */
        double deadline;
};

static bool in_view(const char *name)
{
        return name && strcmp(name, "run_summary") == 0;
}

static bool knows(const struct guard *guard, const char *table, const char *column)
{
        for (const struct allowed *item = guard->allowed; item; item = item->next)
                if (strcmp(item->table, table) == 0 && strcmp(item->column, column) == 0)
                        return true;
        return false;
}

static void learn(struct guard *guard, const char *table, const char *column)
{
        struct allowed *item = pxr_alloc(guard->arena, sizeof(*item));

        if (knows(guard, table, column))
                return;
        if (!item || !(item->table = pxr_strdup(guard->arena, table)) ||
            !(item->column = pxr_strdup(guard->arena, column))) {
                guard->failed = true;
                return;
        }
        item->next = guard->allowed;
        guard->allowed = item;
}

static int refuse(struct guard *guard, const char *what)
{
        if (!guard->refused)
                guard->refused = what;
        return SQLITE_DENY;
}

static int may_read(struct guard *guard, const char *table, const char *column, const char *view)
{
        if (guard->learning) {
                learn(guard, table, column);
                return SQLITE_OK;
        }
        if (strcmp(table, "run_summary") == 0 || (in_view(view) && knows(guard, table, column)))
                return SQLITE_OK;
        return refuse(guard, "it reads something other than the columns of run_summary");
}

static int authorize(void *context, int action, const char *first, const char *second,
                     const char *database, const char *view)
{
        struct guard *guard = context;

        (void)database;
        switch (action) {
        case SQLITE_SELECT:
                return SQLITE_OK;
        case SQLITE_READ:
                return may_read(guard, first, second, view);
        case SQLITE_FUNCTION:
                if (sqlite3_stricmp(second, "load_extension") == 0)
                        return refuse(guard, "it loads code");
                return SQLITE_OK;
        default:
                return refuse(guard, "it is more than a condition");
        }
}

static int in_time(void *context)
{
        const struct guard *guard = context;

        return pxr_now() > guard->deadline;
}

/* --- the statement -----------------------------------------------------------------------------
 */

static const char *const shown[] = {
        "run",    "name",     "status", "nll",         "unit",         "split",   "standard_error",
        "model",  "data_set", "epochs", "parameters",  "wall_seconds", "suspect", "sweep",
        "varied", "tags",     "note",   "archived_at",
};

enum { SHOWN = PXR_COUNT(shown) };

static const struct {
        const char *name, *heading;
} headings[] = {
        { "run", "Run" },
        { "name", "Name" },
        { "status", "Status" },
        { "model", "Model" },
        { "data_set", "Data" },
        { "epochs", "Epochs" },
        { "split", "Split" },
        { "nll", "NLL" },
        { "unit", "Unit" },
        { "standard_error", "Std. error" },
        { "parameters", "Parameters" },
        { "wall_seconds", "Time" },
        { "suspect", "Suspect" },
        { "sweep", "Sweep" },
        { "varied", "Varied" },
        { "tags", "Tags" },
        { "note", "Note" },
        { "archived_at", "Archived" },
};

static const char *heading_of(const char *name)
{
        for (size_t i = 0; i < PXR_COUNT(headings); i++)
                if (strcmp(headings[i].name, name) == 0)
                        return headings[i].heading;
        return name;
}

/* What a narrow terminal can do without. */
static bool dispensable(const char *name)
{
        static const char *const names[] = { "split",  "standard_error", "model",       "data_set",
                                             "epochs", "parameters",     "wall_seconds" };

        for (size_t i = 0; i < PXR_COUNT(names); i++)
                if (strcmp(names[i], name) == 0)
                        return true;
        return false;
}

/* Of a note, what fits in a list: as much of its first line. */
static const char short_note[] =
        "CASE WHEN length(note) > 32 OR instr(note, char(10)) THEN "
        "substr(note, 1, min(32, instr(note || char(10), char(10)) - 1)) || '\u2026' ELSE note END "
        "AS note";

/* The view, with the state that each run is in; NULL after an error. The names are not those of a
 * stranger: all come from the schema. */
static char *view_text(struct pxr_arena *arena, struct pxr_store *store, struct pxr_diag *diag)
{
        struct pxr_cursor rows =
                pxr_query(store, arena, diag, "SELECT * FROM main.run_summary LIMIT 0", "");
        sqlite3_stmt *s = rows.statement;
        char *list = s ? pxr_strdup(arena, "") : NULL;

        for (int i = 0; list && i < sqlite3_column_count(s); i++) {
                const char *name = sqlite3_column_name(s, i);

                list = pxr_strf(arena, "%s%s%s", list, i ? ", " : "",
                                strcmp(name, "status") == 0 ? PXR_RUN_STATE " AS status" : name);
        }
        if (pxr_cursor_end(&rows) == 0 && list)
                list = pxr_strf(arena, "WITH run_summary AS (SELECT %s FROM main.run_summary) ",
                                list);
        if (s && !list)
                pxr_out_of_memory(diag);
        return list;
}

static char *statement_text(struct pxr_arena *arena, const char *view,
                            const struct pxr_runs_wanted *wanted)
{
        static const char *const archived[] = { [PXR_NOT_ARCHIVED] = " AND archived_at IS NULL",
                                                [PXR_ARCHIVED_TOO] = "",
                                                [PXR_ARCHIVED_ALONE] =
                                                        " AND archived_at IS NOT NULL" };
        char *list = pxr_strdup(arena, wanted->all ? "*" : "");

        for (int i = 0; list && !wanted->all && i < SHOWN; i++)
                list = pxr_strf(arena, "%s%s%s", list, i ? ", " : "",
                                strcmp(shown[i], "note") == 0 ? short_note : shown[i]);
        if (!list)
                return NULL;
        /* The line break ends a comment that the condition may end with. */
        return pxr_strf(arena, "%sSELECT %s FROM run_summary WHERE (%s\n)%s ORDER BY run DESC%s",
                        view, list, wanted->where ? wanted->where : "1", archived[wanted->archived],
                        wanted->limit > 0 ? " LIMIT ?1" : "");
}

static int hint_column(struct pxr_store *store, const char *message, struct pxr_diag *diag)
{
        static const char no_column[] = "no such column: ";
        const char *names[MOST_COLUMNS], *nearest = NULL;
        sqlite3_stmt *s = NULL;
        char list[1024] = "";
        int count = 0;

        sqlite3_prepare_v2(store->handle, "SELECT * FROM run_summary", -1, &s, NULL);
        for (; s && count < sqlite3_column_count(s) && count < MOST_COLUMNS; count++) {
                names[count] = sqlite3_column_name(s, count);
                if (strlen(list) + strlen(names[count]) + 3 < sizeof(list)) {
                        strcat(list, count ? ", " : "");
                        strcat(list, names[count]);
                }
        }
        if (strncmp(message, no_column, strlen(no_column)) == 0)
                nearest = pxr_nearest(message + strlen(no_column), names, (size_t)count);
        if (nearest)
                pxr_hint(diag, "did you mean '%s'?", nearest);
        pxr_note(diag, "the columns are: %s", list);
        sqlite3_finalize(s);
        return -1;
}

static int condition_error(struct pxr_store *store, struct guard *guard,
                           const struct pxr_runs_wanted *wanted, struct pxr_diag *diag)
{
        int code = sqlite3_errcode(store->handle) & 0xff;
        char *message = pxr_strdup(guard->arena, sqlite3_errmsg(store->handle));

        sqlite3_set_authorizer(store->handle, NULL, NULL);
        if (!message)
                return pxr_out_of_memory(diag);
        if (!wanted->where || (code != SQLITE_ERROR && code != SQLITE_AUTH &&
                               code != SQLITE_INTERRUPT && code != SQLITE_TOOBIG))
                return pxr_store_failed(store, diag);
        if (code == SQLITE_INTERRUPT)
                return pxr_user_error(diag, "the condition takes longer than %d seconds: %s",
                                      MOST_SECONDS, wanted->where);
        if (guard->refused) {
                pxr_user_error(diag, "the condition is refused, for %s: %s", guard->refused,
                               wanted->where);
                pxr_note(diag, "a condition is like \"model = 'row' AND nll < 82\"");
                return -1;
        }
        pxr_user_error(diag, "the condition is no SQL expression: %s: %s", message, wanted->where);
        return hint_column(store, message, diag);
}

static int learn_view(struct pxr_store *store, struct guard *guard, struct pxr_diag *diag)
{
        sqlite3_stmt *s = NULL;
        int status;

        guard->learning = true;
        status = sqlite3_prepare_v2(store->handle, "SELECT * FROM run_summary", -1, &s, NULL);
        sqlite3_finalize(s);
        guard->learning = false;
        if (guard->failed)
                return pxr_out_of_memory(diag);
        return status == SQLITE_OK ? 0 : pxr_store_failed(store, diag);
}

static int prepare(struct pxr_store *store, struct guard *guard,
                   const struct pxr_runs_wanted *wanted, sqlite3_stmt **s, struct pxr_diag *diag)
{
        char *view = view_text(guard->arena, store, diag);
        char *sql = view ? statement_text(guard->arena, view, wanted) : NULL;
        const char *rest;

        if (!view)
                return -1;
        if (!sql)
                return pxr_out_of_memory(diag);
        if (wanted->where && !*wanted->where)
                return pxr_user_error(diag, "the condition is empty");
        if (sqlite3_prepare_v2(store->handle, sql, -1, s, &rest) != SQLITE_OK)
                return condition_error(store, guard, wanted, diag);
        if (*rest || !sqlite3_stmt_readonly(*s) ||
            sqlite3_bind_parameter_count(*s) != (wanted->limit > 0))
                return pxr_user_error(diag, "the condition is more than one expression: %s",
                                      wanted->where);
        if (wanted->limit > 0)
                sqlite3_bind_int64(*s, 1, wanted->limit);
        return 0;
}

/* has_tag(tags, 'x'). Tags have no comma of their own. */
static void has_tag(sqlite3_context *context, int count, sqlite3_value **value)
{
        const char *tags = (const char *)sqlite3_value_text(value[0]);
        const char *tag = (const char *)sqlite3_value_text(value[1]);
        size_t length = tag ? strlen(tag) : 0;

        (void)count;
        while (tags && tag &&
               (strncmp(tags, tag, length) != 0 || (tags[length] != '\0' && tags[length] != ','))) {
                tags = strstr(tags, ", ");
                tags = tags ? tags + strlen(", ") : NULL;
        }
        sqlite3_result_int(context, tags && tag);
}

/* --- the table ---------------------------------------------------------------------------------
 */

static struct pxr_cell cell_of(struct pxr_table *table, sqlite3_stmt *s, int i)
{
        const char *name = table->column[i].name;
        double value;

        switch (sqlite3_column_type(s, i)) {
        case SQLITE_NULL:
                return (struct pxr_cell) { 0 };
        case SQLITE_INTEGER:
                return pxr_integer_cell(sqlite3_column_int64(s, i));
        case SQLITE_FLOAT:
                value = sqlite3_column_double(s, i);
                if (strcmp(name, "wall_seconds") == 0)
                        return pxr_duration_cell(value);
                if (strcmp(name, "epochs") == 0)
                        return pxr_real_cell(value, fabs(value - rint(value)) < 1e-9 ? 0 : 1);
                return pxr_real_cell(value, 3);
        default:
                return pxr_text_cell(table, (const char *)sqlite3_column_text(s, i));
        }
}

static struct pxr_table *new_table(struct pxr_arena *arena, sqlite3_stmt *s)
{
        int count = sqlite3_column_count(s);
        struct pxr_column *column = pxr_alloc_array(arena, (size_t)count, sizeof(*column));

        for (int i = 0; column && i < count; i++) {
                column[i].name = pxr_strdup(arena, sqlite3_column_name(s, i));
                if (!column[i].name)
                        return NULL;
                column[i].heading = heading_of(column[i].name);
                column[i].shown = dispensable(column[i].name) ? PXR_IF_ROOM : PXR_IF_FILLED;
        }
        return column ? pxr_table_new(arena, "runs", "Runs", column, count) : NULL;
}

/* Newest first as they came; oldest first as they are shown, which a terminal's end makes handy. */
static void reverse(struct pxr_table *table)
{
        size_t columns = (size_t)table->columns;

        for (size_t low = 0, high = table->rows; low + 1 < high; low++) {
                high--;
                for (size_t i = 0; i < columns; i++) {
                        struct pxr_cell kept = table->cell[low * columns + i];

                        table->cell[low * columns + i] = table->cell[high * columns + i];
                        table->cell[high * columns + i] = kept;
                }
        }
}

static struct pxr_table *collect(struct pxr_arena *arena, struct pxr_store *store, sqlite3_stmt *s,
                                 struct guard *guard, const struct pxr_runs_wanted *wanted,
                                 struct pxr_diag *diag)
{
        struct pxr_table *table = new_table(arena, s);
        struct pxr_cursor rows = { .store = store, .statement = s };

        if (!table) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        while (!table->failed && pxr_cursor_next(&rows)) {
                struct pxr_cell *cell = pxr_table_row(table);

                for (int i = 0; i < table->columns; i++)
                        cell[i] = cell_of(table, s, i);
        }
        if (pxr_cursor_failed(&rows)) {
                condition_error(store, guard, wanted, diag);
                return NULL;
        }
        if (!wanted->newest_first)
                reverse(table);
        if (table->rows == 0)
                pxr_table_note(table, NULL,
                               wanted->where ? "There is no such run." : "There are no runs.");
        return pxr_table_finish(table, diag) ? NULL : table;
}

struct pxr_table *pxr_report_runs(struct pxr_arena *arena, struct pxr_store *store,
                                  const struct pxr_runs_wanted *wanted, struct pxr_diag *diag)
{
        struct guard guard = { .arena = arena, .deadline = pxr_now() + MOST_SECONDS };
        int length = sqlite3_limit(store->handle, SQLITE_LIMIT_LENGTH, MOST_BYTES);
        struct pxr_table *table = NULL;
        sqlite3_stmt *s = NULL;

        sqlite3_create_function(store->handle, "has_tag", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                                NULL, has_tag, NULL, NULL);
        sqlite3_set_authorizer(store->handle, authorize, &guard);
        sqlite3_progress_handler(store->handle, STEPS_BETWEEN, in_time, &guard);
        if (!learn_view(store, &guard, diag) && !prepare(store, &guard, wanted, &s, diag))
                table = collect(arena, store, s, &guard, wanted, diag);
        sqlite3_finalize(s);
        pxr_store_limit_time(store);
        sqlite3_set_authorizer(store->handle, NULL, NULL);
        sqlite3_limit(store->handle, SQLITE_LIMIT_LENGTH, length);
        return table;
}
