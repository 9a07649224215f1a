/* SPDX-License-Identifier: MIT */
/*
 * experiment.h - a spec, read and built: data set, model, settings.
 */
#ifndef PXR_EXPERIMENT_EXPERIMENT_H
#define PXR_EXPERIMENT_EXPERIMENT_H

#include "data/data.h"
#include "model/certificate.h"
#include "model/model.h"
#include "train/trainer.h"

struct pxr_evaluate_settings {
        struct pxr_interval every;
        uint32_t splits, at_end;
        int64_t limit;
        int precision; /* one of pxr_precision_names, along the way */
};

struct pxr_sample_settings {
        struct pxr_interval every;
        int64_t count, seed;
};

/* A row of the paper's tables that a spec is to reproduce. */
struct pxr_reproduces {
        int64_t table;
        const char *row;
};

struct pxr_settings {
        const char *name, *description;
        struct pxr_reproduces reproduces;
        const struct pxr_yaml *data, *model;
        struct pxr_train_settings train;
        struct pxr_evaluate_settings evaluate;
        struct pxr_sample_settings sample;
};

extern const struct pxr_options pxr_settings_options;

/* Parts of a spec that have errors. */
enum { PXR_BAD_DATA = 1, PXR_BAD_MODEL = 2, PXR_BAD_REST = 4 };

/* A spec in the stages that it goes through: read, its data open, its model built and certified. */
struct pxr_experiment {
        struct pxr_arena *arena;
        struct pxr_yaml *root; /* the resolved spec */
        struct pxr_settings settings;
        struct pxr_plugins *plugins;
        int faults;
        struct pxr_opening *opening; /* of the data set */
        struct pxr_dataset *set;     /* NULL: not open */
        int64_t steps_per_epoch, all_steps;
        struct pxr_model *model;
        struct pxr_certificate certificate;
};

/* Where a spec comes from: a file with overrides, or the record of a run. */
struct pxr_spec_origin {
        const char *path;
        const char *const *overrides;
        size_t count;
        const struct pxr_override_location *locations; /* of overrides; NULL: the command line */
        const char *recorded; /* not NULL: this text; `path` is then its name in messages */
        const char *folder;   /* ... in which the run was started; NULL: unknown */
        const char
                *extension; /* ... "train.epochs=N": the finished run is to be extended; or NULL */
        const char *data_path; /* ... and where its data are now; NULL: where it says, from here or
                                  else from `folder` */
};

/* Have the data of a recorded spec lie at `path`. Returns 0, or -1 if they are not read from files.
 */
int pxr_spec_move_data(struct pxr_arena *arena, struct pxr_yaml *root, const char *path,
                       struct pxr_diag *diag);

/* Read a spec, check it, open its data and build its model. Errors in one part do not hide those in
 * another. NULL after errors. It lives as long as the arena. */
struct pxr_experiment *pxr_experiment_build(struct pxr_arena *arena,
                                            const struct pxr_spec_origin *origin,
                                            struct pxr_diag *diag);

/* The model alone, for images of a kind that is known: no data are opened, `set` is NULL.
 * `classes` 0: pxr_dataset_classes(). */
struct pxr_experiment *pxr_experiment_model(struct pxr_arena *arena,
                                            const struct pxr_spec_origin *origin,
                                            const struct pxr_image_kind *kind, int classes,
                                            struct pxr_diag *diag);

/* The first part alone, for --explain: the spec, checked and with its defaults. No data are opened
 * and nothing is built. */
struct pxr_experiment *pxr_experiment_read(struct pxr_arena *arena,
                                           const struct pxr_spec_origin *origin,
                                           struct pxr_diag *diag);

/* The training consists of stages where a finished run was extended. The step at which the stage of
 * the step after `step` ends; and whether one ends at `step`. */
int64_t pxr_stage_end(const struct pxr_experiment *experiment, int64_t step);
bool pxr_is_stage_end(const struct pxr_experiment *experiment, int64_t step);

/* Position in the training as epochs. */
double pxr_experiment_epoch(const struct pxr_experiment *experiment, int64_t step);

/* memory.c: what memory it takes, before any is taken. */

/* Bytes, the data set's images not among them. */
struct pxr_memory {
        double all;
        double train;       /* with its activations */
        double activations; /* kept for the backward pass, and their gradients */
        double evaluate, sample;
};

struct pxr_memory pxr_memory_of(const struct pxr_experiment *experiment, int threads);

/* A warning that this machine has less memory than the experiment takes with so many threads, and
 * how to use less; NULL if it has enough. */
char *pxr_memory_warning(const struct pxr_experiment *experiment, int threads,
                         const struct pxr_memory *memory);

#endif
