/* SPDX-License-Identifier: MIT */
/* check_durability.c - the run database opened, refused, locked, full, shared, and killed. */
#define _GNU_SOURCE /* nftw() */
#include <inttypes.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "run_database.h"
#include "record/cursor.h"
#include "record/schema.h"

enum { NOBODY = 65534 };

/* Root may write anything: go on as nobody. */
static void drop_privileges(void)
{
        if (geteuid() == 0)
                ck_assert_int_eq(seteuid(NOBODY), 0);
}

static void take_privileges(void)
{
        if (getuid() == 0)
                ck_assert_int_eq(seteuid(0), 0);
}

/* Opening fails with this error. */
static void refused(const char *path, bool writable, const char *error)
{
        ck_assert_ptr_null(pxr_store_open(path, writable, diag));
        expect_error(PXR_FAULT_USER, error);
}

START_TEST(a_new_database_has_the_newest_schema)
{
        pxr_store_close(open_store(in_scratch("runs.db"), true));
        ck_assert_str_eq(sql("PRAGMA application_id"), pxr_strf(arena, "%d\n", PXR_APPLICATION_ID));
        ck_assert_str_eq(sql("PRAGMA user_version"), pxr_strf(arena, "%d\n", pxr_schema.version));
        ck_assert_str_eq(sql("PRAGMA journal_mode"), "wal\n");
        ck_assert_str_eq(sql("SELECT count(*) FROM sqlite_schema WHERE name IN ('run', 'metric', "
                             "'sample', 'checkpoint', 'layer', 'event')"),
                         "6\n");
}
END_TEST

START_TEST(an_empty_file_becomes_a_database)
{
        write_file(in_scratch("runs.db"), "", 0);
        refused(in_scratch("runs.db"), false, "runs.db: the database is empty");
        pxr_store_close(open_store(in_scratch("runs.db"), true));
        pxr_store_close(open_store(in_scratch("runs.db"), false));
        pxr_store_close(open_store(in_scratch("runs.db"), true));
        ck_assert_str_eq(sql("SELECT count(*) FROM run"), "0\n");
}
END_TEST

/* Have a version 2, and a run in a database of version 1. */
static void add_step(const char *path, const char *step)
{
        static const char *steps[2];

        pxr_store_close(open_store(path, true));
        sql("INSERT INTO run (uid, name, status, spec, spec_hash, origins, program_version, "
            "started_at, data_set, data_identity, certificate) VALUES ('0a1b2c3d', 'old', "
            "'finished', '', '', '', '0', '', 's', 'i', 'c')");
        sql("PRAGMA journal_mode = DELETE");
        steps[0] = pxr_schema.step[0];
        steps[1] = step;
        pxr_schema.version = 2;
        pxr_schema.step = steps;
}

START_TEST(opening_for_writing_upgrades_an_older_schema)
{
        char *path = in_scratch("runs.db");

        add_step(path, "ALTER TABLE run ADD COLUMN extra INTEGER DEFAULT 7");
        refused(path, false, "has the schema of an older pxr");
        pxr_store_close(open_store(path, true));
        pxr_store_close(open_store(path, false));
        ck_assert_str_eq(sql("PRAGMA user_version; SELECT name, extra FROM run"), "2\nold|7\n");
        pxr_store_close(open_store(in_scratch("new.db"), true));
        ck_assert_str_eq(sql_of(in_scratch("new.db"), "PRAGMA user_version"), "2\n");
}
END_TEST

START_TEST(older_schema_is_brought_up_to_date_by_changing)
{
        char *path = in_scratch("runs.db");
        struct pxr_store *store;

        add_step(path, "ALTER TABLE run ADD COLUMN extra INTEGER DEFAULT 7");
        store = pxr_store_change(path, diag);
        ck_assert_msg(store != NULL, "%s", pxr_diag_text(diag, 0));
        pxr_store_close(store);
        ck_assert_str_eq(sql("PRAGMA user_version"), "2\n");
}
END_TEST

