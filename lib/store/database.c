/* SPDX-License-Identifier: MIT */
/*
 * database.c - opening the run database, and its rows.
 *
 * Every statement goes through execute() or query(), which bind their arguments by a format: t a
 * text, i an int64_t, d a double (NAN is NULL), b a blob and its size_t. Uses base/, schema.h and
 * SQLite.
 */
#include "store/database.h"

#include <errno.h>
#include <math.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "store/schema.h"

enum { BUSY_MILLISECONDS = 30000 };

struct pxr_store {
        sqlite3 *handle;
        const char *path;
};

/* --- statements --------------------------------------------------------------------------------
 */

/* One clear message for the errors that users meet. */
static int failed(struct pxr_store *store, struct pxr_diag *diag)
{
        int code = sqlite3_extended_errcode(store->handle);
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
                return pxr_system_error(diag, "%s: the disk is full", path);
        case SQLITE_NOTADB:
                return pxr_user_error(diag, "%s: this file is not a database", path);
        case SQLITE_CORRUPT:
                return pxr_user_error(diag,
                                      "%s: the database is corrupt (%s); restore a copy, or "
                                      "try `sqlite3 FILE .recover`",
                                      path, sqlite3_errmsg(store->handle));
        case SQLITE_CANTOPEN:
                return pxr_user_error(diag,
                                      "%s: the database cannot be opened: does its folder "
                                      "exist?",
                                      path);
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

/* A statement with its arguments bound, or NULL after an error. */
static sqlite3_stmt *query(struct pxr_store *store, struct pxr_diag *diag, const char *sql,
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
                failed(store, diag);
                sqlite3_finalize(statement);
                return NULL;
        }
        return statement;
}

/* Run a statement that gives no rows. */
static int execute(struct pxr_store *store, struct pxr_diag *diag, const char *sql,
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
                failed(store, diag);
                sqlite3_finalize(statement);
                return -1;
        }
        sqlite3_finalize(statement);
        return 0;
}

static int pragma_value(struct pxr_store *store, const char *sql, int *value, struct pxr_diag *diag)
{
        sqlite3_stmt *statement = query(store, diag, sql, "");

        if (!statement)
                return -1;
        if (sqlite3_step(statement) != SQLITE_ROW) {
                failed(store, diag);
                sqlite3_finalize(statement);
                return -1;
        }
        *value = sqlite3_column_int(statement, 0);
        sqlite3_finalize(statement);
        return 0;
}

/* --- opening -----------------------------------------------------------------------------------
 */

/* Bring the schema up to date, in one transaction that another process may win. */
static int migrate(struct pxr_store *store, struct pxr_diag *diag)
{
        int version;
        char sql[64];

        if (execute(store, diag, "BEGIN IMMEDIATE", ""))
                return -1;
        if (pragma_value(store, "PRAGMA user_version", &version, diag))
                goto undo;
        for (; version < pxr_schema_version; version++)
                if (sqlite3_exec(store->handle, pxr_schema_steps[version], NULL, NULL, NULL) !=
                    SQLITE_OK) {
                        failed(store, diag);
                        goto undo;
                }
        sqlite3_snprintf(sizeof(sql), sql, "PRAGMA user_version = %d", pxr_schema_version);
        if (execute(store, diag, sql, ""))
                goto undo;
        sqlite3_snprintf(sizeof(sql), sql, "PRAGMA application_id = %d", PXR_APPLICATION_ID);
        if (execute(store, diag, sql, "") || execute(store, diag, "COMMIT", ""))
                goto undo;
        return 0;

undo:
        pxr_store_rollback(store);
        return -1;
}

/* Is it ours, and of a version we know? */
static int check_schema(struct pxr_store *store, bool writable, struct pxr_diag *diag)
{
        int version, application, tables;

        if (pragma_value(store, "PRAGMA user_version", &version, diag) ||
            pragma_value(store, "PRAGMA application_id", &application, diag) ||
            pragma_value(store, "SELECT count(*) FROM sqlite_schema", &tables, diag))
                return -1;
        if (tables > 0 && application != PXR_APPLICATION_ID)
                return pxr_user_error(diag, "%s: this is a database of another program",
                                      store->path);
        if (version > pxr_schema_version)
                return pxr_user_error(diag,
                                      "%s: written by a newer pxr (schema %d, this program knows "
                                      "%d): use that one; the file is left as it is",
                                      store->path, version, pxr_schema_version);
        if (version == pxr_schema_version)
                return 0;
        if (!writable)
                return pxr_user_error(diag, "%s: the database %s", store->path,
                                      tables ? "has an older schema: open it once with pxr-run"
                                             : "is empty");
        return migrate(store, diag);
}

