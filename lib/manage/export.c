/* SPDX-License-Identifier: MIT */
/* export.c - writing a run with all its files to a directory or an archive. */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/staging.h"
#include "manage/copy.h"
#include "manage/manage.h"
#include "manage/manifest.h"
#include "manage/texts.h" /* made by the Makefile */
#include "report/report_file.h"
#include "record/cursor.h"
#include "record/folder.h"
#include "record/provenance.h"

struct export
{
        struct pxr_arena *arena;
        struct pxr_store *store;
        const struct pxr_run *run;
        const char *folder; /* the staging directory */
        struct pxr_exporting how;
        struct pxr_listed *list;
        struct pxr_diag *diag;
};

static char *inside(const struct export *e, const char *name)
{
        return pxr_strf(e->arena, "%s/%s", e->folder, name);
}

static int add_file(struct export *e, const char *name, const void *bytes, size_t size)
{
        const char *path = inside(e, name);

        return pxr_arena_failed(e->arena) || pxr_make_folders(e->folder, name, e->diag) ||
                               pxr_file_write(path, false, bytes, size, e->diag)
                       ? -1
                       : 0;
}

/* --- metrics -----------------------------------------------------------------------------------
 */

struct csv {
        const struct pxr_table *table;
        struct pxr_diag *diag;
};

static bool write_csv(FILE *file, const void *context)
{
        const struct csv *csv = context;

        return pxr_tables_write(csv->table, PXR_FORMAT_CSV, file, 0, csv->diag) == 0;
}

static int add_metrics(struct export *e)
{
        const char *number = pxr_strf(e->arena, "%" PRId64, e->run->id);
        const struct pxr_report_call call = { .argument = &number, .arguments = 1 };
        const struct pxr_table *table =
                pxr_report_by_name(e->arena, e->store, "manage", "metrics", &call, e->diag);
        const char *path = inside(e, "metrics.csv");

        return !table || pxr_arena_failed(e->arena) ||
                               pxr_file_write_by(path, false, write_csv,
                                                 &(struct csv) { table, e->diag }, e->diag)
                       ? -1
                       : 0;
}

/* --- pictures ----------------------------------------------------------------------------------
 */

/* A text as part of a file name. */
static char *file_name(struct pxr_arena *arena, const char *text)
{
        char *name = pxr_strndup(arena, text, strnlen(text, 40));

        for (char *c = name; *c; c++)
                if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", *c))
                        *c = '-';
        return name;
}

static int add_samples(struct export *e)
{
        struct pxr_cursor rows = pxr_query(e->store, e->arena, e->diag,
                                           "SELECT kind, step, seed, png FROM sample WHERE run = ? "
                                           "ORDER BY kind, step, seed",
                                           "i", e->run->id);
        int status = 0;

        while (!status && pxr_cursor_next(&rows)) {
                const char *name =
                        pxr_strf(e->arena, "pictures/%s-step-%08" PRId64 "-seed-%" PRId64 ".png",
                                 file_name(e->arena, pxr_cursor_text(&rows, 0)),
                                 pxr_cursor_integer(&rows, 1), pxr_cursor_integer(&rows, 2));
                size_t size;
                const void *png = pxr_cursor_blob(&rows, 3, &size);

                status = add_file(e, name, png, size);
        }
        return pxr_cursor_end(&rows) || status ? -1 : 0;
}

/* --- the database of the run alone -------------------------------------------------------------
 */

/* Take out what tells of the machine and its user. Paths in the spec stay: they are part of what
 * was run. Of a plugin's path, the part behind the last slash stays. */
static int make_anonymous(struct pxr_store *store, struct pxr_diag *diag)
{
        static const char *const sql[] = {
                "UPDATE event SET message = replace(event.message, 'on host ' || host, "
                "'on a host') FROM run WHERE run.id = event.run AND host <> ''",
                "UPDATE run SET host = NULL, process_id = 0, process_start = NULL, folder = NULL, "
                "command_line = NULL, origins = ''",
                "UPDATE job SET host = NULL, process_id = NULL, process_start = NULL",
                "UPDATE plugin SET path = replace(path, rtrim(path, replace(path, '/', '')), '')",
        };
        int status = 0;

        for (size_t i = 0; i < PXR_COUNT(sql) && !status; i++)
                status = pxr_store_execute(store, diag, sql[i], "");
        return status;
}