START_TEST(a_failed_migration_changes_nothing)
{
        char *path = in_scratch("runs.db");
        unsigned char *before, *after;
        size_t size[2];

        add_step(path, "CREATE TABLE new (a); CREATE INDEX x ON run (name)");
        sql("CREATE INDEX x ON run (name)");
        before = file_bytes(path, &size[0]);
        ck_assert_ptr_null(pxr_store_open(path, true, diag));
        expect_error(PXR_FAULT_SYSTEM, "index x already exists");
        after = file_bytes(path, &size[1]);
        ck_assert_uint_eq(size[0], size[1]);
        ck_assert_mem_eq(before, after, size[0]);
}
END_TEST

/* What a file from elsewhere may bring with it, and what is said of it. */
static const struct {
        const char *sql, *error;
} added[] = {
        { "CREATE TRIGGER x AFTER UPDATE ON run BEGIN DELETE FROM metric; END",
          "trigger 'x' was added" },
        { "CREATE VIEW x AS SELECT 1", "view 'x' was added" },
        { "CREATE TABLE x (y)", "table 'x' was added" },
        { "CREATE VIRTUAL TABLE x USING fts5(y)", "'x" },
        { "CREATE INDEX x ON run (hex(zeroblob(9)))", "index 'x' was added" },
        { "CREATE INDEX x ON run (name) WHERE length(name) > 3", "index 'x' was added" },
        { "ALTER TABLE run ADD COLUMN x CHECK (length(hex(zeroblob(9))) > 3)",
          "table 'run' is not as pxr makes it" },
        { "DROP TABLE plugin", "table 'plugin' is missing" },
        { "DROP TABLE metric; CREATE VIEW metric AS SELECT 1", "'metric' " },
        { "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'name TEXT NOT "
          "NULL', 'name TEXT') WHERE name = 'run'",
          "table 'run' is not as pxr makes it" },
        { "ANALYZE; PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE "
          "sqlite_stat1(tbl,idx,stat AS (hex(zeroblob(100000000))))' WHERE name = 'sqlite_stat1'; "
          "INSERT INTO sqlite_stat1 (tbl, idx) VALUES ('run', 'run_of_uid')",
          "table 'sqlite_stat1' is not as SQLite makes it" },
};

enum { ADDED = sizeof(added) / sizeof(added[0]) };

START_TEST(triggers_views_and_tables_added_to_the_schema_are_refused)
{
        char *path = in_scratch("runs.db");

        for (size_t i = 0; i < ADDED; i++) {
                pxr_store_close(open_store(path, true));
                sql(added[i].sql);
                refused(path, false, added[i].error);
                refused(path, true, added[i].error);
                ck_assert_ptr_null(pxr_store_change(path, diag));
                expect_error(PXR_FAULT_USER, added[i].error);
                ck_assert_ptr_null(pxr_store_open_sound(path, diag));
                expect_error(PXR_FAULT_USER, added[i].error);
                unlink(path);
        }
}
END_TEST

/* A step to the newest schema may change the rows of runs. */
START_TEST(triggers_added_to_an_older_schema_do_not_run)
{
        char *path = in_scratch("runs.db");

        add_step(path, "UPDATE run SET note = 'x'");
        sql("CREATE TRIGGER x AFTER UPDATE ON run BEGIN DELETE FROM run; END");
        refused(path, true, "trigger 'x' was added");
        ck_assert_ptr_null(pxr_store_open_sound(path, diag));
        expect_error(PXR_FAULT_USER, "trigger 'x' was added");
        ck_assert_str_eq(sql("PRAGMA user_version; SELECT note FROM run"), "1\n\n");
}
END_TEST

/* Opening a pipe would wait for a writer. */
START_TEST(other_kinds_of_files_are_refused)
{
        static const char *const endings[] = { "-wal", "-shm", "-journal" };
        char *path = in_scratch("runs.db");

        ck_assert_int_eq(mkfifo(path, 0600), 0);
        for (int writable = 0; writable < 2; writable++) {
                refused(path, writable, "runs.db: is not a regular file");
                refused("/dev/null", writable, "/dev/null: is not a regular file");
        }
        unlink(path);
        pxr_store_close(open_store(path, true));
        write_file(in_scratch("other"), "", 0);
        for (int i = 0; i < 3; i++) {
                char *companion = pxr_strf(arena, "%s%s", path, endings[i]);

                unlink(companion);
                ck_assert_int_eq(symlink(in_scratch("other"), companion), 0);
                refused(path, false, "is not a regular file; move it away");
                refused(path, true, "is not a regular file; move it away");
                unlink(companion);
        }
}
END_TEST