struct pxr_store *pxr_store_open(const char *path, bool writable, struct pxr_diag *diag)
{
        struct pxr_store *store = calloc(1, sizeof(*store));
        int flags = writable ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;

        if (!store || !(store->path = strdup(path))) {
                free(store);
                pxr_out_of_memory(diag);
                return NULL;
        }
        if (sqlite3_open_v2(path, &store->handle, flags, NULL) != SQLITE_OK) {
                failed(store, diag);
                pxr_store_close(store);
                return NULL;
        }
        sqlite3_extended_result_codes(store->handle, 1);
        sqlite3_busy_timeout(store->handle, BUSY_MILLISECONDS);
        /* Where the file system cannot do WAL, the journal mode stays what it is. */
        if (execute(store, diag, "PRAGMA foreign_keys = ON", "") ||
            check_schema(store, writable, diag) ||
            (writable && execute(store, diag, "PRAGMA journal_mode = WAL", "")) ||
            execute(store, diag, "PRAGMA synchronous = FULL", "")) {
                pxr_store_close(store);
                return NULL;
        }
        return store;
}

void pxr_store_close(struct pxr_store *store)
{
        if (!store)
                return;
        sqlite3_close(store->handle);
        free((char *)store->path);
        free(store);
}

int pxr_store_begin(struct pxr_store *store, struct pxr_diag *diag)
{
        return execute(store, diag, "BEGIN IMMEDIATE", "");
}

int pxr_store_commit(struct pxr_store *store, struct pxr_diag *diag)
{
        if (execute(store, diag, "COMMIT", "") == 0)
                return 0;
        pxr_store_rollback(store);
        return -1;
}

void pxr_store_rollback(struct pxr_store *store)
{
        if (!sqlite3_get_autocommit(store->handle))
                execute(store, NULL, "ROLLBACK", "");
}

/* --- runs --------------------------------------------------------------------------------------
 */

#define NOW "strftime('%Y-%m-%d %H:%M:%f', 'now')"

int pxr_store_add_run(struct pxr_store *store, struct pxr_run *run, struct pxr_diag *diag)
{
        if (execute(store, diag,
                    "INSERT INTO run (name, status, spec, spec_hash, origins, seed, "
                    "program_version, program_revision, git_revision, git_difference, "
                    "command_line, host, processor, instruction_set, libraries, threads, "
                    "process_id, process_start, started_at, data_set, data_identity, "
                    "data_transforms, data_entropy, certificate, parameters) VALUES (?, 'running', "
                    "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, " NOW ", ?, ?, ?, ?, ?, ?)",
                    "tttti"
                    "tttt"
                    "ttttti"
                    "it"
                    "tttdti",
                    run->name, run->spec, run->spec_hash, run->origins, run->seed,
                    run->program_version, run->program_revision, run->git_revision,
                    run->git_difference, run->command_line, run->host, run->processor,
                    run->instruction_set, run->libraries, run->threads, run->process_id,
                    run->process_start, run->data_set, run->data_identity, run->data_transforms,
                    run->data_entropy, run->certificate, run->parameters))
                return -1;
        run->id = sqlite3_last_insert_rowid(store->handle);
        return 0;
}

static const char *column(sqlite3_stmt *statement, int i, struct pxr_arena *arena)
{
        const unsigned char *text = sqlite3_column_text(statement, i);

        return text ? pxr_strdup(arena, (const char *)text) : NULL;
}

static struct pxr_run *read_run(sqlite3_stmt *s, struct pxr_arena *arena)
{
        struct pxr_run *run = pxr_alloc(arena, sizeof(*run));

        if (!run)
                return NULL;
        *run = (struct pxr_run) {
                .id = sqlite3_column_int64(s, 0),
                .name = column(s, 1, arena),
                .status = column(s, 2, arena),
                .message = column(s, 3, arena),
                .spec = column(s, 4, arena),
                .spec_hash = column(s, 5, arena),
                .seed = sqlite3_column_int64(s, 6),
                .host = column(s, 7, arena),
                .process_id = sqlite3_column_int64(s, 8),
                .process_start = column(s, 9, arena),
                .data_set = column(s, 10, arena),
                .data_identity = column(s, 11, arena),
                .certificate = column(s, 12, arena),
                .parameters = sqlite3_column_int64(s, 13),
                .instruction_set = column(s, 14, arena),
                .wall_seconds = sqlite3_column_double(s, 15),
                .data_entropy = sqlite3_column_type(s, 16) == SQLITE_NULL
                                        ? NAN
                                        : sqlite3_column_double(s, 16),
                .parameter_hash = column(s, 17, arena),
        };
        return run;
}

