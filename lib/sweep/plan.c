/* SPDX-License-Identifier: MIT */
/*
 * plan.c - the trials of a sweep: their values, and the specs these give.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <pxr/random.h>

#include "model/plugin.h"
#include "config/options.h"
#include "sweep/json.h"
#include "sweep/sweep.h"

enum { DIGITS = 4 }; /* of a number that is drawn: enough to try, and short to read */

/* --- one configuration -------------------------------------------------------------------------
 */

/* The level of factor `which` in configuration `number` of a grid: the last factor goes fastest. */
static int grid_level(const struct pxr_sweep *sweep, int number, int which)
{
        for (int i = sweep->factors - 1; i > which; i--)
                number /= sweep->factor[i].levels;
        return number % sweep->factor[which].levels;
}

/* Numbers of a factor depend on its name and the configuration alone: neither other factors nor the
 * number of runs change them. */
static struct pxr_random stream(const struct pxr_sweep *sweep, const struct pxr_factor *factor,
                                int number)
{
        return pxr_random((uint64_t)sweep->seed, PXR_RANDOM_SWEEP, (uint32_t)number,
                          (uint32_t)pxr_hash_name(factor->name), 0);
}

static double draw(const struct pxr_factor *factor, struct pxr_random *random)
{
        double low = factor->low, high = factor->high, value;
        char text[PXR_REAL_TEXT];

        if (factor->range == PXR_INTEGER)
                return low + pxr_random_below(random, (uint32_t)(high - low) + 1);
        if (factor->range == PXR_LOG_UNIFORM)
                value = low * exp(pxr_random_uniform(random) * log(high / low));
        else
                value = low + pxr_random_uniform(random) * (high - low);
        snprintf(text, sizeof(text), "%.*g", DIGITS, value);
        if (pxr_parse_real(text, &value) != PXR_NUMBER)
                value = low;
        return value < low ? low : value > high ? high : value;
}

/* A level made of a number that was drawn. */
static int drawn_level(struct pxr_sweep *sweep, const struct pxr_factor *factor,
                       struct pxr_random *random, struct pxr_level *level, struct pxr_diag *diag)
{
        const char **override = pxr_alloc_array(sweep->arena, 1, sizeof(*override));
        struct pxr_override_place *place = pxr_alloc(sweep->arena, sizeof(*place));
        char text[PXR_REAL_TEXT];

        level->words = pxr_strdup(sweep->arena, pxr_format_real(draw(factor, random), text));
        if (!override || !place || !level->words ||
            !(override[0] = pxr_strf(sweep->arena, "%s=%s", factor->name, level->words)))
                return pxr_out_of_memory(diag);
        *place = (struct pxr_override_place) { factor->mark, factor->bounds };
        level->json = level->words;
        level->overrides = override;
        level->places = place;
        level->count = 1;
        return 0;
}

static int choose(struct pxr_sweep *sweep, int number, int which, struct pxr_level *level,
                  struct pxr_diag *diag)
{
        const struct pxr_factor *factor = &sweep->factor[which];
        struct pxr_random random = stream(sweep, factor, number);

        if (factor->range != PXR_LEVELS)
                return drawn_level(sweep, factor, &random, level, diag);
        *level = factor->level[sweep->search == PXR_GRID
                                       ? grid_level(sweep, number, which)
                                       : (int)pxr_random_below(&random, factor->levels)];
        return 0;
}

/* Add a key and its value to what is shown and recorded of a trial. */
static int describe(struct pxr_sweep *sweep, struct pxr_trial *trial, const char *key,
                    const char *short_key, const struct pxr_level *level)
{
        char *name = pxr_json_string(sweep->arena, key);
        bool first = !trial->words;

        if (!name)
                return -1;
        trial->words = pxr_strf(sweep->arena, "%s%s%s=%s", first ? "" : trial->words,
                                first ? "" : " ", short_key, level->words);
        trial->varied = pxr_strf(sweep->arena, "%s%s%s: %s", first ? "" : trial->varied,
                                 first ? "" : ", ", name, level->json);
        return trial->words && trial->varied ? 0 : -1;
}

static int overrides_in_all(const struct pxr_sweep *sweep, const struct pxr_level *level)
{
        int count = sweep->fixed_count + 1; /* halving's epochs */

        for (int i = 0; i < sweep->factors; i++)
                count += level[i].count;
        return count;
}

/* What the levels set, in order, and last how long it is trained. */
static int put_together(struct pxr_sweep *sweep, const struct pxr_level *level, int64_t epochs,
                        struct pxr_trial *trial, struct pxr_diag *diag)
{
        struct pxr_level last = { 0 };
        size_t most = (size_t)overrides_in_all(sweep, level) + 1;
        const char **list = pxr_alloc_array(sweep->arena, most, sizeof(*list));
        struct pxr_override_place *places = pxr_alloc_array(sweep->arena, most, sizeof(*places));

        if (!list || !places)
                return pxr_out_of_memory(diag);
        for (int i = 0; i < sweep->fixed_count; i++, trial->count++) {
                list[trial->count] = sweep->fixed[i];
                places[trial->count] = sweep->fixed_places[i];
        }
        for (int i = 0; i < sweep->factors; i++) {
                for (int o = 0; o < level[i].count; o++, trial->count++) {
                        list[trial->count] = level[i].overrides[o];
                        places[trial->count] = level[i].places[o];
                }
                if (describe(sweep, trial, sweep->factor[i].name, sweep->factor[i].short_name,
                             &level[i]))
                        return pxr_out_of_memory(diag);
        }
        if (epochs > 0) {
                last.words = last.json = pxr_strf(sweep->arena, "%lld", (long long)epochs);
                list[trial->count] = pxr_strf(sweep->arena, "train.epochs=%lld", (long long)epochs);
                if (!last.words || !list[trial->count++] ||
                    describe(sweep, trial, "train.epochs", "epochs", &last))
                        return pxr_out_of_memory(diag);
        }
        trial->overrides = list;
        trial->places = places;
        trial->varied = pxr_strf(sweep->arena, "{%s}", trial->varied);
        return trial->varied ? 0 : pxr_out_of_memory(diag);
}

