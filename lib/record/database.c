/* SPDX-License-Identifier: MIT */
/*
 * database.c - opening the run database, its schema's versions, transactions.
 *
 * However a database is opened, SQL that others put into its schema does not run (objects.c).
 */
#include "record/database.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/staging.h"
#include "record/folder.h"
#include "record/schema.h"
#include "record/cursor.h"

/* How long to wait for a lock of another program, usually, to look, and to try. */
enum { BUSY_MILLISECONDS = 30000, LOOK_MILLISECONDS = 400, BRIEF_MILLISECONDS = 100 };
enum { LONGEST_VALUE = 256 << 20 }; /* bytes of a text or a blob */

/* Check that this is a database of pxr, of a version that is known. Called within a transaction,
 * since another process may migrate it. */
static int read_version(struct pxr_store *store, int *version, bool *empty, struct pxr_diag *diag)
{
        int64_t application, tables, number;

        if (pxr_store_integer(store, &number, diag, "PRAGMA user_version", "") ||
            pxr_store_integer(store, &application, diag, "PRAGMA application_id", "") ||
            pxr_store_integer(store, &tables, diag, "SELECT count(*) FROM sqlite_schema", ""))
                return -1;
        *version = (int)number;
        *empty = tables == 0;
        if (application == PXR_UNRELEASED_ID)
                return pxr_user_error(diag,
                                      "%s: was made by a development version of pxr from before "
                                      "the first release, which this program cannot read",
                                      store->path);
        if (application != PXR_APPLICATION_ID && (application != 0 || tables > 0))
                return pxr_user_error(diag, "%s: this is a database of another program",
                                      store->path);
        if (*version < (tables > 0))
                return pxr_user_error(diag,
                                      "%s: invalid schema version %d: another program has changed "
                                      "the database; restore a copy",
                                      store->path, *version);
        if (*version > pxr_schema.version)
                return pxr_user_error(diag,
                                      "%s: was written by a newer pxr (schema %d; this program "
                                      "supports %d): use that one; the file is unchanged",
                                      store->path, *version, pxr_schema.version);
        return 0;
}

/* Bring the schema from `version` up to date, within a transaction. */
static int take_steps(struct pxr_store *store, int version, struct pxr_diag *diag)
{
        char sql[96];

        for (; version < pxr_schema.version; version++)
                if (sqlite3_exec(store->handle, pxr_schema.step[version], NULL, NULL, NULL) !=
                    SQLITE_OK)
                        return pxr_store_failed(store, diag);
        snprintf(sql, sizeof(sql), "PRAGMA user_version = %d; PRAGMA application_id = %d",
                 pxr_schema.version, PXR_APPLICATION_ID);
        return sqlite3_exec(store->handle, sql, NULL, NULL, NULL) == SQLITE_OK
                       ? 0
                       : pxr_store_failed(store, diag);
}

/* In one transaction, in which the version is read again: another process may have migrated it. The
 * steps change rows, which must not run triggers that others put into the schema. */
static int migrate(struct pxr_store *store, struct pxr_diag *diag)
{
        bool empty;
        int version, status;

        if (pxr_store_begin(store, diag))
                return -1;
        status = read_version(store, &version, &empty, diag) ||
                 pxr_store_check_objects(store, version, diag) ||
                 take_steps(store, version, diag) ||
                 pxr_store_check_objects(store, pxr_schema.version, diag);
        return pxr_store_conclude(store, -status, diag);
}

static int is_empty(const struct pxr_store *store, struct pxr_diag *diag)
{
        pxr_user_error(diag, "%s: the database is empty", store->path);
        pxr_hint(diag, "delete the file, or use --db to name another");
        return -1;
}

static int check_schema(struct pxr_store *store, bool writable, struct pxr_diag *diag)
{
        bool empty;
        int version, status;

        if (pxr_store_execute(store, diag, "BEGIN", ""))
                return -1;
        status = read_version(store, &version, &empty, diag);
        if (!status && version == pxr_schema.version)
                status = pxr_store_check_objects(store, version, diag);
        pxr_store_rollback(store);
        if (status || version == pxr_schema.version)
                return status;
        if (writable)
                return migrate(store, diag);
        if (empty)
                return is_empty(store, diag);
        return pxr_user_error(diag,
                              "%s: has the schema of an older pxr; commands that write to the "
                              "database, such as 'pxr-report note', bring it up to date",
                              store->path);
}

