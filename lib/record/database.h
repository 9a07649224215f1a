/* SPDX-License-Identifier: MIT */
/*
 * database.h - the run database: opening it, and everything that is recorded of a run.
 *
 * SQLite, in WAL mode unless the file system is remote or does not support it, with a versioned
 * schema (schema.c). Functions return 0 or -1 unless said otherwise. Recording an existing row
 * replaces it, so that a resumed run may repeat steps.
 */
#ifndef PXR_RECORD_DATABASE_H
#define PXR_RECORD_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pxr/arena.h>

struct pxr_store;

/* Open a database; `writable` also creates it, or migrates an older schema. A schema with anything
 * that pxr does not create is refused, here and below (objects.c). Values are not checked: any
 * column of a foreign file may hold anything. NULL after an error. */
struct pxr_store *pxr_store_open(const char *path, bool writable, struct pxr_diag *diag);

/* Open an existing database to read what is there now, for a caller that looks again later: a lock
 * of another program is an error after less than half a second, not after half a minute. */
struct pxr_store *pxr_store_look(const char *path, struct pxr_diag *diag);

void pxr_store_close(struct pxr_store *store);

/* The path of its file; checkpoints are in a folder beside it. */
const char *pxr_store_path(const struct pxr_store *store);

/* Whether its file is still the one at its path. After it was moved, deleted or replaced, every
 * write fails. */
bool pxr_store_in_place(const struct pxr_store *store);

/* Open an existing database to change records. Its integrity is checked first, since changes make a
 * corrupt database worse. NULL after an error, with the file unchanged. */
struct pxr_store *pxr_store_change(const char *path, struct pxr_diag *diag);

/* The same, but a database that is empty or does not exist is made. For long work, which should not
 * fail late. */
struct pxr_store *pxr_store_open_sound(const char *path, struct pxr_diag *diag);

/* Attach a database that is open to read, which is only read here too, as schema `source`; outside
 * of transactions. Returns 0 or -1. */
int pxr_store_attach(struct pxr_store *store, const struct pxr_store *source,
                     struct pxr_diag *diag);
void pxr_store_detach(struct pxr_store *store);

/* Copy what other programs are not reading from the log into the database file, so that a copy of
 * the file alone has the records up to now. Errors do not matter: they stay in the log. */
void pxr_store_flush(struct pxr_store *store);

/* run_state.c: define run_state() and process_lives() of SQL for this database. Returns 0 or -1. */
int pxr_store_know_states(struct pxr_store *store, struct pxr_diag *diag);

/* Check the integrity of every page. Returns 0 or -1. */
int pxr_store_check(struct pxr_store *store, struct pxr_diag *diag);

/* An error unless the file exists. Returns 0 or -1. */
int pxr_store_exists(const char *path, struct pxr_diag *diag);

/* Run a statement that makes or drops a temporary table or view, even in a database that is only
 * read. `text` is bound to ?1, unless it is NULL. Returns 0 or -1. */
int pxr_store_make_temporary(struct pxr_store *store, const char *statement, const char *text,
                             struct pxr_diag *diag);

/* Compute all rows of a view once, in memory: until the store is closed, the view's name refers to
 * these rows, so that queries for single runs do not compute it again. Returns 0 or -1. */
int pxr_store_keep_view(struct pxr_store *store, const char *view, struct pxr_diag *diag);

/* Transactions. */
int pxr_store_begin(struct pxr_store *store, struct pxr_diag *diag);
/* Begin a transaction without waiting for other processes. Returns 0 or -1, without an error. */
int pxr_store_try_begin(struct pxr_store *store);
int pxr_store_commit(struct pxr_store *store, struct pxr_diag *diag);
void pxr_store_rollback(struct pxr_store *store);

/* A transaction to read in unless `write`. */
int pxr_store_begin_for(struct pxr_store *store, bool write, struct pxr_diag *diag);

/* Commit if `status` is not negative, else roll back. Returns `status`, or -1 after an error. */
int pxr_store_conclude(struct pxr_store *store, int status, struct pxr_diag *diag);

enum { PXR_UID = 9 }; /* 8 hexadecimal digits and the end */

/* Why a run must not have this name, as text that follows it; NULL if it may. Names must not hide
 * other ways to refer to a run: its number, its uid, 'last'. */
const char *pxr_run_name_fault(const char *name);

/* The name, or a similar valid one, for a run from elsewhere. */
const char *pxr_run_name_mended(struct pxr_arena *arena, const char *name);