START_TEST(plain_indexes_and_statistics_may_be_added)
{
        pxr_store_close(open_store(in_scratch("runs.db"), true));
        sql("CREATE INDEX x ON run (name, started_at); ANALYZE");
        pxr_store_close(open_store(in_scratch("runs.db"), false));
        pxr_store_close(open_store(in_scratch("runs.db"), true));
}
END_TEST

START_TEST(unreleased_schema_is_refused)
{
        char *path = in_scratch("runs.db");

        pxr_store_close(open_store(path, true));
        sql(pxr_strf(arena, "PRAGMA application_id = %d; PRAGMA user_version = 9",
                     PXR_UNRELEASED_ID));
        refused(path, true, "was made by a development version of pxr");
        refused(path, false, "was made by a development version of pxr");
}
END_TEST

START_TEST(an_invalid_schema_version_is_refused_and_not_changed)
{
        char *path = in_scratch("runs.db");

        pxr_store_close(open_store(path, true));
        for (int version = -1; version < 1; version++) {
                sql(pxr_strf(arena, "PRAGMA user_version = %d", version));
                refused(path, true, "invalid schema version");
                refused(path, false, "invalid schema version");
                ck_assert_int_eq(files_in_scratch(), 1);
        }
}
END_TEST

START_TEST(a_newer_schema_is_refused_and_not_changed)
{
        char *path = in_scratch("runs.db");
        unsigned char *before, *after;
        size_t size[2];

        pxr_store_close(open_store(path, true));
        sql(pxr_strf(arena, "PRAGMA user_version = %d", pxr_schema.version + 1));
        before = file_bytes(path, &size[0]);
        refused(path, true, "was written by a newer pxr");
        refused(path, false, "was written by a newer pxr");
        after = file_bytes(path, &size[1]);
        ck_assert_uint_eq(size[0], size[1]);
        ck_assert_mem_eq(before, after, size[0]);
}
END_TEST

START_TEST(text_files_folders_and_other_databases_are_refused)
{
        char text[5000];

        memset(text, 'x', sizeof(text));
        write_file(in_scratch("text"), text, sizeof(text));
        sql_of(in_scratch("other"), "CREATE TABLE t (a)");
        sql_of(in_scratch("marked"), "PRAGMA application_id = 7; PRAGMA user_version = 1");
        for (int writable = 0; writable < 2; writable++) {
                refused(in_scratch("text"), writable, "text: this file is not a database");
                refused(in_scratch("other"), writable, "a database of another program");
                refused(in_scratch("marked"), writable, "a database of another program");
                refused(scratch, writable, "is a folder, not a database");
                refused(in_scratch("no/runs.db"), writable, "its folder does not exist");
                refused("", writable, "the database needs a name");
        }
        refused(in_scratch("absent"), false, "absent: it does not exist");
        ck_assert_int_eq(files_in_scratch(), 3);
}
END_TEST

START_TEST(names_that_sqlite_does_not_open_as_files_are_refused)
{
        static const char *const names[] = { ":memory:", "file:x?mode=memory", "file:runs.db" };

        ck_assert_int_eq(chdir(scratch), 0);
        ck_assert_int_eq(symlink("file:x?mode=memory", "link.db"), 0);
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
                for (int writable = 0; writable < 2; writable++)
                        refused(names[i], writable, "a database must be a file");
        refused("link.db", true, "a database must be a file");
        ck_assert_int_eq(pxr_store_exists(":memory:", diag), -1);
        expect_error(PXR_FAULT_USER, "a database must be a file");
        ck_assert_int_eq(files_in_scratch(), 1);
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                char *path = pxr_strf(arena, "./%s", names[i]);

                pxr_store_close(open_store(path, true));
                ck_assert_int_eq(access(path, F_OK), 0);
        }
}
END_TEST