/* WAL mode takes memory shared by all processes that use the database, so not on a remote file
 * system. The mode stays as it is where WAL is not supported, or while another process uses it. */
static int set_journal(struct pxr_store *store, struct pxr_diag *diag)
{
        const char *sql = pxr_file_is_remote(store->path) ? "PRAGMA journal_mode = DELETE"
                                                          : "PRAGMA journal_mode = WAL";
        int status = sqlite3_exec(store->handle, sql, NULL, NULL, NULL);

        if (status == SQLITE_OK || (status & 0xff) == SQLITE_BUSY)
                return 0;
        return pxr_store_failed(store, diag);
}

/* Whether a journal beside the database ends with the name of another file. SQLite deletes that
 * file once it has put the database back (https://www.sqlite.org/fileformat.html, section 3). A
 * transaction of pxr changes one database, and its journal names no file. */
static bool journal_names_file(const struct pxr_store *store)
{
        static const unsigned char magic[8] = { 0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7 };
        char *path = sqlite3_mprintf("%s-journal", store->path);
        int fd = path ? pxr_open_plain(path) : -1;
        unsigned char end[sizeof(magic)];
        bool names = fd >= 0 && lseek(fd, -(off_t)sizeof(end), SEEK_END) >= 0 &&
                     read(fd, end, sizeof(end)) == sizeof(end) &&
                     memcmp(end, magic, sizeof(end)) == 0;

        if (fd >= 0)
                close(fd);
        sqlite3_free(path);
        return names;
}

/* SQLite would follow a symbolic link, or wait for a pipe. */
static int check_companions(const struct pxr_store *store, struct pxr_diag *diag)
{
        static const char *const endings[] = { "-wal", "-shm", "-journal" };

        for (size_t i = 0; i < PXR_COUNT(endings); i++) {
                char *path = sqlite3_mprintf("%s%s", store->path, endings[i]);
                struct stat file;
                bool other = path && lstat(path, &file) == 0 && !S_ISREG(file.st_mode);

                sqlite3_free(path);
                if (!path)
                        return pxr_out_of_memory(diag);
                if (other)
                        return pxr_user_error(diag,
                                              "%s%s: is not a regular file; move it away to open "
                                              "the database",
                                              store->path, endings[i]);
        }
        return 0;
}

/* Whether a statement may read a column. SQLite reads its statistics together with the schema,
 * before that can be checked, and their table may be a foreign one with computed columns. */
static int authorize(void *context, int action, const char *table, const char *column,
                     const char *database, const char *view)
{
        (void)context, (void)column, (void)database, (void)view;
        return action == SQLITE_READ && table && strncmp(table, "sqlite_stat", 11) == 0
                       ? SQLITE_DENY
                       : SQLITE_OK;
}

