/* SPDX-License-Identifier: MIT */
/*
 * database.h - the run database: opening it, and everything that is recorded of a run.
 *
 * SQLite in WAL mode where the file system can and is this host's own, with a versioned schema
 * (schema.c), rows in rows.c. Functions return 0 or -1 unless said otherwise. Recording a row that
 * is there already replaces it, so that a resumed run may go over the same steps again.
 */
#ifndef PXR_RECORD_DATABASE_H
#define PXR_RECORD_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pxr/arena.h>

struct pxr_store;

/* Open a database; `writable` also creates it, or brings an older schema up to date. One whose
 * schema holds anything but what pxr makes is refused, here and below (objects.h). Values are not
 * looked at: any column of a file from elsewhere may hold anything. NULL after an error. */
struct pxr_store *pxr_store_open(const char *path, bool writable, struct pxr_diag *diag);
void pxr_store_close(struct pxr_store *store);

/* Where its file lies; checkpoints lie beside it. */
const char *pxr_store_path(const struct pxr_store *store);

/* Whether its file is still the one at its path. Once it was moved, deleted or replaced, nothing
 * more can be recorded in it. */
bool pxr_store_in_place(const struct pxr_store *store);

/* Open a database that is there, with the newest schema, to change what is on record: all of it is
 * looked through first, for a corrupt one, or one that lacks a table, is made worse by every
 * change. NULL after an error, with the file as it was. */
struct pxr_store *pxr_store_change(const char *path, struct pxr_diag *diag);

/* Open a database to write, as pxr_store_open() does; one that is there already is looked through
 * first, as for pxr_store_change(). For work so long that it had better not begin in vain. */
struct pxr_store *pxr_store_open_sound(const char *path, struct pxr_diag *diag);

/* Is every page of an open database sound? Returns 0 or -1. */
int pxr_store_check(struct pxr_store *store, struct pxr_diag *diag);

/* Is there a file of this name, for those who want a run that is in it? Returns 0 or -1. */
int pxr_store_exists(const char *path, struct pxr_diag *diag);

/* Run a statement that makes or drops a temporary table or view, even in a database that is only
 * read. Returns 0 or -1. */
int pxr_store_make_temporary(struct pxr_store *store, const char *statement, struct pxr_diag *diag);

/* Work out all rows of a view once, in memory: until the store is closed, its name stands for what
 * they were then, and asking for one run of it no longer goes through all. Returns 0 or -1. */
int pxr_store_keep_view(struct pxr_store *store, const char *view, struct pxr_diag *diag);

/* How long to wait for another program that writes: 30 seconds unless told. */
void pxr_store_patience(struct pxr_store *store, int milliseconds);

/* Several changes as one. */
int pxr_store_begin(struct pxr_store *store, struct pxr_diag *diag);
int pxr_store_commit(struct pxr_store *store, struct pxr_diag *diag);
void pxr_store_rollback(struct pxr_store *store);

/* A transaction to read in unless `write`. */
int pxr_store_begin_for(struct pxr_store *store, bool write, struct pxr_diag *diag);

/* Commit if `status` is not negative, else roll back. Returns `status`, or -1 after an error. */
int pxr_store_conclude(struct pxr_store *store, int status, struct pxr_diag *diag);

enum { PXR_UID = 9 }; /* 8 hexadecimal digits and the end */

/* What is wrong with the name of a run, in words that follow it; NULL: nothing. A name would hide
 * what finds a run before or after it: a number, or 'last'. */
const char *pxr_run_name_fault(const char *name);

/* The name, or one like it without fault, for a run that an older pxr or somebody else named. NULL
 * when memory is out. */
const char *pxr_run_name_mended(struct pxr_arena *arena, const char *name);

/* A row of table `run`: what is recorded when it starts (run_columns.h), and what becomes of it. */
struct pxr_run {
        int64_t id;
        char uid[PXR_UID]; /* random: tells it from a run of the same number elsewhere */
        const char *status, *message;
        int64_t taken; /* how often it was resumed */
        double wall_seconds;
        const char *parameter_hash;
#define COLUMN(kind, name, text) PXR_COLUMN_##kind name;
#define PXR_COLUMN_TEXT const char *
#define PXR_COLUMN_OPTIONAL const char *
#define PXR_COLUMN_INTEGER int64_t
#define PXR_COLUMN_SMALL int
#define PXR_COLUMN_REAL double
#include "record/run_columns.h"
};

/* Record a new run with status 'running'; its number goes to run->id, and run->uid is made. */
int pxr_store_add_run(struct pxr_store *store, struct pxr_run *run, struct pxr_diag *diag);

/* Find a run by id, by name (the newest of that name), by uid, or "last"; one that is archived only
 * where no other fits. NULL after an error. */
struct pxr_run *pxr_store_find_run(struct pxr_store *store, struct pxr_arena *arena,
                                   const char *which, struct pxr_diag *diag);

/* Change its status ("interrupted", ...); `message` may be NULL. wall_seconds is added. */
int pxr_store_end_run(struct pxr_store *store, int64_t run, const char *status, const char *message,
                      const char *parameter_hash, double wall_seconds, struct pxr_diag *diag);

/* Add to a run's wall_seconds while it is at work, so that a process that is killed takes no more
 * than the last of them with it. */
