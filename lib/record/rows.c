/* SPDX-License-Identifier: MIT */
/*
 * rows.c - what is recorded of a run, and read again.
 */
#include "config.h"

#include <endian.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "record/database.h"
#include "record/folder.h"
#include "record/cursor.h"
#include "record/texts.h" /* made by the Makefile */

/* --- runs --------------------------------------------------------------------------------------
 */

enum { MOST_NAME = 200 }; /* bytes */

const char *pxr_run_name_fault(const char *name)
{
        const char *end = name + strlen(name);

        if (!name[strspn(name, " ")])
                return *name ? "consists of blanks" : "is empty";
        if (end - name > MOST_NAME)
                return "is longer than 200 bytes";
        for (const char *at = name; at < end; at += pxr_step(at, end))
                if (!pxr_character(at, end) || !pxr_shown(at, pxr_step(at, end)) ||
                    pxr_line_break(at, end))
                        return "has a control character or a line break";
        if (strcmp(name, "last") == 0)
                return "stands for the newest run";
        if (strspn(name, "0123456789") == strlen(name))
                return "is a number, which stands for the run of that number";
        if (pxr_is_uid(name))
                return "may be the id of another run: it has 8 hexadecimal digits";
        return NULL;
}

const char *pxr_run_name_mended(struct pxr_arena *arena, const char *name)
{
        const char *end;
        char *valid;

        if (!pxr_run_name_fault(name))
                return pxr_strdup(arena, name);
        valid = pxr_visible(arena, name);
        if (!valid)
                return "";
        if (strlen(valid) > MOST_NAME) {
                for (end = valid; end - valid < MOST_NAME - 4; end += pxr_step(end, end + 4))
                        continue;
                valid[end - valid] = '\0';
        }
        return pxr_run_name_fault(valid) ? pxr_strf(arena, "run%s%s", *valid ? " " : "", valid)
                                         : valid;
}

#define NOW "strftime('%Y-%m-%d %H:%M:%f', 'now')"

static const struct pxr_field run_fields[] = {
#define COLUMN(kind, name, text) { PXR_FIELD_##kind, offsetof(struct pxr_run, name) },
#include "record/run_columns.h"
};

static const char insert_run[] = "INSERT INTO run (status, started_at, uid"
#define COLUMN(kind, name, text) ", " #name
#include "record/run_columns.h"
                                 ") VALUES ('running', " NOW ", ?"
#define COLUMN(kind, name, text) ", ?"
#include "record/run_columns.h"
                                 ")";

enum { FIRST_FIELD = 7 };

static const char select_run[] =
        "SELECT id, uid, status, message, resumes, wall_seconds, parameter_hash"
#define COLUMN(kind, name, text) ", " #name
#include "record/run_columns.h"
        " FROM run WHERE id = (" FIND_RUN_SQL ")";

int pxr_store_add_run(struct pxr_store *store, struct pxr_run *run, struct pxr_diag *diag)
{
        uint32_t random;

        sqlite3_randomness(sizeof(random), &random);
        snprintf(run->uid, sizeof(run->uid), "%08" PRIx32, random);
        if (pxr_store_put(store, diag, run_fields, PXR_COUNT(run_fields), run, insert_run, "t",
                          run->uid))
                return -1;
        run->id = sqlite3_last_insert_rowid(store->handle);
        store->claimed = run->id;
        store->claim = 0;
        return 0;
}

static bool is_within(int value, int most)
{
        return value >= 0 && value <= most;
}

/* Check the values that paths and sizes of memory follow from: anybody may have written the row. */
static int check_run(const struct pxr_store *store, const struct pxr_run *run,
                     struct pxr_diag *diag)
{
        enum { MOST_SIDE = 1 << 15, MOST_VALUES = 1 << 26 };
        const char *what = NULL;

        if (!pxr_is_uid(run->uid))
                what = "uid";
        else if (!is_within(run->image_rows, MOST_SIDE) || !is_within(run->image_cols, MOST_SIDE) ||
                 (run->image_colours != 3 && !is_within(run->image_colours, 1)) ||
                 !is_within(run->image_levels, 256) ||
                 (int64_t)run->image_rows * run->image_cols * run->image_colours > MOST_VALUES)
                what = "size of images";
        if (!what)
                return 0;
        return pxr_user_error(diag,
                              "%s: run %" PRId64 " has an invalid %s on record: the database was "
                              "changed by hand",
                              store->path, run->id, what);
}

static struct pxr_run *read_run(struct pxr_cursor *rows)
{
        struct pxr_run *run = pxr_alloc(rows->arena, sizeof(*run));
        const char *uid = pxr_cursor_text(rows, 1);

