/* SPDX-License-Identifier: MIT */
/*
 * report_run.c - running a report's query, which a stranger may have written.
 *
 * It is harmless: an authorizer lets it read tables and call functions and nothing else, no
 * function that loads code or (unless the report came with pxr) looks at files is called, it is one
 * statement, and it is stopped when it takes too long. The same holds for a condition, which is
 * spliced into a statement around the query.
 */
#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "config/options.h"
#include "record/cursor.h"
#include "report/functions.h"
#include "report/parts.h"
#include "report/report_file.h"

enum {
        MOST_SECONDS = 20, /* of processor time */
        STEPS_BETWEEN = 10000,
        MOST_BYTES = 64 << 20, /* of one value */
        MOST_COLUMNS = 64,
};

struct query {
        struct pxr_arena *arena;
        struct pxr_store *store;
        const struct pxr_report_file *file;
        const struct pxr_report_call *call;
        struct pxr_diag *diag;
        const char *refused; /* what the authorizer refused */
        bool recursive;      /* the report itself is */
        bool condition;      /* the condition is being prepared */
        double deadline;
        sqlite3_stmt *plain, *statement; /* the report as it is; as it is run */
        size_t length;                   /* of the report's text up to the end of its query */
        struct {
                const struct pxr_report_item *item; /* NULL: not in the head */
                const char *name;
        } column[MOST_COLUMNS]; /* of `plain` */
        int columns;
        struct pxr_report_value {
                const char *text;
                int64_t integer;
                double real;
                int kind; /* enum pxr_cell_kind */
        } * value;        /* of each argument */
};

/* --- the guard ---------------------------------------------------------------------------------
 */

static int refuse(struct query *q, const char *what)
{
        if (!q->refused)
                q->refused = what;
        return SQLITE_DENY;
}

static int authorize(void *context, int action, const char *first, const char *second,
                     const char *database, const char *view)
{
        struct query *q = context;

        (void)first, (void)database, (void)view;
        switch (action) {
        case SQLITE_SELECT:
        case SQLITE_READ:
                return SQLITE_OK;
        case SQLITE_RECURSIVE:
                if (q->condition && !q->recursive)
                        return refuse(q, "it is recursive");
                q->recursive = true;
                return SQLITE_OK;
        case SQLITE_FUNCTION:
                if (sqlite3_stricmp(second, "load_extension") == 0)
                        return refuse(q, "it loads code");
                if (!q->file->shipped && sqlite3_stricmp(second, "checkpoint_bytes") == 0)
                        return refuse(q, "it looks at files");
                return SQLITE_OK;
        default:
                return refuse(q, "it does more than read");
        }
}

static int is_overdue(void *context)
{
        const struct query *q = context;

        return pxr_cpu_now() > q->deadline;
}

/* --- errors ------------------------------------------------------------------------------------
 */

/* Where in the file the byte `offset` is; negative: no line. */
static struct pxr_location location_of(const struct query *q, int offset)
{
        struct pxr_location at = { &q->file->source, offset < 0 ? 0 : 1, 1, 0 };
        const char *text = q->file->sql, *line = text;

        if (offset < 0 || (size_t)offset > strlen(text))
                return (struct pxr_location) { &q->file->source, 0, 0, 0 };
        for (const char *c = text; c < text + offset; c++)
                if (*c == '\n') {
                        at.line++;
                        line = c + 1;
                }
        at.column = 1 + pxr_characters(line, text + offset);
        for (const char *c = text + offset; isalnum((unsigned char)*c) || *c == '_'; c++)
                at.length++;
        return at;
}