/* The log and the checkpoints are beside the file, not beside the link. */
START_TEST(a_symbolic_link_to_a_database_is_resolved_once)
{
        struct pxr_store *store;

        ck_assert_int_eq(mkdir(in_scratch("disk"), 0777), 0);
        ck_assert_int_eq(symlink("disk/second.db", in_scratch("first.db")), 0);
        ck_assert_int_eq(symlink(in_scratch("disk/runs.db"), in_scratch("disk/second.db")), 0);
        ck_assert_int_eq(symlink("circle.db", in_scratch("circle.db")), 0);
        store = open_store(in_scratch("first.db"), true); /* before its file is there, and after */
        pxr_store_close(store);
        store = open_store(in_scratch("first.db"), true);
        add_run(store, "one");
        ck_assert_str_eq(pxr_store_path(store), in_scratch("disk/runs.db"));
        ck_assert_int_eq(access(in_scratch("disk/runs.db-wal"), F_OK), 0);
        pxr_store_close(store);
        refused(in_scratch("circle.db"), true, "circle.db: cannot follow the symbolic link");
}
END_TEST

/* What is in the log of a killed run cannot be read in a read-only folder, through a link either.
 */
START_TEST(the_log_of_a_database_behind_a_symbolic_link_is_read)
{
        ck_assert_int_eq(mkdir(in_scratch("disk"), 0777), 0);
        ck_assert_int_eq(chmod(scratch, 0755), 0);
        ck_assert_int_eq(symlink("disk/runs.db", in_scratch("link.db")), 0);
        pxr_store_close(open_store(in_scratch("disk/runs.db"), true));
        write_file(in_scratch("disk/runs.db-wal"), "left", 4);
        ck_assert_int_eq(chmod(in_scratch("disk/runs.db"), 0444), 0);
        ck_assert_int_eq(chmod(in_scratch("disk"), 0555), 0);
        drop_privileges();
        refused(in_scratch("link.db"), false, "a run has not closed the database");
        take_privileges();
        ck_assert_int_eq(chmod(in_scratch("disk"), 0755), 0);
}
END_TEST

/* --- moved or replaced while it is in use ------------------------------------------------------
 */

static void nothing_is_recorded(struct pxr_store *store)
{
        struct pxr_moment at = { 1, 2, 2 };

        ck_assert(!pxr_store_in_place(store));
        ck_assert_int_eq(pxr_store_add_metric(store, at, "train", "rate", 1, diag), -1);
        expect_error(PXR_FAULT_SYSTEM, "was moved, deleted or replaced while it was in use");
        OK(pxr_store_begin(store, diag));
        OK(pxr_store_add_event(store, at, "step", "done", diag));
        ck_assert_int_eq(pxr_store_commit(store, diag), -1);
        expect_error(PXR_FAULT_SYSTEM, "was moved, deleted or replaced while it was in use");
}

START_TEST(a_moved_database_keeps_its_records)
{
        char *path = in_scratch("runs.db");
        struct pxr_store *store = open_store(path, true);

        add_run(store, "one");
        ck_assert(pxr_store_in_place(store));
        ck_assert_int_eq(rename(path, in_scratch("moved.db")), 0);
        nothing_is_recorded(store);
        pxr_store_close(store);
        ck_assert_str_eq(sql_of(in_scratch("moved.db"), "SELECT name FROM run"), "one\n");
        ck_assert_int_eq(rename(in_scratch("moved.db"), path), 0);
        ck_assert_str_eq(sql("SELECT name FROM run; SELECT count(*) FROM metric; "
                             "SELECT count(*) FROM event; PRAGMA integrity_check"),
                         "one\n0\n0\nok\n");
}
END_TEST

START_TEST(a_database_that_replaced_another_is_not_changed)
{
        char *path = in_scratch("runs.db");
        struct pxr_store *store, *other = open_store(in_scratch("other.db"), true);
        unsigned char *before, *after;
        size_t size[2];

        add_run(other, "other");
        pxr_store_close(other);
        before = file_bytes(in_scratch("other.db"), &size[0]);
        store = open_store(path, true);
        add_run(store, "one");
        ck_assert_int_eq(rename(in_scratch("other.db"), path), 0);
        nothing_is_recorded(store);
        pxr_store_close(store);
        after = file_bytes(path, &size[1]);
        ck_assert_uint_eq(size[0], size[1]);
        ck_assert_mem_eq(before, after, size[0]);
        ck_assert_str_eq(sql("SELECT name FROM run"), "other\n");
}
END_TEST

