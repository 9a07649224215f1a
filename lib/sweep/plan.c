/* SPDX-License-Identifier: MIT */
/* plan.c - the trials of a sweep: their values, and the specs with these. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <pxr/random.h>

#include "config/options.h"
#include "model/plugin.h"
#include "sweep/sweep.h"

enum { DIGITS = 4 }; /* of a random number: enough to try, and short to read */

/* --- one configuration -------------------------------------------------------------------------
 */

/* The level of factor `which` in configuration `number` of a grid: the last factor goes fastest. */
static int grid_level(const struct pxr_sweep *sweep, int number, int which)
{
        for (int i = sweep->factors - 1; i > which; i--)
                number /= sweep->factor[i].levels;
        return number % sweep->factor[which].levels;
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

/* Random numbers depend on the factor's name and the configuration alone: neither other factors nor
 * the number of runs change them. */
static struct pxr_level choose_level(struct pxr_sweep *sweep, int number, int which)
{
        const struct pxr_factor *factor = &sweep->factor[which];
        struct pxr_random random =
                pxr_random((uint64_t)sweep->draws.seed, PXR_RANDOM_SWEEP, (uint32_t)number,
                           (uint32_t)pxr_hash_name(factor->name), 0);
        struct pxr_level level;
        char text[PXR_REAL_TEXT];
        const char *value;

        if (sweep->kind == PXR_GRID)
                return factor->level[grid_level(sweep, number, which)];
        if (factor->range == PXR_LEVELS)
                return factor->level[pxr_random_below(&random, (uint32_t)factor->levels)];
        value = pxr_strdup(sweep->arena, pxr_format_real(draw(factor, &random), text));
        pxr_factor_set(sweep->arena, factor, value, value, factor->bounds, &level);
        return level;
}

/* Set what a level sets, and add it to the trial's descriptions. */
static void add_level(struct pxr_arena *arena, struct pxr_trial *trial,
                      const struct pxr_factor *factor, const struct pxr_level *level)
{
        for (int i = 0; i < level->overrides.count; i++)
                pxr_override_add(arena, &trial->overrides, level->overrides.text[i],
                                 level->overrides.location[i]);
        trial->label = pxr_strf(arena, "%s%s%s=%s", trial->label, *trial->label ? " " : "",
                                factor->short_name, level->text);
        trial->varied = pxr_strf(arena, "%s%s%s: %s", trial->varied, *trial->varied ? ", " : "",
                                 factor->json_name, level->json);
}

int pxr_sweep_trial(struct pxr_sweep *sweep, int number, int64_t epochs, struct pxr_trial *trial)
{
        static const struct pxr_factor rung = { .name = "train.epochs",
                                                .short_name = "epochs",
                                                .json_name = "\"train.epochs\"" };
        struct pxr_level level;

        *trial = (struct pxr_trial) { .configuration = number, .label = "", .varied = "" };
        for (int i = 0; i < sweep->fixed.count; i++)
                pxr_override_add(sweep->arena, &trial->overrides, sweep->fixed.text[i],
                                 sweep->fixed.location[i]);
        for (int i = 0; i < sweep->factors; i++) {
                level = choose_level(sweep, number, i);
                add_level(sweep->arena, trial, &sweep->factor[i], &level);
        }
        if (epochs > 0) {
                const char *text = pxr_strf(sweep->arena, "%lld", (long long)epochs);

                pxr_factor_set(sweep->arena, &rung, text, text, NULL, &level);
                add_level(sweep->arena, trial, &rung, &level);
        }
        trial->varied = pxr_strf(sweep->arena, "{%s}", trial->varied);
        return pxr_arena_failed(sweep->arena) ? -1 : 0;
}

/* --- its spec ----------------------------------------------------------------------------------
 */

/* Make a trial, read and check its spec, and fill in what the trial has of it. */
static int read_trial(struct pxr_sweep *sweep, int number, int64_t epochs, struct pxr_trial *trial,
                      struct pxr_diag *diag)
{
        struct pxr_arena *arena = pxr_arena_new(0, diag);
        struct pxr_experiment *experiment = NULL;
        char *spec = NULL;

        if (arena && !pxr_sweep_trial(sweep, number, epochs, trial)) {
                const struct pxr_spec_origin origin = { .path = sweep->spec,
                                                        .overrides = trial->overrides.text,
                                                        .locations = trial->overrides.location,
                                                        .count = (size_t)trial->overrides.count };

                experiment = pxr_experiment_read(arena, &origin, diag);
                spec = experiment ? pxr_yaml_emit(arena, experiment->root, diag) : NULL;
                if (!spec)
                        pxr_note(diag, "%s: a run of this sweep has %s", sweep->path, trial->label);
        }
        if (spec) {
                pxr_sha256(spec, strlen(spec), trial->spec_hash);
                trial->epochs = experiment->settings.train.epochs;
                trial->validates = experiment->settings.evaluate.splits >> PXR_VALID & 1;
        }
        pxr_arena_free(arena);
        return spec ? 0 : -1;
}

/* --- all of them -------------------------------------------------------------------------------
 */

/* The epochs of the rungs of successive halving: each `factor` times those of the rung below, the
 * last the spec's own. */
static int set_rungs(struct pxr_sweep *sweep, struct pxr_plan *plan, struct pxr_diag *diag)
{
        int64_t *epochs = pxr_alloc_array(sweep->arena, 64, sizeof(*epochs));
        int64_t lowest = sweep->draws.epochs, factor = sweep->draws.factor;
        struct pxr_trial trial;

        if (!epochs || read_trial(sweep, 0, 0, &trial, diag))
                return -1;
        if (!trial.validates)
                return pxr_user_error(diag,
                                      "%s: halving compares validation NLLs: evaluate.splits must "
                                      "include 'valid'",
                                      sweep->path);
        if (trial.epochs < lowest * factor)
                return pxr_user_error(diag,
                                      "%s: halving from %lld epochs by a factor of %lld requires "
                                      "train.epochs to be at least %lld, not %lld",
                                      sweep->path, (long long)lowest, (long long)factor,
                                      (long long)(lowest * factor), (long long)trial.epochs);
        sweep->rungs = 0;
        for (int64_t at = lowest; at <= trial.epochs; at *= factor)
                epochs[sweep->rungs++] = at;
        epochs[sweep->rungs - 1] = trial.epochs;
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
        *plan = (struct pxr_plan) { 0 };
        /* Held open meanwhile, or every spec would load all plugins again. */
        if (!pxr_plugins_open(sweep->arena, diag) ||
            (sweep->kind == PXR_HALVING && set_rungs(sweep, plan, diag)))
                return -1;
        plan->trial = pxr_alloc_array(sweep->arena, (size_t)sweep->configurations * sweep->rungs,
                                      sizeof(*plan->trial));
        if (!plan->trial)
                return -1;
        for (int i = 0; i < sweep->configurations; i++)
                for (int rung = 0; rung < sweep->rungs; rung++) {
                        struct pxr_trial *trial = &plan->trial[plan->trials];

                        if (read_trial(sweep, i, plan->epochs ? plan->epochs[rung] : 0, trial,
                                       diag))
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