/* A row of table `run`: what is recorded when it starts (run_columns.h), and what becomes of it. */
struct pxr_run {
        int64_t id;
        char uid[PXR_UID]; /* random: tells it from a run of the same number elsewhere */
        const char *status, *message;
        int64_t resumes; /* how often it was resumed */
        double wall_seconds;
        const char *parameter_hash;
#define COLUMN(kind, name, text) PXR_COLUMN_##kind name;
#define PXR_COLUMN_TEXT const char *
#define PXR_COLUMN_OPTIONAL const char *
#define PXR_COLUMN_INTEGER int64_t
#define PXR_COLUMN_SMALL int
#define PXR_COLUMN_FLAG bool
#define PXR_COLUMN_REAL double
#include "record/run_columns.h"
};

/* Record a new run with status 'running', claimed by this process. Sets run->id and run->uid. */
int pxr_store_add_run(struct pxr_store *store, struct pxr_run *run, struct pxr_diag *diag);

/* Find a run by id, by name (the newest of that name), by uid, or "last". Archived runs are found
 * only if no other matches. NULL after an error. */
struct pxr_run *pxr_store_find_run(struct pxr_store *store, struct pxr_arena *arena,
                                   const char *which, struct pxr_diag *diag);

/* Set its status ("interrupted", ...) and message (NULL: none), and add to its wall_seconds. */
int pxr_store_end_run(struct pxr_store *store, int64_t run, const char *status, const char *message,
                      const char *parameter_hash, double wall_seconds, struct pxr_diag *diag);

/* Record another spec of a run: spec, spec_json, spec_hash, recipe_hash and origins of `run`. */
int pxr_store_change_spec(struct pxr_store *store, const struct pxr_run *run,
                          struct pxr_diag *diag);

/* How far a run at work is. Takes the place of what was recorded before. */
struct pxr_run_progress {
        int64_t step, steps;  /* done; of the whole training */
        const char *activity; /* "training", "evaluating valid", "sampling"; NULL: not known */
        double train_nats;    /* per image, lately; NAN: not known */
        double seconds_left;  /* NAN: not known */
        double seconds;       /* to add to its wall_seconds */
};
int pxr_store_add_progress(struct pxr_store *store, int64_t run,
                           const struct pxr_run_progress *progress, struct pxr_diag *diag);

/* Record the hash of the parameters without train.average, for a run that uses it. */
int pxr_store_raw_parameters(struct pxr_store *store, int64_t run, const char *hash,
                             struct pxr_diag *diag);

/* Claim a run to resume it, before any change of its records: mark it as running in the process, on
 * the machine and with the program of `now`. Fails if another process has claimed it since `run`
 * was read. Once yet another process claims it, the other functions refuse to record anything. */
int pxr_store_claim_run(struct pxr_store *store, const struct pxr_run *run,
                        const struct pxr_run *now, struct pxr_diag *diag);

/* Check that no other process has claimed the run that this process added or claimed last. Returns
 * 0, or -1 with an error that names the other process. */
int pxr_store_check_claim(struct pxr_store *store, int64_t run, struct pxr_diag *diag);

int pxr_store_add_data_file(struct pxr_store *store, int64_t run, const char *path, int64_t size,
                            const char *sha256, struct pxr_diag *diag);

/* Columns of other tables (schema.sql): the structs, and the statements that write and read rows
 * (rows.c), follow from a line a column. Kinds are those of run_columns.h. */
#define PXR_MEMBER(row, kind, name) PXR_COLUMN_##kind name;

/* clang-format off */
#define PXR_PLUGIN_COLUMNS(COLUMN, row) \
        COLUMN(row, TEXT, name) \
        COLUMN(row, TEXT, version) \
        COLUMN(row, TEXT, path) \
        COLUMN(row, TEXT, sha256)
#define PXR_LAYER_COLUMNS(COLUMN, row) \
        COLUMN(row, SMALL, position) \
        COLUMN(row, TEXT, path) \
        COLUMN(row, TEXT, kind) \
        COLUMN(row, SMALL, rows) \
        COLUMN(row, SMALL, cols) \
        COLUMN(row, SMALL, channels) \
        COLUMN(row, INTEGER, parameters) \
        COLUMN(row, REAL, multiply_adds) \
        COLUMN(row, SMALL, field_above) \
        COLUMN(row, SMALL, field_left) \
        COLUMN(row, SMALL, field_right)
#define PXR_NLL_COLUMNS(COLUMN, row) \
        COLUMN(row, TEXT, split) \
        COLUMN(row, TEXT, name) /* "nll" along the way, "final_nll" at the end */ \
        COLUMN(row, REAL, sum_nats) \
        COLUMN(row, REAL, sum_squares) \
        COLUMN(row, INTEGER, images) \
        COLUMN(row, INTEGER, dimensions) \
        COLUMN(row, REAL, standard_error) \
        COLUMN(row, OPTIONAL, suspect)
#define PXR_NLL_MAP_COLUMNS(COLUMN, row) \
        COLUMN(row, TEXT, split) \
        COLUMN(row, INTEGER, images) \
        COLUMN(row, SMALL, rows) \
        COLUMN(row, SMALL, cols) \
        COLUMN(row, SMALL, colours)
