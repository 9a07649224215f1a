/* SPDX-License-Identifier: MIT */
/*
 * export.c - a run as a folder or an archive that says everything of itself.
 *
 * It is put together beside its place and then given its name.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/number.h"
#include "base/staging.h"
#include "manage/copy.h"
#include "manage/manage.h"
#include "manage/manifest.h"
#include "report/escape.h"
#include "report/parts.h"
#include "record/cursor.h"
#include "record/folder.h"
#include "record/provenance.h"

struct export
{
        struct pxr_arena *arena;
        struct pxr_store *store;
        const struct pxr_run *run;
        const char *folder; /* where it is put together */
        struct pxr_listed *list;
        struct pxr_diag *diag;
};

static char *inside(const struct export *e, const char *name)
{
        char *path = pxr_strf(e->arena, "%s/%s", e->folder, name);

        if (!path)
                pxr_out_of_memory(e->diag);
        return path;
}

static int add_file(struct export *e, const char *name, const void *bytes, size_t size)
{
        const char *path = inside(e, name);

        if (!path || pxr_make_folders(e->folder, name, e->diag) ||
            pxr_file_write(path, false, bytes, size, e->diag))
                return -1;
        return pxr_manifest_add(e->arena, &e->list, e->folder, name, e->diag);
}

/* --- metrics -----------------------------------------------------------------------------------
 */

static const struct pxr_column metric_columns[] = {
        { "step", "", PXR_ALWAYS },           { "epoch", "", PXR_ALWAYS },
        { "split", "", PXR_ALWAYS },          { "name", "", PXR_ALWAYS },
        { "value", "", PXR_ALWAYS },          { "nats_per_image", "", PXR_ALWAYS },
        { "standard_error", "", PXR_ALWAYS }, { "bits_per_dimension", "", PXR_ALWAYS },
        { "sum_nats", "", PXR_ALWAYS },       { "sum_squares", "", PXR_ALWAYS },
        { "images", "", PXR_ALWAYS },         { "dimensions", "", PXR_ALWAYS },
        { "suspect", "", PXR_ALWAYS },
};

enum { METRIC_COLUMNS = PXR_COUNT(metric_columns) };

static const struct pxr_part metrics = {
        "metrics", "", metric_columns, METRIC_COLUMNS,
        "SELECT step, epoch, split, name, value, sum_nats / images, standard_error, sum_nats / "
        "images / dimensions / 0.69314718055994530942, sum_nats, sum_squares, images, dimensions, "
        "suspect FROM metric WHERE run = ?1 ORDER BY step, name, split"
};

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
        const struct pxr_table *table =
                pxr_part_table(e->arena, e->store, &metrics, e->run->id, e->diag);
        const char *path = table ? inside(e, "metrics.csv") : NULL;

        if (!path ||
            pxr_file_write_by(path, false, write_csv, &(struct csv) { table, e->diag }, e->diag))
                return -1;
        return pxr_manifest_add(e->arena, &e->list, e->folder, "metrics.csv", e->diag);
}

/* --- pictures ----------------------------------------------------------------------------------
 */

/* A text as part of a file's name. */
static char *plain_name(struct pxr_arena *arena, const char *text)
{
        char *name = pxr_strndup(arena, text, strnlen(text, 40));

        for (char *c = name; c && *c; c++)
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
                const char *kind = pxr_cursor_text(&rows, 0);
                const char *plain = kind ? plain_name(e->arena, kind) : NULL;
                const char *name =
                        plain ? pxr_strf(e->arena,
                                         "pictures/%s-step-%08" PRId64 "-seed-%" PRId64 ".png",
                                         plain, pxr_cursor_integer(&rows, 1),
                                         pxr_cursor_integer(&rows, 2))
                              : NULL;

                if (!pxr_arena_failed(e->arena))
                        status = add_file(e, name, sqlite3_column_blob(rows.statement, 3),
                                          (size_t)sqlite3_column_bytes(rows.statement, 3));
        }
        return pxr_cursor_end(&rows) || status ? -1 : 0;
}

/* --- the database of the run alone -------------------------------------------------------------
 */

static int copy_run(struct export *e, struct pxr_store *into, bool link)
{
        struct pxr_copying copying = { .arena = e->arena,
                                       .from = e->store,
                                       .into = into,
                                       .link = link,
                                       .staging.fd = -1,
                                       .diag = e->diag };
        int64_t number = 0;

        if (pxr_store_begin(into, e->diag))
                return -1;
        if (pxr_copy_run(&copying, e->run->id, &number)) {
                pxr_store_rollback(into);
                return -1;
        }
        /* In one file, and of the same bytes for the same run. */
        return pxr_store_commit(into, e->diag) ||
                               pxr_store_execute(into, e->diag, "PRAGMA journal_mode = DELETE",
                                                 "") ||
                               pxr_store_execute(into, e->diag, "VACUUM", "")
                       ? -1
                       : 0;
}