static void hint_column(struct query *q, const char *message)
{
        static const char no_column[] = "no such column: ";
        const char *names[MOST_COLUMNS], *nearest, *list = "";

        if (strncmp(message, no_column, strlen(no_column)) != 0)
                return;
        for (int i = 0; i < q->columns; i++) {
                names[i] = q->column[i].name;
                list = pxr_strf(q->arena, "%s%s%s", list, i ? ", " : "", names[i]);
        }
        nearest = pxr_nearest(message + strlen(no_column), names, (size_t)q->columns);
        if (nearest)
                pxr_hint(q->diag, "did you mean '%s'?", nearest);
        pxr_note(q->diag, "the columns are: %s", list);
        for (int i = 0; i < q->columns; i++)
                if (strcmp(names[i], "spec_json") == 0)
                        pxr_note(q->diag,
                                 "a key of the spec is like spec_json ->> '$.train.batch'");
}

static int condition_error(struct query *q, int code, const char *message)
{
        const char *where = q->call->where;

        if (q->refused) {
                pxr_user_error(q->diag, "the condition is refused, because %s: %s", q->refused,
                               where);
                pxr_note(q->diag, "a condition is like \"model = 'row' AND nll < 82\"");
                return -1;
        }
        if (code == SQLITE_INTERRUPT)
                return pxr_user_error(q->diag, "the condition takes longer than %d seconds: %s",
                                      MOST_SECONDS, where);
        pxr_user_error(q->diag, "invalid condition: %s: %s", message, where);
        hint_column(q, message);
        return -1;
}

/* What SQLite, or the guard, has against the statement. Returns -1. */
static int query_error(struct query *q)
{
        int code = sqlite3_errcode(q->store->handle) & 0xff, offset = -1;
        const char *message = pxr_strdup(q->arena, sqlite3_errmsg(q->store->handle));

#if SQLITE_VERSION_NUMBER >= 3038000
        offset = sqlite3_error_offset(q->store->handle);
#endif
        if (code != SQLITE_ERROR && code != SQLITE_AUTH && code != SQLITE_INTERRUPT &&
            code != SQLITE_TOOBIG)
                return pxr_store_failed(q->store, q->diag);
        if (q->condition)
                return condition_error(q, code, message);
        if (q->refused)
                return pxr_error_at(q->diag, location_of(q, offset), "refused, because %s",
                                    q->refused);
        if (code == SQLITE_INTERRUPT)
                return pxr_error_at(q->diag, location_of(q, -1),
                                    "stopped after %d seconds of processor time", MOST_SECONDS);
        return pxr_error_at(q->diag, location_of(q, offset), "%s", message);
}

/* --- the statement -----------------------------------------------------------------------------
 */

/* Prepare the report as it is, which must be one query. */
static int prepare_plain(struct query *q)
{
        sqlite3_stmt *more = NULL;
        const char *rest;

        if (sqlite3_prepare_v2(q->store->handle, q->file->sql, -1, &q->plain, &rest) != SQLITE_OK)
                return query_error(q);
        q->length = (size_t)(rest - q->file->sql);
        if (!q->plain)
                return pxr_error_at(q->diag, location_of(q, -1), "no query follows the head");
        if (sqlite3_prepare_v2(q->store->handle, rest, -1, &more, NULL) != SQLITE_OK || more) {
                sqlite3_finalize(more);
                return pxr_error_at(q->diag,
                                    location_of(q, (int)(q->length + strspn(rest, " \t\r\n"))),
                                    "expected one query");
        }
        if (!sqlite3_stmt_readonly(q->plain) || sqlite3_column_count(q->plain) == 0)
                return pxr_error_at(q->diag, location_of(q, -1), "expected a query, SELECT");
        if (sqlite3_column_count(q->plain) > MOST_COLUMNS)
                return pxr_error_at(q->diag, location_of(q, -1), "more than %d columns",
                                    MOST_COLUMNS);
        return 0;
}

static const struct pxr_report_item *find_item(const struct pxr_report_item *item, const char *name)
{
        while (item && strcmp(item->name, name) != 0)
                item = item->next;
        return item;
}