struct pxr_run *pxr_store_find_run(struct pxr_store *store, struct pxr_arena *arena,
                                   const char *which, struct pxr_diag *diag)
{
        sqlite3_stmt *statement =
                query(store, diag,
                      "SELECT id, name, status, message, spec, spec_hash, seed, host, process_id, "
                      "process_start, data_set, data_identity, certificate, parameters, "
                      "instruction_set, wall_seconds, data_entropy, parameter_hash FROM run "
                      "WHERE CAST(id AS TEXT) = ?1 OR name = ?1 OR ?1 = 'last' "
                      "ORDER BY CAST(id AS TEXT) = ?1 DESC, id DESC LIMIT 1",
                      "t", which);
        struct pxr_run *run = NULL;
        int status;

        if (!statement)
                return NULL;
        status = sqlite3_step(statement);
        if (status == SQLITE_ROW) {
                run = read_run(statement, arena);
                if (!run)
                        pxr_out_of_memory(diag);
        } else if (status == SQLITE_DONE) {
                pxr_user_error(diag, "%s: there is no run '%s'", store->path, which);
                pxr_note(diag, "name one by its number, by its name, or as 'last'");
        } else {
                failed(store, diag);
        }
        sqlite3_finalize(statement);
        return run;
}

int pxr_store_end_run(struct pxr_store *store, int64_t run, const char *status, const char *message,
                      const char *parameter_hash, double wall_seconds, struct pxr_diag *diag)
{
        return execute(store, diag,
                       "UPDATE run SET status = ?2, message = ?3, parameter_hash = ?4, "
                       "wall_seconds = wall_seconds + ?5, finished_at = " NOW " WHERE id = ?1",
                       "itttd", run, status, message, parameter_hash, wall_seconds);
}

int pxr_store_take_run(struct pxr_store *store, int64_t run, int64_t process_id,
                       const char *process_start, struct pxr_diag *diag)
{
        return execute(store, diag,
                       "UPDATE run SET status = 'running', message = NULL, finished_at = NULL, "
                       "process_id = ?2, process_start = ?3 WHERE id = ?1",
                       "iit", run, process_id, process_start);
}

/* --- what belongs to a run ---------------------------------------------------------------------
 */

int pxr_store_add_data_file(struct pxr_store *store, int64_t run, const char *path, int64_t size,
                            const char *sha256, struct pxr_diag *diag)
{
        return execute(store, diag, "INSERT OR REPLACE INTO data_file VALUES (?, ?, ?, ?)", "itit",
                       run, path, size, sha256);
}

int pxr_store_add_plugin(struct pxr_store *store, int64_t run, const char *name,
                         const char *version, const char *path, const char *sha256,
                         struct pxr_diag *diag)
{
        return execute(store, diag, "INSERT OR REPLACE INTO plugin VALUES (?, ?, ?, ?, ?)", "itttt",
                       run, name, version, path, sha256);
}

int pxr_store_add_layer(struct pxr_store *store, int64_t run, const struct pxr_layer_row *layer,
                        struct pxr_diag *diag)
{
        return execute(store, diag,
                       "INSERT OR REPLACE INTO layer VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       "iittiiiidiii", run, (int64_t)layer->position, layer->path, layer->kind,
                       (int64_t)layer->rows, (int64_t)layer->cols, (int64_t)layer->channels,
                       layer->parameters, layer->multiply_adds, (int64_t)layer->above,
                       (int64_t)layer->left, (int64_t)layer->right);
}

int pxr_store_add_metric(struct pxr_store *store, struct pxr_moment at, const char *split,
                         const char *name, double value, struct pxr_diag *diag)
{
        return execute(store, diag,
                       "INSERT OR REPLACE INTO metric (run, step, epoch, split, name, value) "
                       "VALUES (?, ?, ?, ?, ?, ?)",
                       "iidttd", at.run, at.step, at.epoch, split, name, value);
}

int pxr_store_add_nll(struct pxr_store *store, struct pxr_moment at, const struct pxr_nll_row *nll,
                      struct pxr_diag *diag)
{
        return execute(store, diag,
                       "INSERT OR REPLACE INTO metric (run, step, epoch, split, name, sum_nats, "
                       "sum_squares, images, dimensions, standard_error, suspect) "
                       "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       "iidttddiidt", at.run, at.step, at.epoch, nll->split, nll->name,
                       nll->sum_nats, nll->sum_squares, nll->images, nll->dimensions,
                       nll->standard_error, nll->suspect);
}

int pxr_store_add_sample(struct pxr_store *store, struct pxr_moment at, const char *kind,
                         int64_t seed, int64_t count, const void *png, size_t size,
                         struct pxr_diag *diag)
{
        return execute(store, diag,
                       "INSERT OR REPLACE INTO sample (run, step, epoch, kind, seed, count, png) "
                       "VALUES (?, ?, ?, ?, ?, ?, ?)",
                       "iidtiib", at.run, at.step, at.epoch, kind, seed, count, png, size);
}