START_TEST(writing_to_a_deleted_database_is_an_error)
{
        char *path = in_scratch("runs.db");
        struct pxr_store *store = open_store(path, true);
        size_t size;

        add_run(store, "one");
        ck_assert_int_eq(unlink(path), 0);
        nothing_is_recorded(store);
        pxr_store_close(store);
        file_bytes(in_scratch("runs.db-wal"), &size); /* no log for the next of this name */
        ck_assert_uint_eq(size, 0);
}
END_TEST

START_TEST(a_corrupt_database_is_an_error_that_names_it)
{
        char *path = in_scratch("runs.db");
        struct pxr_store *store = open_store(path, true);
        unsigned char *bytes;
        size_t size;

        for (int i = 0; i < 200; i++)
                add_run(store, "one");
        pxr_store_close(store);
        bytes = file_bytes(path, &size);
        memset(bytes + 4096, 0xee, size - 4096);
        write_file(path, bytes, size);
        store = pxr_store_open(path, false, diag);
        if (store)
                ck_assert_ptr_null(pxr_store_find_run(store, arena, "200", diag));
        pxr_store_close(store);
        expect_error(PXR_FAULT_USER, "runs.db: the database is corrupt");
}
END_TEST

/* --- what cannot be written --------------------------------------------------------------------
 */

START_TEST(a_read_only_database_can_be_read_but_not_written)
{
        char *path = in_scratch("a%20#b?.db");
        struct pxr_store *store = open_store(path, true);

        add_run(store, "one");
        pxr_store_close(store);
        ck_assert_int_eq(chmod(path, 0444), 0);
        ck_assert_int_eq(chmod(scratch, 0555), 0);
        drop_privileges();
        refused(path, true, ": it is read-only");
        store = open_store(path, false);
        ck_assert_ptr_nonnull(pxr_store_find_run(store, arena, "one", diag));
        ck_assert_int_eq(
                pxr_store_add_metric(store, (struct pxr_moment) { 1, 1, 1 }, "a", "b", 1, diag),
                -1);
        expect_error(PXR_FAULT_USER, "cannot write ");
        pxr_store_close(store);
        refused(in_scratch("new.db"), true, "its folder cannot be written");
        take_privileges();
        ck_assert_int_eq(chmod(scratch, 0755), 0);
        ck_assert_int_eq(files_in_scratch(), 1);
}
END_TEST

START_TEST(a_locked_database_is_an_error)
{
        char *path = in_scratch("runs.db");
        struct pxr_store *store = open_store(path, true), *other = open_store(path, true);

        OK(pxr_store_begin(other, diag));
        OK(pxr_store_execute(store, diag, "PRAGMA busy_timeout = 20", ""));
        ck_assert_int_eq(pxr_store_begin(store, diag), -1);
        expect_error(PXR_FAULT_SYSTEM, "another program keeps the database locked");
        pxr_store_rollback(other);
        OK(pxr_store_begin(store, diag));
        OK(pxr_store_commit(store, diag));
        pxr_store_close(other);
        pxr_store_close(store);
}
END_TEST

START_TEST(a_full_disk_loses_no_record)
{
        static unsigned char png[300000];
        struct pxr_store *store = open_store(in_scratch("runs.db"), true);
        struct pxr_moment at = { add_run(store, "one"), 1, 1 };
        struct rlimit old, small;

        OK(pxr_store_add_metric(store, at, "train", "rate", 1, diag));
        ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
        small = old;
        small.rlim_cur = 250000;
        signal(SIGXFSZ, SIG_IGN);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
        ck_assert_int_eq(add_picture(store, at, 1, png, sizeof(png)), -1);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
        expect_error(PXR_FAULT_SYSTEM, "cannot read or write ");
        ck_assert_str_eq(sql("SELECT count(*) FROM metric; SELECT count(*) FROM sample"), "1\n0\n");
        OK(add_picture(store, at, 1, png, sizeof(png)));
        pxr_store_close(store);
        ck_assert_str_eq(sql("SELECT length(png) FROM sample; PRAGMA integrity_check"),
                         "300000\nok\n");
}
END_TEST

