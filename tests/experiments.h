/* SPDX-License-Identifier: MIT */
/*
 * experiments.h - every spec in experiments/ and every configuration of its sweeps, for tests that
 * must pass for each.
 *
 * They are found by listing the folder.
 */
#ifndef PXR_TESTS_EXPERIMENTS_H
#define PXR_TESTS_EXPERIMENTS_H

#include <dirent.h>
#include <stdio.h>

#include "stacks.h"
#include "sweep/sweep.h"

/* What is run: a spec as it is, or as a sweep changes it. */
struct experiment {
        const char *name; /* "mnist_row.yaml", or "table3.yaml layers=9" */
        const char *path; /* of the spec */
        const char *const *overrides;
        int count;
        bool swept;
};

enum { MOST_EXPERIMENTS = 200 };

static struct experiment experiment[MOST_EXPERIMENTS];
static int experiments;
static struct pxr_arena *experiments_memory; /* where they live, as long as the program */

static inline int is_spec(const struct dirent *file)
{
        const char *end = strrchr(file->d_name, '.');

        return file->d_name[0] != '.' && end && strcmp(end, ".yaml") == 0;
}

static inline bool add_experiment(struct experiment what)
{
        if (experiments == MOST_EXPERIMENTS)
                return false;
        experiment[experiments++] = what;
        return true;
}

static inline bool add_sweep(struct pxr_arena *memory, const char *name, const char *path,
                             struct pxr_diag *errors)
{
        struct pxr_sweep *sweep = pxr_sweep_read(memory, path, NULL, 0, errors);
        struct pxr_trial trial;
        bool added = sweep != NULL;

        for (int i = 0; added && i < sweep->configurations; i++)
                added = !pxr_sweep_trial(sweep, i, 0, &trial) &&
                        add_experiment((struct experiment) {
                                .name = pxr_strf(memory, "%s %s", name, trial.label),
                                .path = sweep->spec,
                                .overrides = trial.overrides.text,
                                .count = trial.overrides.count,
                                .swept = true });
        return added;
}

/* The specs, or the sweeps, of a folder, by name. */
static inline bool add_folder(struct pxr_arena *memory, const char *folder, bool sweeps,
                              struct pxr_diag *errors)
{
        struct dirent **entry;
        int found = scandir(folder, &entry, is_spec, alphasort);
        bool added = found > 0;

        for (int i = 0; added && i < found; i++) {
                const char *name = pxr_strdup(memory, entry[i]->d_name);
                const char *path = pxr_strf(memory, "%s/%s", folder, name);

                added = sweeps ? add_sweep(memory, name, path, errors)
                               : add_experiment((struct experiment) { .name = name, .path = path });
        }
        for (int i = 0; i < found; i++)
                free(entry[i]);
        if (found >= 0)
                free(entry);
        return added;
}

/* Fill in the list above, for the rest of the program. False, having said so, where it cannot. */
static inline bool find_experiments(void)
{
        struct pxr_arena *memory = experiments_memory = pxr_arena_new(0, NULL);
        struct pxr_diag *errors = pxr_diag_new();
        const char *source = getenv("srcdir");
        const char *folder = pxr_strf(memory, "%s/experiments", source ? source : ".");
        bool found = add_folder(memory, folder, false, errors) &&
                     add_folder(memory, pxr_strf(memory, "%s/sweeps", folder), true, errors);

        if (!found)
                printf("Bail out! specs and sweeps in %s: %s\n", folder,
                       pxr_diag_errors(errors) ? pxr_diag_text(errors, 0) : "too many, or none");
        pxr_diag_free(errors);
        return found;
}

/* Its list of layers, checked and so complete. */
static inline struct pxr_yaml *model_of(const struct experiment *e)
{
        struct pxr_yaml *root = pxr_spec_load(arena, e->path, e->overrides, NULL, e->count, diag),
                        *model;

        ck_assert_msg(root != NULL, "%s: %s", e->name, pxr_diag_text(diag, 0));
        model = pxr_yaml_get(root, "model");
        ck_assert_msg(model != NULL, "%s: no model", e->name);
        ck_assert_msg(!pxr_model_check(arena, plugins, model, diag), "%s: %s", e->name,
                      pxr_diag_text(diag, 0));
        return model;
}

#endif