        if (!run)
                return NULL;
        *run = (struct pxr_run) { .id = pxr_cursor_integer(rows, 0),
                                  .status = pxr_cursor_text(rows, 2),
                                  .message = pxr_cursor_optional(rows, 3),
                                  .resumes = pxr_cursor_integer(rows, 4),
                                  .wall_seconds = pxr_cursor_real(rows, 5),
                                  .parameter_hash = pxr_cursor_optional(rows, 6) };
        if (pxr_is_uid(uid)) /* else it is refused */
                snprintf(run->uid, sizeof(run->uid), "%s", uid);
        pxr_cursor_fill(rows, FIRST_FIELD, run_fields, PXR_COUNT(run_fields), run);
        return run;
}

struct pxr_run *pxr_store_find_run(struct pxr_store *store, struct pxr_arena *arena,
                                   const char *which, struct pxr_diag *diag)
{
        struct pxr_cursor rows = pxr_query(store, arena, diag, select_run, "t", which);
        bool found = pxr_cursor_next(&rows);
        struct pxr_run *run = found ? read_run(&rows) : NULL;

        if (pxr_cursor_end(&rows))
                return NULL;
        if (!found) {
                pxr_user_error(diag, "%s: there is no run '%s'", store->path, which);
                pxr_note(diag, "name one by its number, by its name, or as 'last'");
        }
        return run && check_run(store, run, diag) == 0 ? run : NULL;
}

static int missing_run(struct pxr_store *store, int64_t run, struct pxr_diag *diag)
{
        return pxr_system_error(diag, "%s: run %" PRId64 " is no longer there", store->path, run);
}

int pxr_store_check_claim(struct pxr_store *store, int64_t run, struct pxr_diag *diag)
{
        struct pxr_cursor rows;
        bool there;

        if (run != store->claimed)
                return 0;
        rows = pxr_query(store, NULL, diag,
                         "SELECT resumes, host, process_id FROM run WHERE id = ?", "i", run);
        there = pxr_cursor_next(&rows);
        if (there && pxr_cursor_integer(&rows, 0) == store->claim)
                return pxr_cursor_end(&rows);
        if (there)
                pxr_system_error(diag,
                                 "%s: run %" PRId64 " was claimed by process %" PRId64 " on host "
                                 "'%s': this process stops",
                                 store->path, run, pxr_cursor_integer(&rows, 2),
                                 pxr_cursor_text(&rows, 1));
        if (pxr_cursor_end(&rows) == 0 && !there)
                missing_run(store, run, diag);
        return -1;
}

/* Run a statement that changes what is on record of a run, unless another process has claimed it.
 */
#define CHANGE(store, run, diag, ...) \
        (pxr_store_check_claim(store, run, diag) ? -1 : pxr_store_execute(store, diag, __VA_ARGS__))

int pxr_store_end_run(struct pxr_store *store, int64_t run, const char *status, const char *message,
                      const char *parameter_hash, double wall_seconds, struct pxr_diag *diag)
{
        if (CHANGE(store, run, diag,
                   "UPDATE run SET status = ?2, message = ?3, parameter_hash = ?4, "
                   "wall_seconds = wall_seconds + ?5, activity = NULL, seconds_left = NULL, "
                   "progress_at = " NOW ", finished_at = " NOW " WHERE id = ?1",
                   "itttd", run, status, message, parameter_hash, wall_seconds))
                return -1;
        return sqlite3_changes(store->handle) == 1 ? 0 : missing_run(store, run, diag);
}

int pxr_store_change_spec(struct pxr_store *store, const struct pxr_run *run, struct pxr_diag *diag)
{
        return CHANGE(store, run->id, diag,
                      "UPDATE run SET spec = ?2, spec_json = ?3, spec_hash = ?4, recipe_hash = ?5, "
                      "origins = ?6 WHERE id = ?1",
                      "ittttt", run->id, run->spec, run->spec_json, run->spec_hash,
                      run->recipe_hash, run->origins);
}

int pxr_store_add_progress(struct pxr_store *store, int64_t run,
                           const struct pxr_run_progress *progress, struct pxr_diag *diag)
{
        return CHANGE(store, run, diag,
                      "UPDATE run SET steps_done = ?2, steps = ?3, activity = ?4, train_nats = ?5, "
                      "seconds_left = ?6, wall_seconds = wall_seconds + ?7, progress_at = " NOW
                      " WHERE id = ?1",
                      "iiitddd", run, progress->step, progress->steps, progress->activity,
                      progress->train_nats, progress->seconds_left, progress->seconds);
}