/* The columns and arguments of the head are those of the query. */
static int check_head(struct query *q)
{
        const char *names[MOST_COLUMNS], *nearest;

        q->columns = sqlite3_column_count(q->plain);
        for (int i = 0; i < q->columns; i++) {
                names[i] = q->column[i].name =
                        pxr_strdup(q->arena, sqlite3_column_name(q->plain, i));
                q->column[i].item = find_item(q->file->column, names[i]);
        }
        for (const struct pxr_report_item *item = q->file->column; item; item = item->next) {
                int i = 0;

                while (i < q->columns && q->column[i].item != item)
                        i++;
                if (i < q->columns)
                        continue;
                pxr_error_at(q->diag, item->location, "the query has no column '%s'", item->name);
                nearest = pxr_nearest(item->name, names, (size_t)q->columns);
                if (nearest)
                        pxr_hint(q->diag, "did you mean '%s'?", nearest);
                return -1;
        }
        for (int i = 1; i <= sqlite3_bind_parameter_count(q->plain); i++) {
                const char *name = sqlite3_bind_parameter_name(q->plain, i);

                if (!name || *name != ':' || !find_item(q->file->argument, name + 1))
                        return pxr_error_at(q->diag, location_of(q, -1),
                                            "the head has no argument '%s'",
                                            name ? name + (*name == ':') : "?");
        }
        for (const struct pxr_report_item *item = q->file->argument; item; item = item->next)
                if (!sqlite3_bind_parameter_index(q->plain, pxr_strf(q->arena, ":%s", item->name)))
                        return pxr_error_at(q->diag, item->location, "the query has no :%s",
                                            item->name);
        return 0;
}

static int format_of(const struct query *q, int i)
{
        return q->column[i].item ? q->column[i].item->format : PXR_COLUMN_PLAIN;
}

static int show_of(const struct query *q, int i)
{
        return q->column[i].item ? q->column[i].item->show : PXR_IF_FILLED;
}

static bool is_selected(const struct query *q, int i)
{
        return show_of(q, i) != PXR_TO_CONDITIONS &&
               (q->call->programs || show_of(q, i) != PXR_TO_PROGRAMS);
}

/* "a", "b": the columns that are wanted, as SQL. */
static const char *selected(struct query *q)
{
        char *list = pxr_strdup(q->arena, "");

        for (int i = 0; i < q->columns; i++) {
                char *name =
                        is_selected(q, i) ? sqlite3_mprintf("\"%w\"", q->column[i].name) : NULL;

                if (name)
                        list = pxr_strf(q->arena, "%s%s%s", list, *list ? ", " : "", name);
                else if (is_selected(q, i))
                        pxr_out_of_memory(q->diag);
                sqlite3_free(name);
        }
        return list;
}

/* Prepare a statement around the query: `before` (query) `behind`. What is wrong with it then is so
 * because of the condition. */
static int prepare_around(struct query *q, const char *before, const char *behind)
{
        size_t length = q->length - (q->file->sql[q->length - 1] == ';');
        const char *rest, *sql = pxr_strf(q->arena, "%s (%.*s\n) AS report%s", before, (int)length,
                                          q->file->sql, behind);

        sqlite3_finalize(q->statement);
        q->statement = NULL;
        if (pxr_diag_memory_out(q->diag))
                return -1;
        if (sqlite3_prepare_v2(q->store->handle, sql, -1, &q->statement, &rest) != SQLITE_OK)
                return query_error(q);
        if (*rest || !sqlite3_stmt_readonly(q->statement) ||
            sqlite3_bind_parameter_count(q->statement) != sqlite3_bind_parameter_count(q->plain))
                return pxr_user_error(q->diag, "the condition is more than one expression: %s",
                                      q->call->where);
        return 0;
}