static int list_checkpoints(struct export *e, struct pxr_store *store)
{
        struct pxr_cursor rows =
                pxr_query(store, e->arena, e->diag, "SELECT path FROM checkpoint", "");
        int status = 0;

        while (!status && pxr_cursor_next(&rows)) {
                const char *path = pxr_cursor_text(&rows, 0);

                if (path)
                        status = pxr_manifest_add(e->arena, &e->list, e->folder, path, e->diag);
        }
        return pxr_cursor_end(&rows) || status ? -1 : 0;
}

static int add_database(struct export *e, bool link)
{
        const char *path = inside(e, "run.db");
        struct pxr_store *store = path ? pxr_store_open(path, true, e->diag) : NULL;
        int status = store ? copy_run(e, store, link) : -1;

        if (!status)
                status = list_checkpoints(e, store);
        pxr_store_close(store);
        return status ? -1 : pxr_manifest_add(e->arena, &e->list, e->folder, "run.db", e->diag);
}

/* --- for people --------------------------------------------------------------------------------
 */

static char *results(struct export *e)
{
        struct pxr_cursor rows = pxr_query(e->store, e->arena, e->diag,
                                           "SELECT split, nats_per_image, bits_per_dimension, "
                                           "suspect FROM nll WHERE run = ? AND name = "
                                           "'final_nll' ORDER BY split",
                                           "i", e->run->id);
        char *text = pxr_strdup(e->arena, ""), nats[PXR_NUMBER_TEXT], bits[PXR_NUMBER_TEXT];

        while (text && pxr_cursor_next(&rows))
                text = pxr_strf(
                        e->arena, "%s  %-6s %s nats an image, %s bits a dimension%s\n", text,
                        sqlite3_column_text(rows.statement, 0),
                        pxr_number_text(sqlite3_column_double(rows.statement, 1), 4, nats),
                        pxr_number_text(sqlite3_column_double(rows.statement, 2), 4, bits),
                        sqlite3_column_type(rows.statement, 3) == SQLITE_NULL ? "" : " (SUSPECT)");
        return pxr_cursor_end(&rows) ? NULL : text;
}

static char *plugins(struct export *e)
{
        struct pxr_cursor rows = pxr_query(e->store, e->arena, e->diag,
                                           "SELECT name, version, sha256 FROM "
                                           "plugin WHERE run = ? ORDER BY name",
                                           "i", e->run->id);
        char *text = pxr_strdup(e->arena, "");

        while (text && pxr_cursor_next(&rows))
                text = pxr_strf(e->arena, "%s  %s %s, SHA-256 %s\n", text,
                                sqlite3_column_text(rows.statement, 0),
                                sqlite3_column_text(rows.statement, 1),
                                sqlite3_column_text(rows.statement, 2));
        return pxr_cursor_end(&rows) ? NULL : text;
}

/* A name as it can be shown anywhere. */
static char *shown(struct export *e, const char *name)
{
        char *text = NULL, *copy;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        if (file) {
                pxr_escape_text(file, name);
                fclose(file);
        }
        copy = text ? pxr_strdup(e->arena, text) : NULL;
        free(text);
        return copy;
}