static int open_handle(struct pxr_store *store, const char *name, int flags, struct pxr_diag *diag)
{
        struct stat file;
        int status;

        if (check_companions(store, diag))
                return -1;
        if (journal_names_file(store))
                return pxr_user_error(diag,
                                      "%s-journal: names a file that SQLite would delete; pxr "
                                      "writes no such journal. Move it away to open the database",
                                      store->path);
        store->creates = flags & SQLITE_OPEN_CREATE;
        status = sqlite3_open_v2(name, &store->handle, flags | SQLITE_OPEN_URI, NULL);
        if (status != SQLITE_OK)
                return pxr_store_failed(store, diag);
        if (stat(store->path, &file) == 0) {
                store->device = file.st_dev;
                store->inode = file.st_ino;
        }
        sqlite3_extended_result_codes(store->handle, 1);
        sqlite3_busy_timeout(store->handle, store->patience);
        /* The file may come from elsewhere. pxr has no triggers of its own. */
        sqlite3_limit(store->handle, SQLITE_LIMIT_LENGTH, LONGEST_VALUE);
        sqlite3_db_config(store->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(store->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        sqlite3_db_config(store->handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
        sqlite3_set_authorizer(store->handle, authorize, NULL);
        pxr_store_limit_time(store);
        return 0;
}

/* The log beside the database, of a run that is at work or was killed; all 0 if there is none. */
static struct stat find_log(const struct pxr_store *store)
{
        char *log = sqlite3_mprintf("%s-wal", store->path);
        struct stat status;

        if (!log || stat(log, &status) != 0)
                status = (struct stat) { 0 };
        sqlite3_free(log);
        return status;
}

/* The log of a database that was moved stays behind, and a new database of the old name would take
 * it for its own. Copy its records into the database, wherever that is now. */
static void empty_log(struct pxr_store *store)
{
        if (find_log(store).st_ino != store->log)
                return;
        sqlite3_busy_timeout(store->handle, 0);
        sqlite3_wal_checkpoint_v2(store->handle, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

#define IMMUTABLE "immutable=1"

/* A URI of a file for SQLite; NULL when out of memory. */
static char *make_uri(const char *path, const char *parameter)
{
        char *uri = sqlite3_malloc64(3 * strlen(path) + strlen(parameter) + sizeof("file://?"));
        char *end = uri ? stpcpy(uri, *path == '/' ? "file://" : "file:") : NULL;

        if (!uri)
                return NULL;
        for (; *path; path++)
                end += sprintf(end, strchr("%?#", *path) ? "%%%02x" : "%c", (unsigned char)*path);
        sprintf(end, "?%s", parameter);
        return uri;
}

/* SQLite cannot read a database in WAL mode in a read-only folder, since it keeps an index of the
 * log there. Without a log no index is needed: read the file alone. */
static int open_immutable(struct pxr_store *store, struct pxr_diag *diag)
{
        char *name;
        int status;

        if (find_log(store).st_size > 0)
                return pxr_user_error(diag,
                                      "%s: its folder is read-only and a run has not closed the "
                                      "database: copy it, with the file '-wal', and read the copy",
                                      store->path);
        name = make_uri(store->path, IMMUTABLE);
        if (!name)
                return pxr_out_of_memory(diag);
        sqlite3_close(store->handle);
        store->handle = NULL;
        status = open_handle(store, name, SQLITE_OPEN_READONLY, diag);
        sqlite3_free(name);
        return status;
}

/* Opened for writing, so that SQLite removes its index of the log at the end (it falls back to
 * reading where the file is read-only). A log itself is left to the run that wrote it. */
static int open_to_read(struct pxr_store *store, struct pxr_diag *diag)
{
        struct stat status;
        int64_t version;
        int code;
        bool logged = find_log(store).st_size > 0;

        if (open_handle(store, store->path, SQLITE_OPEN_READWRITE, diag) ||
            pxr_store_execute(store, diag, "PRAGMA query_only = ON", ""))
                return -1;
        if (logged)
                sqlite3_db_config(store->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        if (pxr_store_integer(store, &version, NULL, "PRAGMA schema_version", "") == 0)
                return 0;
        code = sqlite3_errcode(store->handle) & 0xff;
        if ((code == SQLITE_CANTOPEN || code == SQLITE_READONLY) &&
            stat(store->path, &status) == 0 && S_ISREG(status.st_mode))
                return open_immutable(store, diag);
        return pxr_store_failed(store, diag);
}

/* Before each transaction ends; nonzero rolls it back. */
static int before_commit(void *context)
{
        struct pxr_store *store = context;

        if (!pxr_store_in_place(store))
                return 1;
        store->log = find_log(store).st_ino;
        return 0;
}

static int open_to_write(struct pxr_store *store, struct pxr_diag *diag)
{
        if (open_handle(store, store->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, diag))
                return -1;
        /* SQLite opens a read-only file for reading: refuse it now, not after an epoch. */
        if (sqlite3_db_readonly(store->handle, "main") == 1)
                return pxr_user_error(diag, "cannot write %s: it is read-only", store->path);
        sqlite3_commit_hook(store->handle, before_commit, store);
        return 0;
}

/* A database that is not open yet. NULL after an error. */
static struct pxr_store *new_store(const char *path, struct pxr_diag *diag)
{
        struct pxr_store *store;
        struct stat status;
        char file[PATH_MAX];

        if (pxr_database_path(path, file, diag))
                return NULL;
        if (stat(file, &status) == 0 && !S_ISREG(status.st_mode)) {
                pxr_user_error(diag,
                               S_ISDIR(status.st_mode) ? "%s: is a folder, not a database"
                                                       : "%s: is not a regular file",
                               file);
                return NULL;
        }
        store = calloc(1, sizeof(*store));
        if (!store || !(store->path = strdup(file))) {
                free(store);
                pxr_out_of_memory(diag);
                return NULL;
        }
        store->patience = BUSY_MILLISECONDS;
        return store;
}

/* Create a database elsewhere and rename it when it is complete: a process that is killed meanwhile
 * leaves no file of its name. */
static int make_database(struct pxr_store *store, struct pxr_diag *diag)
{
        struct pxr_staging staging;
        char path[PATH_MAX];
        int status;

        if (snprintf(path, sizeof(path), "%s.new-", store->path) >= (int)sizeof(path))
                return 0; /* opening it reports why */
        if (access(store->path, F_OK) == 0 || errno != ENOENT) {
                pxr_staging_clear(path);
                return 0;
        }
        if (pxr_staging_make(&staging, path, NULL))
                return 0;
        status = snprintf(path, sizeof(path), "%s/database", staging.path) >= (int)sizeof(path)
                         ? pxr_user_error(diag, "%s: the name is too long", store->path)
                         : 0;
        if (!status)
                status = open_handle(store, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                     diag) ||
                         pxr_store_know_states(store, diag) || check_schema(store, true, diag);
        sqlite3_close(store->handle);
        store->handle = NULL;
        /* Another process may have created it meanwhile. */
        if (!status && pxr_file_name(path, store->path, false) != 0 && errno != EEXIST)
                status = pxr_file_error(store->path, "create", errno, diag);
        pxr_staging_remove(&staging);
        return status ? -1 : 0;
}

/* Open a new store; NULL, and it is closed, after an error. */
static struct pxr_store *open_store(struct pxr_store *store, bool writable, struct pxr_diag *diag)
{
        if (!store)
                return NULL;
        if ((writable && make_database(store, diag)) ||
            (writable ? open_to_write(store, diag) : open_to_read(store, diag)) ||
            pxr_store_execute(store, diag, "PRAGMA foreign_keys = ON", "") ||
            pxr_store_know_states(store, diag) || check_schema(store, writable, diag) ||
            (writable && set_journal(store, diag)) ||
            pxr_store_execute(store, diag, "PRAGMA synchronous = FULL", "")) {
                pxr_store_close(store);
                return NULL;
        }
        return store;
}

struct pxr_store *pxr_store_open(const char *path, bool writable, struct pxr_diag *diag)
{
        return open_store(new_store(path, diag), writable, diag);
}

struct pxr_store *pxr_store_look(const char *path, struct pxr_diag *diag)
{
        struct pxr_store *store = pxr_store_exists(path, diag) ? NULL : new_store(path, diag);

        if (store)
                store->patience = LOOK_MILLISECONDS;
        return open_store(store, false, diag);
}

int pxr_store_attach(struct pxr_store *store, const struct pxr_store *source, struct pxr_diag *diag)
{
        const char *file = sqlite3_db_filename(source->handle, "main");
        char *uri = make_uri(source->path,
                             sqlite3_uri_boolean(file, "immutable", 0) ? IMMUTABLE : "mode=ro");
        int status;

        if (!uri)
                return pxr_out_of_memory(diag);
        sqlite3_set_authorizer(store->handle, authorize, NULL);
        status = pxr_store_execute(store, diag, "ATTACH ? AS source", "t", uri);
        sqlite3_set_authorizer(store->handle, NULL, NULL);
        sqlite3_free(uri);
        return status;
}

void pxr_store_detach(struct pxr_store *store)
{
        pxr_store_execute(store, NULL, "DETACH source", "");
}

int pxr_store_make_temporary(struct pxr_store *store, const char *statement, const char *text,
                             struct pxr_diag *diag)
{
        int64_t before = 0;
        int status;

        /* query_only forbids temporary tables too. */
        status = pxr_store_integer(store, &before, diag, "PRAGMA query_only", "") ||
                 pxr_store_execute(store, diag, "PRAGMA temp_store = MEMORY", "") ||
                 pxr_store_execute(store, diag, "PRAGMA query_only = OFF", "") ||
                 pxr_store_execute(store, diag, statement, text ? "t" : "", text);
        if (before && pxr_store_execute(store, status ? NULL : diag, "PRAGMA query_only = ON", ""))
                status = -1;
        return status ? -1 : 0;
}

int pxr_store_keep_view(struct pxr_store *store, const char *view, struct pxr_diag *diag)
{
        char *statement =
                sqlite3_mprintf("CREATE TEMP TABLE %Q AS SELECT * FROM main.%Q", view, view);
        int status = statement ? pxr_store_make_temporary(store, statement, NULL, diag)
                               : pxr_out_of_memory(diag);

        sqlite3_free(statement);
        return status;
}

int pxr_store_check(struct pxr_store *store, struct pxr_diag *diag)
{
        /* The first finding, without a heading that says in which database. */
        struct pxr_cursor rows = pxr_query(
                store, NULL, diag,
                "SELECT substr(quick_check, iif(quick_check LIKE '***%', instr(quick_check, "
                "char(10)) + 1, 1)) AS finding FROM pragma_quick_check(1) WHERE finding <> 'ok'",
                "");
        bool corrupt = pxr_cursor_next(&rows);

        if (corrupt)
                pxr_store_corrupt(store, pxr_cursor_text(&rows, 0), diag);
        return pxr_cursor_end(&rows) || corrupt ? -1 : 0;
}

/* Check a file of any schema, or, with `may_be_empty`, of none yet. */
static int check_file(const char *path, bool may_be_empty, struct pxr_diag *diag)
{
        struct pxr_store *store = new_store(path, diag);
        bool empty = false;
        int version, status = -1;

        if (store && !open_to_read(store, diag) && !read_version(store, &version, &empty, diag) &&
            !(empty && !may_be_empty && is_empty(store, diag)) &&
            !pxr_store_check_objects(store, version, diag))
                status = pxr_store_check(store, diag);
        pxr_store_close(store);
        return status;
}

struct pxr_store *pxr_store_change(const char *path, struct pxr_diag *diag)
{
        if (pxr_store_exists(path, diag) || check_file(path, false, diag))
                return NULL;
        return pxr_store_open(path, true, diag);
}

struct pxr_store *pxr_store_open_sound(const char *path, struct pxr_diag *diag)
{
        if (access(path, F_OK) == 0 && check_file(path, true, diag))
                return NULL;
        return pxr_store_open(path, true, diag);
}

const char *pxr_store_path(const struct pxr_store *store)
{
        return store->path;
}

/* Assume that it is if it cannot be examined. */
bool pxr_store_in_place(const struct pxr_store *store)
{
        struct stat file;

        if (stat(store->path, &file) != 0)
                return errno != ENOENT && errno != ENOTDIR;
        return file.st_dev == store->device && file.st_ino == store->inode;
}

void pxr_store_flush(struct pxr_store *store)
{
        sqlite3_wal_checkpoint_v2(store->handle, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

int pxr_store_exists(const char *path, struct pxr_diag *diag)
{
        char file[PATH_MAX];

        if (pxr_database_path(path, file, diag))
                return -1;
        if (access(path, F_OK) == 0 || errno != ENOENT)
                return 0;
        return pxr_user_error(diag, "%s: no such database (use --db to name one)", path);
}

void pxr_store_close(struct pxr_store *store)
{
        if (!store)
                return;
        if (store->handle && store->log && !pxr_store_in_place(store))
                empty_log(store);
        sqlite3_close(store->handle);
        free(store->path);
        free(store);
}

int pxr_store_begin(struct pxr_store *store, struct pxr_diag *diag)
{
        return pxr_store_execute(store, diag, "BEGIN IMMEDIATE", "");
}

int pxr_store_try_begin(struct pxr_store *store)
{
        int status;

        sqlite3_busy_timeout(store->handle, BRIEF_MILLISECONDS);
        status = pxr_store_begin(store, NULL);
        sqlite3_busy_timeout(store->handle, store->patience);
        return status;
}

int pxr_store_commit(struct pxr_store *store, struct pxr_diag *diag)
{
        if (pxr_store_execute(store, diag, "COMMIT", "") == 0)
                return 0;
        pxr_store_rollback(store);
        return -1;
}

void pxr_store_rollback(struct pxr_store *store)
{
        if (!sqlite3_get_autocommit(store->handle))
                pxr_store_execute(store, NULL, "ROLLBACK", "");
}

int pxr_store_begin_for(struct pxr_store *store, bool write, struct pxr_diag *diag)
{
        return write ? pxr_store_begin(store, diag) : pxr_store_execute(store, diag, "BEGIN", "");
}

int pxr_store_conclude(struct pxr_store *store, int status, struct pxr_diag *diag)
{
        if (status >= 0)
                return pxr_store_commit(store, diag) ? -1 : status;
        pxr_store_rollback(store);
        return -1;
}