static int copy_run(struct export *e, struct pxr_store *into, bool link)
{
        struct pxr_copying copying = {
                .arena = e->arena,
                .from = e->store,
                .into = into,
                .link = link,
                .no_checkpoints = e->how.no_checkpoints,
                .diag = e->diag,
        };
        int64_t number = 0;
        int status = pxr_copy_begin(&copying) || pxr_store_begin(into, e->diag) ? -1 : 0;

        if (!status) {
                status = pxr_copy_run(&copying, e->run->id, &number);
                if (!status && e->how.anonymous)
                        status = make_anonymous(into, e->diag);
                status = pxr_store_conclude(into, status, e->diag);
        }
        pxr_copy_end(&copying);
        /* One file, with the same bytes for the same run. */
        return status || pxr_store_execute(into, e->diag, "PRAGMA journal_mode = DELETE", "") ||
                               pxr_store_execute(into, e->diag, "VACUUM", "")
                       ? -1
                       : 0;
}

static int add_database(struct export *e, bool link)
{
        struct pxr_store *store = pxr_store_open(inside(e, "run.db"), true, e->diag);
        int status = store ? copy_run(e, store, link) : -1;

        pxr_store_close(store);
        return status;
}

/* --- README.txt --------------------------------------------------------------------------------
 */

static const char checkpoints[] =
        "SELECT '  step ' || step || ', ' || size || ' bytes, SHA-256 ' || "
        "sha256 FROM checkpoint WHERE run = ? ORDER BY step";

static const char plugins[] = "SELECT '  ' || name || ' ' || version || ', SHA-256 ' || sha256 "
                              "FROM plugin WHERE run = ? ORDER BY name";

/* The rows of a query as lines below a title; "" without any. */
static const char *lines(struct export *e, const char *title, const char *sql)
{
        struct pxr_cursor rows = pxr_query(e->store, e->arena, e->diag, sql, "i", e->run->id);
        const char *text = "";

        while (pxr_cursor_next(&rows))
                text = pxr_strf(e->arena, "%s%s\n", *text ? text : title,
                                pxr_cursor_text(&rows, 0));
        return pxr_cursor_end(&rows) ? NULL : text;
}

