/* SPDX-License-Identifier: MIT */
/*
 * report_run.c - running a report's query, which a stranger may have written.
 *
 * An authorizer allows reading tables and calling functions, except functions that load code and,
 * unless the report came with pxr, functions that look at files. A query is one statement and is
 * stopped when it takes too long. A condition is spliced into a statement around the query, under
 * the same rules.
 */
#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "config/options.h"
#include "record/cursor.h"
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
        bool recursive;      /* the query is, so that a condition may be too */
        bool condition;      /* a condition is being prepared or run */
        double deadline;
        sqlite3_stmt *plain, *statement; /* the report as it is; as it is run */
        size_t length;                   /* bytes of the file up to the end of its query */
        const char *name[MOST_COLUMNS];  /* the columns of `plain` */
        int columns;
        struct output {
                const char *name, *expression; /* in SQL */
                const struct pxr_report_item *item;
        } output[MOST_COLUMNS]; /* the columns of `statement` */
        int outputs;
        struct pxr_cell *value; /* of each argument */
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

/* The location of a byte of the file; a negative offset gives one without a line. */
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

/* The position of a column; the number of columns if there is none of that name. */
static int find_name(const struct query *q, const char *name)
{
        int i = 0;

        while (i < q->columns && strcmp(q->name[i], name) != 0)
                i++;
        return i;
}

static void hint_column(struct query *q, const char *message)
{
        static const char no_column[] = "no such column: ";

        if (strncmp(message, no_column, strlen(no_column)) != 0)
                return;
        pxr_hint_nearest(q->diag, message + strlen(no_column), q->name, (size_t)q->columns);
        pxr_note(q->diag, "the columns are: %s",
                 pxr_join(q->arena, q->name, (size_t)q->columns, ", "));
        if (find_name(q, "spec_json") < q->columns)
                pxr_note(q->diag, "a key of the spec is like spec_json ->> '$.train.batch'");
}

/* Whether SQLite looked for the rest of a condition in the statement around it, which begins with
 * "SELECT (". */
static bool is_incomplete(const char *where, int offset, const char *message)
{
        return (strncmp(message, "near ", 5) == 0 && offset > (int)(7 + strlen(where))) ||
               strstr(message, "\n) FROM");
}

static int condition_error(struct query *q, int code, int offset, const char *message)
{
        const char *where = q->call->where;

        if (q->refused) {
                pxr_user_error(q->diag, "the condition is refused, because %s: %s", q->refused,
                               where);
                pxr_note(q->diag, "a condition is like \"model = 'row' AND nll < 82\"");
                return -1;
        }
        if (code == SQLITE_INTERRUPT)
                return pxr_user_error(
                        q->diag, "the condition took more than %d seconds of processor time: %s",
                        MOST_SECONDS, where);
        if (is_incomplete(where, offset, message))
                return pxr_user_error(q->diag, "the condition is incomplete: %s", where);
        pxr_user_error(q->diag, "invalid condition: %s: %s", message, where);
        hint_column(q, message);
        return -1;
}

/* Record why SQLite or the authorizer refused the statement. Returns -1. */
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
                return condition_error(q, code, offset, message);
        if (q->refused)
                return pxr_error_at(q->diag, location_of(q, offset), "refused, because %s",
                                    q->refused);
        if (code == SQLITE_INTERRUPT)
                return pxr_error_at(q->diag, location_of(q, -1),
                                    "stopped after %d seconds of processor time", MOST_SECONDS);
        return pxr_error_at(q->diag, location_of(q, offset), "%s", message);
}

/* --- arguments ---------------------------------------------------------------------------------
 */

/* The number of a sweep, by its name. */
static int find_sweep(struct query *q, const char *name, int64_t *id)
{
        struct pxr_cursor rows;

        if (pxr_store_integer(q->store, id, q->diag, "SELECT id FROM sweep WHERE name = ?", "t",
                              name))
                return -1;
        if (*id)
                return 0;
        rows = pxr_query(
                q->store, q->arena, q->diag,
                "SELECT group_concat('''' || name || '''', ', '), "
                "max(iif(is_near(?, name), name, NULL)) FROM (SELECT name FROM sweep ORDER BY id)",
                "t", name);
        if (!pxr_cursor_next(&rows) || pxr_cursor_is_null(&rows, 0)) {
                pxr_user_error(q->diag,
                               "no sweep '%s': the database has no sweeps; pxr-sweep runs one",
                               name);
        } else {
                pxr_user_error(q->diag, "no sweep '%s'; the sweeps are: %s", name,
                               pxr_cursor_text(&rows, 0));
                if (!pxr_cursor_is_null(&rows, 1))
                        pxr_hint(q->diag, "did you mean '%s'?", pxr_cursor_text(&rows, 1));
        }
        pxr_cursor_end(&rows);
        return -1;
}