static int add_readme(struct export *e)
{
        const struct pxr_run *run = e->run;
        const char *name = shown(e, run->name);
        const char *nlls = results(e), *layers = nlls ? plugins(e) : NULL;
        const char *text =
                name && layers
                        ? pxr_strf(e->arena,
                                   "A run of pxr (%s), exported with 'pxr-report export'.\n\n"
                                   "name      %s\nid        %s\nstatus    %s\ndata      %s, "
                                   "identity "
                                   "%s\nseed      %" PRId64 "\n%s%s\n"
                                   "spec.yaml        its spec, resolved\n"
                                   "metrics.csv      all that was measured\n"
                                   "pictures/        samples, and the receptive field\n"
                                   "run.db           the record of this run alone (SQLite)\n"
                                   "run.checkpoints/ parameters (safetensors)\n" PXR_MANIFEST
                                   "  for `sha256sum -c " PXR_MANIFEST "`\n\n"
                                   "To use it where it lies:   pxr-sample last --db run.db\n"
                                   "To take it in elsewhere:   pxr-report import FOLDER-OR-ARCHIVE "
                                   "--db FILE\n"
                                   "To make it once more:      import it, then pxr-run --from-run "
                                   "last --db FILE\n\n"
                                   "Not in here: its data, and the plugins of its layers:\n%s",
                                   run->program_version, name, run->uid, run->status, run->data_set,
                                   run->data_identity, run->seed, *nlls ? "result\n" : "", nlls,
                                   layers)
                        : NULL;

        if (!text)
                return layers ? pxr_out_of_memory(e->diag) : -1;
        return add_file(e, "README.txt", text, strlen(text));
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static bool ends_with(const char *name, const char *ending)
{
        size_t length = strlen(name), tail = strlen(ending);

        return length >= tail && strcmp(name + length - tail, ending) == 0;
}

static bool is_archive(const char *out)
{
        return ends_with(out, ".tar.gz") || ends_with(out, ".tgz");
}

static int check_out(const char *out, struct pxr_diag *diag)
{
        static const char *const others[] = { ".tar", ".zip", ".gz", ".xz", ".zst", ".bz2", ".7z" };
        struct stat status;

        for (size_t i = 0; i < PXR_COUNT(others); i++)
                if (ends_with(out, others[i]) && !is_archive(out))
                        return pxr_user_error(
                                diag, "%s: a run is exported to a folder or to a .tar.gz", out);
        if (lstat(out, &status) == 0)
                return pxr_user_error(diag, "%s: is there already", out);
        return 0;
}

static int check_not_running(const struct pxr_run *run, struct pxr_diag *diag)
{
        if (strcmp(run->status, "running") != 0 ||
            !pxr_process_lives(run->host, run->process_id, run->process_start))
                return 0;
        pxr_user_error(diag, "run %" PRId64 " ('%s') is running, as process %" PRId64, run->id,
                       run->name, run->process_id);
        pxr_hint(diag, "export it when it has ended");
        return -1;
}

static int put_together(struct export *e, bool link)
{
        return add_file(e, "spec.yaml", e->run->spec, strlen(e->run->spec)) || add_metrics(e) ||
                               add_samples(e) || add_database(e, link) || add_readme(e) ||
                               pxr_manifest_write(e->arena, e->list, e->folder, e->diag)
                       ? -1
                       : 0;
}

/* An archive is made beside the files that go into it, where what a killed export leaves is in one
 * place, and known to be of nobody. */
#define PACKED "packed.tar.gz"

static int give_place(struct export *e, struct pxr_staging *staging, const char *out)
{
        const char *name, *top, *packed;

        if (!is_archive(out))
                return pxr_staging_name(staging, out, e->diag);
        name = plain_name(e->arena, e->run->name);
        top = name ? pxr_strf(e->arena, "%s-%s", name, e->run->uid) : NULL;
        packed = inside(e, PACKED);
        if (!top || !packed)
                return pxr_out_of_memory(e->diag);
        return pxr_pack(e->list, e->folder, top, packed, e->diag) ||
                               pxr_file_duplicate(packed, out, true, e->diag)
                       ? -1
                       : 0;
}

/* The files and their sizes, as they were before they got their place. */
static struct pxr_table *tell(struct export *e, const char *out, struct pxr_table *table)
{
        int64_t bytes = pxr_folder_bytes(e->folder);

        for (const struct pxr_listed *file = e->list; file; file = file->next) {
                struct pxr_cell *cell = pxr_table_row(table);
                const char *path = inside(e, file->name);
                struct stat status;

                cell[0] = pxr_text_cell(table, file->name);
                cell[1] = pxr_integer_cell(path && stat(path, &status) == 0 ? status.st_size : 0);
                cell[2] = pxr_text_cell(table, file->sha256);
        }
        pxr_table_note(table, NULL, "Run %" PRId64 " ('%s', %s) is in %s, %.1f MB%s.", e->run->id,
                       e->run->name, e->run->uid, out, (double)bytes / 1e6,
                       is_archive(out) ? " unpacked" : "");
        return pxr_table_finish(table, e->diag) ? NULL : table;
}

struct pxr_table *pxr_export(struct pxr_arena *arena, struct pxr_store *store, const char *which,
                             const char *out, struct pxr_diag *diag)
{
        static const struct pxr_column columns[] = { { "file", "File", PXR_ALWAYS },
                                                     { "bytes", "Bytes", PXR_ALWAYS },
                                                     { "sha256", "SHA-256", PXR_TO_PROGRAMS } };
        struct pxr_table *table = pxr_table_new(arena, "export", "Exported", columns, 3);
        struct export e = { .arena = arena, .store = store, .diag = diag };
        struct pxr_staging staging;
        char *place = pxr_strdup(arena, out), *prefix;

        for (char *end = place ? place + strlen(place) : NULL; end > place + 1 && end[-1] == '/';)
                *--end = '\0';
        prefix = place ? pxr_strf(arena, "%s.partial-", place) : NULL;
        if (!table || !prefix) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        if (check_out(place, diag) || pxr_store_execute(store, diag, "BEGIN", ""))
                return NULL;
        e.run = pxr_store_find_run(store, arena, which, diag);
        if (!e.run || check_not_running(e.run, diag) || pxr_staging_make(&staging, prefix, diag))
                return NULL;
        e.folder = staging.path;
        if (put_together(&e, is_archive(place)))
                table = NULL;
        table = table ? tell(&e, place, table) : NULL;
        if (table && give_place(&e, &staging, place))
                table = NULL;
        pxr_staging_remove(&staging);
        pxr_store_rollback(store);
        return table;
}