int pxr_store_raw_parameters(struct pxr_store *store, int64_t run, const char *hash,
                             struct pxr_diag *diag)
{
        return CHANGE(store, run, diag, "UPDATE run SET raw_parameter_hash = ?2 WHERE id = ?1",
                      "it", run, hash);
}

static const struct pxr_field process_fields[] = {
#define COLUMN(kind, name, text)
#define PROCESS(kind, name, text) { PXR_FIELD_##kind, offsetof(struct pxr_run, name) },
#include "record/run_columns.h"
};

/* The parameters of the columns follow ?3. */
static const char claim_run[] = "UPDATE run SET resumes = ?3 + 1, status = 'running', "
                                "message = NULL, finished_at = NULL, activity = NULL, "
                                "seconds_left = NULL, parameter_hash = NULL, "
                                "raw_parameter_hash = NULL, progress_at = " NOW
#define COLUMN(kind, name, text)
#define PROCESS(kind, name, text) ", " #name " = ?"
#include "record/run_columns.h"
                                " WHERE id = ?1 AND status = ?2 AND resumes = ?3";

int pxr_store_claim_run(struct pxr_store *store, const struct pxr_run *run,
                        const struct pxr_run *now, struct pxr_diag *diag)
{
        if (pxr_store_put(store, diag, process_fields, PXR_COUNT(process_fields), now, claim_run,
                          "iti", run->id, run->status, run->resumes))
                return -1;
        if (sqlite3_changes(store->handle) == 1) {
                store->claimed = run->id;
                store->claim = run->resumes + 1;
                return 0;
        }
        return pxr_user_error(diag, "%s: another process has just claimed run %lld ('%s')",
                              store->path, (long long)run->id, run->name);
}

/* --- what belongs to a run ---------------------------------------------------------------------
 */

#define FIELD(row, kind, name) { PXR_FIELD_##kind, offsetof(struct pxr_##row##_row, name) },
#define NAME(row, kind, name) ", " #name
#define MARK(row, kind, name) ", ?"
#define UPDATE(row, kind, name) ", " #name " = excluded." #name

static const struct pxr_field plugin_fields[] = { PXR_PLUGIN_COLUMNS(FIELD, plugin) };
static const struct pxr_field layer_fields[] = { PXR_LAYER_COLUMNS(FIELD, layer) };
static const struct pxr_field nll_fields[] = { PXR_NLL_COLUMNS(FIELD, nll) };
static const struct pxr_field nll_map_fields[] = { PXR_NLL_MAP_COLUMNS(FIELD, nll_map) };
static const struct pxr_field sample_fields[] = { PXR_SAMPLE_COLUMNS(FIELD, sample) };
static const struct pxr_field checkpoint_fields[] = { PXR_CHECKPOINT_COLUMNS(FIELD, checkpoint) };

/* A statement that records a row, in place of the one of its key: columns `first`, with `values`,
 * then those of the struct. */
/* clang-format off */
#define INSERT(table, COLUMNS, first, values) \
        "INSERT OR REPLACE INTO " table " (" first COLUMNS(NAME, ) ") " \
        "VALUES (" values COLUMNS(MARK, ) ")"
/* clang-format on */

/* Run it, unless another process has claimed the run. */
#define PUT(store, run, diag, fields, ...)       \
        (pxr_store_check_claim(store, run, diag) \
                 ? -1                            \
                 : pxr_store_put(store, diag, fields, PXR_COUNT(fields), __VA_ARGS__))

int pxr_store_add_data_file(struct pxr_store *store, int64_t run, const char *path, int64_t size,
                            const char *sha256, struct pxr_diag *diag)
{
        return pxr_store_execute(store, diag,
                                 "INSERT OR REPLACE INTO data_file (run, path, size, sha256) "
                                 "VALUES (?, ?, ?, ?)",
                                 "itit", run, path, size, sha256);
}

int pxr_store_add_plugin(struct pxr_store *store, int64_t run, const struct pxr_plugin_row *plugin,
                         struct pxr_diag *diag)
{
        return PUT(store, run, diag, plugin_fields, plugin,
                   INSERT("plugin", PXR_PLUGIN_COLUMNS, "run", "?"), "i", run);
}

int pxr_store_plugins(struct pxr_store *store, struct pxr_arena *arena, int64_t run,
                      struct pxr_plugin_row **list, struct pxr_diag *diag)
{
        struct pxr_cursor rows = pxr_query(
                store, arena, diag,
                "SELECT run" PXR_PLUGIN_COLUMNS(NAME, ) " FROM plugin WHERE run = ? ORDER BY name",
                "i", run);