int pxr_sweep_trial(struct pxr_sweep *sweep, int number, int64_t epochs, struct pxr_trial *trial,
                    struct pxr_diag *diag)
{
        struct pxr_level *level =
                pxr_alloc_array(sweep->arena, (size_t)sweep->factors, sizeof(*level));

        if (!level)
                return pxr_out_of_memory(diag);
        *trial = (struct pxr_trial) { .configuration = number };
        for (int i = 0; i < sweep->factors; i++)
                if (choose(sweep, number, i, &level[i], diag))
                        return -1;
        return put_together(sweep, level, epochs, trial, diag);
}

/* --- its spec ----------------------------------------------------------------------------------
 */

/* What the search needs to know of a trial's spec. */
struct looked_at {
        int64_t epochs;
        bool validates;
};

/* Read and check the spec of a trial, and take its hash. */
static int look_at(const struct pxr_sweep *sweep, struct pxr_trial *trial, struct looked_at *seen,
                   struct pxr_diag *diag)
{
        struct pxr_arena *arena = pxr_arena_new(0, diag);
        const struct pxr_spec_origin origin = { .path = sweep->spec,
                                                .overrides = trial->overrides,
                                                .places = trial->places,
                                                .count = (size_t)trial->count };
        struct pxr_experiment *experiment =
                arena ? pxr_experiment_read(arena, &origin, diag) : NULL;
        char *spec = experiment ? pxr_yaml_emit(arena, experiment->root, diag) : NULL;

        if (!arena)
                pxr_out_of_memory(diag);
        if (spec) {
                pxr_sha256(spec, strlen(spec), trial->spec_hash);
                seen->epochs = experiment->settings.train.epochs;
                seen->validates = experiment->settings.evaluate.splits >> PXR_VALID & 1;
        } else {
                pxr_note(diag, "%s: a run of this sweep has %s", sweep->path, trial->words);
        }
        pxr_arena_free(arena);
        return spec ? 0 : -1;
}

/* --- all of them -------------------------------------------------------------------------------
 */

/* The epochs of the rungs of successive halving: each `halving` times those of the rung below, the
 * last the spec's own. */
static int set_rungs(struct pxr_sweep *sweep, struct pxr_plan *plan, struct pxr_diag *diag)
{
        int64_t *epochs = pxr_alloc_array(sweep->arena, 64, sizeof(*epochs)), at;
        struct looked_at seen;
        struct pxr_trial trial;

        if (!epochs)
                return pxr_out_of_memory(diag);
        if (pxr_sweep_trial(sweep, 0, 0, &trial, diag) || look_at(sweep, &trial, &seen, diag))
                return -1;
        if (!seen.validates)
                return pxr_user_error(diag,
                                      "%s: halving compares validation NLLs, and evaluate.splits "
                                      "lacks 'valid'",
                                      sweep->path);
        if (seen.epochs < sweep->first_epochs * sweep->halving)
                return pxr_user_error(diag,
                                      "%s: from %lld epochs at first to the %lld of train.epochs "
                                      "there is no room to halve: that takes at least %lld",
                                      sweep->path, (long long)sweep->first_epochs,
                                      (long long)seen.epochs,
                                      (long long)(sweep->first_epochs * sweep->halving));
        sweep->rungs = 0;
        for (at = sweep->first_epochs; at <= seen.epochs; at *= sweep->halving)
                epochs[sweep->rungs++] = at;
        epochs[sweep->rungs - 1] = seen.epochs;
        plan->epochs = epochs;
        return 0;
}

const struct pxr_trial *pxr_plan_find(const struct pxr_plan *plan, const char *spec_hash)
{
        for (int i = 0; i < plan->trials; i++)
                if (strcmp(plan->trial[i].spec_hash, spec_hash) == 0)
                        return &plan->trial[i];
        return NULL;
}

int pxr_sweep_plan(struct pxr_sweep *sweep, struct pxr_plan *plan, struct pxr_diag *diag)
{
        struct looked_at seen;

        *plan = (struct pxr_plan) { 0 };
        /* Held open meanwhile: else every spec would load all layers anew. */
        if (!pxr_plugins_open(sweep->arena, diag))
                return -1;
        if (sweep->search == PXR_HALVING && set_rungs(sweep, plan, diag))
                return -1;
        plan->trial = pxr_alloc_array(sweep->arena, (size_t)sweep->configurations * sweep->rungs,
                                      sizeof(*plan->trial));
        if (!plan->trial)
                return pxr_out_of_memory(diag);
        for (int i = 0; i < sweep->configurations; i++)
                for (int rung = 0; rung < sweep->rungs; rung++) {
                        struct pxr_trial *trial = &plan->trial[plan->trials];

                        if (pxr_sweep_trial(sweep, i, plan->epochs ? plan->epochs[rung] : 0, trial,
                                            diag) ||
                            look_at(sweep, trial, &seen, diag))
                                return -1;
                        trial->rung = rung;
                        if (pxr_plan_find(plan, trial->spec_hash)) {
                                plan->repeated++;
                                break;
                        }
                        plan->trials++;
                }
        return 0;
}