int pxr_store_add_event(struct pxr_store *store, struct pxr_moment at, const char *kind,
                        const char *message, struct pxr_diag *diag)
{
        return execute(store, diag,
                       "INSERT INTO event (run, at, step, kind, message) VALUES (?, " NOW
                       ", ?, ?, ?)",
                       "iitt", at.run, at.step, kind, message);
}

int pxr_store_add_checkpoint(struct pxr_store *store, int64_t run,
                             const struct pxr_checkpoint_row *row, struct pxr_diag *diag)
{
        if (row->best &&
            execute(store, diag, "UPDATE checkpoint SET best = 0 WHERE run = ?", "i", run))
                return -1;
        return execute(store, diag,
                       "INSERT OR REPLACE INTO checkpoint (run, step, epoch, path, sha256, size, "
                       "best, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, " NOW ")",
                       "iidttii", run, row->step, row->epoch, row->path, row->sha256, row->size,
                       (int64_t)row->best);
}

int pxr_store_remove_checkpoint(struct pxr_store *store, int64_t run, int64_t step,
                                struct pxr_diag *diag)
{
        return execute(store, diag, "DELETE FROM checkpoint WHERE run = ? AND step = ?", "ii", run,
                       step);
}

int pxr_store_checkpoints(struct pxr_store *store, struct pxr_arena *arena, int64_t run,
                          struct pxr_checkpoint_row **list, struct pxr_diag *diag)
{
        sqlite3_stmt *s = query(store, diag,
                                "SELECT step, epoch, path, sha256, size, best FROM checkpoint "
                                "WHERE run = ? ORDER BY step DESC",
                                "i", run);
        int status;

        *list = NULL;
        if (!s)
                return -1;
        while ((status = sqlite3_step(s)) == SQLITE_ROW) {
                struct pxr_checkpoint_row *row = pxr_alloc(arena, sizeof(*row));

                if (!row) {
                        sqlite3_finalize(s);
                        return pxr_out_of_memory(diag);
                }
                row->step = sqlite3_column_int64(s, 0);
                row->epoch = sqlite3_column_double(s, 1);
                row->path = column(s, 2, arena);
                row->sha256 = column(s, 3, arena);
                row->size = sqlite3_column_int64(s, 4);
                row->best = sqlite3_column_int(s, 5) != 0;
                *list = row;
                list = &row->next;
        }
        if (status != SQLITE_DONE)
                failed(store, diag);
        sqlite3_finalize(s);
        return status == SQLITE_DONE ? 0 : -1;
}

int pxr_store_rewind(struct pxr_store *store, int64_t run, int64_t step, struct pxr_diag *diag)
{
        static const char *const steps[] = {
                "DELETE FROM metric WHERE run = ? AND step > ?",
                "DELETE FROM sample WHERE run = ? AND step > ?",
                "DELETE FROM checkpoint WHERE run = ? AND step > ?",
        };

        if (pxr_store_begin(store, diag))
                return -1;
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
                if (execute(store, diag, steps[i], "ii", run, step)) {
                        pxr_store_rollback(store);
                        return -1;
                }
        return pxr_store_commit(store, diag);
}

int pxr_store_nlls(struct pxr_store *store, int64_t run,
                   void (*row)(void *context, struct pxr_moment at, const struct pxr_nll_row *nll),
                   void *context, struct pxr_diag *diag)
{
        sqlite3_stmt *s = query(store, diag,
                                "SELECT step, epoch, split, name, sum_nats, sum_squares, images, "
                                "dimensions, standard_error, suspect FROM metric WHERE run = ? AND "
                                "images > 0 ORDER BY step, split",
                                "i", run);
        int status;

        if (!s)
                return -1;
        while ((status = sqlite3_step(s)) == SQLITE_ROW) {
                struct pxr_moment at = { run, sqlite3_column_int64(s, 0),
                                         sqlite3_column_double(s, 1) };
                struct pxr_nll_row nll = {
                        .split = (const char *)sqlite3_column_text(s, 2),
                        .name = (const char *)sqlite3_column_text(s, 3),
                        .sum_nats = sqlite3_column_double(s, 4),
                        .sum_squares = sqlite3_column_double(s, 5),
                        .images = sqlite3_column_int64(s, 6),
                        .dimensions = sqlite3_column_int64(s, 7),
                        .standard_error = sqlite3_column_double(s, 8),
                        .suspect = (const char *)sqlite3_column_text(s, 9),
                };

                row(context, at, &nll);
        }
        if (status != SQLITE_DONE)
                failed(store, diag);
        sqlite3_finalize(s);
        return status == SQLITE_DONE ? 0 : -1;
}