        *list = NULL;
        while (pxr_cursor_next(&rows)) {
                struct pxr_plugin_row *row = pxr_alloc(arena, sizeof(*row));

                if (!row)
                        break;
                pxr_cursor_fill(&rows, 1, plugin_fields, PXR_COUNT(plugin_fields), row);
                *list = row;
                list = &row->next;
        }
        return pxr_cursor_end(&rows);
}

int pxr_store_add_layer(struct pxr_store *store, int64_t run, const struct pxr_layer_row *layer,
                        struct pxr_diag *diag)
{
        return PUT(store, run, diag, layer_fields, layer,
                   INSERT("layer", PXR_LAYER_COLUMNS, "run", "?"), "i", run);
}

int pxr_store_add_metric(struct pxr_store *store, struct pxr_moment at, const char *split,
                         const char *name, double value, struct pxr_diag *diag)
{
        return CHANGE(store, at.run, diag,
                      "INSERT OR REPLACE INTO metric (run, step, epoch, split, name, value) "
                      "VALUES (?, ?, ?, ?, ?, ?)",
                      "iidttd", at.run, at.step, at.epoch, split, name, value);
}

int pxr_store_add_nll(struct pxr_store *store, struct pxr_moment at, const struct pxr_nll_row *nll,
                      struct pxr_diag *diag)
{
        return PUT(store, at.run, diag, nll_fields, nll,
                   INSERT("metric", PXR_NLL_COLUMNS, "run, step, epoch", "?, ?, ?"), "iid", at.run,
                   at.step, at.epoch);
}

float pxr_nll_map_value(const uint8_t *nats, size_t i)
{
        uint32_t bits;
        float value;

        memcpy(&bits, nats + i * sizeof(bits), sizeof(bits));
        bits = le32toh(bits);
        memcpy(&value, &bits, sizeof(value));
        return value;
}

/* Values, divided by `images`, as floats in the order of bytes that the schema names. */
static void put_floats(const double *value, size_t values, int64_t images, uint8_t *to)
{
        for (size_t i = 0; i < values; i++) {
                float one = (float)(value[i] / (double)images);
                uint32_t bits;

                memcpy(&bits, &one, sizeof(bits));
                bits = htole32(bits);
                memcpy(to + i * sizeof(bits), &bits, sizeof(bits));
        }
}

int pxr_store_add_nll_map(struct pxr_store *store, struct pxr_moment at,
                          const struct pxr_nll_map_row *map, struct pxr_diag *diag)
{
        size_t values = (size_t)map->rows * map->cols * map->colours;
        uint8_t *bytes = malloc(values * sizeof(float) + 1);
        int status;

        if (!bytes)
                return pxr_out_of_memory(diag);
        put_floats(map->sum_nats, values, map->images, bytes);
        status = PUT(store, at.run, diag, nll_map_fields, map,
                     INSERT("nll_map", PXR_NLL_MAP_COLUMNS, "run, step, epoch, nats", "?, ?, ?, ?"),
                     "iidb", at.run, at.step, at.epoch, bytes, values * sizeof(float));
        free(bytes);
        return status;
}

int pxr_store_add_image_nll(struct pxr_store *store, struct pxr_moment at,
                            const struct pxr_image_nll_row *row, struct pxr_diag *diag)
{
        size_t size = (size_t)row->images * sizeof(float);
        uint8_t *bytes = malloc(size + 1);
        int status;

        if (!bytes)
                return pxr_out_of_memory(diag);
        put_floats(row->nats, (size_t)row->images, 1, bytes);
        status = CHANGE(store, at.run, diag,
                        "INSERT OR REPLACE INTO image_nll (run, split, step, images, nats) "
                        "VALUES (?, ?, ?, ?, ?)",
                        "itiib", at.run, row->split, at.step, row->images, bytes, size);
        free(bytes);
        return status;
}

int pxr_store_add_sample(struct pxr_store *store, struct pxr_moment at,
                         const struct pxr_sample_row *row, struct pxr_diag *diag)
{
        /* clang-format off */
        static const char insert[] =
                "WITH found AS (SELECT * FROM (" NLL_OF_STEP_SQL ") WHERE ?5) "
                "INSERT INTO sample (run, step, epoch, png, nll, nll_split" PXR_SAMPLE_COLUMNS(NAME, )
                ") SELECT ?1, ?2, ?3, ?4, nll, split" PXR_SAMPLE_COLUMNS(MARK, )
                " FROM (SELECT 1) LEFT JOIN found WHERE true "
                "ON CONFLICT (run, kind, step, seed) DO UPDATE SET epoch = excluded.epoch, png = "
                "excluded.png, nll = excluded.nll, nll_split = excluded.nll_split"
                PXR_SAMPLE_COLUMNS(UPDATE, );
        /* clang-format on */

        return PUT(store, at.run, diag, sample_fields, row, insert, "iidbi", at.run, at.step,
                   at.epoch, row->png, row->size, (int64_t)(row->temperature > 0));
}