int pxr_store_add_seconds(struct pxr_store *store, int64_t run, double seconds,
                          struct pxr_diag *diag);

/* Record of a run with train.average which parameters its result would be of without. */
int pxr_store_raw_parameters(struct pxr_store *store, int64_t run, const char *hash,
                             struct pxr_diag *diag);

/* Mark a run as running again, in the process, on the machine and with the program that `now`
 * names; refused if another process has taken it up since `run` was read. Before anything of it is
 * changed. From then on the other functions refuse to record anything of this run once yet another
 * process has taken it up. */
int pxr_store_take_run(struct pxr_store *store, const struct pxr_run *run,
                       const struct pxr_run *now, struct pxr_diag *diag);

/* Is the run that was added or taken up last still this process's to record? 0, or -1 with the
 * error that names the process that has it now. */
int pxr_store_check_held(struct pxr_store *store, int64_t run, struct pxr_diag *diag);

int pxr_store_add_data_file(struct pxr_store *store, int64_t run, const char *path, int64_t size,
                            const char *sha256, struct pxr_diag *diag);
int pxr_store_add_plugin(struct pxr_store *store, int64_t run, const char *name,
                         const char *version, const char *path, const char *sha256,
                         struct pxr_diag *diag);

/* All plugins of a run, by name. Returns 0 or -1. */
struct pxr_plugin_row {
        const char *name, *version, *path, *sha256;
        struct pxr_plugin_row *next;
};
int pxr_store_plugins(struct pxr_store *store, struct pxr_arena *arena, int64_t run,
                      struct pxr_plugin_row **list, struct pxr_diag *diag);

struct pxr_layer_row {
        int position;
        const char *path, *kind;
        int rows, cols, channels;
        int64_t parameters;
        double multiply_adds;
        int above, left, right; /* receptive field */
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

/* An NLL: "nll" along the way, "final_nll" at the end. */
struct pxr_nll_row {
        const char *split, *name;
        double sum_nats, sum_squares;
        int64_t images, dimensions;
        double standard_error;
        const char *suspect; /* NULL: nothing is */
};
int pxr_store_add_nll(struct pxr_store *store, struct pxr_moment at, const struct pxr_nll_row *nll,
                      struct pxr_diag *diag);

/* The NLL along the way of a split at `step`, of which the map is still on record: sum_nats,
 * sum_squares, images and dimensions of *nll. Returns 1, 0 when there is none, or -1. */
int pxr_store_find_evaluation(struct pxr_store *store, int64_t run, int64_t step, const char *split,
                              struct pxr_nll_row *nll, struct pxr_diag *diag);

/* Each value's nats, a mean over the images of an evaluation, [row][col][colour]. It takes the
 * place of the one of that run and split. */
struct pxr_nll_map_row {
        const char *split;
        int64_t images;
        int rows, cols, colours;
        const float *nats;
};
int pxr_store_add_nll_map(struct pxr_store *store, struct pxr_moment at,
                          const struct pxr_nll_map_row *map, struct pxr_diag *diag);

/* Value `i` of nll_map.nats. */
float pxr_nll_map_value(const uint8_t *nats, size_t i);

/* A picture. One of what was drawn also has the NLL on record of that step, of the result before
 * one along the way, of the test split before the validation split. */
struct pxr_sample_row {
        const char *kind; /* "samples", "receptive field" */
        int64_t seed, count;
        double temperature;         /* 0: nothing was drawn */
        const char *parameter_hash; /* NULL where nothing was drawn */
        double log_likelihood;      /* nats per image, a mean; NAN where nothing was drawn */
        const void *png;
        size_t size;
};
int pxr_store_add_sample(struct pxr_store *store, struct pxr_moment at,
                         const struct pxr_sample_row *row, struct pxr_diag *diag);
int pxr_store_add_event(struct pxr_store *store, struct pxr_moment at, const char *kind,
                        const char *message, struct pxr_diag *diag);

struct pxr_checkpoint_row {
        int64_t step;
        double epoch;
        const char *path; /* relative to the database's folder */
        const char *sha256;
        int64_t size;
        bool best;
        struct pxr_checkpoint_row *next;
};
int pxr_store_add_checkpoint(struct pxr_store *store, int64_t run,
                             const struct pxr_checkpoint_row *row, struct pxr_diag *diag);
int pxr_store_remove_checkpoint(struct pxr_store *store, int64_t run, int64_t step,
                                struct pxr_diag *diag);

/* A run's checkpoints, newest first. *list is NULL when there is none. */
int pxr_store_checkpoints(struct pxr_store *store, struct pxr_arena *arena, int64_t run,
                          struct pxr_checkpoint_row **list, struct pxr_diag *diag);

/* Forget the metrics, maps, samples, checkpoints and loss spikes of a run after `step`: they are
 * about to be made again. Other events stay: they tell what happened, not what was computed. */
int pxr_store_rewind(struct pxr_store *store, int64_t run, int64_t step, struct pxr_diag *diag);

/* A run's NLLs in the order of recording, handed to `row` one by one. */
int pxr_store_nlls(struct pxr_store *store, int64_t run,
                   void (*row)(void *context, struct pxr_moment at, const struct pxr_nll_row *nll),
                   void *context, struct pxr_diag *diag);

#endif