/* With a condition, a limit, and without the columns that are not wanted. */
static int prepare_wanted(struct query *q)
{
        const char *where = q->call->where;
        char *limit = q->call->limit > 0
                              ? pxr_strf(q->arena, " LIMIT %lld", (long long)q->call->limit)
                              : "";

        q->condition = where != NULL;
        if (where && !where[strspn(where, " \t\r\n")])
                return pxr_user_error(q->diag, "the condition is empty");
        /* First as a value, then as a condition: what is both is an expression. The line break ends
         * a comment that it may end with. */
        if (where && prepare_around(q, pxr_strf(q->arena, "SELECT (%s\n) FROM", where), " LIMIT 0"))
                return -1;
        return prepare_around(q, pxr_strf(q->arena, "SELECT %s FROM", selected(q)),
                              pxr_strf(q->arena, " WHERE (%s\n) AND (%s)%s", where ? where : "1",
                                       q->call->and_where ? q->call->and_where : "1", limit));
}

static int prepare(struct query *q)
{
        bool all = true;

        if (prepare_plain(q) || check_head(q))
                return -1;
        for (int i = 0; i < q->columns; i++)
                all = all && is_selected(q, i);
        if (!all || q->call->where || q->call->and_where || q->call->limit > 0)
                return prepare_wanted(q);
        q->statement = q->plain;
        q->plain = NULL;
        return 0;
}

/* --- arguments ---------------------------------------------------------------------------------
 */

static int read_value(struct query *q, const struct pxr_report_item *item, const char *text,
                      struct pxr_report_value *value)
{
        const struct pxr_run *run;

        *value = (struct pxr_report_value) { .text = text, .kind = PXR_CELL_TEXT };
        if (!text)
                return pxr_user_error(q->diag, "%s: expected %s%s%s", q->file->name, item->name,
                                      item->help ? ", " : "", item->help ? item->help : "");
        if (item->type == PXR_ARGUMENT_NUMBER) {
                value->kind = PXR_CELL_INTEGER;
                if (pxr_parse_int(text, &value->integer) == PXR_NUMBER)
                        return 0;
                value->kind = PXR_CELL_REAL;
                if (pxr_parse_real(text, &value->real) == PXR_NUMBER)
                        return 0;
                return pxr_user_error(q->diag, "%s: %s: expected a number, got '%s'", q->file->name,
                                      item->name, text);
        }
        if (item->type == PXR_ARGUMENT_RUN) {
                if (!(run = pxr_store_find_run(q->store, q->arena, text, q->diag)))
                        return -1;
                value->kind = PXR_CELL_INTEGER;
                value->integer = run->id;
        }
        return 0;
}

static int read_arguments(struct query *q)
{
        size_t count = 0;

        for (const struct pxr_report_item *item = q->file->argument; item; item = item->next)
                count++;
        if (q->call->arguments > count)
                return pxr_user_error(q->diag, "%s: unexpected argument '%s'", q->file->name,
                                      q->call->argument[count]);
        q->value = pxr_alloc_array(q->arena, count + 1, sizeof(*q->value));
        count = 0;
        for (const struct pxr_report_item *item = q->file->argument; q->value && item;
             item = item->next, count++)
                if (read_value(q, item,
                               count < q->call->arguments ? q->call->argument[count]
                                                          : item->initial,
                               &q->value[count]))
                        return -1;
        return q->value ? 0 : -1;
}

static void bind_arguments(struct query *q)
{
        const struct pxr_report_value *value = q->value;

        for (const struct pxr_report_item *item = q->file->argument; item; item = item->next) {
                int i = sqlite3_bind_parameter_index(q->statement,
                                                     pxr_strf(q->arena, ":%s", item->name));

                if (value->kind == PXR_CELL_INTEGER)
                        sqlite3_bind_int64(q->statement, i, value->integer);
                else if (value->kind == PXR_CELL_REAL)
                        sqlite3_bind_double(q->statement, i, value->real);
                else
                        sqlite3_bind_text(q->statement, i, value->text, -1, SQLITE_STATIC);
                value++;
        }
}

/* --- the table ---------------------------------------------------------------------------------
 */

static struct pxr_table *new_table(struct query *q)
{
        struct pxr_column *column = pxr_alloc_array(q->arena, MOST_COLUMNS, sizeof(*column));
        int count = 0;