int pxr_store_add_event(struct pxr_store *store, struct pxr_moment at, const char *kind,
                        const char *message, struct pxr_diag *diag)
{
        return CHANGE(store, at.run, diag,
                      "INSERT INTO event (run, at, step, kind, message) VALUES (?, " NOW
                      ", ?, ?, ?)",
                      "iitt", at.run, at.step, kind, message);
}

int pxr_store_add_checkpoint(struct pxr_store *store, int64_t run,
                             const struct pxr_checkpoint_row *row, struct pxr_diag *diag)
{
        if (pxr_store_check_claim(store, run, diag))
                return -1;
        if (row->best &&
            pxr_store_execute(store, diag, "UPDATE checkpoint SET best = 0 WHERE run = ?", "i",
                              run))
                return -1;
        if (PUT(store, run, diag, checkpoint_fields, row,
                INSERT("checkpoint", PXR_CHECKPOINT_COLUMNS, "run, created_at", "?, " NOW), "i",
                run))
                return -1;
        return pxr_store_execute(
                store, diag,
                "DELETE FROM checkpoint WHERE run = ?1 AND NOT best AND step NOT IN (SELECT "
                "step FROM checkpoint WHERE run = ?1 AND NOT best ORDER BY step DESC LIMIT 2) "
                "AND (SELECT uid FROM run WHERE id = ?1) || '@' || step NOT IN "
                "(SELECT start_from FROM run WHERE start_from IS NOT NULL)",
                "i", run);
}

/* Only files below the database's folder are checkpoints, whatever is on record. */
static int check_checkpoint(const struct pxr_store *store, int64_t run,
                            const struct pxr_checkpoint_row *row, struct pxr_diag *diag)
{
        if (row->step >= 0 && pxr_path_stays_below(row->path) &&
            strspn(row->sha256, "0123456789abcdef") == strlen(row->sha256))
                return 0;
        return pxr_user_error(diag,
                              "%s: run %" PRId64 " has an invalid checkpoint on record, of step "
                              "%" PRId64 " in '%s': the database was changed by hand",
                              store->path, run, row->step, row->path);
}

int pxr_store_checkpoints(struct pxr_store *store, struct pxr_arena *arena, int64_t run,
                          struct pxr_checkpoint_row **list, struct pxr_diag *diag)
{
        static const char select[] = "SELECT run" PXR_CHECKPOINT_COLUMNS(
                NAME, ) " FROM checkpoint WHERE run = ? ORDER BY step DESC";
        struct pxr_cursor rows = pxr_query(store, arena, diag, select, "i", run);
        int status = 0;

        *list = NULL;
        while (!status && pxr_cursor_next(&rows)) {
                struct pxr_checkpoint_row *row = pxr_alloc(arena, sizeof(*row));

                if (!row)
                        break;
                pxr_cursor_fill(&rows, 1, checkpoint_fields, PXR_COUNT(checkpoint_fields), row);
                status = check_checkpoint(store, run, row, diag);
                *list = row;
                list = &row->next;
        }
        return pxr_cursor_end(&rows) || status ? -1 : 0;
}

int pxr_store_rewind(struct pxr_store *store, int64_t run, int64_t step, struct pxr_diag *diag)
{
        static const char *const steps[] = {
                /* A result is of the best step, which may be an earlier one. */
                "DELETE FROM metric WHERE run = ? AND (step > ? OR name = 'final_nll')",
                "DELETE FROM nll_map WHERE run = ? AND step > ?",
                "DELETE FROM image_nll WHERE run = ? AND step > ?",
                "DELETE FROM sample WHERE run = ? AND step > ?",
                "DELETE FROM checkpoint WHERE run = ? AND step > ?",
                "DELETE FROM event WHERE run = ? AND step > ? AND kind = 'spike'",
        };

        int status = pxr_store_check_claim(store, run, diag);

        for (size_t i = 0; i < PXR_COUNT(steps) && !status; i++)
                status = pxr_store_execute(store, diag, steps[i], "ii", run, step);
        return status;
}