static int add_readme(struct export *e)
{
        const struct pxr_run *run = e->run;
        const char *nlls = lines(e, "result\n", EXPORT_RESULTS_SQL);
        const char *layers = lines(e, "", plugins), *left_out = "", *text;

        if (e->how.no_checkpoints)
                left_out = lines(e, "\nCheckpoints that were left out:\n", checkpoints);
        if (!nlls || !layers || !left_out)
                return -1;
        text = pxr_strf(e->arena, EXPORT_TXT "%s%s", run->program_version,
                        pxr_visible(e->arena, run->name), run->uid, run->status, run->data_set,
                        run->data_identity, (long long)run->seed, nlls, layers, left_out);
        return add_file(e, "README.txt", text, strlen(text));
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static bool is_archive(const char *out)
{
        return fnmatch("*.tar.gz", out, 0) == 0 || fnmatch("*.tgz", out, 0) == 0;
}

static int check_out(const char *out, struct pxr_diag *diag)
{
        static const char *const others[] = { "*.tar", "*.zip", "*.gz", "*.xz",
                                              "*.zst", "*.bz2", "*.7z" };
        struct stat status;

        for (size_t i = 0; i < PXR_COUNT(others); i++)
                if (fnmatch(others[i], out, 0) == 0 && !is_archive(out))
                        return pxr_user_error(
                                diag, "%s: expected a directory or a file named *.tar.gz", out);
        if (lstat(out, &status) == 0)
                return pxr_user_error(diag, "%s: already exists", out);
        return 0;
}

static int check_not_running(const struct pxr_run *run, struct pxr_diag *diag)
{
        if (strcmp(run->status, "running") != 0 ||
            !pxr_process_lives(run->host, run->process_id, run->process_start))
                return 0;
        pxr_user_error(diag, "run %" PRId64 " ('%s') is running, as process %" PRId64, run->id,
                       run->name, run->process_id);
        pxr_hint(diag, "export it after it has ended");
        return -1;
}

static int put_together(struct export *e, bool link)
{
        return add_file(e, "spec.yaml", e->run->spec, strlen(e->run->spec)) || add_metrics(e) ||
                               add_samples(e) || add_database(e, link) || add_readme(e) ||
                               pxr_manifest_write(e->arena, e->folder, &e->list, e->diag)
                       ? -1
                       : 0;
}

/* The archive is first written to the staging directory, so that a killed export leaves all its
 * files there, to be removed by the next. */
#define PACKED "packed.tar.gz"

static int finish(struct export *e, struct pxr_staging *staging, const char *out)
{
        const char *packed = inside(e, PACKED);
        const char *top =
                pxr_strf(e->arena, "%s-%s", file_name(e->arena, e->run->name), e->run->uid);

        if (pxr_arena_failed(e->arena))
                return -1;
        if (!is_archive(out))
                return pxr_staging_name(staging, out, e->diag);
        return pxr_pack(e->list, e->folder, top, packed, e->diag) ||
                               pxr_file_duplicate(packed, out, true, e->diag)
                       ? -1
                       : 0;
}

/* List the files with their sizes, while they are still in the staging directory. */
static int fill_table(struct export *e, struct pxr_table *table, const char *out)
{
        int64_t bytes = pxr_folder_bytes(e->folder);

        for (const struct pxr_listed *file = e->list; file; file = file->next) {
                struct pxr_cell *cell = pxr_table_row(table);

                cell[0] = pxr_text_cell(table, file->name);
                cell[1] = pxr_integer_cell(file->bytes);
                cell[2] = pxr_text_cell(table, file->sha256);
        }
        pxr_table_note(table, NULL, "Run %" PRId64 " ('%s', %s) is in %s, %.1f MB%s.", e->run->id,
                       e->run->name, e->run->uid, out, (double)bytes / 1e6,
                       is_archive(out) ? " unpacked" : "");
        return pxr_table_finish(table, e->diag);
}

struct pxr_table *pxr_export(struct pxr_arena *arena, struct pxr_store *store, const char *which,
                             struct pxr_exporting how, struct pxr_diag *diag)
{
        static const struct pxr_column columns[] = { { "file", "File", PXR_ALWAYS },
                                                     { "bytes", "Bytes", PXR_ALWAYS },
                                                     { "sha256", "SHA-256", PXR_TO_PROGRAMS } };
        struct pxr_table *table =
                pxr_table_new(arena, "export", "Exported", columns, PXR_COUNT(columns));
        struct export e = { .arena = arena, .store = store, .how = how, .diag = diag };
        struct pxr_staging staging;
        size_t length = strlen(how.out);
        const char *out, *prefix;
        int status;

        while (length > 1 && how.out[length - 1] == '/')
                length--;
        out = pxr_strndup(arena, how.out, length);
        prefix = pxr_strf(arena, "%s.partial-", out);
        if (!table || pxr_arena_failed(arena) || check_out(out, diag) ||
            pxr_store_begin_for(store, false, diag))
                return NULL;
        e.run = pxr_store_find_run(store, arena, which, diag);
        if (!e.run || check_not_running(e.run, diag) || pxr_staging_make(&staging, prefix, diag))
                return NULL;
        e.folder = staging.path;
        status = put_together(&e, is_archive(out)) || fill_table(&e, table, out) ||
                 finish(&e, &staging, out);
        pxr_staging_remove(&staging);
        pxr_store_rollback(store);
        return status ? NULL : table;
}
