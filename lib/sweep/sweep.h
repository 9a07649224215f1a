/* SPDX-License-Identifier: MIT */
/*
 * sweep.h - a sweep: one spec in many configurations, read from its file and expanded into trials.
 *
 * A file (YAML, checked by option tables as a spec is):
 *
 *     name: rates
 *     spec: quickstart.yaml                  # relative to this file
 *     set: {train.epochs: 2}                 # the same for all runs
 *     vary:
 *       train.optimizer.adam.rate: {log_uniform: [1e-4, 1e-2]}
 *       model.1.repeat: [1, 2, 3]
 *     search: {random: {runs: 12}}           # or grid, or {halving: {runs: 27, factor: 3}}
 *     retries: 1
 *     budget: {hours: 3}
 */
#ifndef PXR_SWEEP_SWEEP_H
#define PXR_SWEEP_SWEEP_H

#include <jansson.h>

#include <pxr/option.h>

#include "base/hash.h"
#include "experiment/experiment.h"

enum { PXR_SWEEP_MAX_TRIALS = 10000 };

/* Values to set in a spec: "KEY=VALUE" each, and where each is written. */
struct pxr_overrides {
        const char **text; /* ended by NULL; NULL when empty */
        struct pxr_override_location *location;
        int count;
};

void pxr_override_add(struct pxr_arena *arena, struct pxr_overrides *list, const char *text,
                      struct pxr_override_location location);

/* One value of a factor. */
struct pxr_level {
        const char *text; /* for people: "3", "{adam: {rate: 0.001}}", a case's name */
        const char *json; /* for the record */
        struct pxr_overrides overrides;
};

enum pxr_range { PXR_LEVELS, PXR_UNIFORM, PXR_LOG_UNIFORM, PXR_INTEGER };

/* Something that varies: a key of the spec with a list of values or a range to draw from, or a name
 * with cases that set several keys each. */
struct pxr_factor {
        const char *name;
        const char *short_name; /* the shortest end of the key that no other factor shares */
        const char *json_name;
        struct pxr_location location;
        enum pxr_range range;
        double low, high; /* of a range */
        const struct pxr_yaml *bounds;
        struct pxr_level *level;
        int levels;
};

/* Make `level` the value `text` of the factor's own key; `node` is where it is written. */
void pxr_factor_set(struct pxr_arena *arena, const struct pxr_factor *factor, const char *text,
                    const char *json, const struct pxr_yaml *node, struct pxr_level *level);

enum pxr_search { PXR_GRID, PXR_RANDOM, PXR_HALVING };

/* Options of random search and halving. */
struct pxr_draws {
        int64_t runs, seed;
        int64_t factor; /* halving promotes one in this many */
        int64_t epochs; /* of the lowest rung */
};

struct pxr_budget {
        int64_t runs; /* 0: no limit */
        double hours; /* 0: no limit */
};

struct pxr_sweep {
        struct pxr_arena *arena;
        const char *path;
        const char *name, *description;
        const char *spec;       /* relative to the current directory */
        const char *definition; /* the file with its defaults, YAML */
        const struct pxr_yaml *set, *vary;
        struct pxr_choice search; /* its variant has the name */
        enum pxr_search kind;
        struct pxr_draws draws;
        int64_t retries;
        struct pxr_budget budget;
        struct pxr_overrides fixed; /* for all runs */
        struct pxr_factor *factor;
        int factors;
        int configurations;
        int rungs; /* 1 without halving; set by pxr_sweep_plan() */
};

/* Read a sweep's file; `overrides` (of the spec) are set for all runs after those of the file. NULL
 * after errors. It lives as long as the arena. */
struct pxr_sweep *pxr_sweep_read(struct pxr_arena *arena, const char *path,
                                 const char *const *overrides, size_t count, struct pxr_diag *diag);

/* The keys of a sweep's file. */
extern const struct pxr_options pxr_sweep_table;

/* The JSON Schema of sweeps, for editors. A new reference; NULL when out of memory. */
json_t *pxr_sweep_schema(void);

/* One run of the sweep: a configuration and, in halving, its rung. */
struct pxr_trial {
        int configuration, rung;
        struct pxr_overrides overrides;
        const char *label;  /* "rate=0.0018 repeat=3" */
        const char *varied; /* JSON: {"train.optimizer.adam.rate": 0.0018, ...} */
        char spec_hash[PXR_SHA256_HEX];
        int64_t epochs; /* of the spec, and whether it evaluates the validation split: */
        bool validates;
};

/* Configuration `number`, from 0; spec_hash and what follows are not filled in. It does not depend
 * on how many configurations there are. `epochs` > 0 sets train.epochs. Returns 0 or -1. */
int pxr_sweep_trial(struct pxr_sweep *sweep, int number, int64_t epochs, struct pxr_trial *trial);

struct pxr_plan {
        struct pxr_trial *trial; /* configuration by configuration, each with all its rungs */
        int trials;
        int repeated;          /* configurations left out because an earlier one is the same */
        const int64_t *epochs; /* of each rung; NULL without halving */
};

/* All trials, each spec read and checked. All errors of the first invalid spec are recorded, with a
 * note that gives its values. Sets sweep->rungs. Returns 0 or -1. */
int pxr_sweep_plan(struct pxr_sweep *sweep, struct pxr_plan *plan, struct pxr_diag *diag);

/* The trial whose spec has this hash, or NULL. */
const struct pxr_trial *pxr_plan_find(const struct pxr_plan *plan, const char *spec_hash);

#endif