/* A file system without shared memory: here, SQLite's locking by means of a file. */
START_TEST(without_shared_memory_a_rollback_journal_is_used)
{
        sqlite3_vfs *usual = sqlite3_vfs_find(NULL), *plain = sqlite3_vfs_find("unix-dotfile");
        struct pxr_store *store;

        ck_assert_ptr_nonnull(plain);
        ck_assert_int_eq(sqlite3_vfs_register(plain, 1), SQLITE_OK);
        store = open_store(in_scratch("runs.db"), true);
        add_run(store, "one");
        ck_assert_str_eq(sql("PRAGMA journal_mode; SELECT name FROM run"), "delete\none\n");
        pxr_store_close(store);
        pxr_store_close(open_store(in_scratch("runs.db"), false));
        ck_assert_int_eq(sqlite3_vfs_register(usual, 1), SQLITE_OK);
}
END_TEST

/* --- several processes -------------------------------------------------------------------------
 */

enum { WRITERS = 4, STEPS = 30 };

/* Create or open the database and record a run, as one of several. The exit status. */
static int write_run(const char *path)
{
        struct pxr_store *store = pxr_store_open(path, true, diag);
        struct pxr_moment at = { 0, 0, 0 };

        if (!store)
                return 1;
        at.run = add_run(store, "one");
        for (at.step = 1; at.step <= STEPS; at.step++)
                if (pxr_store_add_metric(store, at, "train", "rate", 1, diag) ||
                    pxr_store_add_event(store, at, "step", "done", diag))
                        return 1;
        pxr_store_close(store);
        return 0;
}

START_TEST(concurrent_writers_lose_no_row)
{
        char *path = in_scratch("runs.db");
        pid_t child[WRITERS];
        int status;

        for (int i = 0; i < WRITERS; i++) {
                child[i] = fork();
                ck_assert_int_ge(child[i], 0);
                if (child[i] == 0) {
                        status = write_run(path);
                        if (status)
                                pxr_diag_write(diag, "writer", stderr);
                        _exit(status);
                }
        }
        for (int i = 0; i < WRITERS; i++) {
                ck_assert_int_eq(waitpid(child[i], &status, 0), child[i]);
                ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "writer %d failed", i);
        }
        ck_assert_str_eq(
                sql("SELECT count(*) FROM run; SELECT count(*) FROM metric; "
                    "SELECT count(*) FROM event; PRAGMA integrity_check"),
                pxr_strf(arena, "%d\n%d\n%d\nok\n", WRITERS, WRITERS * STEPS, WRITERS * STEPS));
}
END_TEST

/* Record steps for ever, each in one transaction, and write the number of each committed one. */
static void write_until_killed(const char *path, int told)
{
        struct pxr_store *store = pxr_store_open(path, true, diag);
        static unsigned char png[20000];
        struct pxr_moment at = { 0, 1, 0 };

        if (!store)
                _exit(1);
        at.run = add_run(store, "one");
        for (;; at.step++)
                if (pxr_store_begin(store, diag) ||
                    pxr_store_add_metric(store, at, "train", "rate", 1, diag) ||
                    add_picture(store, at, 1, png, sizeof(png)) || pxr_store_commit(store, diag) ||
                    write(told, &at.step, sizeof(at.step)) != sizeof(at.step))
                        _exit(1);
}

/* Kill a writer `microseconds` after its first step or its start. Returns the last step whose
 * number it wrote. */
static int64_t kill_a_writer(const char *path, bool from_first, long microseconds)
{
        struct timespec pause = { 0, microseconds * 1000 };
        int ends[2], status;
        int64_t step, last = 0;
        pid_t child;

        ck_assert_int_eq(pipe(ends), 0);
        child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0)
                write_until_killed(path, ends[1]);
        close(ends[1]);
        if (from_first && read(ends[0], &step, sizeof(step)) == sizeof(step))
                last = step;
        nanosleep(&pause, NULL);
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_msg(WIFSIGNALED(status), "the writer gave up by itself");
        while (read(ends[0], &step, sizeof(step)) == sizeof(step))
                last = step;
        close(ends[0]);
        return last;
}

