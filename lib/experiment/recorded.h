/* SPDX-License-Identifier: MIT */
/*
 * recorded.h - a run that is on record, made ready for use again: its model and its parameters.
 *
 * Nothing is written, so that a database opened to read will do.
 */
#ifndef PXR_EXPERIMENT_RECORDED_H
#define PXR_EXPERIMENT_RECORDED_H

#include "experiment/experiment.h"
#include "record/checkpoint.h"

struct pxr_recorded {
        struct pxr_store *store;
        const struct pxr_run *run;
        struct pxr_experiment *experiment; /* `set` is NULL until pxr_recorded_data() */
        const struct pxr_graph *graph;     /* of experiment->model */
        int64_t step;                      /* of the checkpoint */
        const float *parameters;           /* the averaged ones where the run averages */
        const char *parameter_hash;        /* SHA-256 of them, in hexadecimal */
};

/* Open a database to read, or to change it, as pxr_store_change() does. One that is not there is an
 * error. The arena closes it. NULL after an error. */
struct pxr_store *pxr_recorded_store(struct pxr_arena *arena, const char *database, bool changes,
                                     struct pxr_diag *diag);

/* The same by pxr_store_look(). */
struct pxr_store *pxr_recorded_look(struct pxr_arena *arena, const char *database,
                                    struct pxr_diag *diag);

/* Open run `which` (a number, a name, or "last") of a database with `checkpoint`:
 * "best" on the validation split (the last, where none is marked), "last", or the number of a step.
 * The layers must make the model that was trained, and compute what it did; that another build made
 * the run is a warning.
 * NULL after an error; else it lives as long as the arena. */
struct pxr_recorded *pxr_recorded_open(struct pxr_arena *arena, struct pxr_store *store,
                                       const char *which, const char *checkpoint,
                                       struct pxr_diag *diag);

/* The checkpoint that a word names, as above, of recorded->run in recorded->store. NULL after an
 * error. */
const struct pxr_checkpoint_row *pxr_recorded_checkpoint(struct pxr_arena *arena,
                                                         const struct pxr_recorded *recorded,
                                                         const char *word, struct pxr_diag *diag);

/* Open the run's own data set (experiment->set), which must be the one it was trained on. `path`,
 * if not NULL, is where it lies now. Returns 0 or -1. */
int pxr_recorded_data(struct pxr_recorded *recorded, const char *path, struct pxr_diag *diag);

/* Would the layers that are here train what they did for a run? Its model is built for this.
 * Returns 0 or -1. */
int pxr_check_layers(struct pxr_arena *arena, struct pxr_store *store, const struct pxr_run *run,
                     struct pxr_diag *diag);

/* The origin of a run's spec. `path` is where its data lie now; NULL: where it says, or, if they
 * are not found from here, relative to the folder in which the run was started. */
struct pxr_spec_origin pxr_run_origin(struct pxr_arena *arena, const struct pxr_run *run,
                                      const char *path);

/* After its spec could not be used: note where plugins lay that cannot be found now. */
void pxr_repeat_explain(struct pxr_arena *arena, struct pxr_store *store, const struct pxr_run *run,
                        struct pxr_diag *diag);

#endif
