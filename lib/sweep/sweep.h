/* SPDX-License-Identifier: MIT */
/*
 * sweep.h - a sweep: one spec in many configurations, read from its file and written out as trials.
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
 *
 * The top floor: uses everything below.
 */
#ifndef PXR_SWEEP_SWEEP_H
#define PXR_SWEEP_SWEEP_H

#include "base/hash.h"
#include "experiment/experiment.h"

enum { PXR_SWEEP_MOST = 10000 }; /* trials */

/* One value that a factor can have. */
struct pxr_level {
        const char *words;            /* for people: "3", "{adam: {rate: 0.001}}", a case's name */
        const char *json;             /* for the record */
        const char *const *overrides; /* "KEY=VALUE" */
        const struct pxr_override_place *places;
        int count;
};

enum pxr_range { PXR_LEVELS, PXR_UNIFORM, PXR_LOG_UNIFORM, PXR_INTEGER };

/* Something that varies: a key of the spec with a list of values or a range to draw from, or a name
 * with cases that set several keys each. */
struct pxr_factor {
        const char *name;
        const char *short_name; /* as much of the key's end as tells it from the others */
        struct pxr_location mark;
        enum pxr_range range;
        double low, high; /* of a range */
        const struct pxr_yaml *bounds;
        struct pxr_level *level;
        int levels;
};

enum pxr_search { PXR_GRID, PXR_RANDOM, PXR_HALVING };

struct pxr_budget {
        int64_t runs; /* 0: no limit */
        double hours; /* 0: no limit */
};

struct pxr_sweep {
        struct pxr_arena *arena;
        const char *path;
        const char *name, *description;
        const char *spec; /* a path from here */
        const char *definition;
        const char *const *fixed; /* overrides for all */
        const struct pxr_override_place *fixed_places;
        int fixed_count;
        struct pxr_factor *factor;
        int factors;
        enum pxr_search search;
        int configurations;
        int64_t seed;         /* of what is drawn */
        int64_t halving;      /* one in this many is promoted */
        int64_t first_epochs; /* of the lowest rung */
        int rungs;            /* 1, but for halving: set by the plan */
        int64_t retries;
        struct pxr_budget budget;
};

/* Read a sweep's file; `overrides` (of the spec) are set for all runs after those of the file. NULL
 * after errors. It lives as long as the arena. */
struct pxr_sweep *pxr_sweep_read(struct pxr_arena *arena, const char *path,
                                 const char *const *overrides, size_t count, struct pxr_diag *diag);

/* What a run of the sweep would be: a configuration, and in halving the rung it has climbed to. */
struct pxr_trial {
        int configuration, rung;
        const char *const *overrides;
        const struct pxr_override_place *places; /* in the sweep's file */
        int count;
        const char *words;  /* "rate=0.0018 repeat=3" */
        const char *varied; /* JSON: {"train.optimizer.adam.rate": 0.0018, ...} */
        char spec_hash[PXR_SHA256_HEX];
};

/* Configuration number `number`, from 0, of the search; the hash is not yet filled in. It is the
 * same however many there are. `epochs` > 0: trained for so long. Returns 0 or -1. */
int pxr_sweep_trial(struct pxr_sweep *sweep, int number, int64_t epochs, struct pxr_trial *trial,
                    struct pxr_diag *diag);

struct pxr_plan {
        struct pxr_trial *trial; /* configuration by configuration, each with all its rungs */
        int trials;
        int repeated;          /* configurations left out, being the same as others */
        const int64_t *epochs; /* of each rung; NULL: not halving */
};

/* Every trial, its spec read and checked: all errors of the first that has some are recorded, with
 * a note that tells its values. Sets sweep->rungs. Returns 0 or -1. */
int pxr_sweep_plan(struct pxr_sweep *sweep, struct pxr_plan *plan, struct pxr_diag *diag);

/* The trial with a spec of this hash, or NULL. */
const struct pxr_trial *pxr_plan_find(const struct pxr_plan *plan, const char *spec_hash);

#endif