START_TEST(killed_writers_leave_whole_steps_and_every_committed_record)
{
        char *path = in_scratch("runs.db"), *got;
        int64_t all = 0, runs = 0;

        for (long i = 0; i < 40; i++) {
                int64_t told = kill_a_writer(path, i % 2 == 0, 500 + 997 * i % 40 * 1000);
                struct pxr_store *store = open_store(path, true);
                struct pxr_run *run = pxr_store_find_run(store, arena, "last", NULL);
                int64_t metrics, samples;

                if (run && run->id > runs) {
                        runs = run->id;
                        got = sql(pxr_strf(arena,
                                           "SELECT count(*), (SELECT count(*) FROM sample WHERE "
                                           "run = %" PRId64 ") FROM metric WHERE run = %" PRId64,
                                           runs, runs));
                        ck_assert_int_eq(sscanf(got, "%" SCNd64 "|%" SCNd64, &metrics, &samples),
                                         2);
                        ck_assert_int_eq(metrics, samples);
                        ck_assert_int_ge(metrics, told);
                        ck_assert_int_le(metrics, told + 1);
                } else {
                        ck_assert_int_eq(told, 0);
                }
                all += told;
                pxr_store_close(store);
                ck_assert_str_eq(sql("PRAGMA integrity_check; PRAGMA foreign_key_check"), "ok\n");
        }
        ck_assert_int_gt(all, 0);
        ck_assert_int_gt(runs, 0);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("durability");

        ADD_SCRATCH_TEST(suite, a_new_database_has_the_newest_schema);
        ADD_SCRATCH_TEST(suite, an_empty_file_becomes_a_database);
        ADD_SCRATCH_TEST(suite, opening_for_writing_upgrades_an_older_schema);
        ADD_SCRATCH_TEST(suite, older_schema_is_brought_up_to_date_by_changing);
        ADD_SCRATCH_TEST(suite, a_failed_migration_changes_nothing);
        ADD_SCRATCH_TEST(suite, triggers_views_and_tables_added_to_the_schema_are_refused);
        ADD_SCRATCH_TEST(suite, triggers_added_to_an_older_schema_do_not_run);
        ADD_SCRATCH_TEST(suite, other_kinds_of_files_are_refused);
        ADD_SCRATCH_TEST(suite, plain_indexes_and_statistics_may_be_added);
        ADD_SCRATCH_TEST(suite, unreleased_schema_is_refused);
        ADD_SCRATCH_TEST(suite, an_invalid_schema_version_is_refused_and_not_changed);
        ADD_SCRATCH_TEST(suite, a_newer_schema_is_refused_and_not_changed);
        ADD_SCRATCH_TEST(suite, text_files_folders_and_other_databases_are_refused);
        ADD_SCRATCH_TEST(suite, names_that_sqlite_does_not_open_as_files_are_refused);
        ADD_SCRATCH_TEST(suite, a_symbolic_link_to_a_database_is_resolved_once);
        ADD_SCRATCH_TEST(suite, the_log_of_a_database_behind_a_symbolic_link_is_read);
        ADD_SCRATCH_TEST(suite, a_moved_database_keeps_its_records);
        ADD_SCRATCH_TEST(suite, a_database_that_replaced_another_is_not_changed);
        ADD_SCRATCH_TEST(suite, writing_to_a_deleted_database_is_an_error);
        ADD_SCRATCH_TEST(suite, a_corrupt_database_is_an_error_that_names_it);
        ADD_SCRATCH_TEST(suite, a_read_only_database_can_be_read_but_not_written);
        ADD_SCRATCH_TEST(suite, a_locked_database_is_an_error);
        ADD_SCRATCH_TEST(suite, a_full_disk_loses_no_record);
        ADD_SCRATCH_TEST(suite, without_shared_memory_a_rollback_journal_is_used);
        ADD_SCRATCH_TEST(suite, concurrent_writers_lose_no_row);
        ADD_SCRATCH_TEST(suite, killed_writers_leave_whole_steps_and_every_committed_record);
        return run_suite(suite);
}