        for (int i = 0; column && i < q->columns; i++) {
                const struct pxr_report_item *item = q->column[i].item;

                if (!is_selected(q, i) || format_of(q, i) == PXR_COLUMN_NOTE)
                        continue;
                column[count++] = (struct pxr_column) {
                        .name = q->column[i].name,
                        .heading = item && item->heading ? item->heading : q->column[i].name,
                        .shown = show_of(q, i),
                };
        }
        return column ? pxr_table_new(q->arena, q->file->name, q->file->title, column, count)
                      : NULL;
}

/* A row for each line of a text, which is all there is in them. */
static void add_lines(struct pxr_table *table, const char *text)
{
        for (const char *line = text; line && *line; line += strcspn(line, "\n")) {
                line += *line == '\n';
                if (*line)
                        *pxr_table_row(table) = pxr_text_cell(
                                table, pxr_strndup(table->arena, line, strcspn(line, "\n")));
        }
}

/* The row at hand; one that has but a note is no row. */
static void add_row(struct query *q, struct pxr_cursor *rows, struct pxr_table *table)
{
        struct pxr_cell *cell = NULL;
        int to = 0, from = 0;

        for (int i = 0; i < q->columns; i++) {
                int format = format_of(q, i);

                if (!is_selected(q, i))
                        continue;
                if (pxr_cursor_is_null(rows, from)) {
                        /* empty */
                } else if (format == PXR_COLUMN_NOTE) {
                        pxr_table_note(table, NULL, "%s", pxr_cursor_text(rows, from));
                } else if (format == PXR_COLUMN_LINES && table->columns == 1) {
                        add_lines(table, pxr_cursor_text(rows, from));
                } else {
                        cell = cell ? cell : pxr_table_row(table);
                        cell[to] = pxr_query_cell(rows, from, format);
                }
                to += format != PXR_COLUMN_NOTE;
                from++;
        }
}

static struct pxr_table *collect(struct query *q)
{
        struct pxr_table *table = new_table(q);
        struct pxr_cursor rows = { q->store, q->arena, NULL, q->statement, SQLITE_OK };

        if (!table)
                return NULL;
        bind_arguments(q);
        while (pxr_cursor_next(&rows))
                add_row(q, &rows, table);
        if (pxr_cursor_failed(&rows) && !pxr_diag_memory_out(q->diag)) {
                query_error(q);
                return NULL;
        }
        if (table->rows == 0 && q->call->where)
                pxr_table_note(table, NULL, "No row meets the condition.");
        else if (table->rows == 0 && q->file->empty && !table->note)
                pxr_table_note(table, NULL, "%s", q->file->empty);
        for (const struct pxr_yaml *note = q->file->notes->first; note && table->rows > 0;
             note = note->next)
                pxr_table_note(table, NULL, "%s", note->text);
        return pxr_table_finish(table, q->diag) ? NULL : table;
}

struct pxr_table *pxr_report_file_table(struct pxr_arena *arena, struct pxr_store *store,
                                        const struct pxr_report_file *file,
                                        const struct pxr_report_call *call, struct pxr_diag *diag)
{
        struct query *q = pxr_alloc(arena, sizeof(*q));
        struct pxr_table *table = NULL;
        int length;

        if (!q)
                return NULL;
        *q = (struct query) { arena, store, file, call, .diag = diag };
        if (read_arguments(q) || pxr_report_functions(store, diag))
                return NULL;
        q->deadline = pxr_cpu_now() + MOST_SECONDS;
        length = sqlite3_limit(store->handle, SQLITE_LIMIT_LENGTH, MOST_BYTES);
        sqlite3_set_authorizer(store->handle, authorize, q);
        sqlite3_progress_handler(store->handle, STEPS_BETWEEN, is_overdue, q);
        if (!prepare(q))
                table = collect(q);
        sqlite3_finalize(q->plain);
        sqlite3_finalize(q->statement);
        sqlite3_set_authorizer(store->handle, NULL, NULL);
        sqlite3_limit(store->handle, SQLITE_LIMIT_LENGTH, length);
        pxr_store_limit_time(store);
        return table;
}