static int read_value(struct query *q, const struct pxr_report_item *item, const char *text,
                      struct pxr_cell *value)
{
        const struct pxr_run *run;

        *value = (struct pxr_cell) { .text = text, .kind = PXR_CELL_TEXT };
        if (!text)
                return pxr_user_error(q->diag, "%s: missing argument '%s'%s%s", q->file->name,
                                      item->name, item->help ? ": " : "",
                                      item->help ? item->help : "");
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
        if (item->type == PXR_ARGUMENT_SWEEP) {
                value->kind = PXR_CELL_INTEGER;
                return find_sweep(q, text, &value->integer);
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
        const struct pxr_cell *value = q->value;

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

/* --- the statement -----------------------------------------------------------------------------
 */

/* Prepare the query as it stands in the file, to check it. */
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

/* Check that the query has the columns and arguments that the head describes. */
static int check_head(struct query *q)
{
        q->columns = sqlite3_column_count(q->plain);
        for (int i = 0; i < q->columns; i++)
                q->name[i] = pxr_strdup(q->arena, sqlite3_column_name(q->plain, i));
        for (const struct pxr_report_item *item = q->file->column; item; item = item->next) {
                if (find_name(q, item->name) < q->columns)
                        continue;
                pxr_error_at(q->diag, item->location, "the query has no column '%s'", item->name);
                pxr_hint_nearest(q->diag, item->name, q->name, (size_t)q->columns);
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

/* Prepare the statement `before` (query) AS report `behind`. The query itself was checked before,
 * so errors are those of the condition. */
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

/* Text that sqlite3_mprintf() made, in the arena. */
static const char *kept(struct query *q, char *text)
{
        const char *copy = text ? pxr_strdup(q->arena, text) : "";

        if (!text)
                pxr_out_of_memory(q->diag);
        sqlite3_free(text);
        return copy;
}

/* A column; `item`: what the head says of it. */
static void add_output(struct query *q, const char *name, const char *expression,
                       const struct pxr_report_item *item)
{
        if (q->outputs < MOST_COLUMNS)
                q->output[q->outputs++] = (struct output) { name, expression, item };
}

/* Add a column for each key of a column of JSON objects, in order of appearance. */
static int add_keys(struct query *q, const char *name, const struct pxr_report_item *item)
{
        struct pxr_cursor rows = { q->store, q->arena, NULL, NULL, SQLITE_OK };
        int others = q->columns - find_name(q, name), most = MOST_COLUMNS - others;

        if (prepare_around(q, "SELECT DISTINCT key FROM",
                           kept(q, sqlite3_mprintf(", json_each(report.\"%w\")", name))))
                return -1;
        bind_arguments(q);
        rows.statement = q->statement;
        while (q->outputs < most && pxr_cursor_next(&rows)) {
                const char *key = pxr_cursor_text(&rows, 0);

                add_output(
                        q, key,
                        kept(q, sqlite3_mprintf("(SELECT CASE WHEN type IN ('true', 'false') THEN "
                                                "type ELSE value END FROM json_each("
                                                "report.\"%w\") WHERE key = %Q)",
                                                name, key)),
                        item);
        }
        return pxr_cursor_failed(&rows) ? query_error(q) : 0;
}

static int choose_outputs(struct query *q)
{
        static const struct pxr_report_item unsaid = { .format = PXR_COLUMN_PLAIN,
                                                       .show = PXR_IF_FILLED };

        for (int i = 0; i < q->columns; i++) {
                const struct pxr_report_item *item = find_item(q->file->column, q->name[i]);

                item = item ? item : &unsaid;
                if (item->show == PXR_TO_CONDITIONS ||
                    (item->show == PXR_TO_PROGRAMS && !q->call->programs))
                        continue;
                if (item->format == PXR_COLUMN_KEYS) {
                        if (add_keys(q, q->name[i], item))
                                return -1;
                } else {
                        add_output(q, q->name[i], kept(q, sqlite3_mprintf("\"%w\"", q->name[i])),
                                   item);
                }
        }
        return 0;
}

/* The end of a statement that sorts its rows; "": they are not sorted. NULL after an error. */
static const char *order_by(struct query *q)
{
        const char *column = q->call->sort;
        bool falls = column && *column == '-';

        if (!column)
                return "";
        column += falls;
        if (find_name(q, column) == q->columns) {
                pxr_user_error(q->diag, "--sort: the report has no column '%s'", column);
                pxr_hint_nearest(q->diag, column, q->name, (size_t)q->columns);
                return NULL;
        }
        return kept(q, sqlite3_mprintf(" ORDER BY \"%w\" IS NULL, \"%w\"%s", column, column,
                                       falls ? " DESC" : ""));
}

/* Prepare the query with the selected columns, the condition and the limit. */
static int prepare(struct query *q)
{
        const char *where = q->call->where, *list = "", *order;
        long long limit = q->call->limit > 0 ? q->call->limit : -1;

        if (prepare_plain(q) || check_head(q) || choose_outputs(q))
                return -1;
        order = order_by(q);
        if (!order)
                return -1;
        for (int i = 0; i < q->outputs; i++)
                list = pxr_strf(q->arena, "%s%s%s", list, i ? ", " : "", q->output[i].expression);
        q->condition = where != NULL;
        if (where && !where[strspn(where, " \t\r\n")])
                return pxr_user_error(q->diag, "the condition is empty");
        /* A text that is valid as a value and as a condition is an expression. The line break ends
         * a comment at its end. */
        if (where && prepare_around(q, pxr_strf(q->arena, "SELECT (%s\n) FROM", where), " LIMIT 0"))
                return -1;
        return prepare_around(q, pxr_strf(q->arena, "SELECT %s FROM", list),
                              pxr_strf(q->arena, " WHERE (%s\n)%s LIMIT %lld", where ? where : "1",
                                       order, limit));
}

/* --- the table ---------------------------------------------------------------------------------
 */

static bool is_cell(const struct pxr_report_item *item)
{
        return item->format != PXR_COLUMN_NOTE && item->format != PXR_COLUMN_TITLE;
}

static struct pxr_table *new_table(struct query *q)
{
        struct pxr_column *column = pxr_alloc_array(q->arena, MOST_COLUMNS, sizeof(*column));
        int count = 0;

        for (int i = 0; column && i < q->outputs; i++) {
                const char *name = q->output[i].name;
                const struct pxr_report_item *item = q->output[i].item;

                if (is_cell(item))
                        column[count++] =
                                (struct pxr_column) { name, item->heading ? item->heading : name,
                                                      item->show };
        }
        return column ? pxr_table_new(q->arena, q->file->name, q->file->title, column, count)
                      : NULL;
}

/* Add a row for each line of a text. */
static void add_lines(struct pxr_table *table, const char *text)
{
        table->lines = true;
        for (size_t length; *text; text += length + (text[length] == '\n')) {
                length = strcspn(text, "\n");
                *pxr_table_row(table) =
                        pxr_text_cell(table, pxr_strndup(table->arena, text, length));
        }
}

/* NLLs in bits per dimension are small numbers. */
static int nll_decimals(const struct query *q, struct pxr_cursor *rows)
{
        for (int i = 0; i < q->outputs; i++)
                if (strcmp(q->output[i].name, "unit") == 0)
                        return strncmp(pxr_cursor_text(rows, i), "bits", 4) == 0 ? 4 : 3;
        return 3;
}

/* Add the current row; notes and a title alone do not make one. */
static void add_row(struct query *q, struct pxr_cursor *rows, struct pxr_table *table)
{
        struct pxr_cell *cell = NULL;
        int decimals = nll_decimals(q, rows), to = 0;

        for (int i = 0; i < q->outputs; i++) {
                int format = q->output[i].item->format;

                if (pxr_cursor_is_null(rows, i)) {
                        /* empty */
                } else if (format == PXR_COLUMN_NOTE) {
                        pxr_table_note(table, NULL, "%s", pxr_cursor_text(rows, i));
                } else if (format == PXR_COLUMN_TITLE) {
                        table->title = pxr_cursor_text(rows, i);
                } else if (format == PXR_COLUMN_LINES && table->columns == 1) {
                        add_lines(table, pxr_cursor_text(rows, i));
                } else {
                        cell = cell ? cell : pxr_table_row(table);
                        cell[to] = pxr_query_cell(rows, i, format);
                        if (format == PXR_COLUMN_NLL || format == PXR_COLUMN_DIFFERENCE)
                                cell[to].decimals = decimals;
                }
                to += is_cell(q->output[i].item);
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
        if (pxr_report_functions(store, diag) || read_arguments(q))
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

struct pxr_table *pxr_report_by_name(struct pxr_arena *arena, struct pxr_store *store,
                                     const char *folder, const char *name,
                                     const struct pxr_report_call *call, struct pxr_diag *diag)
{
        const struct pxr_report_file *file = pxr_report_file_find(arena, folder, name, NULL, diag);

        return file ? pxr_report_file_table(arena, store, file, call, diag) : NULL;
}