#define PXR_SAMPLE_COLUMNS(COLUMN, row) \
        COLUMN(row, TEXT, kind) /* "samples", "receptive field" */ \
        COLUMN(row, INTEGER, seed) \
        COLUMN(row, INTEGER, count) \
        COLUMN(row, REAL, temperature) /* NAN where nothing was drawn */ \
        COLUMN(row, OPTIONAL, parameter_hash) /* NULL where nothing was drawn */ \
        COLUMN(row, REAL, log_likelihood) /* NAN where nothing was drawn */
#define PXR_CHECKPOINT_COLUMNS(COLUMN, row) \
        COLUMN(row, INTEGER, step) \
        COLUMN(row, REAL, epoch) \
        COLUMN(row, TEXT, path) \
        COLUMN(row, TEXT, sha256) \
        COLUMN(row, INTEGER, size) \
        COLUMN(row, FLAG, best)
/* clang-format on */

struct pxr_plugin_row {
        PXR_PLUGIN_COLUMNS(PXR_MEMBER, plugin)
        struct pxr_plugin_row *next;
};
int pxr_store_add_plugin(struct pxr_store *store, int64_t run, const struct pxr_plugin_row *plugin,
                         struct pxr_diag *diag);

/* All plugins of a run, by name. Returns 0 or -1. */
int pxr_store_plugins(struct pxr_store *store, struct pxr_arena *arena, int64_t run,
                      struct pxr_plugin_row **list, struct pxr_diag *diag);

struct pxr_layer_row {
        PXR_LAYER_COLUMNS(PXR_MEMBER, layer)
};
int pxr_store_add_layer(struct pxr_store *store, int64_t run, const struct pxr_layer_row *layer,
                        struct pxr_diag *diag);

/* Where in a run something belongs. */
struct pxr_moment {
        int64_t run, step;
        double epoch;
};

int pxr_store_add_metric(struct pxr_store *store, struct pxr_moment at, const char *split,
                         const char *name, double value, struct pxr_diag *diag);

struct pxr_nll_row {
        PXR_NLL_COLUMNS(PXR_MEMBER, nll)
};
int pxr_store_add_nll(struct pxr_store *store, struct pxr_moment at, const struct pxr_nll_row *nll,
                      struct pxr_diag *diag);

/* Each value's nats, [row][col][colour], summed over the images of an evaluation, of which the mean
 * is recorded. It takes the place of the one of that run and split. */
struct pxr_nll_map_row {
        PXR_NLL_MAP_COLUMNS(PXR_MEMBER, nll_map)
        const double *sum_nats;
};
int pxr_store_add_nll_map(struct pxr_store *store, struct pxr_moment at,
                          const struct pxr_nll_map_row *map, struct pxr_diag *diag);

/* The nats of each image of a split; they take the place of those of that run and split. */
struct pxr_image_nll_row {
        const char *split;
        int64_t images;
        const double *nats; /* [images] */
};
int pxr_store_add_image_nll(struct pxr_store *store, struct pxr_moment at,
                            const struct pxr_image_nll_row *row, struct pxr_diag *diag);

/* Value `i` of nll_map.nats or image_nll.nats. */
float pxr_nll_map_value(const uint8_t *nats, size_t i);

/* A picture. One of what was drawn also has the NLL on record of that step, of the result before
 * one along the way, of the test split before the validation split. */
struct pxr_sample_row {
        PXR_SAMPLE_COLUMNS(PXR_MEMBER, sample)
        const void *png;
        size_t size;
};
int pxr_store_add_sample(struct pxr_store *store, struct pxr_moment at,
                         const struct pxr_sample_row *row, struct pxr_diag *diag);
int pxr_store_add_event(struct pxr_store *store, struct pxr_moment at, const char *kind,
                        const char *message, struct pxr_diag *diag);

struct pxr_checkpoint_row {
        PXR_CHECKPOINT_COLUMNS(PXR_MEMBER, checkpoint)
        struct pxr_checkpoint_row *next;
};

/* Record a checkpoint in place of older ones: the best and the last two others stay. */
int pxr_store_add_checkpoint(struct pxr_store *store, int64_t run,
                             const struct pxr_checkpoint_row *row, struct pxr_diag *diag);

/* A run's checkpoints, newest first. *list is NULL when there is none. */
int pxr_store_checkpoints(struct pxr_store *store, struct pxr_arena *arena, int64_t run,
                          struct pxr_checkpoint_row **list, struct pxr_diag *diag);

/* Forget the metrics, maps, samples, checkpoints and loss spikes of a run after `step`: they are
 * about to be made again. Other events stay: they tell what happened, not what was computed. */
int pxr_store_rewind(struct pxr_store *store, int64_t run, int64_t step, struct pxr_diag *diag);

#endif
